"""Forks killed, bounded, refused and told: what a user meets."""

from __future__ import annotations

import json
import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from intervene.forks import COUNTS, counting_bench, fork, fork_all, forked, models
from run.workbench import Workbench

from harness.cli.main import main
from harness.models.local import catalogue, found
from harness.record import Results

ABSENT = find_spec("xllamacpp") is None or found(catalogue()["smollm2-135m"]) is None


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return counting_bench(tmp_path)


def test_a_killed_fork_goes_on_where_it_stopped(bench: Workbench) -> None:
    slow = {**COUNTS, "rules": [{**rule, **({"delay": 0.05} if "call" in rule else {})} for rule in COUNTS["rules"]]}
    slow["rules"] = [*slow["rules"][:2], {"delay": 0.1, "call": {"tool": "submit", "arguments": {"answer": "500"}}}]
    bench.write("counts.yaml", slow)
    bench.run()
    arguments = ("fork", "bench", "--states", "every:1", "-n", "3", "--plain", "--concurrency")
    process = bench.start(*arguments, "2")
    folder = bench.results / "bench-fork"
    bench.wait_for_rows(process, 5, "bench-fork")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {row.trial for row in Results(folder).store.rows()}
    assert before
    done = bench.harness(*arguments, "16", "--json")
    assert done.returncode == 0, done.stderr
    after = Results(folder)
    assert before < {row.trial for row in after.store.rows()}
    assert len(after.trials) == len(after.asked)
    assert after.trials["state"].eq("completed").all()
    assert after.drift.empty


def test_the_budget_stops_it(bench: Workbench) -> None:
    bench.write(
        "models.yaml",
        models(
            ann={"model": "scripted/counts.yaml"},
            ben={"model": "scripted/counts.yaml", "variant": "b", "price": {"prompt": 1e5, "completion": 1e5}},
        ),
    )
    bench.change("sweep.yaml", models=["ann"])
    bench.run()
    trial = bench.rows()[0].trial
    refused = bench.harness("fork", trial, "--at", "1", "--model", "ben", "--budget", "0.001")
    assert refused.returncode == 2
    assert "more than the budget of $0.00" in refused.stderr
    assert not (bench.results / "bench-fork" / "trials.sqlite").exists()
    fork(bench, trial, 1, "ben", repeats=20, budget=10.0)
    assert 0 < len(forked(bench).trials) < 20
    assert len(forked(bench).asked) == 20


def test_wrong_input_is_answered_in_one_line(
    bench: Workbench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run()
    monkeypatch.chdir(bench.folder)
    trial = bench.rows()[0].trial
    for arguments, said in (
        (["fork", trial, "--at", "3"], "at 3 it was over, so there is nothing to go on with; fork it at 0 to 2"),
        (["fork", trial, "--at", "7"], "its moments are 0 to 3, not 7"),
        (["fork", trial, "--at", "-1"], "its moments are 0 to 3, not -1"),
        (["fork", trial], "--at K for one trial, or --states"),
        (["fork", "ffff", "--at", "1"], "no trial begins with 'ffff'"),
        (["fork", trial, "--at", "1", "--model", "zed"], "zed"),
        (["fork", trial, "--at", "1", "--same-chance", "-n", "2"], "leave -n at 1"),
        (["fork", trial, "--at", "1", "--name", "bench"], "--name cannot be 'bench'"),
        (["fork", "nowhere", "--states", "every:1"], "nowhere"),
        (["fork", "bench", "--states", "every:9"], "every:9"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main(arguments)
        told = capsys.readouterr().err
        assert leaving.value.code == 2, arguments
        assert said in told
        assert len(told.strip().splitlines()) == 1, told


def test_the_command_forks_tells_and_compares(bench: Workbench) -> None:
    bench.run()
    trial = bench.rows()[0].trial
    one = bench.harness("fork", f"bench/{trial}", "--at", "0", "--model", "ben", "--model", "ann", "--plain")
    assert one.returncode == 0, one.stderr
    assert "2 of 2 trials recorded" in one.stdout
    planned = bench.harness("fork", "bench", "--states", "every:2", "--plan", "--json")
    assert json.loads(planned.stdout)["to_run"] == 3 * 2 * 4
    done = bench.harness("fork", "bench", "--states", "every:2", "--most", "3", "-n", "2", "--plain")
    assert done.returncode == 0, done.stderr
    assert "Forks: what recorded states are worth under each model" in done.stdout
    told = json.loads(bench.harness("compare", "bench-fork", "--only", "fork", "--json").stdout)
    assert told["intervention"]["rollouts"] == 2 + 3 * 2 * 2
    assert {row["model"] for row in told["intervention"]["values"]} == {"ann", "ben"}


@pytest.mark.local_model
@pytest.mark.slow
@pytest.mark.skipif(ABSENT, reason="needs the [local] extra and the weights: harness models pull smollm2-135m")
def test_a_local_model_is_forked_without_drift(bench: Workbench) -> None:
    entry = {"model": "local/smollm2-135m", "parameters": {"max_tokens": 60, "temperature": 0.7}}
    bench.write("models.yaml", models(tiny=entry, ann={"model": "scripted/counts.yaml"}))
    bench.change(
        "sweep.yaml", scaffolds=["react"], models=["tiny", "ann"], tasks=["nail"], limits={"turns": 4}, concurrency=2
    )
    bench.run()
    fork_all(bench, "every:2", models=["tiny", "ann"], repeats=2)
    results = forked(bench)
    assert results.drift.empty
    assert len(results.trials) >= 4
    assert not results.trials["fault"].isin(["environment", "provider", "harness"]).any()
    assert set(results.lineage["suffix"]) == {"tiny", "ann"}
