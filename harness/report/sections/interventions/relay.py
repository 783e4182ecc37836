"""Relays to be read: the terms, who went on from whom, the course of each pair, and the control."""

from __future__ import annotations

from harness.compare.interventions.relay import Relay
from harness.compare.statistics import Difference, Estimate
from harness.report import cells
from harness.report.links import trials_link
from harness.report.table import Cell, Column, Table


def tables(result: Relay) -> list[Table]:
    """The terms first; nothing where there is nothing to say."""
    if result.too_few is not None:
        return []
    made = [_effects(result), _courses(result), _cells(result), _course(result), _shams(result)]
    return [table for table in made if table.rows]


def _effects(result: Relay) -> Table:
    unit = ", points" if result.shares else ""
    known = [row for row in result.effects if row.difference.estimate is not None]
    columns = [
        Column("first, second", "left", key=True), Column("term", "left", key=True), Column("tasks"),
        Column(f"difference{unit}"), Column("p"), Column("would show"),
    ]  # fmt: skip
    body = [
        [
            f"{row.first}, {row.second}",
            row.term,
            str(row.difference.clusters),
            _difference(row.difference, result),
            cells.p_cell(row.difference),
            cells.detectable(row.difference) if result.shares else "",
        ]
        for row in known
    ]
    strong = frozenset(n for n, row in enumerate(known) if row.difference.shown)
    return Table("Who sets up, who finishes, and whether one's own course matters", columns, body, strong)


def _courses(result: Relay) -> Table:
    unit = ", points" if result.shares else ""
    columns = [Column("goes on", "left", key=True), Column("from its own course, less from that of", "left", key=True),
               Column("tasks"), Column(f"difference{unit}")]  # fmt: skip
    body = [
        [row.model, row.other, str(row.difference.clusters), _difference(row.difference, result)]
        for row in result.courses
        if row.difference.estimate is not None
    ]
    return Table("What one's own course is worth to each", columns, body)


def _cells(result: Relay) -> Table:
    columns = [Column("began \\ went on", "left", key=True), *(Column(model) for model in result.models)]
    known = {(row.prefix, row.suffix): row for row in result.cells}
    body: list[list[str | Cell]] = []
    for prefix in result.models:
        line: list[str | Cell] = [prefix]
        for suffix in result.models:
            row = known.get((prefix, suffix))
            link = trials_link({"prefix": prefix, "model": suffix})
            line.append(cells.NONE if row is None else Cell(f"{_value(row.value, result)} n {row.trials}", link))
        if any((prefix, suffix) in known for suffix in result.models):
            body.append(line)
    return Table("Outcomes between the ends, by who began and who went on", columns, body)


def _course(result: Relay) -> Table:
    shares = sorted({row.at for row in result.points})
    columns = [Column("began, went on", "left", key=True), *(Column(f"from {100 * at:g}%") for at in shares)]
    known = {(row.prefix, row.suffix, row.at): row for row in result.points}
    body = []
    for prefix in result.models:
        for suffix in result.models:
            rows = [known.get((prefix, suffix, at)) for at in shares]
            if any(row is not None for row in rows):
                told = [cells.NONE if row is None else _value(row.value, result) for row in rows]
                body.append([f"{prefix}, {suffix}", *told])
    return Table("The course: outcomes by how much of the trial was kept (0%: the second alone, 100%: the first)",
                 columns, body)  # fmt: skip


def _shams(result: Relay) -> Table:
    unit = ", points" if result.shares else ""
    columns = [Column("model", "left", key=True), Column("against itself", "left"), Column("tasks"),
               Column(f"swapped less undisturbed{unit}"), Column("p")]  # fmt: skip
    body = [
        [row.model, row.against, str(row.difference.clusters), _difference(row.difference, result),
         cells.p_cell(row.difference)]
        for row in result.shams
    ]  # fmt: skip
    strong = frozenset(n for n, row in enumerate(result.shams) if row.difference.shown)
    return Table("The control: a model swapped for itself", columns, body, strong)


def _difference(value: Difference, result: Relay) -> str:
    return cells.difference_points(value) if result.shares else cells.difference_amount(value)


def _value(value: Estimate, result: Relay) -> str:
    return cells.score(value) if result.shares else cells.mean_interval(value)
