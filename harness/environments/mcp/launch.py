"""Starting a server of a scenario: where its program lives, what the sandbox is lent of it, and the pipes to it.

The program is shown inside at the paths it has on this machine, because virtual environments know where they are;
in what a model is shown, these paths are replaced by ones that are the same everywhere.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from harness.environments.mcp.options import McpOptions, Server
from harness.environments.packages import place, program, python
from harness.environments.protocol import EnvironmentFault
from harness.environments.sandbox import (
    LENT,
    MIB,
    WORKSPACE,
    BrokenSandboxError,
    Lent,
    Limits,
    NoSandboxError,
    Session,
    open_session,
)
from harness.errors import UserError

_SERVER = "/server"
_LOG = "/tmp/server.log"  # noqa: S108 - the sandbox's own
_LOG_BYTES = 65_536
_SHELL_SECONDS = 20.0
_LAST_WORDS_SECONDS = 5.0
_SHOWN_ANYHOW = ("/usr", "/bin", "/sbin", "/lib", "/lib64")


class CannotStartError(EnvironmentFault, UserError):
    """The server cannot be started here; the message says in one line how to mend that."""


@dataclass(frozen=True)
class Launch:
    """A server's command as it is run, and the folders it needs."""

    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    """Path inside -> folder of this machine."""
    replaced: dict[str, str] = field(default_factory=dict)
    """Paths of this machine -> what stands for them in what is shown."""

    @property
    def home(self) -> Path:
        """Where the server's own folder lies on this machine."""
        return self.folders.get(_SERVER, Path(_SERVER))


def launch_of(server: Server) -> Launch:
    """How a server is started. Raises `NotInstalledError` when its packages are not here, and `CannotStartError`."""
    first, *arguments = server.command
    wanted = server.wanted
    folders: dict[str, Path] = {}
    replaced: dict[str, str] = {}
    if wanted is not None:
        home = place(wanted)
        if first in ("python", "python3") and wanted.pip:
            path = python(wanted)
        elif first in ("python", "python3", "node"):
            path = _on_this_machine(first)
        else:
            path = program(wanted, first)
        folders[str(home)] = home
        replaced[str(home)] = "/packages"
        folders |= _interpreters(home / "venv")
    else:
        path = _on_this_machine(first)
    if first in ("python", "python3") and (wanted is None or not wanted.pip):
        folders |= {str(place): place for place in (Path(sys.prefix), Path(sys.base_prefix))}
    elif wanted is None or path.name == "node":
        folders |= _beside(path)
    if server.folder is not None:
        folders[_SERVER] = Path(server.folder)
        replaced[server.folder] = _SERVER
    shown = {inside: path for inside, path in folders.items() if not _is_shown_anyhow(path, inside)}
    replaced |= {str(path): "/python" for path in (Path(sys.prefix), Path(sys.base_prefix)) if str(path) in shown}
    return Launch((str(path), *arguments), dict(server.env), shown, replaced)


class ServerProcess:
    """A sandbox for a server, and both sides' ends of its pipes."""

    def __init__(self, session: Session, ours: tuple[int, int], inside: tuple[int, int]) -> None:
        """Take over an open session; `ours` are for reading from the server and for writing to it."""
        self.session = session
        self._ours: tuple[int, ...] = ours
        self._inside: tuple[int, ...] = inside

    def take(self) -> tuple[int, int]:
        """Hand over this side's ends, once, to whoever speaks with the server; first the one to read from."""
        (reading, writing), self._ours = self._ours, ()
        return reading, writing

    async def start(self, launch: Launch, scratch: Path) -> None:
        """Run the server in the sandbox's shell, in the background, on the lent pipes. Raises `EnvironmentFault`."""
        session = self.session
        takes, gives = LENT, LENT + 1
        where = session.where
        log = _LOG if where == WORKSPACE else str(scratch / "server.log")
        env = {"HOME": "/tmp", "NO_COLOR": "1", **launch.env}  # noqa: S108 - the sandbox's; keeps caches out of the files
        words = [*(f"{name}={value}" for name, value in env.items()), *launch.command]
        if where != WORKSPACE:  # no walls, and so no paths but those of this machine
            words = [word.replace(WORKSPACE, where).replace(f"{_SERVER}/", f"{launch.home}/") for word in words]
        kept = f"head -c {_LOG_BYTES} > {shlex.quote(log)}; tail -c {_LOG_BYTES} >> {shlex.quote(log)}"
        line = (
            f"cd {shlex.quote(where)}; {{ env {shlex.join(words)} <&{takes} >&{gives} {takes}<&- {gives}>&-; }} 2>&1 "
            f"| {{ {kept}; }} {takes}<&- {gives}>&- & exec {takes}<&- {gives}>&-"
        )
        try:
            await session.run(line, _SHELL_SECONDS)
        except (BrokenSandboxError, NoSandboxError, OSError, ValueError) as error:
            raise EnvironmentFault(f"the server cannot be started: {error}") from error
        finally:
            self._inside = _closed(self._inside)

    async def close(self) -> None:
        """End the server and all it has started; may be called twice."""
        self._ours, self._inside = _closed(self._ours), _closed(self._inside)
        await self.session.close()

    async def last_words(self, *, gone: bool) -> str:
        """What is known of a server that failed: the limit it passed, or the end of what it said on stderr.

        `gone` says that it has ended, so that all it said can be waited for.
        """
        passed = self.session.passed_limit
        if passed is not None or not self.session.alive:
            return f"it was stopped: {passed}" if passed else ""
        read = f"tail -c 600 {_LOG if self.session.where == WORKSPACE else '../server.log'} 2>/dev/null"
        try:
            ran = await self.session.run(f"wait; {read}" if gone else read, _LAST_WORDS_SECONDS)
        except (BrokenSandboxError, NoSandboxError, OSError):
            return ""
        return " ".join(ran.output.text.split())[-400:]


async def open_sandbox(launch: Launch, options: McpOptions, scratch: Path, *, unsafe: bool) -> ServerProcess:
    """Open a sandbox that has what the server needs; its `start` then runs it there. Raises `CannotStartError`."""
    limits = options.limits
    bounds = Limits(
        memory_bytes=limits.memory_mb * MIB,
        disk_bytes=limits.disk_mb * MIB,
        files=limits.files,
        processes=limits.processes,
        address_space=False,
    )
    inside_reading, writing = os.pipe2(os.O_CLOEXEC)
    reading, inside_writing = os.pipe2(os.O_CLOEXEC)
    opened = False
    try:
        lent = Lent(launch.folders, (inside_reading, inside_writing))
        session = await open_session(
            bounds, characters=2000, scratch=scratch, unsafe=unsafe, walls=options.server.sandbox, lent=lent
        )
        opened = True
    except (NoSandboxError, BrokenSandboxError, OSError, ValueError) as error:
        raise CannotStartError(f"the server's sandbox cannot be opened: {error}") from error
    finally:
        if not opened:
            _closed((inside_reading, writing, reading, inside_writing))
    return ServerProcess(session, (reading, writing), (inside_reading, inside_writing))


def _closed(descriptors: tuple[int, ...]) -> tuple[int, ...]:
    for descriptor in descriptors:
        os.close(descriptor)
    return ()


def _on_this_machine(name: str) -> Path:
    if name in ("python", "python3"):
        return Path(sys.executable)
    found = shutil.which(name) if "/" not in name or Path(name).is_absolute() else None
    if name.startswith(f"{_SERVER}/"):
        return Path(name)
    if found is None:
        how = "apt-get install nodejs npm" if name == "node" else "name its packages in the scenario, or install it"
        raise CannotStartError(f"the server's program {name!r} is not on this machine: {how}")
    return Path(found)


def _interpreters(venv: Path) -> dict[str, Path]:
    """The Python that a virtual environment was made with, where it has one."""
    try:
        lines = (venv / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return {}
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip() == "home":
            base = Path(os.path.realpath(value.strip())).parent
            return {str(base): base, str(Path(value.strip()).parent): base}
    return {}


def _beside(path: Path) -> dict[str, Path]:
    """The folder that a program of this machine is installed in, when the sandbox does not have it anyhow."""
    real = Path(os.path.realpath(path))
    if _is_shown_anyhow(real, str(real)) or len(real.parents) < 3 or str(real).startswith(_SERVER):
        return {}
    home = real.parent.parent if real.parent.name in ("bin", "libexec") else real.parent
    return {str(home): home, **({} if path == real else {str(path): real})}


def _is_shown_anyhow(path: Path, inside: str) -> bool:
    return str(path) == inside and any(path.is_relative_to(seen) for seen in _SHOWN_ANYHOW)
