"""A tiny world for the tests of scoring: accounts with balances and a few files, whole in memory."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from harness.environments.protocol import EnvironmentFault, FinalState, Observation, Opening, Tool

_NAMED = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
READ = Tool("read", "Read a balance.", _NAMED, changes_state=False)
PAY = Tool(
    "pay",
    "Add to a balance.",
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "amount": {"type": "number"}},
        "required": ["name", "amount"],
        "additionalProperties": False,
    },
    changes_state=True,
)
DICE = Tool("dice", "Never the same twice.", {"type": "object", "properties": {}}, changes_state=False)


class Ledger:
    kind: ClassVar[str] = "ledger"
    opened = 0
    open_now = 0

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        broken: bool = False

    class Setup(BaseModel):
        model_config = ConfigDict(extra="forbid")
        balances: dict[str, float] = {}
        files: dict[str, str] = {}

    def __init__(self, setup: Any) -> None:
        self.balances = dict(setup.balances)
        self.files = dict(setup.files)
        self.facts: dict[str, Any] = {}

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        return [READ, PAY, DICE]

    @classmethod
    async def open(cls, opening: Opening) -> Ledger:
        if opening.options.broken:  # type: ignore[attr-defined]
            raise EnvironmentFault("no such world")
        cls.opened += 1
        cls.open_now += 1
        return cls(opening.setup)

    def turn(self) -> str | None:
        return None

    def finished(self) -> bool:
        return False

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        if tool == "dice":
            Ledger.opened += 1
            return Observation(str(Ledger.opened))
        if arguments["name"] not in self.balances:
            return Observation(f"no account {arguments['name']}", error=True)
        if tool == "pay":
            self.balances[arguments["name"]] += arguments["amount"]
        return Observation(str(self.balances[arguments["name"]]))

    async def final_state(self) -> FinalState:
        return FinalState("ledger", json.dumps({"balances": self.balances, "files": self.files}).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> LedgerReader:
        assert not list(opening.scratch.iterdir())
        return LedgerReader(json.loads(state.data), opening.scratch)

    async def close(self) -> None:
        Ledger.open_now -= 1

    async def snapshot(self) -> None:
        return None

    async def restore(self, snapshot: bytes) -> None:
        raise NotImplementedError


class Gossip(Ledger):
    """Has other news every time."""

    async def news(self, role: str) -> str | None:
        Ledger.opened += 1
        return f"rumour {Ledger.opened}"


class LedgerReader:
    def __init__(self, data: dict[str, Any], scratch: Path) -> None:
        self.data = data
        self.scratch = scratch

    async def as_data(self) -> dict[str, Any]:
        return self.data

    async def read_file(self, path: str) -> str | None:
        return self.data["files"].get(path)

    async def query(self, sql: str) -> list[list[Any]]:
        database = sqlite3.connect(":memory:")
        database.execute("create table balances (name text, amount real, note text)")
        database.executemany("insert into balances (name, amount) values (?, ?)", self.data["balances"].items())
        try:
            return [list(row) for row in database.execute(sql)]
        except sqlite3.Error as error:
            raise ValueError(str(error)) from error
        finally:
            database.close()

    async def run(self, command: str, files: Mapping[str, bytes], seconds: float) -> Observation:
        if "sandbox" in command:
            raise NotImplementedError("a ledger has no shell")
        for path, content in {**{k: v.encode() for k, v in self.data["files"].items()}, **files}.items():
            (self.scratch / path).write_bytes(content)
        try:
            done = subprocess.run(["sh", "-c", command], cwd=self.scratch, capture_output=True, timeout=seconds)  # noqa: ASYNC221
        except subprocess.TimeoutExpired:
            return Observation("", error=True, data={"exit": None, "timed_out": True})
        text = re.sub(r"\r", "", done.stdout.decode())
        return Observation(text, error=done.returncode != 0, data={"exit": done.returncode, "timed_out": False})

    async def close(self) -> None:
        pass
