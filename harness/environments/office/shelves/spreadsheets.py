"""The desk `spreadsheets`: sheets of cells, which formulas keep in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.sheets import (
    MAX_CELLS,
    BadFormulaError,
    Book,
    Place,
    TooMuchError,
    computed,
    read_cell,
    read_region,
    written,
)
from harness.environments.office.sheets.book import MAX_COLUMN, MAX_ROW, shown
from harness.environments.office.sheets.text import sheet_text
from harness.environments.office.shelves.files import office_path
from harness.environments.office.shelves.workbooks import load, store
from harness.environments.sqlite import table_text

T = TypeVar("T")
_MOST = 50
"""Spreadsheets, and sheets of one."""


def list_spreadsheets(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """All spreadsheets with their sheets."""
    rows = desk.ask(
        "SELECT book, sheet, (SELECT count(*) FROM cells WHERE cells.book = s.book AND cells.sheet = s.sheet) "
        "FROM sheets AS s ORDER BY book, position"
    )
    if not rows:
        return Answer("There are no spreadsheets.", {"rows": 0})
    text, count = table_text(("spreadsheet", "sheet", "filled cells"), rows, False, desk.characters)
    return Answer(text, {"rows": count})


def read_cells(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """The cells of a region, or all of a sheet, as values or as formulas."""
    book, sheet = _sheet(desk, arguments)
    wanted = str(arguments.get("range") or "").strip()
    region = _complaining(read_region, wanted) if wanted else None
    formulas = bool(arguments.get("formulas", False))
    text, rows = sheet_text(book.sheets[sheet], region, desk.characters, formulas=formulas)
    return Answer(text, {"rows": rows})


def set_cell(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Write into one cell; all formulas are worked out anew."""
    book, sheet = _sheet(desk, arguments)
    place = _complaining(read_cell, str(arguments["cell"]))
    _write(desk, _path(arguments), book, sheet, {place: str(arguments["value"])})
    return Answer(_now(desk, _path(arguments), sheet, place), {})


def set_rows(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Write rows of cells, from one cell to the right and down."""
    book, sheet = _sheet(desk, arguments)
    first = _complaining(read_cell, str(arguments["cell"]))
    entries = {
        Place(first.row + r, first.column + c): str(entry)
        for r, row in enumerate(arguments["rows"])
        for c, entry in enumerate(row)
    }
    if not entries:
        raise ComplaintError("There is nothing to write in this.")
    last = Place(max(place.row for place in entries), max(place.column for place in entries))
    if last.row > MAX_ROW or last.column > MAX_COLUMN:
        raise ComplaintError(f"This goes beyond the sheet; the last cell is {Place(MAX_ROW, MAX_COLUMN)}.")
    _write(desk, _path(arguments), book, sheet, entries)
    return Answer(f"Wrote {first}:{last} of {sheet} in {_path(arguments)}.", {"cells": len(entries)})


def create_spreadsheet(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Begin a spreadsheet, or add a sheet to one."""
    path, sheet = _path(arguments), str(arguments.get("sheet") or "Sheet1").strip()
    if not sheet.isprintable() or not 1 <= len(sheet) <= 31 or set(sheet) & set("[]:*?/\\'!"):
        raise ComplaintError(f"'{sheet[:40]}' is no name of a sheet: 31 characters at most, none of []:*?/\\'!")
    book = load(desk.database, path) or Book()
    if sheet.lower() in [name.lower() for name in book.sheets]:
        raise ComplaintError(f"{path} has a sheet '{sheet}' already.")
    if len(book.sheets) >= _MOST:
        raise ComplaintError(f"{path} has too many sheets; {_MOST} is the most.")
    added = bool(book.sheets)
    book.sheets[sheet] = {}
    keep_book(desk, path, book)
    return Answer(f"Added the sheet {sheet} to {path}." if added else f"Began {path} with the sheet {sheet}.", {})


def keep_book(desk: Desk, path: str, book: Book) -> None:
    """Put a spreadsheet into the office, in place of one of the same path. Raises `ComplaintError`."""
    there = {str(name) for (name,) in desk.ask("SELECT DISTINCT book FROM sheets")}
    if len(there) >= _MOST and path not in there:
        raise ComplaintError(f"There are too many spreadsheets; {_MOST} is the most.")
    if book.cells > MAX_CELLS:
        raise ComplaintError(f"A spreadsheet has {MAX_CELLS} filled cells at most; this would have {book.cells}.")
    try:
        store(desk.database, path, computed(book))
    except (BadFormulaError, TooMuchError) as error:
        raise ComplaintError(f"{error}.") from None


def _write(desk: Desk, path: str, book: Book, sheet: str, entries: Mapping[Place, str]) -> None:
    for place, entry in entries.items():
        try:
            cell = written(entry)
        except ValueError as error:
            raise ComplaintError(f"{place}: {error}.") from None
        if cell is None:
            book.sheets[sheet].pop(place, None)
        else:
            book.sheets[sheet][place] = cell
    keep_book(desk, path, book)


def _now(desk: Desk, path: str, sheet: str, place: Place) -> str:
    book = load(desk.database, path)
    cell = book.sheets[sheet].get(place) if book else None
    if cell is None:
        return f"{place} of {sheet} in {path} is empty now."
    of = f" (from {cell.formula})" if cell.formula else ""
    return f"{place} of {sheet} in {path} is now {shown(cell.value)}{of}."


def _path(arguments: Mapping[str, Any]) -> str:
    return office_path(arguments["spreadsheet"])


def _sheet(desk: Desk, arguments: Mapping[str, Any]) -> tuple[Book, str]:
    """The spreadsheet, and the name of the sheet meant: the first one where none is named."""
    path = _path(arguments)
    book = load(desk.database, path)
    if book is None:
        raise ComplaintError(f"There is no spreadsheet '{path}'; list_spreadsheets shows what there is.")
    wanted = str(arguments.get("sheet") or "").strip().lower()
    for name in book.sheets:
        if not wanted or name.lower() == wanted:
            return book, name
    raise ComplaintError(f"{path} has no sheet '{wanted[:40]}'; it has {', '.join(book.sheets)}.")


def _complaining(read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise ComplaintError(f"{error}.") from None
