"""How the trials of a plan are carried out: what an ordinary sweep does, and what an intervention puts in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from pydantic import JsonValue

from harness.environments import Opening, Services, load_kind
from harness.errors import UserError
from harness.models import Model
from harness.run.plan import PlannedTrial
from harness.run.trial import TrialRun, run_trial, scratch_folder
from harness.scaffolds import CompiledScaffold


class Conduct(Protocol):
    """What `SweepRun` leaves open."""

    graded: bool
    """Whether there is something to grade once a trial is recorded."""

    async def check(self, trial: PlannedTrial, services: Services, tell: Callable[[str], None]) -> None:
        """Look at one trial of each scenario before anything is spent. Raises `UserError` for what a user can mend."""
        ...

    async def run(
        self,
        trial: PlannedTrial,
        compiled: CompiledScaffold,
        models: Mapping[str, Model],
        parameters: Mapping[str, JsonValue],
        services: Services,
    ) -> TrialRun:
        """Carry out one trial; raises nothing. `models` maps scaffold roles."""
        ...


class WholeTrials:
    """From the beginning of the task to its end."""

    graded = True

    async def check(self, trial: PlannedTrial, services: Services, tell: Callable[[str], None]) -> None:
        """Open the environment once."""
        scenario = trial.cell.scenario
        kind = load_kind(scenario.spec.environment.kind)
        async with scratch_folder() as scratch:
            try:
                opening = Opening.of_task(scenario, trial.cell.task, trial.seed, scratch, services)
                environment = await kind.open(opening)
                await environment.close()
            except UserError:
                raise
            except Exception as error:  # noqa: BLE001 - recorded with every trial it meets; here only said
                tell(f"scenario {scenario.spec.name}: its environment does not open: {error}")

    async def run(
        self,
        trial: PlannedTrial,
        compiled: CompiledScaffold,
        models: Mapping[str, Model],
        parameters: Mapping[str, JsonValue],
        services: Services,
    ) -> TrialRun:
        """Run the trial."""
        return await run_trial(trial, compiled, models, parameters, services)
