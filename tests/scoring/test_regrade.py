from __future__ import annotations

import asyncio
import json

import pytest
from conftest import load, python, write_scenario

from harness.environments import Services
from harness.record import DocumentBuilder, Store, TrialRecord, TrialRow
from harness.scoring import regrade, situation_digest

BODY = """
tasks:
- id: one
  brief: Pay ada five.
  setup: {balances: {ada: 1.0}}
  solution: [{tool: pay, arguments: {name: ada, amount: 5}}]
  checks:
  - {kind: sql, query: "select amount from balances", equals: 6}
measures: {payments: {kind: count, tool: pay}}
"""


def trial(scenario, repeat, *, amount=6.0, state="completed", situation=True, final=True, **changes):
    values = {
        "trial": f"{'c' * 12}-{repeat}-1", "cell": "c" * 64, "scenario": "desk", "task": "one", "family": None,
        "scaffold": "react", "models": {"agent": "m"}, "model": "m", "repeat": repeat, "attempt": 1, "seed": 1,
        "scenario_hash": scenario.task_digests["one"], "scaffold_hash": "", "models_hash": "", "tools_hash": "",
        "measures_hash": scenario.measures_digest, "state": state, "limit": None, "fault": None, "error": None,
        "answer": None, "steps": 0, "turns": 0, "prompt_tokens": None, "completion_tokens": None, "cost": None,
        "seconds": 0.0, "waited": 0.0, "retries": 0, "started": "", "sandbox": None, "harness": "",
        "situation_hash": situation_digest(scenario, "one") if situation else None,
    }  # fmt: skip
    data = json.dumps({"balances": {"ada": amount}, "files": {}}).encode() if final else None
    return TrialRecord(
        row=TrialRow(**(values | changes)), document=DocumentBuilder().document(), checks=[], final_state=data
    )


def recorded(tmp_path, *trials):
    folder = tmp_path / "results" / "study"
    store = Store(folder, create=True)
    path = tmp_path / "desk.yaml"
    store.write_files({path: path.read_text()})
    for record in trials:
        store.write(record)
    return store


def again(store, scenario, **options):
    return asyncio.run(regrade(store, {"desk": scenario}, services=Services(), **options))


def test_every_trial_that_counts_is_graded(tmp_path):
    scenario = load(write_scenario(tmp_path, BODY))
    trials = [
        trial(scenario, 1),
        trial(scenario, 2, amount=5.0, state="limit", limit="turns", score=1.0, passed=True),
        trial(scenario, 3, state="fault", fault="model"),
        trial(scenario, 4, state="fault", fault="provider", final=False),
        trial(scenario, 5, state="cancelled", final=False),
    ]
    with recorded(tmp_path, *trials) as store:
        results = again(store, scenario)
        assert [(r.trial[-3:], r.old_score, r.new_score, r.changed) for r in results] == [
            ("1-1", None, 1.0, True), ("2-1", 1.0, 0.0, True), ("3-1", None, 1.0, True),
        ]  # fmt: skip
        rows = store.rows()
        assert [row.score for row in rows] == [1.0, 0.0, 1.0, None, None]
        assert rows[0].passed is True
        assert rows[0].measures["payments"] == 0
        assert rows[0].graded is not None
        assert not any(result.changed for result in again(store, scenario))


def test_changed_checks_grade_trials_of_the_same_task(tmp_path):
    old = load(write_scenario(tmp_path, BODY))
    with recorded(tmp_path, trial(old, 1)) as store:
        again(store, old)
        new = load(write_scenario(tmp_path, BODY.replace("equals: 6", "equals: 7") + "pass_score: 0.5\n"))
        assert new.task_digests != old.task_digests
        (result,) = again(store, new)
        assert (result.old_score, result.new_score, result.skipped) == (1.0, 0.0, None)
        (row,) = store.rows()
        assert (row.scenario_hash, row.graded_with) == (old.task_digests["one"], new.task_digests["one"])


@pytest.mark.parametrize(
    "change",
    [("Pay ada five", "Pay ada ten"), ("balances: {ada: 1.0}", "balances: {ada: 2.0}"), ("id: one", "id: two")],
)
def test_a_changed_task_is_left_alone_unless_asked_for(tmp_path, change):
    old = load(write_scenario(tmp_path, BODY))
    with recorded(tmp_path, trial(old, 1, score=0.25, passed=False)) as store:
        new = load(write_scenario(tmp_path, BODY.replace(*change)))
        (result,) = again(store, new)
        assert result.skipped
        assert store.rows()[0].score == 0.25
        (result,) = again(store, new, changed_tasks=True)
        assert (result.skipped is None) == ("id: two" not in change)


def test_what_the_record_does_not_say_is_not_assumed(tmp_path):
    old = load(write_scenario(tmp_path, BODY))
    with recorded(tmp_path, trial(old, 1, situation=False)) as store:
        assert again(store, old)[0].skipped is None
        new = load(write_scenario(tmp_path, BODY.replace("equals: 6", "equals: 7")))
        assert "does not say" in again(store, new)[0].skipped


def test_a_grader_that_fails_takes_nothing_away(tmp_path):
    (tmp_path / "own.py").write_text("def check(state, answer, actions, input):\n    raise RuntimeError('oops')\n")
    old = load(write_scenario(tmp_path, BODY))
    with recorded(tmp_path, trial(old, 1, score=1.0, passed=True), trial(old, 2, final=False)) as store:
        store.update_grade(
            f"{'c' * 12}-2-1", score=None, passed=None, checks=[], measures={}, measures_hash="", error="no sandbox"
        )
        new = load(write_scenario(tmp_path, BODY + "checks: [{kind: python, function: 'own.py:check'}]\n"))
        first, second = again(store, new)
        assert "RuntimeError: oops" in first.error
        assert second.error == "the final state was not kept"
        rows = store.rows()
        assert (rows[0].score, rows[0].state) == (1.0, "completed")
        assert (rows[1].fault, rows[1].error) == ("grader", "the final state was not kept")


def test_the_command(tmp_path, command):
    path = write_scenario(tmp_path, BODY)
    scenario = load(path)
    recorded(tmp_path, trial(scenario, 1), trial(scenario, 2, amount=3.0)).close()
    done = command("regrade", "study", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 would be graded, 2 with another outcome" in done.stdout
    done = command("regrade", "results/study")
    assert f"{'c' * 12}-1-1 (desk/one, m): none -> 1\n" in done.stdout
    assert f"{'c' * 12}-2-1 (desk/one, m): none -> 0\n" in done.stdout
    done = command("regrade", "study", "--json")
    assert [trial["new_score"] for trial in json.loads(done.stdout)] == [1.0, 0.0]
    path.rename(tmp_path / "moved.yaml")
    done = command("regrade", "study")
    assert done.returncode == 2
    assert "name it with --scenario FILE" in done.stderr
    done = command("regrade", "study", "--scenario", "moved.yaml")
    assert done.returncode == 0
    done = command("regrade", "unknown")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_nothing_heavy_is_imported(tmp_path):
    code = (
        "import sys, harness.scoring.session; from harness.cli.regrade import command; "
        "print([m for m in ('litellm', 'langgraph', 'pandas', 'jsonschema') if m in sys.modules])"
    )
    assert python(tmp_path, "-c", code).stdout == "[]\n"
