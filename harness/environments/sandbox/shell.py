"""One bash that takes commands over a pipe, each with its own output, exit status and time limit.

The shell runs a loop: report (the last command's exit status and folder), read the next command, `eval`
it with empty input. The pipes of the loop are not open in the commands it starts, and have the same numbers in
every shell, whatever else this process has open. Each command carries a random mark that its report must repeat.
Nothing the commands do can hold up the host: it waits for the report, the death of the shell or the time limit,
whichever is first, and reads output in bounded memory and at a bounded rate.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from .limits import MIB, Limits
from .output import HeadAndTail, Output

_LOOP = (
    "{take_places} && ulimit -HS -c 0 && "
    "ulimit -HS -n {open_files} && ulimit -HS -f {file_kib} && ulimit -HS -v {memory_kib} && "
    "{limit_processes} || exit 125; __status() {{ return $1; }}; "
    'while :; do while __exit=$?; printf \'%s %s %s\\0\' "$__mark" "$__exit" "$PWD" >&{report}; '
    "IFS= read -r -d '' __mark && IFS= read -r -d '' __command || exit 0; "
    'do __status "$__exit"; builtin eval "$__command" </dev/null >&{output} 2>&1 {report}>&- {output}>&-; done; done'
)
_PIPE_BYTES = 1 << 18
_REPORT_BYTES = 1 << 16
_FULL_SPEED_BYTES = 1 * MIB
_PAUSE = 0.01
_REPORT, _OUTPUT = 240, 241
"""Below the limit of open files that the shell puts itself under, above what people use in scripts."""
LENT = 242
"""The shell's number for the first of the descriptors lent to it; the others follow."""
COMMAND_BYTES = 60_000
"""Longest command; it must fit in a pipe that nobody reads meanwhile."""


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    output: Output
    exit: int | None
    """None when the shell did not live to report it."""
    folder: str | None = None
    """Where the shell is now, as it says itself."""
    timed_out: bool = False


@dataclass(frozen=True)
class Pipes:
    """The shell's ends of its pipes, to be handed to its process and then closed."""

    commands: int
    output: int
    report: int

    def close(self) -> None:
        """Close the shell's ends here."""
        for descriptor in (self.commands, self.output, self.report):
            os.close(descriptor)


def script(limits: Limits, pipes: Pipes, lent: Sequence[int] = (), *, limit_processes: bool = True) -> list[str]:
    """Return the command line of the shell, which must be given its pipes, and what is lent, under their own numbers.

    Raises `ValueError` when the limit of open files leaves no room for them.
    """
    if limits.open_files < LENT + len(lent):
        raise ValueError(f"a shell with {len(lent)} lent descriptors needs {LENT + len(lent)} open files at least")
    text = _LOOP.format(
        take_places=_moves({pipes.report: _REPORT, pipes.output: _OUTPUT} | dict(zip(lent, count(LENT), strict=False))),
        open_files=limits.open_files,
        file_kib=limits.disk_bytes // 1024,
        memory_kib=2 * limits.memory_bytes // 1024 if limits.address_space else "unlimited",
        limit_processes=f"ulimit -HS -u {limits.processes}" if limit_processes else "true",
        report=_REPORT,
        output=_OUTPUT,
    )
    return ["/bin/bash", "--noprofile", "--norc", "-c", text, "bash"]


class Shell:
    """The host's side of one shell; bound to the running event loop."""

    def __init__(self, characters: int) -> None:
        """Make the pipes. Commands show at most about `characters` characters of output."""
        self._loop = asyncio.get_running_loop()
        inside_commands, self._commands = os.pipe2(os.O_CLOEXEC)
        self._output, inside_output = os.pipe2(os.O_CLOEXEC)
        self._reports, inside_report = os.pipe2(os.O_CLOEXEC)
        self.inside = Pipes(inside_commands, inside_output, inside_report)
        for descriptor in (self._commands, self._output, self._reports):
            os.set_blocking(descriptor, False)
        with contextlib.suppress(OSError):  # the user's share of pipe memory is used up
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._collected = HeadAndTail(characters)
        self._unread = b""
        self._mark = ""
        self._report: asyncio.Future[tuple[int, str]] = self._loop.create_future()
        self._paused: asyncio.TimerHandle | None = None
        self._closed = False
        self.ended = asyncio.Event()
        """Set by whoever sees the shell's process end, and when the shell breaks its word."""
        self._loop.add_reader(self._output, self._on_output)
        self._loop.add_reader(self._reports, self._on_report)

    async def ready(self, seconds: float) -> bool:
        """Wait for the first report; False when the shell ended or the time is over."""
        await self._wait(seconds)
        return self._report.done()

    async def run(self, command: str, seconds: float) -> Ran:
        """Run a command and wait for its report, the shell's end or the time limit.

        After a time-out the command still runs: the caller has to end the shell. Raises `ValueError` for
        a command that holds NUL or is longer than `COMMAND_BYTES`.
        """
        self._send(command)
        await self._wait(seconds)
        output = self._drain()
        if self._report.done():
            status, folder = self._report.result()
            return Ran(output, status, folder)
        return Ran(output, None, timed_out=not self.ended.is_set())

    async def run_last(self, command: str, seconds: float) -> Ran:
        """Run a command in place of the shell, so that its exit status is the process's own.

        The status is the caller's to find; `exit` is None. Raises `ValueError` like `run`.
        """
        self._send(f"exec /bin/bash --noprofile --norc -c {_quoted(command)} bash")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), seconds)
        return Ran(self._drain(), None, timed_out=not self.ended.is_set())

    def take_output(self) -> Output:
        """Return what was printed since it was last taken."""
        return self._drain()

    def close(self) -> None:
        """Close the host's ends; may be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._paused is not None:
            self._paused.cancel()
        for descriptor in (self._output, self._reports):
            self._loop.remove_reader(descriptor)
        for descriptor in (self._commands, self._output, self._reports):
            os.close(descriptor)

    def _send(self, command: str) -> None:
        text = command.encode("utf-8", "replace")
        if b"\0" in text:
            raise ValueError("a command cannot hold a NUL character")
        if len(text) > COMMAND_BYTES:
            raise ValueError(f"the command is longer than {COMMAND_BYTES} bytes; write it to a file and run that")
        self._mark = secrets.token_hex(8)
        self._report = self._loop.create_future()
        with contextlib.suppress(BrokenPipeError, BlockingIOError):  # its end, or its silence, is seen by the wait
            os.write(self._commands, self._mark.encode() + b"\0" + text + b"\0")

    async def _wait(self, seconds: float) -> None:
        ended = asyncio.ensure_future(self.ended.wait())
        either: set[asyncio.Future[Any]] = {self._report, ended}
        try:
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()

    def _on_output(self) -> None:
        try:
            data = os.read(self._output, _PIPE_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._output)
            return
        self._collected.add(data)
        if self._collected.printed > _FULL_SPEED_BYTES:
            self._loop.remove_reader(self._output)
            self._paused = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._paused = None
        self._loop.add_reader(self._output, self._on_output)

    def _drain(self) -> Output:
        """Take what the pipe held at the time of the report; a process that keeps writing cannot keep us here."""
        left = _PIPE_BYTES
        while left > 0:
            try:
                data = os.read(self._output, left)
            except BlockingIOError:
                break
            if not data:
                break
            self._collected.add(data)
            left -= len(data)
        return self._collected.finish()

    def _on_report(self) -> None:
        try:
            data = os.read(self._reports, _REPORT_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._reports)
            return
        *whole, self._unread = (self._unread + data).split(b"\0")
        for line in whole:
            mark, _, rest = os.fsdecode(line).partition(" ")
            status, _, folder = rest.partition(" ")
            if mark == self._mark and status.isdigit() and not self._report.done():
                self._report.set_result((int(status) & 0xFF, folder))
        if len(self._unread) > _REPORT_BYTES:  # no shell of ours speaks like that
            self._loop.remove_reader(self._reports)
            self.ended.set()


def _moves(places: Mapping[int, int]) -> str:
    """Bash that gives descriptors other numbers: by way of free ones from 10 on, so that none is overwritten."""
    words = [f"{{__place{old}}}>&{old} {old}>&-" for old in places]
    words += [f"{new}>&$__place{old} {{__place{old}}}>&-" for old, new in places.items()]
    return f"exec {' '.join(words)}; unset BASH_EXECUTION_STRING {' '.join(f'__place{old}' for old in places)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
