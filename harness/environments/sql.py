"""The kind `sql`: an SQLite database of the trial's own, in memory, with bounded queries.

    environment:
      kind: sql
      database: refund-desk/shop.sql     # a script that builds it
      access: {auditor: read}            # other roles may write

Tools: `query` (one statement that only reads), `execute` (any statements; not for roles that only read)
and `schema` (tables and columns in a few lines). Each call stands alone: a transaction that is still open
at its end is rolled back. Time stands still at `now`, and random numbers come from the seed of the trial.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, Field, JsonValue, field_validator

from harness.environments.protocol import EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.environments.sqlite import (
    Bounds,
    Database,
    RefusedError,
    Result,
    Script,
    SqliteReader,
    Worker,
    build_image,
    office_time,
    table_text,
)
from harness.environments.sqlite.clock import DEFAULT_NOW
from harness.environments.sqlite.text import shortened
from harness.spec.base import DataPath, Spec

_SQL: dict[str, JsonValue] = {"type": "string", "minLength": 1, "maxLength": Bounds.sql_length}

QUERY = Tool(
    name="query",
    description="Run one SQL SELECT and see its rows.",
    parameters={"type": "object", "properties": {"sql": _SQL}, "required": ["sql"], "additionalProperties": False},
    changes_state=False,
)
EXECUTE = Tool(
    name="execute",
    description="Change the database with SQL: INSERT, UPDATE, DELETE. Takes effect at once.",
    parameters={"type": "object", "properties": {"sql": _SQL}, "required": ["sql"], "additionalProperties": False},
    changes_state=True,
)
SCHEMA = Tool(
    name="schema",
    description="List the tables with their columns.",
    parameters={"type": "object", "properties": {}, "additionalProperties": False},
    changes_state=False,
)


class SqlOptions(Spec):
    """Options of the kind `sql`."""

    database: DataPath
    """An SQL script for SQLite that builds the database."""
    access: dict[str, Literal["read", "write"]] = Field(default_factory=dict)
    """What a role may do; a role that is not named may write."""
    now: str = DEFAULT_NOW
    """What the date and time functions of SQL take for now; local time."""
    rows: int = Field(50, ge=1, le=1000)
    """Rows shown of one result."""
    characters: int = Field(4000, ge=200, le=100_000)
    """Length of one observation."""
    seconds: float = Field(10.0, gt=0, le=300)
    """Wall time of one call. As a rule a bound on work, the same on every machine, ends a call before that."""
    megabytes: int = Field(64, ge=1, le=1024)
    """Size the database may reach."""

    @field_validator("now")
    @classmethod
    def _now(cls, value: str) -> str:
        return office_time(value)

    @property
    def bounds(self) -> Bounds:
        """The options as the core takes them."""
        return Bounds(rows=self.rows, seconds=self.seconds, database_bytes=self.megabytes * 2**20)


class SqlSetup(Spec):
    """What a task adds to the database."""

    sql: str = ""
    """Statements run on this task's copy before it opens."""


class SqlDatabase:
    """One trial's database (`harness.environments.protocol.Environment`)."""

    kind: ClassVar[str] = "sql"
    Options: ClassVar[type[BaseModel]] = SqlOptions
    Setup: ClassVar[type[BaseModel]] = SqlSetup

    def __init__(self, options: SqlOptions, roles: tuple[str, ...], database: Database) -> None:
        self._options = options
        self._roles = roles
        self._database = database
        self._worker = Worker("database", database.interrupt)

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return `query`, `execute` unless the role only reads, and `schema`."""
        access = cast(SqlOptions, options).access.get(role, "write")
        return [SCHEMA, QUERY] if access == "read" else [SCHEMA, QUERY, EXECUTE]

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Open a copy of the database in its first state. Raises `EnvironmentFault` when the scripts do not run."""
        options, setup = cast(SqlOptions, opening.options), cast(SqlSetup, opening.setup)
        strangers = sorted(set(options.access) - set(opening.roles))
        if strangers:
            raise EnvironmentFault(f"access names roles that the scenario has not: {', '.join(strangers)}")
        scripts = [_script(options), Script("setup.sql", setup.sql)]
        building = Worker("database being built", lambda: None)
        try:
            image = await building.call(lambda: build_image(scripts, options.bounds, options.now))
        finally:
            await building.close(lambda: None)
        database = Database(image, options.bounds, now=options.now, seed=opening.seed)
        return cls(options, tuple(opening.roles), database)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the version of SQLite."""
        return {"sqlite": sqlite3.sqlite_version}

    def turn(self) -> str | None:
        """Return None: roles act at any time."""
        return None

    def finished(self) -> bool:
        """Return False: a database never ends by itself."""
        return False

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Run a tool; what the database refuses is an error observation."""
        if role not in self._roles:
            return Observation(f"there is no role '{role}' here", error=True)
        offered = [offer.name for offer in self.tools(self._options, role)]
        if tool not in offered:
            return Observation(f"there is no tool '{tool}'; there are {', '.join(offered)}", error=True)
        try:
            if tool == SCHEMA.name:
                return Observation(shortened(await self._worker.call(self._schema), self._options.characters))
            sql, mode = str(arguments.get("sql", "")), "write" if tool == EXECUTE.name else "read"
            result = await self._worker.call(lambda: self._database.run(sql, mode), self._options.seconds)
        except RefusedError as error:
            return Observation(shortened(f"Error: {error}", self._options.characters), error=True)
        return self._told(result)

    def _told(self, result: Result) -> Observation:
        data: dict[str, JsonValue] = {"statements": result.statements}
        parts = []
        if result.changed is not None:
            data["changed"] = result.changed
            parts.append(f"Done: {result.changed} {'row' if result.changed == 1 else 'rows'} changed.")
        elif not result.columns:
            parts.append("Done.")
        if result.columns:
            text, shown = table_text(result.columns, result.rows, result.more, self._options.characters)
            parts.append(text)
            data |= {"rows": shown, "truncated": result.more or shown < len(result.rows)}
        return Observation("\n".join(parts), data=data)

    def _schema(self) -> str:
        """`table(column TYPE, ...)`, one table or view a line."""
        lines = []
        listed = self._database.query(
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        )
        for name, kind in listed:
            targets = {
                column: f" -> {table}.{target or 'rowid'}"
                for column, table, target in self._database.query(
                    'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)', (name,)
                )
            }
            columns = [
                f"{column} {declared}".strip() + targets.get(column, "")
                for column, declared in self._database.query("SELECT name, type FROM pragma_table_info(?)", (name,))
            ]
            lines.append(f"{'view ' if kind == 'view' else ''}{name}({', '.join(columns)})")
        return "\n".join(lines) or "(no tables)"

    async def snapshot(self) -> bytes:
        """Return the database as bytes, and where the random numbers stand."""
        return await self._worker.call(self._database.snapshot)

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot. Raises `EnvironmentFault` when it is none."""
        try:
            await self._worker.call(lambda: self._database.restore(snapshot))
        except RefusedError as error:
            raise EnvironmentFault(f"the snapshot cannot be restored: {error}") from None

    async def final_state(self) -> FinalState:
        """Return the database as bytes. A call still running is interrupted, and so leaves no trace."""
        self._database.interrupt()
        return FinalState(self.kind, await self._worker.call(self._database.image))

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> SqliteReader:
        """Open a recorded database for checks."""
        return SqliteReader(state, now=cast(SqlOptions, opening.options).now, seed=opening.seed)

    async def close(self) -> None:
        """End the thread and free the memory; may be called twice."""
        self._database.interrupt()
        await self._worker.close(self._database.close)


def _script(options: SqlOptions) -> Script:
    path = Path(options.database)
    try:
        return Script(path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"{path.name} cannot be read: {error}") from None
