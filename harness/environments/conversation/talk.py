"""What was said, to whom, and how it ended: the part of a talking world's state that is not the world's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, JsonValue

from harness.environments.conversation.options import ConversationOptions

MOST_MESSAGES = "most_messages"
"""How a conversation ended that nobody ended."""


class WordsRefusedError(ValueError):
    """What cannot be said; the message is meant for whoever wanted to."""


class Message(BaseModel):
    """One thing said."""

    model_config = ConfigDict(frozen=True)

    role: str
    text: str
    to: str | None = None
    """The only role that heard it; None for all."""


class Talk(BaseModel):
    """A conversation as it stands."""

    messages: list[Message] = []
    speaker: str
    """Whose turn it is, where the world does not say."""
    acted: int = 0
    """How often the world's tools were used since something was last said."""
    told: dict[str, int] = {}
    """Role -> how many of the messages it has been told, or said itself."""
    ended_by: str | None = None
    ended_how: str | None = None
    """The ending word, `end_conversation` or `most_messages`; None while it goes on."""

    @classmethod
    def begun(cls, options: ConversationOptions, roles: Sequence[str]) -> Self:
        """A conversation in which nothing was said yet."""
        return cls(speaker=options.opens or roles[0])

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.ended_how is not None

    def say(self, role: str, text: str, to: str | None, options: ConversationOptions, roles: Sequence[str]) -> None:
        """Take down what a role says, and pass the turn on. Raises `WordsRefusedError`, and changes nothing then."""
        if len(text) > options.characters:
            raise WordsRefusedError(f"{len(text)} characters are too many; say it in {options.characters}.")
        if to is not None and (to not in roles or to == role):
            others = ", ".join(other for other in roles if other != role)
            raise WordsRefusedError(f"there is nobody called '{to}' to say it to; there are {others}.")
        ending = next((word for word in options.endings(role) if word in text), None)
        heard = _without(text, options.endings(role))
        if not heard and ending is None:
            raise WordsRefusedError("nothing was said; write what you want to say.")
        self._add(role, heard, to, roles)
        if ending is not None:
            self.ended_by, self.ended_how = role, ending
        elif len(self.messages) >= options.most_messages:
            self.ended_how = MOST_MESSAGES

    def end(self, role: str, text: str, how: str, options: ConversationOptions, roles: Sequence[str]) -> None:
        """End it, with last words or without. Raises `WordsRefusedError`."""
        if len(text) > options.characters:
            raise WordsRefusedError(f"{len(text)} characters are too many; say it in {options.characters}.")
        self._add(role, text.strip(), None, roles)
        self.ended_by, self.ended_how = role, how

    def _add(self, role: str, text: str, to: str | None, roles: Sequence[str]) -> None:
        if text:
            self.messages.append(Message(role=role, text=text, to=to))
        self.acted = 0
        self.speaker = roles[(roles.index(role) + 1) % len(roles)]

    def news(self, role: str, *, named: bool) -> str | None:
        """What was said to a role since it was last told; with who said it where `named`."""
        new = [m for m in self.messages[self.told.get(role, 0) :] if m.role != role and m.to in (None, role)]
        self.told[role] = len(self.messages)
        lines = [_named(message) if named else message.text for message in new]
        return "\n".join(lines) if lines else None

    def as_data(self) -> dict[str, JsonValue]:
        """What checks and measures see of it."""
        said: list[JsonValue] = [{"role": m.role, "to": m.to, "text": m.text} for m in self.messages]
        return {"conversation": said, "ended_by": self.ended_by, "ended_how": self.ended_how}


def _without(text: str, endings: Sequence[str]) -> str:
    while (ending := next((word for word in endings if word in text), None)) is not None:
        text = text.replace(ending, "")  # again, for what was around one may come together to another
    return text.strip()


def _named(message: Message) -> str:
    # Further lines are moved in, so that nobody can put words into another's mouth.
    text = "\n  ".join(message.text.splitlines())
    return f"{message.role}{'' if message.to is None else ' (to you alone)'}: {text}"


def last_words(arguments: Mapping[str, object]) -> str:
    """The words of a call of `say` or `end_conversation`."""
    text = arguments.get("text")
    return text if isinstance(text, str) else ""
