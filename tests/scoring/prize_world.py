"""A world with tasks and scores of its own, which implements no more of the protocol than it needs."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from harness.environments.protocol import Environment, FinalState, Observation, Opening, StateReader, Tool


class PrizeReader(StateReader):
    def __init__(self, state: FinalState) -> None:
        self._pulled = json.loads(state.data)["pulled"]

    async def as_data(self) -> dict[str, JsonValue]:
        return {"pulled": self._pulled}

    async def reward(self, name: str, answer: str | None) -> float:
        if name not in ("pulls", "answered", "nothing"):
            raise LookupError(f"no reward {name!r}; there are pulls, answered, nothing")
        return {"pulls": float(self._pulled), "answered": float(bool(answer)), "nothing": float("nan")}[name]


class Prize(Environment):
    kind: ClassVar[str] = "prize_world:Prize"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        tasks: int = 3
        broken: bool = False

    class Setup(BaseModel):
        model_config = ConfigDict(extra="forbid")
        start: int = 0

    def __init__(self, start: int) -> None:
        self._pulled = start

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        return [Tool("pull", "Pull.", {"type": "object", "properties": {}, "additionalProperties": False}, True)]

    @classmethod
    def own_tasks(cls, options: Any) -> list[dict[str, Any]]:
        pull = {"tool": "pull", "arguments": {}}
        return [
            {
                "id": f"pull_{number}", "brief": "Pull {{ input.times }} times.", "input": {"times": number},
                "solution": [pull] * number, "checks": [{"kind": "reward", "of": "pulls", "highest": number}],
                **({"setup": {"begin": 1}} if options.broken else {}),
            }
            for number in range(1, options.tasks + 1)
        ]  # fmt: skip

    @classmethod
    async def open(cls, opening: Opening) -> Prize:
        return cls(opening.setup.start)  # type: ignore[attr-defined]

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        self._pulled += 1
        return Observation("ok")

    async def final_state(self) -> FinalState:
        return FinalState(self.kind, json.dumps({"pulled": self._pulled}).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> PrizeReader:
        return PrizeReader(state)
