"""The kind `sql`: a database of the trial's own, with bounded queries; SQLite, DuckDB or PostgreSQL.

    environment:
      kind: sql
      engine: sqlite                     # or duckdb, postgresql
      database: refund-desk/shop.sql     # a script that builds it, in the engine's dialect
      access: {auditor: read}            # other roles may write

Tools: `query` (one statement that only reads), `execute` (any statements; not for roles that only read)
and `schema` (tables and columns in a few lines). Each call stands alone: a transaction that is still open
at its end is rolled back. Time stands still at `now`, and random numbers come from the seed of the trial.

`environment.py` is the kind; an engine keeps the protocol of `engine.py`, in a module or folder of its name.
"""

from __future__ import annotations

from harness.environments.sql.environment import SqlDatabase
from harness.environments.sql.options import Rights, SqlOptions, SqlSetup, TableRights
from harness.environments.sql.tools import EXECUTE, QUERY, SCHEMA

__all__ = ["EXECUTE", "QUERY", "SCHEMA", "Rights", "SqlDatabase", "SqlOptions", "SqlSetup", "TableRights"]
