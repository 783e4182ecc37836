"""The shipped scenarios of several seats: fair to whoever plays them together, and not passed by playing alone."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.environments import CATALOG, SUBMIT, Opening, Services, load_kind
from harness.scaffolds.protocols.tool_texts import tool_lines
from harness.scoring import validate_scenario
from harness.scoring.checks import Trial, run_check
from harness.spec import library, load_scenario
from harness.spec.resolved import LoadedScenario

NAMES = ["merchant", "fair", "pasture", "drove", "granary", "hamlet"]


@pytest.fixture(params=NAMES)
def scenario(request: pytest.FixtureRequest) -> LoadedScenario:
    return load_scenario(library() / f"{request.param}.yaml", CATALOG)


def test_every_solution_scores_full_marks_and_doing_nothing_does_not_pass(
    scenario: LoadedScenario, tmp_path: Path
) -> None:
    async def validated() -> list[Any]:
        async with Services() as services:
            return list(await validate_scenario(scenario, tmp_path, services))

    for task in asyncio.run(validated()):
        assert (task.gold, task.problems, task.notes) == (1.0, [], []), task.task
        assert task.null is not None and task.null < 0.5, task.task


Move = tuple[str, dict[str, Any]]
AS_MANY_AS_MAY: list[Move] = [("graze", {"animals": animals}) for animals in (40, 30, 8, 6)]
PASS: Move = ("pass_turn", {})
PLAYERS: dict[str, dict[str, list[Move]]] = {
    "all pass": {},
    "greedy": {
        **dict.fromkeys(("alf", "bea", "carl", "dina", "gerd", "hilda", "ivo"), AS_MANY_AS_MAY),
        "hugh": [("rule", {"guards": 1, "tax": 4})],
        "ada": [("farm", {"sow": 4})],
        "rolf": [("raid", {"on": "ada"})],
        "kuno": [("raid", {"on": "tom"})],
    },
}
"""What a seat tries, the first thing that is allowed; then it passes."""


async def score_of(scenario: LoadedScenario, task: str, player: str, scratch: Path) -> float:
    """The score when every seat makes the moves of one kind of player until the world ends."""
    async with Services() as services:
        opening = Opening.of_task(scenario, task, 7, scratch, services)
        world = await load_kind(scenario.spec.environment.kind).open(opening)
        while (role := world.turn()) is not None:
            for tool, arguments in [*PLAYERS[player].get(role, []), PASS]:
                if not (await world.call(role, tool, dict(arguments))).error:
                    break
        found = scenario.task(task)
        trial = Trial(scenario, found, opening, await world.final_state(), None, [])
        results = [await run_check(check, "", trial) for check in (*found.checks, *scenario.spec.checks)]
        await trial.close()
        return sum(one.weight * (one.score or 0) for one in results) / sum(one.weight for one in results)


@pytest.mark.parametrize("player", PLAYERS)
def test_neither_the_idle_nor_the_greedy_pass(scenario: LoadedScenario, player: str, tmp_path: Path) -> None:
    for task in scenario.spec.tasks:
        assert asyncio.run(score_of(scenario, task.id, player, tmp_path)) < scenario.spec.pass_score, task.id


def test_it_starts_small_enough_for_a_context_of_4096_tokens(scenario: LoadedScenario) -> None:
    longest = max(len(task.brief) for task in scenario.spec.tasks)
    for name, role in scenario.spec.roles.items():
        tools = load_kind(scenario.spec.environment.kind).tools(scenario.options, name)
        offered = [tool for tool in [*tools, SUBMIT] if role.tools is None or tool.name in role.tools]
        assert SUBMIT not in offered
        assert len(role.brief) + len(tool_lines(offered)) + longest < 3500


def test_in_the_first_task_every_seat_has_one_move_that_the_brief_spells_out(scenario: LoadedScenario) -> None:
    task = scenario.spec.tasks[0]
    roles = [step.role for step in task.solution]
    assert len(set(roles)) == len(roles) <= 4
    for step in task.solution:
        assert step.tool in task.brief
        assert all(str(value) in task.brief for value in step.arguments.values() if step.tool != "accept")
