"""The kind `mcp`: any MCP server, over stdio in a sandbox of its own or over streamable HTTP."""

from __future__ import annotations

from harness.environments.mcp.environment import Mcp
from harness.environments.mcp.options import McpLimits, McpOptions, McpSetup, PinnedTool, Server

__all__ = ["Mcp", "McpLimits", "McpOptions", "McpSetup", "PinnedTool", "Server"]
