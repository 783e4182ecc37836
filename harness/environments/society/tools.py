"""Tools that worlds of several seats share, and how their own moves are written down.

`look` and `rules` are said to change the state because they do: they use up one of the turn's actions.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from harness.environments.protocol import Tool
from harness.environments.society.options import Talk

COUNT: dict[str, JsonValue] = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
"""Whole coins, sacks, animals."""
NAME: dict[str, JsonValue] = {"type": "string", "minLength": 1, "maxLength": 40}


def move(name: str, description: str, properties: Mapping[str, JsonValue], optional: tuple[str, ...] = ()) -> Tool:
    """A tool that acts on the shared world."""
    parameters: dict[str, JsonValue] = {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }
    return Tool(name, description, parameters, changes_state=True)


LOOK = move("look", "See how you stand and what lies open. One of your actions.", {})
RULES = move("rules", "Read the rules in full. One of your actions.", {})
PASS = move("pass_turn", "Do nothing more; ends your turn.", {})


def say_tool(talk: Talk, words: int) -> list[Tool]:
    """The tool `say`, where there is talk."""
    if talk == "none":
        return []
    text: JsonValue = {"type": "string", "minLength": 1, "maxLength": words}
    to: JsonValue = {**NAME, "description": "The only one to hear it; all hear it when left out."}
    properties: dict[str, JsonValue] = {"text": text, "to": to} if talk == "private" else {"text": text}
    return [move("say", "Say something to the others. Does not end your turn.", properties, optional=("to",))]
