"""The check `same_state`: graded as tau-bench does, by where the gold solution's changes lead."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from conftest import load, write_scenario
from ledger_world import Ledger

from harness.environments import CATALOG, FinalState, Opening, load_kind
from harness.scoring import grade
from harness.scoring.same_state import chosen, differences
from harness.spec import SpecError, load_scenario
from harness.spec.scenario import SameStateCheck

PAYING = """
tasks:
- id: one
  brief: Pay ada five.
  setup: {balances: {ada: 1.0, bob: 2.5}}
  solution:
  - {tool: read, arguments: {name: ada}}
  - {tool: pay, arguments: {name: ada, amount: 5}}
  - {tool: submit, arguments: {answer: done}}
  checks:
  - {kind: same_state%s}
"""


def graded(folder, state, more="", body=PAYING):
    scenario = load(write_scenario(folder, body % more if "%s" in body else body))
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    opening = Opening(scenario.options, scenario.setups["one"], ["clerk"], 1, scratch)
    final = FinalState("ledger", json.dumps(state).encode())
    task = scenario.task("one")
    return asyncio.run(grade(scenario, task, opening=opening, state=final, answer=None, actions=[])).checks[0]


def ledger(ada, bob, **more):
    return {"balances": {"ada": ada, "bob": bob}, "files": {}, **more}


def test_the_state_of_the_solution_passes_however_it_was_come_by(tmp_path):
    found = graded(tmp_path, ledger(6.0, 2.5))
    assert (found.score, found.detail, found.error) == (1.0, "as the solution leaves it", None)
    assert Ledger.open_now == 0
    assert list((tmp_path / "scratch").iterdir()) == []


def test_another_state_fails_and_says_where(tmp_path):
    assert graded(tmp_path, ledger(1.0, 2.5)).detail == "balances.ada: expected '6.0', found '1.0'"
    found = graded(tmp_path, {"balances": {"ada": 6.0}, "files": {"a": "x"}})
    assert (found.score, found.detail) == (
        0.0, "balances.bob is missing, expected '2.5'; files.a should not be there: '\"x\"'"
    )  # fmt: skip


def test_paths_choose_what_is_compared(tmp_path):
    state = ledger(6.0, 9.0)
    assert graded(tmp_path, state).score == 0.0
    assert graded(tmp_path, state, ", ignore: [balances.bob]").score == 1.0
    assert graded(tmp_path, state, ", only: [balances.ada, files]").score == 1.0
    assert graded(tmp_path, state, ", only: [balances]").score == 0.0
    assert graded(tmp_path, ledger(6.0, 9.0, log=[1]), ", ignore: [balances.b*, log]").score == 1.0


def test_a_gold_call_that_fails_is_the_graders_failure_and_names_the_step(tmp_path):
    body = PAYING.replace("name: ada, amount", "name: eve, amount")
    found = graded(tmp_path, ledger(1.0, 2.5), body=body)
    assert found.score is None
    assert found.error == "solution step 2 (pay) fails when it is carried out again: no account eve"


def test_a_world_that_does_not_open_again_is_the_graders_failure(tmp_path):
    from conftest import HEAD

    path = tmp_path / "broken.yaml"
    path.write_text(HEAD.replace('Ledger"}', 'Ledger", broken: true}') + PAYING % "")
    scenario = load(path)
    opening = Opening(scenario.options, scenario.setups["one"], ["clerk"], 1, tmp_path / "nothing")
    (tmp_path / "nothing").mkdir()
    final = FinalState("ledger", json.dumps(ledger(6.0, 2.5)).encode())
    task = scenario.task("one")
    found = asyncio.run(grade(scenario, task, opening=opening, state=final, answer=None, actions=[])).checks[0]
    assert (found.score, found.error) == (None, "EnvironmentFault: no such world")


def test_without_a_solution_there_is_nothing_to_compare_with(tmp_path):
    body = PAYING[: PAYING.index("  solution")] + "  checks: [{kind: same_state}]\n"
    with pytest.raises(SpecError, match="task 'one' has no `solution`"):
        load(write_scenario(tmp_path, body))


def test_the_solution_is_part_of_what_a_trial_is_graded_by_only_where_it_is_compared_with(tmp_path):
    def digest(body):
        return load(write_scenario(tmp_path, body)).task_digests["one"]

    compared, other = PAYING % "", PAYING.replace("{kind: same_state%s}", "{kind: answer, equals: x}")
    assert digest(compared) != digest(compared.replace("amount: 5", "amount: 4"))
    assert digest(other) == digest(other.replace("amount: 5", "amount: 4"))


def compared(gold, found, **options):
    check = SameStateCheck(kind="same_state", **options)
    return list(differences(chosen(gold, check), chosen(found, check), check.any_order))


ROWS = [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]


def test_rows_in_any_order_where_asked():
    turned = {"t": ROWS[::-1], "u": []}
    gold = {"t": ROWS, "u": []}
    assert len(compared(gold, turned)) == 4
    assert compared(gold, turned, any_order=True) == []
    assert compared(gold, turned, any_order=["t"]) == []
    assert len(compared(gold, turned, any_order=["u"])) == 4
    assert compared({"a": {"t": ROWS}}, {"a": {"t": ROWS[::-1]}}, any_order=["a.*"]) == []


def test_row_ids_aside():
    renumbered = {"t": [{"id": 8, "n": "b"}, {"id": 9, "n": "a"}]}
    assert compared({"t": ROWS}, renumbered, any_order=True, ignore=["t.*.id"]) == []
    assert compared({"t": ROWS}, {"t": ROWS[:1]}, ignore=["t.*.id"]) == ['t lacks \'{"n": "b"}\'']


def test_a_row_twice_is_not_a_row_once():
    twice = {"t": [{"n": 1}, {"n": 1}]}
    once = {"t": [{"n": 1}, {"n": 2}]}
    assert compared(twice, once, any_order=True) == [
        "t lacks '{\"n\": 1}'", "t has '{\"n\": 2}', which should not be there",
    ]  # fmt: skip


def test_numbers_are_compared_by_value_and_truth_values_are_none():
    assert compared({"a": 1}, {"a": 1.0}) == []
    assert compared({"a": [1]}, {"a": [1.0]}, any_order=True) == []
    assert compared({"a": 1}, {"a": True}) == ["a: expected '1', found 'true'"]
    assert compared({"a": None}, {"a": 0}) == ["a: expected 'null', found '0'"]


def test_keys_with_dots_can_be_named():
    gold, found = {"files": {"note.txt": "a", "b": 1}}, {"files": {"note.txt": "b", "b": 1}}
    assert compared(gold, found, ignore=["files.note.txt"]) == []
    assert compared(gold, found, only=["files.b"]) == []
    assert compared(gold, found, ignore=["files.*.txt"]) != []
    assert compared(gold, found, ignore=["files.*"]) == []


def test_many_differences_are_counted_not_listed(tmp_path):
    state = {"balances": {"ada": 6.0, "bob": 2.5, **{f"x{n}": 1 for n in range(50)}}, "files": {}}
    detail = graded(tmp_path, state).detail
    assert detail.count("should not be there") == 5
    assert detail.endswith("; and 45 more")


TALKING = """
kind: scenario
name: talk
summary: A clerk books what a guest asks for.
environment:
  kind: conversation+sql
  database: tiny.sql
  conversation: {opens: guest, hands: {clerk: all}}
roles: {clerk: {brief: a}, guest: {brief: b}}
tasks:
- id: one
  brief: Book three.
  solution:
  - {role: guest, tool: say, arguments: {text: "Three, please."}}
  - {role: clerk, tool: query, arguments: {sql: "SELECT * FROM t"}}
  - {role: clerk, tool: execute, arguments: {sql: "INSERT INTO t VALUES (3)"}}
  - {role: clerk, tool: say, arguments: {text: "Done."}}
  - {role: guest, tool: end_conversation}
  checks:
  - {kind: same_state, any_order: [t]}
"""


def talked(folder: Path, actions, rows=2):
    numbers = ", ".join(f"({n})" for n in range(1, rows + 1))
    (folder / "tiny.sql").write_text(f"CREATE TABLE t (n); INSERT INTO t VALUES {numbers};")
    (folder / "talk.yaml").write_text(TALKING)
    scenario = load_scenario(folder / "talk.yaml", CATALOG)

    async def go():
        scratch = folder / "scratch"
        scratch.mkdir(exist_ok=True)
        opening = Opening(scenario.options, scenario.setups["one"], ("clerk", "guest"), 1, scratch)
        world = await load_kind("conversation+sql").open(opening)
        for role, tool, arguments in actions:
            assert not (await world.call(role, tool, arguments)).error
        final = await world.final_state()
        await world.close()
        task = scenario.task("one")
        return (await grade(scenario, task, opening=opening, state=final, answer=None, actions=[])).checks[0]

    return asyncio.run(go())


def test_of_a_world_with_talk_the_talk_is_not_compared(tmp_path):
    ways = [
        ("guest", "say", {"text": "Add a three to it."}),
        ("clerk", "execute", {"sql": "INSERT INTO t VALUES (9)"}),
        ("clerk", "execute", {"sql": "UPDATE t SET n = 3 WHERE n = 9"}),
    ]
    assert talked(tmp_path, ways).score == 1.0
    assert talked(tmp_path, ways[:2]).detail == "t lacks '{\"n\": 3}'; t has '{\"n\": 9}', which should not be there"


def test_a_change_far_down_a_long_table_is_seen(tmp_path):
    ways = [
        ("guest", "say", {"text": "Three."}),
        ("clerk", "execute", {"sql": "INSERT INTO t VALUES (3); UPDATE t SET n = 0 WHERE n = 1500"}),
    ]
    found = talked(tmp_path, ways, rows=2000)
    assert (found.score, "t lacks '{\"n\": 1500}'" in found.detail) == (0.0, True)


def test_a_state_of_which_part_is_cut_off_is_not_taken_for_the_same(tmp_path):
    scenario = load(write_scenario(tmp_path, PAYING % ""))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    opening = Opening(scenario.options, scenario.setups["one"], ["clerk"], 1, scratch)
    for truncated, score in ((False, 1.0), (True, 0.0)):
        final = FinalState("ledger", json.dumps(ledger(6.0, 2.5)).encode(), truncated)
        given = grade(scenario, scenario.task("one"), opening=opening, state=final, answer=None, actions=[])
        assert asyncio.run(given).checks[0].score == score
