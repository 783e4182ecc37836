"""One trial: open the environment, run the scaffold through it, keep the final state, write it all down.

Whatever goes wrong is attributed to one party and recorded; nothing but cancellation leaves `run_trial`,
and even a cancelled trial leaves a record of what it paid for, from which the next attempt goes on.
Grading is not done here: it happens after the trial is recorded (`harness.run.grading`).
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from harness import __version__
from harness.environments import Environment, FinalState, Opening, Services, load_kind
from harness.models import Model, redact, redact_data
from harness.record import TrialDocument, TrialRecord, TrialRow
from harness.run.plan import PlannedTrial
from harness.run.recording import TrialRecorder
from harness.scaffolds import CompiledScaffold, Outcome, TrialContext, run_scaffold
from harness.spec import render

CLOSING_SECONDS = 30.0
"""An environment that takes longer to stop or close is given up."""


@dataclass(frozen=True)
class TrialRun:
    """A finished trial, before grading."""

    record: TrialRecord
    provider_fault: str | None = None
    """Kind of the provider's last failure, where there was one."""


Wrap = Callable[[Environment], Environment]
"""Puts something between the scaffold and an opened environment; closing what it gives back closes both."""


@dataclass
class _World:
    """What became of the environment: filled in as the trial goes."""

    environment: Environment | None = None
    final_state: FinalState | None = None
    facts: dict[str, JsonValue] = field(default_factory=dict)
    fault: str | None = None
    detail: str | None = None

    def blame(self, what: str, error: BaseException) -> None:
        """Put the first failure on the environment's account."""
        if self.fault is None:
            self.fault = f"{what}: {_one_line(error)}"
            self.detail = "".join(traceback.format_exception(error))


@asynccontextmanager
async def scratch_folder() -> AsyncIterator[Path]:
    """A private empty folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="harness-"))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def run_trial(
    planned: PlannedTrial,
    compiled: CompiledScaffold,
    models: Mapping[str, Model],
    parameters: Mapping[str, JsonValue],
    services: Services,
    wrap: Wrap = lambda environment: environment,
) -> TrialRun:
    """Run one trial to its end. `models` maps scaffold roles. Never raises; a cancellation is recorded and reported."""
    began, started = time.monotonic(), datetime.now(UTC)
    recorder = TrialRecorder()
    world = _World()
    cancelled = False
    outcome = Outcome(state="fault", fault="harness", error="the trial did not begin")
    async with scratch_folder() as scratch:
        try:
            outcome = await _act(planned, compiled, models, parameters, recorder, world, scratch, services, wrap)
        except asyncio.CancelledError:
            cancelled = True
        except Exception as error:  # noqa: BLE001 - a brief that cannot be rendered, say: recorded, not raised
            trace = "".join(traceback.format_exception(error))
            outcome = Outcome(state="fault", fault="harness", error=_one_line(error), error_detail=trace)
        finally:
            await _close(world)
    if world.fault is not None and not cancelled and outcome.fault is None:
        outcome = Outcome(
            state="fault", fault="environment", error=world.fault, error_detail=world.detail, answer=outcome.answer,
            steps=outcome.steps, seconds=outcome.seconds, waited=outcome.waited,
        )  # fmt: skip
    row = trial_row(planned, outcome, recorder, world.facts, started)
    if cancelled:
        row = row.model_copy(
            update={"state": "cancelled", "limit": None, "fault": None, "error": "cancelled",
                    "seconds": time.monotonic() - began}
        )  # fmt: skip
    return TrialRun(
        trial_record(planned, row, outcome, recorder, world.facts, world.final_state), recorder.provider_fault
    )


def trial_record(
    planned: PlannedTrial,
    row: TrialRow,
    outcome: Outcome,
    recorder: TrialRecorder,
    facts: Mapping[str, JsonValue],
    state: FinalState | None,
) -> TrialRecord:
    """All that is kept of a trial, without the user's keys."""
    detail = redact(outcome.error_detail) if outcome.error_detail else None
    keys = [loaded.entry.api_key_env for loaded in planned.cell.models.values() if loaded.entry.api_key_env]
    return TrialRecord(
        row=row.model_copy(update=redact_data({"answer": row.answer, "error": row.error}, keys)),
        document=_without_keys(recorder.document(facts=facts, error_detail=detail), keys),
        final_state=state.data if state else None,
        final_state_truncated=bool(state and state.truncated),
    )


def _without_keys(document: TrialDocument, variables: list[str]) -> TrialDocument:
    """The document without the user's keys: a provider may say one back in a reply."""
    plain = document.model_dump(mode="python")
    redacted = redact_data(plain, variables)
    return document if redacted is plain else TrialDocument.model_validate(redacted)


async def _act(
    planned: PlannedTrial,
    compiled: CompiledScaffold,
    models: Mapping[str, Model],
    parameters: Mapping[str, JsonValue],
    recorder: TrialRecorder,
    world: _World,
    scratch: Path,
    services: Services,
    wrap: Wrap,
) -> Outcome:
    cell = planned.cell
    try:
        kind = load_kind(cell.scenario.spec.environment.kind)
        opening = Opening.of_task(cell.scenario, cell.task, planned.seed, scratch, services)
        world.environment = wrap(await kind.open(opening))
    except Exception as error:  # noqa: BLE001 - whatever an environment raises on opening is on its account
        world.blame("could not be opened", error)
        return Outcome(state="completed")
    world.facts = dict(world.environment.facts)
    context = trial_context(planned, world.environment, models, parameters, recorder)
    outcome = await run_scaffold(compiled, context)
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            world.final_state = await world.environment.final_state()
    except Exception as error:  # noqa: BLE001 - as on opening
        world.blame("its final state could not be taken", error)
    return outcome


def trial_context(
    planned: PlannedTrial,
    environment: Environment,
    models: Mapping[str, Model],
    parameters: Mapping[str, JsonValue],
    recorder: TrialRecorder,
) -> TrialContext:
    """What a trial hands to its scaffold."""
    cell = planned.cell
    task = cell.scenario.task(cell.task)
    briefs, opening = {}, {}
    for name, role in cell.scenario.spec.roles.items():
        names = {"input": task.input, "task": task.id, "role": name}
        briefs[name] = render(role.brief, names)
        opening[name] = render(task.brief if role.opening is None else role.opening, names)
    return TrialContext(
        environment=environment,
        models=models,
        seats=cell.seats,
        tools=cell.tools,
        briefs=briefs,
        opening=opening,
        input=task.input,
        task=task.id,
        limits=cell.limits,
        parameters=parameters,
        seed=planned.sampling_seed,
        recorder=recorder,
    )


async def _close(world: _World) -> None:
    """Close the environment whatever happened, also while the trial is being cancelled."""
    if world.environment is None:
        return
    closing = asyncio.ensure_future(world.environment.close())
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            await asyncio.shield(closing)
    except asyncio.CancelledError:
        await asyncio.wait([closing], timeout=CLOSING_SECONDS)
        raise
    except Exception as error:  # noqa: BLE001 - as on opening
        closing.cancel()
        world.blame("could not be closed", error)


def trial_row(
    planned: PlannedTrial,
    outcome: Outcome,
    recorder: TrialRecorder,
    facts: Mapping[str, JsonValue],
    started: datetime,
) -> TrialRow:
    """The header of a trial's record."""
    cell = planned.cell
    totals = recorder.totals()
    sandbox = facts.get("sandbox")
    return TrialRow(
        trial=planned.name,
        cell=cell.digest,
        scenario=cell.scenario.spec.name,
        task=cell.task,
        family=cell.family,
        scaffold=cell.scaffold.spec.name,
        models={role: loaded.name for role, loaded in cell.models.items()},
        model=cell.model,
        repeat=planned.repeat,
        attempt=planned.attempt,
        seed=planned.seed,
        scenario_hash=cell.scenario.task_digests[cell.task],
        scaffold_hash=cell.scaffold.digest,
        models_hash=cell.models_digest,
        tools_hash=cell.tools_digest,
        measures_hash=cell.scenario.measures_digest,
        situation_hash=cell.situation,
        state=outcome.state,
        limit=outcome.limit,
        fault=outcome.fault,
        error=redact(outcome.error) if outcome.error else None,
        answer=outcome.answer,
        steps=outcome.steps,
        turns=totals.turns,
        prompt_tokens=totals.prompt_tokens,
        completion_tokens=totals.completion_tokens,
        cost=totals.cost,
        seconds=outcome.seconds,
        waited=outcome.waited or totals.waited,
        retries=totals.retries,
        started=started.isoformat(timespec="milliseconds"),
        sandbox=str(sandbox) if sandbox is not None else None,
        harness=__version__,
    )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500] if text else type(error).__name__
