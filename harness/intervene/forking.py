"""Forks: recorded moments gone on with by each model, as often as is asked for.

One moment of one trial, or moments of a whole sweep. Forks of one sweep gather in one folder: what an earlier fork
asked for stays asked for, and a cell is named by the moment, the content behind it and the models that go on, so that
siblings never take each other's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from harness.errors import UserError
from harness.intervene.carrying import Continued
from harness.intervene.moments import Moment, answered_calls, moment
from harness.intervene.origin import Origin, named_models
from harness.intervene.planning import Asked, Expected, expected_after, intervention_sweep, moment_cell
from harness.record import CallEvent, TrialDocument, TrialRow
from harness.run import Cell
from harness.spec.resolved import LoadedModel

MOST_COURSE = 24
"""Recorded calls after a moment that are told with it."""
LONGEST_ACTION = 120


@dataclass(frozen=True)
class Wishes:
    """What is asked of a fork beside its moments."""

    models: Sequence[str]
    """Short names or litellm strings; empty for those of the sweep."""
    repeats: int
    budget: float | None
    name: str | None = None
    role: str | None = None
    """Scaffold role that is handed over; None for all that the trial's crossed model played."""
    same_chance: bool = False
    """Models draw as they did in the recorded trial."""
    models_file: Path | None = None
    concurrency: int | None = None


def fork_at(origin: Origin, trial: str, at: int, wishes: Wishes) -> Asked:
    """A fork of one trial, by its id or the beginning of it, from its moment `at`.

    Raises `UserError` for a moment that it has not, and for the end, where nothing follows.
    """
    record = origin.record(trial)
    row = record.row
    found = moment(row.trial, record.document, at)
    if found.key is None:
        raise UserError(
            f"trial {row.trial} has {found.of} answered calls: at {at} it was over, so there is nothing to go on with; "
            f"fork it at 0 to {found.of - 1}"
            if found.of
            else f"trial {row.trial} has no answered call, so there is no moment to go on from"
        )
    return fork_from(origin, [(row, found)], wishes, {"trial": row.trial, "at": at})


def fork_from(
    origin: Origin,
    chosen: Sequence[tuple[TrialRow, Moment]],
    wishes: Wishes,
    options: Mapping[str, JsonValue],
    notes: Sequence[str] = (),
    makers: Mapping[str, Sequence[str]] | None = None,
) -> Asked:
    """A fork from each of these moments with each model.

    `options` are kept in the lock; `makers` names the models whose trials came to a moment, by its name.

    Raises `UserError` for models, roles or names that there are not.
    """
    if wishes.same_chance and wishes.repeats > 1:
        raise UserError("with --same-chance every repeat would draw the same: leave -n at 1")
    models = named_models(origin, wishes.models or origin.sweep.spec.models, wishes.models_file)
    name = wishes.name or f"{origin.name}-fork"
    sweep = intervention_sweep(
        origin, name, models, repeats=wishes.repeats, budget=wishes.budget, concurrency=wishes.concurrency
    )
    cells: dict[str, Cell] = {}
    expected: dict[str, Expected] = {}
    for row, found, document, until in _with_documents(origin, chosen):
        detail = _detail(row, document, found, until, (makers or {}).get(found.name, ()))
        cost = expected_after(document, found.at)
        for model in models.values():
            cell = _cell(origin, row, document, found, model, wishes, detail)
            cells[cell.digest] = cell
            expected[cell.digest] = cost
    asked: dict[str, JsonValue] = {"of": origin.name, **options, "models": [*models], "repeats": wishes.repeats}
    asked |= {"role": wishes.role} if wishes.role is not None else {}
    asked |= {"same_chance": True} if wishes.same_chance else {}
    return Asked(
        "fork", name, sweep, list(cells.values()), Continued(origin), asked, expected, [*notes, *_notes(wishes)],
        adds=True,
    )  # fmt: skip


def _cell(
    origin: Origin,
    row: TrialRow,
    document: TrialDocument,
    found: Moment,
    model: LoadedModel,
    wishes: Wishes,
    detail: Mapping[str, JsonValue],
) -> Cell:
    factors: dict[str, JsonValue] = {"moment": found.name}
    if wishes.role is not None:
        factors["handed"] = wishes.role
    played = None if wishes.role is None else row.models.get(wishes.role)
    told = {**detail, **({"chance": "same"} if wishes.same_chance else {})}
    return moment_cell(
        origin, row, document, found, model, kind="fork", role=wishes.role, prefix=played, factors=factors, detail=told,
        same_chance=wishes.same_chance,
    )  # fmt: skip


def _with_documents(
    origin: Origin, chosen: Sequence[tuple[TrialRow, Moment]]
) -> list[tuple[TrialRow, Moment, TrialDocument, int]]:
    """(trial, moment, its document, k of the next moment chosen of that trial, or its end), trial by trial."""
    by_trial: dict[str, list[tuple[TrialRow, Moment]]] = {}
    for row, found in chosen:
        by_trial.setdefault(row.trial, []).append((row, found))
    made = []
    for trial, listed in by_trial.items():
        document = origin.record(trial).document
        listed = sorted(listed, key=lambda item: item[1].at)
        ends = [found.at for _, found in listed[1:]] + [listed[0][1].of]
        made += [(row, found, document, until) for (row, found), until in zip(listed, ends, strict=True)]
    return made


def _detail(
    row: TrialRow, document: TrialDocument, found: Moment, until: int, makers: Sequence[str]
) -> dict[str, JsonValue]:
    """What the analysis sets beside the continuations: how the trial ended that the moment is of, and its course."""
    calls = answered_calls(document)[found.at : min(until, found.at + MOST_COURSE)]
    course: list[JsonValue] = [_deed(event) for _, event in calls]
    return {
        "score": row.score, "passed": row.passed, "state": row.state, "scenario": row.scenario, "task": row.task,
        "scaffold": row.scaffold, "course": course, "makers": [*makers],
    }  # fmt: skip


def _deed(event: CallEvent) -> str:
    """What was chosen in one call, in one line."""
    text = "; ".join(action.key for action in event.actions) or "nothing"
    return text if len(text) <= LONGEST_ACTION else f"{text[: LONGEST_ACTION - 3]}..."


def _notes(wishes: Wishes) -> list[str]:
    if not wishes.same_chance:
        return []
    return ["same chance: each trial draws as the recorded one did, so it checks the way and says nothing of the value"]
