"""A probe to be read: pairs of models in the same states, the states that differ most, nodes, and whose states."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare import Estimate, p_value, points
from harness.compare.interventions.probe import Apart, Deed, Probe, StateApart
from harness.report import cells
from harness.report.links import trials_link
from harness.report.plain import one_line, shortened
from harness.report.table import Cell, Column, Table

MOST_PAIRS = 20
MOST_STATES = 10
MOST_DEEDS = 4
"""Choices of each model that are told of a state."""
MOST_PLACES = 24
TEXT = 56


def tables(result: Probe) -> list[Table]:
    """Pairs, states with what is done there, nodes, makers, own and foreign states; empty ones left out."""
    if result.too_few is not None:
        return []
    made = [_pairs(result)]
    if result.in_states:
        made += [_states(result), _deeds(result)]
    if len({row.value for row in result.nodes}) > 1 or any(row.shown for row in result.nodes if row.level == "words"):
        made.append(_places(result, result.nodes, "node", "Nodes: where they act differently, over the states there"))
    if len({row.value for row in result.roles}) > 1:
        made.append(_places(result, result.roles, "role", "Roles: who acts differently, over the states there"))
    if len({row.value for row in result.makers}) > 1:
        made.append(
            _places(result, result.makers, "states made by", "Whose states: the same pairs by who came to them")
        )
    if result.own_foreign:
        made.append(_own_foreign(result))
    return [*made, _conduct(result)]


def top_states(result: Probe, most: int = MOST_STATES) -> list[StateApart]:
    """The states where models differ most, each once, by the pair that differs most there."""
    seen: dict[str, StateApart] = {}
    for row in result.in_states:
        seen.setdefault(row.state, row)
    return list(seen.values())[:most]


def deeds_of(result: Probe, state: str) -> list[Deed]:
    """What is done in a state: model after model, the commonest first."""
    rows = [deed for deed in result.deeds if deed.state == state]
    return sorted(rows, key=lambda deed: (result.models.index(deed.model), -deed.count, deed.does))


def floor(value: float | None, own: float | None) -> str:
    """`0.41 / 0.07`: between two models, and within one."""
    return cells.NONE if value is None or own is None else f"{value:.2f} / {own:.2f}"


def beyond(value: Estimate) -> str:
    """`+42 (35 to 49)`, in points."""
    if value.estimate is None:
        return cells.NONE
    head = points(value.estimate)
    head = head if head.startswith("-") or float(head) == 0 else f"+{head}"
    if value.low is None or value.high is None:
        return f"{head} ({cells.TOO_FEW})" if value.too_few else head
    return f"{head} ({points(value.low)} to {points(value.high)})"


def _p(row: Apart) -> str:
    if not row.telling:
        return cells.NONE
    return p_value(row.p if row.p_adjusted is None else row.p_adjusted)


def _pairs(result: Probe) -> Table:
    rows = sorted(result.pairs, key=lambda row: (row.level != "arguments", row.level, row.p))[:MOST_PAIRS]
    columns = [Column("first - second", "left", key=True), Column("compared by", "left"), Column("states")]
    columns += [Column("tasks"), Column("disagree"), Column("own"), Column("beyond own, points"), Column("p")]
    columns += [Column("JS bits / floor"), Column("total variation / floor"), Column("would show, bits")]
    body = [
        [
            Cell(f"{row.first} - {row.second}", trials_link({result.by: [row.first, row.second]})),
            "canonical action" if row.level == "arguments" else row.level, str(row.states), str(row.tasks),
            cells.share(row.disagree), cells.share(row.own), beyond(row.excess), _p(row),
            floor(row.divergence, row.divergence_floor), floor(row.variation, row.variation_floor),
            cells.NONE if row.would_show is None else f"{row.would_show:.2f}",
        ]
        for row in rows
    ]  # fmt: skip
    more = "" if len(rows) == len(result.pairs) else f" ({len(rows)} of {len(result.pairs)}; all with --json)"
    title = f"The same states: how often replies differ, between {result.by}s and within one{more}"
    return Table(title, columns, body, frozenset(n for n, row in enumerate(rows) if row.shown))


def _states(result: Probe) -> Table:
    rows = top_states(result)
    several = len(result.models) > 2
    columns = [Column("state", "left", key=True), Column("task", "left"), Column("node", "left")]
    columns += [Column("made by", "left")]
    columns += [Column("first - second", "left")] if several else []
    columns += [Column("JS bits"), Column("by chance"), Column("own floor"), Column("total variation"), Column("p")]
    columns += [Column("p, all states")]
    body = [
        [
            Cell(row.state, trials_link({"moment": row.state})), one_line(row.task, 30), row.node,
            one_line(", ".join(row.made_by), 30), *([f"{row.first} - {row.second}"] if several else []),
            f"{row.divergence:.2f}", f"{row.by_chance:.2f}",
            cells.NONE if row.divergence_floor is None else f"{row.divergence_floor:.2f}", f"{row.variation:.2f}",
            p_value(row.p), p_value(row.p_adjusted),
        ]
        for row in rows
    ]  # fmt: skip
    count = len({row.state for row in result.in_states})
    title = f"States where they differ most ({len(rows)} of {count})"
    return Table(title, columns, body, frozenset(n for n, row in enumerate(rows) if row.shown))


def _deeds(result: Probe) -> Table:
    columns = [Column("state", "left", key=True), Column(result.by, "left", key=True)]
    columns += [Column("times"), Column("would", "left")]
    body = []
    for state in top_states(result):
        told: dict[str, int] = {}
        for deed in deeds_of(result, state.state):
            told[deed.model] = told.get(deed.model, 0) + 1
            if told[deed.model] <= MOST_DEEDS:
                body.append([
                    state.state, deed.model,
                    Cell(f"{deed.count} of {deed.replies}", trials_link({"trial": deed.trials})),
                    shortened(one_line(deed.does, 4 * TEXT), TEXT),
                ])  # fmt: skip
    return Table(f"What each would do there (up to {MOST_DEEDS} choices each; all with --json)", columns, body)


def _places(result: Probe, found: Sequence[Apart], name: str, title: str) -> Table:
    shown = {(row.first, row.second, row.value) for row in found if row.level == "arguments" and row.shown}
    worded_only = [r for r in found if r.level == "words" and r.shown and (r.first, r.second, r.value) not in shown]
    kept = [row for row in found if row.level == "arguments"] + worded_only
    order = sorted(kept, key=lambda row: (row.first, row.second, row.level, row.p))
    rows = order[:MOST_PLACES]
    several, worded = len(result.pairs) > len(result.levels), any(row.level == "words" for row in rows)
    columns = [Column("first - second", "left", key=True)] if several else []
    columns += [Column(name, "left", key=True)] + ([Column("compared by", "left")] if worded else [])
    columns += [Column("states"), Column("tasks"), Column("disagree"), Column("own"), Column("beyond own, points")]
    columns += [Column("JS bits / floor"), Column("p")]
    body = [
        [
            *([f"{row.first} - {row.second}"] if several else []), str(row.value),
            *([("words" if row.level == "words" else "canonical action")] if worded else []), str(row.states),
            str(row.tasks), cells.share(row.disagree), cells.share(row.own), beyond(row.excess),
            floor(row.divergence, row.divergence_floor), _p(row),
        ]
        for row in rows
    ]  # fmt: skip
    more = "" if len(rows) == len(order) else f" ({len(rows)} of {len(order)}; all with --json)"
    return Table(title + more, columns, body, frozenset(n for n, row in enumerate(rows) if row.shown))


def _own_foreign(result: Probe) -> Table:
    columns = [Column("first, second", "left", key=True), Column("replies that", "left", key=True)]
    columns += [Column("matched pairs"), Column("own states"), Column("foreign states"), Column("difference, points")]
    columns += [Column("p"), Column("would show")]
    rows = result.own_foreign[: 3 * MOST_PAIRS]
    body = [
        [
            f"{row.first}, {row.second}", row.measure, str(row.pairs), cells.share(row.own), cells.share(row.foreign),
            cells.difference_points(row.difference), cells.p_cell(row.difference), cells.detectable(row.difference),
        ]
        for row in rows
    ]  # fmt: skip
    title = "Own states against foreign ones, matched: what models and states do anyway held equal"
    return Table(title, columns, body, frozenset(n for n, row in enumerate(rows) if row.difference.shown))


def _conduct(result: Probe) -> Table:
    columns = [Column(result.by, "left", key=True), Column("in states", "left", key=True), Column("states")]
    columns += [Column("replies"), Column("entropy, bits"), Column("malformed"), Column("refused"), Column("nothing")]
    body = [
        [
            Cell(row.model, trials_link({result.by: row.model})), "of its own" if row.where == "own" else "of others",
            str(row.states), str(row.replies), cells.mean_interval(row.entropy), cells.rate(row.malformed),
            cells.rate(row.refused), cells.rate(row.nothing),
        ]
        for row in result.conduct
    ]  # fmt: skip
    return Table("How each replies in its own states and in those of others", columns, body)
