"""Grades recorded trials: after the trial is safe on disk, and outside everything that is ever tried again.

What the grader says of a trial goes into the record beside it; a grader that fails leaves the trial as it was,
on the grader's account, to be graded again by the next run or by `harness regrade`.
"""

from __future__ import annotations

import traceback

from harness.environments import FinalState
from harness.models import redact
from harness.record import Store, TrialRecord, TrialRow, recorded_actions
from harness.run.plan import Cell
from harness.run.trial import opening_of, scratch_folder
from harness.scoring import Grade, grade, measure


async def grade_trial(store: Store, cell: Cell, record: TrialRecord) -> TrialRow:
    """Grade one recorded trial and write the grade; returns its row as it now stands."""
    task = cell.scenario.task(cell.task)
    row = record.row
    async with scratch_folder() as scratch:
        if record.final_state is None:
            given = Grade(score=None, passed=None, checks=[], error="the final state was not kept")
        else:
            state = FinalState(
                kind=cell.scenario.spec.environment.kind,
                data=record.final_state,
                truncated=record.final_state_truncated,
            )
            try:
                given = await grade(
                    cell.scenario,
                    task,
                    opening=opening_of(cell, row.seed, scratch),
                    state=state,
                    answer=row.answer,
                    actions=recorded_actions(record.document),
                )
            except Exception as error:  # noqa: BLE001 - whatever grading raises is on the grader's account
                detail = redact("".join(traceback.format_exception(error)))
                given = Grade(score=None, passed=None, checks=[], error=detail.strip().splitlines()[-1][:500])
    return store.update_grade(
        row.trial,
        score=given.score,
        passed=given.passed,
        checks=given.checks,
        error=given.error,
        measures=measure(cell.scenario, task, record, given.state),
        measures_hash=cell.scenario.measures_digest,
    )
