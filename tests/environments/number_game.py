"""A game for two or more roles, to show the protocol's turns: add 1 to 3 to a total; whoever reaches the target wins.

Its kind is `environments.number_game:NumberGame` in tests (the folder `tests` is on the path). Roles take turns in
the order of the scenario; the seed decides where the total starts.
"""

from __future__ import annotations

import json
import random
from typing import Any, ClassVar

from pydantic import BaseModel, Field, JsonValue

from harness.environments.protocol import (
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    StateReader,
    Tool,
)
from harness.spec.base import Spec


class GameOptions(Spec):
    target: int = Field(12, ge=5, le=100)


class GameSetup(Spec):
    start: int | None = Field(None, ge=0, le=3)
    """Drawn from the seed when absent."""


ADD = Tool(
    "add",
    "Add to the total.",
    {
        "type": "object",
        "properties": {"amount": {"type": "integer", "minimum": 1, "maximum": 3}},
        "required": ["amount"],
        "additionalProperties": False,
    },
    changes_state=True,
)
LOOK = Tool("look", "See the total.", {"type": "object", "properties": {}, "additionalProperties": False}, False)


class NumberGame(Environment):
    kind: ClassVar[str] = "environments.number_game:NumberGame"
    Options: ClassVar[type[BaseModel]] = GameOptions
    Setup: ClassVar[type[BaseModel]] = GameSetup

    def __init__(self, roles: list[str], target: int, total: int) -> None:
        self._roles, self._target, self._total = roles, target, total
        self._moves: list[dict[str, JsonValue]] = []
        self._closed = False

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        return [LOOK, ADD]

    @classmethod
    async def open(cls, opening: Opening) -> NumberGame:
        options, setup = opening.options, opening.setup
        assert isinstance(options, GameOptions) and isinstance(setup, GameSetup)
        start = random.Random(opening.seed).randint(0, 3) if setup.start is None else setup.start
        return cls(list(opening.roles), options.target, start)

    @property
    def facts(self) -> dict[str, JsonValue]:
        return {"target": self._target}

    def turn(self) -> str | None:
        return None if self.finished() else self._roles[len(self._moves) % len(self._roles)]

    def finished(self) -> bool:
        return self._total >= self._target

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        if self._closed:
            raise EnvironmentFault("the game is put away")
        if tool == "look" and role in self._roles:
            return Observation(f"The total is {self._total}; {self._target} wins.")
        if tool != "add":
            return Observation(f"There is no tool '{tool}'.", error=True)
        if self.turn() != role:
            return Observation("The game is over." if self.finished() else "It is not your turn.", error=True)
        self._total += int(arguments["amount"])
        self._moves.append({"role": role, "amount": int(arguments["amount"])})
        return Observation("You win." if self.finished() else f"The total is now {self._total}.")

    async def snapshot(self) -> bytes | None:
        return json.dumps([self._total, self._moves]).encode()

    async def restore(self, snapshot: bytes) -> None:
        self._total, self._moves = json.loads(snapshot)

    async def close(self) -> None:
        self._closed = True

    async def final_state(self) -> FinalState:
        winner = self._moves[-1]["role"] if self.finished() and self._moves else None
        data = {"total": self._total, "moves": self._moves, "winner": winner}
        return FinalState(self.kind, json.dumps(data).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> GameReader:
        return GameReader(state)


class GameReader(StateReader):
    def __init__(self, state: FinalState) -> None:
        self._data: dict[str, JsonValue] = json.loads(state.data)

    async def as_data(self) -> dict[str, JsonValue]:
        return self._data
