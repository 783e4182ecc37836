"""Run one trial's scaffold to its end, and say how it ended."""

from __future__ import annotations

from typing import Any

from harness.scaffolds.acting import Acting
from harness.scaffolds.compile import CompiledScaffold, RunContext
from harness.scaffolds.context import Outcome, TrialContext
from harness.scaffolds.faults import TrialEnd, blame, boundary
from harness.scaffolds.state import MAIN, new_lane
from harness.spec.loading.seating import seated


async def run_scaffold(compiled: CompiledScaffold, context: TrialContext) -> Outcome:
    """Take a trial through the scaffold. Raises nothing but `asyncio.CancelledError`."""
    trial = Acting(seated(compiled.flat, context.seats), context)
    try:
        with boundary("harness"):
            await _run(compiled, trial)
    except TrialEnd as end:
        state = "limit" if end.limit is not None else "fault"
        return trial.outcome(
            {"state": state, "limit": end.limit, "fault": end.fault, "error": end.error, "error_detail": end.detail}
        )
    return trial.outcome({"state": "completed"})


async def _run(compiled: CompiledScaffold, trial: Acting) -> None:
    from langgraph.errors import GraphRecursionError

    start = new_lane(trial.threads(), dict(compiled.flat.variables))
    config: Any = {"recursion_limit": trial.most_steps, "callbacks": []}
    try:
        final = await compiled.graph.ainvoke({"lanes": {MAIN: start}}, config, context=RunContext(trial))
    except GraphRecursionError:
        raise blame("scaffold", f"{trial.most_steps} steps taken without an end; set a limit of turns") from None
    if not trial.submitted:
        trial.answer = final["lanes"][MAIN]["said"]
