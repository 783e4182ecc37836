"""An embedded model: a child process that serves the weights, and litellm as its client.

The child is started by the first call, weights that are not here yet are downloaded before that, and both are
`waited` on that call: none of it is on a trial's clock. Calls go through the same code as hosted models
(`LiteLLMModel` against the child's address), so retries, receipts and limits are the same.

A child that dies is started again, once per call that meets its death; a call that meets a second one is a
provider fault that tells how the child ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING

from pydantic import JsonValue

from harness.models.accounts import Accounts
from harness.models.local.compact import Compacted, compact
from harness.models.local.progress import Interrupted
from harness.models.local.server import LocalServer, ServerFailed, Serving
from harness.models.local.setup import as_remote, means_of, require_engine, sent_parameters, usable_source
from harness.models.local.source import Weights, fetched
from harness.models.protocol import (
    Attempt,
    ContextExceeded,
    ModelReply,
    ModelRequest,
    ModelSetupError,
    ProviderFault,
    Receipt,
    TimeExceeded,
)

if TYPE_CHECKING:
    from harness.models.remote import LiteLLMModel
    from harness.spec.resolved import LoadedModel

_DEATHS_PER_CALL = 2
_NEWS_OF_DEATH = 1.0
"""Seconds that a broken connection may be ahead of the news that the child is gone."""


@dataclass
class _Running:
    """A child and its client."""

    server: LocalServer
    client: LiteLLMModel
    weights: Weights
    died: asyncio.Event


class LocalModel:
    """One embedded model, shared by all trials of a run; belongs to the event loop of its first call."""

    def __init__(self, loaded: LoadedModel, *, parameters: dict[str, JsonValue], accounts: Accounts) -> None:
        """Raises `ModelSetupError` when the engine is not installed or the entry makes no sense; starts nothing."""
        require_engine(loaded.name)
        self.name = loaded.name
        self._loaded = loaded
        self._source = usable_source(loaded)
        self._parameters = sent_parameters(parameters)
        self._means = means_of(loaded, parameters, self._source)
        self._asked = {**loaded.entry.parameters, **parameters}
        self._accounts = accounts
        self._running: _Running | None = None
        self._starting: asyncio.Task[_Running] | None = None
        self._interrupt = threading.Event()

    @property
    def pid(self) -> int | None:
        """Of the child, while one is running."""
        return self._running.server.pid if self._running is not None else None

    async def complete(self, request: ModelRequest) -> ModelReply:
        """One reply; starts the child where none is running. Raises the exceptions of `harness.models.protocol`."""
        waited = 0.0
        deaths: list[Attempt] = []
        sent = compact(request, self._asked.get("extra_body"))
        while True:
            begun = time.monotonic()
            running = await self._ready(deaths)
            waited += time.monotonic() - begun
            begun = time.monotonic()
            try:
                reply = await self._call(running, sent.request)
            except _Died:
                lost = time.monotonic() - begun
                waited += lost
                deaths.append(Attempt("connection", None, running.server.obituary()[:500], lost, 0.0))
                if len(deaths) >= _DEATHS_PER_CALL:
                    raise self._fault(deaths) from None
            except (ContextExceeded, TimeExceeded) as ended:
                ended.attempts[:0] = deaths
                ended.waited += waited
                raise
            except ProviderFault as fault:
                fault.attempts[:0] = deaths
                if fault.receipt is not None:
                    fault.receipt = self._receipt(fault.receipt, running, sent, deaths)
                raise
            else:
                receipt = self._receipt(reply.receipt, running, sent, deaths)
                return replace(reply, receipt=receipt, waited=reply.waited + waited)

    async def close(self) -> None:
        """Ends the child and waits for it; a download or start under way is given up."""
        self._interrupt.set()
        if self._starting is not None:
            with contextlib.suppress(Interrupted, ModelSetupError, ServerFailed):
                await self._starting
        if self._running is not None:
            await self._end(self._running)
            self._running = None

    async def _call(self, running: _Running, request: ModelRequest) -> ModelReply:
        """The client's reply. Raises `_Died` as soon as the child is gone, not when the client has tired of it."""
        call = asyncio.ensure_future(running.client.complete(request))
        death = asyncio.ensure_future(running.died.wait())
        try:
            await asyncio.wait((call, death), return_when=asyncio.FIRST_COMPLETED)
            if _lost(call):
                await asyncio.wait((death,), timeout=_NEWS_OF_DEATH)
            if death.done() and (_lost(call) or not call.done()):
                raise _Died
            return await call
        finally:
            death.cancel()
            if not call.done():
                call.cancel()
                with contextlib.suppress(asyncio.CancelledError, ProviderFault, ContextExceeded, TimeExceeded):
                    await call

    async def _ready(self, deaths: list[Attempt]) -> _Running:
        """The running child, started by whoever comes first; a caller that is cancelled does not stop the start."""
        if self._running is not None and not self._running.died.is_set():
            return self._running
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        except Interrupted:
            raise ProviderFault("closed", f"model '{self.name}' was closed", list(deaths)) from None
        except ServerFailed as error:
            if deaths:
                deaths.append(Attempt("connection", None, str(error)[:500], 0.0, 0.0))
                raise self._fault(deaths) from None
            raise ModelSetupError(
                f"model '{self.name}': llama.cpp does not start with {self._loaded.entry.model}: {error}"
            ) from None
        finally:
            if starting.done() and self._starting is starting:
                self._starting = None

    async def _start(self) -> _Running:
        from harness.models.remote import LiteLLMModel

        if self._running is not None:
            await self._end(self._running)
            self._running = None
        try:
            server, weights = await asyncio.to_thread(self._start_server)
        except asyncio.CancelledError:
            self._interrupt.set()
            raise
        try:
            remote = as_remote(self._loaded, f"{server.address}/v1", self._means.n_parallel)
            client = LiteLLMModel(remote, parameters=self._parameters, accounts=self._accounts, key=server.key)
        except BaseException:
            await asyncio.to_thread(server.stop)
            raise
        died = asyncio.Event()
        _watch(server, asyncio.get_running_loop(), died.set)
        self._running = _Running(server, client, weights, died)
        return self._running

    def _start_server(self) -> tuple[LocalServer, Weights]:
        weights = fetched(self._source, interrupt=self._interrupt)
        means = self._means
        server = LocalServer(Serving(self.name, weights.path, means.n_ctx, means.n_parallel, means.n_threads))
        server.start(self._interrupt)
        if self._interrupt.is_set():  # nobody waits for it any more
            server.stop()
            raise Interrupted(self.name)
        return server, weights

    async def _end(self, running: _Running) -> None:
        await running.client.close()
        await asyncio.to_thread(running.server.stop)

    def _receipt(self, receipt: Receipt, running: _Running, sent: Compacted, deaths: list[Attempt]) -> Receipt:
        """What was sent, said in the terms of the entry; the weights by size and digest."""
        means = {"n_ctx": self._means.n_ctx, "n_parallel": self._means.n_parallel}
        return replace(
            receipt,
            asked={**self._asked, **sent.asked},
            sent=sent.described(receipt.sent) | means,
            response_format=sent.response_format or receipt.response_format,
            model=self._loaded.entry.model,
            resolved=running.weights.describe(self._source),
            fingerprint=f"xllamacpp {metadata.version('xllamacpp')}",
            attempts=[*deaths, *receipt.attempts],
        )

    def _fault(self, deaths: list[Attempt]) -> ProviderFault:
        return ProviderFault(
            "connection",
            f"model '{self.name}': its server died {len(deaths)} times in one call: {deaths[-1].message}",
            deaths,
        )


class _Died(Exception):
    """The child died during a call."""


def _lost(call: asyncio.Future[ModelReply]) -> bool:
    """Whether a call ended in the way it does when nobody is at the other end any more."""
    fault = call.exception() if call.done() and not call.cancelled() else None
    return isinstance(fault, ProviderFault) and fault.kind in ("connection", "truncated")


def _watch(server: LocalServer, loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
    """Calls `tell` in the loop when the child ends."""

    def wait() -> None:
        server.ended.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=wait, name=f"watching {server.serving.name}", daemon=True).start()
