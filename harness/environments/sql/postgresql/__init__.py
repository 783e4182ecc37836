"""PostgreSQL for the kind `sql`: one server a run, started by the harness or given, and a database for each trial."""

from __future__ import annotations

from harness.environments.sql.postgresql.engine import PostgresqlEngine

__all__ = ["PostgresqlEngine"]
