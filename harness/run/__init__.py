"""Runs sweeps: plan, trials, grading, progress. Knows every room below it, and none above."""

from harness.run.estimate import ModelEstimate, estimate
from harness.run.plan import Cell, Plan, PlannedTrial, plan_sweep
from harness.run.session import plan_against_record, recorded_rows, resolve, results_folder, run_session
from harness.run.sweep import Progress, SweepOutcome, SweepRun

__all__ = [
    "Cell",
    "ModelEstimate",
    "Plan",
    "PlannedTrial",
    "Progress",
    "SweepOutcome",
    "SweepRun",
    "estimate",
    "plan_against_record",
    "plan_sweep",
    "recorded_rows",
    "resolve",
    "results_folder",
    "run_session",
]
