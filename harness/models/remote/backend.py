"""A model behind litellm: one attempt after another until a reply, each on the books.

litellm's own retries are off; what is tried again, and how often, is decided in `retrying`. The time of a failed
attempt, the pauses and the queueing for a place at the account are `waited`: not on the trial's clock.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
from pydantic import JsonValue

from harness.models.accounts import Accounts, Place
from harness.models.protocol import (
    ContextExceeded,
    ModelReply,
    ModelRequest,
    ProviderFault,
    Receipt,
    TimeExceeded,
    Usage,
)
from harness.models.redaction import redact
from harness.models.remote.failures import Failure, failure_of
from harness.models.remote.loading import NO_KEY, find_route, load_client, load_litellm
from harness.models.remote.parameters import Prepared, prepare, takes_seed
from harness.models.remote.prices import cost_of, map_price
from harness.models.remote.receipts import Outgoing, Sent, read_body
from harness.models.remote.replies import finish_of, message_of, salvaged, usage_of
from harness.models.remote.retrying import Tries

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedModel

_MESSAGE_LENGTH = 500
_GRACE = 10.0
"""Seconds that litellm's own time-out comes after ours; it counts silence, ours the whole attempt."""


@dataclass
class _Call:
    """One call in progress."""

    request: ModelRequest
    prepared: Prepared
    tries: Tries
    ticket: int
    begun: float
    outgoing: Outgoing
    seconds: float = 0.0
    waited: float = 0.0


class LiteLLMModel:
    """Any model that litellm reaches."""

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        parameters: dict[str, JsonValue],
        accounts: Accounts,
        key: str | None = None,
        _backoff: float = 1.0,
    ) -> None:
        """Raises `ModelSetupError` when provider or key are not there.

        `key` is sent instead of one from the environment: for a server of the harness's own.
        """
        self.name = loaded.name
        self._entry = loaded.entry
        self._parameters = parameters
        self._route = find_route(loaded) if key is None else replace(find_route(loaded), key=key)
        self._account = accounts.get(self._route.account, loaded.entry.concurrency)
        self._accounts = accounts
        self._mapped_price = None if loaded.entry.price else map_price(loaded)
        self._takes_seed = takes_seed(self._route.provider, self._route.name)
        load_client()
        self._acompletion = load_litellm().acompletion
        self._backoff = _backoff
        self._closed = False
        accounts.open_models += 1

    async def complete(self, request: ModelRequest) -> ModelReply:
        """One reply, after as many attempts as the entry's `retry` grants."""
        call = _Call(
            request=request,
            prepared=prepare(self._entry, self._parameters, request, takes_seed=self._takes_seed),
            tries=Tries(self._entry.retry, self._backoff, self._told),
            ticket=self._account.ticket(),
            begun=time.monotonic(),
            outgoing=Outgoing(),
        )
        try:
            response: Any = await call.tries.retrying(asyncio.sleep)(self._attempt, call)
        except Failure as failure:
            if failure.kind == "content_filter":
                return self._filtered(call, failure)
            self._give_up(call, failure)
        return self._reply(call, response)

    async def close(self) -> None:
        """Closes litellm's connections, when no other model of the run is open any more."""
        if self._closed:
            return
        self._closed = True
        self._accounts.open_models -= 1
        if self._accounts.open_models == 0:
            litellm = load_litellm()
            await litellm.close_litellm_async_clients()
            litellm.in_memory_llm_clients_cache.flush_cache()

    async def _attempt(self, call: _Call) -> Any:
        """One request: queues for a place, sends, reads. Raises `Failure`."""
        place = await self._enter(call)
        started = time.monotonic()
        call.waited = started - call.begun
        succeeded = False
        try:
            response = await self._send(call)
            succeeded = True
        except Failure as failure:
            if failure.kind == "rate_limit":
                self._account.throttle(place, failure.retry_after)
            raise
        finally:
            call.seconds = call.tries.last_seconds = time.monotonic() - started
            self._account.leave(place, succeeded=succeeded)
        return response

    async def _enter(self, call: _Call) -> Place:
        """A place at the account; refuses to queue through a pause longer than the call may wait."""
        pause = self._account.pause_left
        if pause > call.tries.left:
            raise ProviderFault(
                "rate_limit",
                f"model '{self.name}': the provider asks to wait {pause:.0f} s, longer than retry.seconds allows",
                call.tries.attempts,
                self._receipt(call, None),
            )
        return await self._account.enter(call.ticket)

    async def _send(self, call: _Call) -> Any:
        left = call.request.seconds_left
        limit = self._entry.timeout if left is None else min(self._entry.timeout, left)
        if limit <= 0:
            raise self._timed_out(call, limit)
        arguments = dict(call.prepared.arguments)
        for name in ("tools", "response_format"):
            if name in arguments:  # a copy: some of litellm's routes write into what they are given
                arguments[name] = orjson.loads(orjson.dumps(arguments[name]))
        call.outgoing.body = call.outgoing.answer = None
        try:
            async with asyncio.timeout(limit) as clock:
                response = await self._acompletion(
                    model=self._entry.model,
                    messages=[dict(message) for message in call.request.messages],
                    api_base=self._entry.api_base,
                    api_key=self._route.key,
                    timeout=limit + _GRACE,
                    num_retries=0,
                    max_retries=0,
                    logger_fn=call.outgoing,
                    **arguments,
                )
        except Exception as error:  # litellm raises all sorts; `failure_of` says whose fault each is
            if isinstance(error, TimeoutError) and clock.expired():
                raise self._timed_out(call, limit) from None
            failure = failure_of(error, sent=call.outgoing.body is not None)
            if failure.kind != "truncated" or (response := salvaged(call.outgoing.answer)) is None:
                raise failure from error
        if not response.choices or response.choices[0].message is None:
            raise Failure("truncated", "the reply holds no choice", 200)
        return response

    def _timed_out(self, call: _Call, limit: float) -> Exception:
        if limit < self._entry.timeout:
            return TimeExceeded(
                f"the trial's time ran out {limit:.1f} s into a call of '{self.name}'",
                call.tries.attempts,
                waited=call.waited,
            )
        return Failure("timeout", f"no reply within {limit:g} s")

    def _give_up(self, call: _Call, failure: Failure) -> NoReturn:
        if failure.kind == "context":
            raise ContextExceeded(self._told(failure.message), call.tries.attempts, waited=call.waited) from None
        call.tries.note(failure, 0.0)
        attempts = call.tries.attempts
        times = f" after {len(attempts)} attempts" if len(attempts) > 1 else ""
        status = f" {failure.status}" if failure.status else ""
        hint = f" (key from {' or '.join(self._route.key_variables)})" if failure.kind == "auth" else ""
        text = f"model '{self.name}': {failure.kind}{status}{times}{hint}: {attempts[-1].message}"
        raise ProviderFault(failure.kind, text, attempts, self._receipt(call, None)) from None

    def _reply(self, call: _Call, response: Any) -> ModelReply:
        choice = response.choices[0]
        usage = usage_of(response)
        return ModelReply(
            message=message_of(choice),
            finish=finish_of(choice),
            usage=usage,
            cost=cost_of(response, usage, self._entry.price, self._mapped_price),
            receipt=self._receipt(call, response),
            seconds=call.seconds,
            waited=call.waited,
        )

    def _filtered(self, call: _Call, failure: Failure) -> ModelReply:
        """A prompt the provider's filter refused is an answer, not a fault."""
        message = {"role": "assistant", "content": None, "refusal": self._told(failure.message)}
        receipt = self._receipt(call, None)
        return ModelReply(message, "content_filter", Usage(), None, receipt, call.seconds, call.waited)

    def _told(self, message: str) -> str:
        """A provider's words as they may be written down: without keys, at most 500 characters."""
        keys = [key for key in (self._route.key,) if key and key != NO_KEY]
        return redact(message, self._route.key_variables, keys)[:_MESSAGE_LENGTH]

    def _receipt(self, call: _Call, response: Any) -> Receipt:
        body = call.outgoing.body
        sent = read_body(body) if body is not None else Sent({}, None, None)
        resolved = getattr(response, "model", None)
        return Receipt(
            asked=call.prepared.asked,
            sent=sent.parameters,
            dropped=call.prepared.dropped,
            tools=sent.tools,
            response_format=sent.response_format,
            model=self._entry.model,
            resolved=self._route.name if resolved == self._entry.model else resolved,
            fingerprint=getattr(response, "system_fingerprint", None),
            attempts=list(call.tries.attempts),
        )
