"""SQLite for the kind `sql`: in memory, on a thread of its own (`harness.environments.sqlite` is the core)."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Self, cast

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault, FinalState, Opening
from harness.environments.sql.engine import SqlEngine, SqlError, World, schema_text
from harness.environments.sql.options import SqlOptions, TableRights
from harness.environments.sqlite import (
    Database,
    RefusedError,
    Result,
    SqliteReader,
    TableAccess,
    Worker,
    build_image,
    table_access,
)


def _of(tables: TableRights) -> list[str]:
    return [*tables.read, *tables.write]


class SqliteEngine(SqlEngine):
    """One trial's SQLite database."""

    def __init__(self, options: SqlOptions, database: Database) -> None:
        """Take over an open database."""
        self._options = options
        self._database = database
        self._worker = Worker("database", database.interrupt)
        self._access: dict[str, TableAccess] = {}
        """Of roles with rights on some tables only."""

    @classmethod
    async def open(cls, world: World) -> Self:
        """Open a copy of the database in its first state. Raises `EnvironmentFault` when the scripts do not run."""
        options = world.options
        building = Worker("database being built", lambda: None)
        try:
            image = await building.call(lambda: build_image(world.scripts, options.bounds, options.now))
        finally:
            await building.close(lambda: None)
        engine = cls(options, Database(image, options.bounds, now=options.now, seed=world.opening.seed))
        try:
            await engine._know_tables()
        except EnvironmentFault:
            await engine.close()
            raise
        return engine

    async def _know_tables(self) -> None:
        """Look up what roles with rights on some tables may do. Raises `EnvironmentFault` where one is not there."""
        named = {name for role in self._options.access if (t := self._options.rights(role).tables) for name in _of(t)}
        if named:
            found = await self._worker.call(lambda: self._database.query("SELECT lower(name) FROM sqlite_schema"))
            missing = sorted(name for name in named if (name.lower(),) not in found)
            if missing:
                raise SqlError(f"access names tables that the database has not: {', '.join(missing)}")
        for role in self._options.access:
            if (tables := self._options.rights(role).tables) is not None:
                made = partial(table_access, self._database, tables.read, tables.write)
                self._access[role] = await self._worker.call(made)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the version of SQLite."""
        return {"sqlite": sqlite3.sqlite_version}

    async def run(self, role: str, sql: str, *, writing: bool) -> Result:
        """Run SQL for a role. Raises `RefusedError`."""
        mode, access = "write" if writing else "read", self._access.get(role)
        return await self._worker.call(lambda: self._database.run(sql, mode, access), self._options.seconds)

    async def schema(self, role: str) -> str:
        """Return the tables that the role may see."""
        return await self._worker.call(lambda: self._schema(self._access.get(role)))

    def _schema(self, access: TableAccess | None) -> str:
        listed = self._database.query(
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        )
        tables = []
        for name, kind in listed:
            if access is not None and str(name).lower() not in access.read:
                continue
            targets = {
                column: f" -> {table}.{target or 'rowid'}"
                for column, table, target in self._database.query(
                    'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)', (name,)
                )
            }
            columns = [
                (str(column), str(declared), targets.get(column, ""))
                for column, declared in self._database.query("SELECT name, type FROM pragma_table_info(?)", (name,))
            ]
            tables.append((kind == "view", str(name), columns))
        return schema_text(tables)

    async def snapshot(self) -> bytes:
        """Return the database as bytes, and where the random numbers stand."""
        return await self._worker.call(self._database.snapshot)

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot. Raises `EnvironmentFault` when it is none."""
        try:
            await self._worker.call(lambda: self._database.restore(snapshot))
        except RefusedError as error:
            raise EnvironmentFault(f"the snapshot cannot be restored: {error}") from None

    async def final(self) -> bytes:
        """Return the database as bytes. A call still running is interrupted, and so leaves no trace."""
        self._database.interrupt()
        return await self._worker.call(self._database.image)

    @classmethod
    async def read(cls, state: FinalState, opening: Opening) -> SqliteReader:
        """Open a recorded database for checks."""
        return SqliteReader(state, now=cast(SqlOptions, opening.options).now, seed=opening.seed)

    async def close(self) -> None:
        """End the thread and free the memory; may be called twice."""
        self._database.interrupt()
        await self._worker.close(self._database.close)
