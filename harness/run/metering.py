"""What wraps a model for the length of one trial: a meter for the run's budget, and replies already paid for.

A trial that was cancelled left its replies in the record. The next attempt is given them again, call by call,
as long as it asks exactly what was asked before; from the first call that differs on, the model is asked anew.
So an interrupted sweep pays nothing twice, and the trial reads as if it had run through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

from harness.models import Attempt, CallKey, Model, ModelReply, ModelRequest, Receipt, Usage
from harness.record import CallEvent, TrialDocument, message_hash, requested_messages


@dataclass
class Meter:
    """What one run has really spent and received, replies paid for earlier not counted."""

    cost: float = 0.0
    unpriced_calls: int = 0
    calls: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    """Completion tokens by model."""
    on_call: Callable[[str, ModelReply], None] | None = None

    def count(self, model: str, reply: ModelReply) -> None:
        """Take one reply into account."""
        self.calls += 1
        if reply.cost is None:
            self.unpriced_calls += 1
        else:
            self.cost += reply.cost
        self.tokens[model] = self.tokens.get(model, 0) + (reply.usage.completion or 0)
        if self.on_call is not None:
            self.on_call(model, reply)


@dataclass(frozen=True)
class PaidReply:
    """A recorded reply, and what it answered."""

    request: tuple[str, ...]
    """Hashes of the messages asked with."""
    reply: ModelReply


class MeteredModel:
    """A model as one trial sees it."""

    def __init__(self, model: Model, meter: Meter, paid: Mapping[CallKey, PaidReply] | None = None) -> None:
        self.name = model.name
        self._model = model
        self._meter = meter
        self._paid = dict(paid or {})

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The reply paid for earlier where the request is the same, else a new one."""
        if (paid := self.paid(request)) is not None:
            return paid
        reply = await self._model.complete(request)
        self._meter.count(self.name, reply)
        return reply

    def paid(self, request: ModelRequest) -> ModelReply | None:
        """The reply paid for earlier; None, now and later, once a request is another one than it answered."""
        paid = self._paid.get(request.key)
        if paid is None:
            return None
        if paid.request == tuple(message_hash(message) for message in request.messages):
            return paid.reply
        self._paid.clear()
        return None

    async def close(self) -> None:
        """Nothing: the model belongs to the sweep."""


def paid_replies(document: TrialDocument) -> dict[CallKey, PaidReply]:
    """Every answered call of a recorded trial, by its key."""
    found: dict[CallKey, PaidReply] = {}
    for index, event in enumerate(document.events):
        if isinstance(event, CallEvent) and event.reply is not None:
            request = tuple(message_hash(message) for message in requested_messages(document, index))
            key = CallKey(node=event.node, role=event.role, lane=event.lane, visit=event.visit)
            found[key] = PaidReply(request, _reply(document, event))
    return found


def _reply(document: TrialDocument, event: CallEvent) -> ModelReply:
    assert event.reply is not None  # noqa: S101 - the caller has looked
    known = {f.name for f in fields(Receipt)}
    receipt = {name: value for name, value in (event.receipt or {}).items() if name in known}
    receipt["attempts"] = [Attempt(**attempt) for attempt in receipt.get("attempts") or []]  # type: ignore[arg-type, misc, union-attr]
    return ModelReply(
        message=document.messages[event.reply],
        finish=event.finish or "stop",
        usage=Usage(event.prompt_tokens, event.completion_tokens, event.cached_tokens, event.reasoning_tokens),
        cost=event.cost,
        receipt=Receipt(**receipt),  # type: ignore[arg-type]
        seconds=event.seconds,
        waited=event.waited,
    )
