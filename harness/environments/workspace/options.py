"""What a scenario and a task say about a workspace, and the sandbox that is opened for it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.environments.protocol import EnvironmentFault
from harness.environments.sandbox import MIB, BrokenSandboxError, Limits, NoSandboxError, Session, open_session
from harness.spec.base import DataFolder, Spec, UserError

Language = Literal["python", "node", "gcc", "g++", "make", "perl", "awk", "git", "ruby", "lua", "php", "sqlite"]


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
    toolset: Literal["plain", "full"] = "plain"
    """`plain` is for the smallest models; `full` adds `apply_patch`, regular expressions and globs to `search`,
    and hexadecimal reading to `read_file`."""
    languages: tuple[Language, ...] = ()
    """What the tasks need on the machine; looked for when the workspace opens, its versions kept in the record."""
    limits: WorkspaceLimits = WorkspaceLimits()


class Repository(Spec):
    """A project under git."""

    folder: DataFolder
    """The project's files."""
    message: str = Field("First commit", min_length=1, max_length=500)
    """Of the one commit there is at the start."""


class WorkspaceSetup(Spec):
    """The `setup` block of a task; laid over the files of the environment."""

    repository: Repository | None = None
    """A project; with what the two lines below lay over it, it becomes the first commit of a git repository."""
    folder: DataFolder | None = None
    """Copied in."""
    files: dict[str, str] = Field(default_factory=dict)
    """Path in the workspace -> text; a text that begins with `#!` becomes a program."""


class NoWorkspaceError(EnvironmentFault, UserError):
    """No workspace can be opened here; the message says in one line how to mend that."""


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
