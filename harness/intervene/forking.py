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
from harness.intervene.moments import Moment, answered_calls, digests_behind, moment
from harness.intervene.origin import Origin, named_models
from harness.intervene.planning import Asked, Expected, expected_after, intervention_sweep, moment_cell
from harness.record import CallEvent, TrialDocument, TrialRow
from harness.run import Cell
from harness.spec import digest
from harness.spec.resolved import LoadedModel

MOST_COURSE = 24
"""Recorded calls after a moment that are told with it."""
LONGEST_ACTION = 120
MOST_ALSO = 50
"""Other trials that came to a state, told with it."""


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
    courses = _courses(origin, chosen)
    also = _also(origin, courses)
    for trial, course in courses.items():
        document, row = origin.record(trial).document, course.row
        behind = digests_behind(document)
        for at, found in sorted(course.chosen.items()):
            by = (makers or {}).get(found.name, ())
            detail: dict[str, JsonValue] = {
                "score": row.score, "passed": row.passed, "state": row.state, "makers": [*by],
                "course": [*_deeds(document, at, course.until(at))], "also": also.get(found.name, []),
            }  # fmt: skip
            cost = expected_after(document, at)
            for model in models.values():
                cell = _cell(origin, row, behind[at], found, model, wishes, detail)
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
    behind: str,
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
        origin, row, behind, found, model, kind="fork", role=wishes.role, prefix=played, factors=factors, detail=told,
        same_chance=wishes.same_chance,
    )  # fmt: skip


@dataclass
class _Course:
    """Which moments of a trial are known, chosen from it or the same as one chosen from another."""

    row: TrialRow
    of: int
    chosen: dict[int, Moment]
    shared: dict[int, str]
    """k -> name of the moment of another trial that is the same state."""

    def until(self, at: int) -> int:
        """The next known moment, or the end."""
        return min((k for k in (*self.chosen, *self.shared) if k > at), default=self.of)


def _courses(origin: Origin, chosen: Sequence[tuple[TrialRow, Moment]]) -> dict[str, _Course]:
    """Trial -> its course, in the order chosen; documents are read one after another."""
    made: dict[str, _Course] = {}
    for row, found in chosen:
        made.setdefault(row.trial, _Course(row, found.of, {}, {})).chosen[found.at] = found
    places = sorted({found.at for _, found in chosen})
    contents: dict[str, dict[int, str]] = {}
    for trial, course in made.items():
        behind = digests_behind(origin.record(trial).document) if len(made) > 1 else []
        row = course.row
        world = (row.scenario_hash, row.scaffold_hash, row.tools_hash, row.seed)
        contents[trial] = {at: digest([*world, behind[at]]) for at in places if at < course.of and behind}
    owner = {contents[row.trial][found.at]: found.name for row, found in chosen if len(made) > 1}
    for trial, course in made.items():
        known = {at: owner[key] for at, key in contents[trial].items() if key in owner}
        course.shared = {at: name for at, name in known.items() if at not in course.chosen}
    return made


def _also(origin: Origin, courses: Mapping[str, _Course]) -> dict[str, list[JsonValue]]:
    """Name of a moment -> the other trials that came to the same state, and what they did from there."""
    found: dict[str, list[JsonValue]] = {}
    for trial, course in courses.items():
        document = origin.record(trial).document if course.shared else None
        for at, name in course.shared.items():
            assert document is not None  # noqa: S101 - it shares some
            done: list[JsonValue] = [*_deeds(document, at, course.until(at))]
            told: JsonValue = {"trial": trial, "at": at, "prefix": course.row.model, "course": done}
            if len(found.setdefault(name, [])) < MOST_ALSO:
                found[name].append(told)
    return found


def _deeds(document: TrialDocument, at: int, until: int) -> list[str]:
    return [_deed(event) for _, event in answered_calls(document)[at : min(until, at + MOST_COURSE)]]


def _deed(event: CallEvent) -> str:
    """What was chosen in one call, in one line."""
    text = "; ".join(action.key for action in event.actions) or "nothing"
    return text if len(text) <= LONGEST_ACTION else f"{text[: LONGEST_ACTION - 3]}..."


def _notes(wishes: Wishes) -> list[str]:
    if not wishes.same_chance:
        return []
    return ["same chance: each trial draws as the recorded one did, so it checks the way and says nothing of the value"]
