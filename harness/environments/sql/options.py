"""What a scenario says about its database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator

from harness.environments.sqlite import Bounds, office_time
from harness.environments.sqlite.clock import DEFAULT_NOW
from harness.spec.base import DataPath, Spec


class TableRights(Spec):
    """What a role may do, table by table or view by view; to all others it has no way. Not with DuckDB."""

    read: list[str] = Field(default_factory=list)
    """Tables and views whose rows it sees."""
    write: list[str] = Field(default_factory=list)
    """Tables whose rows it sees, adds, changes and deletes."""


@dataclass(frozen=True)
class Rights:
    """What one role may do."""

    writes: bool
    """Something at all; such a role is offered `execute`."""
    tables: TableRights | None = None
    """None means all tables."""


class SqlOptions(Spec):
    """Options of the kind `sql`."""

    engine: Literal["sqlite", "duckdb", "postgresql"] = "sqlite"
    """What keeps the data, and whose dialect the scripts, the roles and the `sql` checks speak."""
    database: DataPath
    """An SQL script, in the engine's dialect, that builds the database."""
    access: dict[str, Literal["read", "write"] | TableRights] = Field(default_factory=dict)
    """What a role may do; a role that is not named may write."""
    now: str = DEFAULT_NOW
    """What the date and time functions of SQL take for now; local time."""
    rows: int = Field(50, ge=1, le=1000)
    """Rows shown of one result."""
    characters: int = Field(4000, ge=200, le=100_000)
    """Length of one observation."""
    seconds: float = Field(10.0, gt=0, le=300)
    """Wall time of one call. With SQLite a bound on work, the same on every machine, ends a call before that."""
    megabytes: int = Field(64, ge=1, le=1024)
    """Size the database may reach."""
    server_env: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)
    """PostgreSQL only: name of an environment variable with the URL of a running server on which databases may be
    made and dropped; a superuser's, of a server for trials alone. The harness starts one of its own when absent."""

    @field_validator("now")
    @classmethod
    def _now(cls, value: str) -> str:
        return office_time(value)

    @property
    def bounds(self) -> Bounds:
        """The options as the core takes them."""
        return Bounds(rows=self.rows, seconds=self.seconds, database_bytes=self.megabytes * 2**20)

    def rights(self, role: str) -> Rights:
        """What a role may do."""
        given = self.access.get(role, "write")
        if isinstance(given, TableRights):
            return Rights(bool(given.write), given)
        return Rights(given == "write")


class SqlSetup(Spec):
    """What a task adds to the database."""

    sql: str = ""
    """Statements run on this task's copy before it opens."""
