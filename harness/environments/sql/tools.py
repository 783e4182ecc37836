"""The tools of the kind `sql`; the same for all engines."""

from __future__ import annotations

from pydantic import JsonValue

from harness.environments.protocol import Tool
from harness.environments.sqlite import Bounds

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
