"""`harness tools`: what an MCP server says of its tools, and writing it down for a scenario."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from harness.environments.mcp import McpOptions, PinnedTool


@click.command
@click.argument("scenario")
@click.option("--write", "writing", is_flag=True, help="Write them into the scenario's tools_file.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object {server, tools: {name: {description, ...}}}.")
def command(scenario: str, writing: bool, as_json: bool) -> None:
    """Ask the MCP server of SCENARIO (a file, or the name of a shipped one) for its tools.

    The server is started once, as for a trial. Each tool is listed with what became of it: same as pinned, changed,
    new, or gone. With --write they are pinned as they are now: those that the scenario names under `tools`, or all. A
    `changes_state` that somebody has set in the file stays. Exit codes: 0 as pinned, or written; 1 not as pinned;
    2 wrong input, or the server cannot be started.
    """
    from pathlib import Path

    from harness.environments.mcp.pinning import ask, taken, tools_file, write
    from harness.spec import find_file

    path = find_file(scenario, "scenario", Path.cwd())
    options, before = _options(path, writing=writing)
    found, facts = ask(options)
    server = f"{facts.get('server')}, protocol {facts.get('protocol')}"
    if as_json:
        told = {name: tool.model_dump(mode="json") for name, tool in found.items()}
        click.echo(json.dumps({"server": server, "tools": told}, indent=2))
    offered = set(options.tools or found)
    states = {name: _state(name, found, before, offered) for name in {**before, **found}}
    if not as_json:
        click.echo(server)
        width = max(map(len, states), default=0)
        for name, state in states.items():
            tool = found.get(name) or before[name]
            does = "changes" if tool.changes_state else "reads"
            click.echo(f"  {name:<{width}}  {state:<11}  {does:<7}  {tool.description.splitlines()[0][:60]}")
    if writing:
        file = tools_file(path)
        write(file, taken(options, found, before), server)
        if not as_json:
            click.echo(f"written: {file}")
    elif any(state in ("changed", "gone", "new") for state in states.values()):
        sys.exit(1)


def _options(path: Path, *, writing: bool) -> tuple[McpOptions, dict[str, PinnedTool]]:
    """The environment's options and what is pinned now; a file that is still to be written need not be there."""
    from harness.environments import CATALOG
    from harness.environments.mcp import McpOptions
    from harness.environments.mcp.pinning import tools_file
    from harness.environments.mcp.schemas import all_pinned
    from harness.errors import UserError
    from harness.spec import load_environment

    file = tools_file(path) if writing else None
    fresh = file is not None and not file.exists()
    if file is not None and fresh:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("tools: {}\n")
    try:
        kind, options = load_environment(path, CATALOG)
    finally:
        if file is not None and fresh:
            file.unlink()
    if not isinstance(options, McpOptions):
        raise UserError(f"{path}: the environment is of kind {kind}; tools are asked for of kind mcp")
    return options, {} if fresh else all_pinned(options, lenient=writing)


def _state(name: str, found: dict[str, PinnedTool], before: dict[str, PinnedTool], offered: set[str]) -> str:
    if name not in found:
        return "gone"
    if name not in before:
        return "new" if name in offered else "not offered"
    now, then = found[name], before[name]
    return "as pinned" if (now.description, now.parameters) == (then.description, then.parameters) else "changed"
