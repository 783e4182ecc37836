"""A running sandbox: started, inspected from outside before anything untrusted runs in it, and ended.

`start_sandbox` gives the real thing, `start_unconfined` the same interface without any walls, for users
who said so. A sandbox does not survive this process: bwrap is told to die with its parent, and the shell
inside ends when its command pipe closes.

Start sandboxes from a thread that lives as long as they do: the kernel ties the death signal to the thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from . import bubblewrap, orphans, seccomp, shell, watchdog
from .beneath import Folder, is_supported
from .lent import Lent
from .limits import BrokenSandboxError, Limits, NoSandboxError
from .uids import User

_START_SECONDS = 20.0
_STOP_SECONDS = 20.0
_NAMESPACES = ("pid", "net", "mnt", "ipc", "uts", "user")
_OLDEST_KERNEL = (5, 14)
"""From here on the kernel counts processes per user and user namespace."""
_NICE = 5


class Sandbox:
    """One sandbox with its shell and its workspace; the workspace can be read after the processes are gone."""

    def __init__(self, process: subprocess.Popen[bytes], spoken: shell.Shell, level: str) -> None:
        """Watch over a process just started; `attach` completes the object once the shell has reported."""
        self.level = level
        self.where = bubblewrap.WORKSPACE
        """The workspace's path as what runs in it sees it."""
        self.shell = spoken
        self.root = process.pid
        """The process all others inside descend from."""
        self._process = process
        self._first = -1
        self._killed = False
        self._folder: Folder | None = None
        self._others: list[int] = []
        self._loop = asyncio.get_running_loop()
        self._awaited: set[int] = set()
        self._watched = self._await_end_of(process.pid)

    @property
    def folder(self) -> Folder:
        """The workspace, as the host reaches it."""
        if self._folder is None:
            raise BrokenSandboxError("the sandbox is not open")
        return self._folder

    @property
    def alive(self) -> bool:
        """Whether it can take commands: nobody has ended it, and it has not ended by itself."""
        return not self._killed and not self.shell.ended.is_set()

    @property
    def exit(self) -> int | None:
        """The exit status of the last command, once the sandbox has ended."""
        return self._process.returncode

    def attach(self, root: int, folder: Folder, others: list[int]) -> None:
        """Tell the first process, the workspace, and descriptors of the other memory file systems."""
        self.root, self._folder, self._others = root, folder, others
        if root != self._process.pid:
            self._first = self._await_end_of(root)

    def overrun(self, limits: Limits) -> tuple[str | None, int]:
        """Measure: say which limit is passed, if one is, and how many processes run."""
        usage = watchdog.measure(self.root)
        spaces = [os.fstatvfs(other) for other in self._others]
        return watchdog.overrun(limits, usage, spaces, self._workspace()), usage.processes

    def kill(self) -> None:
        """End every process inside, at once; `wait` tells when they are gone."""
        if self._ends():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if self._first >= 0:  # the first process of its namespace ends when all others there have
                    signal.pidfd_send_signal(self._first, signal.SIGKILL)
                else:
                    self._process.kill()

    async def wait(self) -> None:
        """Wait until every process inside is gone. Raises `BrokenSandboxError` when they do not go."""
        try:
            await asyncio.wait_for(self.shell.ended.wait(), _STOP_SECONDS)
        except TimeoutError:
            raise BrokenSandboxError("the sandbox's processes cannot be ended") from None

    async def close(self) -> None:
        """End everything and let go of the workspace; may be called twice."""
        try:
            self.kill()
            await self.wait()
        finally:
            self.shell.close()
            if self._folder is not None:
                self._folder.close()
            for descriptor in self._awaited:
                self._loop.remove_reader(descriptor)
            for descriptor in (*self._others, self._watched, self._first):
                if descriptor >= 0:
                    os.close(descriptor)
            self._others, self._watched, self._first = [], -1, -1
            self._awaited.clear()

    def _workspace(self) -> os.statvfs_result | None:
        return self.folder.space()

    def _ends(self) -> bool:
        """Note that it was ended from here; False when it already had."""
        self._killed = True
        return not self.shell.ended.is_set()

    def _await_end_of(self, process: int) -> int:
        """Watch for the end of a process; the sandbox has ended when all that are watched have."""
        descriptor = os.pidfd_open(process)
        self._awaited.add(descriptor)
        self._loop.add_reader(descriptor, self._on_end, descriptor)
        return descriptor

    def _on_end(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        self._awaited.discard(descriptor)
        if not self._awaited:
            self._process.wait()
            self.shell.ended.set()


class _Unconfined(Sandbox):
    """Processes without walls: a session of their own, found again by a mark in their environment."""

    mark = ""

    def kill(self) -> None:
        """End the shell's process group, its descendants, and whatever carries the mark."""
        if self._ends():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        for process in _marked(self.mark):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)

    def _workspace(self) -> os.statvfs_result | None:
        return None  # it lies on a disk that others use as well


async def start_sandbox(limits: Limits, *, user: User | None, characters: int, lent: Lent) -> Sandbox:
    """Start a sandbox with an empty workspace; some 15 ms.

    `user` is the user to drop to, for root; `characters` bounds a command's output; `lent` is
    what it gets of this machine. Raises `NoSandboxError` where none is to be had and `BrokenSandboxError` when
    isolation does not hold.
    """
    found = _requirements()
    orphans.end_orphans()
    spoken = shell.Shell(characters)
    given: dict[str, int] = {}
    sandbox: Sandbox | None = None
    started = False
    try:
        for name, content in (("seccomp", seccomp.program()), *bubblewrap.INSIDE_FILES.items()):
            given[name] = _pipe_with(content)
        info, given["info"] = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(info, False)
        with os.fdopen(info, "rb") as said:
            files = {name: given[name] for name in bubblewrap.INSIDE_FILES}
            options = bubblewrap.options(
                limits, lent, files=files, seccomp=given["seccomp"], info=given["info"], dropped=user is not None
            )
            given["arguments"] = _pipe_with(b"\0".join(map(os.fsencode, options)) + b"\0")
            inside = shell.script(limits, spoken.inside, lent.descriptors)
            line = bubblewrap.command_line(found, given["arguments"], inside, user.uid if user else None, lent)
            process = _spawn(line, spoken, [*given.values(), *lent.descriptors], {})
            _close_all(given)
            who = "uid of its own" if user else "user namespace"  # not which: the level is compared between trials
            sandbox = Sandbox(process, spoken, f"bubblewrap {found.version}, {who}")
            if not await spoken.ready(_START_SECONDS):
                if sandbox.alive:
                    raise BrokenSandboxError(f"the sandbox did not start within {_START_SECONDS:g} seconds")
                raise NoSandboxError(bubblewrap.explain(spoken.take_output().text))
            _inspect(sandbox, int(json.loads(said.read() or b"")["child-pid"]), limits, user, lent)
        started = True
    except (ProcessLookupError, FileNotFoundError, ValueError) as error:
        raise BrokenSandboxError(f"the sandbox ended while it was inspected: {error}") from error
    finally:
        _close_all(given)
        if not started:
            await _discard(sandbox, spoken)
    return sandbox


async def start_unconfined(limits: Limits, *, workspace: Path, characters: int, lent: Lent) -> Sandbox:
    """Start a shell in a folder of this machine with nothing around it. For those who said `unsafe`.

    Memory and processes are watched; the disk is not bounded, and everything of the user's can be reached.
    """
    if not is_supported():
        raise NoSandboxError("the workspace needs openat2: Linux 5.6 or newer, not filtered away")
    spoken = shell.Shell(characters)
    mark = secrets.token_hex(16)
    environment = {**bubblewrap.INSIDE_ENVIRONMENT, "HOME": str(workspace), "HARNESS_TRIAL": mark}
    line = shell.script(limits, spoken.inside, lent.descriptors, limit_processes=False)
    process = _spawn(line, spoken, list(lent.descriptors), environment, folder=workspace)
    sandbox = _Unconfined(process, spoken, "none (unsafe)")
    sandbox.mark, sandbox.where = mark, str(workspace)
    sandbox.attach(process.pid, Folder(os.open(workspace, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)), [])
    if not await spoken.ready(_START_SECONDS):
        said = spoken.take_output().text
        await _discard(sandbox, spoken)
        raise BrokenSandboxError(f"the shell does not start: {said.strip()}")
    return sandbox


def _requirements() -> bubblewrap.Bubblewrap:
    if not seccomp.machine_is_known():
        raise NoSandboxError(f"the sandbox knows no system calls of {os.uname().machine}; only x86_64 and aarch64")
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    if release < _OLDEST_KERNEL or not is_supported():
        raise NoSandboxError(f"the sandbox needs Linux 5.14 or newer with openat2; this is {os.uname().release}")
    return bubblewrap.find_bubblewrap()


def _spawn(
    line: list[str], spoken: shell.Shell, passed: list[int], environment: Mapping[str, str], folder: Path = Path("/")
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            line,
            stdin=spoken.inside.commands,
            stdout=spoken.inside.output,
            stderr=spoken.inside.output,
            pass_fds=(spoken.inside.report, spoken.inside.output, *passed),
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        raise BrokenSandboxError(f"cannot start {line[0]}: {error.strerror}") from error
    finally:
        spoken.inside.close()


def _inspect(sandbox: Sandbox, root: int, limits: Limits, user: User | None, lent: Lent) -> None:
    """See from outside that the walls stand, and open the workspace. Raises `BrokenSandboxError`."""
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    if len(children) != 1:
        raise BrokenSandboxError("the sandbox's shell cannot be found among its processes")
    place = Path("/proc", children[0])
    status = dict(line.split(":\t", 1) for line in (place / "status").read_text().splitlines() if ":\t" in line)
    uid = str(user.uid if user else os.getuid())
    wrong = [
        f"shares the host's {name} namespace"
        for name in _NAMESPACES
        if (place / "ns" / name).readlink() == Path("/proc/self/ns", name).readlink()
    ]
    wrong += [f"{name} is {status.get(name)}" for name, good in (("NoNewPrivs", "1"), ("Seccomp", "2")) if
              status.get(name) != good]  # fmt: skip
    wrong += [f"holds capabilities ({name})" for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb") if
              int(status[name], 16)]  # fmt: skip
    if set(status["Uid"].split()) != {uid}:
        wrong.append(f"runs as host user {status['Uid']}")
    if strangers := {entry.name for entry in (place / "root").iterdir()} - bubblewrap.ROOT_ENTRIES - lent.roots:
        wrong.append(f"shows {', '.join(sorted(strangers))} of the host")
    owner = user.uid if user else None
    flags = os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC
    folder = Folder(os.open(place / "root" / bubblewrap.WORKSPACE[1:], flags), owner)
    others = [os.open(place / "root" / other, flags) for other in ("tmp", "dev/shm")]
    sandbox.attach(root, folder, others)
    space = folder.space()
    if space.f_blocks * space.f_frsize > limits.disk_bytes + space.f_frsize:
        wrong.append("has a workspace without the size asked for")
    if wrong:
        raise BrokenSandboxError(f"the sandbox does not isolate: it {'; '.join(wrong)}")
    with contextlib.suppress(OSError):  # politeness to the machine, not a wall
        os.setpriority(os.PRIO_PROCESS, int(children[0]), _NICE)
        (place / "oom_score_adj").write_text("500")


async def _discard(sandbox: Sandbox | None, spoken: shell.Shell) -> None:
    if sandbox is None:
        spoken.close()
        return
    with contextlib.suppress(BrokenSandboxError):
        await sandbox.close()


def _pipe_with(content: bytes) -> int:
    """Return a descriptor from which `content` (less than a pipe holds) can be read once."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(content)
    return reading


def _close_all(descriptors: dict[str, int]) -> None:
    while descriptors:
        os.close(descriptors.popitem()[1])


def _marked(mark: str) -> list[int]:
    """Find this user's processes that carry the mark in their environment."""
    wanted = f"HARNESS_TRIAL={mark}".encode()
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (place / "environ").read_bytes().split(b"\0"):
                    found.append(int(place.name))
    return found
