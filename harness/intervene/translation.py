"""What of another model's replies cannot be shown to this one: reasoning blocks and ids that belong to one provider.

Text and calls are what was done, and stay. Signed or encrypted reasoning is refused by every provider but the one that
made it, and ids of calls have a form of their own at some; the first is left out, the second made anew. Each change is
a line on the receipt of the call. The record keeps the thread as the scaffold has it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from harness.models import Message, ModelReply, ModelRequest
from harness.spec.resolved import LoadedModel

KEPT = frozenset({"role", "content", "tool_calls", "name"})
"""Of an assistant message, what any provider takes back."""


@dataclass(frozen=True)
class Translation:
    """Knows which messages of a thread others wrote."""

    said: frozenset[str]
    """Content and calls of their replies, without ids."""
    ids: frozenset[str]
    """Of their calls."""

    @staticmethod
    def of(replies: Iterable[ModelReply]) -> Translation:
        """From the replies on the way."""
        messages = [reply.message for reply in replies]
        ids = {str(call["id"]) for message in messages for call in message.get("tool_calls") or [] if call.get("id")}
        return Translation(frozenset(map(_said, messages)), frozenset(ids))

    def towards(self, model: LoadedModel) -> Callable[[ModelRequest], tuple[ModelRequest, list[str]]]:
        """What turns a request into one that this model's provider takes, and says what it changed."""

        def translate(request: ModelRequest) -> tuple[ModelRequest, list[str]]:
            changes: list[str] = []
            messages = [self._message(place, message, changes) for place, message in enumerate(request.messages)]
            return (replace(request, messages=messages), changes) if changes else (request, [])

        return translate

    def _message(self, place: int, message: Message, changes: list[str]) -> Message:
        if message.get("role") == "tool" and message.get("tool_call_id") in self.ids:
            return {**message, "tool_call_id": _new_id(str(message["tool_call_id"]))}
        if message.get("role") != "assistant" or not self._foreign(message):
            return message
        made: dict[str, Any] = {name: value for name, value in message.items() if name in KEPT}
        changes.extend(f"message {place}: {name} left out" for name in message if name not in KEPT)
        if calls := made.get("tool_calls"):
            made["tool_calls"] = [
                {**call, "id": _new_id(str(call["id"]))} if call.get("id") in self.ids else call for call in calls
            ]
            changes.append(f"message {place}: {len(calls)} call ids made anew")
        return made

    def _foreign(self, message: Message) -> bool:
        ids = {call.get("id") for call in message.get("tool_calls") or []}
        return _said(message) in self.said or not self.ids.isdisjoint(ids)


def _said(message: Message) -> str:
    calls = [call.get("function") for call in message.get("tool_calls") or []]
    return json.dumps([message.get("content") or "", calls], sort_keys=True, default=str)


def _new_id(old: str) -> str:
    """Nine letters and digits, which every provider takes (Mistral takes nothing else)."""
    return hashlib.sha256(old.encode()).hexdigest()[:9]
