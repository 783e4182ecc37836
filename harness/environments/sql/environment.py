"""The kind `sql`: offers the tools, and has the engine carry them out."""

from __future__ import annotations

from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, JsonValue

from harness.environments.protocol import (
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    StateReader,
    Tool,
)
from harness.environments.sql.engine import SqlEngine, World, load_engine
from harness.environments.sql.options import SqlOptions, SqlSetup
from harness.environments.sql.tools import EXECUTE, QUERY, SCHEMA
from harness.environments.sqlite import RefusedError, Result, table_text
from harness.environments.sqlite.text import shortened


class SqlDatabase(Environment):
    """One trial's database (`harness.environments.protocol.Environment`)."""

    kind: ClassVar[str] = "sql"
    Options: ClassVar[type[BaseModel]] = SqlOptions
    Setup: ClassVar[type[BaseModel]] = SqlSetup

    def __init__(self, options: SqlOptions, roles: tuple[str, ...], engine: SqlEngine) -> None:
        """Take over an open database."""
        self._options = options
        self._roles = roles
        self._engine = engine
        self._closed = False

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return `schema`, `query`, and `execute` unless the role only reads."""
        writes = cast(SqlOptions, options).rights(role).writes
        return [SCHEMA, QUERY, EXECUTE] if writes else [SCHEMA, QUERY]

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Open a copy of the database in its first state.

        Raises `EnvironmentFault` when the scripts do not run, and `SqlError` when the engine is not to be had.
        """
        world = World.of(opening)
        engine = await load_engine(world.options.engine).open(world)
        return cls(world.options, tuple(opening.roles), engine)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the engine's version."""
        return self._engine.facts

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Run a tool; what the database refuses is an error observation."""
        if self._closed:
            raise EnvironmentFault("the database is closed")
        if role not in self._roles:
            return Observation(f"there is no role '{role}' here", error=True)
        offered = [offer.name for offer in self.tools(self._options, role)]
        if tool not in offered:
            return Observation(f"there is no tool '{tool}'; there are {', '.join(offered)}", error=True)
        try:
            if tool == SCHEMA.name:
                return Observation(shortened(await self._engine.schema(role), self._options.characters))
            result = await self._engine.run(role, str(arguments.get("sql", "")), writing=tool == EXECUTE.name)
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

    async def snapshot(self) -> bytes:
        """Return the database as bytes, and where the random numbers stand."""
        return await self._engine.snapshot()

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot. Raises `EnvironmentFault` when it is none."""
        await self._engine.restore(snapshot)

    async def final_state(self) -> FinalState:
        """Return the database as bytes. A call still running is interrupted, and so leaves no trace."""
        return FinalState(self.kind, await self._engine.final())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> StateReader:
        """Open a recorded database for checks."""
        return await load_engine(cast(SqlOptions, opening.options).engine).read(state, opening)

    async def close(self) -> None:
        """Leave nothing behind; may be called twice."""
        self._closed = True
        await self._engine.close()
