"""One private SQLite database in memory, and bounded calls on it. Blocking: run on a `Worker`'s thread.

Each call stands alone: a transaction it leaves open is rolled back at its end and said so, which makes it
an error. So the state after a call is always a plain database, the same for every role, and can be kept
and brought back as bytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from harness.environments.sqlite import functions, guard
from harness.environments.sqlite.guard import Bounds, Meter, Policy, TableAccess
from harness.environments.sqlite.statements import Statement, common_tables, split, tokens, unfolding

MAX_UNFOLDING = 2_000
"""Copies of view and common table definitions in one statement."""

FAILURES = (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError)
"""What SQLite and its Python module raise over SQL that cannot be run."""


_PLAINER = {
    "database or disk is full": "the database is full",
    "interrupted": "stopped: this takes too long; ask for less at once",
    "user-defined function raised exception": "a function was called with values it does not take",
}
_CHANGING = frozenset({"insert", "replace", "update", "delete"})


class RefusedError(ValueError):
    """SQL that was not carried out, or not to its end; the message is meant for whoever wrote it."""

    def __init__(self, message: str, line: int = 0) -> None:
        self.line = line
        """Of the statement in its script; 0 when unknown."""
        super().__init__(message)


@dataclass(frozen=True)
class Result:
    """What a call came to."""

    columns: tuple[str, ...]
    """Of the last statement that gave rows; empty when none did."""
    rows: list[tuple[object, ...]]
    more: bool
    """There were more rows than are here."""
    changed: int | None
    """Rows inserted, updated or deleted, not counting what triggers did; None when no statement was of that kind."""
    statements: int


class Database:
    """An SQLite database in memory, opened from an image."""

    def __init__(self, image: bytes, bounds: Bounds, *, now: str, seed: int) -> None:
        """`now` as `YYYY-MM-DD HH:MM:SS`. Raises `RefusedError` when the image is no database."""
        self._bounds = bounds
        self._policy = Policy()
        self._chance = functions.Chance(seed)
        self._changing_calls = 0
        self._interrupted = False
        self._now = now
        self.connection, self._engine = self._open(image)

    def _open(self, image: bytes) -> tuple[sqlite3.Connection, sqlite3.Connection]:
        """Open a connection on an image, and the one that its functions compute with."""
        # No statement cache: a statement is authorised when it is prepared, and the mode differs from call to call.
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=0)
        engine = functions.install(connection, self._now, self._chance, self._bounds.value_bytes)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        try:
            if image:
                connection.deserialize(image)
            guard.apply_limits(connection, self._bounds)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.DatabaseError as error:
            connection.close()
            engine.close()
            raise RefusedError(f"this is no SQLite database: {error}") from None
        connection.set_authorizer(self._policy)
        return connection, engine

    def load(self, image: bytes) -> None:
        """Replace everything by `image`. Raises `RefusedError` when it is no database.

        On a connection of its own: SQLite 3.40 crashes when an image is put under a connection
        that has looked into `pragma_table_info`.
        """
        before = (self.connection, self._engine)
        self.connection, self._engine = self._open(image)
        for connection in before:
            connection.close()

    def image(self) -> bytes:
        """Return the database as the bytes of a database file."""
        self.connection.set_authorizer(None)  # it asks a PRAGMA of its own
        try:
            return self.connection.serialize()
        finally:
            self.connection.set_authorizer(self._policy)

    def snapshot(self) -> bytes:
        """Return the image and where the random numbers stand."""
        return self._changing_calls.to_bytes(8, "big") + self.image()

    def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot. Raises `RefusedError` when it is none."""
        self.load(snapshot[8:])
        self._changing_calls = int.from_bytes(snapshot[:8], "big")

    def interrupt(self) -> None:
        """Make the call under way end soon; from any thread."""
        self._interrupted = True
        try:
            self.connection.interrupt()
        except sqlite3.ProgrammingError:
            return  # closed meanwhile

    def close(self) -> None:
        """May be called twice."""
        self.connection.close()
        self._engine.close()

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """All rows of a statement of our own, unguarded."""
        self.connection.set_authorizer(None)
        try:
            return self.connection.execute(sql, parameters).fetchall()
        finally:
            self.connection.set_authorizer(self._policy)

    def run(self, sql: str, mode: str, access: TableAccess | None = None) -> Result:
        """Run SQL from outside. `mode`: `read` (one statement), `write`, or `build` (a scenario's own script).

        `access` says which tables it may name; None means all.

        Raises `RefusedError`. Statements before a failing one are carried out; the failing one leaves no trace.
        """
        if len(sql) > self._bounds.sql_length:
            raise RefusedError(f"too long: {len(sql)} characters; {self._bounds.sql_length} is the most")
        statements = list(islice(split(sql), self._bounds.statements + 1))
        if not statements and mode == "build":
            return Result((), [], False, None, 0)
        if not statements:
            raise RefusedError("there is no statement in this")
        if len(statements) > (1 if mode == "read" else self._bounds.statements):
            raise RefusedError(
                f"too many statements; {1 if mode == 'read' else self._bounds.statements} at once is the most"
            )
        self._policy.mode, self._policy.access, self._interrupted = mode, access, False
        self._chance.begin(self._changing_calls, sql)
        self._changing_calls += mode != "read"
        meter = Meter(self._bounds, lambda: self._interrupted)
        self.connection.set_progress_handler(meter, guard.METERED)
        try:
            return self._all(statements, meter)
        finally:
            self.connection.set_progress_handler(None, 0)
            meter.close()
            self._policy.mode, self._policy.access = "read", None

    def _all(self, statements: list[Statement], meter: Meter) -> Result:
        columns: tuple[str, ...] = ()
        rows: list[tuple[object, ...]] = []
        more, changed, line = False, None, 1
        views = self._views() if self._policy.mode != "build" else {}
        done = 0
        try:
            for statement in statements:
                line, self._policy.refused = statement.line, None
                if meter():
                    raise sqlite3.OperationalError("interrupted")
                if (named := self._like_a_view(statement)) is not None:
                    raise RefusedError(f"WITH {named}: that is the name of a view or trigger; take another")
                if unfolding(statement.sql, views, MAX_UNFOLDING) >= MAX_UNFOLDING:
                    raise RefusedError("too complex: definitions that name each other unfold too far")
                result = self._one(statement)
                done += 1
                if result.changed is not None:
                    changed = (changed or 0) + result.changed
                if result.columns:
                    columns, rows, more = result.columns, result.rows, result.more
        except FAILURES as error:
            reason = meter.stopped or self._policy.refused or _reason(error)
            raise RefusedError(reason + self._aftermath(done, len(statements)), line) from None
        if self.connection.in_transaction:
            self.connection.rollback()
            raise RefusedError(
                "a transaction was left open, so it was rolled back and nothing in it was kept; "
                "BEGIN and COMMIT belong in one call",
                line,
            )
        return Result(columns, rows, more, changed, len(statements))

    def _like_a_view(self, statement: Statement) -> str | None:
        """A common table expression with the name of what reads for others: SQLite does not tell them apart."""
        through = self._policy.access.through if self._policy.access else frozenset()
        return (
            next((name for name in common_tables(tokens(statement.sql)) if name in through), None) if through else None
        )

    def _one(self, statement: Statement) -> Result:
        before = self.connection.total_changes
        changing = (tokens(statement.sql) or [""])[0] in _CHANGING
        cursor = self.connection.execute(statement.sql)
        try:
            columns = tuple(column[0] for column in cursor.description or ())
            rows, more = _bounded(cursor, self._bounds) if columns else ([], False)
        finally:
            cursor.close()
        changed = 0 if changing else None
        if self.connection.total_changes > before:
            changed = int(str(self.query("SELECT changes()")[0][0]))
        return Result(columns, rows, more, changed, 1)

    def _aftermath(self, done: int, of: int) -> str:
        """Tell what became of the statements before the one that failed, `done` in number."""
        if self.connection.in_transaction:
            self.connection.rollback()
            return " (the open transaction was rolled back)"
        if of == 1:
            return ""
        before = "" if done == 0 else f"; the {done} before it {'was' if done == 1 else 'were'} carried out"
        return f" (statement {done + 1} of {of}{before})"

    def _views(self) -> dict[str, list[str]]:
        found = self.query("SELECT lower(name), sql FROM sqlite_schema WHERE type = 'view'")
        return {str(name): tokens(str(sql)) for name, sql in found}


def _bounded(cursor: Iterator[tuple[object, ...]], bounds: Bounds) -> tuple[list[tuple[object, ...]], bool]:
    """Rows while there is room for them, and whether there were more."""
    rows: list[tuple[object, ...]] = []
    left = bounds.result_bytes
    for row in cursor:
        left -= sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
        if len(rows) == bounds.rows or (left < 0 and rows):
            return rows, True
        rows.append(row)
    return rows, False


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "this needs too much memory"
    reason = str(error) or type(error).__name__
    return _PLAINER.get(reason, reason)
