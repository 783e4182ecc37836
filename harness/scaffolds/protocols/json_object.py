"""Tools as text, the call as one JSON object held to a schema through `response_format`.

    {"thought": "...", "action": {"name": "query", "arguments": {"sql": "select 1"}}}

`thought` comes first and only where the scaffold asks for it; where it allows a reply instead of a call, the
action may be `{"reply": "..."}`. The root is an object with the alternatives one level down, because some
providers take no alternatives at the root. Strings, integers and arrays without bounds of their own get some:
small models ramble in unbounded ones until the token limit. `strict` is left false: servers that constrain
decoding do so anyway, and others refuse bounds under it; what comes back is held to the tool's own schema here.

Reading is strict about JSON and tolerant of its wrapping: a code fence around the whole reply, and an action
that stands at the root, are taken. A reply that is complete counts although it ended at the token limit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from harness.environments.protocol import Observation, Tool
from harness.models.protocol import Message, ModelReply
from harness.scaffolds.protocols.interface import (
    Offer,
    call,
    content_of,
    plain_thread_message,
    refusal_of,
    text_answers,
    unfinished,
    without_thinking,
)
from harness.scaffolds.protocols.strict_json import read_json
from harness.scaffolds.protocols.tool_texts import tool_lines
from harness.spec.actions import Action
from harness.spec.scaffold import Protocol

LARGEST_INTEGER = 10**9
"""Bound of integers without one of their own."""
LONGEST_ARRAY = 20
"""Bound of arrays without one of their own, in items."""
SHORTEST_THOUGHT = 200
"""A thought may have a third of `max_string`, but at least this many characters."""


class JsonProtocol:
    """`json` (see the module)."""

    def __init__(self, settings: Protocol) -> None:
        self.settings = settings

    def system_text(self, tools: Sequence[Tool]) -> str:
        """The tools and the form of a call."""
        if not tools:
            return ""
        thought = '"thought":"<why, in a few words>",' if self.settings.thought else ""
        form = f'{{{thought}"action":{{"name":"<tool>","arguments":{{...}}}}}}'
        reply = '\nTo answer in words instead: {"action":{"reply":"<text>"}}' if self.settings.reply else ""
        return f"Tools:\n{tool_lines(tools)}\nTo use a tool, answer with one JSON object: {form}{reply}"

    def offer(self, tools: Sequence[Tool], known: Sequence[Tool], thread: Sequence[Message]) -> Offer:
        """A response format that holds the reply to one call of `tools`."""
        if not tools:
            return Offer()
        schema: dict[str, JsonValue] = {"name": "action", "strict": False, "schema": self._schema(tools)}
        return Offer(tools, response_format={"type": "json_schema", "json_schema": schema})

    def parse(self, reply: ModelReply, tools: Sequence[Tool]) -> list[Action]:
        """The one action of the reply."""
        refusal = refusal_of(reply)
        if refusal is not None:
            return [refusal]
        text = without_thinking(content_of(reply)).strip()
        if not tools:
            return [unfinished(text=text) if reply.finish == "length" else Action(kind="say", text=text)]
        try:
            value = read_json(_unfenced(text))
        except ValueError as error:
            if reply.finish == "length":
                return [unfinished(text=text)]
            return [Action(kind="malformed", text=text, error=f"not one JSON object: {error}")]
        return [self._action(value, text, tools)]

    def thread_message(self, reply: ModelReply, actions: Sequence[Action]) -> Message:
        """The text as it came."""
        return plain_thread_message(reply)

    def answers(self, results: Sequence[tuple[Action, Observation]]) -> list[Message]:
        """Plain user messages."""
        return text_answers(results)

    def withdrawals(self, pending: Sequence[Action]) -> list[Message]:
        """Nothing: text needs no answer."""
        return []

    def _action(self, value: JsonValue, text: str, tools: Sequence[Tool]) -> Action:
        form = 'the form is {"action": {"name": ..., "arguments": {...}}}'
        if not isinstance(value, dict):
            return Action(kind="malformed", text=text, error=f"not a JSON object; {form}")
        thought = value.get("thought")
        inner = value.get("action", value)
        if not isinstance(inner, dict):
            return Action(kind="malformed", text=text, error=f"no action; {form}")
        if self.settings.reply and "reply" in inner and "name" not in inner:
            return Action(kind="say", text=str(inner["reply"]))
        name, arguments = inner.get("name"), inner.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            return Action(kind="malformed", name=name if isinstance(name, str) else "", text=text, error=form)
        return call(tools, name, arguments, thought if isinstance(thought, str) else "")

    def _schema(self, tools: Sequence[Tool]) -> dict[str, JsonValue]:
        longest = self.settings.max_string
        actions: list[JsonValue] = [
            _object({"name": {"const": tool.shown_name}, "arguments": bounded(tool.parameters, longest)})
            for tool in tools
        ]
        if self.settings.reply:
            actions.append(_object({"reply": {"type": "string", "maxLength": longest}}))
        properties: dict[str, JsonValue] = {}
        if self.settings.thought:
            properties["thought"] = {"type": "string", "maxLength": max(SHORTEST_THOUGHT, longest // 3)}
        properties["action"] = {"anyOf": actions} if len(actions) > 1 else actions[0]
        return _object(properties)


def bounded(schema: Mapping[str, Any], longest: int) -> dict[str, JsonValue]:
    """`schema` with every string, integer and array bounded, its own tighter bounds kept, descriptions left out."""
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs", "definitions"):
            result[key] = {name: bounded(item, longest) for name, item in value.items()}
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            result[key] = [bounded(item, longest) for item in value]
        elif key in ("items", "additionalProperties") and isinstance(value, Mapping):
            result[key] = bounded(value, longest)
        elif key not in ("description", "title", "examples", "default"):
            result[key] = value
    if "enum" in schema or "const" in schema:
        return result
    if "string" in kinds and "pattern" not in schema:
        result["maxLength"] = min(schema.get("maxLength", longest), longest)
    if "integer" in kinds:
        if "exclusiveMinimum" not in schema:
            result.setdefault("minimum", -LARGEST_INTEGER)
        if "exclusiveMaximum" not in schema:
            result.setdefault("maximum", LARGEST_INTEGER)
    if "array" in kinds:
        result.setdefault("maxItems", max(LONGEST_ARRAY, schema.get("minItems", 0)))
    return result


def _object(properties: dict[str, JsonValue]) -> dict[str, JsonValue]:
    required: list[JsonValue] = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _unfenced(text: str) -> str:
    fence = _FENCE.fullmatch(text)
    return fence.group(1) if fence else text


_FENCE = re.compile(r"```[a-zA-Z]*[ \t]*\n(.*?)\n?```", re.DOTALL)
