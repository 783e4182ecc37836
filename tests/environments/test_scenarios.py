"""The shipped scenarios of sql and office: they load, their solutions score full marks, doing nothing fails."""

import asyncio
from pathlib import Path

import pytest

from harness.environments import CATALOG, SUBMIT, Services, load_kind
from harness.scaffolds.protocols.tool_texts import tool_lines
from harness.scoring import validate_scenario
from harness.spec import library, load_scenario
from harness.spec.resolved import LoadedScenario

NAMES = ["refund-desk", "steward"]


@pytest.fixture(params=NAMES)
def scenario(request: pytest.FixtureRequest) -> LoadedScenario:
    return load_scenario(library() / f"{request.param}.yaml", CATALOG)


def test_every_solution_scores_full_marks_and_doing_nothing_does_not_pass(
    scenario: LoadedScenario, tmp_path: Path
) -> None:
    for task in asyncio.run(validate_scenario(scenario, tmp_path, Services())):
        assert (task.gold, task.problems, task.notes) == (1.0, [], []), task.task
        assert task.null is not None and task.null < 0.5, task.task


def test_it_starts_small_enough_for_a_context_of_4096_tokens(scenario: LoadedScenario) -> None:
    for name, role in scenario.spec.roles.items():
        tools = load_kind(scenario.spec.environment.kind).tools(scenario.options, name)
        offered = [tool for tool in [*tools, SUBMIT] if role.tools is None or tool.name in role.tools]
        longest = max(len(task.brief) for task in scenario.spec.tasks)
        characters = len(role.brief) + len(tool_lines(offered)) + longest
        assert characters < 3000, characters


def test_the_first_task_takes_one_step_and_the_second_two(scenario: LoadedScenario) -> None:
    assert [len(task.solution) for task in scenario.spec.tasks[:2]] == [1, 2]
