"""A workspace with a shell for as long as a trial lasts, whatever the commands do to the shell.

A shell ends when a command runs out of time, passes a limit or says `exit`. Its sandbox is then ended as a
whole, from outside, so nothing that ran in it is left and nothing in it has to cooperate. The next command
gets a fresh sandbox with the same files and folder; variables and `/tmp` are lost, and the result says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .archive import Archive, pack, unpack
from .beneath import Folder
from .lent import Lent
from .limits import BrokenSandboxError, Limits, NoSandboxError
from .output import Output
from .process import Sandbox, start_sandbox, start_unconfined
from .uids import User, hold_user

_Result = TypeVar("_Result")
_WATCH_SECONDS = 0.05
_WATCH_BACKGROUND_SECONDS = 0.2
_CHANGE_FOLDER_SECONDS = 5.0
_IDLE_PROCESSES = 2
"""bwrap's own and the shell."""


@dataclass(frozen=True)
class CommandResult:
    """What became of a command."""

    output: Output
    exit: int | None
    """None when the command was stopped."""
    timed_out: bool = False
    stopped: str | None = None
    """Which limit was passed, in words, when one was."""
    shell_lost: bool = False
    """The shell ended with this command; the next one begins anew."""
    before: str | None = None
    """What happened to background processes since the last command."""


class Session:
    """A workspace and its shell; used by one task at a time."""

    def __init__(self, limits: Limits, characters: int, scratch: Path, user: User | None, lent: Lent) -> None:
        """Prepare; `open_session` starts it."""
        self._limits = limits
        self._characters = characters
        self._scratch = scratch
        self._user = user
        self._lent = lent
        self._unconfined = False
        self._sandbox: Sandbox | None = None
        self._where: str | None = None
        self._overrun: str | None = None
        self._running = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    @property
    def level(self) -> str:
        """How isolated it is, for the record."""
        return self._open.level

    async def run(self, command: str, seconds: float) -> CommandResult:
        """Run a command in the trial's shell. Raises `ValueError` for text no shell takes, and `BrokenSandboxError`."""
        if self._watch is None or self._watch.done():
            raise BrokenSandboxError("nobody watches over the workspace's limits")
        before = await self._revive()
        sandbox = self._open
        ran = None
        self._running.set()
        try:
            ran = await sandbox.shell.run(command, seconds)
        finally:
            if ran is None:
                sandbox.kill()
            self._running.clear()
        if ran.exit is not None:
            self._where = ran.folder
            return CommandResult(ran.output, ran.exit, before=before)
        sandbox.kill()
        await sandbox.wait()
        stopped, self._overrun = self._overrun, None
        status = sandbox.exit if not (ran.timed_out or stopped) else None
        return CommandResult(ran.output, status, ran.timed_out and not stopped, stopped, True, before)

    @property
    def passed_limit(self) -> str | None:
        """Which limit ended the sandbox, in words, when one did and no command was told of it yet."""
        return self._overrun

    @property
    def where(self) -> str:
        """The workspace's path as what runs in it sees it."""
        return self._open.where

    @property
    def alive(self) -> bool:
        """Whether the shell can take a command as it is; a new one would be started first."""
        return self._open.alive

    async def run_last(self, command: str, seconds: float) -> CommandResult:
        """Run a command whose exit status comes from the kernel, not from the shell; then the session is over."""
        await self._revive()
        sandbox = self._open
        self._running.set()
        try:
            ran = await sandbox.shell.run_last(command, seconds)
        finally:
            self._running.clear()
            sandbox.kill()
        await sandbox.wait()
        status = None if ran.timed_out or self._overrun else sandbox.exit
        return CommandResult(ran.output, status, ran.timed_out, self._overrun, True)

    async def files(self, operation: Callable[[Folder], _Result]) -> _Result:
        """Do something with the workspace's files in a thread. Raises what `operation` raises."""
        doing = asyncio.ensure_future(asyncio.to_thread(operation, self._open.folder))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            while not doing.done():  # the folder must stay open for as long as the thread works in it
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({doing})
            raise

    async def stop(self) -> None:
        """End every process; the files stay."""
        self._open.kill()
        await self._open.wait()

    async def pack(self, limit: int, *, times: bool = False) -> Archive:
        """Pack the workspace (`archive.pack`)."""
        return await self.files(lambda folder: pack(folder, limit, times=times))

    async def replace(self, data: bytes) -> None:
        """End every process and put an archive's files in place of the workspace's."""
        await self._renew(data)

    async def close(self) -> None:
        """Leave no process, file or held user; may be called twice."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
            self._watch = None
        try:
            if self._sandbox is not None:
                await self._sandbox.close()
                self._sandbox = None
        finally:
            if self._user is not None:
                self._user.release()

    @property
    def _open(self) -> Sandbox:
        if self._sandbox is None:
            raise BrokenSandboxError("the workspace is closed")
        return self._sandbox

    async def start(self, *, unsafe: bool, walls: bool) -> None:
        """Start the first sandbox; without walls where none are wanted, or `unsafe` and none are to be had."""
        self._unconfined = not walls
        try:
            self._sandbox = await self._start_again()
        except NoSandboxError:
            if not unsafe or self._unconfined:
                raise
            self._unconfined = True
            self._sandbox = await self._start_again()
        self._lent = Lent(self._lent.folders)
        self._watch = asyncio.create_task(self._keep_watch())

    async def _start_again(self) -> Sandbox:
        if not self._unconfined:
            return await start_sandbox(
                self._limits, user=self._user, characters=self._characters, lent=self._lent
            )  # fmt: skip
        workspace = self._scratch / f"workspace-{os.urandom(4).hex()}"
        workspace.mkdir()
        return await start_unconfined(self._limits, workspace=workspace, characters=self._characters, lent=self._lent)

    async def _revive(self) -> str | None:
        """Make sure there is a living shell; say what ended the last one if nobody was told yet."""
        sandbox = self._open
        if sandbox.alive:
            return None
        await sandbox.wait()
        stopped, self._overrun = self._overrun, None
        packed = await self.pack(2 * self._limits.disk_bytes, times=True)
        await self._renew(packed.data)
        if self._where is not None:
            await self._open.shell.run(f"cd -- {shlex.quote(self._where)} 2>/dev/null", _CHANGE_FOLDER_SECONDS)
        lost = "; some files were too large to keep" if packed.truncated else ""
        return f"background processes were stopped: {stopped}{lost}" if stopped else lost.lstrip("; ") or None

    async def _renew(self, data: bytes) -> None:
        old = self._open
        await old.close()
        self._sandbox = await self._start_again()
        await self.files(lambda folder: unpack(folder, data))

    async def _keep_watch(self) -> None:
        """Measure while anything but the idle shell runs, and end the sandbox when a limit is passed."""
        while True:
            await self._running.wait()
            processes = _IDLE_PROCESSES + 1
            while self._running.is_set() or processes > _IDLE_PROCESSES:
                await asyncio.sleep(_WATCH_SECONDS if self._running.is_set() else _WATCH_BACKGROUND_SECONDS)
                sandbox = self._sandbox
                if sandbox is None or not sandbox.alive:
                    processes = 0
                    await asyncio.sleep(_WATCH_SECONDS)
                    continue
                passed, processes = sandbox.overrun(self._limits)
                if passed is not None:
                    self._overrun = passed
                    sandbox.kill()


async def open_session(
    limits: Limits,
    *,
    characters: int,
    scratch: Path,
    unsafe: bool = False,
    walls: bool = True,
    lent: Lent | None = None,
) -> Session:
    """Open an empty workspace with a shell; some 15 ms.

    `scratch` is a folder of the trial's own, used only without a sandbox; `lent` is what it gets of this machine.
    Raises `NoSandboxError` where no sandbox is to be had (unless `unsafe`, or no `walls` are wanted), and
    `BrokenSandboxError`.
    """
    user = hold_user() if os.geteuid() == 0 else None
    session = Session(limits, characters, scratch, user, lent or Lent())
    async with contextlib.AsyncExitStack() as undo:
        undo.push_async_callback(session.close)
        await session.start(unsafe=unsafe, walls=walls)
        undo.pop_all()
    return session
