"""Text that can be written down: half surrogate pairs, which no encoding takes, become U+FFFD.

JSON can carry them in escapes, and a file name that is not UTF-8 comes out of Python with them. A trial must
not fail over them when its record is written.
"""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def writable(value: T) -> T:
    """Plain data with every string writable as UTF-8; the very same object where nothing had to change."""
    try:
        _check(value)
    except UnicodeEncodeError:
        return _mended(value)  # type: ignore[return-value]
    return value


def _check(value: object) -> None:
    if isinstance(value, str):
        if not value.isascii():
            value.encode()
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key)
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)


def _mended(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    return value
