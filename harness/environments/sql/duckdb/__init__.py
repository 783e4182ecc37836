"""DuckDB for the kind `sql`: each database in a process of its own, which can be bounded and killed."""

from __future__ import annotations

from harness.environments.sql.duckdb.engine import DuckdbEngine

__all__ = ["DuckdbEngine"]
