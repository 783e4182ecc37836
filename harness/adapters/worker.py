"""A package of somebody else's, running in a process of its own: warm, shared by the trials of a run.

    worker = await worker_of(opening.services, program)
    answer = await worker.ask("open", task="user_task_0")

The process runs `serve.py` with a script of the adapter's folder, in a Python where the package is installed.
It is given no environment variables (no keys), and where bubblewrap works no network, a read-only disk and an empty
home. It ends when its standard input does, so a harness that was killed leaves none behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self, cast

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault
from harness.environments.services import Services

START_SECONDS = 180.0
"""For loading the package; imports of 14 s were seen on a busy machine."""
ONCE_SECONDS = 1800.0
"""For an answer that is asked for once and kept: all tasks of a large suite."""
LONGEST_LINE = 64 * 2**20
"""Bytes of one answer."""
_KEPT_LINES = 30
_ENDING_SECONDS = 5.0
_SERVE = Path(__file__).with_name("serve.py")
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # the order of sets is the same in every worker
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Program:
    """What a worker runs."""

    name: str
    """Of the adapter, as messages name it."""
    python: Path
    """A Python in which the adapter's packages are installed."""
    script: Path
    """The adapter's own script; `SERVED` in it names the functions that may be asked for."""

    def command(self) -> list[str]:
        """The command line; without a sandbox where none is to be had."""
        line = [str(self.python), "-P", "-s", str(_SERVE), str(self.script)]
        return [*_walls(self.python, self.script), *line]

    @property
    def walls(self) -> str:
        """What stands around it, for the record."""
        return "bubblewrap, no network" if _walls(self.python, self.script) else "none, its own process"


def this_python(pins: Sequence[str]) -> Path | None:
    """Return this Python, where all pins such as `agentdojo==0.1.35` are installed in it."""
    for pin in pins:
        name, _, wanted = pin.partition("==")
        try:
            if version(name.partition("[")[0]) != wanted:
                return None
        except PackageNotFoundError:
            return None
    return Path(sys.executable)


async def worker_of(services: Services, program: Program) -> Worker:
    """The worker of a run for a program; a new one when the last has died. Raises `EnvironmentFault`."""
    key = ("worker", program)
    while True:
        worker = await services.get(key, lambda: Worker.start(program))
        if worker.alive:
            return worker
        if not worker.forgotten:  # whoever sees it second must not make away with the next one
            worker.forgotten = True
            services.forget(key)
            await worker.close()


def ask_once(program: Program, call: str, **given: JsonValue) -> JsonValue:
    """One answer from a process started for it, for what is asked once and kept. Raises `EnvironmentFault`."""
    request = json.dumps({"id": 1, "call": call, "with": given}) + "\n"
    pipe = subprocess.PIPE
    # Not a pipe for its standard error: nobody would empty it, and a full one holds the process up.
    with tempfile.TemporaryFile() as said, contextlib.ExitStack() as ending:
        try:
            process = ending.enter_context(
                subprocess.Popen(program.command(), env=_ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=said)
            )
        except OSError as error:
            raise EnvironmentFault(f"{program.name} does not start: {error.strerror}") from error
        limit = threading.Timer(ONCE_SECONDS, process.kill)
        limit.start()
        try:
            lines = _exchange(process, request)
        finally:
            limit.cancel()
            process.kill()
        if len(lines) < 2:
            said.seek(0)
            words = said.read().decode(errors="replace").splitlines()
            raise EnvironmentFault(f"{program.name} does not start, or not answer: {_last(words)}")
    try:
        return _result(program, call, json.loads(lines[1]))
    except (ValueError, RecursionError) as error:
        raise EnvironmentFault(f"{program.name}: {call} was answered with what is no JSON: {error}") from None


def _exchange(process: subprocess.Popen[bytes], request: str) -> list[bytes]:
    """The lines said to one request; the process has ended by then, as a rule."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - pipes were asked for
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(request.encode())
        process.stdin.flush()
    # Its standard input stays open until the answer is there, since its end is the end of the process.
    lines = [line for line in (process.stdout.readline(LONGEST_LINE) for _ in range(2)) if line]
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_ENDING_SECONDS)
    return lines


class Worker:
    """A process that answers requests (`harness.environments.services.Service`)."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process) -> None:
        """Take over a process just started; `start` does so."""
        self.forgotten = False
        """Its services have been told that it is dead."""
        self._program = program
        self._process = process
        self._ids = itertools.count(1)
        self._open: dict[int, asyncio.Future[JsonValue]] = {}
        self._answered = 0
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._end: str | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listening = [asyncio.create_task(self._listen()), asyncio.create_task(self._overhear())]

    @classmethod
    async def start(cls, program: Program) -> Self:
        """Start and wait until the package is loaded. Raises `EnvironmentFault`."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command(), env=_ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=pipe, limit=LONGEST_LINE,
                start_new_session=True,  # Ctrl-C is for the harness, which ends its workers itself
            )  # fmt: skip
        except OSError as error:
            raise EnvironmentFault(f"{program.name} does not start: {error.strerror}") from error
        worker = cls(program, process)
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.shield(worker._ready)
        except TimeoutError:
            await worker.close()
            raise EnvironmentFault(f"{program.name} did not start within {START_SECONDS:g} s") from None
        except BaseException:
            await worker.close()
            raise
        return worker

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._end is None

    async def ask(self, call: str, *, seconds: float = 60.0, **given: JsonValue) -> JsonValue:
        """What a function of the script returns.

        The worker serves one request after another; `seconds` bounds the time in which it answers none. Raises
        `EnvironmentFault` when the function raises, the time is over, or the worker dies.
        """
        if self._end is not None:
            raise EnvironmentFault(self._end)
        number = next(self._ids)
        waiting = self._open[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"id": number, "call": call, "with": given})
            while True:
                answered = self._answered
                done, _ = await asyncio.wait([waiting], timeout=seconds)
                if done:
                    return _result(self._program, call, waiting.result())
                if answered == self._answered:
                    self._over(f"{self._program.name}: {call} was not done after {seconds:g} s")
        finally:
            self._open.pop(number, None)
            if waiting.done() and not waiting.cancelled():
                waiting.exception()  # seen, also when the one who asked was cancelled

    async def close(self) -> None:
        """End the process; may be called twice.

        It ends by itself when its standard input does, and with it, in order, the sandbox around it; one that is
        killed leaves the sandbox's first process for others to bury.
        """
        self._fail(f"{self._program.name}: the worker is closed")
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._ended()
        await asyncio.gather(*self._listening, return_exceptions=True)

    async def _ended(self) -> int:
        """The exit status, of a process that is about to end."""
        try:
            return await asyncio.wait_for(self._process.wait(), _ENDING_SECONDS)
        except TimeoutError:
            self._kill()
            return await self._process.wait()

    def _send(self, request: JsonValue) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(request).encode() + b"\n")

    async def _listen(self) -> None:
        """Hand every answer to the one who asked, until the process says no more."""
        output, reason = self._process.stdout, "its output ended"
        assert output is not None  # noqa: S101 - a pipe was asked for
        try:
            async for line in output:
                self._take(json.loads(line))
        except (ValueError, RecursionError) as error:  # a line that is too long, or no answer
            reason = str(error)
            self._kill()  # what it says next is not to be trusted
        status = await self._ended()
        await asyncio.gather(self._listening[1], return_exceptions=True)
        self._fail(f"{self._program.name}: the worker died ({reason}, exit {status}): {_last(self._said)}")

    def _take(self, answer: JsonValue) -> None:
        """Hand an answer on. Raises `ValueError` when it is none."""
        if not isinstance(answer, dict) or not ("ready" in answer or isinstance(answer.get("id"), int)):
            raise ValueError(f"it said {json.dumps(answer)[:200]}, which is no answer")
        self._answered += 1
        if "ready" not in answer:
            waiting = self._open.get(cast(int, answer["id"]))
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        elif not self._ready.done():
            self._ready.set_result(None)

    async def _overhear(self) -> None:
        errors = self._process.stderr
        assert errors is not None  # noqa: S101 - a pipe was asked for
        rest = b""
        while piece := await errors.read(65_536):  # not line by line: one without end must not hold the process up
            *lines, rest = (rest + piece).split(b"\n")
            self._said.extend(line.decode(errors="replace").rstrip()[:500] for line in lines)
            rest = rest[:2000]
        if rest:
            self._said.append(rest.decode(errors="replace").rstrip()[:500])

    def _over(self, end: str) -> None:
        """Kill the process, and let those who wait know why."""
        self._kill()
        self._fail(end)

    def _kill(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def _fail(self, end: str) -> None:
        self._end = self._end or end
        fault = EnvironmentFault(self._end)
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_exception(fault)
        if not self._ready.done():
            self._ready.set_exception(fault)
        if not self._ready.cancelled():
            self._ready.exception()


def _result(program: Program, call: str, answer: JsonValue) -> JsonValue:
    if isinstance(answer, dict) and "result" in answer:
        return answer["result"]
    raise EnvironmentFault(
        f"{program.name}: {call} failed: {answer.get('error') if isinstance(answer, dict) else answer}"
    )


def _last(said: Sequence[str]) -> str:
    """What a process said last, in a line."""
    return " / ".join(line.strip() for line in list(said)[-3:] if line.strip())[:600] or "it said nothing"


@functools.lru_cache(maxsize=32)
def _walls(python: Path, script: Path) -> tuple[str, ...]:
    """The beginning of a command line that shuts a worker in; empty where that does not work."""
    from harness.environments.sandbox.bubblewrap import find_bubblewrap
    from harness.environments.sandbox.limits import NoSandboxError

    try:
        found = find_bubblewrap()
    except NoSandboxError:
        return ()
    # Home and /tmp are empty, but for the Pythons and the scripts that may lie there.
    empty = sorted({"/tmp", "/root", "/home", str(Path.home())} - {"/"})  # noqa: S108 - the sandbox's own
    needed = [python.parent.parent, python.resolve().parent.parent, script.resolve().parent, _SERVE.parent]
    line = [str(found.path), "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/",
            "--dev", "/dev", "--proc", "/proc"]  # fmt: skip
    for folder in empty:
        if Path(folder).is_dir():
            line += ["--tmpfs", folder]
    for folder in dict.fromkeys(str(place) for place in needed):
        line += ["--ro-bind", folder, folder]
    line += ["--chdir", "/", "--"]
    try:
        subprocess.run(
            [*line, str(python), "-P", "-s", "-c", ""], env=_ENVIRONMENT, capture_output=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line)
