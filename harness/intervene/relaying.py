"""Relays: of a recorded trial a share is kept, and the rest is run by the same or another model.

For every recorded trial of a model P, every model S and every share f of the trial, the first replies of P are behind
the moment and S goes on: both ways, and with the sham swaps of P to P as control. A share of 0 is S alone from the
beginning, whoever might have begun; a share of 1 is P's trial to its end, with nothing asked of anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from harness.environments import Services
from harness.errors import UserError
from harness.intervene.carrying import Continued
from harness.intervene.drift import drift_on_the_way, marked
from harness.intervene.moments import Moment, digests_behind, moment, replies_behind, unanswered_calls
from harness.intervene.origin import Origin, named_models
from harness.intervene.planning import Asked, Expected, expected_after, intervention_sweep, moment_cell
from harness.intervene.replaying import NOT_AGAIN
from harness.intervene.states import check_origin
from harness.intervene.surfaces import surfaced_world
from harness.intervene.way import Way
from harness.models import Model
from harness.record import TrialRow
from harness.run import Cell, PlannedTrial
from harness.run.trial import TrialRun, run_trial
from harness.scaffolds import CompiledScaffold
from harness.spec import digest
from harness.spec.resolved import LoadedModel

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Wishes:
    """What is asked of a relay."""

    models: Sequence[str] = ()
    """Empty for those of the sweep."""
    at: Sequence[float] = SHARES
    """Shares of the recorded trial, in [0, 1]."""
    repeats: int = 1
    """Continuations of each moment."""
    most: int | None = None
    """Recorded trials taken of each model, task and scaffold (and of each choice of who else plays)."""
    tasks: Sequence[str] = ()
    role: str | None = None
    """The scaffold role that is handed over; all that the crossed model plays when None."""
    budget: float | None = 1.0
    name: str | None = None
    models_file: Path | None = None
    concurrency: int | None = None


class Relayed(Continued):
    """Goes on from moments; a trial that is kept whole has nobody to ask."""

    async def run(
        self,
        trial: PlannedTrial,
        compiled: CompiledScaffold,
        models: Mapping[str, Model],
        parameters: Mapping[str, JsonValue],
        services: Services,
    ) -> TrialRun:
        """Go on from the moment; at a share of 1 take the trial to its end, where any other call is a fault."""
        line = trial.cell.lineage
        if line is None or line.origin is None or line.factors.get("at") != 1.0:
            return await super().run(trial, compiled, models, parameters, services)
        row, recorded = self._origin.recorded(line.origin)
        base = self._origin.cell(row)
        way = Way(replies_behind(recorded, line.at), strict=True, unanswered=unanswered_calls(recorded))
        surface = surfaced_world(base.lineage)
        run = await run_trial(
            trial, compiled, {role: way.model(model) for role, model in models.items()}, parameters, services,
            lambda world: way.environment(surface(world)),
        )  # fmt: skip
        found = drift_on_the_way(recorded, run.record, moment(line.origin, recorded, line.at))
        document = marked(run.record.document, found)
        return replace(run, record=run.record.model_copy(update={"drift": found, "document": document}))


def relay_sweep(origin: Origin, wishes: Wishes) -> Asked:
    """The relay of a recorded sweep.

    Raises `UserError` for shares, models, roles and tasks that there are not, for a model that is another than the one
    recorded under its name, and where no trial has a moment to swap at.
    """
    check_origin(origin)
    shares = _shares(wishes.at)
    models = named_models(origin, wishes.models or origin.sweep.spec.models, wishes.models_file)
    rows, notes = _chosen(origin, wishes, list(models))
    name = wishes.name or f"{origin.name}-relay"
    sweep = intervention_sweep(
        origin, name, models, repeats=wishes.repeats, budget=wishes.budget, concurrency=wishes.concurrency
    )
    cells: dict[str, Cell] = {}
    expected: dict[str, Expected] = {}
    short = cut = 0
    for row in rows:
        _check_same(origin, row, models, wishes.role)
        document = origin.record(row.trial).document
        digests = digests_behind(document)
        calls = len(digests) - 1
        for share in shares:
            at = behind(share, calls)
            if at is None:
                short += 1
                continue
            if share == 1.0 and row.limit in NOT_AGAIN:
                cut += 1
                continue
            for model in _suffixes(began(row, wishes.role), share, models):
                cell = _cell(origin, row, (moment(row.trial, document, at), digests[at]), share, model, wishes.role)
                cells[cell.digest] = cell
                expected[cell.digest] = expected_after(document, at)
    if short:
        notes.append(f"{short} shares left out: a trial of fewer than two calls has no moment between its ends")
    if cut:
        notes.append(
            f"{cut} trials left out at share 1: they ended by the clock or by what fits the model's context, which "
            "their replies alone do not bring about again"
        )
    if not cells:
        raise UserError(f"{origin.name}: no trial of {', '.join(models)} has a moment to swap at")
    options: dict[str, JsonValue] = {
        "of": origin.name, "models": list(models), "at": list(shares), "repeats": wishes.repeats, "most": wishes.most,
        "tasks": list(wishes.tasks), "role": wishes.role,
    }  # fmt: skip
    return Asked("relay", name, sweep, list(cells.values()), Relayed(origin), options, expected, notes)


def behind(share: float, calls: int) -> int | None:
    """How many of a trial's calls a share keeps: between its ends at least one, and not all; None where none is.

    Half a call is rounded up.
    """
    if share <= 0.0:
        return 0
    if share >= 1.0:
        return calls
    if calls < 2:
        return None
    return min(max(int(share * calls + 0.5), 1), calls - 1)


def began(row: TrialRow, role: str | None) -> str:
    """Short name of the model that is handed over from: who played the role, else the one that was crossed.

    Raises `UserError` for a role that the scaffold has not.
    """
    if role is None:
        return row.model
    if role not in row.models:
        raise UserError(f"{row.scaffold} has no role {role!r}; it has {', '.join(row.models)}")
    return row.models[role]


def _check_same(origin: Origin, row: TrialRow, models: Mapping[str, LoadedModel], role: str | None) -> None:
    """Raises `UserError` where a name means another model than it did: that swapped for itself would be no control."""
    name = began(row, role)
    played = role if role is not None else next(r for r, known in row.models.items() if known == name)
    if origin.cell(row).models[played].digest != models[name].digest:
        raise UserError(
            f"model {name!r} is not what {origin.name} was run with under that name, and swapping it for itself would "
            "be no control; give it another name in the models file"
        )


def _shares(given: Sequence[float]) -> list[float]:
    found = sorted(dict.fromkeys(float(share) for share in given))
    if not found or not all(0.0 <= share <= 1.0 for share in found):
        raise UserError("--at takes shares of a trial from 0 to 1, with commas: --at 0,.25,.5,.75,1")
    return found


def _chosen(origin: Origin, wishes: Wishes, models: Sequence[str]) -> tuple[list[TrialRow], list[str]]:
    """The recorded trials that are handed over, and what is to be said of those left out."""
    role = wishes.role
    rows = [row for row in origin.rows if began(row, role) in models]
    known = {row.task for row in origin.rows}
    for task in wishes.tasks:
        if task not in known:
            raise UserError(
                f"{origin.name}: no trial of task {task!r} is recorded; there are {', '.join(sorted(known))}"
            )
    rows = [row for row in rows if not wishes.tasks or row.task in wishes.tasks]
    # Models vary fastest, so that what the day does to providers falls on all alike.
    rows.sort(key=lambda row: (row.scenario, row.task, row.scaffold, row.repeat, models.index(began(row, role))))
    missing = [model for model in models if model not in {began(row, role) for row in rows}]
    if missing:
        there = ", ".join(sorted({began(row, role) for row in origin.rows})) or "none"
        raise UserError(
            f"{origin.name}: no trial of {', '.join(missing)} is recorded that could be handed over; a relay is of "
            f"models that {'the sweep has run' if role is None else f'have played {role}'}: {there}"
        )
    if wishes.most is None:
        return rows, []
    taken: Counter[tuple[object, ...]] = Counter()
    kept = []
    for row in rows:
        name = began(row, role)
        others = [(r, m) for r, m in sorted(row.models.items()) if (r != role if role is not None else m != name)]
        key = (row.scenario, row.task, row.scaffold, name, *others)
        taken[key] += 1
        if taken[key] <= wishes.most:
            kept.append(row)
    left = len(rows) - len(kept)
    return kept, [f"{left} recorded trials left out: at most {wishes.most} of a model and task"] if left else []


def _suffixes(prefix: str, share: float, models: dict[str, LoadedModel]) -> list[LoadedModel]:
    """Who goes on: everybody, but alone at the ends, where there is nobody else."""
    return [models[prefix]] if share in (0.0, 1.0) else list(models.values())


def _cell(
    origin: Origin, row: TrialRow, state: tuple[Moment, str], share: float, model: LoadedModel, role: str | None
) -> Cell:
    """A cell for each trial that is handed over at a state: two that began alike, to the letter, are still two."""
    there, behind = state
    prefix = began(row, role)
    cell = moment_cell(
        origin, row, behind, there, model, kind="relay", role=role,
        prefix=prefix, factors={"prefix": prefix, "at": share}, detail={"repeat": row.repeat},
    )  # fmt: skip
    return replace(cell, digest=digest([cell.digest, row.trial]))
