"""When, where and how models part, in plain English."""

from __future__ import annotations

from harness.compare.divergence.result import Choice, Divergence, Together
from harness.compare.sentences import amount, p_value, points, several
from harness.compare.statistics import MIN_CLUSTERS_TESTED

MOST = 6
HABIT = 0.05


def told(result: Divergence) -> list[str]:
    """The pair that parts most clearly, where and how; then all models at once, and what parting means."""
    if len(result.models) < 2 or not result.pairs:
        return _alone(result)
    found = _pair(result)
    found += _everyone(result)
    found += _outcome(result)
    return found[:MOST]


def _pair(result: Divergence) -> list[str]:
    rows = [row for row in result.pairs if row.level == result.level]
    known = [row for row in rows if row.alike.estimate is not None]
    if not known:
        return ["No two of these share a task with recorded actions: nothing to set side by side."]
    row = min(known, key=_clarity)
    found = [_together(row)]
    if len([row for row in known if row.gap.p is not None]) > 1:
        shown = sum(row.gap.shown for row in known)
        found[0] += f" Of {len(known)} pairs {shown} part sooner than their own repeats."
    where = _where(result, row)
    if where:
        found.append(where)
    clean = max(known, key=lambda row: row.clean)
    if clean.clean:
        moment = next((m for m in result.moments if (m.first, m.second) == (clean.first, clean.second)), None)
        text = (
            f"In {clean.clean} of {clean.cleanly_possible} tasks all trials of {clean.first} go one way and all of "
            f"{clean.second} another (chance: {amount(clean.clean_by_chance)})"
        )
        if moment is not None:
            task = moment.unit.get("task", "")
            text += f": in {task}, after {_count(moment.after, 'action')} in common, {_does(moment.first_does)} "
            text += f"against {_does(moment.second_does)}"
            text += " with other arguments" if moment.first_does == moment.second_does else ""
        found.append(f"{text}.")
    return found


def _together(row: Together) -> str:
    names, what = f"{row.first} and {row.second}", "" if row.level == "arguments" else " (by names of actions)"
    begin = f"{names} begin alike in {points(row.alike.estimate, 0)}% of cases"
    head = f"{begin} and part after {_actions(row.actions.estimate)}"
    if row.own_actions.estimate is None:
        return f"{head}{what}; how soon their own runs part takes repeats of one task."
    own = f"their own repeats: {points(row.own_alike.estimate, 0)}%, {amount(row.own_actions.estimate)}"
    if row.gap.clusters < MIN_CLUSTERS_TESTED:
        return (
            f"{head}{what} ({own}); too few tasks ({row.gap.clusters}) to say that this is no chance: it takes "
            f"{MIN_CLUSTERS_TESTED}."
        )
    size = row.gap
    interval = "" if size.low is None or size.high is None else f", {amount(size.low)} to {amount(size.high)}"
    several = size.adjusted_by is not None and not size.adjusted_by.endswith("over 1")
    p = p_value(size.p_adjusted)
    chance = f"p {p if p.startswith('<') else f'= {p}'}" + (f" after {size.adjusted_by}" if several else "")
    tail = f"difference {amount(size.estimate)}{interval}; {chance}"
    if size.shown:
        return f"{head}{what}, sooner than runs of one and the same ({own}; {tail})."
    seen = "" if size.detectable is None else f"; {amount(size.detectable)} or more would have shown"
    return f"{head}{what}, no sooner than runs of one and the same as far as can be told ({own}; {tail}{seen})."


def _where(result: Divergence, row: Together) -> str | None:
    """The node where most partings are, and what tells the two apart there."""
    names = (row.first, row.second)
    place = next((place for place in result.places if (place.first, place.second) == names), None)
    if place is None:
        return None
    choices = [c for c in result.choices if (c.first, c.second, c.node) == (*names, place.node)]
    shown = [choice for choice in choices if choice.difference.shown]
    share = points(place.share, 0)
    often = "" if place.share > 0.995 else f" in {share}% of cases"
    where = "They part" if place.node == "(unknown)" else f"They part at node {place.node}{often}"
    if shown:
        return f"{where}, where {_choice(shown)}."
    if place.same_tool >= 0.5:
        return f"{where}, mostly by other arguments of the same tool ({points(place.same_tool, 0)}%)."
    if not choices:
        return f"{where}."
    return f"{where}, without a choice there that can be told from chance."


def _choice(shown: list[Choice]) -> str:
    """What the first does more often, and what the second does instead."""
    ours = next((c for c in shown if c.first_share > c.second_share), None)
    theirs = next((c for c in shown if c.second_share > c.first_share), None)
    parts = []
    if ours is not None:
        rates = f"{points(ours.first_share, 0)}% against {points(ours.second_share, 0)}%"
        parts.append(f"{ours.first} {_goes(ours.action)} ({rates})")
    if theirs is not None:
        rates = f"{points(theirs.second_share, 0)}% against {points(theirs.first_share, 0)}%"
        parts.append(f"{theirs.second} {_goes(theirs.action)} ({rates})")
    return " and ".join(parts)


def _everyone(result: Divergence) -> list[str]:
    """Three and more: which action tells them apart most."""
    for scope in ("task", "all"):
        level = result.level if scope == "task" else "names"
        rows = [row for row in result.depths if (row.level, row.scope) == (level, scope)]
        p = result.depth_p.get(f"{level} {scope}")
        if not rows or p is None or p >= HABIT:
            continue
        best = max(rows, key=lambda row: row.excess)
        node = next((n for n in result.nodes if (n.level, n.scope) == (level, scope) and n.excess > 0), None)
        at = f", mostly at node {node.node}" if node is not None and node.node != "(unknown)" else ""
        whole = "both" if len(result.models) == 2 else f"all {len(result.models)}"
        how = "within a task" if scope == "task" else "over all tasks, by name"
        return [
            f"Of {whole} {several(result.by)} at once, action {best.action} tells most about who took it {how}: "
            f"{best.information:.2f} bits, {best.expected:.2f} expected by chance (p {_equals(p)}){at}."
        ]
    return []


def _outcome(result: Divergence) -> list[str]:
    row = next((row for row in result.outcomes if row.between and row.difference.estimate is not None), None)
    if row is None or row.early is None or row.late is None or row.difference.clusters < MIN_CLUSTERS_TESTED:
        return []
    size = row.difference
    interval = "" if size.low is None or size.high is None else f", {points(size.low)} to {points(size.high)}"
    rates = (
        f"{points(row.early, 0)}% against {points(row.late, 0)}%; difference {points(size.estimate)} points{interval}"
    )
    when = f"before action {row.actions + 1}" if row.actions > 1 else "at the first action"
    if size.shown and (size.estimate or 0.0) > 0:
        return [f"Trials that part {when} come out differently more often than those that stay together ({rates})."]
    seen = "" if size.detectable is None else f"; {points(size.detectable)} points or more would have shown"
    return (
        [f"Parting {when} does not show in whether trials pass ({rates}{seen})."]
        if not size.shown
        else [f"Trials that part {when} come out differently less often than those that stay together ({rates})."]
    )


def _alone(result: Divergence) -> list[str]:
    row = next((row for row in result.own if row.level == result.level and row.actions.estimate is not None), None)
    if row is None:
        return [f"Only one {result.by} is recorded, without repeats: nothing to set its trajectories beside."]
    return [
        f"Two runs of {row.model} on one task begin alike in {points(row.alike.estimate, 0)}% of cases and part after "
        f"{_actions(row.actions.estimate)}."
    ]


def _clarity(row: Together) -> tuple[float, float]:
    p = row.gap.p_adjusted if row.gap.p_adjusted is not None else 2.0
    return p, (row.gap.estimate if row.gap.estimate is not None else -(1 - (row.alike.estimate or 0.0)))


def _actions(value: float | None) -> str:
    return f"{amount(value)} actions"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _goes(action: str) -> str:
    return "ends" if action == "(end)" else f"does {action}"


def _does(action: str) -> str:
    return "ending" if action == "(end)" else action


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"
