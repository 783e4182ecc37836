"""What another model wrote, as this one's provider takes it: reasoning blocks and call ids translated or left out.

Text and calls are what was done, and stay. What belongs to one provider, or to one model of it, does not:

- signed or encrypted reasoning is refused by every other model, of the same provider too (Anthropic: "Invalid signature
  in thinking block"; Gemini: "Corrupted thought signature"), so it is left out. What Gemini 3 wants in its place (a
  signature that skips the validation) litellm puts there; DeepSeek and Moonshot want a `reasoning_content` with every
  call, be it blank;
- litellm hides Gemini's signatures in the ids of calls, after `__thought__`;
- ids have forms: nine letters and digits at Mistral, letters, digits, `_` and `-` at Anthropic, 40 characters at
  OpenAI; and one id twice in a thread is refused by some.

A thread is read from its beginning, and what becomes of a message depends on those before it alone: Anthropic checks
that everything before a reasoning block is what it was when that block was written. Messages of the very same model
stay as they are, so that going on with the model that had played changes nothing. Each change is a line on the receipt
of the call. The record keeps the thread as the scaffold has it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from harness.models import Message, ModelReply, ModelRequest
from harness.spec.resolved import LoadedModel

KEPT = frozenset({"role", "content", "tool_calls", "name"})
"""Of an assistant message, what any provider takes back."""
OPEN_REASONING = frozenset({"deepseek", "moonshot"})
"""Providers whose reasoning is plain text (`reasoning_content`), which any of their models takes back, and wants."""
BLANK = " "
"""The least that these take for reasoning."""
HIDDEN = "__thought__"
"""What litellm puts between the id of a call and Gemini's signature."""
FORMS = {"mistral": re.compile(r"[A-Za-z0-9]{9}")}
FORM = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""Of ids that all other providers take."""
_MADE_HERE = re.compile(r"call_\d+")

Translate = Callable[[ModelRequest], tuple[ModelRequest, list[str]]]


@dataclass(frozen=True)
class Written:
    """One message that another model wrote, as threads hold it."""

    mark: str
    """Equal for equal messages, ids and reasoning included."""
    ids: frozenset[str]
    maker: str
    """The litellm string asked for."""


@dataclass(frozen=True)
class Translation:
    """Knows which messages of a thread others wrote."""

    written: tuple[Written, ...]

    @staticmethod
    def of(replies: Iterable[ModelReply]) -> Translation:
        """From the replies on the way. Those without calls leave nothing in a thread but their text."""
        return Translation(tuple(_written(reply) for reply in replies if reply.message.get("tool_calls")))

    def towards(self, model: LoadedModel) -> Translate:
        """What turns a request into one that this model's provider takes, and says what it changed."""

        def translate(request: ModelRequest) -> tuple[ModelRequest, list[str]]:
            if not any(message.get("tool_calls") for message in request.messages):
                return request, []
            thread = _Thread(self.written, model)
            messages = [thread.message(place, message) for place, message in enumerate(request.messages)]
            return (replace(request, messages=messages), thread.changes) if thread.changes else (request, [])

        return translate


@dataclass
class _Thread:
    """One thread as it is read."""

    written: Iterable[Written]
    model: LoadedModel
    changes: list[str] = field(default_factory=list)
    _left: dict[str, deque[Written]] = field(init=False)
    """By mark, those of the others' messages that have not been met yet: they come before the model's own."""
    _by_id: dict[str, Written] = field(init=False)
    _used: set[str] = field(default_factory=set)
    _now: dict[str, str] = field(default_factory=dict)
    """Id of a call as the scaffold has it -> as it is sent, of the latest message with such a call."""
    _met: bool = False
    """Whether something that another model wrote has been met."""

    def __post_init__(self) -> None:
        self._left = defaultdict(deque)
        self._by_id = {}
        for one in self.written:
            self._left[one.mark].append(one)
            self._by_id |= {name: one for name in one.ids if not _MADE_HERE.fullmatch(name)}

    def message(self, place: int, message: Message) -> Message:
        if message.get("role") == "tool" and message.get("tool_call_id") in self._now:
            return {**message, "tool_call_id": self._now[message["tool_call_id"]]}
        if message.get("role") != "assistant" or not message.get("tool_calls"):
            return message
        maker = self._maker(message)
        if maker is None or self._same(maker):
            return self._ids(place, message, "own")
        self._met = True
        related = _provider(maker, None) == self._provider
        return self._ids(place, self._plain(place, message, related), "related" if related else "foreign")

    def _maker(self, message: Message) -> str | None:
        """The model that wrote a message; None for the one that is asked now."""
        if waiting := self._left.get(_mark(message)):
            return waiting.popleft().maker
        found = [self._by_id.get(str(call.get("id"))) for call in message["tool_calls"]]
        return found[0].maker if found[0] is not None and all(found) else None

    @property
    def _provider(self) -> str:
        return _provider(self.model.entry.model, self.model.entry.api_base)

    def _same(self, maker: str) -> bool:
        """Whether it is the model asked now; of servers of one's own nobody knows what another one serves."""
        return maker == self.model.entry.model and " http" not in self._provider

    def _plain(self, place: int, message: Message, related: bool) -> Message:
        """Without what only its maker takes back."""
        kept = KEPT
        if related and self._provider in OPEN_REASONING:
            kept |= {"reasoning_content"}
        made: dict[str, Any] = {name: value for name, value in message.items() if name in kept}
        gone = [name for name in message if name not in kept]
        if isinstance(message.get("content"), list):
            made["content"], parts = _text_alone(message["content"])
            gone += parts
        if self._provider in OPEN_REASONING and not made.get("reasoning_content"):
            made["reasoning_content"] = BLANK
            self.changes.append(f"message {place}: a blank reasoning_content put in")
        if gone:
            self.changes.append(f"message {place}: {', '.join(gone)} left out")
        return made

    def _ids(self, place: int, message: Message, whose: Literal["own", "related", "foreign"]) -> Message:
        """With ids that the provider takes, none of them twice, and without the signatures of others in them."""
        calls, anew, signed = [], 0, 0
        for number, call in enumerate(message["tool_calls"]):
            old = str(call.get("id") or "")
            made, hidden, signature = old.partition(HIDDEN)
            if whose != "own" and hidden:
                signed += 1
                hidden = signature = ""
            if whose == "foreign" or (self._met and (made in self._used or not self._takes(made))):
                made = _new_id(len(self._used), number, old, self._used)
                anew += 1
            self._used.add(made)
            made += hidden + signature
            self._now[old] = made
            calls.append(call if made == old else {**call, "id": made})
        if signed:
            self.changes.append(f"message {place}: {_counted(signed, 'thought signature')} left out of call ids")
        if anew:
            self.changes.append(f"message {place}: {_counted(anew, 'call id')} made anew")
        return {**message, "tool_calls": calls} if signed or anew else message

    def _takes(self, name: str) -> bool:
        return self._provider in ("scripted", "local") or bool(FORMS.get(self._provider, FORM).fullmatch(name))


def _written(reply: ModelReply) -> Written:
    from harness.scaffolds.protocols.native import NativeProtocol
    from harness.spec.scaffold import Protocol

    native = NativeProtocol(Protocol(kind="native"))
    message = native.thread_message(reply, native.parse(reply, []))
    ids = frozenset(str(call["id"]) for call in message.get("tool_calls") or [])
    return Written(_mark(message), ids, reply.receipt.model)


def _mark(message: Mapping[str, Any]) -> str:
    return json.dumps(
        {name: value for name, value in message.items() if value is not None}, sort_keys=True, default=str
    )


def _text_alone(parts: list[Any]) -> tuple[str | None, list[str]]:
    """(the text of a content in parts, the kinds of what else there was)."""
    texts = [str(part.get("text", "")) for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    others = [str(part.get("type")) for part in parts if isinstance(part, dict) and part.get("type") != "text"]
    return "".join(texts) or None, [f"content of type {kind}" for kind in dict.fromkeys(others)]


@cache
def _provider(model: str, api_base: str | None) -> str:
    """Whose rules hold, as litellm names it; a server of one's own is a provider of its own."""
    first = model.split("/", 1)[0]
    if first in ("scripted", "local"):
        return first
    from harness.models.remote import load_litellm

    litellm = load_litellm()
    try:
        name, provider, _, _ = litellm.get_llm_provider(model=model)
    except litellm.exceptions.BadRequestError:
        return first
    family = "anthropic" if "claude" in str(name) else ""
    return f"{provider} {family}".strip() + (f" {api_base}" if api_base and provider == "openai" else "")


def _new_id(before: int, number: int, old: str, used: set[str]) -> str:
    """Nine letters and digits, which every provider takes (Mistral nothing else); the same for the same thread."""
    for salt in range(1000):
        made = hashlib.sha256(f"{before} {number} {salt} {old}".encode()).hexdigest()[:9]
        if made not in used:
            break
    return made


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
