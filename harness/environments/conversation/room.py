"""An empty room: the world of a conversation in which there is nothing to do but talk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, JsonValue

from harness.environments.protocol import Environment, FinalState, Observation, Opening, StateReader, Tool
from harness.spec.base import Spec


class RoomOptions(Spec):
    """A room needs none."""


class RoomSetup(Spec):
    """Nor does it change from task to task."""


class _RoomReader(StateReader):
    async def as_data(self) -> dict[str, JsonValue]:
        return {}

    async def read_file(self, path: str) -> str | None:
        raise NotImplementedError("a conversation has no files; use a check of kind told or state")

    async def query(self, sql: str) -> list[list[JsonValue]]:
        raise NotImplementedError("a conversation has no tables; use a check of kind told or state")

    async def run(self, command: str, files: Mapping[str, bytes], seconds: float) -> Observation:
        raise NotImplementedError("a conversation runs no commands; use a check of kind told or state")

    async def reward(self, name: str, answer: str | None) -> float:
        raise NotImplementedError("a conversation gives no rewards of its own")


class Room(Environment):
    """Nothing is in it."""

    kind: ClassVar[str] = "room"
    Options: ClassVar[type[BaseModel]] = RoomOptions
    Setup: ClassVar[type[BaseModel]] = RoomSetup

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """There is nothing to take hold of."""
        return []

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Open the door."""
        return cls()

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """There is no tool."""
        return Observation(f"there is no tool '{tool}'", error=True)

    async def snapshot(self) -> bytes:
        """Return nothing: there is nothing that could change."""
        return b""

    async def restore(self, snapshot: bytes) -> None:
        """It is as it was."""

    async def final_state(self) -> FinalState:
        """Return an empty state."""
        return FinalState(self.kind, b"")

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> StateReader:
        """Open an empty state."""
        return _RoomReader()
