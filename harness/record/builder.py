"""Takes down a trial as it happens, each message once, and gives any call's messages back.

The requests of one voice grow: each begins with the one before it. A call therefore notes which earlier call it
begins like (`base`), how much of it is kept (`keep`) and what was added (`add`, by hash). Messages are compared by
identity first and hashed once each, so a trial of n turns costs n hashes; whoever rebuilds its messages for every
call still gets a correct record, for more hashing. A message must not be changed once it has been sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal, cast

import orjson
from pydantic import JsonValue

from harness.record.codec import clean
from harness.record.errors import RecordError
from harness.record.schema import CallEvent, Event, NodeEvent, ToolEvent, TrialDocument
from harness.spec.actions import Action

Message = dict[str, Any]


def content_hash(value: JsonValue | Message) -> str:
    """128 bits of the SHA-256 of `value` as sorted JSON, in hex."""
    try:
        data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # integers beyond 64 bits, broken Unicode
        data = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()
    return hashlib.sha256(data).hexdigest()[:32]


def message_hash(message: Message) -> str:
    """The name under which a message is kept in a document."""
    return content_hash(message)


class DocumentBuilder:
    """The document of one trial in the making. Everything it is given is plain data."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._schemas: dict[str, JsonValue] = {}
        self._events: list[Event] = []
        self._hashes: dict[int, tuple[str, Any]] = {}  # id -> hash, and the object, so that no id is used twice
        self._requests: dict[int, tuple[list[Message], list[str]]] = {}
        self._last: dict[tuple[str, str], int] = {}  # (role, lane) -> index of the last call
        self._latest: dict[str, int] = {}  # role -> index of the last call in any lane

    @property
    def events(self) -> Sequence[Event]:
        """What has happened so far."""
        return self._events

    def call(
        self,
        *,
        step: int,
        node: str,
        role: str,
        lane: str,
        visit: int,
        model: str,
        messages: Sequence[Message],
        tools: list[dict[str, JsonValue]] | None,
        response_format: dict[str, JsonValue] | None,
        reply: Message | None,
        actions: list[Action],
        started: float,
        finish: str | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        cached_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        cost: float | None = None,
        seconds: float = 0.0,
        waited: float = 0.0,
        receipt: dict[str, JsonValue] | None = None,
        error: str | None = None,
        replayed: bool = False,
    ) -> CallEvent:
        """Take down one model call; returns the event."""
        request = list(messages)
        base, keep, hashes = self._delta(role, lane, request)
        event = CallEvent(
            step=step, node=node, role=role, lane=lane, visit=visit, model=model,
            base=base, keep=keep, add=hashes[keep:],
            tools=self._schema(cast(JsonValue, tools)), response_format=self._schema(response_format),
            reply=self._keep(reply) if reply is not None else None, finish=finish, actions=actions,
            prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, cached_tokens=cached_tokens,
            reasoning_tokens=reasoning_tokens, cost=cost, started=started, seconds=seconds, waited=waited,
            receipt=clean(receipt), error=clean(error), replayed=replayed,
        )  # fmt: skip
        index = len(self._events)
        self._events.append(event)
        self._requests.pop(self._last.get((role, lane), -1), None)  # can no longer be a base
        self._requests[index] = (request, hashes)
        self._last[role, lane] = self._latest[role] = index
        return event

    def tool(
        self, *, step: int, node: str, role: str, lane: str, visit: int, action: Action, observation: str,
        error: bool, changes_state: bool, started: float, seconds: float, data: dict[str, JsonValue] | None = None,
    ) -> ToolEvent:  # fmt: skip
        """Take down one tool call carried out, or one malformed or cut-off reply answered; returns the event."""
        event = ToolEvent(
            step=step, node=node, role=role, lane=lane, visit=visit, action=action, observation=clean(observation),
            error=error, changes_state=changes_state, data=clean(data or {}), started=started, seconds=seconds,
        )  # fmt: skip
        self._events.append(event)
        return event

    def node(
        self, *, step: int, node: str, kind: Literal["say", "hear", "route", "branch", "join", "python"], lane: str,
        visit: int, started: float, role: str | None = None, detail: dict[str, JsonValue] | None = None,
    ) -> NodeEvent:  # fmt: skip
        """Take down a visit of any other node; returns the event."""
        event = NodeEvent(
            step=step, node=node, kind=kind, lane=lane, visit=visit, role=role, started=started,
            detail=clean(detail or {}),
        )  # fmt: skip
        self._events.append(event)
        return event

    def document(self, facts: dict[str, JsonValue] | None = None, error_detail: str | None = None) -> TrialDocument:
        """All of it, so far."""
        return TrialDocument(
            messages=dict(self._messages),
            schemas=dict(self._schemas),
            events=list(self._events),
            facts=clean(facts or {}),
            error_detail=clean(error_detail),
        )

    def _delta(self, role: str, lane: str, request: list[Message]) -> tuple[int | None, int, list[str]]:
        """The call `request` begins most like, how much of it is kept, and the hashes of the whole request."""
        best: tuple[int | None, int, list[str]] = (None, 0, [])
        for index in dict.fromkeys((self._last.get((role, lane)), self._latest.get(role))):
            if index is None:
                continue
            earlier, hashes = self._requests[index]
            shared = self._shared(request, earlier, hashes)
            if shared > best[1]:
                best = (index, shared, hashes)
        base, keep, hashes = best
        return base, keep, hashes[:keep] + [self._keep(message) for message in request[keep:]]

    def _shared(self, request: list[Message], earlier: list[Message], hashes: list[str]) -> int:
        shared = 0
        for message, known, digest in zip(request, earlier, hashes, strict=False):
            if message is not known and self._keep(message) != digest:
                break
            shared += 1
        return shared

    def _keep(self, message: Message) -> str:
        known = self._hashes.get(id(message))
        if known is not None:
            return known[0]
        digest = message_hash(message)
        self._hashes[id(message)] = (digest, message)
        if digest not in self._messages:
            self._messages[digest] = clean(message)
        return digest

    def _schema(self, value: JsonValue) -> str | None:
        if value is None:
            return None
        known = self._hashes.get(id(value))
        if known is not None:
            return known[0]
        digest = content_hash(value)
        self._hashes[id(value)] = (digest, value)
        self._schemas.setdefault(digest, value)
        return digest


def requested_messages(document: TrialDocument, event: int) -> list[Message]:
    """The exact messages of the call at index `event` of `document.events`.

    Raises `RecordError` when there is no call there or the document refers to what it does not hold.
    """
    hashes: list[str] = []
    index, wanted = event, -1
    while True:
        call = document.events[index] if 0 <= index < len(document.events) else None
        if not isinstance(call, CallEvent):
            raise RecordError(f"event {index} of the document is not a model call")
        taken = call.add if wanted < 0 else call.add[: max(0, wanted - call.keep)]
        hashes = taken + hashes
        wanted = call.keep if wanted < 0 else min(wanted, call.keep)
        if wanted == 0:
            break
        if call.base is None or call.base >= index:
            raise RecordError(f"event {index} of the document builds on a call that is not before it")
        index = call.base
    try:
        return [document.messages[digest] for digest in hashes]
    except KeyError as error:
        raise RecordError(f"event {event} of the document refers to message {error} that it does not hold") from error
