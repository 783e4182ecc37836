"""What formulas can do: the functions an office uses, by the rules of the common spreadsheets.

Numbers are floating point, and rounding is half away from zero. In sums over a region words and truth values do not
count; a text that is a number counts where a number is wanted by itself. Comparison of words ignores case.
"""

from __future__ import annotations

import contextlib
import math
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import ClassVar

from harness.environments.office.sheets.book import MAX_TEXT, Place, Region, Scalar, shown


class CellError(Exception):
    """A value that cannot be had, by the name that a sheet shows."""

    NAMES: ClassVar[frozenset[str]] = frozenset(
        {"#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#CYCLE!"}
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


@dataclass(frozen=True)
class Grid:
    """The filled cells of a region."""

    region: Region
    values: Mapping[Place, Scalar]

    def cells(self) -> Iterator[Scalar]:
        """Filled cells by rows. Raises `CellError` where one of them is an error."""
        for place in sorted(self.values):
            value = self.values[place]
            if isinstance(value, str) and value in CellError.NAMES:
                raise CellError(value)
            yield value

    def at(self, row: int, column: int) -> Scalar:
        """The cell so many rows and columns from the first."""
        return self.values.get(Place(self.region.first.row + row, self.region.first.column + column))


Given = Scalar | Grid
Later = Callable[[], Given]


def single(value: Given) -> Scalar:
    """One value. Raises `CellError` for a region of several cells."""
    if isinstance(value, Grid):
        raise CellError("#VALUE!")
    return value


def number(value: Given) -> float:
    """A number, where one is wanted by itself. Raises `CellError`."""
    value = single(value)
    if value is None:
        return 0.0
    if isinstance(value, str):
        try:
            found = float(value.strip()) if re.fullmatch(r"[-+0-9.eE\s]{1,40}", value) else math.nan
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise CellError("#VALUE!")
        return found
    return float(value)


def _finite(value: float) -> float:
    if isinstance(value, complex) or not math.isfinite(value):
        raise CellError("#NUM!")
    return value


def arithmetic(name: str, parts: Sequence[Scalar]) -> float:
    """Plus, minus, times, divided by, to the power of, percent, and the sign."""
    left = number(parts[0])
    if name == "%":
        return left / 100
    if name == "sign-":
        return -left
    right = number(parts[1])
    if name in ("+", "-"):
        return _finite(left + right if name == "+" else left - right)
    if name == "*":
        return _finite(left * right)
    if name == "/":
        if right == 0:
            raise CellError("#DIV/0!")
        return _finite(left / right)
    try:
        return _finite(left**right)
    except ZeroDivisionError:
        raise CellError("#DIV/0!") from None


def joined(parts: Sequence[Scalar]) -> str:
    """Texts one after another. Raises `CellError` when they get too long for a cell."""
    text = "".join(shown(part) for part in parts)
    if len(text) > MAX_TEXT:
        raise CellError("#VALUE!")
    return text


def compared(name: str, left: Scalar, right: Scalar) -> bool:
    """Numbers before words before truth values; an empty cell is 0 or an empty word."""
    one, other = _rank(left, right), _rank(right, left)
    return {
        "=": one == other, "<>": one != other, "<": one < other,
        ">": one > other, "<=": one <= other, ">=": one >= other,
    }[name]  # fmt: skip


def _rank(value: Scalar, beside: Scalar) -> tuple[int, float, str]:
    if value is None:
        return (1, 0.0, "") if isinstance(beside, str) else (0, 0.0, "")
    if isinstance(value, bool):
        return (2, float(value), "")
    return (1, 0.0, value.lower()) if isinstance(value, str) else (0, value, "")


def _numbers(parts: Sequence[Given]) -> list[float]:
    """All numbers: those in regions, and what stands by itself as a number."""
    found: list[float] = []
    for part in parts:
        if isinstance(part, Grid):
            found += [value for value in part.cells() if isinstance(value, float) and not isinstance(value, bool)]
        elif part is not None:
            found.append(number(part))
    return found


def _some(parts: Sequence[Given], wrong: str) -> list[float]:
    found = _numbers(parts)
    if not found:
        raise CellError(wrong)
    return found


def _meets(value: Scalar, wanted: Scalar) -> bool:
    """Whether a cell meets a condition such as `5`, `">=5"` or `"oak"`."""
    name, against = "=", wanted
    if isinstance(wanted, str):
        found = re.match(r"(<=|>=|<>|<|>|=)?(.*)", wanted, re.DOTALL)
        name, against = (found[1] or "=", found[2].strip()) if found else ("=", wanted)
        with contextlib.suppress(CellError):
            against = number(against) if against else against
    if value is None or isinstance(value, bool) != isinstance(against, bool):
        return name == "<>"
    if isinstance(value, str) != isinstance(against, str):
        return name == "<>"
    return compared(name, value, against)


def _chosen(grid: Given, wanted: Given, of: Given | None) -> list[Scalar]:
    """The cells of `of` (of the region itself when None) beside those that meet a condition."""
    if not isinstance(grid, Grid) or not isinstance(of, Grid | None):
        raise CellError("#VALUE!")
    condition, other = single(wanted), of or grid
    return [
        other.at(place.row - grid.region.first.row, place.column - grid.region.first.column)
        for place, value in sorted(grid.values.items())
        if _meets(value, condition)
    ]


def _count_if(grid: Given, wanted: Given) -> float:
    return float(len(_chosen(grid, wanted, None)))


def _sum_if(grid: Given, wanted: Given, of: Given | None = None) -> float:
    return math.fsum(_only_numbers(_chosen(grid, wanted, of)))


def _average_if(grid: Given, wanted: Given, of: Given | None = None) -> float:
    found = _only_numbers(_chosen(grid, wanted, of))
    if not found:
        raise CellError("#DIV/0!")
    return math.fsum(found) / len(found)


def _only_numbers(values: Sequence[Scalar]) -> list[float]:
    if errors := [value for value in values if isinstance(value, str) and value in CellError.NAMES]:
        raise CellError(errors[0])
    return [value for value in values if isinstance(value, float)]


def _rounded(how: str) -> Callable[[Given, Given], float]:
    def rounding(value: Given, digits: Given = 0.0) -> float:
        places = int(number(digits))
        if abs(places) > 15:
            raise CellError("#NUM!")
        exact = Decimal(repr(number(value))).scaleb(places)
        return _finite(
            float(exact.quantize(Decimal(1), rounding=how).scaleb(-places)) if abs(exact) < 10**25 else number(value)
        )

    return rounding


def _modulo(value: Given, by: Given) -> float:
    divisor = number(by)
    if divisor == 0:
        raise CellError("#DIV/0!")
    return _finite(math.fmod(math.fmod(number(value), divisor) + divisor, divisor))


def _root(value: Given) -> float:
    if number(value) < 0:
        raise CellError("#NUM!")
    return math.sqrt(number(value))


def _products(*parts: Given) -> float:
    grids = [part for part in parts if isinstance(part, Grid)]
    shapes = {(g.region.last.row - g.region.first.row, g.region.last.column - g.region.first.column) for g in grids}
    if len(grids) != len(parts) or len(shapes) != 1:
        raise CellError("#VALUE!")
    first = grids[0]
    total = []
    for place in first.values:
        row, column = place.row - first.region.first.row, place.column - first.region.first.column
        values = [grid.at(row, column) for grid in grids]
        total.append(_finite(math.prod(_only_numbers(values))) if len(_only_numbers(values)) == len(values) else 0.0)
    return math.fsum(total)


def _lookup(wanted: Given, grid: Given, column: Given, near: Given = True) -> Scalar:
    """As `VLOOKUP`: the row whose first cell is `wanted`, or with `near` the last one that is not above it."""
    if not isinstance(grid, Grid):
        raise CellError("#VALUE!")
    offset, value, found = int(number(column)) - 1, single(wanted), None
    if not 0 <= offset <= grid.region.last.column - grid.region.first.column:
        raise CellError("#REF!")
    for place in sorted(place for place in grid.values if place.column == grid.region.first.column):
        here = grid.values[place]
        if _rank(here, value)[0] != _rank(value, here)[0]:
            continue
        if compared("=", here, value) or (single(near) and compared("<", here, value)):
            found = place
            if compared("=", here, value) and not single(near):
                break
        elif single(near):
            break
    if found is None:
        raise CellError("#N/A")
    return grid.at(found.row - grid.region.first.row, offset)


def _text(value: Given) -> str:
    return shown(single(value))


def _cut(value: Given, count: Given = 1.0, *, right: bool = False) -> str:
    length = int(number(count))
    if length < 0:
        raise CellError("#VALUE!")
    return _text(value)[max(0, len(_text(value)) - length) :] if right else _text(value)[:length]


def _truths(parts: Sequence[Given]) -> list[bool]:
    found = [value for part in parts for value in (part.cells() if isinstance(part, Grid) else [part])]
    return [_truth(value) for value in found if value is not None and not isinstance(value, str)]


def _truth(value: Given) -> bool:
    value = single(value)
    return bool(value) if isinstance(value, bool | None) else number(value) != 0


def _if(later: Sequence[Later]) -> Given:
    if len(later) not in (2, 3):
        raise CellError("#VALUE!")
    if _truth(later[0]()):
        return later[1]()
    return later[2]() if len(later) == 3 else False


def _if_error(later: Sequence[Later]) -> Given:
    if len(later) != 2:
        raise CellError("#VALUE!")
    try:
        return single(later[0]())
    except (CellError, OverflowError):
        return later[1]()


LAZY: Mapping[str, Callable[[Sequence[Later]], Given]] = {"IF": _if, "IFERROR": _if_error}
"""Functions that do not work out all they are given."""


def _of(function: Callable[..., Given], least: int, most: int) -> Callable[[Sequence[Given]], Given]:
    """A function of `least` to `most` values. Raises `CellError` for another number of them."""

    def called(parts: Sequence[Given]) -> Given:
        if not least <= len(parts) <= most:
            raise CellError("#VALUE!")
        return function(*parts)

    return called


FUNCTIONS: Mapping[str, Callable[[Sequence[Given]], Given]] = {
    "SUM": lambda parts: _finite(math.fsum(_numbers(parts))),
    "PRODUCT": lambda parts: _finite(math.prod(_numbers(parts))),
    "AVERAGE": lambda parts: statistics.fmean(_some(parts, "#DIV/0!")),
    "MEDIAN": lambda parts: statistics.median(_some(parts, "#NUM!")),
    "MIN": lambda parts: min(_numbers(parts), default=0.0),
    "MAX": lambda parts: max(_numbers(parts), default=0.0),
    "COUNT": lambda parts: float(len(_numbers([part for part in parts if isinstance(part, Grid | float)]))),
    "COUNTA": lambda parts: float(
        sum(len(part.values) if isinstance(part, Grid) else part is not None for part in parts)
    ),
    "COUNTIF": _of(_count_if, 2, 2),
    "SUMIF": _of(_sum_if, 2, 3),
    "AVERAGEIF": _of(_average_if, 2, 3),
    "SUMPRODUCT": _of(_products, 1, 10),
    "VLOOKUP": _of(_lookup, 3, 4),
    "ROUND": _of(_rounded(ROUND_HALF_UP), 1, 2),
    "ROUNDUP": _of(_rounded(ROUND_UP), 1, 2),
    "ROUNDDOWN": _of(_rounded(ROUND_DOWN), 1, 2),
    "ABS": _of(lambda value: abs(number(value)), 1, 1),
    "INT": _of(lambda value: float(math.floor(number(value))), 1, 1),
    "MOD": _of(_modulo, 2, 2),
    "SQRT": _of(_root, 1, 1),
    "AND": lambda parts: all(_truths(parts)),
    "OR": lambda parts: any(_truths(parts)),
    "NOT": _of(lambda value: not _truth(value), 1, 1),
    "CONCATENATE": lambda parts: joined([single(part) for part in parts]),
    "CONCAT": lambda parts: joined(
        [value for part in parts for value in (part.cells() if isinstance(part, Grid) else [part])]
    ),
    "LEN": _of(lambda value: float(len(_text(value))), 1, 1),
    "LEFT": _of(_cut, 1, 2),
    "RIGHT": _of(lambda value, count=1.0: _cut(value, count, right=True), 1, 2),
    "UPPER": _of(lambda value: _text(value).upper(), 1, 1),
    "LOWER": _of(lambda value: _text(value).lower(), 1, 1),
    "TRIM": _of(lambda value: " ".join(_text(value).split()), 1, 1),
}
