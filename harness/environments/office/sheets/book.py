"""Cells of a spreadsheet, and how people write them: places, regions, numbers, words and formulas."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import NamedTuple

Scalar = float | str | bool | None
"""What a cell comes to; None is an empty cell. An error such as `#DIV/0!` is its name as text."""
MAX_ROW, MAX_COLUMN = 10_000, 702
"""The last row, and the column ZZ."""
MAX_CELLS = 10_000
"""Filled cells in one spreadsheet."""
MAX_TEXT = 2_000
"""Characters in one cell."""

_PLACE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,6})")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")


class BadFormulaError(ValueError):
    """A formula that cannot be read; the message says where."""


class Place(NamedTuple):
    """A cell of a sheet; rows and columns count from 1."""

    row: int
    column: int

    def __str__(self) -> str:
        letters, left = "", self.column
        while left:
            left, letter = divmod(left - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{letters}{self.row}"


@dataclass(frozen=True)
class Region:
    """A rectangle of cells, both corners included."""

    first: Place
    last: Place

    @property
    def size(self) -> int:
        """How many cells it covers, filled or not."""
        return (self.last.row - self.first.row + 1) * (self.last.column - self.first.column + 1)

    def holds(self, place: Place) -> bool:
        """Whether a cell lies in it."""
        inside = self.first.row <= place.row <= self.last.row
        return inside and self.first.column <= place.column <= self.last.column

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}:{self.last}"


@dataclass(frozen=True)
class Cell:
    """What was written into a cell."""

    value: Scalar
    formula: str | None = None
    """With its `=`; then `value` is what it comes to."""


@dataclass
class Book:
    """A spreadsheet: sheets by name, in order, each with its filled cells."""

    sheets: dict[str, dict[Place, Cell]] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        """How many cells are filled."""
        return sum(len(sheet) for sheet in self.sheets.values())


def read_cell(text: str) -> Place:
    """Read `B4` or `$B$4`. Raises `ValueError` in plain words."""
    found = _PLACE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"'{text[:40]}' is no cell; write one such as B4")
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    row = int(found[2])
    if not (1 <= row <= MAX_ROW and column <= MAX_COLUMN):
        raise ValueError(f"'{text[:40]}' is beyond the sheet; the last cell is {Place(MAX_ROW, MAX_COLUMN)}")
    return Place(row, column)


def read_region(text: str) -> Region:
    """Read `B4` or `A1:C9`, the corners in any order. Raises `ValueError` in plain words."""
    first, colon, last = text.partition(":")
    one = read_cell(first)
    other = read_cell(last) if colon else one
    return Region(
        Place(min(one.row, other.row), min(one.column, other.column)),
        Place(max(one.row, other.row), max(one.column, other.column)),
    )


def written(entry: Scalar) -> Cell | None:
    """What a cell holds when `entry` is put into it, formulas not yet worked out; None where it is emptied.

    A text that starts with `=` is a formula and one that is a number becomes a number, unless a `'` stands before it.
    Raises `ValueError` in plain words.
    """
    if isinstance(entry, bool) or entry is None:
        return None if entry is None else Cell(entry)
    if isinstance(entry, int | float):
        if abs(entry) > 1e300 or not math.isfinite(entry):
            raise ValueError(f"{str(entry)[:30]} is too large a number for a cell")
        return Cell(float(entry))
    text = entry.strip()
    if len(text) > MAX_TEXT:
        raise ValueError(f"a cell holds {MAX_TEXT} characters at most, this has {len(text)}")
    if not text:
        return None
    if _CONTROL.search(text):
        raise ValueError("a cell holds no control characters")
    if text.startswith("="):
        return Cell(None, text)
    if text.startswith("'"):
        return Cell(text[1:])
    if text.upper() in ("TRUE", "FALSE"):
        return Cell(text.upper() == "TRUE")
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return Cell(float(text))
    return Cell(text)


def shown(value: Scalar) -> str:
    """A value as a sheet shows it: whole numbers without a point, others with 15 digits at most."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    return value
