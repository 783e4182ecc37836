"""Tasks that a kind brings along, and the environment's own scores as checks and measures."""

from __future__ import annotations

import asyncio

import pytest
from conftest import load
from prize_world import Prize

from harness.environments import EnvironmentFault, FinalState, Opening, Services
from harness.scoring import grade, validate_scenario
from harness.scoring.measures import declared_measures
from harness.spec import SpecError

HEAD = """\
kind: scenario
name: prize
summary: A lever.
environment: {kind: "prize_world:Prize"OPTIONS}
roles: {hand: {brief: Pull the lever.}}
"""


def scenario(folder, body, options=""):
    path = folder / "prize.yaml"
    path.write_text(HEAD.replace("OPTIONS", options) + body)
    return load(path)


def graded(folder, body, pulled=3, answer=None):
    loaded = scenario(folder, body)
    task = loaded.spec.tasks[0]
    opening = Opening.of_task(loaded, task.id, 1, folder, Services())
    state = FinalState("prize", b'{"pulled": %d}' % pulled)
    given = asyncio.run(grade(loaded, task, opening=opening, state=state, answer=answer, actions=[]))
    return given, declared_measures(loaded, task, [], answer, given)


ONE = "tasks: [{id: one, brief: Pull., checks: [CHECK]}]\n"


@pytest.mark.parametrize(
    ("check", "score"),
    [
        ("{kind: reward, of: pulls, highest: 3}", 1.0),
        ("{kind: reward, of: pulls, highest: 6}", 0.5),
        ("{kind: reward, of: pulls, lowest: 5, highest: 1}", 0.5),
        ("{kind: reward, of: pulls, highest: 2}", 1.0),
        ("{kind: reward, of: pulls, lowest: 4, highest: 5}", 0.0),
        ("{kind: reward, of: answered}", 1.0),
    ],
)
def test_a_reward_is_brought_between_nought_and_one(tmp_path, check, score):
    given, _ = graded(tmp_path, ONE.replace("CHECK", check), answer="yes")
    assert given.score == score
    assert given.checks[0].detail.split(" is ")[0] in ("pulls", "answered")


@pytest.mark.parametrize(
    ("check", "error"),
    [
        ("{kind: reward, of: luck}", "no reward 'luck'; there are pulls"),
        ("{kind: reward, of: nothing}", "nothing is nan, no finite number"),
        ("{kind: reward, of: pulls, lowest: 1, highest: 1}", "lowest and highest are both 1"),
    ],
)
def test_a_reward_that_cannot_be_had_is_the_graders_account(tmp_path, check, error):
    given, _ = graded(tmp_path, ONE.replace("CHECK", check))
    assert given.score is None
    assert error in given.error


def test_a_measure_takes_the_reward_as_it_is(tmp_path):
    body = ONE.replace("CHECK", "{kind: reward, of: pulls}")
    body += "measures: {pulls: {kind: reward, of: pulls}, luck: {kind: reward, of: luck}}\n"
    given, measures = graded(tmp_path, body, pulled=7)
    assert given.score == 1.0
    assert measures["pulls"] == 7.0
    assert measures["luck"] is None
    assert "no reward 'luck'" in measures["luck.error"]


def test_the_kinds_own_tasks_join_those_written_and_validate(tmp_path):
    own = "own_tasks: {}\n"
    loaded = scenario(tmp_path, ONE.replace("CHECK", "{kind: reward, of: answered, lowest: -1}") + own)
    assert [task.id for task in loaded.spec.tasks] == ["one", "pull_1", "pull_2", "pull_3"]
    assert set(loaded.setups) == set(loaded.task_digests) == {"one", "pull_1", "pull_2", "pull_3"}

    async def validate():
        async with Services() as services:
            return await validate_scenario(scenario(tmp_path, own), tmp_path, services)

    results = asyncio.run(validate())
    assert [(found.gold, found.null, found.problems) for found in results] == [(1.0, 0.0, [])] * 3


def test_which_tasks_are_taken_does_not_change_what_a_task_is(tmp_path):
    whole = scenario(tmp_path, "own_tasks: {}\n").task_digests
    some = scenario(tmp_path, "own_tasks: {only: ['pull_*'], skip: [pull_2], first: 1}\n").task_digests
    assert some == {"pull_1": whole["pull_1"]}
    assert scenario(tmp_path, "own_tasks: {}\n", ", tasks: 4").task_digests["pull_1"] != whole["pull_1"]


@pytest.mark.parametrize(
    ("body", "options", "error"),
    [
        ("own_tasks: {only: [push_*]}\n", "", "`only` and `skip` leave none of the kind's 3 tasks, such as pull_1"),
        ("own_tasks: {}\n", ", tasks: 0", "brings no tasks along"),
        ("own_tasks: {}\n", ", broken: true", "task 'pull_1' of environment kind 'prize_world:Prize' is not sound"),
        ("tasks: [{id: pull_2, brief: x}]\nown_tasks: {}\n", "", "task id 'pull_2' is given twice"),
        ("measures: {}\n", "", "there are no tasks"),
    ],
)
def test_tasks_that_cannot_be_taken_are_told_with_their_place(tmp_path, body, options, error):
    with pytest.raises(SpecError) as wrong:
        scenario(tmp_path, body, options)
    assert error in str(wrong.value)
    assert "prize.yaml:" in str(wrong.value)


def test_what_a_kind_leaves_out_has_the_protocols_answer(tmp_path):
    async def look():
        world = await Prize.open(Opening(Prize.Options(), Prize.Setup(), ("hand",), 1, tmp_path))
        assert (world.turn(), world.finished(), world.facts) == (None, False, {})
        assert await world.news("hand") is None
        assert await world.snapshot() is None
        with pytest.raises(EnvironmentFault, match="no snapshots"):
            await world.restore(b"")
        reader = await Prize.read_state(
            await world.final_state(), Opening(Prize.Options(), Prize.Setup(), (), 1, tmp_path)
        )
        with pytest.raises(NotImplementedError, match="no files"):
            await reader.read_file("x")
        await reader.close()
        await world.close()

    asyncio.run(look())
