"""One thread that makes blocking calls in order, so that a database never holds up the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from harness.environments.protocol import EnvironmentFault

T = TypeVar("T")
GRACE_SECONDS = 10.0
"""How long a call that was interrupted may take to end."""


class Worker:
    """A thread of one environment; started by the first call, ended by `close`."""

    def __init__(self, name: str, interrupt: Callable[[], None]) -> None:
        """`interrupt` makes the call under way end soon; it is called from the loop's thread."""
        self._name = name
        self._interrupt = interrupt
        self._calls: queue.SimpleQueue[tuple[Future[object], Callable[[], object]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def call(self, work: Callable[[], T], seconds: float | None = None) -> T:
        """Return the result of `work()`, or what it raises. Cancelling the caller, or `seconds`, interrupts the work.

        Raises `EnvironmentFault` after `close`, or when interrupted work does not end.
        """
        if self._closed:
            raise EnvironmentFault(f"the {self._name} is closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"harness-{self._name}", daemon=True)
            self._thread.start()
        future: Future[object] = Future()
        self._calls.put((future, work))
        waiting = asyncio.wrap_future(future)
        try:
            done, _ = await asyncio.wait([waiting], timeout=seconds)
        except asyncio.CancelledError:
            await self._end(waiting)
            raise
        if not done and not await self._end(waiting):
            raise EnvironmentFault(f"the {self._name} did not stop within {GRACE_SECONDS:g} seconds of being told to")
        return waiting.result()  # type: ignore[return-value]

    async def _end(self, waiting: asyncio.Future[object]) -> bool:
        """Interrupt the work and wait for its end; whether it came. Asked again and again, as it may not have begun."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE_SECONDS
        while not waiting.done() and loop.time() < deadline:
            self._interrupt()
            await asyncio.wait([waiting], timeout=0.2)
        if waiting.done() and not waiting.cancelled():
            waiting.exception()
        return waiting.done()

    def _run(self) -> None:
        while (item := self._calls.get()) is not None:
            future, work = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed to the caller, whose it is
                future.set_exception(error)
            del item, future, work

    async def close(self, last: Callable[[], None]) -> None:
        """End the thread after `last()` has run on it; does nothing when called again."""
        if self._closed:
            return
        if self._thread is None:
            self._closed = True
            last()
            return
        try:
            await self.call(last, seconds=GRACE_SECONDS)
        finally:
            self._closed = True
            self._calls.put(None)
            with contextlib.suppress(RuntimeError):
                await asyncio.to_thread(self._thread.join, GRACE_SECONDS)
