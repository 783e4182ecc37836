"""A talking world as bytes, and its final state opened for checks."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue, ValidationError

from harness.environments.conversation.talk import Talk
from harness.environments.protocol import EnvironmentFault, Observation, StateReader
from harness.errors import UserError

_MARK = b"conversation 1\n"
TALK_KEYS = ("conversation", "ended_by", "ended_how")
"""What talk adds to the state as data."""


def packed(talk: Talk, kind: str, world: bytes) -> bytes:
    """The talk and the world's own bytes in one: a mark, the length of a JSON header, the header, the world."""
    header = json.dumps({"kind": kind, "talk": talk.model_dump(mode="json")}, ensure_ascii=True).encode()
    return _MARK + len(header).to_bytes(8, "big") + header + world


def unpacked(data: bytes) -> tuple[Talk, str, bytes]:
    """The talk, the world's kind and the world's bytes. Raises `EnvironmentFault` when they are not that."""
    start = len(_MARK) + 8
    length = int.from_bytes(data[len(_MARK) : start], "big")
    try:
        if not data.startswith(_MARK) or len(data) < start + length:
            raise ValueError("it does not begin as one")
        header = json.loads(data[start : start + length])
        return Talk.model_validate(header["talk"]), str(header["kind"]), data[start + length :]
    except (ValueError, KeyError, TypeError, ValidationError, RecursionError) as error:
        raise EnvironmentFault(f"this is no state of a conversation: {error}") from None


class TalkingReader(StateReader):
    """Answers as the world's own reader does, and knows what was said."""

    def __init__(self, talk: Talk, world: StateReader) -> None:
        self.talk = talk
        self.world = world

    async def as_data(self) -> dict[str, JsonValue]:
        """The world's data, with `conversation`, `ended_by` and `ended_how`. Raises `UserError` where names clash."""
        return self._with_talk(await self.world.as_data())

    async def in_full(self) -> dict[str, JsonValue]:
        """The same with nothing of the world left out."""
        whole = getattr(self.world, "in_full", self.world.as_data)  # a reader of one's own need not have it
        return self._with_talk(await whole())

    def _with_talk(self, world: dict[str, JsonValue]) -> dict[str, JsonValue]:
        taken = [key for key in TALK_KEYS if key in world]
        if taken:
            raise UserError(f"the world has a {taken[0]!r} of its own, as the talk has: give that another name")
        return {**world, **self.talk.as_data()}

    async def read_file(self, path: str) -> str | None:
        """A file of the world."""
        return await self.world.read_file(path)

    async def query(self, sql: str) -> list[list[JsonValue]]:
        """Rows of the world's tables."""
        return await self.world.query(sql)

    async def run(self, command: str, files: Mapping[str, bytes], seconds: float) -> Observation:
        """A command over the world's files."""
        return await self.world.run(command, files, seconds)

    async def reward(self, name: str, answer: str | None) -> float:
        """The world's own score."""
        return await self.world.reward(name, answer)

    async def close(self) -> None:
        """Close the world's reader."""
        await self.world.close()
