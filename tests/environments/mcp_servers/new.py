"""A small MCP server written with the SDK, in its newest protocol version: over stdio, or over HTTP with a port."""

import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("shelf")
kept: dict[str, str] = {}


@server.tool()
def put(name: str, text: str) -> str:
    """Put a text on the shelf."""
    kept[name] = text
    Path("shelf.txt").write_text("\n".join(f"{name}: {text}" for name, text in sorted(kept.items())))
    return f"{len(kept)} on the shelf"


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def shelf() -> dict[str, str]:
    """Everything on the shelf."""
    return kept


@server.tool()
def upset() -> str:
    """Raise an error."""
    raise ValueError("the shelf is full")


if len(sys.argv) > 1:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
else:
    server.run("stdio")
