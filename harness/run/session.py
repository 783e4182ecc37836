"""From the name of a sweep to a record on disk: loads, plans, opens the store, runs, and hears Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness import __version__
from harness.environments import CATALOG
from harness.models.local import fetch_missing
from harness.record import AskedRow, Store, TrialRow, write_lock
from harness.run.conduct import Conduct
from harness.run.estimate import unheld_costs
from harness.run.events import Listener, Noted, SweepOutcome
from harness.run.plan import Plan, plan_sweep
from harness.run.sources import source_files
from harness.run.sweep import SweepRun
from harness.spec import find_file, load_sweep
from harness.spec.resolved import ResolvedSweep

DEPENDENCIES = ("langgraph", "litellm", "pydantic", "openai")
"""Whose versions can change what a model is sent."""


def resolve(sweep: str) -> ResolvedSweep:
    """Load a sweep by path or shipped name. Raises `SpecError` or `UserError`."""
    return load_sweep(find_file(sweep, "sweep", Path.cwd()), CATALOG)


def results_folder(sweep: ResolvedSweep, results: Path) -> Path:
    """Where a sweep is recorded."""
    return results / sweep.spec.name


def plan_against_record(sweep: ResolvedSweep, results: Path) -> Plan:
    """The plan of a sweep against what its folder holds, which may be nothing yet; writes nothing."""
    return plan_sweep(sweep, recorded_rows(sweep, results))


def recorded_rows(sweep: ResolvedSweep, results: Path) -> list[TrialRow]:
    """The current rows of a sweep's record; none where there is no record yet."""
    folder = results_folder(sweep, results)
    if not Store.exists(folder):
        return []
    with Store(folder) as store:
        return store.rows()


def run_session(sweep: ResolvedSweep, results: Path, make_listener: Callable[[], Listener]) -> SweepOutcome:
    """Run what is missing of a sweep. Raises `RecordError` when another process is writing the same record."""
    return carry_out(results_folder(sweep, results), partial(plan_sweep, sweep), make_listener)


def carry_out(
    folder: Path,
    plan_against: Callable[[list[TrialRow]], Plan],
    make_listener: Callable[[], Listener],
    *,
    conduct: Conduct | None = None,
    intervention: Mapping[str, Any] | None = None,
    adds: bool = False,
) -> SweepOutcome:
    """Run what is missing of a plan, made against what the folder holds, and record it there.

    `intervention` is what was asked for where the sweep is not one that a file asks for; the lock keeps it. With
    `adds`, what the folder asks for already stays asked for. Raises `RecordError` when another process is writing the
    same record.
    """
    with Store(folder, create=True) as store:
        plan = plan_against(store.rows())
        sweep = plan.sweep
        needed = {loaded.name: loaded for trial in plan.to_run for loaded in trial.cell.models.values()}
        fetch_missing(needed.values())
        store.write_asked(asked_rows(plan), keep=adds)
        store.write_lineage({cell.digest: cell.lineage for cell in plan.cells if cell.lineage is not None})
        files = source_files(sweep)
        store.write_files(files.kept)
        asked = sweep.spec.model_dump(mode="json", exclude_defaults=True)
        if intervention is not None:
            asked["intervention"] = dict(intervention)
        write_lock(folder, asked=asked, resolved=resolved(plan))
        listener = make_listener()
        for note in [*([files.note] if files.note else []), *unheld_costs(plan)]:
            listener(Noted(note))
        return asyncio.run(_run(plan, store, listener, conduct))


async def _run(plan: Plan, store: Store, tell: Listener, conduct: Conduct | None) -> SweepOutcome:
    run = SweepRun(plan, store, tell, conduct)
    loop = asyncio.get_running_loop()
    interrupted = False

    def on_signal() -> None:
        nonlocal interrupted
        if interrupted:
            os._exit(130)
        interrupted = True
        tell(Noted("interrupted: writing down what there is; once more to leave at once"))
        run.interrupt()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, on_signal)
    try:
        return await run.run()
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)


def asked_rows(plan: Plan) -> list[AskedRow]:
    """Every trial the sweep asks for, so that tables can show what is missing."""
    return [
        AskedRow(
            cell=cell.digest,
            repeat=repeat,
            scenario=cell.scenario.spec.name,
            task=cell.task,
            family=cell.family,
            scaffold=cell.scaffold.spec.name,
            model=cell.model,
            models={role: loaded.name for role, loaded in cell.models.items()},
        )
        for cell in plan.cells
        for repeat in range(1, plan.sweep.spec.repeats + 1)
    ]


def limits_by_task(plan: Plan) -> dict[str, dict[str, dict[str, Any]]]:
    """Scenario -> task -> limits of a trial, those that bound nothing left out."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for cell in plan.cells:
        found.setdefault(cell.scenario.spec.name, {})[cell.task] = cell.limits.model_dump(exclude_none=True)
    return found


def resolved(plan: Plan) -> dict[str, Any]:
    """What a sweep came to, for its lock: digests, model entries, versions; no keys, no paths of this machine."""
    sweep = plan.sweep
    return {
        "scenarios": {s.spec.name: {"digest": s.digest, "tasks": dict(s.task_digests)} for s in sweep.scenarios},
        "scaffolds": {s.spec.name: s.digest for s in sweep.scaffolds},
        "models": {
            name: {
                "digest": loaded.digest,
                **loaded.entry.model_dump(mode="json", exclude_defaults=True, exclude={"script"}),
            }
            for name, loaded in sweep.models.items()
        },
        "tools": {cell.scenario.spec.name: cell.tools_digest for cell in plan.cells},
        "limits": limits_by_task(plan),
        "trials": plan.asked,
        "harness": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": {name: version(name) for name in DEPENDENCIES},
    }
