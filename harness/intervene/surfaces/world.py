"""The world behind another surface: the same one, but for how it is shown and for a tool that it does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import BaseModel, JsonValue

from harness.environments import Environment, FinalState, Observation, Opening, StateReader, Tool


class SurfacedWorld(Environment):
    """An opened environment, shown otherwise."""

    kind: ClassVar[str] = "surfaced"
    Options: ClassVar[type[BaseModel]] = BaseModel
    Setup: ClassVar[type[BaseModel]] = BaseModel

    def __init__(
        self, environment: Environment, surface: str, answers: Mapping[str, str], show: Callable[[str], str]
    ) -> None:
        """`answers` are those of tools that the environment never sees; `show` is how its own are shown."""
        self._environment = environment
        self._surface = surface
        self._answers = answers
        self._show = show

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Nobody asks an open environment."""
        return []

    @classmethod
    async def open(cls, opening: Opening) -> Environment:
        """Never: it is put around one that is open."""
        raise NotImplementedError("a surface is put around an open environment")

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> StateReader:
        """Never: final states are those of the environment itself."""
        raise NotImplementedError("final states are read by the environment itself")

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Of the environment, and which surface it has."""
        return {**self._environment.facts, "surface": self._surface}

    def turn(self) -> str | None:
        """Of the environment."""
        return self._environment.turn()

    def finished(self) -> bool:
        """Of the environment."""
        return self._environment.finished()

    async def news(self, role: str) -> str | None:
        """Of the environment, shown otherwise."""
        tell = getattr(self._environment, "news", None)  # a kind of one's own need not inherit from the protocol
        told: str | None = await tell(role) if tell is not None else None
        return None if told is None else self._show(told)

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """What the environment answers, shown otherwise; a tool that it does not have is answered here."""
        if tool in self._answers:
            return Observation(self._show(self._answers[tool]))
        seen = await self._environment.call(role, tool, arguments)
        return replace(seen, text=self._show(seen.text))

    async def snapshot(self) -> bytes | None:
        """Of the environment."""
        return await self._environment.snapshot()

    async def restore(self, snapshot: bytes) -> None:
        """Of the environment."""
        await self._environment.restore(snapshot)

    async def final_state(self) -> FinalState:
        """Of the environment."""
        return await self._environment.final_state()

    async def close(self) -> None:
        """Of the environment."""
        await self._environment.close()
