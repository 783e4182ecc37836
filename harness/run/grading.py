"""Grades recorded trials: after the trial is safe on disk, and outside everything that is ever tried again.

What the grader says of a trial goes into the record beside it; a grader that fails leaves the trial as it was,
on the grader's account, to be graded again by the next run or by `harness regrade`.
"""

from __future__ import annotations

import traceback

from harness.environments import Services
from harness.models import redact
from harness.record import Store, TrialRecord, TrialRow
from harness.run.plan import Cell
from harness.run.trial import scratch_folder
from harness.scoring import Grade, grade_record, measure


async def grade_trial(store: Store, cell: Cell, record: TrialRecord, services: Services) -> TrialRow:
    """Grade one recorded trial and write the grade; returns its row as it now stands."""
    async with scratch_folder() as scratch:
        try:
            given = await grade_record(cell.scenario, record, scratch, services)
        except Exception as error:  # noqa: BLE001 - whatever grading raises is on the grader's account
            detail = redact("".join(traceback.format_exception(error)))
            given = Grade(score=None, passed=None, error=detail.strip().splitlines()[-1][:500])
    return store.update_grade(
        record.row.trial,
        score=given.score,
        passed=given.passed,
        checks=given.checks,
        error=given.error,
        measures=measure(cell.scenario, cell.scenario.task(cell.task), record, given),
        measures_hash=cell.scenario.measures_digest,
    )
