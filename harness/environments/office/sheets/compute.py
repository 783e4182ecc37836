"""What the formulas of a spreadsheet come to, in the order in which they need one another.

Cells that need themselves come to `#CYCLE!`. The work is metered: a spreadsheet that would take too long is refused,
and no formula can make text or numbers without bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from harness.environments.office.sheets.book import Book, Cell, Place, Region, Scalar
from harness.environments.office.sheets.formula import Applied, Cells, Constant, Node, parse, regions
from harness.environments.office.sheets.functions import (
    FUNCTIONS,
    LAZY,
    CellError,
    Grid,
    arithmetic,
    compared,
    joined,
    single,
)

MAX_WORK = 400_000
"""Cells looked at and steps taken for one working-out; about a second."""
_Key = tuple[str, Place]


class TooMuchError(ValueError):
    """A spreadsheet that would take too long to work out."""


def computed(book: Book) -> Book:
    """The same spreadsheet with all formulas worked out. Raises `BadFormulaError` and `TooMuchError`."""
    return _Workings(book).done()


@dataclass
class _Meter:
    left: int = MAX_WORK

    def count(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise TooMuchError("this spreadsheet takes too long to work out; use smaller ranges or fewer formulas")


class _Workings:
    """The working-out of one spreadsheet."""

    def __init__(self, book: Book) -> None:
        self.meter = _Meter()
        self.sheets = {name.lower(): name for name in book.sheets}
        self.values: dict[_Key, Scalar] = {}
        self.formulas: dict[_Key, tuple[str, Node]] = {}
        for name, cells in book.sheets.items():
            for place, cell in sorted(cells.items()):
                if cell.formula is None:
                    self.values[name, place] = cell.value
                else:
                    self.meter.count(len(cell.formula))
                    self.formulas[name, place] = (cell.formula, parse(cell.formula))
        self.filled = {name: sorted(cells) for name, cells in book.sheets.items()}

    def done(self) -> Book:
        for key in self._order():
            self.values[key] = self._value_of(key)
        for key in self.formulas:
            self.values.setdefault(key, "#CYCLE!")
        return Book(
            {
                name: {place: Cell(self.values[name, place], self._written(name, place)) for place in places}
                for name, places in self.filled.items()
            }
        )

    def _written(self, sheet: str, place: Place) -> str | None:
        return self.formulas[sheet, place][0] if (sheet, place) in self.formulas else None

    def _order(self) -> Iterator[_Key]:
        """Formulas, each after those it needs; those in a circle, and those that need one of them, never come."""
        needed_by: dict[_Key, list[_Key]] = {}
        waits: dict[_Key, int] = dict.fromkeys(self.formulas, 0)
        for key, (_, node) in self.formulas.items():
            for cells in regions(node):
                sheet = self._sheet(cells, key[0])
                for place in self._within(sheet, cells.region):
                    if (sheet, place) in self.formulas:
                        needed_by.setdefault((sheet, place), []).append(key)
                        waits[key] += 1
        ready = [key for key, count in waits.items() if count == 0]
        while ready:
            key = ready.pop()
            yield key
            for other in needed_by.get(key, ()):
                waits[other] -= 1
                if waits[other] == 0:
                    ready.append(other)

    def _sheet(self, cells: Cells, own: str) -> str:
        """The sheet's name as it is written in the book; one that is not there as it is."""
        return own if cells.sheet is None else self.sheets.get(cells.sheet.lower(), cells.sheet)

    def _within(self, sheet: str, region: Region) -> Iterator[Place]:
        """The filled cells of a region."""
        places = self.filled.get(sheet, [])
        self.meter.count(min(len(places), region.size) + 1)
        if region.size < len(places):
            for row in range(region.first.row, region.last.row + 1):
                for column in range(region.first.column, region.last.column + 1):
                    if (sheet, Place(row, column)) in self.formulas or (sheet, Place(row, column)) in self.values:
                        yield Place(row, column)
        else:
            yield from (place for place in places if region.holds(place))

    def _value_of(self, key: _Key) -> Scalar:
        try:
            value = self._worked_out(self.formulas[key][1], key[0])
            return 0.0 if (found := single(value)) is None else found
        except CellError as error:
            return error.name
        except OverflowError:
            return "#NUM!"

    def _worked_out(self, node: Node, own: str) -> Scalar | Grid:
        self.meter.count(1)
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Cells):
            return self._grid(node, own)
        later: list[Callable[[], Scalar | Grid]] = [partial(self._worked_out, part, own) for part in node.parts]
        if node.name in LAZY:
            return LAZY[node.name](later)
        return _applied(node, [part() for part in later])

    def _grid(self, cells: Cells, own: str) -> Scalar | Grid:
        sheet, region = self._sheet(cells, own), cells.region
        if sheet not in self.filled:
            raise CellError("#REF!")
        found = {place: self.values.get((sheet, place)) for place in self._within(sheet, region)}
        if region.first == region.last:
            return _sound(found.get(region.first))
        return Grid(region, found)


def _sound(value: Scalar) -> Scalar:
    if isinstance(value, str) and value in CellError.NAMES:
        raise CellError(value)
    return value


def _applied(node: Applied, parts: list[Scalar | Grid]) -> Scalar | Grid:
    name = node.name
    if name in FUNCTIONS:
        return FUNCTIONS[name](parts)
    if name in ("=", "<>", "<", ">", "<=", ">="):
        return compared(name, single(parts[0]), single(parts[1]))
    if name == "&":
        return joined([single(part) for part in parts])
    if name in ("+", "-", "*", "/", "^", "%", "sign-"):
        return arithmetic(name, [single(part) for part in parts])
    raise CellError("#NAME?")
