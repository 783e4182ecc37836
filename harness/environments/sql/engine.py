"""What an engine does for the kind `sql`, and where each is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault, FinalState, Opening, StateReader
from harness.environments.sql.options import SqlOptions, SqlSetup
from harness.environments.sqlite import Result, Script
from harness.errors import UserError


class SqlError(UserError, EnvironmentFault):
    """A scenario or a machine that the database cannot be opened with: for people to mend."""


@dataclass(frozen=True)
class World:
    """What an engine opens a database from."""

    options: SqlOptions
    scripts: tuple[Script, ...]
    """The scenario's and the task's, in order."""
    opening: Opening

    @classmethod
    def of(cls, opening: Opening) -> World:
        """The world of an opening. Raises `SqlError` and `EnvironmentFault`."""
        options, setup = cast(SqlOptions, opening.options), cast(SqlSetup, opening.setup)
        strangers = sorted(set(options.access) - set(opening.roles))
        if strangers:
            raise SqlError(f"access names roles that the scenario has not: {', '.join(strangers)}")
        if options.server_env is not None and options.engine != "postgresql":
            raise SqlError(f"server_env is for engine postgresql; the engine is {options.engine}")
        return cls(options, (_script(options), Script("setup.sql", setup.sql)), opening)


class SqlEngine(Protocol):
    """One trial's database. A call is bounded in rows, time and size, and leaves no transaction open."""

    @classmethod
    async def open(cls, world: World) -> SqlEngine:
        """Open a copy of the database in its first state. Raises `EnvironmentFault` when the scripts do not run."""
        ...

    @property
    def facts(self) -> dict[str, JsonValue]:
        """The engine and its version."""
        ...

    async def run(self, role: str, sql: str, *, writing: bool) -> Result:
        """Run SQL for a role. Raises `RefusedError` with a message for whoever wrote it."""
        ...

    async def schema(self, role: str) -> str:
        """`table(column TYPE -> table.column, ...)`, one table or view a line, of those that the role may see."""
        ...

    async def snapshot(self) -> bytes:
        """The database as bytes, and where the random numbers stand."""
        ...

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot. Raises `EnvironmentFault` when it is none."""
        ...

    async def final(self) -> bytes:
        """The database as bytes. A call still running is ended, and so leaves no trace."""
        ...

    @classmethod
    async def read(cls, state: FinalState, opening: Opening) -> StateReader:
        """Open a recorded database for checks."""
        ...

    async def close(self) -> None:
        """Leave nothing behind; may be called twice."""
        ...


_PLACES = {
    "sqlite": "harness.environments.sql.sqlite:SqliteEngine",
    "duckdb": "harness.environments.sql.duckdb:DuckdbEngine",
    "postgresql": "harness.environments.sql.postgresql:PostgresqlEngine",
}
_PACKAGES = {"duckdb": ("duckdb", "pytz"), "postgresql": ("psycopg",)}


def load_engine(name: str) -> type[SqlEngine]:
    """The engine of a name. Raises `SqlError` with the command that installs what is missing."""
    missing = [package for package in _PACKAGES.get(name, ()) if find_spec(package) is None]
    if missing:
        wanted = f"pip install 'scaffold-harness[{name}]'"
        raise SqlError(f"engine {name} needs the package {missing[0]}, which is not here; get it with: {wanted}")
    module, _, attribute = _PLACES[name].partition(":")
    return cast(type[SqlEngine], getattr(import_module(module), attribute))


def schema_text(tables: Sequence[tuple[bool, str, Sequence[tuple[str, str, str]]]]) -> str:
    """Tables as the tool `schema` shows them: (is it a view, name, columns as (name, type, what it refers to))."""
    lines = []
    for view, name, columns in tables:
        shown = [f"{column} {declared}".strip() + target for column, declared, target in columns]
        lines.append(f"{'view ' if view else ''}{name}({', '.join(shown)})")
    return "\n".join(lines) or "(no tables)"


def _script(options: SqlOptions) -> Script:
    path = Path(options.database)
    try:
        return Script(path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"{path.name} cannot be read: {error}") from None
