"""What other ways through a shipped scenario than its solution are worth, and what is measured of them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.environments import CATALOG, SUBMIT, Opening, Services, load_kind
from harness.scoring import Grade, TaskValidation, grade, validate_scenario
from harness.scoring.measures import declared_measures
from harness.spec import library, load_scenario
from harness.spec.resolved import LoadedScenario

Call = tuple[str, dict[str, Any]]
"""Tool and arguments; the tool with its role before it, as in `clerk:say`, where there is more than one."""


def loaded(name: str) -> LoadedScenario:
    return load_scenario(library() / f"{name}.yaml", CATALOG)


def graded(scenario: LoadedScenario, scratch: Path) -> list[TaskValidation]:
    """Every task played by its solution and by an agent that does nothing."""

    async def whole() -> list[TaskValidation]:
        async with Services() as services:
            return await validate_scenario(scenario, scratch, services)

    return asyncio.run(whole())


def played(name: str, task: str, calls: Sequence[Call], scratch: Path) -> tuple[Grade, dict[str, Any]]:
    """Grade and measures of a trial of these calls."""
    scenario = loaded(name)

    async def whole() -> tuple[Grade, dict[str, Any]]:
        async with Services() as services:
            opened = Opening.of_task(scenario, task, 1, scratch, services)
            world = await load_kind(scenario.spec.environment.kind).open(opened)
            actions: list[Any] = []
            answer = None
            try:
                for called, arguments in calls:
                    *before, tool = called.split(":")
                    (role,) = before or scenario.spec.roles
                    action = {"kind": "tool", "role": role, "name": tool, "arguments": arguments, "data": {}}
                    if tool == SUBMIT.name:
                        answer = arguments["answer"]
                        actions.append({**action, "kind": "submit", "observation": "", "error": False})
                    else:
                        await world.news(role)
                        seen = await world.call(role, tool, arguments)
                        actions.append({**action, "observation": seen.text, "error": seen.error, "data": seen.data})
                state = await world.final_state()
            finally:
                await world.close()
            spec = scenario.task(task)
            given = await grade(scenario, spec, opening=opened, state=state, answer=answer, actions=actions)
            return given, declared_measures(scenario, spec, actions, answer, given)

    return asyncio.run(whole())


def score(name: str, task: str, calls: Sequence[Call], scratch: Path) -> float:
    """What a trial of these calls is worth."""
    given, _ = played(name, task, calls, scratch)
    assert given.error is None, given.error
    assert given.score is not None
    return given.score


def changed(name: str, task: str, *, left_out: str = "", instead: dict[int, Call] | None = None) -> list[Call]:
    """The calls of the solution without those of a tool, or with others at some places."""
    steps = loaded(name).task(task).solution
    calls = [(f"{step.role}:{step.tool}" if step.role else step.tool, dict(step.arguments)) for step in steps
             if step.tool != left_out]  # fmt: skip
    for place, call in (instead or {}).items():
        calls[place] = call
    return calls
