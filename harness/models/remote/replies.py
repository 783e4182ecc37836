"""litellm's response objects as plain data: the assistant message, how it finished, what it used."""

from __future__ import annotations

import json
from typing import Any

import orjson

from harness.models.protocol import Message, Usage
from harness.models.remote.loading import load_litellm

_FINISH = {
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "refusal": "content_filter",
    "safety": "content_filter",
}
_LONGEST_KEPT = 4000
"""Characters of a call's arguments that are kept when litellm cannot read them."""
_KEPT = ("reasoning_content", "thinking_blocks", "reasoning_details")


def message_of(choice: Any) -> Message:
    """The assistant message of a choice; arguments of tool calls stay the raw string that was sent."""
    source = choice.message
    message: Message = {"role": "assistant", "content": source.content}
    if source.tool_calls:
        message["tool_calls"] = [_tool_call(call, place) for place, call in enumerate(source.tool_calls)]
    specific = getattr(source, "provider_specific_fields", None) or {}
    refusal = getattr(source, "refusal", None) or specific.get("refusal")
    if refusal:
        message["refusal"] = refusal
    for name in _KEPT:
        value = getattr(source, name, None) or specific.get(name)
        if value:
            message[name] = value
    return message


MOST_TOKENS = 10**9
"""More than any call can use."""


def finish_of(choice: Any) -> str:
    """`stop`, `tool_calls`, `length`, `content_filter`, or what else the provider says."""
    said = choice.finish_reason or "stop"
    finish = _FINISH.get(said, str(said))
    return "tool_calls" if finish == "stop" and choice.message.tool_calls else finish


def usage_of(response: Any) -> Usage:
    """Tokens used; litellm fills in zeros where the provider said nothing, and no prompt has none, so they are None."""
    usage = getattr(response, "usage", None)
    if usage is None or not (usage.prompt_tokens or usage.completion_tokens):
        return Usage()
    read = _count(usage.prompt_tokens)
    prompt = getattr(usage, "prompt_tokens_details", None)
    completion = getattr(usage, "completion_tokens_details", None)
    return Usage(
        prompt=read or None,
        completion=_count(usage.completion_tokens),
        cached=_count(getattr(prompt, "cached_tokens", None)),
        reasoning=_count(getattr(completion, "reasoning_tokens", None)),
    )


def _count(said: object) -> int | None:
    """A number of tokens, if it can be one: what a provider says is not trusted to be."""
    return said if isinstance(said, int) and 0 <= said <= MOST_TOKENS else None


def _tool_call(call: Any, place: int) -> dict[str, Any]:
    arguments = call.function.arguments
    return {
        "id": call.id or f"call_{place}",
        "type": "function",
        "function": {
            "name": call.function.name or "",
            "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
        },
    }


def salvaged(answer: str | None) -> Any | None:
    """A reply that came whole and in order, but in which litellm choked on what the model wrote as arguments.

    Endless numbers and bottomless nesting do that. They are the model's doing, not the provider's: the arguments are
    cut, so that they read as malformed. None when that is not what happened.
    """
    try:
        body = orjson.loads(answer or "")
        made = [call["function"] for choice in body["choices"] for call in choice["message"].get("tool_calls") or []]
        endless = [call for call in made if len(call["arguments"]) > _LONGEST_KEPT]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    for call in endless:
        call["arguments"] = call["arguments"][:_LONGEST_KEPT]
    return load_litellm().ModelResponse(**body) if endless else None
