"""Spreadsheets as real files: .xlsx through openpyxl, .csv through the standard library.

The bytes of a file that is written depend on the cells alone, so that two trials that did the same hold the same.
A file that is read comes from outside: it is bounded before it is unpacked, and only cells are taken from it.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.environments.office.sheets.book import (
    MAX_CELLS,
    MAX_COLUMN,
    MAX_ROW,
    Book,
    Cell,
    Place,
    Scalar,
    shown,
    written,
)

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

MAX_UNPACKED = 20_000_000
"""Bytes of an .xlsx file once unpacked."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")


class ExchangeError(ValueError):
    """A file that is no spreadsheet, or too large a one."""


def from_rows(rows: Sequence[Sequence[Scalar]]) -> dict[Place, Cell]:
    """The filled cells of a sheet given as rows. Raises `ValueError`."""
    if len(rows) > MAX_ROW or any(len(row) > MAX_COLUMN for row in rows):
        raise ExchangeError(f"a sheet has {MAX_ROW} rows of {MAX_COLUMN} cells at most")
    found = {
        Place(r, c): cell
        for r, row in enumerate(rows, 1)
        for c, entry in enumerate(row, 1)
        if (cell := written(entry)) is not None
    }
    if len(found) > MAX_CELLS:
        raise ExchangeError(f"a spreadsheet has {MAX_CELLS} filled cells at most")
    return found


def from_csv(text: str, sheet: str = "Sheet1") -> Book:
    """A sheet of comma-separated text; a `=` in it starts a formula as in a cell. Raises `ValueError`."""
    try:
        return Book({sheet: from_rows(list(csv.reader(io.StringIO(text))))})
    except csv.Error as error:
        raise ExchangeError(f"this is no comma-separated text: {error}") from None


def as_csv(cells: dict[Place, Cell]) -> str:
    """The values of a sheet as comma-separated text."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    columns = max((place.column for place in cells), default=0)
    for row in range(1, max((place.row for place in cells), default=0) + 1):
        values = (cells.get(Place(row, column)) for column in range(1, columns + 1))
        writer.writerow([shown(cell.value) if cell else "" for cell in values])
    return lines.getvalue()


@lru_cache(maxsize=16)
def _read(data: bytes) -> Book:
    """Every trial of a task opens the same files."""
    return _from_xlsx(data)


def from_xlsx(data: bytes) -> Book:
    """The sheets of an .xlsx file, with formulas as they are written. Raises `ExchangeError`."""
    return Book({name: dict(cells) for name, cells in _read(data).sheets.items()})


def _from_xlsx(data: bytes) -> Book:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED:
                raise ExchangeError("this .xlsx file is too large")
        workbook = load_workbook(io.BytesIO(data), read_only=False, keep_links=False)
    except ExchangeError:
        raise
    except Exception as error:  # noqa: BLE001 - a file from outside: openpyxl raises whatever its parts raise over a broken one
        raise ExchangeError(f"this is no .xlsx file: {type(error).__name__}") from None
    book = Book({sheet.title: _cells(sheet) for sheet in workbook.worksheets})
    if book.cells > MAX_CELLS:
        raise ExchangeError(f"a spreadsheet has {MAX_CELLS} filled cells at most")
    return book


def _cells(sheet: Worksheet) -> dict[Place, Cell]:
    found: dict[Place, Cell] = {}
    if (sheet.max_row or 0) > MAX_ROW or (sheet.max_column or 0) > MAX_COLUMN:
        raise ExchangeError(f"a sheet has {MAX_ROW} rows of {MAX_COLUMN} cells at most")
    for row in sheet.iter_rows():
        for entry in row:
            try:
                cell = _cell(entry.value, formula=entry.data_type == "f")
            except ValueError as error:
                raise ExchangeError(f"cell {entry.coordinate}: {error}") from None
            if cell is not None:
                found[Place(entry.row, entry.column)] = cell
    return found


def _cell(value: object, *, formula: bool) -> Cell | None:
    if isinstance(value, datetime):
        return Cell(value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M"))
    if isinstance(value, date | time | timedelta):
        return Cell(str(value))
    if isinstance(value, str) and not formula:
        return written("'" + value.strip()) if value.strip() else None  # the file says that it is a text
    return written(value if isinstance(value, str | int | float | bool | None) else str(value))


def as_xlsx(book: Book) -> bytes:
    """An .xlsx file of the spreadsheet, formulas as formulas; the same cells give the same bytes."""
    from openpyxl import Workbook

    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, cells in book.sheets.items():
        sheet = workbook.create_sheet(name)
        for place, cell in sorted(cells.items()):
            target = sheet.cell(place.row, place.column)
            target.value = cell.formula or (int(cell.value) if _whole(cell.value) else cell.value)  # type: ignore[arg-type]
            if cell.formula is None and isinstance(cell.value, str):
                target.data_type = "s"  # a text that starts with = stays a text
    made = io.BytesIO()
    workbook.save(made)
    return _undated(made.getvalue())


def _whole(value: Scalar) -> bool:
    return isinstance(value, float) and value.is_integer() and abs(value) < 1e15


def _undated(data: bytes) -> bytes:
    """The same archive without the moment at which it was made."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>1980-01-01T00:00:00Z\g<3>", content)
            plain = zipfile.ZipInfo(entry.filename, _EPOCH)
            plain.compress_type = zipfile.ZIP_DEFLATED
            after.writestr(plain, content)
    return result.getvalue()
