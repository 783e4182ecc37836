"""The harness's side of `cell/`: one nursery a run, kept in its services, and a cell for each database."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Self

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault
from harness.environments.sandbox.limits import BrokenSandboxError
from harness.environments.sandbox.uids import User, hold_user
from harness.environments.services import Services
from harness.environments.sqlite import RefusedError

GRACE_SECONDS = 3.0
"""How long a cell may take to stop by itself, beyond what it was given, before it is killed."""
FILE = "world.duckdb"
"""Name of a database in a cell's folder, as `cell/database.py` has it."""
KEPT = 32
"""Images of databases, as their scripts build them, kept in a run."""
START_SECONDS = 60.0
_LENGTHS = struct.Struct("!II")
_PID = struct.Struct("!I")


class CellGoneError(Exception):
    """The process of a database is no more; `killed` says that it was ended for not answering."""

    def __init__(self, *, killed: bool) -> None:
        self.killed = killed
        super().__init__("killed" if killed else "gone")


class Nursery:
    """A process that has DuckDB loaded and forks cells (`harness.environments.services.Service`)."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        """Take over a process that runs `cell`."""
        self._process, self._control = process, control
        self.images: OrderedDict[str, bytes] = OrderedDict()
        """Databases as their scripts build them."""
        self._building: dict[str, asyncio.Lock] = {}

    @classmethod
    async def of(cls, services: Services) -> Nursery:
        """The nursery of a run."""
        return await services.get(("sql", "duckdb"), cls.start)

    @classmethod
    async def start(cls) -> Self:
        """Start one."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        spec = importlib.util.find_spec("duckdb")
        place = str(Path(spec.origin).parent.parent) if spec and spec.origin else ""
        environment = {
            "PYTHONPATH": f"{Path(__file__).parent}{os.pathsep}{place}",
            "HOME": "/",
            "LC_ALL": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
        }
        command = [sys.executable, "-s", "-m", "cell"]
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                cwd="/",
            )
        ours.setblocking(False)
        return cls(process, ours)

    def building(self, key: str) -> asyncio.Lock:
        """Held by whoever builds the database of a key, so that the others wait for it and find it built."""
        return self._building.setdefault(key, asyncio.Lock())

    async def spawn(self, opening: dict[str, JsonValue]) -> socket.socket:
        """Fork a cell; returns the line to it. Raises `EnvironmentFault`."""
        ours, theirs = socket.socketpair()
        with theirs:
            while True:
                try:
                    socket.send_fds(self._control, [json.dumps(opening).encode()], [theirs.fileno()])
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.005)
                except OSError as error:
                    ours.close()
                    raise EnvironmentFault(f"the process that opens DuckDB databases is gone: {error}") from None
        ours.setblocking(False)
        return ours

    async def close(self) -> None:
        """End the process, and with it all cells."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()


class Cell:
    """One database in a process of its own. Asked one thing at a time."""

    def __init__(self, nursery: Nursery, scratch: Path, now: str, memory_mb: int, file_bytes: int) -> None:
        """Start nothing yet; `scratch` is a folder of the trial's own."""
        self._nursery, self._scratch, self._now = nursery, scratch, now
        self._memory_mb, self._file_bytes = memory_mb, file_bytes
        self._folder: Path | None = None
        self._user: User | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._process = -1
        self._busy = asyncio.Lock()
        self._closed = False

    async def load(self, image: bytes) -> None:
        """Put an image in place of what there is; an empty one is an empty database."""
        async with self._busy:
            await self._end()
            self._forget()
            if os.geteuid() == 0 and self._user is None:
                try:
                    self._user = hold_user()
                except (BrokenSandboxError, OSError) as error:
                    raise EnvironmentFault(f"no user of its own for the database: {error}") from None
            # A new folder each time: what a cell has had in its hands is never written through.
            self._folder = Path(tempfile.mkdtemp(prefix="duckdb-", dir=self._scratch))
            if image:
                (self._folder / FILE).write_bytes(image)
            if self._user is not None:
                for path in (self._folder, *self._folder.iterdir()):
                    os.chown(path, self._user.uid, self._user.uid)

    async def ask(self, request: dict[str, JsonValue], seconds: float) -> tuple[dict[str, JsonValue], bytes]:
        """Ask for something; a cell that is not there is started on what the last one left.

        Raises `CellGoneError` when the cell ends or does not answer in time; `RefusedError` with what it refuses;
        `EnvironmentFault` when the database cannot be opened, or is closed. Cancelling ends the cell.
        """
        async with self._busy:
            if self._closed:
                raise EnvironmentFault("the database is closed")
            reader, writer = await self._line()
            text = json.dumps(request).encode()
            writer.write(_LENGTHS.pack(len(text), 0) + text)
            try:
                async with asyncio.timeout(seconds + GRACE_SECONDS):
                    head, payload = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
                    answer: dict[str, JsonValue] = json.loads(await reader.readexactly(head))
                    content = await reader.readexactly(payload)
            except BaseException as error:
                await self._end()
                if isinstance(error, TimeoutError):
                    raise CellGoneError(killed=True) from None
                if isinstance(error, asyncio.IncompleteReadError | ConnectionError):
                    raise CellGoneError(killed=False) from None
                raise
            if answer.get("spoiled"):
                await self._end()  # the next is started on what this one has committed
        if "refused" in answer:
            raise RefusedError(str(answer["refused"]), int(str(answer["line"])))
        if "broken" in answer:
            raise EnvironmentFault(f"the database cannot be used: {answer['broken']}")
        return answer, content

    async def _line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None:
            return self._streams
        opening: dict[str, JsonValue] = {
            "folder": str(self._folder), "now": self._now, "memory_mb": self._memory_mb,
            "file_bytes": self._file_bytes, "uid": -1 if self._user is None else self._user.uid,
        }  # fmt: skip
        line = await self._nursery.spawn(opening)
        reader, writer = await asyncio.open_connection(sock=line)
        try:
            async with asyncio.timeout(START_SECONDS):
                (pid,) = _PID.unpack(await reader.readexactly(_PID.size))
            # The cell waits for its first request, so the number is still its own.
            self._process = os.pidfd_open(pid)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError, OSError) as error:
            writer.transport.abort()
            raise EnvironmentFault(f"the process of a DuckDB database did not start: {error}") from None
        self._streams = reader, writer
        return self._streams

    async def _end(self) -> None:
        """End the process and wait until it is gone; nothing of what it had committed is lost."""
        if self._streams is None:
            return
        (_, writer), process = self._streams, self._process
        self._streams = None
        try:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGKILL)
            await _readable(process)
        finally:
            os.close(process)
            writer.transport.abort()

    def _forget(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    async def interrupt(self) -> None:
        """End what is under way; what it had committed stays."""
        if self._busy.locked():
            await self._end()

    async def close(self) -> None:
        """Leave nothing behind; may be called twice."""
        self._closed = True
        await self._end()
        async with self._busy:
            await self._end()
            self._forget()
            if self._user is not None:
                self._user.release()
                self._user = None


async def _readable(process: int) -> None:
    """Wait until a process is gone; `process` is its pidfd."""
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[None] = loop.create_future()
    loop.add_reader(process, _settled, gone)
    try:
        await gone
    finally:
        loop.remove_reader(process)


def _settled(gone: asyncio.Future[None]) -> None:
    if not gone.done():
        gone.set_result(None)
