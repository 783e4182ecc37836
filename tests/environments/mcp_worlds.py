"""The small MCP servers of these tests as options of a scenario."""

from pathlib import Path
from typing import Any

SERVERS = Path(__file__).parent / "mcp_servers"
_TEXT = {"text": {"type": "string"}}
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "add": _TEXT,
    "remember": _TEXT,
    "long": {"size": {"type": "integer"}},
    "sleep": {"seconds": {"type": "number"}},
    "hoard": {"megabytes": {"type": "integer"}},
    "die": {"words": {"type": "string"}},
}
_CHANGING = ("add", "remember", "hoard", "die")


def pin(name: str) -> dict[str, Any]:
    """What the notebook server says of a tool, as it is pinned."""
    properties = _ARGUMENTS.get(name, {})
    return {
        "description": f"The tool {name}.",
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
        "changes_state": name in _CHANGING,
    }


def notebook(*names: str, **server: Any) -> dict[str, Any]:
    """Options with the notebook server and some of its tools; `server` adds to its block."""
    block = {"command": ["python", "/server/old.py"], "folder": str(SERVERS), **server}
    limits = {"memory_mb": 128, "disk_mb": 4, "processes": 32, "state_mb": 1, "output_chars": 2000}
    return {"server": block, "tools": {name: pin(name) for name in names}, "limits": limits}
