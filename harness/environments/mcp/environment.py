"""An MCP server as an environment: its tools are the trial's tools, its files and its own words are the state.

A server that speaks over stdio is started anew for every trial, in a sandbox of its own without a network, in a
working folder that is always `/workspace`; one with an address is shared by all, each trial with a session. The
session stays open for as long as the trial does. Which tools there are is pinned in the scenario, so that a model
is shown the same today and next year; a server that says something else when it opens is an error.

A snapshot holds the working folder: after `restore` the server is a new one on those files. Servers that keep more
than their files say so (`in_memory`), and take none, nor do those with an address.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, JsonValue

from harness.environments.mcp.connection import Connection, RefusedError, over_http, over_pipes
from harness.environments.mcp.files import begun_with, contents
from harness.environments.mcp.launch import CannotStartError, Launch, ServerProcess, launch_of, open_sandbox
from harness.environments.mcp.options import McpOptions, McpSetup, PinnedTool, as_workspace
from harness.environments.mcp.results import cut, observation, plain
from harness.environments.mcp.schemas import as_pinned, compare, offered, pinned
from harness.environments.mcp.state import McpState, packed, repositories, unpacked
from harness.environments.packages import Packages
from harness.environments.protocol import Environment, EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.environments.sandbox import MIB, WORKSPACE, BrokenSandboxError, NoSandboxError, unpack
from harness.environments.workspace import WorkspaceState, open_workspace_session
from harness.environments.workspace.prepared import Prepared, furnish, initial_files

if TYPE_CHECKING:
    import mcp_types


class Mcp(Environment):
    """One session with one server for one trial."""

    kind: ClassVar[str] = "mcp"
    Options: ClassVar[type[BaseModel]] = McpOptions
    Setup: ClassVar[type[BaseModel]] = McpSetup

    def __init__(self, options: McpOptions, opening: Opening, pins: Mapping[str, PinnedTool]) -> None:
        """Open nothing yet."""
        self._options = options
        self._opening = opening
        self._pins = pins
        self._tools = offered(pins)
        self._launch: Launch | None = None
        self._process: ServerProcess | None = None
        self._connection: Connection | None = None
        self._calls: list[JsonValue] = []
        self._facts: dict[str, JsonValue] = {}

    @classmethod
    def packages(cls, options: BaseModel) -> Packages | None:
        """What `harness install` installs for a scenario of this kind."""
        return _of(options).server.wanted

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the pinned tools. Raises `UserError` when they cannot be read."""
        return [tool for _, tool in offered(pinned(_of(options))).values()]

    @classmethod
    async def open(cls, opening: Opening) -> Mcp:
        """Start the server, or a session with it, and hold it to its pinned tools. Raises `EnvironmentFault`."""
        environment = cls(_of(opening.options), opening, pinned(_of(opening.options)))
        async with AsyncExitStack() as undo:
            undo.push_async_callback(environment.close)
            await environment._open()
            undo.pop_all()
        return environment

    @classmethod
    async def asked(cls, opening: Opening) -> tuple[dict[str, PinnedTool], dict[str, JsonValue]]:
        """Everything the server offers now, whatever is pinned, and the facts. Raises `EnvironmentFault`."""
        environment = cls(_of(opening.options), opening, {})
        try:
            found = await environment._open()
        finally:
            await environment.close()
        return {name: as_pinned(tool) for name, tool in found.items()}, environment.facts

    @property
    def facts(self) -> dict[str, JsonValue]:
        """`sandbox`, the level of isolation; `server` and `protocol`, as the two agreed on them."""
        return dict(self._facts)

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Call a tool of the server. Raises `EnvironmentFault` when the server is gone."""
        if self._connection is None:
            raise EnvironmentFault("the session with the MCP server is closed")
        if tool not in self._tools:
            raise EnvironmentFault(f"this MCP server has no tool {tool}")
        name, known = self._tools[tool]
        seen = await self._ask(name, arguments)
        if known.changes_state and not seen.error and self._process is None:
            self._calls.append({"role": role, "tool": tool, "arguments": _as_sent(arguments, WORKSPACE)})
        return seen

    async def snapshot(self) -> bytes | None:
        """Return the working folder as it is now; None where that is not all of the world, or too large."""
        if self._process is None or self._options.server.in_memory:
            return None
        try:
            archive = await self._process.session.pack(2 * self._options.limits.disk_mb * MIB, times=True)
        except (BrokenSandboxError, OSError, ValueError) as error:
            raise EnvironmentFault(f"the server's files cannot be read: {error}") from error
        return None if archive.truncated else archive.data

    async def restore(self, snapshot: bytes) -> None:
        """Put a snapshot's files in place and start a new server on them."""
        if self._process is None or self._options.server.in_memory:
            raise EnvironmentFault("this MCP server takes no snapshots")
        await self._end()
        await self._begin(snapshot)

    async def final_state(self) -> FinalState:
        """Ask the server for its state where the scenario says how, end it, and return its files."""
        told = await self._told()
        if self._process is None:
            return packed(self.kind, told, b"", truncated=False)
        try:
            await self._end_session()
            await self._process.session.stop()
            archive = await self._process.session.pack(self._options.limits.state_mb * MIB)
        except (BrokenSandboxError, OSError, ValueError) as error:
            raise EnvironmentFault(f"the server's files cannot be read: {error}") from error
        return packed(self.kind, told, archive.data, truncated=archive.truncated)

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> McpState:
        """Open a recorded final state for checks. Raises `ValueError` for data that is none."""
        options, setup = _of(opening.options), opening.setup
        told, archive = unpacked(state.data)
        if not archive:
            return McpState(told, None)
        if not isinstance(setup, McpSetup):
            raise TypeError("an MCP server is opened with McpSetup")
        as_files, as_setup = as_workspace(options, setup)
        first = await begun_with(options, opening) if options.prepare is not None else None
        files = WorkspaceState(
            archive,
            lambda: open_workspace_session(as_files, opening.scratch, opening.unsafe),
            lambda: contents(first) if first is not None else initial_files(as_files, as_setup),
        )
        held = repositories(archive)
        return McpState(told | ({"repositories": held} if held else {}), files)

    async def close(self) -> None:
        """Leave no process, socket or file behind; may be called twice."""
        await self._end()

    async def _open(self) -> dict[str, mcp_types.Tool]:
        """Start the server, or not, and begin the session; what the server offers."""
        if not self._options.server.command:
            return await self._connect_by_address()
        self._launch = launch_of(self._options.server)
        return await self._begin(await begun_with(self._options, self._opening))

    async def _begin(self, files: Prepared | bytes) -> dict[str, mcp_types.Tool]:
        """Open a sandbox with these files, start the server there and open the session."""
        if self._launch is None:
            raise EnvironmentFault("this server has an address")
        options, scratch = self._options, self._opening.scratch
        process = await open_sandbox(self._launch, options, scratch, unsafe=self._opening.unsafe)
        self._process = process
        try:
            await process.session.files(
                lambda folder: furnish(folder, files) if isinstance(files, Prepared) else unpack(folder, files)
            )
            await process.start(self._launch, scratch)
            self._facts["sandbox"] = process.session.level
        except (BrokenSandboxError, NoSandboxError, OSError, ValueError) as error:
            raise EnvironmentFault(f"the server's files cannot be laid out: {error}") from error
        ended = asyncio.Event()
        self._connection = Connection(over_pipes(*process.take(), ended), ended)
        return await self._agree(self._connection)

    async def _connect_by_address(self) -> dict[str, mcp_types.Tool]:
        server = self._options.server
        url = server.url or _variable(server.url_env or "", "the server's address")
        headers = {name: _variable(variable, f"the header {name}") for name, variable in server.headers_env.items()}
        self._facts["sandbox"] = "none (a server with an address, shared by all trials)"
        self._connection = Connection(over_http(url, headers), asyncio.Event())
        return await self._agree(self._connection)

    async def _agree(self, connection: Connection) -> dict[str, mcp_types.Tool]:
        """Open the session and hold the server's tools to the pinned ones."""
        seconds = self._options.server.start_seconds
        try:
            await connection.open(seconds)
            found = await connection.tools(seconds)
        except EnvironmentFault as fault:
            raise await self._explained(fault) from fault
        compare(self._pins, found)
        self._facts |= connection.about
        return found

    async def _ask(self, name: str, arguments: dict[str, Any]) -> Observation:
        """Call a tool by the server's own name."""
        if self._connection is None:
            raise EnvironmentFault("the session with the MCP server is closed")
        limits = self._options.limits
        given = {name: _as_sent(value, self._where) for name, value in arguments.items()}
        try:
            result = await self._connection.call(name, given, limits.seconds)
        except RefusedError as refusal:
            text, _ = cut(plain(str(refusal), self._replaced), limits.output_chars)
            return Observation(text, error=True, data={"refused": True})
        except EnvironmentFault as fault:
            raise await self._explained(fault) from fault
        return observation(result, limits.output_chars, self._replaced)

    async def _told(self) -> dict[str, JsonValue]:
        """What the server tells of itself at the end, or what was done to it where nobody else can tell."""
        asked = self._options.state_call
        if asked is None:
            return {} if self._process is not None else {"calls": self._calls}
        seen = await self._ask_in_full(asked.tool, dict(asked.arguments))
        return {"server": seen}

    async def _ask_in_full(self, name: str, arguments: dict[str, Any]) -> JsonValue:
        """A tool's whole answer as data: its structured content, its text as JSON, or its text."""
        if self._connection is None:
            raise EnvironmentFault("the session with the MCP server is closed")
        most = self._options.limits.state_mb * MIB
        try:
            result = await self._connection.call(name, arguments, self._options.limits.seconds)
        except RefusedError as refusal:
            raise EnvironmentFault(f"the server does not tell its state ({name}): {refusal}") from refusal
        seen = observation(result, most, self._replaced)
        if seen.error:
            raise EnvironmentFault(f"the server does not tell its state ({name}): {seen.text[:200]}")
        if result.structured_content is not None:
            return json.loads(plain(json.dumps(result.structured_content), self._replaced))  # type: ignore[no-any-return]
        try:
            return json.loads(seen.text)  # type: ignore[no-any-return]
        except ValueError:
            return seen.text

    async def _explained(self, fault: EnvironmentFault) -> EnvironmentFault:
        """A fault with what the server said last, which is all that tells why it is gone."""
        gone = self._connection is None or self._connection.gone
        words = await self._process.last_words(gone=gone) if self._process is not None else ""
        said = plain(f"{fault}; it said last: {words}" if words else str(fault), self._replaced)
        return CannotStartError(said) if not self._facts.get("protocol") else EnvironmentFault(said)

    async def _end_session(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _end(self) -> None:
        """End session, server and sandbox."""
        try:
            await self._end_session()
        finally:
            if self._process is not None:
                process, self._process = self._process, None
                await process.close()

    @property
    def _where(self) -> str:
        return self._process.session.where if self._process is not None else WORKSPACE

    @property
    def _replaced(self) -> Mapping[str, str]:
        """Paths of this machine -> what stands for them."""
        own = dict(self._launch.replaced) if self._launch is not None else {}
        return own if self._where == WORKSPACE else {self._where: WORKSPACE, **own}


def _of(options: BaseModel) -> McpOptions:
    if not isinstance(options, McpOptions):
        raise TypeError("an MCP server is opened with McpOptions")
    return options


def _variable(name: str, what: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise CannotStartError(f"{what} is not set: export {name}")
    return value


def _as_sent(value: JsonValue, where: str) -> JsonValue:
    """Arguments as any JSON writer takes them, with paths of the working folder as they are where it lies."""
    if isinstance(value, str):
        inside = where != WORKSPACE and (value == WORKSPACE or value.startswith(f"{WORKSPACE}/"))
        return plain(where + value[len(WORKSPACE) :] if inside else value, {})
    if isinstance(value, list):
        return [_as_sent(one, where) for one in value]
    if isinstance(value, dict):
        return {plain(key, {}): _as_sent(one, where) for key, one in value.items()}
    return value
