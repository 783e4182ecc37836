"""Figures over a whole world that checks and measures ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LIMIT = re.compile(
    r"(?:worth|costs?(?: me)?|limit|(?:can(?:not|'t|’t)|won't|won’t|could not) (?:go|sell|pay|take|give|accept)"
    r"(?: it| them)?(?: for)?(?: any)? (?:below|above|under|over|more than|less than|lower than|higher than)"
    r"|at (?:most|least)|lowest|highest|maximum|minimum|budget)(?: (?:i|me|my|to|is|for|of|can|could|would|will|go"
    r"|pay|take|accept|only|just|about|a|it|you|price|coins))*\D{0,3}?(\d{1,6})(?![\d.,]*\d)",
    re.IGNORECASE,
)


def gini(shares: Sequence[int]) -> float:
    """The Gini coefficient of shares, what is below 0 counted as 0; 0.0 where nobody has anything.

    G = sum over i, j of |x_i - x_j| / (2 n sum x) (Gini 1912, in the form of Sen 1973).
    """
    values = [max(0, share) for share in shares]
    total = sum(values)
    if not total:
        return 0.0
    apart = sum(abs(one - other) for one in values for other in values)
    return apart / (2 * len(values) * total)


def stated_numbers(text: str) -> list[int]:
    """Whole numbers that a text gives as its speaker's limit or what something is worth, found by plain patterns.

    `It is worth 12 to me`, `I cannot go below 9`, `my limit is 20`. What is put otherwise is not found.
    """
    return [int(found) for found in _LIMIT.findall(text)]


def counted(number: int, noun: str) -> str:
    """`1 sack`, `2 sacks`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
