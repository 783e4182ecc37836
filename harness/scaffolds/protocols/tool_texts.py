"""Tools as text, short enough for small models: one JSON line per tool.

    {"name":"read_file","about":"Read a file.","arguments":{"path":"string, relative path"}}

Simple arguments are said in words (type, bounds that matter, description); what words cannot say (nested
objects, alternatives) is given as its JSON schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.environments.protocol import Tool

_SIMPLE = frozenset({"string", "integer", "number", "boolean", "null"})


def tool_lines(tools: Sequence[Tool]) -> str:
    """The tools, one compact JSON line each, in the order given."""
    return "\n".join(
        json.dumps(
            {"name": tool.shown_name, "about": tool.description, "arguments": _arguments(tool.parameters)},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for tool in tools
    )


def _arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    required = schema.get("required", [])
    return {name: _argument(item, name in required) for name, item in schema.get("properties", {}).items()}


def _argument(schema: Mapping[str, Any], required: bool) -> str | dict[str, Any]:
    words = _words(schema)
    if words is None:
        return {**schema, "optional": True} if not required else dict(schema)
    about = schema.get("description")
    parts = [words, *([] if required else ["optional"]), *([str(about)] if about else [])]
    return ", ".join(parts)


def _words(schema: Mapping[str, Any]) -> str | None:
    """The type in words, or None where only the schema itself can say it."""
    if "enum" in schema:
        return "one of " + " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list) and set(kind) <= _SIMPLE:
        return " or ".join(kind)
    if kind in ("integer", "number") and "minimum" in schema and "maximum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    if isinstance(kind, str) and kind in _SIMPLE:
        return kind
    items = schema.get("items")
    if kind == "array" and isinstance(items, Mapping) and items.get("type") in _SIMPLE and "enum" not in items:
        return f"list of {items['type']}s"
    return None
