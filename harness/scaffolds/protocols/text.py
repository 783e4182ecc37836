"""Tools as text, the call parsed from prose, for models that are held to nothing.

    Thought: I should look first.
    Action: query {"sql": "select 1"}

The first line that begins with `Action:` counts (any case; quote, list and emphasis marks before it do not
matter): a tool's name, then a JSON object, which may go over several lines, begin on the next one, or stand in
a code fence; an `Action Input:` before the object is passed over. A name alone on its line has no arguments.
Nothing after that is read, so results a model makes up for itself change nothing. No such line: the reply is
`say`. A reply that ended at the token limit is `cut_off` unless its call is complete.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
from harness.scaffolds.protocols.strict_json import read_leading_json
from harness.scaffolds.protocols.tool_texts import tool_lines
from harness.spec.actions import Action
from harness.spec.scaffold import Protocol


class TextProtocol:
    """`text` (see the module)."""

    def __init__(self, settings: Protocol) -> None:
        self.settings = settings

    def system_text(self, tools: Sequence[Tool]) -> str:
        """The tools and the form of a call."""
        if not tools:
            return ""
        thought = "Thought: <why, in a few words>\n" if self.settings.thought else ""
        return (
            f"Tools:\n{tool_lines(tools)}\nTo use a tool, write:\n{thought}Action: <tool> {{<arguments as JSON>}}\n"
            "Then stop and wait for the result."
        )

    def offer(self, tools: Sequence[Tool], known: Sequence[Tool], thread: Sequence[Message]) -> Offer:
        """Nothing but the tools that will be understood."""
        return Offer(tools)

    def parse(self, reply: ModelReply, tools: Sequence[Tool]) -> list[Action]:
        """The one action of the reply."""
        refusal = refusal_of(reply)
        if refusal is not None:
            return [refusal]
        text = without_thinking(content_of(reply)).strip()
        found = _LINE.search(text) if tools else None
        if found is None:
            return [unfinished(text=text) if reply.finish == "length" else Action(kind="say", text=text)]
        return [_action(text, found, tools, reply.finish == "length")]

    def thread_message(self, reply: ModelReply, actions: Sequence[Action]) -> Message:
        """The text as it came."""
        return plain_thread_message(reply)

    def answers(self, results: Sequence[tuple[Action, Observation]]) -> list[Message]:
        """Plain user messages."""
        return text_answers(results)

    def withdrawals(self, pending: Sequence[Action]) -> list[Message]:
        """Nothing: text needs no answer."""
        return []


def _action(text: str, found: re.Match[str], tools: Sequence[Tool], at_limit: bool) -> Action:
    name, before = found["name"], text[: found.start()].strip()
    start = _BETWEEN.match(text, found.end()).end()  # type: ignore[union-attr]
    if not text.startswith("{", start):
        line_goes_on = text[found.end() :].split("\n", 1)[0].strip(" \t*_`.")
        if at_limit and "\n" not in text[found.end() :]:
            return unfinished(name, text)
        if line_goes_on:
            reason = 'after the tool a JSON object must follow, as in: Action: tool {"argument": "value"}'
            return Action(kind="malformed", name=name, text=text, error=reason)
        return call(tools, name, {}, before)
    try:
        arguments, _ = read_leading_json(text, start)
    except ValueError as error:
        if at_limit:
            return unfinished(name, text)
        return Action(kind="malformed", name=name, text=text, error=f"arguments: {error}")
    return call(tools, name, dict(arguments) if isinstance(arguments, dict) else {}, before)


_LINE = re.compile(
    r"^[ \t>*_#`-]*action[ \t*_`]*:[ \t*_`]*(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)[*`]*",
    re.IGNORECASE | re.MULTILINE,
)
_BETWEEN = re.compile(
    r"[ \t:(]*(?:\r?\n)?[ \t]*(?:[*_]*action input[*_]*:[*_]*\s*)?(?:```[a-zA-Z]*[ \t]*\r?\n)?\s*", re.IGNORECASE
)
