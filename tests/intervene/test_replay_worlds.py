"""Ways through every shipped scaffold and every built-in world: replies in shuffled order, and snapshots."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from intervene.fickle import carried
from pydantic import JsonValue
from run.workbench import Workbench, new_bench

from harness.environments import CATALOG, Environment, FinalState, Observation, Opening, Services, load_kind
from harness.intervene.carrying import Continued
from harness.intervene.drift import drift_before
from harness.intervene.moments import answered_calls, moments
from harness.intervene.origin import Origin, open_origin
from harness.intervene.replaying import replay_all
from harness.intervene.way import Way
from harness.record import Results, TrialRecord
from harness.run import Cell
from harness.run.trial import scratch_folder
from harness.spec import find_file, library, load_scenario

SCAFFOLDS = (
    ("plan-then-act", "refund-desk"), ("react", "refund-desk"), ("react-native", "refund-desk"),
    ("react-text", "refund-desk"), ("reflect", "steward"), ("vote", "refund-desk"), ("turns", "counter"),
    ("desk", "counter"),
)  # fmt: skip
WORLDS = ("council", "auditor", "chronicler", "drove", "granary", "merchant")
"""Beside those that `test_replay` goes through; the first three take a browser, PostgreSQL and a public MCP server."""
SLOW = WORLDS[:3]
SNAPSHOTS = ("smithy", "refund-desk", "tollhouse", "steward", "counter", "inn")
SLOW_SNAPSHOTS = ("market-stall", "auditor", "archive")
DELAYS = ((1, 0.03), (2, 0.0), (3, 0.015))
"""Lanes of a vote, and how long each takes to answer: another order than they are asked in."""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return new_bench(tmp_path)


def by_the_solution(bench: Workbench, scenario: str, scaffold: str) -> None:
    """A sweep of one trial whose models do what the longest solution does, each seat its part."""
    path = find_file(scenario, "scenario", library())
    spec = load_scenario(path, CATALOG).spec
    task = max(spec.tasks, key=lambda task: len(task.solution))
    seats = list(spec.roles)
    names = {seat: f"seat-{place}" for place, seat in enumerate(seats)}
    for seat, name in names.items():
        rules: list[dict[str, Any]] = [
            {"when": "node == 'criticise'", "say": "OK"},
            {"when": "node == 'plan'", "say": "Go."},
        ]
        steps = [step for step in task.solution if (step.role or seats[0]) == seat]
        last: dict[str, Any] = {"say": "Fine. ###END###"}
        if len(seats) == 1:
            last = {"call": {"tool": "submit", "arguments": {"answer": "done"}}}
        deeds = [{"call": {"tool": step.tool, "arguments": dict(step.arguments)}} for step in steps]
        first = 2 if scaffold == "plan-then-act" else 1
        for number, deed in enumerate([*deeds, last], first):
            when = f"turn == {number}" if number < first + len(deeds) else "true"
            rules += [{"when": f"{when} and lane[-2:] == '.{lane}'", **deed, "delay": delay} for lane, delay in DELAYS]
            rules.append({"when": when, **deed})
        bench.write(f"{name}.yaml", {"kind": "script", "rules": rules})
    models = {name: {"model": f"scripted/{name}.yaml", "variant": name} for name in names.values()}
    bench.write("models.yaml", {"kind": "models", "models": models})
    bench.change(
        "sweep.yaml", scenarios=[str(path)], scaffolds=[scaffold], models=[names[seats[0]]],
        roles={seat: names[seat] for seat in seats[1:]}, tasks=[task.id], limits={"turns": 40},
    )  # fmt: skip


def recorded(bench: Workbench) -> TrialRecord:
    assert bench.run().results == 1
    (row,) = bench.rows()
    return bench.record.store.record(row.trial)


def slow(names: tuple[str, ...]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize(("scaffold", "scenario"), SCAFFOLDS, ids=lambda name: str(name))
def test_every_scaffold_is_gone_back_into_at_every_moment(bench: Workbench, scaffold: str, scenario: str) -> None:
    """In the middle of a branch as well; with the same models and chance, each fork is the trial again."""
    by_the_solution(bench, scenario, scaffold)
    original = recorded(bench)
    assert len(answered_calls(original.document)) >= 4
    with open_origin(bench.results / "bench") as origin:
        (found,) = asyncio.run(replay_all(origin, origin.rows))
        assert (found.drift, found.error, found.not_compared) == ([], None, None)
        every = moments(original.row.trial, original.document)
        for there in {every[place].at: None for place in (0, 1, 2, len(every) // 2, len(every) - 1)}:
            _, results = carried(bench, origin, original.row, there, Continued(origin), name="again", adds=True)
    assert results.drift.empty
    for row in results.store.rows():
        again = results.store.record(row.trial)
        assert drift_before(original.document, again.document, None) == []
        assert (again.row.state, again.row.score) == (original.row.state, original.row.score)
        assert (again.row.answer, again.final_state) == (original.row.answer, original.final_state)


@pytest.mark.parametrize("scenario", [*slow(SLOW), *WORLDS[3:]])
def test_a_world_replays_without_drift(bench: Workbench, scenario: str) -> None:
    by_the_solution(bench, scenario, "turns" if scenario in WORLDS[3:] else "react")
    recorded(bench)
    with open_origin(bench.results / "bench") as origin:
        (found,) = asyncio.run(replay_all(origin, origin.rows))
    assert (found.drift, found.error, found.not_compared) == ([], None, None)
    assert found.calls == found.of > 1


@pytest.mark.parametrize("scenario", [*SNAPSHOTS, *slow(SLOW_SNAPSHOTS)])
def test_who_follows_ends_in_the_world_of_who_acts(
    bench: Workbench, scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three siblings of the last moment: with snapshots the way is acted out once, without them by each."""
    by_the_solution(bench, scenario, "turns" if scenario in ("counter", "inn") else "react")
    original = recorded(bench)
    at = len(answered_calls(original.document)) - 1
    counted: list[str] = []
    enter = Way.environment

    def count(way: Way, environment: Environment) -> Environment:
        call = environment.call

        async def counting(role: str, tool: str, arguments: dict[str, Any]) -> Observation:
            counted.append(tool)
            return await call(role, tool, arguments)

        monkeypatch.setattr(environment, "call", counting)
        return enter(way, environment)

    monkeypatch.setattr(Way, "environment", count)
    with open_origin(bench.results / "bench") as origin:
        ends, done = [], []
        for snapshots in (True, False):
            counted.clear()
            conduct = Continued(origin, snapshots=snapshots)
            name = f"snapshots-{snapshots}"
            outcome, results = carried(bench, origin, original.row, at, conduct, name=name, repeats=3)
            assert outcome.results == 3
            assert results.drift.empty
            ends += [states(origin, results)]
            done.append(len(counted))
    tools = sum(event.type == "tool" and event.action.kind != "submit" for event in original.document.events)
    assert done[1] >= 3 * (tools - 1) > 0
    assert done[0] <= done[1] - 2 * (tools - 1)
    assert ends[0] == ends[1]
    assert set(ends[0]) == set(states(origin, bench.record))


def states(origin: Origin, results: Results) -> list[tuple[str, float | None]]:
    """The worlds that were left, whole (files of some carry a number of their own), and the scores."""
    return [
        (json.dumps(asyncio.run(state(origin.cell(origin.rows[0]), results.store.record(row.trial))), sort_keys=True),
         row.score)
        for row in results.store.rows()
    ]  # fmt: skip


async def state(cell: Cell, record: TrialRecord) -> dict[str, JsonValue]:
    kind = load_kind(cell.scenario.spec.environment.kind)
    async with Services() as services, scratch_folder() as scratch:
        opening = Opening.of_task(cell.scenario, cell.task, record.row.seed, scratch, services)
        reader = await kind.read_state(FinalState(kind.kind, record.final_state or b""), opening)
        try:
            return {**await reader.as_data(), **await reader.in_full()}
        finally:
            await reader.close()
