"""Runs sweeps: plan, trials, grading, progress. Knows every room below it, and none above."""

from harness.run.conduct import Conduct, WholeTrials
from harness.run.estimate import ModelEstimate, estimate, unheld_costs
from harness.run.events import Listener, RunEvent, SweepOutcome
from harness.run.plan import Cell, Plan, PlannedTrial, plan_cells, plan_sweep
from harness.run.session import carry_out, plan_against_record, recorded_rows, resolve, results_folder, run_session
from harness.run.sweep import SweepRun

__all__ = [
    "Cell",
    "Conduct",
    "Listener",
    "ModelEstimate",
    "Plan",
    "PlannedTrial",
    "RunEvent",
    "SweepOutcome",
    "SweepRun",
    "WholeTrials",
    "carry_out",
    "estimate",
    "plan_against_record",
    "plan_cells",
    "plan_sweep",
    "recorded_rows",
    "resolve",
    "results_folder",
    "run_session",
    "unheld_costs",
]
