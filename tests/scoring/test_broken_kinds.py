"""What a kind from elsewhere gets wrong is said in a line that names it, and is no traceback."""

from __future__ import annotations

import asyncio

import pytest
from conftest import HEAD, load

from harness.environments import Services
from harness.scoring import validate_scenario
from harness.spec import SpecError

OWN = "own_tasks: {}\n"
TASKS = """
tasks:
- {id: one, brief: Poke it., solution: [{tool: poke, arguments: {}}], checks: [{kind: called, tool: poke}]}
"""


def written(folder, kind, tasks=TASKS):
    path = folder / "desk.yaml"
    path.write_text(HEAD.replace("ledger_world:Ledger", f"broken_world:{kind}") + tasks)
    return path


def validated(folder, kind):
    return asyncio.run(validate_scenario(load(written(folder, kind)), folder, Services()))[0]


def test_a_sound_kind_is_found_sound(tmp_path):
    assert validated(tmp_path, "Sound").problems == []


@pytest.mark.parametrize(
    ("kind", "tasks", "said"),
    [
        ("OwnTasksRaise", OWN, "own tasks: KeyError: 'boom'"),
        ("OwnTasksAreNumbers", OWN, "its own tasks hold 1, which is no task"),
        ("ToolsRaise", TASKS, "tools of clerk: KeyError: 'boom'"),
        ("ToolsAreNone", TASKS, "tools of clerk: TypeError"),
        ("SchemaIsNone", TASKS, "the parameters of poke are no JSON schema"),
        ("OptionsAreNone", TASKS, "`Options` is 5, no pydantic model"),
        ("SetupIsNone", TASKS, "`Setup` is None, no pydantic model"),
    ],
)
def test_what_a_broken_kind_says_of_itself_is_a_problem_of_the_file(tmp_path, kind, tasks, said):
    with pytest.raises(SpecError) as raised:
        load(written(tmp_path, kind, tasks))
    (problem,) = raised.value.problems
    assert f"environment kind 'broken_world:{kind}' is broken: " in problem.message and said in problem.message


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("OpeningRaises", "the environment failed: KeyError: 'boom'"),
        ("CallRaises", "the environment failed: KeyError: 'boom'"),
        ("CallGivesNone", "the environment failed: poke gave NoneType, no Observation"),
        ("EndRaises", "the environment failed: KeyError: 'boom'"),
        ("EndGivesNone", "the environment failed: its final state is NoneType, no FinalState"),
        ("FinishedRaises", "the environment failed: KeyError: 'boom'"),
        ("CloseRaises", "the environment could not be closed: KeyError: 'boom'"),
    ],
)
def test_what_a_broken_kind_does_when_it_is_validated_is_a_problem_of_the_task(tmp_path, kind, said):
    assert said in validated(tmp_path, kind).problems
