"""Relays: of a recorded trial a share is kept, and the rest is run by the same or another model.

For every recorded trial of a model P, every model S and every share f of the trial, the first replies of P are behind
the moment and S goes on: both ways, and with the sham swaps of P to P as control. A share of 0 is S alone from the
beginning, whoever might have begun; a share of 1 is P's trial to its end, with nothing asked of anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from harness.errors import UserError
from harness.intervene.carrying import Continued
from harness.intervene.moments import answered_calls, moment
from harness.intervene.origin import Origin, named_models
from harness.intervene.planning import Asked, Expected, expected_after, intervention_sweep, moment_cell
from harness.record import TrialDocument, TrialRow
from harness.run import Cell
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
    """Recorded trials taken of each model, task and scaffold."""
    tasks: Sequence[str] = ()
    role: str | None = None
    """The scaffold role that is handed over; all that the crossed model plays when None."""
    budget: float | None = 1.0
    name: str | None = None
    models_file: Path | None = None
    concurrency: int | None = None


def relay_sweep(origin: Origin, wishes: Wishes) -> Asked:
    """The relay of a recorded sweep.

    Raises `UserError` for shares, models and tasks that there are not, and where no trial has a moment to swap at.
    """
    shares = _shares(wishes.at)
    models = named_models(origin, wishes.models or origin.sweep.spec.models, wishes.models_file)
    rows, notes = _chosen(origin, wishes, list(models))
    name = wishes.name or f"{origin.name}-relay"
    sweep = intervention_sweep(
        origin, name, models, repeats=wishes.repeats, budget=wishes.budget, concurrency=wishes.concurrency
    )
    cells: dict[str, Cell] = {}
    expected: dict[str, Expected] = {}
    short = 0
    for row in rows:
        document = origin.record(row.trial).document
        calls = len(answered_calls(document))
        for share in shares:
            at = behind(share, calls)
            if at is None:
                short += 1
                continue
            for model in _suffixes(row, share, models):
                cell = _cell(origin, row, document, at, share, model, wishes.role)
                cells[cell.digest] = cell
                expected[cell.digest] = expected_after(document, at)
    if short:
        notes.append(f"{short} shares left out: a trial of fewer than two calls has no moment between its ends")
    if not cells:
        raise UserError(f"{origin.name}: no trial of {', '.join(models)} has a moment to swap at")
    options: dict[str, JsonValue] = {
        "of": origin.name, "models": list(models), "at": list(shares), "repeats": wishes.repeats, "most": wishes.most,
        "tasks": list(wishes.tasks), "role": wishes.role,
    }  # fmt: skip
    return Asked("relay", name, sweep, list(cells.values()), Continued(origin), options, expected, notes)


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


def _shares(given: Sequence[float]) -> list[float]:
    found = sorted(dict.fromkeys(float(share) for share in given))
    if not found or not all(0.0 <= share <= 1.0 for share in found):
        raise UserError("--at takes shares of a trial from 0 to 1, with commas: --at 0,.25,.5,.75,1")
    return found


def _chosen(origin: Origin, wishes: Wishes, models: Sequence[str]) -> tuple[list[TrialRow], list[str]]:
    """The recorded trials that are handed over, and what is to be said of those left out."""
    rows = [row for row in origin.rows if row.model in models]
    known = {row.task for row in rows}
    for task in wishes.tasks:
        if task not in known:
            raise UserError(
                f"{origin.name}: no trial of task {task!r} is recorded; there are {', '.join(sorted(known))}"
            )
    rows = [row for row in rows if not wishes.tasks or row.task in wishes.tasks]
    # Models vary fastest, so that what the day does to providers falls on all alike.
    rows.sort(key=lambda row: (row.scenario, row.task, row.scaffold, row.repeat, models.index(row.model)))
    missing = [model for model in models if model not in {row.model for row in rows}]
    if missing:
        raise UserError(
            f"{origin.name}: no trial of {', '.join(missing)} is recorded that could be handed over; a relay is of "
            f"models that the sweep has run: {', '.join(sorted({row.model for row in origin.rows})) or 'none'}"
        )
    if wishes.most is None:
        return rows, []
    taken: Counter[tuple[str, str, str, str]] = Counter()
    kept = []
    for row in rows:
        key = (row.scenario, row.task, row.scaffold, row.model)
        taken[key] += 1
        if taken[key] <= wishes.most:
            kept.append(row)
    left = len(rows) - len(kept)
    return kept, [f"{left} recorded trials left out: at most {wishes.most} of a model and task"] if left else []


def _suffixes(row: TrialRow, share: float, models: dict[str, LoadedModel]) -> list[LoadedModel]:
    """Who goes on: everybody, but alone at the ends, where there is nobody else."""
    return [models[row.model]] if share in (0.0, 1.0) else list(models.values())


def _cell(
    origin: Origin, row: TrialRow, document: TrialDocument, at: int, share: float, model: LoadedModel, role: str | None
) -> Cell:
    return moment_cell(
        origin, row, document, moment(row.trial, document, at), model, kind="relay", role=role,
        prefix=row.model, factors={"prefix": row.model, "at": share}, detail={"repeat": row.repeat},
    )  # fmt: skip
