"""A recorded database opened for checks: read only, bounded, nothing on disk."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault, FinalState, Observation, StateReader
from harness.environments.sqlite.database import Database, RefusedError
from harness.environments.sqlite.guard import Bounds
from harness.environments.sqlite.worker import Worker

READING = Bounds(
    rows=10_000, result_bytes=20_000_000, seconds=30.0, instructions=500_000_000, database_bytes=2**30,
    value_bytes=10_000_000, sql_length=100_000,
)  # fmt: skip
ROWS_AS_DATA = 1_000
"""Rows of one table handed to state expressions."""
TEXT_AS_DATA = 10_000
"""Characters of one text handed to state expressions; longer ones are cut."""


class SqliteReader(StateReader):
    """Answers checks about a database (`harness.environments.protocol.StateReader`)."""

    def __init__(self, state: FinalState, *, now: str, seed: int) -> None:
        """Open the state. Raises `EnvironmentFault` when the state is no database."""
        try:
            self._database = Database(state.data, READING, now=now, seed=seed)
        except RefusedError as error:
            raise EnvironmentFault(f"the recorded state cannot be opened: {error}") from None
        self._kind = state.kind
        self._bounded = True
        self._worker = Worker("database of a check", self._database.interrupt)

    async def query(self, sql: str) -> list[list[JsonValue]]:
        """Rows of a read-only query; blobs as hexadecimal text. Raises `ValueError` with the database's message."""
        result = await self._worker.call(lambda: self._database.run(sql, "read"))
        if result.more:
            raise RefusedError(f"more than {len(result.rows)} rows")
        return [[plain(value) for value in row] for row in result.rows]

    async def rows(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """All rows of a statement of our own."""
        return await self._worker.call(lambda: self._database.query(sql, parameters))

    async def as_data(self) -> dict[str, JsonValue]:
        """Table -> rows as mappings, the first 1,000 of each table, with long texts cut."""
        return await self._worker.call(self._tables)

    async def in_full(self) -> dict[str, JsonValue]:
        """The same with all rows and whole texts."""
        self._bounded = False
        try:
            return await self.as_data()
        finally:
            self._bounded = True

    def _tables(self) -> dict[str, JsonValue]:
        found = self._database.query(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        )
        rows, text = (ROWS_AS_DATA, TEXT_AS_DATA) if self._bounded else (-1, None)
        tables: dict[str, JsonValue] = {}
        for (name,) in found:
            quoted = str(name).replace('"', '""')
            cursor = self._database.connection.execute(f'SELECT * FROM "{quoted}" LIMIT {rows}')  # noqa: S608
            columns = [column[0] for column in cursor.description]
            tables[str(name)] = [
                {column: plain(value, text) for column, value in zip(columns, row, strict=True)} for row in cursor
            ]
        return tables

    async def read_file(self, path: str) -> str | None:
        """There are no files in a database."""
        raise NotImplementedError(f"a {self._kind} environment has no files; use a check of kind sql or state")

    async def run(self, command: str, files: Mapping[str, bytes], seconds: float) -> Observation:
        """There is nothing to run commands in."""
        raise NotImplementedError(f"a {self._kind} environment runs no commands; use a check of kind sql or state")

    async def close(self) -> None:
        """End the thread and free the memory; may be called twice."""
        await self._worker.close(self._database.close)


def plain(value: object, limit: int | None = None) -> JsonValue:
    """Put a value of SQLite as JSON has it: blobs as hexadecimal text, infinities as words."""
    if isinstance(value, bytes):
        return value[:limit].hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return value[:limit]
    return value if isinstance(value, int | float) else None
