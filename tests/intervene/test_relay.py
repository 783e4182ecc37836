"""Relays of recorded sweeps: who went on from where, what the ends are, and that nothing drifts."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from run.workbench import Workbench, new_bench

from harness.environments import CATALOG
from harness.errors import UserError
from harness.intervene.origin import open_origin
from harness.intervene.planning import carry_out_asked
from harness.intervene.relaying import Wishes, behind, relay_sweep
from harness.record import CallEvent, Results, Store
from harness.report.comparing import compare_sweeps
from harness.run import PlannedTrial
from harness.run.progress import PlainProgress
from harness.spec import find_file, library, load_scenario

LOOK = {"tool": "query", "arguments": {"sql": "select stock from goods where name = '{{ first.split()[3] }}'"}}
NOTE = {"tool": "execute", "arguments": {"sql": "update goods set price = stock"}}
"""What sets the task up: the price then says the stock."""
READ = {"tool": "query", "arguments": {"sql": "select price from goods where name = '{{ first.split()[3] }}'"}}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """Four calls a trial: the starter prepares the table and submits nonsense, the finisher only reads and submits."""
    made = new_bench(tmp_path)
    made.write("starter.yaml", {"kind": "script", "rules": [
        {"visit": 1, "call": NOTE}, {"visit": [2, 3], "call": READ},
        {"call": {"tool": "submit", "arguments": {"answer": "nonsense"}}}]})  # fmt: skip
    made.write("finisher.yaml", {"kind": "script", "rules": [
        {"visit": [1, 2, 3], "call": READ},
        {"call": {"tool": "submit", "arguments": {"answer": "{{ last }}"}}}]})  # fmt: skip
    models = {name: {"model": f"scripted/{name}.yaml"} for name in ("starter", "finisher")}
    made.write("models.yaml", {"kind": "models", "models": models})
    made.change("sweep.yaml", models=["starter", "finisher"], limits={"turns": 6})
    return made


def relayed(bench: Workbench, **wishes: Any) -> Results:
    with open_origin(bench.results / "bench") as origin:
        asked = relay_sweep(origin, Wishes(**wishes))
        outcome = carry_out_asked(asked, bench.results, PlainProgress)
    assert outcome.results == outcome.asked
    return Results(bench.results / asked.name)


def test_a_share_keeps_at_least_one_call_and_not_all() -> None:
    assert [behind(share, 4) for share in (0, 0.1, 0.5, 0.95, 1)] == [0, 1, 2, 3, 4]
    assert [behind(share, 2) for share in (0, 0.25, 0.75, 1)] == [0, 1, 1, 2]
    assert [behind(share, 1) for share in (0, 0.5, 1)] == [0, None, 1]


def test_who_sets_up_and_who_finishes_is_found(bench: Workbench) -> None:
    bench.run()
    results = relayed(bench)
    trials = results.trials
    assert set(results.lineage["drift"]) == {0}
    passed = trials.groupby(["prefix", "at", "model"])["passed"].mean().to_dict()
    inner = {(p, s): {passed[p, at, s] for at in (0.25, 0.5, 0.75)} for p in ("starter", "finisher")
             for s in ("starter", "finisher")}  # fmt: skip
    assert inner == {("starter", "starter"): {0.0}, ("starter", "finisher"): {1.0},
                     ("finisher", "starter"): {0.0}, ("finisher", "finisher"): {0.0}}  # fmt: skip
    found = compare_sweeps(["bench-relay"], bench.results, only=["relay"]).comparison.intervention
    assert found is not None
    size = {row.term: row.difference.estimate for row in found.tables()["effects"]}
    assert size == {"sets up": 0.5, "finishes": -0.5, "own course": -0.5}
    made = bench.harness("compare", "bench-relay", "--only", "relay", "--html", "page.html", "--tables", "tables")
    assert made.returncode == 0, made.stderr
    page = (bench.folder / "page.html").read_text()
    for words in ("Relay", "sets up", "finishes", "own course"):
        assert words in page, words
    assert any("relay" in path.name for path in (bench.folder / "tables").iterdir())


def test_the_ends_are_one_model_alone_and_the_last_asks_nobody(bench: Workbench) -> None:
    bench.run()
    results = relayed(bench, at=(0, 1))
    trials, lineage = results.trials, results.lineage
    assert set(zip(trials["prefix"], trials["model"], trials["at"], strict=True)) == {
        (model, model, at) for model in ("starter", "finisher") for at in (0.0, 1.0)
    }
    recorded = {row.trial: row for row in bench.rows()}
    for row in results.store.rows():
        calls = [e for e in results.store.record(row.trial).document.events if isinstance(e, CallEvent)]
        line = lineage[lineage["trial"] == row.trial].iloc[0]
        if line["at"] == line["of"]:
            assert all(call.replayed for call in calls)
            was = recorded[line["origin"]]
            assert (row.score, row.answer, row.turns) == (was.score, was.answer, was.turns)
        else:
            assert not any(call.replayed for call in calls)
    assert len(results.actions()["trial"].unique()) == len(trials) // 2  # of what was replayed nothing is told twice


def test_no_two_continuations_have_their_chance_in_common(bench: Workbench) -> None:
    """Draws that two shares of a course have in common would be one draw, and count as two."""
    bench.change("sweep.yaml", repeats=2)
    bench.run()
    with open_origin(bench.results / "bench") as origin:
        cells = relay_sweep(origin, Wishes()).cells
    assert len({PlannedTrial(cell, repeat, 1).sampling_seed for cell in cells for repeat in (1, 2)}) == 2 * len(cells)
    assert len({PlannedTrial(cell, repeat, 1).seed for cell in cells for repeat in (1, 2)}) == 3 * 2  # tasks, repeats


def by_the_solution(bench: Workbench, scenario: str, scaffold: str) -> None:
    path = find_file(scenario, "scenario", library())
    loaded = load_scenario(path, CATALOG)
    task = max(loaded.spec.tasks, key=lambda task: len(task.solution))
    seats = list(loaded.spec.roles)
    models = {}
    for seat in seats:
        steps = [step for step in task.solution if (step.role or seats[0]) == seat]
        rules = [{"when": f"turn == {n}", "call": {"tool": step.tool, "arguments": dict(step.arguments)}}
                 for n, step in enumerate(steps, start=1)]  # fmt: skip
        last = {"call": {"tool": "submit", "arguments": {"answer": "done"}}} if len(seats) == 1 else {"say": "Fine."}
        bench.write(f"{seat}.yaml", {"kind": "script", "rules": [*rules, last]})
        models |= {seat: {"model": f"scripted/{seat}.yaml", "variant": seat}}
    models["again"] = {"model": f"scripted/{seats[0]}.yaml", "variant": "again"}
    bench.write("models.yaml", {"kind": "models", "models": models})
    bench.change("sweep.yaml", scenarios=[str(path)], scaffolds=[scaffold], models=[seats[0], "again"],
                 roles={seat: seat for seat in seats[1:]}, tasks=[task.id], limits={"turns": 30})  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "scaffold"), [("counter", "turns"), ("fair", "turns"), ("refund-desk", "react"), ("parley", "turns")]
)
def test_nothing_drifts_on_the_way(bench: Workbench, scenario: str, scaffold: str) -> None:
    by_the_solution(bench, scenario, scaffold)
    assert bench.run().results == 2
    results = relayed(bench, at=(0.5, 1))
    assert len(results.trials) == 6
    assert set(results.lineage["drift"]) == {0}
    # The one who goes on does what the one who began would have done: the same ends, whoever it is.
    assert set(results.trials["score"]) == set(bench.record.trials["score"])


def test_one_model_swapped_for_its_double_is_no_other(bench: Workbench) -> None:
    """Chance of a half at every step, independent of the other's: no term and no control is told from chance."""
    chance = {"kind": "script", "rules": [
        {"visit": [1, 2], "call": LOOK},
        {"choose": [{"call": {"tool": "submit", "arguments": {"answer": "{{ last }}"}}},
                    {"call": {"tool": "submit", "arguments": {"answer": "none"}}}]}]}  # fmt: skip
    bench.write("chance.yaml", chance)
    models = {name: {"model": "scripted/chance.yaml", "variant": name} for name in ("one", "double")}
    bench.write("models.yaml", {"kind": "models", "models": models})
    tasks = [{"id": f"{name}-{n}", "brief": f"How many {name} are there?", "input": {"good": name},
              "checks": [{"kind": "answer", "number": count}]}
             for n in (1, 2, 3) for name, count in (("nail", 500), ("hammer", 7), ("anvil", 1))]  # fmt: skip
    bench.change("stock.yaml", tasks=tasks)
    bench.change("sweep.yaml", models=["one", "double"], repeats=2)
    bench.run()
    relayed(bench)
    found = compare_sweeps(["bench-relay"], bench.results, only=["relay"]).comparison.intervention
    assert found is not None
    assert not any(row.difference.shown for name in ("effects", "shams") for row in found.tables()[name])


def test_a_relay_that_was_killed_goes_on(bench: Workbench) -> None:
    for name in ("starter", "finisher"):
        rules = [{**rule, "delay": 0.1} for rule in bench.written[f"{name}.yaml"]["rules"]]
        bench.write(f"{name}.yaml", {"kind": "script", "rules": rules})
    bench.change("sweep.yaml", concurrency=2)
    bench.run()
    process = bench.start("relay", "bench", "--plain")
    bench.wait_for_rows(process, 1, "bench-relay")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    folder = bench.results / "bench-relay"
    before = _recorded(folder)
    assert before
    done = bench.harness("relay", "bench", "--plain", "--concurrency", "16")
    assert done.returncode == 0, done.stderr
    assert f"recorded {len(before)}, to run {48 - len(before)}" in done.stderr
    with Store(folder) as store:
        rows = store.rows(current=False)
    assert before <= {row.trial for row in rows}
    assert len(rows) == len({(row.cell, row.repeat) for row in rows}) == 48


def _recorded(folder: Path) -> set[str]:
    try:
        with Store(folder) as store:
            return {row.trial for row in store.rows()}
    except UserError:
        return set()


def test_what_cannot_be_relayed_is_said_in_a_line(bench: Workbench) -> None:
    bench.run()
    for wishes, error in (
        ({"at": (0.5, 1.5)}, "--at takes shares of a trial from 0 to 1"),
        ({"at": ()}, "--at takes shares of a trial from 0 to 1"),
        ({"models": ["starter", "nobody"]}, "unknown model 'nobody'"),
        ({"tasks": ["bolt"]}, "no trial of task 'bolt' is recorded; there are anvil, hammer, nail"),
        ({"name": "bench"}, "--name cannot be 'bench'"),
        ({"role": "cook"}, "has no role 'cook'"),
    ):
        with open_origin(bench.results / "bench") as origin, pytest.raises(UserError) as caught:
            relay_sweep(origin, Wishes(**wishes))
        assert error in str(caught.value) and "\n" not in str(caught.value)
    models = bench.written["models.yaml"]["models"]
    bench.change("models.yaml", models={**models, "third": {"model": "scripted/starter.yaml", "variant": "third"}})
    with (
        open_origin(bench.results / "bench") as origin,
        pytest.raises(UserError, match="no trial of third is recorded"),
    ):
        relay_sweep(origin, Wishes(models=["starter", "third"]))
    bench.change("models.yaml", models={**models, "starter": {**models["starter"], "variant": "another"}})
    with (
        open_origin(bench.results / "bench") as origin,
        pytest.raises(UserError, match="'starter' is not what bench was run with under that name"),
    ):
        relay_sweep(origin, Wishes(models_file=bench.folder / "models.yaml"))
