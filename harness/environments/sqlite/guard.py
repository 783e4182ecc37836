"""What SQL written by a model may do, and how much: an allow-list, limits of the engine, and a meter while it runs."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

METERED = 1_000
"""Instructions of SQLite's virtual machine between two looks at the meter."""
MAX_TEMPORARY = 256 * 2**20
"""Bytes one call may write to temporary files (sorting, distinct rows)."""
_THREAD_IO = Path("/proc/thread-self/io")


@dataclass(frozen=True)
class Bounds:
    """How much one database and one call on it may use."""

    rows: int = 50
    """Rows handed out per statement."""
    result_bytes: int = 1_000_000
    """Text and blobs handed out per statement."""
    seconds: float = 10.0
    """Wall time of one call: the backstop of `instructions`, which ends a call at the same place everywhere."""
    instructions: int = 20_000_000
    """Steps of SQLite's virtual machine in one call; about half a second on an ordinary machine."""
    database_bytes: int = 64 * 2**20
    value_bytes: int = 100_000
    """Of one text, blob or row. Some functions take time in the square of it that nothing can interrupt."""
    sql_length: int = 10_000
    """Characters of one call."""
    statements: int = 50
    """In one call."""


def trusted(bounds: Bounds) -> Bounds:
    """Room enough for scripts that come with a scenario."""
    return replace(
        bounds,
        seconds=60.0,
        instructions=2_000_000_000,
        value_bytes=10_000_000,
        sql_length=50_000_000,
        statements=1_000_000,
    )


def apply_limits(connection: sqlite3.Connection, bounds: Bounds) -> None:
    """Set the engine's own limits. The page limit follows the page size of what is loaded: set again after loading."""
    limits = {
        sqlite3.SQLITE_LIMIT_LENGTH: bounds.value_bytes,
        sqlite3.SQLITE_LIMIT_SQL_LENGTH: 4 * bounds.sql_length,
        sqlite3.SQLITE_LIMIT_COLUMN: 200,
        sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
        sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 500 if bounds.statements > 1000 else 50,
        sqlite3.SQLITE_LIMIT_VDBE_OP: 1_000_000,
        sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
        sqlite3.SQLITE_LIMIT_ATTACHED: 0,
        sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
        sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 200,
        sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 20,
        sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    }
    for limit, value in limits.items():
        connection.setlimit(limit, value)
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA max_page_count = {max(1, bounds.database_bytes // page_size)}")
    connection.execute("PRAGMA cell_size_check = ON")


_READS = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_PRAGMA,
    }
)
_CHANGES = {
    sqlite3.SQLITE_INSERT: "INSERT INTO",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_DELETE: "DELETE FROM",
    sqlite3.SQLITE_CREATE_TABLE: "CREATE TABLE",
    sqlite3.SQLITE_CREATE_INDEX: "CREATE INDEX",
    sqlite3.SQLITE_CREATE_VIEW: "CREATE VIEW",
    sqlite3.SQLITE_DROP_TABLE: "DROP TABLE",
    sqlite3.SQLITE_DROP_INDEX: "DROP INDEX",
    sqlite3.SQLITE_DROP_VIEW: "DROP VIEW",
    sqlite3.SQLITE_DROP_TRIGGER: "DROP TRIGGER",
    sqlite3.SQLITE_ALTER_TABLE: "ALTER TABLE",
    sqlite3.SQLITE_REINDEX: "REINDEX",
    sqlite3.SQLITE_ANALYZE: "ANALYZE",
    sqlite3.SQLITE_TRANSACTION: "",
    sqlite3.SQLITE_SAVEPOINT: "SAVEPOINT",
}
_NEVER = {
    sqlite3.SQLITE_ATTACH: "ATTACH or VACUUM",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_FUNCTION: "the function",
    sqlite3.SQLITE_CREATE_TRIGGER: "CREATE TRIGGER",
    sqlite3.SQLITE_CREATE_VTABLE: "CREATE VIRTUAL TABLE",
    sqlite3.SQLITE_DROP_VTABLE: "DROP of a virtual table",
    sqlite3.SQLITE_CREATE_TEMP_TABLE: "a temporary table",
    sqlite3.SQLITE_CREATE_TEMP_VIEW: "a temporary view",
    sqlite3.SQLITE_CREATE_TEMP_INDEX: "a temporary index",
    sqlite3.SQLITE_CREATE_TEMP_TRIGGER: "a temporary trigger",
}
_DECLARATION = (sqlite3.SQLITE_UPDATE, "sqlite_master")
"""What SQLite asks when a query first touches a virtual table such as `json_each`; a real one it refuses by itself."""
_TELLING_PRAGMAS = frozenset(
    {
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "foreign_key_check",
        "database_list",
        "collation_list",
        "function_list",
        "data_version",
    }
)
_SETTING_PRAGMAS = frozenset(
    {"foreign_keys", "user_version", "application_id", "encoding", "page_size", "recursive_triggers"}
)
"""Read by anyone; set only by the scripts of a scenario."""
_FUNCTIONS_REFUSED = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "zipfile"})


@dataclass(frozen=True)
class TableAccess:
    """What a call may name, all in lower case; made by `table_access`."""

    read: frozenset[str]
    """Tables and views."""
    write: frozenset[str]
    through: frozenset[str] = frozenset()
    """Views and triggers, which use what they need."""
    keys: frozenset[tuple[str, str]] = frozenset()
    """Columns of other tables that SQLite looks at when it checks the keys of those written to."""


_ROW_CHANGES = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)


class Policy:
    """The authoriser of one connection; `mode` is set before each call."""

    access: TableAccess | None = None
    """The tables of this call; None means all."""

    def __init__(self) -> None:
        self.mode: str = "read"
        """`read`, `write`, or `build` for the scripts of a scenario."""
        self.refused: str | None = None
        """What was refused first in this call, in words."""

    def __call__(self, action: int, first: str | None, second: str | None, schema: str | None, by: str | None) -> int:
        """SQLITE_OK or SQLITE_DENY, as SQLite asks for every part of a statement it prepares."""
        if self._allows(action, first, second) and (
            self.access is None or self._may(self.access, action, first, second, by)
        ):
            return sqlite3.SQLITE_OK
        if self.refused is None:
            self.refused = self._words(action, first, second)
        return sqlite3.SQLITE_DENY

    def _allows(self, action: int, first: str | None, second: str | None) -> bool:
        if action == sqlite3.SQLITE_PRAGMA:
            name = (first or "").lower()
            setting = name in _SETTING_PRAGMAS and (second is None or self.mode == "build")
            return name in _TELLING_PRAGMAS or setting
        if action == sqlite3.SQLITE_FUNCTION:
            return (second or "").lower() not in _FUNCTIONS_REFUSED
        if action in _READS or (action, first) == _DECLARATION:
            return True
        if self.mode == "build":
            building = (sqlite3.SQLITE_CREATE_TRIGGER, sqlite3.SQLITE_CREATE_VTABLE, sqlite3.SQLITE_DROP_VTABLE)
            return action in _CHANGES or action in building
        return self.mode == "write" and action in _CHANGES

    def _may(self, access: TableAccess, action: int, first: str | None, second: str | None, by: str | None) -> bool:
        """Whether a role with rights on some tables only may do this.

        `by` is the view, trigger or common table expression that does it; none of the latter has a name of the former.
        """
        if (by or "").lower() in access.through or action in (
            sqlite3.SQLITE_SELECT,
            sqlite3.SQLITE_FUNCTION,
            sqlite3.SQLITE_RECURSIVE,
        ):
            return True
        name = (first or "").lower()
        if action == sqlite3.SQLITE_READ:
            if self.mode == "write" and (name, (second or "").lower()) in access.keys:
                return True
            return name in access.read
        if action in _ROW_CHANGES:
            return name in access.write or (action, first) == _DECLARATION
        return action in (sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT)

    def _words(self, action: int, first: str | None, second: str | None) -> str:
        if self.access is not None and action == sqlite3.SQLITE_READ:
            return f"there is no access to {first} for you"
        if action in _CHANGES and self.access is not None and self.mode == "write":
            return f"{_CHANGES[action]} {first} is not allowed to you"
        if action in _CHANGES:
            verb = first if action == sqlite3.SQLITE_TRANSACTION else f"{_CHANGES[action]} {first}"
            return f"this only reads; {verb} is not allowed here"
        name = second if action == sqlite3.SQLITE_FUNCTION else first if action == sqlite3.SQLITE_PRAGMA else ""
        return f"{_NEVER.get(action, f'this (action {action})')} {name or ''}".rstrip() + " is not allowed here"


class Meter:
    """Ends a call that uses too much; asked by SQLite every `METERED` instructions, on the thread that runs it."""

    def __init__(self, bounds: Bounds, interrupted: Callable[[], bool]) -> None:
        self._bounds = bounds
        self._interrupted = interrupted
        self._left = bounds.instructions // METERED
        self._deadline = time.monotonic() + bounds.seconds
        self.stopped: str | None = None
        """Why the call was ended, in words for the model."""
        self._io = _open_io()
        self._written = self._written_now()

    def __call__(self) -> bool:
        """Whether the call has to end now."""
        self._left -= 1
        if self._left < 0:
            self.stopped = "stopped: this takes too much work; ask for less at once"
        elif time.monotonic() > self._deadline:
            self.stopped = f"stopped after {self._bounds.seconds:g} seconds; ask for less at once"
        elif self._written_now() - self._written > MAX_TEMPORARY:
            self.stopped = "stopped: this needs too much temporary space; ask for less at once"
        elif self._interrupted():
            self.stopped = "stopped: this takes too long; ask for less at once"
        return self.stopped is not None

    def close(self) -> None:
        """Let the file of the meter go; may be called twice."""
        if self._io is not None:
            os.close(self._io)
            self._io = None

    def _written_now(self) -> int:
        """Bytes this thread has written in its life; 0 where the system does not say."""
        if self._io is None:
            return 0
        text = os.pread(self._io, 512, 0)
        return int(text[text.index(b"wchar:") + 6 : text.index(b"\n", text.index(b"wchar:"))])


def _open_io() -> int | None:
    try:
        return os.open(_THREAD_IO, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
