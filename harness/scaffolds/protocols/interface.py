"""What an action protocol does for the rest of the room.

A protocol is a pure translator and holds nothing of a trial: tools into a system text or a request, a reply
into actions, results into messages. A reply that comes in the same always gives the same actions.

A tool may be shown to the model under another name than its own (`Tool.shown`). Texts, requests and answers say the
shown name; the action of a call that can be carried out has the tool's own. What cannot be carried out keeps the name
as the model said it, so that nobody takes a wrong name for a right one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from pydantic import JsonValue

from harness.environments.protocol import Observation, Tool
from harness.models.protocol import Message, ModelReply
from harness.scaffolds.protocols.arguments import validate_arguments
from harness.spec.actions import Action, ActionKind, call_action

EMPTY = "(no text)"
"""Stands in a thread for a reply without content, which some providers refuse to be sent back."""
CUT_OFF = "The reply was cut off at the length limit. Answer more briefly."
WITHDRAWN = "Not run."


@dataclass(frozen=True)
class Offer:
    """What one model call offers, in the protocol's own terms."""

    tools: Sequence[Tool] = ()
    request_tools: list[dict[str, JsonValue]] | None = None
    response_format: dict[str, JsonValue] | None = None
    parameters: dict[str, JsonValue] = field(default_factory=dict)

    @cached_property
    def schemas(self) -> list[dict[str, JsonValue]] | None:
        """The tools as the record keeps them, whatever the protocol; one list, which the record hashes once a trial."""
        return [tool.as_openai() for tool in self.tools] or None


class ActionProtocol(Protocol):
    """One way for a model to say what it does."""

    def system_text(self, tools: Sequence[Tool]) -> str:
        """What the system message says of the tools and of how to call them; empty when the API says it."""
        ...

    def offer(self, tools: Sequence[Tool], known: Sequence[Tool], thread: Sequence[Message]) -> Offer:
        """The part of a request that offers `tools`, out of those the role may ever be offered (`known`).

        Only where no tools are offered may it look at the thread.
        """
        ...

    def parse(self, reply: ModelReply, tools: Sequence[Tool]) -> list[Action]:
        """What the reply does: at least one action; several only for several native calls."""
        ...

    def thread_message(self, reply: ModelReply, actions: Sequence[Action]) -> Message:
        """The reply as it goes back to the model: as it came, but for what an API would refuse."""
        ...

    def answers(self, results: Sequence[tuple[Action, Observation]]) -> list[Message]:
        """The results of calls as messages, in order; the actions have the names that the model knows."""
        ...

    def withdrawals(self, pending: Sequence[Action]) -> list[Message]:
        """What must be said about calls that will not be run before anything else may be."""
        ...


def call(
    tools: Sequence[Tool], name: str, arguments: dict[str, JsonValue], text: str, call_id: str | None = None
) -> Action:
    """The action of a call whose arguments have been read: `tool`, `submit` or `malformed`."""
    tool = next((tool for tool in tools if tool.shown_name == name), None)
    error = None
    if tool is None:
        offered = ", ".join(tool.shown_name for tool in tools) or "none"
        error = f"no tool {name[:60]!r} here; there are: {offered}"
    else:
        error = validate_arguments(tool, arguments)
    own = name if tool is None or error else tool.name
    kind: ActionKind = "malformed" if error else "submit" if own == "submit" else "tool"
    return call_action(kind, own, arguments, text=text, error=error or "", call_id=call_id)


def unfinished(name: str = "", text: str = "", call_id: str | None = None, sent: str | None = None) -> Action:
    """The action of a reply that ended at the token limit."""
    return Action(kind="cut_off", name=name, text=text, error=CUT_OFF, call_id=call_id, sent=sent)


def content_of(reply: ModelReply) -> str:
    """The text of a reply; parts of a content list are joined."""
    content = reply.message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def refusal_of(reply: ModelReply) -> Action | None:
    """The refusal the provider itself marked, if any."""
    refusal = reply.message.get("refusal")
    if refusal or reply.finish == "content_filter":
        return Action(kind="refuse", text=str(refusal or content_of(reply)))
    return None


def without_thinking(text: str) -> str:
    """`text` without a leading `<think>...</think>` block, which some servers leave in the content."""
    start = _THINKING.match(text)
    return text[start.end() :] if start else text


def plain_thread_message(reply: ModelReply) -> Message:
    """The reply as role and content alone: reasoning and refusal marks are refused by some providers when sent back."""
    content = content_of(reply)
    return {"role": "assistant", "content": content if content.strip() else str(reply.message.get("refusal") or EMPTY)}


def text_answers(results: Sequence[tuple[Action, Observation]]) -> list[Message]:
    """Results as plain user messages, which any chat template takes."""
    return [{"role": "user", "content": result_text(action, seen)} for action, seen in results]


def result_text(action: Action, observation: Observation) -> str:
    """One result in words: `Result of NAME:` or `Error from NAME:`, then the text on the next line."""
    if action.kind == "cut_off":
        return observation.text
    head = (
        "Error" if not action.name else f"Error from {action.name}" if observation.error else f"Result of {action.name}"
    )
    return f"{head}:\n{observation.text}"


_THINKING = re.compile(r"\s*<think>.*?(?:</think>\s*|\Z)", re.DOTALL)
