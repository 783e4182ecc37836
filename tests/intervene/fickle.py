"""A ledger world that keeps its promises until it is told not to, and a bench with a sweep in it.

What it is to do otherwise stands in a file (`mood.json`) that it reads when it is asked, so that a test can record a
sweep in a good mood and go back in another. Every call that it really carries out leaves a line in a log.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue
from run.workbench import Workbench

from harness.environments import Environment, EnvironmentFault, FinalState, Observation, Opening, StateReader, Tool
from harness.intervene.carrying import Continued
from harness.intervene.moments import digests_behind, moment
from harness.intervene.origin import Origin, open_origin
from harness.intervene.planning import Asked, carry_out_asked, intervention_sweep, moment_cell
from harness.record import Results, TrialRow
from harness.run import Conduct, SweepOutcome
from harness.run.progress import PlainProgress

ANY: dict[str, JsonValue] = {"type": "object", "properties": {}, "additionalProperties": False}
TEXT: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["text"],
    "additionalProperties": False,
}


class FickleOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    folder: str
    """Where `mood.json` and `log` are."""
    turns: bool = False
    """Whether roles take turns, a note each."""
    most: int = 100
    """Notes after which it is finished."""


class FickleSetup(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FickleReader(StateReader):
    def __init__(self, data: dict[str, JsonValue]) -> None:
        self._data = data

    async def as_data(self) -> dict[str, JsonValue]:
        return {"notes": self._data["notes"]}


class Fickle(Environment):
    """Keeps notes."""

    kind: ClassVar[str] = "fickle"
    Options: ClassVar[type[BaseModel]] = FickleOptions
    Setup: ClassVar[type[BaseModel]] = FickleSetup

    def __init__(self, options: FickleOptions, roles: Sequence[str]) -> None:
        self.options, self.roles = options, roles
        self.notes: list[str] = []
        self.heard = dict.fromkeys(roles, 0)
        self.calls = 0
        self.asked_for_news = 0
        if self.mood("opening"):
            raise EnvironmentFault("shut")

    def mood(self, name: str) -> Any:
        path = Path(self.options.folder) / "mood.json"
        return json.loads(path.read_text()).get(name) if path.exists() else None

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        return [
            Tool("note", "Write a note.", TEXT, changes_state=True),
            Tool("look", "Read all notes.", ANY, changes_state=False),
        ]

    @classmethod
    async def open(cls, opening: Opening) -> Environment:
        assert isinstance(opening.options, FickleOptions)
        return cls(opening.options, opening.roles)

    def turn(self) -> str | None:
        return self.roles[len(self.notes) % len(self.roles)] if self.options.turns else None

    def finished(self) -> bool:
        return len(self.notes) >= self.options.most

    async def news(self, role: str) -> str | None:
        self.asked_for_news += 1
        new = self.notes[self.heard[role] :]
        self.heard[role] = len(self.notes)
        other = (self.mood("news") or {}).get(str(self.asked_for_news))
        return other or ("; ".join(new) or None)

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        self.calls += 1
        with (Path(self.options.folder) / "log").open("a") as log:
            log.write(f"{tool}\n")
        if self.mood("fault") == self.calls:
            raise EnvironmentFault("the ledger burns")
        await asyncio.sleep(self.mood("seconds") or 0.0)
        if tool == "note":
            tags = arguments.get("tags") or []
            self.notes.append(" ".join([arguments["text"], *tags]))
            while tags:  # whatever a kind does with its arguments
                tags.pop()
        seen = Observation("noted" if tool == "note" else "\n".join(self.notes) or "nothing")
        other = (self.mood("answers") or {}).get(str(self.calls))
        return Observation(other, error=bool(self.mood("error"))) if other is not None else seen

    async def snapshot(self) -> bytes | None:
        if self.mood("snapshot") == "none":
            return None
        if self.mood("snapshot") == "fails":
            raise EnvironmentFault("no picture")
        with (Path(self.options.folder) / "log").open("a") as log:
            log.write("(snapshot)\n")
        return json.dumps([self.notes, self.heard, self.calls, self.asked_for_news]).encode()

    async def restore(self, snapshot: bytes) -> None:
        if self.mood("restore") == "fails":
            raise EnvironmentFault("the picture is torn")
        self.notes, self.heard, self.calls, self.asked_for_news = json.loads(snapshot)

    async def final_state(self) -> FinalState:
        notes = self.notes + ([self.mood("last")] if self.mood("last") else [])
        clock = time.monotonic_ns() if self.mood("clock") else 0
        return FinalState("fickle", json.dumps({"notes": notes, "clock": clock}).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> StateReader:
        return FickleReader(json.loads(state.data))


def calls(*steps: dict[str, Any] | str, **also: Any) -> list[dict[str, Any]]:
    """Rules of a script: these tools one after another (a text is a note), then a submission."""
    rules: list[dict[str, Any]] = []
    for number, step in enumerate(steps, 1):
        call = {"tool": "note", "arguments": {"text": step}} if isinstance(step, str) else step
        rules.append({"when": f"visit == {number}", "call": call, **also})
    return [*rules, {"call": {"tool": "submit", "arguments": {"answer": "done"}}, **also}]


TWO_NOTES = {"kind": "state", "expression": "state.notes | count == 2"}
LOOK = {"tool": "look", "arguments": {}}


class Ledger:
    """A bench whose sweep acts in the ledger, with two scripted models."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        bench.change(
            "stock.yaml", environment={"kind": "intervene.fickle:Fickle", "folder": str(bench.folder)},
            roles={"clerk": {"brief": "Keep the ledger."}},
            tasks=[{"id": "keep", "brief": "Keep it.", "checks": [TWO_NOTES]}],
        )  # fmt: skip
        self.scripts(ann=calls("one", LOOK, "two", LOOK))

    def scripts(self, **rules: list[dict[str, Any]]) -> None:
        """The models of the sweep, by name."""
        for name, listed in rules.items():
            self.bench.write(f"{name}.yaml", {"kind": "script", "rules": listed})
        entries = {name: {"model": f"scripted/{name}.yaml"} for name in rules}
        self.bench.write("models.yaml", {"kind": "models", "models": entries})
        self.bench.change("sweep.yaml", models=list(rules))

    def mood(self, **mood: Any) -> None:
        """From now on."""
        (self.bench.folder / "mood.json").write_text(json.dumps(mood))

    def log(self) -> list[str]:
        """What was really carried out since the last look."""
        path = self.bench.folder / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def recorded(self) -> TrialRow:
        """The first trial of the sweep, run."""
        self.bench.run()
        self.log()
        return self.bench.rows()[0]

    def fork(
        self, row: TrialRow, at: int, *, repeats: int = 1, snapshots: bool = True, model: str | None = None,
        same_chance: bool = True, name: str = "again", concurrency: int = 4,
    ) -> tuple[SweepOutcome, Results]:  # fmt: skip
        """Siblings from one moment."""
        with open_origin(self.bench.results / "bench") as origin:
            conduct = Continued(origin, snapshots=snapshots)
            return carried(
                self.bench, origin, row, at, conduct, model=model, repeats=repeats, same_chance=same_chance, name=name,
                concurrency=concurrency,
            )  # fmt: skip


def carried(
    bench: Workbench, origin: Origin, row: TrialRow, at: int, conduct: Conduct, *, name: str,
    model: str | None = None, repeats: int = 1, same_chance: bool = True, concurrency: int = 4, adds: bool = False,
) -> tuple[SweepOutcome, Results]:  # fmt: skip
    """Siblings from one moment, carried out so."""
    document = origin.record(row.trial).document
    chosen = origin.model(model or row.model)
    there = moment(row.trial, document, at)
    cell = moment_cell(
        origin,
        row,
        digests_behind(document)[at],
        there,
        chosen,
        kind="fork",
        factors={"moment": there.name},
        same_chance=same_chance,
    )
    sweep = intervention_sweep(
        origin, name, {chosen.name: chosen}, repeats=repeats, budget=None, concurrency=concurrency
    )
    asked = Asked("fork", name, sweep, [cell], conduct, {"of": origin.name}, adds=adds)
    outcome = carry_out_asked(asked, bench.results, PlainProgress)
    return outcome, Results(bench.results / name, attempts=True)
