"""Writing down what a server says of its tools, so that every trial shows models the same.

tools, facts = ask(scenario)
write(scenario, tools, facts)
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from harness.environments.mcp.environment import Mcp
from harness.environments.mcp.options import McpOptions, McpSetup, PinnedTool
from harness.environments.protocol import EnvironmentFault, Opening
from harness.environments.services import Services
from harness.errors import UserError


def tools_file(scenario: Path) -> Path:
    """Where a scenario keeps its tools, there or not. Raises `UserError` when it says no such place."""
    import yaml

    try:
        with scenario.open("rb") as stream:
            data = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        named = data["environment"]["tools_file"]
        return scenario.parent / str(named)
    except OSError as error:
        raise UserError(f"{scenario}: cannot be read: {(error.strerror or '').lower()}") from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"{scenario}: environment has no `tools_file`, so there is nowhere to write the tools"
        ) from error


def ask(options: McpOptions) -> tuple[dict[str, PinnedTool], dict[str, JsonValue]]:
    """Start the server, or open a session with it, and return all its tools and what is known of it.

    Raises `UserError` when it cannot be asked.
    """

    async def once(scratch: Path) -> tuple[dict[str, PinnedTool], dict[str, JsonValue]]:
        async with Services() as services:
            return await Mcp.asked(Opening(options, McpSetup(), ("worker",), 0, scratch, services=services))

    with tempfile.TemporaryDirectory(prefix="harness-tools-", ignore_cleanup_errors=True) as scratch:
        try:
            return asyncio.run(once(Path(scratch)))
        except EnvironmentFault as fault:
            raise UserError(str(fault)) from fault


def taken(
    options: McpOptions, found: Mapping[str, PinnedTool], before: Mapping[str, PinnedTool]
) -> dict[str, PinnedTool]:
    """The tools to be written: those the scenario offers, or all; `changes_state` as somebody has set it before.

    Raises `UserError` when the server lacks one that is offered.
    """
    names = options.tools if isinstance(options.tools, list) else list(found)
    missing = [name for name in names if name not in found]
    if missing:
        raise UserError(f"the server has no tool {', '.join(missing)}; it has {', '.join(found)}")
    return {
        name: found[name].model_copy(update={"changes_state": before[name].changes_state})
        if name in before
        else found[name]
        for name in names
    }


def write(path: Path, tools: Mapping[str, PinnedTool], server: str) -> None:
    """Write a tools file, whole or not at all. Raises `OSError`."""
    import yaml

    listed = {name: tool.model_dump(mode="json") for name, tool in tools.items()}
    text = yaml.safe_dump({"server": server, "tools": listed}, sort_keys=False, allow_unicode=True, width=110)
    head = "# What the server says of its tools, written by: harness tools SCENARIO --write\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".yaml")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(head + text)
    Path(name).chmod(0o644)
    Path(name).replace(path)
