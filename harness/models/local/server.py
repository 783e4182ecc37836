"""The parent's side of a served model: starting the child, knowing that it lives, ending it.

A thread of its own starts the child, reads what it prints, and waits for its end. It lives exactly as long as the
child, which matters: the kernel's death signal follows the thread that started a process, not the process.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.models.local.progress import Interrupted

_PROGRAM = Path(__file__).with_name("server_process.py")
_START_SECONDS = 300.0
_POLL = 0.05
_TAIL_LINES = 40
_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")


class ServerFailed(Exception):
    """The child did not start; the message holds the end of what it printed."""


@dataclass(frozen=True)
class Serving:
    """What a child serves, and with what means."""

    name: str
    path: Path
    n_ctx: int
    """Tokens a thread may have."""
    n_parallel: int
    """Calls generated at once; more wait."""
    n_threads: int


class LocalServer:
    """One child process; started once, never again."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.key = secrets.token_urlsafe(24)
        """Without it the server answers nobody else on this machine."""
        self.address = ""
        """`http://127.0.0.1:PORT` once started."""
        self.ended = threading.Event()
        """Set when the child is gone, or could not be made."""
        self._child: subprocess.Popen[bytes] | None = None
        self._made = threading.Event()
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    @property
    def pid(self) -> int | None:
        """Of the child."""
        return self._child.pid if self._child is not None else None

    def start(self, interrupt: threading.Event) -> None:
        """Start the child and wait until it answers. Raises `ServerFailed` or `Interrupted`, no child left behind."""
        threading.Thread(target=self._live, name=f"local model {self.serving.name}", daemon=True).start()
        self._made.wait()
        deadline = time.monotonic() + _START_SECONDS
        answered = threading.Event()
        threading.Thread(target=self._read_address, args=(answered,), daemon=True).start()
        try:
            while not (self.address and self._healthy()):
                if interrupt.is_set():
                    raise Interrupted(self.serving.name)
                if self.ended.is_set():
                    raise ServerFailed(self.obituary())
                if time.monotonic() > deadline:
                    raise ServerFailed(f"no answer within {_START_SECONDS:.0f} s; {self.last_words()}")
                answered.wait(_POLL) if not self.address else time.sleep(_POLL)
        except BaseException:
            self.stop(patience=0.0)
            raise

    def stop(self, patience: float = 5.0) -> None:
        """End the child and wait for it: its input ends, and after `patience` seconds it is killed."""
        child = self._child
        if child is None:
            return
        if child.stdin is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
        if not self.ended.wait(patience):
            child.kill()
            self.ended.wait()

    def obituary(self) -> str:
        """How the child ended, and the end of what it printed."""
        code = self._child.returncode if self._child is not None else None
        if code is None:
            how = "could not be started"
        else:
            how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"its process {how}; {self.last_words()}"

    def last_words(self) -> str:
        """The last lines the child printed, as one line."""
        said = [line for line in self._tail if line.strip()]
        return f"it last said: {' | '.join(said[-4:])}" if said else "it said nothing"

    def _live(self) -> None:
        try:
            child = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=child_environment(),
            )
        except OSError as error:
            self._tail.append(str(error))
            self.ended.set()
            self._made.set()
            return
        self._child = child
        assert child.stdin is not None  # noqa: S101 - asked for above
        assert child.stderr is not None  # noqa: S101
        with contextlib.suppress(OSError):
            child.stdin.write(self._order())
            child.stdin.flush()
        self._made.set()
        for line in child.stderr:
            self._tail.append(line.decode("utf-8", "replace").rstrip()[:500])
        child.wait()
        self.ended.set()

    def _order(self) -> bytes:
        serving = self.serving
        order = {
            "parent": os.getpid(),
            "key": self.key,
            "name": serving.name,
            "path": str(serving.path),
            "n_ctx": serving.n_ctx,
            "n_parallel": serving.n_parallel,
            "n_threads": serving.n_threads,
        }
        return json.dumps(order).encode() + b"\n"

    def _read_address(self, answered: threading.Event) -> None:
        if self._child is not None and self._child.stdout is not None:
            with contextlib.suppress(OSError, ValueError, KeyError):
                self.address = str(json.loads(self._child.stdout.readline())["address"])
        answered.set()

    def _healthy(self) -> bool:
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def child_environment() -> dict[str, str]:
    """The environment of this process without anything that looks like a secret, and with OpenMP kept from spinning.

    With its default spin count, threads collapse as soon as anything else uses the cores. It is read when the library
    loads, so it has to be there before.
    """
    kept = {name: value for name, value in os.environ.items() if not any(word in name.upper() for word in _SECRET)}
    return {"GOMP_SPINCOUNT": "1000", **kept}


def cores() -> int:
    """Cores this process may use: its affinity, and its control group's quota."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        count = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            count = min(count, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        pass  # no such control group: no quota
    return count
