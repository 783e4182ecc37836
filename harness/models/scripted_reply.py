"""How a scripted deed reads under each action protocol, and which protocol a request speaks.

The request tells: tools of the API are `native`, a response format is `json`; with neither, tools written into the
system message mean `text`, and none at all a plain reply.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue

from harness.models.protocol import Message, ModelRequest


@dataclass(frozen=True)
class Situation:
    """What a request says of the protocol."""

    protocol: Literal["native", "json", "text", "plain"]
    tools: tuple[str, ...]
    """Names offered."""
    thought: bool = False
    """`json`: the reply has a thought."""
    reply: bool = False
    """`json`: a reply in words is allowed."""


@dataclass(frozen=True)
class Call:
    """A tool call with its arguments rendered."""

    tool: str
    arguments: dict[str, JsonValue]


def situation_of(request: ModelRequest) -> Situation:
    """Which protocol, and what it offers."""
    if request.tools:
        called_off = request.parameters.get("tool_choice") == "none"
        names = tuple(_name(tool) for tool in request.tools)
        return Situation("plain", ()) if called_off else Situation("native", names)
    if request.response_format is not None:
        return _json_situation(request.response_format)
    names = _listed_tools(request.messages)
    return Situation("text", names) if names else Situation("plain", ())


def call_message(calls: Sequence[Call], text: str, where: Situation, call_id: str) -> Message:
    """A message that makes these calls."""
    if where.protocol == "native":
        made = [
            _tool_call(c.tool, json.dumps(c.arguments, ensure_ascii=False), f"{call_id}_{i}")
            for i, c in enumerate(calls)
        ]
        return {"role": "assistant", "content": text or None, "tool_calls": made}
    first = calls[0]
    arguments = json.dumps(first.arguments, ensure_ascii=False)
    return _as_text(first.tool, arguments, text, where, closed=True)


def malformed_message(tool: str | None, arguments: str, text: str, where: Situation, call_id: str) -> Message:
    """A message that attempts a call with these raw arguments."""
    name = tool or (where.tools[0] if where.tools else "unknown")
    if where.protocol == "native":
        return {
            "role": "assistant",
            "content": text or None,
            "tool_calls": [_tool_call(name, arguments, f"{call_id}_0")],
        }
    return _as_text(name, arguments, text, where, closed=False)


def said(text: str, where: Situation) -> Message:
    """A message in words; in the form for it where the `json` protocol has one."""
    if where.protocol == "json" and where.reply:
        return _json_message('{"reply": ' + json.dumps(text, ensure_ascii=False) + "}", "", where, closed=True)
    return {"role": "assistant", "content": text}


def _as_text(name: str, arguments: str, text: str, where: Situation, *, closed: bool) -> Message:
    if where.protocol == "json":
        call = (
            '{"name": ' + json.dumps(name, ensure_ascii=False) + ', "arguments": ' + arguments + ("}" if closed else "")
        )
        return _json_message(call, text, where, closed=closed)
    thought = f"Thought: {text}\n" if text else ""
    return {"role": "assistant", "content": f"{thought}Action: {name} {arguments}"}


def _json_message(action: str, text: str, where: Situation, *, closed: bool) -> Message:
    thought = '"thought": ' + json.dumps(text, ensure_ascii=False) + ", " if where.thought else ""
    return {"role": "assistant", "content": "{" + thought + '"action": ' + action + ("}" if closed else "")}


def _tool_call(name: str, arguments: str, call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _name(tool: dict[str, JsonValue]) -> str:
    function = tool.get("function")
    return str(function.get("name", "")) if isinstance(function, dict) else ""


def _json_situation(response_format: dict[str, JsonValue]) -> Situation:
    wrapped: Any = response_format.get("json_schema")
    schema = wrapped.get("schema", {}) if isinstance(wrapped, dict) else {}
    properties = schema.get("properties", {})
    action = properties.get("action", schema)
    options = [option.get("properties", {}) for option in action.get("anyOf", [action])]
    names = tuple(str(option["name"]["const"]) for option in options if "const" in option.get("name", {}))
    return Situation("json", names, "thought" in properties, any("reply" in option for option in options))


def _listed_tools(messages: Sequence[Message]) -> tuple[str, ...]:
    """Names in the JSON lines by which the `text` protocol lists tools in the system message."""
    names = []
    for line in str(messages[0].get("content") or "").splitlines() if messages else ():
        if line.startswith('{"name":'):
            try:
                names.append(str(json.loads(line)["name"]))
            except (ValueError, KeyError):
                continue
    return tuple(names)
