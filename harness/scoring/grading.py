"""Grades one trial: runs the checks of its task on the final state and the answer.

A check says in [0, 1] how far the task was done. The score is the mean weighted by the checks' weights; the trial
passes when it reaches the scenario's `pass_score`. A task without checks has no score: none, not zero.

What the *trial* left in the wrong shape (a missing file, a dropped table, an expression over what is not there) is a
check that does not hold: 0, with the reason as its detail; `harness validate` shows that the same check holds for the
gold solution. What the *grader* cannot do (no sandbox, a failing Python function, a pattern that never ends) leaves
that check and the whole trial without a score, and `error` says why; it can be graded again at any time.

In templates and expressions of checks `answer` is the empty string where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from harness.environments.protocol import FinalState, Opening
from harness.environments.services import Services
from harness.record import CheckResult, RecordedAction, TrialRecord, recorded_actions
from harness.scoring.checks import Trial, run_check
from harness.spec.resolved import LoadedScenario
from harness.spec.scenario import Check, ExpressionMeasure, PythonMeasure, Task


@dataclass(frozen=True)
class Grade:
    """What the grader says of a trial."""

    score: float | None
    """In [0, 1]; None without checks, or when a check could not be run."""
    passed: bool | None
    checks: list[CheckResult] = field(default_factory=list)
    error: str | None = None
    """Why a check could not be run: the first such reason, in a line."""
    state: dict[str, JsonValue] | None = None
    """The final state as plain data, where a measure of the scenario needs it."""
    rewards: dict[str, float | str] = field(default_factory=dict)
    """What measures of the scenario ask for of the environment's own scores; a text says why one cannot be had."""


async def grade(
    scenario: LoadedScenario,
    task: Task,
    *,
    opening: Opening,
    state: FinalState,
    answer: str | None,
    actions: Sequence[RecordedAction],
) -> Grade:
    """Grade a trial. `opening` is how its environment was opened, with an empty scratch folder.

    Never raises for what a check meets; never touches a model.
    """
    trial = Trial(scenario=scenario, task=task, opening=opening, final=state, answer=answer, actions=actions)
    try:
        results = [
            await run_check(check, check_name(check, position), trial)
            for position, check in enumerate([*task.checks, *scenario.spec.checks])
        ]
        data, problem = await trial.data_for_measures() if _measures_need_state(scenario) else (None, None)
        rewards = {m.of: await trial.reward(m.of) for m in scenario.spec.measures.values() if m.kind == "reward"}
    finally:
        await trial.close()
    error = next((f"check {result.name}: {result.error}" for result in results if result.error), None)
    if error is not None or not results:
        return Grade(None, None, results, error or problem, data, rewards)
    weight = sum(result.weight for result in results)
    score = sum(result.weight * (result.score or 0.0) for result in results) / weight
    score = min(1.0, max(0.0, score))
    return Grade(score, score >= scenario.spec.pass_score - 1e-9, results, problem, data, rewards)


async def grade_record(
    scenario: LoadedScenario, record: TrialRecord, scratch: Path, services: Services
) -> Grade:  # fmt: skip
    """Grade a recorded trial from what was kept of it; `scratch` is an empty folder."""
    row = record.row
    if record.final_state is None:
        return Grade(None, None, error="the final state was not kept")
    return await grade(
        scenario,
        scenario.task(row.task),
        opening=Opening.of_task(scenario, row.task, row.seed, scratch, services),
        state=FinalState(scenario.spec.environment.kind, record.final_state, record.final_state_truncated),
        answer=row.answer,
        actions=recorded_actions(record.document),
    )


def check_name(check: Check, position: int) -> str:
    """The check's own name, or one made of its kind and place (from 1)."""
    return check.name or f"{check.kind}-{position + 1}"


def _measures_need_state(scenario: LoadedScenario) -> bool:
    return any(
        isinstance(m, PythonMeasure) or (isinstance(m, ExpressionMeasure) and "state" in m.value)
        for m in scenario.spec.measures.values()
    )
