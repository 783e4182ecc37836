"""Tool calls of the API.

Several calls in one reply are several actions, in order. Empty arguments count as `{}`. Arguments that do
not parse are malformed, or cut off where the reply ended at the token limit. In the thread such arguments
become `{}` (several providers parse what they are sent back) and calls without an id of their own get one;
the record keeps the reply as it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.environments.protocol import Observation, Tool
from harness.models.protocol import Message, ModelReply
from harness.scaffolds.protocols.interface import (
    WITHDRAWN,
    Offer,
    call,
    content_of,
    plain_thread_message,
    refusal_of,
    unfinished,
)
from harness.scaffolds.protocols.strict_json import read_json
from harness.spec.actions import Action
from harness.spec.scaffold import Protocol


class NativeProtocol:
    """`native` (see the module)."""

    def __init__(self, settings: Protocol) -> None:
        self.settings = settings

    def system_text(self, tools: Sequence[Tool]) -> str:
        """Nothing: the API carries the tools."""
        return ""

    def offer(self, tools: Sequence[Tool], known: Sequence[Tool], thread: Sequence[Message]) -> Offer:
        """The tools of the API.

        Where none are offered but the thread holds calls already, the known ones go along with
        `tool_choice: none`: some providers refuse a thread with calls and no tools.
        """
        if tools:
            return Offer(tools, [tool.as_openai() for tool in tools])
        if known and any(message.get("tool_calls") for message in thread):
            return Offer((), [tool.as_openai() for tool in known], parameters={"tool_choice": "none"})
        return Offer()

    def parse(self, reply: ModelReply, tools: Sequence[Tool]) -> list[Action]:
        """One action per call; else a refusal, a cut-off or what was said."""
        refusal = refusal_of(reply)
        if refusal is not None:
            return [refusal]
        text = content_of(reply)
        calls = _calls(reply.message)
        if calls:
            return [_action(made, tools, "" if index else text, reply.finish) for index, made in enumerate(calls)]
        return [unfinished(text=text) if reply.finish == "length" else Action(kind="say", text=text)]

    def thread_message(self, reply: ModelReply, actions: Sequence[Action]) -> Message:
        """The reply with sound ids and arguments (see the module)."""
        calls = _calls(reply.message)
        if not calls or actions[0].kind == "refuse":
            return plain_thread_message(reply)
        left_out = ("refusal", "function_call")
        message = {key: value for key, value in reply.message.items() if value is not None and key not in left_out}
        message["content"] = reply.message.get("content") or None
        message["tool_calls"] = [
            {
                "id": action.call_id,
                "type": "function",
                "function": {"name": made["name"] or "unknown", "arguments": _sound(made["arguments"])},
            }
            for made, action in zip(calls, actions, strict=True)
        ]
        return {"role": "assistant", **message}

    def answers(self, results: Sequence[tuple[Action, Observation]]) -> list[Message]:
        """A tool message per call; a user message for a cut-off without a call."""
        return [
            {"role": "tool", "tool_call_id": action.call_id, "content": seen.text or "(no output)"}
            if action.call_id
            else {"role": "user", "content": seen.text}
            for action, seen in results
        ]

    def withdrawals(self, pending: Sequence[Action]) -> list[Message]:
        """Every call needs its answer before anything else may follow."""
        return [
            {"role": "tool", "tool_call_id": action.call_id, "content": WITHDRAWN}
            for action in pending
            if action.call_id
        ]


def _calls(message: Message) -> list[dict[str, str]]:
    """The calls of a message as `id`, `name` and raw `arguments`; ids made where missing or repeated."""
    calls: list[dict[str, str]] = []
    seen: set[str] = set()
    for index, made in enumerate(message.get("tool_calls") or []):
        function: dict[str, Any] = made.get("function") or {}
        call_id = str(made.get("id") or "")
        if not call_id or call_id in seen:
            call_id = f"call_{index}"
        seen.add(call_id)
        arguments = function.get("arguments")
        calls.append({"id": call_id, "name": str(function.get("name") or ""), "arguments": str(arguments or "")})
    return calls


def _action(made: dict[str, str], tools: Sequence[Tool], text: str, finish: str) -> Action:
    raw, name = made["arguments"], made["name"]
    try:
        arguments = read_json(raw) if raw.strip() else {}
    except ValueError as error:
        if finish == "length":
            return unfinished(name, text, call_id=made["id"], sent=raw)
        return Action(kind="malformed", name=name, text=text, call_id=made["id"], sent=raw, error=f"arguments: {error}")
    if not isinstance(arguments, dict):
        reason = "arguments must be a JSON object"
        return Action(kind="malformed", name=name, text=text, call_id=made["id"], sent=raw, error=reason)
    return call(tools, name, arguments, text, made["id"])


def _sound(raw: str) -> str:
    """`raw` if it is a JSON object, else `{}`."""
    try:
        return raw if isinstance(read_json(raw), dict) else "{}"
    except ValueError:
        return "{}"
