"""What really went out: read off the request body that litellm hands to its transport, never assumed.

litellm calls a per-call hook (`logger_fn`) with the body just before sending; tests hold it against what a real
server receives.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import JsonValue

_CONTENT = frozenset({"model", "messages", "contents", "system", "system_instruction", "systemInstruction"})
_NEVER = frozenset({"extra_headers", "headers", "api_key", "timeout", "extra_query"})
_TOOLS = ("tools", "functions", "toolConfig")
_FORMATS = ("response_format", "format", "output_format")
_NESTED_FORMATS = (
    ("output_config", ("format",)),
    ("generationConfig", ("response_json_schema", "response_schema", "responseSchema", "responseJsonSchema")),
    ("text", ("format",)),
)


@dataclass
class Outgoing:
    """Takes the body of one attempt as it leaves, and the reply as it came; keeps the latest."""

    body: dict[str, Any] | None = None
    answer: str | None = None
    """Text of a reply that came whole, before litellm has read it."""

    def __call__(self, details: dict[str, Any]) -> None:
        """Litellm's `logger_fn`, called before and after sending."""
        if details.get("log_event_type") == "post_api_call" and isinstance(details.get("original_response"), str):
            self.answer = details["original_response"]
        if details.get("log_event_type") != "pre_api_call":
            return
        body = (details.get("additional_args") or {}).get("complete_input_dict")
        if isinstance(body, (str, bytes)):
            body = orjson.loads(body)
        if isinstance(body, dict):
            self.body = body


@dataclass(frozen=True)
class Sent:
    """The parts of a request body that receipts tell apart."""

    parameters: dict[str, JsonValue]
    tools: str | None
    response_format: str | None


def read_body(body: dict[str, Any]) -> Sent:
    """Splits a request body into parameters and the hashes of tool schemas and response format, as on the wire."""
    flat = {**body, **(body.get("extra_body") or {})}
    parameters: dict[str, Any] = {}
    formats: dict[str, Any] = {}
    for name, value in flat.items():
        if name in _CONTENT or name in _NEVER or name in _TOOLS or name == "extra_body":
            continue
        if name in _FORMATS:
            formats[name] = value
        else:
            parameters[name] = value
    for name, inner in _NESTED_FORMATS:
        nested = parameters.get(name)
        if isinstance(nested, dict) and any(key in nested for key in inner):
            formats |= {key: nested[key] for key in inner if key in nested}
            parameters[name] = {key: value for key, value in nested.items() if key not in inner}
    tools = flat.get("tools") or flat.get("functions")
    return Sent(
        parameters=orjson.loads(orjson.dumps(parameters, default=str)),
        tools=hash_json(tools) if tools else None,
        response_format=hash_json(next(iter(formats.values())) if len(formats) == 1 else formats) if formats else None,
    )


def hash_json(value: object) -> str:
    """SHA-256, in hex, of the value as JSON with sorted keys and no white space."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()
