"""The filters and methods of templates: those that make text, in bounded form; what is not here is not offered.

Left out on purpose: what is different each time (`random`), what is for HTML (`escape`, `safe`, `urlize`),
and what pads to a given width.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from jinja2 import Undefined, pass_environment
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS, do_indent, do_int, do_round, make_attrgetter

from harness.spec.templates.bounds import as_text, bounded, charge, number, read, turns

_FORMAT_NUMBER = re.compile(r"%[-+ #0]*(\*|\d+)?(?:\.(\*|\d+))?")
_KEPT = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "items", "last", "length",
    "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort",
    "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
)  # fmt: skip
UNREAD = frozenset({"abs", "count", "d", "default", "first", "float", "items", "last", "length", "round"})
"""Filters that take as long for a large value as for a small one."""
MOST_DIGITS = 100
"""To round to."""


def _text(value: Any) -> str:
    """Text of a filter's input; names that are not there stay errors."""
    return as_text(value)


@pass_environment
def _join(environment: Any, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    if attribute is not None:
        value = map(make_attrgetter(environment, attribute), value)
    parts = [_text(item) for item in value]
    charge(len(d) * len(parts))
    return str(d).join(parts)


def replaced(text: str, old: str, new: str, count: int | None = None) -> str:
    """`text.replace(old, new, count)`, charged for."""
    text, old, new = _text(text), _text(old), _text(new)
    limit = -1 if count is None else int(count)
    times = len(text) + 1 if not old else text.count(old)
    charge(len(text) + (times if limit < 0 else min(times, limit)) * len(new))
    return text.replace(old, new, limit)


def formatted(text: str, *values: Any, **named: Any) -> str:
    """`text % values`, with widths of at most 100; by place only: a name could put one value there many times."""
    if named:
        raise SecurityError("format takes values by place, not by name")
    for numbers in _FORMAT_NUMBER.findall(text):
        if any(part == "*" or (len(part) > 2 and int(part[:9]) > 100) for part in numbers if part):
            raise SecurityError("a format wider than 100 characters")
    for value in values:
        as_text(value)
    return text % values


def _int(value: Any, default: int = 0, base: int = 10) -> int:
    return int(number(do_int(value, default, base)))


def _round(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> float:
    if abs(precision) > MOST_DIGITS:
        raise SecurityError(f"rounding to more than {MOST_DIGITS} digits")
    return do_round(value, precision, method)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    size = width if isinstance(width, int) else len(width)
    text = _text(text)
    charge(len(text) + (text.count("\n") + 1) * min(max(size, 0), 10**9))
    result: str = do_indent(text, width, first, blank)
    return str(result)


def _sum(values: Iterable[Any], attribute: str | None = None, start: float = 0) -> Any:
    total = start
    for value in values:
        item = value.get(attribute) if attribute and isinstance(value, Mapping) else value
        if not isinstance(item, int | float):
            raise TypeError("sum takes numbers only")
        total += item
    return total


def _tojson(value: Any, indent: int | None = None) -> str:
    if isinstance(value, Undefined):
        str(value)
    as_text(value)
    charge((indent or 0) * 10_000 if indent and indent > 8 else 0)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=None if indent is None else min(int(indent), 8))


def _concatenated(values: list[Any]) -> str:
    return "".join(_text(value) for value in values)


TURNS, KEPT, CONCAT, READ = "_turns", "_bounded", "_concatenated", "_read"
"""Filters that are put around loops, new lists and mappings, `~`, and what other filters read."""

ALLOWED: dict[str, Callable[..., Any]] = {
    **{name: FILTERS[name] for name in _KEPT},
    "format": formatted,
    "indent": _indent,
    "int": _int,
    "join": _join,
    "replace": replaced,
    "round": _round,
    "string": _text,
    "sum": _sum,
    "tojson": _tojson,
}
INNER: dict[str, Callable[..., Any]] = {TURNS: turns, KEPT: bounded, CONCAT: _concatenated, READ: read}


def bounded_range(*bounds: int) -> range:
    """`range` of at most 100,000 numbers."""
    numbers = range(*bounds)
    if len(numbers) > 100_000:
        raise SecurityError("a range of more than 100,000 numbers")
    return numbers


def _in_parts(split: Callable[..., Any]) -> Callable[..., Any]:
    def charged(text: str, *values: Any, **named: Any) -> Any:
        charge(4 * len(text))
        return split(text, *values, **named)

    return charged


def _joined(text: str, values: Iterable[str]) -> str:
    parts = list(values)
    charge(sum(map(len, parts)) + len(text) * len(parts))
    return text.join(parts)


_STRING_METHODS = (
    "capitalize", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit", "islower", "isspace",
    "isupper", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind", "rpartition", "rstrip",
    "startswith", "strip", "title", "upper",
)  # fmt: skip

METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    str: {
        **{name: getattr(str, name) for name in _STRING_METHODS},
        **{name: _in_parts(getattr(str, name)) for name in ("rsplit", "split", "splitlines")},
        "replace": replaced,
        "join": _joined,
    },
    dict: {name: getattr(dict, name) for name in ["get", "items", "keys", "values"]},
    list: {name: getattr(list, name) for name in ["count", "index"]},
}
LOOP = frozenset(
    {
        "index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "cycle",
        "changed", "depth",
    }
)  # fmt: skip
"""What `loop` offers."""
METHOD_NAMES = frozenset(name for methods in METHODS.values() for name in methods)
