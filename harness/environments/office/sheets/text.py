"""Sheets as text: letters of the columns on top, numbers of the rows in front, never longer than a model can read."""

from __future__ import annotations

from collections.abc import Mapping

from harness.environments.office.sheets.book import Cell, Place, Region, shown
from harness.environments.sqlite import table_text

MAX_SHOWN = 2_000
"""Cells of one showing."""


def sheet_text(
    cells: Mapping[Place, Cell], region: Region | None, characters: int, *, formulas: bool
) -> tuple[str, int]:  # fmt: skip
    """The cells of a region (of all that is filled when None) in rows, and how many rows there are in the text."""
    if region is None:
        if not cells:
            return "The sheet is empty.", 0
        last = Place(max(place.row for place in cells), max(place.column for place in cells))
        region = Region(Place(1, 1), last)
    columns = range(region.first.column, min(region.last.column, region.first.column + 199) + 1)
    filled = [place.row for place in cells if region.holds(place)]
    last_row = min(region.last.row, max(filled, default=region.first.row))
    rows = range(region.first.row, min(last_row, region.first.row + MAX_SHOWN // len(columns)) + 1)
    lines = [(row, *(_text(cells.get(Place(row, column)), formulas) for column in columns)) for row in rows]
    head = ("", *(str(Place(1, column))[:-1] for column in columns))
    return table_text(head, lines, rows.stop <= last_row, characters)


def _text(cell: Cell | None, formulas: bool) -> str:
    if cell is None:
        return ""
    return cell.formula if formulas and cell.formula is not None else shown(cell.value)
