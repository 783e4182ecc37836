"""Probes: what each model would do next at recorded moments. Nothing is executed, and no environment is opened.

The request is made by the scaffold's own code: the recorded thread is laid into a lane, and the node is visited there
as in any trial. Before anybody is asked, what that comes to is held to the record: the messages, the tools offered and
the response format have to be those of the recorded call. The record of a probe is a trial with that one call in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import JsonValue

from harness.environments import Environment, Services
from harness.errors import UserError
from harness.intervene.makers import written_by_others
from harness.intervene.moments import Moment, call_key, digests_behind, moment
from harness.intervene.origin import Origin, named_models
from harness.intervene.planning import Asked, Expected, expected_after, intervention_sweep, moment_cell
from harness.intervene.states import Selected
from harness.intervene.way import Way
from harness.models import CallKey, Message, Model
from harness.record import CallEvent, TrialDocument, TrialRow, message_hash, requested_messages
from harness.record.builder import content_hash
from harness.run import Cell, PlannedTrial
from harness.run.recording import TrialRecorder
from harness.run.trial import TrialRun, trial_context, trial_record, trial_row
from harness.scaffolds import CompiledScaffold, Outcome
from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import TrialEnd, boundary
from harness.scaffolds.nodes.generate import generate
from harness.scaffolds.state import Visit, new_lane
from harness.spec import digest
from harness.spec.loading.seating import seated
from harness.spec.resolved import LoadedModel
from harness.spec.scaffold import GenerateNode, Scaffold

MOST_NAMED = 3
"""Moments that a note names of those left out for one reason."""
STEP = 1
"""Of the one call, in the record of the probe."""


@dataclass(frozen=True)
class Wishes:
    """What is asked of a probe beside its moments."""

    models: Sequence[str]
    """Short names or litellm strings; empty for those of the sweep."""
    repeats: int
    budget: float | None
    name: str | None = None
    models_file: Path | None = None
    concurrency: int | None = None


class NotTheSame(UserError):
    """The request would not be the recorded one."""


@dataclass(frozen=True)
class _Frozen:
    """A recorded call that can be made again."""

    node: GenerateNode
    key: CallKey
    messages: list[Message]


class AskOnce:
    """Trials that are one call each."""

    graded = False

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    async def check(self, trial: PlannedTrial, services: Services, tell: Callable[[str], None]) -> None:
        """Nothing: no environment is opened."""

    async def run(
        self,
        trial: PlannedTrial,
        compiled: CompiledScaffold,
        models: Mapping[str, Model],
        parameters: Mapping[str, JsonValue],
        services: Services,
    ) -> TrialRun:
        """Ask once what the model would do; whatever keeps it from answering is recorded as in any trial."""
        started, began = datetime.now(UTC), time.monotonic()
        recorder = TrialRecorder()
        outcome = Outcome(state="fault", fault="harness", error="the call was not made")
        cancelled = False
        try:
            outcome = await self._ask(trial, models, parameters, recorder)
        except asyncio.CancelledError:
            cancelled = True
        row = trial_row(trial, outcome, recorder, {}, started)
        if cancelled:
            row = row.model_copy(
                update={"state": "cancelled", "fault": None, "error": "cancelled", "seconds": time.monotonic() - began}
            )
        return TrialRun(trial_record(trial, row, outcome, recorder, {}, None), recorder.provider_fault)

    async def _ask(
        self,
        trial: PlannedTrial,
        models: Mapping[str, Model],
        parameters: Mapping[str, JsonValue],
        recorder: TrialRecorder,
    ) -> Outcome:
        acting: Acting | None = None
        try:
            with boundary("harness"):
                line = trial.cell.lineage
                assert line is not None and line.origin is not None and line.role is not None  # noqa: S101 - of a probe
                row, recorded = self._origin.recorded(line.origin)
                model = trial.cell.models[line.role]
                others = written_by_others(self._origin, row, recorded, line.at, model)
                translate = None if others is None else others.towards(model)
                asked = {**models, line.role: Way({}).model(models[line.role], translate)}
                acting = _acting(trial, asked, parameters, recorder)
                frozen = freeze(recorded, moment(line.origin, recorded, line.at), acting)
                await _visit(frozen, acting)
        except TrialEnd as end:
            if recorder.totals().turns == 0:  # a reply is a reply, also where it would have ended the trial
                state: Literal["limit", "fault"] = "limit" if end.limit is not None else "fault"
                ended = Outcome(state, end.limit, end.fault, end.error, end.detail)
                return ended if acting is None else _timed(ended, acting)
        assert acting is not None  # noqa: S101 - somebody has answered
        return _timed(Outcome("completed"), acting)


def freeze(document: TrialDocument, at: Moment, acting: Acting) -> _Frozen:
    """The call that follows a moment, as the scaffold would make it again.

    Raises `NotTheSame` where that is not the recorded one.
    """
    if at.following is None or at.key is None:
        raise NotTheSame("nothing follows that could be asked again")
    event = document.events[at.following]
    assert isinstance(event, CallEvent)  # noqa: S101 - moments stand before calls
    node = acting.flat.nodes.get(event.node)
    if not isinstance(node, GenerateNode) or event.role not in acting.flat.roles:
        raise NotTheSame(f"the scaffold has no node {event.node} at which {event.role} is asked")
    messages = requested_messages(document, at.following)
    if [message_hash(message) for message in messages] != _requested_hashes(document, at.following):
        raise NotTheSame("the record does not hold its messages as they were sent")
    offer = acting.offer(event.role, node.tools, messages)
    if _hash(offer.schemas) != event.tools:
        raise NotTheSame("the tools offered are no longer those of the record")
    if _hash(offer.response_format) != event.response_format:
        raise NotTheSame("the response format is no longer that of the record")
    return _Frozen(node, call_key(event), messages)


def probe_states(origin: Origin, selected: Selected, wishes: Wishes, options: Mapping[str, JsonValue]) -> Asked:
    """A probe of these moments: every model asked `wishes.repeats` times at each.

    Moments whose call cannot be made again exactly are left out and noted. Raises `UserError` where none is left, and
    for models that are one and the same.
    """
    name = wishes.name or f"{origin.name}-probe"
    models = named_models(origin, wishes.models or origin.sweep.spec.models, wishes.models_file)
    _check_different(models)
    sweep = intervention_sweep(
        origin, name, models, repeats=wishes.repeats, budget=wishes.budget, concurrency=wishes.concurrency
    )
    cells: list[Cell] = []
    expected: dict[str, Expected] = {}
    left_out: dict[str, list[str]] = {}
    wanted = {row.trial: row for row, _ in selected.moments}
    by_trial: dict[str, list[Moment]] = {}
    for row, at in selected.moments:
        by_trial.setdefault(row.trial, []).append(at)
    for trial, document in origin.store.documents(wanted):
        behind = digests_behind(document)
        for at in by_trial[trial]:
            try:
                made = _cells(
                    origin, wanted[trial], document, (at, behind[at.at]), models, selected.makers.get(at.name, [])
                )
            except NotTheSame as difference:
                left_out.setdefault(str(difference), []).append(at.name)
                continue
            cost = expected_after(document, at.at, only_next=True)
            expected |= {cell.digest: cost for cell in made}
            cells += made
    notes = [*selected.notes, *(_left_out(why, names) for why, names in left_out.items())]
    if not cells:
        raise UserError(f"{origin.name}: none of the states can be probed: {next(iter(left_out))}")
    if wishes.repeats < 2:
        notes.append("Each model is asked once: what its own replies differ by, the floor, takes -n 2 or more.")
    if len(models) < 2:
        notes.append("One model is asked: a probe tells models apart, and there is no other one; see --models.")
    kept: dict[str, JsonValue] = {"of": origin.name, **options, "left_out": sum(map(len, left_out.values()))}
    return Asked("probe", name, sweep, cells, AskOnce(origin), kept, expected, notes)


def _cells(
    origin: Origin,
    row: TrialRow,
    document: TrialDocument,
    state: tuple[Moment, str],
    models: Mapping[str, LoadedModel],
    makers: Sequence[str],
) -> list[Cell]:
    """The cells of one state (and the digest behind it), one a model, after its call has been held to the record."""
    at, behind = state
    if at.following is None or at.key is None:
        raise NotTheSame("nothing follows that could be asked again")
    base = origin.cell(row)
    event = document.events[at.following]
    assert isinstance(event, CallEvent)  # noqa: S101 - moments stand before calls
    if row.models.get(at.key.role) != row.model:
        raise NotTheSame("another role is asked there, whose model the sweep holds still")
    names = list(makers) or [row.model]
    made_by = {known.digest for name in names if (known := origin.sweep.models.get(name)) is not None}
    made_by.add(base.models[at.key.role].digest)
    found: list[Cell] = []
    for model in models.values():
        detail: dict[str, JsonValue] = {
            "made_by": cast(JsonValue, names), "own": model.digest in made_by, "family": base.family,
            "lane": at.key.lane, "visit": at.key.visit, "trials": len(names),
            "did": [{"kind": action.kind, "name": action.name} for action in event.actions],
        }  # fmt: skip
        cell = moment_cell(
            origin, row, behind, at, model, kind="probe", role=None, factors={"moment": at.name}, detail=detail
        )
        if not found:
            freeze(document, at, _acting(PlannedTrial(cell, 1, 1), {}, origin.sweep.spec.parameters, TrialRecorder()))
        found.append(cell)
    return found


def _acting(
    trial: PlannedTrial, models: Mapping[str, Model], parameters: Mapping[str, JsonValue], recorder: TrialRecorder
) -> Acting:
    """The trial as the scaffold's nodes see it, where there is no world to act in."""
    flat: Scaffold = seated(trial.cell.scaffold.flat, trial.cell.seats)
    context = trial_context(trial, cast(Environment, _Nowhere()), models, parameters, recorder)
    return Acting(flat, replace(context, seed=_seed(trial)))


def _seed(trial: PlannedTrial) -> int:
    """Of what is drawn, 31 bits: another for each repeat and model, and each state.

    What states draw must not go together, or a few draws would look like as many as there are states.
    """
    return int(digest(["probe", trial.sampling_seed, trial.cell.digest])[:8], 16) & 0x7FFFFFFF


def _timed(outcome: Outcome, acting: Acting) -> Outcome:
    meter = acting.meter
    return replace(outcome, steps=STEP, seconds=meter.seconds, waited=meter.waited)


class _Nowhere:
    """In the place of an environment: nothing is executed, so whatever is asked of it is a mistake."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - never returns
        raise UserError(f"a probe opens no environment, and yet its {name} was asked for")


async def _visit(frozen: _Frozen, acting: Acting) -> None:
    """Visit the node with the recorded thread. Raises `TrialEnd`."""
    key = frozen.key
    at = Visit(STEP, key.node, key.lane, key.visit, 0.0)
    lane = new_lane({key.role: frozen.messages}, dict(acting.flat.variables))
    await generate(frozen.node.model_copy(update={"role": key.role}))(at, {key.lane: lane}, acting)


def _hash(value: Any) -> str | None:  # noqa: ANN401 - schemas of any shape
    return None if value is None else content_hash(value)


def _requested_hashes(document: TrialDocument, index: int) -> list[str]:
    """The hashes under which the record names the messages of a call."""
    by_identity = {id(message): name for name, message in document.messages.items()}
    return [by_identity[id(message)] for message in requested_messages(document, index)]


def _check_different(models: Mapping[str, LoadedModel]) -> None:
    seen: dict[str, str] = {}
    for name, model in models.items():
        if model.digest in seen:
            raise UserError(
                f"models {seen[model.digest]!r} and {name!r} are one and the same; to set a model against itself, give "
                "one of its entries a `variant`"
            )
        seen[model.digest] = name


def _left_out(why: str, names: Sequence[str]) -> str:
    listed = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    return f"{len(names)} moments are left out ({listed}): {why}."
