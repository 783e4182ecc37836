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

_THOUSANDS = "'’_\u00a0\u202f\u2009"
_TOKEN = re.compile(
    rf"""(?<![0-9.,{_THOUSANDS}])
    (?P<before>[^\W\d_]*-?)                       # letters that the digits hang on to
    (?P<sign>(?:(?<![\w)])[-+\u2212\u2013])?)
    (?:[$€£¥₹₽])?
    (?P<sign2>(?:(?<=[$€£¥₹₽])[-+\u2212\u2013])?)
    (?P<digits>[0-9](?:[0-9.,{_THOUSANDS}]*[0-9])?|\.[0-9]+)
    (?P<exponent>(?:[eE][-+\u2212]?[0-9]+(?![0-9]))?)
    (?P<word>(?:\s+(?:hundred|thousand|million|billion)\b)?)""",
    re.VERBOSE | re.IGNORECASE,
)
_WORDS = {"": 1.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_GROUPED_BY_POINT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
_DECIMAL_COMMA = re.compile(r"(?:0|[0-9]+),[0-9]+")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")


def single_number(text: str) -> float | None:
    """The number in `text`; None when there is none, or more than one. The same number twice is one."""
    found: set[float] = set()
    for match in _TOKEN.finditer(text):
        if not _stands_alone(match):
            continue
        value = _value(match)
        if value is None:
            return None
        found.add(value)
    return found.pop() if len(found) == 1 else None


def _stands_alone(match: re.Match[str]) -> bool:
    """Not part of a name; a currency code before it (`EUR5`) is no name."""
    before = match["before"]
    if before in ("", "-"):
        return before == "" or not match.string[match.start() - 1 : match.start()].isalnum()
    return len(before) == 3 and before.isupper() and before.isascii()


def _value(match: re.Match[str]) -> float | None:
    digits = _plain_digits(match["digits"])
    if digits is None:
        return None
    sign = (match["sign"] or match["sign2"]).replace("\u2212", "-").replace("\u2013", "-")
    if match["before"] == "-":
        sign = "-"
    exponent = match["exponent"].replace("\u2212", "-")
    value = float(sign + digits + exponent) * _WORDS[match["word"].strip().lower()]
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
