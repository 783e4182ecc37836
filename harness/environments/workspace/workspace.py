"""A workspace: a folder of files and a shell, in a sandbox of its own.

What the commands may use is in `WorkspaceLimits`. The file tools work from outside and follow no link;
the shell lives inside (`harness.environments.sandbox`). Without a sandbox on this machine opening fails
with one line on how to get one, unless the scenario or the user said `unsafe`; the level is in `facts`.

A snapshot holds the files, not what runs: after `restore` the shell is a new one.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, JsonValue

from harness.environments.protocol import Environment, EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.environments.sandbox import MIB, BrokenSandboxError, CommandResult, NoSandboxError, Session
from harness.environments.workspace.languages import Languages, languages
from harness.environments.workspace.options import (
    NoWorkspaceError,
    WorkspaceOptions,
    WorkspaceSetup,
    open_workspace_session,
)
from harness.environments.workspace.prepared import both, furnish, initial_files, prepared
from harness.environments.workspace.state import WorkspaceState
from harness.environments.workspace.tools import RUN, call_file_tool, file_tools

_Result = TypeVar("_Result")


class Workspace(Environment):
    """Files and a shell for one trial."""

    kind: ClassVar[str] = "workspace"
    Options: ClassVar[type[BaseModel]] = WorkspaceOptions
    Setup: ClassVar[type[BaseModel]] = WorkspaceSetup

    def __init__(self, options: WorkspaceOptions, session: Session, found: Languages) -> None:
        """Take over an open session."""
        self._options = options
        self._session = session
        self._languages = found

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the file tools, and `run` where the scenario has a shell."""
        if not isinstance(options, WorkspaceOptions):
            raise TypeError("the tools of a workspace follow from WorkspaceOptions")
        return [*([RUN] if options.shell else []), *file_tools(options.toolset)]

    @classmethod
    async def open(cls, opening: Opening) -> Workspace:
        """Open a workspace with the scenario's and the task's files. Raises `EnvironmentFault`."""
        options, _ = both(opening)
        found = await languages(opening)
        files = await prepared(opening)
        session = await open_workspace_session(options, opening.scratch, opening.unsafe)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(session.close)
            try:
                await session.files(lambda folder: furnish(folder, files))
            except (OSError, ValueError) as error:
                raise NoWorkspaceError(f"the initial files do not fit into the workspace: {error}") from error
            undo.pop_all()
        return cls(options, session, found)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """`sandbox`, the level of isolation; `files`, how a trial comes by its files; `languages` with versions."""
        facts: dict[str, JsonValue] = {"sandbox": self._session.level, "files": "copy"}
        if self._languages.versions:
            facts["languages"] = {str(name): version for name, version in self._languages.versions.items()}
        return facts

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Call a tool. Raises `EnvironmentFault` when the sandbox fails."""
        limits = self._options.limits
        try:
            if tool == RUN.name and self._options.shell:
                return await self._run(str(arguments["command"]))
            return await self._session.files(
                lambda folder: call_file_tool(folder, tool, arguments, limits.file_chars)
            )  # fmt: skip
        except (BrokenSandboxError, NoSandboxError, OSError) as error:
            raise EnvironmentFault(f"the workspace broke: {error}") from error
        except KeyError as error:
            raise EnvironmentFault(f"a workspace has no tool {tool}, or the call lacks {error}") from error

    async def snapshot(self) -> bytes | None:
        """Return the files as they are now; None when they are too large."""
        packed = await self._attributed(self._session.pack(2 * self._options.limits.disk_mb * MIB, times=True))
        return None if packed.truncated else packed.data

    async def restore(self, snapshot: bytes) -> None:
        """End everything that runs and put a snapshot's files in place."""
        await self._attributed(self._session.replace(snapshot))

    async def final_state(self) -> FinalState:
        """End everything that runs and return the files."""
        await self._attributed(self._session.stop())
        packed = await self._attributed(self._session.pack(self._options.limits.state_mb * MIB))
        return FinalState(self.kind, packed.data, packed.truncated)

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> WorkspaceState:
        """Open recorded files for checks. Raises `ValueError` for data that is no archive."""
        options, setup = both(opening)
        return WorkspaceState(
            state.data,
            lambda: open_workspace_session(options, opening.scratch, opening.unsafe),
            lambda: initial_files(options, setup),
        )

    async def close(self) -> None:
        """Leave nothing behind; may be called twice."""
        await self._attributed(self._session.close())

    async def _run(self, command: str) -> Observation:
        limits = self._options.limits
        try:
            result = await self._session.run(command, limits.seconds)
        except ValueError as error:
            return Observation(f"The command was not run: {error}.", error=True, data={"exit": None})
        text = result.output.text.rstrip("\n")
        remarks = _remarks(result, limits.seconds)
        return Observation(
            "\n".join(part for part in (text, *remarks) if part) or "[no output]",
            error=result.exit != 0,
            data={
                "exit": result.exit,
                "timed_out": result.timed_out,
                "stopped": result.stopped,
                "bytes": result.output.bytes_printed,
                "truncated": result.output.bytes_left_out > 0,
            },
        )

    @staticmethod
    async def _attributed(doing: Awaitable[_Result]) -> _Result:
        """Await; a sandbox that breaks is the environment's fault."""
        try:
            return await doing
        except (BrokenSandboxError, NoSandboxError, OSError, ValueError) as error:
            raise EnvironmentFault(f"the workspace broke: {error}") from error


def _remarks(result: CommandResult, seconds: float) -> list[str]:
    """Tell in brackets what the output alone does not."""
    remarks = [f"[{result.before}]"] if result.before else []
    if result.timed_out:
        remarks.append(f"[stopped after {seconds:g} seconds]")
    elif result.stopped:
        remarks.append(f"[stopped: {result.stopped}]")
    elif result.exit:
        remarks.append(f"[exit code {result.exit}]")
    if result.shell_lost:
        remarks.append("[the shell ended with all it had started; the files are kept, a new shell comes next]")
    return remarks
