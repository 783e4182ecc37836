"""SQLite's functions that a trial cannot have as they are, replaced.

Time stands still, random numbers come from the seed, and what would run for minutes where no interrupt
reaches is bounded: `printf` with a width of 10**9, `trim` of a long text by a long list of characters.
"""

from __future__ import annotations

import hashlib
import random
import re
import sqlite3

Value = str | bytes | int | float | None
"""What SQLite stores."""
MAX_TRIM = 20_000_000
"""Length of a text times length of the characters trimmed off it; about a tenth of a second."""

_NOW_FIRST = ("date", "time", "datetime", "julianday", "unixepoch")


class Chance:
    """Random numbers that depend on seed, state and statement only, so that a question asked twice gets one answer."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def begin(self, calls: int, sql: str) -> None:
        """Start the stream of one call, the first after `calls` calls that could change the database."""
        text = f"{self._seed} {calls} {sql}".encode(errors="surrogatepass")
        self._random.seed(int.from_bytes(hashlib.sha256(text).digest()[:8], "big"))

    def integer(self) -> int:
        """As SQLite's `random()`."""
        return self._random.getrandbits(64) - 2**63

    def blob(self, size: int, limit: int) -> bytes:
        """As SQLite's `randomblob(size)`. Raises `ValueError` above `limit` bytes."""
        if size > limit:
            raise ValueError("blob too big")
        return self._random.randbytes(max(1, size))


def install(connection: sqlite3.Connection, now: str, chance: Chance, value_bytes: int) -> sqlite3.Connection:
    """Replace SQLite's functions of time and chance on `connection`.

    Returns a second connection that the functions compute with; to be closed with the first.
    """
    engine = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    engine.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, value_bytes)
    _install_printf(connection, engine, value_bytes)
    _install_trim(connection, engine)
    date, time = now.split(" ")

    def timed(name: str, leading: int) -> None:
        def function(*arguments: Value) -> Value:
            values = list(arguments)
            if len(values) == leading:
                values.append("now")
            if values[leading:] and str(values[leading]).lower() == "now":
                values[leading] = now
            marks = ",".join("?" * len(values))
            return engine.execute(f"SELECT {name}({marks})", values).fetchone()[0]  # type: ignore[no-any-return]

        connection.create_function(name, -1, function, deterministic=True)

    for name in _NOW_FIRST:
        timed(name, 0)
    timed("strftime", 1)
    connection.create_function("current_timestamp", 0, lambda: now, deterministic=True)
    connection.create_function("current_date", 0, lambda: date, deterministic=True)
    connection.create_function("current_time", 0, lambda: time, deterministic=True)
    connection.create_function("random", 0, chance.integer)
    connection.create_function("randomblob", 1, lambda size: chance.blob(int(size or 0), value_bytes))
    return engine


def _install_printf(connection: sqlite3.Connection, engine: sqlite3.Connection, limit: int) -> None:
    def bounded(template: Value = None, *values: Value) -> Value:
        text = template.decode(errors="replace") if isinstance(template, bytes) else str(template or "")
        widths = [int(digits[:18]) for digits in re.findall(r"\d+", text)]
        if "*" in text:
            widths += [int(number) for value in values if (number := _number(value)) is not None]
        if any(abs(width) > limit for width in widths):
            raise ValueError("a width too large")
        marks = ",".join("?" * (1 + len(values)))
        return engine.execute(f"SELECT printf({marks})", (template, *values)).fetchone()[0]  # type: ignore[no-any-return]

    for name in ("printf", "format"):
        connection.create_function(name, -1, bounded, deterministic=True)


def _install_trim(connection: sqlite3.Connection, engine: sqlite3.Connection) -> None:
    def trimming(name: str) -> None:
        def bounded(text: Value, characters: Value) -> Value:
            if _length(text) * _length(characters) > MAX_TRIM:
                raise ValueError("too much to trim")
            return engine.execute(f"SELECT {name}(?, ?)", (text, characters)).fetchone()[0]  # type: ignore[no-any-return]

        connection.create_function(name, 2, bounded, deterministic=True)

    for name in ("trim", "ltrim", "rtrim"):
        trimming(name)


def _length(value: Value) -> int:
    return len(value) if isinstance(value, str | bytes) else 32


def _number(value: Value) -> float | None:
    """Return what SQLite could take `value` for, where a number is asked for."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        found = re.match(r"\s*[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?", value)
        value = float(found[0]) if found else None
    return min(max(value, -1e18), 1e18) if isinstance(value, int | float) else None
