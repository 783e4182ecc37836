"""JSON as RFC 8259 has it, read the same way under every protocol.

Python's reader takes more (NaN, repeated keys, integers of any size) and fails in its own ways (recursion);
what could not be kept, sent on or compared is refused here, with the reason, so that it is the model's
malformed call and nobody else's trouble.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from pydantic import JsonValue

DEEPEST = 100
"""Levels of nesting."""


def read_json(text: str) -> JsonValue:
    """The value of a whole JSON text. Raises `ValueError` with the reason on one line."""
    value, end = _decode(text, _skip_blanks(text, 0))
    if text[end:].strip():
        raise ValueError(f"something follows the JSON at character {end + 1}")
    return value


def read_leading_json(text: str, start: int) -> tuple[JsonValue, int]:
    """The JSON value that begins at `start`, and where it ends. Raises `ValueError` with the reason."""
    return _decode(text, start)


def plain_json(value: object, depth: int = 0) -> JsonValue:
    """A copy of `value`, if it is plain JSON data. Raises `ValueError` with the reason."""
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return {_name(key): plain_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item, depth + 1) for item in value]
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return _integer(str(int(value)))
    if isinstance(value, float):
        return value if math.isfinite(value) else _constant(str(value))
    raise ValueError(f"a {type(value).__name__} is no JSON value")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"the key {key!r} is no string")
    return _string(key)


def _decode(text: str, start: int) -> tuple[JsonValue, int]:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise ValueError(f"no valid JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError(f"JSON nested deeper than {DEEPEST} levels") from None
    return _plain(value, 0), end


def _plain(value: JsonValue, depth: int) -> JsonValue:
    if depth > DEEPEST:
        raise ValueError(f"JSON nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {_string(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    return _string(value) if isinstance(value, str) else value


def _string(text: str) -> str:
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        raise ValueError("a string holds half a surrogate pair") from None
    return text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} is given twice")
    return value


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        raise ValueError(f"the number {digits[:24]} does not fit 64 bits")
    return int(digits)


def _float(digits: str) -> float | int:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:24]} is too large")
    return int(number) if number.is_integer() and abs(number) < 2**63 else number


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _skip_blanks(text: str, start: int) -> int:
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    return start


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)  # fmt: skip
