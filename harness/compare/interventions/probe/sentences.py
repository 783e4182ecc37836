"""What a probe found, in plain English."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.interventions.probe.replies import ARGUMENTS, WORDS
from harness.compare.interventions.probe.result import Apart, Conduct, OwnForeign, Probe
from harness.compare.sentences import chance_of, counted, more, p_value, points, several
from harness.compare.statistics import MIN_CLUSTERS_TESTED

MOST_PAIRS = 6
MOST_NAMES = 5
RARE = 0.05
"""A share of unusable replies from which it is worth a sentence."""


def told(result: Probe) -> list[str]:
    """The findings, the most important first."""
    pairs = sorted(result.main(result.pairs), key=lambda row: (row.p, -(row.whole - row.by_chance)))
    found = []
    for row in pairs[:MOST_PAIRS]:
        found.append(_pair(result, row))
        found += _nodes(result, row)
    if len(pairs) > MOST_PAIRS:
        shown = sum(row.shown for row in pairs[MOST_PAIRS:])
        found.append(f"Of the other {len(pairs) - MOST_PAIRS} pairs, {shown} act differently; the table has them.")
    found += _own_foreign(result.own_foreign)
    return found + _unusable(result.conduct)


def _pair(result: Probe, row: Apart) -> str:
    single = [state for state in result.in_states if (state.first, state.second) == (row.first, row.second)]
    alone = sum(state.shown for state in single)
    names = f"{row.first} and {row.second}"
    states = "the same state" if row.states == 1 else f"the same {row.states} states"
    where = f"{states} of {counted(row.tasks, 'task')}"
    if row.own is None:
        return (
            f"{names} disagree in {points(row.disagree, 0)}% of {where}; each was asked too seldom to say how often "
            "its own replies differ: it takes -n 2 or more."
        )
    if not row.telling:
        same = "the same" if row.disagree == 0 else "never the same twice"
        return f"{names} cannot be told apart in {where}: all their replies to one state are {same}."
    floor = (
        f"two replies to one state differ {points(row.disagree, 0)}% of the time, two of one model "
        f"{points(row.own, 0)}%"
    )
    distance = ""
    if row.divergence is not None and row.divergence_floor is not None:
        distance = (
            f"; Jensen-Shannon {row.divergence:.2f} bits between halves of the replies against a floor of "
            f"{row.divergence_floor:.2f}"
        )
    if row.shown:
        return (
            f"{names} act differently in {where}: {floor} ({_excess(row)}{distance}; {_chance(row)}). By "
            f"{'itself' if alone == 1 else 'themselves'} {alone} of {len(single)} states show it.{_beyond(row)}"
        )
    would = "" if row.would_show is None else f"; {row.would_show:.2f} bits beyond chance would have shown"
    if _at_node(result, row, ARGUMENTS):
        return (
            f"{names} differ at some nodes, but not over {where} taken together: {floor} ({_excess(row)}{distance}; "
            f"{_chance(row)}{would})."
        )
    return f"{names} cannot be told apart in {where}: {floor} ({_excess(row)}{distance}; {_chance(row)}{would})."


def _at_node(result: Probe, pair: Apart, level: str) -> list[Apart]:
    """The nodes at which the two are shown to differ."""
    found = [row for row in result.nodes if (row.first, row.second) == (pair.first, pair.second)]
    return [row for row in found if row.level == level and row.shown]


def _excess(row: Apart) -> str:
    found = row.excess
    head = f"{points(found.estimate)} points beyond their own"
    if found.low is None or found.high is None:
        return f"{head}, too few tasks for an interval" if found.clusters < MIN_CLUSTERS_TESTED else head
    return f"{head}, {points(found.low)} to {points(found.high)}"


def _beyond(row: Apart) -> str:
    """That p is of the states asked about, where the interval, which is of tasks like these, does not bear it out."""
    low = row.excess.low
    if row.excess.estimate is None or low is None or low > 0:
        return ""
    return " This holds in these states; for other tasks like these it may be nothing."


def _chance(row: Apart) -> str:
    corrected = row.p_adjusted is not None and not (row.adjusted_by or "").endswith(" over 1")
    text = p_value(row.p_adjusted if corrected else row.p)
    relation = "p < " if text.startswith("<") else "p = "
    return f"{relation}{text.removeprefix('<')}" + (f" after {row.adjusted_by} comparisons" if corrected else "")


def _nodes(result: Probe, pair: Apart) -> list[str]:
    """At which nodes, and at which only the words."""
    own = [row for row in result.nodes if (row.first, row.second) == (pair.first, pair.second)]
    main = [row for row in own if row.level == ARGUMENTS]
    if len(main) < 2 and not any(row.level == WORDS for row in own):
        return []
    names = f"{pair.first} and {pair.second}"
    shown = _at_node(result, pair, ARGUMENTS)
    found = []
    if shown and len(main) > 1:
        rest = len(main) - len(shown)
        others = f", and at none of the other {rest}" if rest else ", wherever they were asked"
        found.append(f"{names} differ at {_listed(shown)}{others} ({_ps(shown)} after Holm).")
    elif pair.shown and len(main) > 1:
        found.append(f"{names} differ over all nodes together; no single one of {len(main)} shows it after Holm.")
    words = [row for row in _at_node(result, pair, WORDS) if row.value not in {r.value for r in shown}]
    if words:
        found.append(f"At {_listed(words)} {names} act alike but word it differently ({_ps(words)} after Holm).")
    return found


def _listed(rows: Sequence[Apart]) -> str:
    values = [str(row.value) for row in rows]
    head = ", ".join(values[:MOST_NAMES]) + (
        f" and {len(values) - MOST_NAMES} more" if len(values) > MOST_NAMES else ""
    )
    return f"node {head}" if len(values) == 1 else f"nodes {head}"


def _ps(rows: Sequence[Apart]) -> str:
    worst = p_value(max(row.p if row.p_adjusted is None else row.p_adjusted for row in rows))
    return (
        f"p < {worst.removeprefix('<')}"
        if worst.startswith("<")
        else f"p at most {worst}"
        if len(rows) > 1
        else f"p = {worst}"
    )


def _own_foreign(rows: Sequence[OwnForeign]) -> list[str]:
    found = []
    for row in rows:
        if row.difference.shown:
            difference = row.difference
            verb = "more" if (difference.estimate or 0.0) > 0 else "less"
            found.append(
                f"In states of their own {row.first} and {row.second} have '{row.measure}' {verb} often than in "
                f"each other's ({points(row.own)}% against {points(row.foreign)}%; {_amount(row)}; "
                f"{chance_of(difference)}), what the states and the models do anyway held equal."
            )
    if rows and not found:
        pairs = max(row.pairs for row in rows)
        few = max(row.difference.clusters for row in rows) < MIN_CLUSTERS_TESTED
        why = f"with fewer than {MIN_CLUSTERS_TESTED} independent tasks little could show" if few else "nothing shows"
        found.append(
            f"Whose state it is makes no difference that can be seen in how often replies are malformed, refused or "
            f"unsteady ({counted(pairs, 'matched pair')} of states at most; {why})."
        )
    return found


def _amount(row: OwnForeign) -> str:
    return more(row.difference) if (row.difference.estimate or 0.0) > 0 else f"{points(row.difference.estimate)} points"


def _unusable(rows: Sequence[Conduct]) -> list[str]:
    found = []
    for model in dict.fromkeys(row.model for row in rows):
        told_of = []
        for name in ("malformed", "refused", "nothing"):
            shares = {row.where: getattr(row, name).estimate for row in rows if row.model == model}
            if any(share is not None and share >= RARE for share in shares.values()):
                listed = ", ".join(f"{points(share, 0)}% in {where} states" for where, share in shares.items())
                told_of.append(f"{WORDING[name]} in {listed}")
        if told_of:
            found.append(f"Replies of {model} are {'; '.join(told_of)}.")
    return found


WORDING = {"malformed": "malformed or cut off", "refused": "refusals", "nothing": "none at all, ended by a limit,"}


def nothing_to_say(result: Probe) -> str:
    """Where no two models were asked in one state."""
    return (
        f"No two {several(result.by)} have replies in one state: a probe compares {several(result.by)} in states that "
        "both were asked about."
    )
