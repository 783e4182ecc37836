from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from conftest import HEAD, load, write_scenario
from ledger_world import Ledger

from harness.environments import Services
from harness.scoring import validate_scenario
from harness.spec import SpecError

FAIR = """
tasks:
- id: one
  brief: Pay ada five.
  setup: {balances: {ada: 1.0}}
  solution:
  - {tool: pay, arguments: {name: ada, amount: 5}}
  - {tool: submit, arguments: {answer: "6"}}
  checks:
  - {kind: sql, query: "select amount from balances", equals: 6}
  - {kind: answer, number: 6}
  - {kind: called, tool: pay}
"""


def validated(folder: Path, body: str):
    scratch = folder / "scratch"
    scratch.mkdir()
    return asyncio.run(validate_scenario(load(write_scenario(folder, body)), scratch, Services()))


def test_a_fair_task(tmp_path):
    (result,) = validated(tmp_path, FAIR)
    assert (result.ok, result.gold, result.null, result.null_passes) == (True, 1.0, 0.0, False)
    assert (result.problems, result.notes) == ([], [])
    assert Ledger.open_now == 0
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("name: ada, amount", "name: eve, amount"), "solution step 1 (pay): no account eve"),
        (("amount: 5", "amount: five"), "solution step 1 (pay): arguments.amount: 'five' is not of type 'number'"),
        (("equals: 6", "equals: 7"), "check sql-1 gives the solution 0: expected 7, found 6.0"),
        (("kind: called, tool: pay", "kind: called, tool: read"), "check called-3 gives the solution 0"),
    ],
)
def test_an_unfair_task(tmp_path, change, problem):
    body = FAIR.replace(*change)
    assert body != FAIR
    try:
        (result,) = validated(tmp_path, body)
    except SpecError:  # the loader has found it first
        return
    assert not result.ok
    assert any(found.startswith(problem) for found in result.problems), result.problems


def test_a_grader_that_fails_fails_the_task(tmp_path):
    (tmp_path / "own.py").write_text("def check(state, answer, actions, input):\n    raise RuntimeError('oops')\n")
    (result,) = validated(tmp_path, FAIR + "checks: [{kind: python, function: 'own.py:check'}]\n")
    assert result.gold is None
    assert "check python-4: RuntimeError: oops" in result.problems


def test_a_world_that_does_not_open_fails_every_task(tmp_path):
    body = FAIR.replace("\ntasks:", 'environment: {kind: "ledger_world:Ledger", broken: true}\ntasks:')
    path = write_scenario(tmp_path, body)
    path.write_text(path.read_text().replace('environment: {kind: "ledger_world:Ledger"}\n', "", 1))
    (tmp_path / "scratch").mkdir()
    (result,) = asyncio.run(validate_scenario(load(path), tmp_path / "scratch", Services()))
    assert "the environment failed: no such world" in result.problems


def test_what_is_not_seen_the_same_twice_is_noted(tmp_path):
    (result,) = validated(tmp_path, FAIR.replace("  - {tool: submit", "  - {tool: dice}\n  - {tool: submit"))
    assert result.ok
    assert result.notes == ["step 2 (dice) is not observed the same twice with one seed"]


def test_an_agent_that_does_nothing_and_passes_is_noted(tmp_path):
    body = """
tasks:
- id: idle
  brief: Do nothing.
  solution: [{tool: submit, arguments: {answer: x}}]
  checks: [{kind: called, tool: pay, at_least: 0, at_most: 0}]
- id: free
  brief: Anything.
- id: untold
  brief: Something.
  checks: [{kind: answer, equals: x}]
"""
    idle, free, untold = validated(tmp_path, body)
    assert (idle.ok, idle.null, idle.notes) == (True, 1.0, ["an agent that does nothing passes"])
    assert (free.ok, free.gold, free.null) == (True, None, None)
    assert "no checks" in free.notes[0]
    assert "no `solution`" in untold.problems[0]


def test_a_declared_measure_that_cannot_be_worked_out_fails_the_task(tmp_path):
    (result,) = validated(tmp_path, FAIR + "measures: {odd: {kind: expression, value: 'actions[7].name'}}\n")
    assert any(problem.startswith("measure odd: ") for problem in result.problems)


TALK = """
kind: scenario
name: talk
summary: Two who talk.
environment: {kind: "%s", conversation: {opens: guest, most_messages: 3}}
roles: {clerk: {brief: a}, guest: {brief: b}}
tasks:
- id: one
  brief: Talk.
  solution:
  - {role: guest, tool: say, arguments: {text: "Good day."}}
  - {role: %s, tool: say, arguments: {text: "It is 54."}}
  - {role: guest, tool: %s, arguments: {text: "Bye."}}
  checks: [{kind: told, by: clerk, number: 54}]
"""


def talked(folder: Path, kind: str = "conversation", second: str = "clerk", last: str = "end_conversation"):
    path = folder / "talk.yaml"
    path.write_text(TALK % (kind, second, last))
    (folder / "scratch").mkdir()
    (found,) = asyncio.run(validate_scenario(load(path), folder / "scratch", Services()))
    return found


def test_roles_that_take_turns(tmp_path):
    result = talked(tmp_path)
    assert (result.problems, result.notes, result.gold, result.null) == ([], [], 1.0, 0.0)


def test_a_role_out_of_turn_fails_the_task(tmp_path):
    assert talked(tmp_path, second="guest").problems[0] == "solution step 2 (say): it is clerk's turn, not guest's"


def test_a_step_after_the_last_message_fails_the_task(tmp_path):
    path = tmp_path / "talk.yaml"
    path.write_text((TALK % ("conversation", "clerk", "say")).replace("most_messages: 3", "most_messages: 2"))
    (tmp_path / "scratch").mkdir()
    (found,) = asyncio.run(validate_scenario(load(path), tmp_path / "scratch", Services()))
    assert found.problems == ["solution step 3 (say): comes after the environment has come to an end"]


def test_news_that_are_not_the_same_twice_are_noted(tmp_path):
    result = talked(tmp_path, kind="conversation+ledger_world:Gossip", last="say")
    assert result.notes == [f"what is heard before step {n} is not the same twice with one seed" for n in (1, 2, 3)]


def test_the_command(tmp_path, command):
    write_scenario(tmp_path, FAIR)
    done = command("validate", "desk.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["ok   solution 1.00  null agent 0.00  desk/one", "1 tasks, all well"]
    (tmp_path / "unfair.yaml").write_text((HEAD + FAIR).replace("amount: 5", "amount: 4"))
    done = command("validate", ".", "--json")
    assert done.returncode == 1
    assert [task["ok"] for task in json.loads(done.stdout)] == [True, False]
    done = command("validate", "nothing.yaml")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
