"""The one number in an answer.

What counts: digits with an optional sign (`-`, `+`, U+2212, or an en dash) and an optional currency sign, thousands
separated by commas, apostrophes, underscores or narrow spaces (`1,234.50`), a decimal comma where it cannot be a
separator of thousands (`12,5`, `1.234,50`), an exponent (`1e3`), and the words hundred, thousand, million, billion
after it. A unit or a percent sign is left aside: `12 %` is 12. Digits inside a name (`Q3`, `order-7`) are no number.
Two different numbers, or something that cannot be read as one (`1.2.3`, `1,23,4`), are not one number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

_THOUSANDS = "'’_\u00a0\u202f\u2009"
_SIGNS = "-+\u2212\u2013"
_CURRENCY = "$€£¥₹₽"
_TOKEN = re.compile(
    rf"""(?P<digits>[0-9](?:[0-9.,{_THOUSANDS}]*[0-9])?|\.[0-9]+)
    (?P<exponent>(?:[eE][-+\u2212]?[0-9]+)?)
    (?P<word>(?:[ ]{{1,3}}(?:hundred|thousand|million|billion)\b)?)""",
    re.VERBOSE | re.IGNORECASE,
)
_WORDS = {"": 1.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_GROUPED_BY_POINT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
_DECIMAL_COMMA = re.compile(r"(?:0|[0-9]+),[0-9]+")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")


def single_number(text: str) -> float | None:
    """The number in `text`; None when there is none, or more than one. The same number twice is one."""
    found = set(_values(text))
    return found.pop() if len(found) == 1 else None


def numbers_in(text: str) -> set[float]:
    """All numbers in `text` that can be read."""
    return {value for value in _values(text) if value is not None}


def _values(text: str) -> Iterator[float | None]:
    """The value of every number in `text`; None for one that cannot be read as one."""
    for match in _TOKEN.finditer(text):
        sign = _sign(text, match.start())
        if sign is not None:
            yield _value(match, sign)


def _sign(text: str, start: int) -> str | None:
    """The sign before the digits at `start`; None when they are part of a name."""
    sign = ""
    for wanted in (_SIGNS, _CURRENCY, _SIGNS):  # $-5 and -$5
        before = text[start - 1 : start] if start else ""
        if before and before in wanted and not (sign and before in _SIGNS):
            start -= 1
            sign = before if before in _SIGNS else sign
    before = text[start - 1 : start] if start else ""
    if before == "_":
        before = text[start - 2 : start - 1] if start > 1 else ""
        return None if before.isalnum() else _ascii(sign)
    if sign and (before.isdigit() or before == ")"):
        return ""  # 3-4 is a range or a difference
    if before.isalpha():
        code = text[max(0, start - 4) : start]
        is_currency = len(code) >= 3 and code[-3:].isalpha() and code[-3:].isascii() and code[-3:].isupper()
        return "" if is_currency and not sign and not code[:-3].isalnum() else None
    return _ascii(sign)


def _ascii(sign: str) -> str:
    return "-" if sign in ("\u2212", "\u2013") else sign


def _value(match: re.Match[str], sign: str) -> float | None:
    digits = _plain_digits(match["digits"])
    if digits is None:
        return None
    value = float(sign + digits + match["exponent"].replace("\u2212", "-")) * _WORDS[match["word"].strip().lower()]
    return value if math.isfinite(value) else None


def _plain_digits(digits: str) -> str | None:
    for separator in _THOUSANDS:
        if separator in digits and not re.fullmatch(rf"[0-9]{{1,3}}(?:{separator}[0-9]{{3}})+(?:[.,][0-9]+)?", digits):
            return None
        digits = digits.replace(separator, "")
    if _PLAIN.fullmatch(digits):
        return digits
    if _GROUPED.fullmatch(digits) and not digits.startswith("0"):
        return digits.replace(",", "")
    if _GROUPED_BY_POINT.fullmatch(digits):
        return digits.replace(".", "").replace(",", ".")
    if _DECIMAL_COMMA.fullmatch(digits):
        return digits.replace(",", ".")
    return None
