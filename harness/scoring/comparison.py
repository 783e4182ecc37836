"""Compares the rows of a query with what a check expects."""

from __future__ import annotations

import math
from typing import Any

from pydantic import JsonValue

RELATIVE_TOLERANCE = 1e-9
"""Two numbers this near are equal: sums of floats differ in their last digits."""

Rows = list[list[JsonValue]]


def expected_rows(equals: JsonValue) -> Rows:
    """What a check expects as rows: a scalar is one value, a list of scalars one column, a list of lists the rows.

    Raises `ValueError` for anything else.
    """
    if isinstance(equals, dict):
        raise ValueError("`equals` is a mapping; write a scalar, a list, or a list of rows")
    if not isinstance(equals, list):
        return [[equals]]
    rows = [item for item in equals if isinstance(item, list)]
    if rows and len(rows) != len(equals):
        raise ValueError("`equals` mixes rows and single values")
    return rows if rows else [[item] for item in equals]


def rows_equal(found: Rows, expected: Rows, *, ordered: bool) -> bool:
    """Whether the rows are the same; numbers within `RELATIVE_TOLERANCE`, NULL equal to NULL only, 1 not to "1"."""
    if len(found) != len(expected):
        return False
    if not ordered:
        found, expected = sorted(found, key=_order), sorted(expected, key=_order)
    return all(
        len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(found, expected, strict=True)
    )


def _same(found: JsonValue, expected: JsonValue) -> bool:
    if isinstance(found, int | float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
    return type(found) is type(expected) and bool(found == expected)


def _order(row: list[JsonValue]) -> list[tuple[int, Any]]:
    """Sorts values of all types; numbers that are equal but for their last digits sort as one."""
    keys: list[tuple[int, Any]] = []
    for value in row:
        if value is None:
            keys.append((0, 0))
        elif isinstance(value, int | float):
            keys.append((1, float(f"{value:.8g}")))
        else:
            keys.append((2, str(value)))
    return keys


def rows_text(rows: Rows, longest: int = 200) -> str:
    """Rows for a line of detail, shortened."""
    if len(rows) == 1 and len(rows[0]) == 1:
        text = repr(rows[0][0])
    else:
        text = repr([row[0] if len(row) == 1 else row for row in rows])
    return text if len(text) <= longest else f"{text[:longest]}... ({len(rows)} rows)"
