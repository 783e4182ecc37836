"""SQLite as the ground under environments: bounded, deterministic, one private copy in memory per trial.

Used by the kinds `sql` and `office`. A database travels as its *image*, the bytes of a database file.
"""

from __future__ import annotations

from harness.environments.sqlite.access import table_access
from harness.environments.sqlite.clock import office_time
from harness.environments.sqlite.database import Database, RefusedError, Result
from harness.environments.sqlite.guard import Bounds, TableAccess
from harness.environments.sqlite.reader import SqliteReader
from harness.environments.sqlite.template import Script, build_image
from harness.environments.sqlite.text import cell_text, table_text
from harness.environments.sqlite.worker import Worker

__all__ = [
    "Bounds",
    "Database",
    "RefusedError",
    "Result",
    "Script",
    "SqliteReader",
    "TableAccess",
    "Worker",
    "build_image",
    "cell_text",
    "office_time",
    "table_access",
    "table_text",
]
