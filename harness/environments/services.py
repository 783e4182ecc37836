"""What the trials of one run share: a browser, a database server, a worker process with heavy imports.

    async with Services() as services:
        browser = await services.get(("chromium", path), lambda: launch(path))

A service is started by whoever asks first, once per key; the others wait for it. All are closed, the last
started first, when the run that made the `Services` is over; no trial closes one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol, Self, TypeVar, cast

OPEN_FILES = 65_536


class Service(Protocol):
    """Something started once and used by many trials."""

    async def close(self) -> None:
        """Leave no process, socket or file behind."""
        ...


S = TypeVar("S", bound=Service)


def allow_open_files() -> None:
    """Let this process open more files than the 1,024 that systems start programs with, up to `OPEN_FILES`.

    A trial in a sandbox holds a dozen: a hundred at once need more. What is started from here inherits it, and some
    programs go through all numbers they might have open: hence a bound where the system has none.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):  # not offered, or not allowed: then it is as it was
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Services:
    """The services of one run, by key. Belongs to one event loop."""

    def __init__(self) -> None:
        """Start nothing."""
        self._started: dict[Hashable, asyncio.Task[Service]] = {}
        self._closed = False

    async def get(self, key: Hashable, start: Callable[[], Awaitable[S]]) -> S:
        """The service of a key, started when there is none. Raises what `start` raises; the next call tries again."""
        if self._closed:
            raise RuntimeError("these services are closed")
        if key not in self._started:
            self._started[key] = cast("asyncio.Task[Service]", asyncio.ensure_future(_begun(start)))
        starting = self._started[key]
        try:
            # Shielded: a cancelled trial must not take the service from the others that wait for it.
            return cast(S, await asyncio.shield(starting))
        except BaseException:
            if starting.done() and (starting.cancelled() or starting.exception() is not None):
                self.forget(key, starting)
            raise

    def forget(self, key: Hashable, starting: asyncio.Task[Service] | None = None) -> None:
        """Let the next `get` start anew, after a service has died; the caller closes what is left of it."""
        if starting is None or self._started.get(key) is starting:
            self._started.pop(key, None)

    async def close(self) -> None:
        """Close all services, the last started first; may be called twice. Raises the first failure, after the rest.

        One that is cancelled goes on with the rest first: a second Ctrl-C must not leave a server running.
        """
        self._closed = True
        failures: list[BaseException] = []
        while self._started:
            _, starting = self._started.popitem()
            try:
                (started,) = await asyncio.gather(starting, return_exceptions=True)
                if not isinstance(started, BaseException):
                    await started.close()
            except (Exception, asyncio.CancelledError) as failure:  # noqa: BLE001 - one must not keep the others open
                failures.append(failure)
        if failures:
            raise failures[0]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _begun(start: Callable[[], Awaitable[S]]) -> S:
    return await start()
