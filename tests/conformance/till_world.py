"""A sound little world of two seats, and what it takes to break each promise: `wrong` names the way."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import tempfile
import threading
import time
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from harness.environments.protocol import (
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    StateReader,
    Tool,
)

NOTHING: dict[str, JsonValue] = {"type": "object", "properties": {}, "additionalProperties": False}
SHARED: list[int] = []
KEPT: list[Any] = []
OPEN: list[Till] = []


class Drawer:
    """Serves all tills of a run, and keeps what they put into it."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    async def close(self) -> None:
        for kept in self.kept:
            kept.close()


class TillReader(StateReader):
    def __init__(self, data: dict[str, JsonValue]) -> None:
        self._data = data

    async def as_data(self) -> dict[str, JsonValue]:
        return {name: value for name, value in self._data.items() if name != "far down"}

    async def in_full(self) -> dict[str, JsonValue]:
        return self._data


class Till(Environment):
    """Coins go in, in turn; `look` counts them."""

    kind: ClassVar[str] = "till_world:Till"

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        wrong: str = ""

    class Setup(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, opening: Any) -> None:
        self._opening, self._wrong = opening, opening.options.wrong
        self._coins: list[str] = []
        self._told: dict[str, int] = {}
        self._looks = 0
        self._closed = False

    @classmethod
    def tools(cls, options: Any, role: str) -> list[Tool]:
        wide = {"type": "object", "properties": {}}
        look = Tool("look", "Count the coins.", wide if options.wrong == "open schema" else NOTHING, False)
        return [look, Tool("pay", "Put a coin in.", NOTHING, True)]

    @classmethod
    async def open(cls, opening: Opening) -> Till:
        till = cls(opening)
        OPEN.append(till)
        if opening.options.wrong == "kept":  # type: ignore[attr-defined]
            drawer = await opening.services.get("drawer", _drawer)
            drawer.kept.append(socket.socket())
        return till

    @property
    def facts(self) -> dict[str, JsonValue]:
        return {"coins": (1, 2) if self._wrong == "facts" else [1, 2]}

    def turn(self) -> str | None:
        return self._opening.roles[len(self._coins) % 2]

    async def news(self, role: str) -> str | None:
        told, self._told[role] = self._told.get(role, 0), len(self._coins)
        new = [who for who in self._coins[told:] if who != role]
        if self._wrong == "news":
            return str(random.random())
        return f"{len(new)} coins from others" if new else None

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        if self._closed and self._wrong != "works on":
            raise EnvironmentFault("the till is closed")
        if tool not in ("look", "pay") and self._wrong != "any tool":
            return Observation(f"There is no tool {tool}.", error=True)
        if tool == "look":
            self._looks += 1
            return Observation(str(time.perf_counter_ns()) if self._wrong == "clock" else f"{self._coins_seen()} coins")
        if role != self.turn() and self._wrong != "out of turn":
            return Observation("It is not your turn.", error=True)
        self._coins.append(role)
        SHARED.append(1)
        self._litter()
        return Observation("Thank you.")

    def _coins_seen(self) -> int:
        return sum(len(till._coins) for till in OPEN) if self._wrong == "gossip" else len(self._coins)

    def _litter(self) -> None:
        match self._wrong:
            case "process":
                subprocess.Popen(["setsid", "-f", "sleep", "60"])
            case "thread":
                threading.Thread(target=time.sleep, args=(30,), daemon=True, name="forgotten").start()
            case "socket":
                KEPT.append(socket.socket())
            case "temporary":
                os.close(tempfile.mkstemp()[0])
            case "scratch":
                (self._opening.scratch / "crumbs").write_text("x")

    async def snapshot(self) -> bytes | None:
        if self._wrong == "no snapshot":
            return None
        coins = self._coins[1:] if self._wrong == "half a snapshot" else self._coins
        return json.dumps([coins, {} if self._wrong == "forgets" else self._told]).encode()

    async def restore(self, snapshot: bytes) -> None:
        self._coins, self._told = json.loads(snapshot)
        self._looks = 0  # no snapshot has them

    async def final_state(self) -> FinalState:
        data: dict[str, JsonValue] = {"coins": list(self._coins)}
        if self._wrong == "shared":
            data["all"] = len(SHARED)
        if self._wrong in ("reading counts", "snapshot without looks"):
            data["looks"] = self._looks
        if self._wrong == "reading counts out of sight":
            data["far down"] = self._looks
        return FinalState("till" if self._wrong == "kind" else self.kind, json.dumps(data).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> TillReader:
        data = json.loads(state.data)
        if opening.options.wrong == "unsteady reading":  # type: ignore[attr-defined]
            data["read"] = time.perf_counter_ns()
        return TillReader(data)

    async def close(self) -> None:
        self._closed = True
        if self in OPEN:
            OPEN.remove(self)


async def _drawer() -> Drawer:
    return Drawer()
