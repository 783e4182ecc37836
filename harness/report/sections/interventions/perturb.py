"""Surfaces as tables: what each changes in behaviour and score, for which model more, and beside another task."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.interventions.perturb import Change, Moved, Perturb, Use
from harness.compare.interventions.perturb.rows import ACTIONS, EVERY, SEQUENCE, WHATS, Yardstick
from harness.compare.sentences import amount
from harness.report import cells
from harness.report.cells import NONE
from harness.report.links import trials_link
from harness.report.table import Cell, Column, Table

MOST_ROWS = 40
MOST_PAIRS = 25


def tables(result: Perturb) -> list[Table]:
    """One table each for behaviour, scores, models against each other, surface beside substance, and uses."""
    if result.too_few is not None:
        return []
    made = [*_changes(result), *_scores(result), *_interactions(result), *_yardsticks(result)]
    return [*made, *_uses(result.uses)]


def _changes(result: Perturb) -> list[Table]:
    by_place: dict[tuple[str, str], dict[str, Change]] = {}
    for row in result.changes:
        by_place.setdefault((row.model, row.surface), {})[row.what] = row
    if not by_place:
        return []
    columns = [
        Column("model", "left", key=True), Column("surface", "left", key=True), Column("sequence: change"),
        Column("p"), Column("would show"), Column("apart"), Column("own noise"), Column("actions: change"),
        Column("p of that"), Column("pairs"), Column("tasks"),
    ]  # fmt: skip
    rows: list[list[str]] = []
    strong: set[int] = set()
    for (model, surface), found in _kept(list(by_place.items()), MOST_ROWS):
        order, share = found.get(SEQUENCE), found.get(ACTIONS)
        first = order or share
        assert first is not None  # noqa: S101 - every entry has one
        if any(row.change.shown for row in found.values()):
            strong.add(len(rows))
        rows.append(
            [
                model, surface, NONE if order is None else cells.difference_amount(order.change),
                NONE if order is None else cells.p_cell(order.change),
                NONE if order is None or order.change.detectable is None else amount(order.change.detectable),
                NONE if order is None else cells.mean(order.apart), NONE if order is None else cells.mean(order.floor),
                NONE if share is None else cells.difference_amount(share.change),
                NONE if share is None else cells.p_cell(share.change),
                Cell(str(first.pairs), trials_link({"model": model, "surface": surface})), str(first.change.clusters),
            ]
        )  # fmt: skip
    title = "Change of behaviour beyond the model's own noise, 95% intervals" + _of(len(rows), len(by_place))
    return [Table(title, columns, rows, frozenset(strong))]


def _scores(result: Perturb) -> list[Table]:
    if not result.scores:
        return []
    columns = [
        Column("model", "left", key=True), Column("surface", "left", key=True), Column("plain"), Column("change"),
        Column("p"), Column("would show"), Column("tasks"),
    ]  # fmt: skip
    kept = result.scores[:MOST_ROWS]
    rows = [
        [
            row.model, row.surface, cells.share(row.plain) if result.shares else amount(row.plain),
            cells.difference_points(row.change) if result.shares else cells.difference_amount(row.change),
            cells.p_cell(row.change),
            cells.detectable(row.change) if result.shares else amount(row.change.detectable), str(row.change.clusters),
        ]
        for row in kept
    ]  # fmt: skip
    strong = frozenset(number for number, row in enumerate(kept) if row.change.shown)
    unit = ", points" if result.shares else ""
    return [Table(f"Change of the score{unit}" + _of(len(rows), len(result.scores)), columns, rows, strong)]


def _interactions(result: Perturb) -> list[Table]:
    if not result.interactions:
        return []
    clearest = sorted(result.interactions, key=lambda row: 1.0 if row.difference.p is None else row.difference.p)
    kept = clearest[:MOST_PAIRS]
    columns = [
        Column("first", "left", key=True), Column("second", "left", key=True), Column("surface", "left", key=True),
        Column("of", "left"), Column("first moved more by"), Column("p"), Column("tasks"),
    ]  # fmt: skip
    rows = [[row.first, row.second, row.surface, row.what, _size(row, result.shares), cells.p_cell(row.difference),
             str(row.difference.clusters)] for row in kept]  # fmt: skip
    strong = frozenset(number for number, row in enumerate(kept) if row.difference.shown)
    title = "Whether a surface moves one model more than another, the clearest first"
    return [Table(title + _of(len(rows), len(clearest)), columns, rows, strong)]


def _size(row: Moved, shares: bool) -> str:
    if row.what == "score" and shares:
        return f"{cells.difference_points(row.difference)} points"
    return cells.difference_amount(row.difference)


def _yardsticks(result: Perturb) -> list[Table]:
    several = any(row.surface == EVERY for row in result.yardsticks)
    chosen = [row for what in WHATS for row in result.yardsticks if row.what == what]
    kept = [row for row in chosen if row.surface == EVERY or not several or row.what == SEQUENCE][:MOST_ROWS]
    if not kept:
        return []
    columns = [
        Column("model", "left", key=True), Column("surface", "left", key=True), Column("of", "left"),
        Column("surface over task"), Column("change by surface"), Column("change by task"), Column("tasks"),
    ]  # fmt: skip
    rows = [
        [row.model, row.surface, row.what, _ratio(row), _known(row.surface_change), _known(row.task_change),
         str(row.clusters)]
        for row in kept
    ]  # fmt: skip
    return [Table("Surface beside substance: another surface over another task", columns, rows)]


def _ratio(row: Yardstick) -> str:
    if row.ratio is None:
        return f"unknown ({row.unknown})"
    if row.low is None or row.high is None:
        return f"{100 * row.ratio:.0f}%"
    return f"{100 * row.ratio:.0f}% ({100 * row.low:.0f} to {100 * row.high:.0f})"


def _known(value: float | None) -> str:
    return NONE if value is None else amount(value)


def _uses(found: Sequence[Use]) -> list[Table]:
    if not found:
        return []
    columns = [
        Column("what", "left", key=True), Column("model", "left", key=True), Column("surface", "left"),
        Column("trials in which"), Column("calls"), Column("trials"),
    ]  # fmt: skip
    rows = [[row.what, row.model, row.surface, cells.rate(row.share), str(row.calls), str(row.trials)] for row in found]
    return [Table("The distractor used; renamed tools called by their old names", columns, rows)]


def _kept(
    found: Sequence[tuple[tuple[str, str], dict[str, Change]]], most: int
) -> Sequence[tuple[tuple[str, str], dict[str, Change]]]:
    """All where there are few; else the clearest, in their order."""
    if len(found) <= most:
        return found
    clearest = sorted(found, key=lambda item: min(row.change.p or 1.0 for row in item[1].values()))[:most]
    names = {place for place, _ in clearest}
    return [item for item in found if item[0] in names]


def _of(shown: int, every: int) -> str:
    return f" ({shown} of {every}; --json has all)" if shown < every else ""
