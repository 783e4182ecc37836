"""The options that talk adds to a world, and the tools it brings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, JsonValue, field_validator

from harness.environments.protocol import Tool
from harness.spec.base import Spec

Words = str | list[str]
SAY = "say"
END = "end_conversation"


class ConversationOptions(Spec):
    """How the roles talk with one another."""

    opens: str | None = None
    """The role that speaks first; the first role of the scenario when absent. The others follow in the scenario's
    order. Where the world says itself whose turn it is, that holds instead."""
    hands: dict[str, Literal["all"] | list[str]] = Field(default_factory=dict)
    """Who may use the world's tools, and which: `{clerk: all, guest: [read_file]}`. A role that is not named only
    talks; where none is named, all roles may use them all."""
    may_end: list[str] | None = None
    """Roles offered the tool `end_conversation`. When absent, all; none where `ending_words` say who ends it."""
    ending_words: dict[str, Words] = Field(default_factory=dict)
    """Role -> a word, or several, with which that role ends the conversation by saying it: `{customer: "###END###"}`.
    Written exactly so; the others do not see it."""
    most_messages: int = Field(40, ge=1, le=1000)
    """The conversation is over when so many things were said."""
    actions_per_turn: int = Field(10, ge=0, le=1000)
    """How often a role may use the world's tools before it has to say something."""
    private: bool = False
    """Words may also be meant for one role alone: `say` takes `to`."""
    characters: int = Field(4000, ge=20, le=100_000)
    """Longest thing that can be said."""

    @field_validator("ending_words")
    @classmethod
    def _some_word(cls, value: dict[str, Words]) -> dict[str, Words]:
        for role, words in value.items():
            for word in [words] if isinstance(words, str) else words:
                if not word.strip():
                    raise ValueError(f"an ending word of {role} is empty")
        return value

    def endings(self, role: str) -> list[str]:
        """The words with which a role ends the conversation, the longest first."""
        words = self.ending_words.get(role, [])
        return sorted([words] if isinstance(words, str) else words, key=len, reverse=True)

    def ends_by_tool(self, role: str) -> bool:
        """Whether a role is offered `end_conversation`."""
        return not self.ending_words if self.may_end is None else role in self.may_end

    def strangers(self, roles: Sequence[str]) -> list[str]:
        """Roles that are named here and are none of the scenario's."""
        named = [self.opens] if self.opens else []
        named += [*self.hands, *(self.may_end or ()), *self.ending_words]
        return sorted(set(named) - set(roles))

    def in_hand(self, role: str, tools: Sequence[Tool]) -> list[Tool]:
        """Which of the world's tools a role may use."""
        wanted = self.hands.get(role, [] if self.hands else "all")
        return list(tools) if wanted == "all" else [tool for tool in tools if tool.name in wanted]

    def talk_tools(self, role: str) -> list[Tool]:
        """`say`, and `end_conversation` for a role that may."""
        text: dict[str, JsonValue] = {"type": "string", "minLength": 1, "maxLength": self.characters}
        one: JsonValue = {"type": "string", "description": "The only role to hear it; all hear it when left out."}
        to: dict[str, JsonValue] = {"to": one} if self.private else {}
        say = Tool(
            name=SAY,
            description="Say something. It ends your turn: the next you see is what the others answer.",
            parameters={
                "type": "object",
                "properties": {"text": text, **to},
                "required": ["text"],
                "additionalProperties": False,
            },
            changes_state=True,
        )
        end = Tool(
            name=END,
            description="End the conversation for good, with last words if there are any.",
            parameters={"type": "object", "properties": {"text": text}, "additionalProperties": False},
            changes_state=True,
        )
        return [say, end] if self.ends_by_tool(role) else [say]
