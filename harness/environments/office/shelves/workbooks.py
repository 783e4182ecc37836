"""Spreadsheets in the tables of an office: written whole, worked out, read back."""

from __future__ import annotations

from typing import cast

from harness.environments.office.sheets import Book, Cell, Place, Scalar
from harness.environments.office.sheets.book import shown
from harness.environments.sqlite import Database

_TRUTH = {"TRUE": True, "FALSE": False}


def store(database: Database, path: str, book: Book) -> None:
    """Put a spreadsheet, formulas worked out, into the tables, in place of what was there."""
    database.query("DELETE FROM sheets WHERE book = ?", (path,))
    database.query("DELETE FROM cells WHERE book = ?", (path,))
    for position, (name, cells) in enumerate(book.sheets.items(), 1):
        database.query("INSERT INTO sheets VALUES (?, ?, ?)", (path, name, position))
        for place, cell in cells.items():
            values = (path, name, str(place), place.row, place.column, cell.formula, _plain(cell))
            database.query("INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _plain(cell: Cell) -> object:
    """A value as SQLite keeps it; whole numbers as such, so that checks can compare them."""
    if isinstance(cell.value, bool):
        return shown(cell.value)
    if isinstance(cell.value, float) and cell.value.is_integer() and abs(cell.value) < 2**53:
        return int(cell.value)
    return cell.value


def load(database: Database, path: str) -> Book | None:
    """The spreadsheet of a path; None when there is none."""
    sheets = [str(name) for (name,) in database.query(
        "SELECT sheet FROM sheets WHERE book = ? ORDER BY position", (path,)
    )]  # fmt: skip
    if not sheets:
        return None
    book = Book({name: {} for name in sheets})
    rows = database.query("SELECT sheet, row, col, formula, value FROM cells WHERE book = ?", (path,))
    for sheet, row, column, formula, value in rows:
        kept = float(value) if isinstance(value, int) else _TRUTH.get(str(value), value)
        place = Place(int(str(row)), int(str(column)))
        book.sheets[str(sheet)][place] = Cell(cast(Scalar, kept), None if formula is None else str(formula))
    return book
