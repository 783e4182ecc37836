"""Scores recorded trials again, with the scenario files as they are now, and without any model.

A trial may be graded with other checks than it was run under as long as it was asked to do the same: environment,
set-up, data, roles, briefs and input, that is its *situation*, must be what they were. A trial whose situation has
changed is left as it is, and said to be, unless that is asked for. What is graded with other checks stays a trial of
the cell it was run in; its row says with which scenario it was graded (`graded_with`) and when (`graded`).

A grader that fails does not take away a grade that was there.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.environments import Services
from harness.record import Store, TrialRow
from harness.scoring.grading import grade_record
from harness.scoring.measures import REWARD, measure, with_rewards
from harness.spec import digest
from harness.spec.loading.scenarios import content, role_order
from harness.spec.resolved import LoadedScenario


@dataclass(frozen=True)
class Regraded:
    """What became of one trial."""

    trial: str
    scenario: str
    task: str
    model: str
    old_score: float | None
    new_score: float | None
    old_passed: bool | None
    new_passed: bool | None
    skipped: str | None = None
    """Why it was left as it is."""
    error: str | None = None
    """Why the grader failed."""

    @property
    def changed(self) -> bool:
        """Whether the grade is another one now."""
        same = (self.old_score, self.old_passed) == (self.new_score, self.new_passed)
        return not same and self.skipped is None and self.error is None


def situation_digest(scenario: LoadedScenario, task: str) -> str:
    """SHA-256 of what a task asks of an agent and where: everything but checks, measures, solution and limits."""
    spec = scenario.spec
    shared = spec.model_copy(update={"summary": "", "measures": {}, "tasks": [], "own_tasks": None, "checks": []})
    shared_content = content(shared)
    for name in ("environment", "limits", "pass_score"):
        shared_content.pop(name, None)
    shared_content.update(role_order(spec))
    bare = scenario.task(task).model_copy(update={"setup": {}, "solution": [], "checks": [], "family": None})
    task_content = content(bare)
    task_content.pop("limits", None)
    return digest(
        [spec.environment.kind, shared_content, content(scenario.options), task_content, content(scenario.setups[task])]
    )


async def regrade(
    store: Store,
    scenarios: Mapping[str, LoadedScenario],
    *,
    services: Services,
    changed_tasks: bool = False,
    write: bool = True,
    at_once: int = 4,
    on_each: Callable[[Regraded], None] | None = None,
) -> list[Regraded]:
    """Grade every recorded trial that counts, or whose grader failed. `scenarios` is by name, as the files are now.

    `changed_tasks` grades trials whose situation has changed all the same. Without `write` nothing is written.
    Raises `RecordError` when the record cannot be read or written.
    """
    slots = asyncio.Semaphore(at_once)
    situations: dict[tuple[str, str], str] = {}
    lineage = store.lineage()

    async def one(row: TrialRow) -> Regraded:
        if row.cell in lineage and lineage[row.cell].kind == "probe":
            return _outcome(row, None, None, skipped="a probe asks once and does nothing: there is nothing to grade")
        async with slots:
            done = await _regrade_one(
                store, scenarios, situations, row, services, changed_tasks=changed_tasks, write=write
            )
        if on_each is not None:
            on_each(done)
        return done

    rows = [row for row in store.rows() if row.is_result or row.fault == "grader"]
    return list(await asyncio.gather(*(one(row) for row in rows)))


async def _regrade_one(
    store: Store,
    scenarios: Mapping[str, LoadedScenario],
    situations: dict[tuple[str, str], str],
    row: TrialRow,
    services: Services,
    *,
    changed_tasks: bool,
    write: bool,
) -> Regraded:
    scenario = scenarios.get(row.scenario)
    reason = "its scenario is not among the files" if scenario is None else None
    if scenario is not None and not changed_tasks:
        reason = _unsound(scenario, situations, row)
    if scenario is None or reason is not None or row.task not in scenario.task_digests:
        return _outcome(row, row.score, row.passed, skipped=reason or f"the scenario has no task {row.task!r} now")
    scenario = with_rewards(scenario, _rewarded(scenario, row))
    record = store.record(row.trial)
    with tempfile.TemporaryDirectory(prefix="harness-grade-", ignore_cleanup_errors=True) as scratch:
        given = await grade_record(scenario, record, Path(scratch), services)
    if given.error is not None and row.fault != "grader":
        return _outcome(row, row.score, row.passed, error=given.error)
    if write:
        store.update_grade(
            row.trial,
            score=given.score,
            passed=given.passed,
            checks=given.checks,
            error=given.error,
            measures=measure(scenario, scenario.task(row.task), record, given),
            measures_hash=scenario.measures_digest,
            graded_with=scenario.task_digests[row.task],
        )
    return _outcome(row, given.score, given.passed, error=given.error)


def _rewarded(scenario: LoadedScenario, row: TrialRow) -> list[str]:
    """Roles whose rewards were measured in this trial because its seats were traded, and not by its scenario."""
    names = {role: f"{REWARD}{role}" for role in scenario.spec.roles}
    return [role for role, name in names.items() if name in row.measures and name not in scenario.spec.measures]


def _unsound(scenario: LoadedScenario, situations: dict[tuple[str, str], str], row: TrialRow) -> str | None:
    """Why a trial may not be graded with the scenario as it is now."""
    if scenario.task_digests.get(row.task) in (None, row.scenario_hash):
        return None
    if row.situation_hash is None:
        return "the task was changed since, and the record does not say whether in its checks alone"
    key = (row.scenario, row.task)
    if key not in situations:
        situations[key] = situation_digest(scenario, row.task)
    if situations[key] != row.situation_hash:
        return "the task was changed since in more than its checks (environment, set-up, data, roles, brief or input)"
    return None


def _outcome(
    row: TrialRow, score: float | None, passed: bool | None, *, skipped: str | None = None, error: str | None = None
) -> Regraded:
    return Regraded(row.trial, row.scenario, row.task, row.model, row.score, score, row.passed, passed, skipped, error)
