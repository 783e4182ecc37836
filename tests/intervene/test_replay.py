"""A recorded sweep goes through its scaffold again without drift, and what drifts is found where it does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from run.workbench import Workbench, new_bench

from harness.environments import CATALOG
from harness.intervene.origin import open_origin
from harness.intervene.replaying import Replayed, replay_all
from harness.record import Store
from harness.spec import find_file, library, load_scenario

QUICK = (
    ("smithy", "react"), ("refund-desk", "plan-then-act"), ("refund-desk", "react-native"), ("tollhouse", "react"),
    ("steward", "vote"), ("steward", "reflect"), ("counter", "turns"), ("inn", "turns"), ("parley", "turns"),
    ("fair", "turns"), ("pasture", "turns"), ("hamlet", "turns"), ("watchman", "react-text"),
)  # fmt: skip
SLOW = (("market-stall", "react"), ("auditor", "react"), ("archive", "react"))
"""Browser, PostgreSQL and a public MCP server."""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return new_bench(tmp_path)


def by_the_solution(bench: Workbench, scenario: str, scaffold: str) -> None:
    """Writes a sweep whose models do what the scenario's longest solution does, each seat its part."""
    path = find_file(scenario, "scenario", library())
    loaded = load_scenario(path, CATALOG)
    task = max(loaded.spec.tasks, key=lambda task: len(task.solution))
    seats = list(loaded.spec.roles)
    for seat in seats:
        rules: list[dict[str, Any]] = []
        for step in task.solution:
            if (step.role or seats[0]) == seat:
                rules.append({"when": f"turn == {len(rules) + 1}",
                              "call": {"tool": step.tool, "arguments": dict(step.arguments)}})  # fmt: skip
        last = {"call": {"tool": "submit", "arguments": {"answer": "done"}}} if len(seats) == 1 else {"say": "Fine."}
        bench.write(f"{seat}.yaml", {"kind": "script", "rules": [*rules, last]})
    bench.write(
        "models.yaml", {"kind": "models", "models": {s: {"model": f"scripted/{s}.yaml", "variant": s} for s in seats}}
    )
    bench.change(
        "sweep.yaml", scenarios=[str(path)], scaffolds=[scaffold], models=[seats[0]],
        roles={seat: seat for seat in seats[1:]}, tasks=[task.id], repeats=2, limits={"turns": 60},
    )  # fmt: skip


def replayed(folder: Path, to: int | None = None) -> list[Replayed]:
    with open_origin(folder) as origin:
        return asyncio.run(replay_all(origin, origin.rows, to=to))


@pytest.mark.parametrize(
    ("scenario", "scaffold"),
    [*QUICK, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in SLOW)],
    ids=lambda name: str(name),
)
def test_a_sweep_replays_without_drift(bench: Workbench, scenario: str, scaffold: str) -> None:
    by_the_solution(bench, scenario, scaffold)
    assert bench.run().results == 2
    found = replayed(bench.results / "bench")
    assert [(one.drift, one.error, one.not_compared) for one in found] == [([], None, None)] * 2
    assert all(one.calls == one.of > 1 for one in found)


def test_a_part_of_a_trial_can_be_replayed(bench: Workbench) -> None:
    by_the_solution(bench, "steward", "react")
    bench.run()
    found = replayed(bench.results / "bench", to=1)
    assert {(one.calls, one.same, one.not_compared) for one in found} == {(1, True, "it was replayed in part")}


COUNTS = '''
from pathlib import Path
from pydantic import BaseModel, ConfigDict
from harness.environments import Environment, FinalState, Observation, StateReader, Tool

LOOK = Tool("look", "Look.", {"type": "object", "properties": {}, "additionalProperties": False}, changes_state=False)


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    log: str


class Reader(StateReader):
    async def as_data(self):
        return {}


class Restless(Environment):
    """Says something else at its second look once another trial has been there."""

    kind = "restless"
    Options = Options
    Setup = type("Setup", (BaseModel,), {})

    def __init__(self, log):
        self.log, self.looks, self.visits = log, 0, len(log.read_text()) if log.exists() else 0

    @classmethod
    def tools(cls, options, role):
        return [LOOK]

    @classmethod
    async def open(cls, opening):
        return cls(Path(opening.options.log))

    async def call(self, role, tool, arguments):
        self.looks += 1
        with self.log.open("a") as file:
            file.write(".")
        return Observation("the same" if self.looks != 2 or self.visits == 0 else "another")

    async def final_state(self):
        return FinalState("restless", b"")

    @classmethod
    async def read_state(cls, state, opening):
        return Reader()
'''


def test_drift_is_found_at_its_step_with_both_versions(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write("restless.py", COUNTS)
    log = bench.folder / "log"
    monkeypatch.syspath_prepend(str(bench.folder))
    bench.change(
        "stock.yaml", environment={"kind": "restless:Restless", "log": str(log)},
        roles={"clerk": {"brief": "Look."}}, tasks=[{"id": "look", "brief": "Look three times."}],
    )  # fmt: skip
    rules = [
        {"when": "turn < 4", "call": {"tool": "look"}},
        {"call": {"tool": "submit", "arguments": {"answer": "x"}}},
    ]
    bench.write("script.yaml", {"kind": "script", "rules": rules})
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/script.yaml"}}})
    # The environment is opened once before the first trial, without a look; the trial then finds an empty log.
    assert bench.run().results == 1
    (found,) = replayed(bench.results / "bench")
    assert [(drift.what, drift.step, drift.node) for drift in found.drift] == [("observation", 4, "act")]
    assert (found.drift[0].recorded, found.drift[0].replayed) == ("the same", "another")
    assert not found.same
    done = bench.harness("replay", "bench")
    assert done.returncode == 1
    assert "first: what was observed at step 4, node act" in done.stdout


def test_the_command_says_what_it_did(bench: Workbench) -> None:
    by_the_solution(bench, "steward", "react")
    bench.run()
    done = bench.harness("replay", "bench")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("replayed 2 trials,")
    with Store(bench.results / "bench") as store:
        trial = store.rows()[0].trial
    one = bench.harness("replay", trial, "--to", "1", "--json")
    (data,) = json.loads(one.stdout)
    assert (data["trial"], data["calls"], data["same"], data["drift"]) == (trial, 1, True, [])
    wrong = bench.harness("replay", "nothing")
    assert (wrong.returncode, wrong.stdout) == (2, "") and "no sweep 'nothing' is recorded" in wrong.stderr


@pytest.mark.local_model
@pytest.mark.parametrize(
    ("scenarios", "scaffolds"),
    [(["smithy"], ["react"]), pytest.param(["smithy", "steward"], ["react", "vote"], marks=pytest.mark.slow)],
)
def test_what_a_local_model_did_replays_without_drift(
    bench: Workbench, scenarios: list[str], scaffolds: list[str]
) -> None:
    count = len(scenarios) * len(scaffolds)
    small = {"model": "local/smollm2-135m", "parameters": {"temperature": 0.7, "max_tokens": 30}}
    bench.write("models.yaml", {"kind": "models", "models": {"small": small}})
    bench.change(
        "sweep.yaml", scenarios=scenarios, scaffolds=scaffolds, models=["small"],
        tasks=["word", "place"][: len(scenarios)], limits={"turns": 3},
    )  # fmt: skip
    assert bench.run().results == count
    found = replayed(bench.results / "bench")
    assert [(one.drift, one.error) for one in found] == [([], None)] * count
    assert sum(one.calls for one in found) >= count


def test_a_limit_met_while_other_lanes_wait_for_a_reply_is_met_again(bench: Workbench) -> None:
    """Four turns, three lanes: in the second round one call is begun, and the limit ends the trial before its reply."""
    look = {"tool": "query", "arguments": {"sql": "select 1"}}
    bench.write("script.yaml", {"kind": "script", "rules": [{"call": look, "delay": 0.05}]})
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/script.yaml"}}})
    bench.change("sweep.yaml", scaffolds=["vote"], tasks=["nail"], limits={"turns": 4})
    assert bench.run().results == 1
    assert bench.rows()[0].limit == "turns"
    (found,) = replayed(bench.results / "bench")
    assert (found.drift, found.error, found.not_compared, found.calls) == ([], None, None, 3)
