"""What a template may use: every operation that makes something larger is measured before it is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jinja2.exceptions import SecurityError

MAX_OUTPUT = 1_000_000
"""Characters a template may render to."""
MAX_MADE = 20_000_000
"""Characters and items that all operations of one rendering may make together."""
MAX_TURNS = 100_000
"""Turns of all loops of one rendering together."""
MAX_PARTS = 100_000
"""Parts of one value, each counted wherever it appears."""
MAX_BITS = 4096
"""Of a whole number."""


@dataclass
class _Budget:
    made: int = MAX_MADE
    turns: int = MAX_TURNS


_BUDGET: ContextVar[_Budget | None] = ContextVar("template budget", default=None)


@contextmanager
def budget() -> Iterator[None]:
    """One rendering's allowance."""
    token = _BUDGET.set(_Budget())
    try:
        yield
    finally:
        _BUDGET.reset(token)


def charge(amount: int) -> None:
    """Count `amount` characters or items about to be made. Raises `SecurityError` when it is too much."""
    left = _BUDGET.get()
    if left is None:
        left = _Budget()
    left.made -= amount
    if left.made < 0:
        raise SecurityError(f"the template makes values of more than {MAX_MADE} characters")


def turns(values: Iterable[Any]) -> list[Any]:
    """What a loop goes over. Raises `SecurityError` when all loops together turn too often."""
    left = _BUDGET.get() or _Budget()
    items = list(islice(values, left.turns + 1))
    left.turns -= len(items)
    if left.turns < 0:
        raise SecurityError(f"the loops of the template turn more than {MAX_TURNS} times")
    return items


def bounded(value: Any) -> Any:
    """A new list or mapping, if it is small enough."""
    charge(10 * weight(value, characters=False))
    return value


def weight(value: Any, *, characters: bool) -> int:
    """Parts of a value, or the characters of it as text, roughly. Raises `SecurityError` past the bound."""
    limit = MAX_MADE if characters else MAX_PARTS
    total, stack = 0, [iter((value,))]
    while stack:
        for item in stack[-1]:
            total += len(item) + 4 if characters and isinstance(item, str) else 20 if characters else 1
            if total > limit or len(stack) > 200:
                raise SecurityError(f"a value of the template has more than {limit} parts")
            if isinstance(item, Mapping):
                stack.append(iter([part for pair in item.items() for part in pair]))
                break
            if isinstance(item, list | tuple | set | frozenset):
                stack.append(iter(item))
                break
        else:
            stack.pop()
    return total


def as_text(value: Any) -> str:
    """`str(value)`, charged for."""
    if isinstance(value, Iterator):
        value = turns(value)
    charge(len(value) if isinstance(value, str) else weight(value, characters=True))
    return value if type(value) is str else str(value)


def read(value: Any) -> Any:
    """`value`, charged for as what a filter or method reads from end to end."""
    if isinstance(value, str | list | tuple | range):
        charge(len(value) * (1 if isinstance(value, str) else 10))
    return value


def number(value: Any) -> Any:
    """`value`, if it is no whole number of monstrous size."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise SecurityError(f"a number of the template has more than {MAX_BITS} bits")
    return value


def _parts(value: Any) -> int:
    return 10 * weight(value, characters=False)


def add(left: Any, right: Any) -> Any:
    """`left + right`."""
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        size = len if isinstance(left, str) else _parts
        charge(size(left) + size(right))
    return number(left + right)


def multiply(left: Any, right: Any) -> Any:
    """`left * right`, where one may be a text or list to be repeated."""
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(times, int):
            size = len if isinstance(sequence, str) else _parts
            charge(size(sequence) * max(times, 0))
    return number(left * right)


def power(left: Any, right: Any) -> Any:
    """`left ** right`."""
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * max(right, 0) > MAX_BITS:
        raise SecurityError(f"a number of the template has more than {MAX_BITS} bits")
    result = left**right
    if isinstance(result, complex):
        raise ValueError("a negative number has no such power")
    return result
