"""Runs sweeps: plan, trials, grading, progress. Knows every room below it, and none above."""

from harness.run.estimate import ModelEstimate, estimate, unheld_costs
from harness.run.events import Listener, RunEvent, SweepOutcome
from harness.run.plan import Cell, Plan, PlannedTrial, plan_sweep
from harness.run.session import plan_against_record, recorded_rows, resolve, results_folder, run_session
from harness.run.sweep import SweepRun

__all__ = [
    "Cell",
    "Listener",
    "ModelEstimate",
    "Plan",
    "PlannedTrial",
    "RunEvent",
    "SweepOutcome",
    "SweepRun",
    "estimate",
    "plan_against_record",
    "plan_sweep",
    "recorded_rows",
    "resolve",
    "results_folder",
    "run_session",
    "unheld_costs",
]
