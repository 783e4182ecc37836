"""Values of DuckDB as they leave the cell."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid

Value = None | bool | int | float | str
LONGEST = 200_000
"""Characters of one value that leave the cell where values are for showing."""


def shown(value: object) -> Value:
    """A value for people: numbers as they are, the rest as text."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return _text(value)[:LONGEST]


def plain(value: object, limit: int | None = None) -> Value:
    """A value as JSON has it: decimals as numbers, blobs as hexadecimal text, dates and the rest as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return (value.hex() if isinstance(value, bytes) else _text(value))[:limit]


def _text(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case str() | int() | float() | decimal.Decimal() | uuid.UUID() | datetime.timedelta():
            return str(value)
        case bytes():
            return "x'" + (value.hex() if len(value) <= 16 else f"{value[:16].hex()}... ({len(value)} bytes)") + "'"
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case list() | tuple():
            return "[" + ", ".join(_text(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{_text(key)}: {_text(item)}" for key, item in value.items()) + "}"
    return str(value)
