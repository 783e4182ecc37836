"""What a server's working folder holds when a trial begins: the scenario's files, and what a script makes of them.

The script is run once in a run, in a sandbox; what it leaves is packed and laid out for every trial. This is how a
repository with a history comes about: commits are dated by the script, and so are the same everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.environments.mcp.launch import CannotStartError
from harness.environments.mcp.options import McpOptions, McpSetup, as_workspace
from harness.environments.protocol import EnvironmentFault, Opening
from harness.environments.sandbox import MIB, BrokenSandboxError, NoSandboxError, entries
from harness.environments.workspace import open_workspace_session
from harness.environments.workspace.prepared import Prepared, furnish, prepared

_PREPARE_SECONDS = 120.0


async def begun_with(options: McpOptions, opening: Opening) -> Prepared:
    """The initial files of an opening's task. Raises `CannotStartError` when the script fails."""
    setup = opening.setup
    if not isinstance(setup, McpSetup):
        raise TypeError("an MCP server is opened with McpSetup")
    files, laid_over = as_workspace(options, setup)
    as_files = replace(opening, options=files, setup=laid_over)
    if options.prepare is None:
        return await prepared(as_files)
    key = ("mcp files", options.prepare, files.model_dump_json(), laid_over.model_dump_json())
    script = Path(options.prepare)
    return await opening.services.get(key, lambda: _made(as_files, script))


def contents(files: Prepared) -> dict[str, bytes]:
    """Path -> content of all there is at the beginning, links left out."""
    found: dict[str, bytes] = {}
    for layer in files.layers:
        found |= {header.name: content for header, content in entries(layer) if header.isreg()}
    return found


async def _made(opening: Opening, script: Path) -> Prepared:
    """Lay out the files, run the script on them, and pack what there is then."""
    from harness.environments.workspace.prepared import both

    options, _ = both(opening)
    first = await prepared(opening)
    session = await open_workspace_session(options, opening.scratch, opening.unsafe)
    try:
        await session.files(lambda folder: furnish(folder, first))
        ran = await session.run_last(script.read_text(), _PREPARE_SECONDS)
        if ran.exit != 0:
            said = " ".join(ran.output.text.split())[-300:]
            raise CannotStartError(f"{script.name} failed (exit code {ran.exit}): {said}")
        packed = await session.pack(2 * options.limits.disk_mb * MIB)
    except (BrokenSandboxError, NoSandboxError, OSError, ValueError) as error:
        raise EnvironmentFault(f"{script.name} could not be run: {error}") from error
    finally:
        await session.close()
    if packed.truncated:
        raise CannotStartError(f"{script.name} leaves more than fits into the working folder; raise disk_mb")
    return Prepared((packed.data,))
