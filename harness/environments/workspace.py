"""A workspace: a folder of files and a shell, in a sandbox of its own.

What the commands may use is in `WorkspaceLimits`. The file tools work from outside and follow no link;
the shell lives inside (`harness.environments.sandbox`). Without a sandbox on this machine opening fails
with one line on how to get one, unless the scenario or the user said `unsafe`; the level is in `facts`.

A snapshot holds the files, not what runs: after `restore` the shell is a new one.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field, JsonValue

from harness.environments.protocol import EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.environments.sandbox import (
    MIB,
    STEADY_TIME,
    BrokenSandboxError,
    CommandResult,
    Folder,
    Limits,
    NoSandboxError,
    Session,
    open_session,
    pack,
    unpack,
)
from harness.environments.workspace_state import WorkspaceState
from harness.environments.workspace_tools import FILE_TOOLS, RUN, call_file_tool, relative
from harness.spec.base import DataFolder, Spec, UserError

_Result = TypeVar("_Result")
_LARGEST_DATA = 256 * MIB


class WorkspaceLimits(Spec):
    """What a trial may use of the machine."""

    memory_mb: int = Field(512, ge=32, le=65_536)
    """Of all processes together."""
    disk_mb: int = Field(64, ge=1, le=16_384)
    """Of the workspace; `/tmp` has as much again."""
    files: int = Field(20_000, ge=100, le=1_000_000)
    """Files and folders."""
    processes: int = Field(128, ge=8, le=4096)
    """At one time."""
    seconds: float = Field(20.0, gt=0, le=3600)
    """For one command; after that everything is stopped and a new shell started."""
    output_chars: int = Field(4000, ge=100, le=1_000_000)
    """Of a command's output, as the model sees it; the middle is left out."""
    file_chars: int = Field(4000, ge=100, le=1_000_000)
    """Of a file, listing or search, as the model sees it."""
    state_mb: int = Field(16, ge=1, le=1024)
    """Of the final files that are kept for checks and for the record."""


class WorkspaceOptions(Spec):
    """The `environment` block of a scenario."""

    files: DataFolder | None = None
    """What every task's workspace holds at the start."""
    shell: bool = True
    """Whether `run` is offered."""
    limits: WorkspaceLimits = WorkspaceLimits()


class WorkspaceSetup(Spec):
    """The `setup` block of a task; laid over the files of the environment."""

    folder: DataFolder | None = None
    """Copied in."""
    files: dict[str, str] = Field(default_factory=dict)
    """Path in the workspace -> text; a text that begins with `#!` becomes a program."""


class NoWorkspaceError(EnvironmentFault, UserError):
    """No workspace can be opened here; the message says in one line how to mend that."""


class Workspace:
    """Files and a shell for one trial."""

    kind: ClassVar[str] = "workspace"
    Options: ClassVar[type[BaseModel]] = WorkspaceOptions
    Setup: ClassVar[type[BaseModel]] = WorkspaceSetup

    def __init__(self, options: WorkspaceOptions, session: Session) -> None:
        """Take over an open session."""
        self._options = options
        self._session = session

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the file tools, and `run` where the scenario has a shell."""
        shell = isinstance(options, WorkspaceOptions) and options.shell
        return [RUN, *FILE_TOOLS] if shell else list(FILE_TOOLS)

    @classmethod
    async def open(cls, opening: Opening) -> Workspace:
        """Open a workspace with the scenario's and the task's files. Raises `EnvironmentFault`."""
        options, setup = opening.options, opening.setup
        if not isinstance(options, WorkspaceOptions) or not isinstance(setup, WorkspaceSetup):
            raise TypeError("a workspace is opened with WorkspaceOptions and WorkspaceSetup")
        session = await open_workspace_session(options, opening.scratch, opening.unsafe)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(session.close)
            try:
                await session.files(lambda folder: _furnish(folder, options, setup))
            except (OSError, ValueError) as error:
                raise NoWorkspaceError(f"the initial files do not fit into the workspace: {error}") from error
            undo.pop_all()
        return cls(options, session)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the level of isolation, as `sandbox`."""
        return {"sandbox": self._session.level}

    def turn(self) -> str | None:
        """Return None: roles act at any time."""
        return None

    def finished(self) -> bool:
        """Return False: a workspace never ends by itself."""
        return False

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
        options = opening.options
        if not isinstance(options, WorkspaceOptions):
            raise TypeError("a workspace is read with WorkspaceOptions")
        return WorkspaceState(
            state.data, lambda: open_workspace_session(options, opening.scratch, opening.unsafe)
        )  # fmt: skip

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


async def open_workspace_session(options: WorkspaceOptions, scratch: Path, unsafe: bool) -> Session:
    """Open an empty workspace with a shell. Raises `NoWorkspaceError` with one line on how to mend it."""
    limits = options.limits
    bounds = Limits(
        memory_bytes=limits.memory_mb * MIB,
        disk_bytes=limits.disk_mb * MIB,
        files=limits.files,
        processes=limits.processes,
    )
    try:
        return await open_session(bounds, characters=limits.output_chars, scratch=scratch, unsafe=unsafe)
    except (NoSandboxError, BrokenSandboxError, OSError) as error:
        raise NoWorkspaceError(f"no workspace can be opened: {error}") from error


async def sandbox_level(scratch: Path) -> str:
    """Open and close a sandbox, and return its level. Raises `NoWorkspaceError` where none is to be had."""
    session = await open_workspace_session(WorkspaceOptions(), scratch, unsafe=False)
    try:
        return session.level
    finally:
        await session.close()


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


def _furnish(folder: Folder, options: WorkspaceOptions, setup: WorkspaceSetup) -> None:
    """Put the initial files in place, all of one date."""
    for source in (options.files, setup.folder):
        if source is not None:
            unpack(folder, _packed(Path(source)), time=STEADY_TIME)
    for path, text in setup.files.items():
        mode = 0o755 if text.startswith("#!") else 0o644
        folder.write(relative(path), text.encode(), mode, STEADY_TIME)
    folder.date_folders(STEADY_TIME)


def _packed(source: Path) -> bytes:
    """Pack a file or folder of the scenario; links inside it stay links."""
    if source.is_file():
        beside = Folder(os.open(source.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        names: list[str] | None = [source.name]
    else:
        beside = Folder(os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        names = None
    try:
        packed = pack(beside, _LARGEST_DATA, names=names)
    finally:
        beside.close()
    if packed.truncated:
        raise ValueError(f"{source} is larger than {_LARGEST_DATA // MIB} MB")
    return packed.data
