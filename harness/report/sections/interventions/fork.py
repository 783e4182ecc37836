"""Forks to be read: who goes on better, the states where it matters most, where trials fall, own and foreign states."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare import amount, p_value, points
from harness.compare.interventions.fork import Advantage, Drop, Fork, NextAction, Value
from harness.compare.statistics import Difference, Estimate
from harness.report import cells
from harness.report.links import trials_link
from harness.report.table import Cell, Column, Table

MOST_STATES = 15
MOST_DROPS = 12
MOST_NEXT = 24
LONGEST = 70


def tables(result: Fork) -> list[Table]:
    """The summary, the pivotal states (or values, where one model alone went on), and what explains them."""
    made = [_summary(result)] if result.summaries else []
    made += [_apart(result)] if result.apart else []
    differing = [row for row in result.pivotal if row.difference]
    made += [_pivotal(result, differing)] if differing else [_values(result)] if result.values else []
    made += [_drops(result)] if any(row.change < 0 for row in result.drops) else []
    made += [_origins(result)] if result.origins else []
    made += [_homes(result)] if result.homes else []
    made += [_choices(result)] if result.choices else []
    return [*made, _following(result)] if result.following else made


def _summary(result: Fork) -> Table:
    columns = [Column("first - second", "left", key=True), Column("moments", "left", key=True)]
    columns += [
        Column("states"),
        Column("tasks"),
        Column("score"),
        Column("p"),
        Column("pass rate"),
        Column("would show"),
    ]
    body = [
        [
            Cell(f"{row.first} - {row.second}", trials_link({"model": [row.first, row.second]})),
            row.part,
            str(row.difference.n),
            str(row.difference.clusters),
            _difference(result, row.difference),
            cells.p_cell(row.difference),
            "" if row.passed == row.difference or not row.passed.n else cells.difference_points(row.passed),
            cells.detectable(row.difference) if result.shares else "",
        ]
        for row in result.summaries
    ]
    unit = ", points" if result.shares else ""
    strong = frozenset(n for n, row in enumerate(result.summaries) if row.difference.shown)
    return Table(f"Going on from the same states, the first less the second{unit}", columns, body, strong)


def _apart(result: Fork) -> Table:
    columns = [Column("models", "left", key=True), Column("states"), Column("apart"), Column("by chance"), Column("p")]
    columns += [Column("true spread")]
    body = [
        [
            f"{row.first}, {row.second}",
            str(row.states),
            _number(result, row.apart),
            _number(result, row.floor),
            p_value(row.p),
            _number(result, row.spread),
        ]
        for row in result.apart
    ]
    return Table(f"How far apart the values of a state are{', points' if result.shares else ''}", columns, body)


def _pivotal(result: Fork, differing: Sequence[Advantage]) -> Table:
    order = differing[:MOST_STATES]
    several = len(result.models) > 2
    columns = [
        Column("state", "left", key=True),
        Column("task", "left"),
        Column("behind"),
        Column("in a trial of", "left"),
    ]
    columns += [Column("models", "left")] if several else []
    columns += [Column("first"), Column("second"), Column("difference"), Column("believed"), Column("p")]
    columns += [Column("pivotal p"), Column("recorded next", "left")]
    body = []
    for row in order:
        line = [
            Cell(row.state, trials_link({"moment": row.state.split(" ")[0]})),
            row.task,
            f"{row.at} of {row.of}",
            row.prefix,
            *([f"{row.first}, {row.second}"] if several else []),
            f"{_value(result, row.first_value)} ({row.first_rollouts})",
            f"{_value(result, row.second_value)} ({row.second_rollouts})",
            _bounded(result, row.difference, row.low, row.high),
            _bounded(result, row.believed, row.believed_low, row.believed_high),
            p_value(row.p if row.p_adjusted is None else row.p_adjusted),
            p_value(row.p_largest),
            _cut(row.next_action),
        ]
        body.append(line)
    names = "" if several else f", first {order[0].first}, second {order[0].second}"
    title = f"States where it matters most who goes on{names}{_of(len(order), len(differing))}"
    return Table(title, columns, body, frozenset(n for n, row in enumerate(order) if row.pivotal))


def _values(result: Fork) -> Table:
    order = result.values[:MOST_STATES]
    columns = [
        Column("state", "left", key=True),
        Column("task", "left"),
        Column("behind"),
        Column("in a trial of", "left"),
    ]
    columns += [
        Column("model", "left"),
        Column("continuations"),
        Column("value"),
        Column("pass rate"),
        Column("recorded"),
    ]
    body = [
        [
            Cell(row.state, trials_link({"moment": row.state.split(" ")[0], "model": row.model})),
            row.task,
            f"{row.at} of {row.of}",
            row.prefix,
            row.model,
            str(row.rollouts),
            cells.score(row.score) if result.shares else cells.mean_interval(row.score),
            cells.rate(row.passed) if row.passed.n else "",
            _recorded(result, row),
        ]
        for row in order
    ]
    return Table(f"What states are worth{_of(len(order), len(result.values))}", columns, body)


def _drops(result: Fork) -> Table:
    fallen = [row for row in result.drops if row.change < 0]
    order = fallen[:MOST_DROPS]
    columns = [Column("trial", "left", key=True), Column("task", "left"), Column("of", "left")]
    columns += [
        Column("under", "left"),
        Column("calls"),
        Column("before"),
        Column("after"),
        Column("change"),
        Column("p"),
    ]
    columns += [Column("done in between", "left")]
    body = [
        [
            Cell(row.trial, trials_link({"moment": [f"{row.trial}@{row.at}", f"{row.trial}@{row.until}"]})),
            row.task,
            row.prefix,
            row.model,
            f"{row.at} to {row.until}",
            _value(result, row.before),
            _value(result, row.after),
            _bounded(result, row.change, row.low, row.high),
            p_value(row.p if row.p_adjusted is None else row.p_adjusted),
            _cut("; ".join(row.actions)),
        ]
        for row in order
    ]
    strong = frozenset(n for n, row in enumerate(order) if _shown(row))
    return Table(f"Where trials fall in value{_of(len(order), len(fallen))}", columns, body, strong)


def _origins(result: Fork) -> Table:
    columns = [Column("model", "left", key=True), Column("in trials of", "left", key=True), Column("states")]
    columns += [Column("value"), Column("recorded"), Column("value - recorded"), Column("p")]
    body = [
        [
            row.model,
            f"{row.prefix} (own)" if row.prefix == row.model else row.prefix,
            str(row.states),
            _estimate(result, row.value),
            _estimate(result, row.recorded),
            _difference(result, row.difference),
            cells.p_cell(row.difference),
        ]
        for row in result.origins
    ]
    return Table("By whose trials the states are in: what they are worth, and how those trials ended", columns, body)


def _homes(result: Fork) -> Table:
    columns = [Column("first - second", "left", key=True), Column("on states of the first")]
    columns += [Column("on those of the second"), Column("difference"), Column("tasks"), Column("p")]
    body = [
        [
            f"{row.first} - {row.second}",
            _change(result, row.on_first),
            _change(result, row.on_second),
            _difference(result, row.difference),
            str(row.difference.clusters),
            cells.p_cell(row.difference),
        ]
        for row in result.homes
    ]
    unit = ", points" if result.shares else ""
    return Table(f"Whether a model is better at home{unit}", columns, body)


def _choices(result: Fork) -> Table:
    columns = [Column("first - second", "left", key=True), Column("states"), Column("another next action")]
    columns += [Column("due to it"), Column("due to what follows")]
    body = [
        [
            f"{row.first} - {row.second}",
            str(row.states),
            cells.share(row.different),
            _change(result, row.by_choice),
            _change(result, row.by_rest),
        ]
        for row in result.choices
    ]
    unit = ", points" if result.shares else ""
    return Table(f"What of the difference is due to the next action{unit}", columns, body)


def _following(result: Fork) -> Table:
    order: Sequence[NextAction] = result.following[:MOST_NEXT]
    columns = [Column("state", "left", key=True), Column("next action", "left"), Column("value"), Column("advantage")]
    columns += [Column("taken by", "left")]
    body = [
        [
            Cell(row.state, trials_link({"moment": row.state.split(" ")[0]})),
            _cut(row.action),
            _value(result, row.value),
            "" if row.advantage is None else _signed(result, row.advantage),
            row.models,
        ]
        for row in order
    ]
    return Table(f"What came of next actions{_of(len(order), len(result.following))}", columns, body)


def _shown(row: Drop) -> bool:
    return row.p_adjusted is not None and row.p_adjusted < 0.05


def _recorded(result: Fork, row: Value) -> str:
    if row.recorded_score is not None:
        return _value(result, row.recorded_score)
    return "" if row.recorded_passed is None else "passed" if row.recorded_passed else "failed"


def _difference(result: Fork, value: Difference) -> str:
    return cells.difference_points(value) if result.shares else cells.difference_amount(value)


def _estimate(result: Fork, value: Estimate) -> str:
    return cells.score(value) if result.shares else cells.mean_interval(value)


def _change(result: Fork, value: Estimate) -> str:
    if value.estimate is None:
        return cells.NONE
    return _bounded(result, value.estimate, value.low, value.high)


def _bounded(result: Fork, value: float, low: float | None, high: float | None) -> str:
    head = _signed(result, value)
    if low is None or high is None:
        return head
    return f"{head} ({_number(result, low)} to {_number(result, high)})"


def _signed(result: Fork, value: float) -> str:
    text = _number(result, value)
    return text if text.startswith("-") or value <= 0 or float(text.replace(",", "")) == 0 else f"+{text}"


def _number(result: Fork, value: float) -> str:
    return points(value, 0) if result.shares else amount(value)


def _value(result: Fork, value: float) -> str:
    return f"{value:.2f}" if result.shares else amount(value)


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."


def _of(shown: int, count: int) -> str:
    return "" if shown >= count else f" (the first {shown} of {count}; all with --json)"


def state_label(row: Advantage) -> str:
    """`<trial>@<k> task`, as plots name it."""
    return f"{row.state} {row.task}"
