"""Scoring: checks say whether the task was done, measures say how; both from the record, never from the live world."""

from harness.scoring.grading import Grade, check_name, grade, grade_record
from harness.scoring.measures import BUILT_IN_MEASURES, measure
from harness.scoring.regrading import Regraded, regrade, situation_digest
from harness.scoring.validation import TaskValidation, validate_scenario

__all__ = [
    "BUILT_IN_MEASURES",
    "Grade",
    "Regraded",
    "TaskValidation",
    "check_name",
    "grade",
    "grade_record",
    "measure",
    "regrade",
    "situation_digest",
    "validate_scenario",
]
