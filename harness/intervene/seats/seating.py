"""Trading seats: which models sit where in the scenarios of a sweep, and what each seat got.

A seat is a role of the scenario; the scaffold's roles in it play one model. Every trial runs from the beginning of its
task to its end, under the digest that an ordinary sweep would give it, and on the seed that all seatings of the same
scenario, task and repeat share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from harness.errors import UserError
from harness.intervene.perturbing import Ground, chosen_models
from harness.intervene.planning import UNFIT, Asked, Expected
from harness.intervene.seats.designs import Design, full_design, square_design
from harness.record import Lineage
from harness.run import Cell, Plan, PlannedTrial, WholeTrials, estimate
from harness.run.plan import check_sweep_parameters, sweep_cells
from harness.scoring.measures import BUILT_IN_MEASURES, with_rewards
from harness.spec import did_you_mean, digest
from harness.spec.limits import SweepLimits
from harness.spec.loading.seating import seated
from harness.spec.resolved import LoadedModel, LoadedScenario, ResolvedSweep
from harness.spec.scaffold import Scaffold
from harness.spec.scenario import RewardCheck, RewardMeasure, Scenario

LARGE = 64
"""Seatings of one task up to which all of them are run unless a design is asked for."""
SCORE = "score"
_OUTCOME = re.compile(r"(1-|-)?(score|measure\.[A-Za-z0-9][A-Za-z0-9._-]*)")
DesignName = Literal["full", "square"]


@dataclass
class _Left:
    """What was left out, or done otherwise than asked."""

    notes: dict[str, None] = field(default_factory=dict)

    def say(self, note: str) -> None:
        self.notes[note] = None


def trade_seats(
    ground: Ground,
    *,
    name: str | None,
    models: Sequence[str] = (),
    models_file: Path | None = None,
    seats: Sequence[str] = (),
    outcomes: Sequence[str] = (),
    tasks: Sequence[str] = (),
    design: DesignName | None = None,
    repeats: int,
    budget: float | None,
    concurrency: int | None = None,
) -> Asked:
    """The seats of a sweep's scenarios crossed with models, worked out. Raises `UserError` for what cannot be asked."""
    chosen = chosen_models(ground, models, models_file)
    _check_models(chosen)
    called = f"{ground.name}-seats" if name is None else name
    sweep = _sweep(ground, called, chosen, tasks, repeats, budget, concurrency)
    left = _Left()
    known = list(dict.fromkeys(role for scenario in sweep.scenarios for role in scenario.spec.roles))
    for seat in seats:
        if seat not in known:
            raise UserError(f"no seat {seat!r}; the scenarios have {', '.join(known)}{did_you_mean(seat, known)}")
    wanted = _outcomes_asked(outcomes, known)
    sweep = replace(sweep, scenarios=[_with_rewards(scenario, wanted) for scenario in sweep.scenarios])
    own = {_place(cell): cell.digest for cell in reversed(list(sweep_cells(ground.sweep)))}
    cells: list[Cell] = []
    for base in sweep_cells(sweep):
        given = _crossed_seats(base, ground.sweep, seats, left)
        if given is not None:
            cells += _seatings(
                base, own[_place(base)], given, chosen, ground.name, wanted, design, sweep.spec.parameters, left
            )
    if not cells:
        raise UserError("; ".join(left.notes) or "there is nothing to seat")
    if not ground.rows:
        left.say(f"{ground.name} is not recorded, so that tokens and cost are guessed from texts and limits")
    left.say("tokens and cost of a trial stand on the account of the model in its first seat")
    listed = {**sweep.spec.model_dump(include={"tasks"}), "of": ground.name, "models": list(chosen)}
    options: dict[str, JsonValue] = {
        **listed, "seats": list(seats), "outcomes": list(outcomes), "design": design, "repeats": repeats,
    }  # fmt: skip
    final = replace(sweep, spec=sweep.spec.model_copy(update={"models": list(chosen), "tasks": None, "roles": {}}))
    expected = _expected(final, cells, ground)
    return Asked("seats", called, final, cells, WholeTrials(), options, expected, list(left.notes))


def _check_models(chosen: Mapping[str, LoadedModel]) -> None:
    if len(chosen) < 2:
        raise UserError(
            f"seats are traded between two models or more; name them with --models (now: {', '.join(chosen)})"
        )
    by_digest: dict[str, str] = {}
    for name, loaded in chosen.items():
        other = by_digest.setdefault(loaded.digest, name)
        if other != name:
            raise UserError(f"models {other} and {name} are the same; to seat one twice, give one of them a `variant`")


def _sweep(
    ground: Ground,
    name: str,
    models: Mapping[str, LoadedModel],
    tasks: Sequence[str],
    repeats: int,
    budget: float | None,
    concurrency: int | None,
) -> ResolvedSweep:
    """The sweep with its first model alone, and no role crossed: one cell for every scenario, task and scaffold."""
    if not name or UNFIT & set(name) or name.startswith("."):
        raise UserError(f"{name!r} cannot be the name of a folder; give another with --name")
    if name == ground.name:
        raise UserError(f"seats are recorded beside what they were made from: --name cannot be {name!r}")
    asked = ground.sweep.spec
    known = [t.id for s in ground.sweep.scenarios for t in s.spec.tasks if asked.tasks is None or t.id in asked.tasks]
    for task in tasks:
        if task not in known:
            raise UserError(
                f"the sweep has no task {task!r}; there are: {', '.join(known[:20])}{did_you_mean(task, known)}"
            )
    spec = asked.model_copy(
        update={
            "name": name, "models": asked.models[:1], "repeats": repeats, "contrasts": [],
            "roles": {role: found if isinstance(found, str) else found[0] for role, found in asked.roles.items()},
            "tasks": list(tasks) or asked.tasks, "budget": SweepLimits(cost=budget, seconds=None),
            "concurrency": asked.concurrency if concurrency is None else concurrency,
        }
    )  # fmt: skip
    made = replace(ground.sweep, spec=spec, models={**ground.sweep.models, **models})
    check_sweep_parameters(replace(made, models={**models}))
    return made


def _place(cell: Cell) -> tuple[str, str, str]:
    return cell.scenario.spec.name, cell.task, cell.scaffold.digest


def _crossed_seats(
    base: Cell, sweep: ResolvedSweep, only: Sequence[str], left: _Left
) -> dict[str, list[str]] | None:  # fmt: skip
    """Seat -> scaffold roles that sit there, for each seat to cross; None where there are not two."""
    scenario, flat = base.scenario.spec, seated(base.scaffold.flat, base.seats)
    fixed = {role for role, model in sweep.spec.roles.items() if isinstance(model, str)}
    seats: dict[str, list[str]] = {}
    for seat in _playing(base):
        roles = [role for role, sits in base.seats.items() if sits == seat and not _is_fixed(flat, role, fixed)]
        if roles:
            seats[seat] = roles
        elif seat in only:
            raise UserError(f"seat {seat} is held fixed by the sweep (`roles`); take it out there to cross it")
    listed = ", ".join(scenario.roles)
    if len(scenario.roles) < 2:
        left.say(f"scenario {scenario.name} has one role ({listed}); seats are traded where there are two or more")
        return None
    crossed = {seat: roles for seat, roles in seats.items() if not only or seat in only}
    if len(crossed) < 2:
        left.say(
            f"scenario {scenario.name}, task {base.task}: {len(crossed)} of its seats ({listed}) "
            f"{'is' if len(crossed) == 1 else 'are'} to be crossed; it takes two"
        )
        return None
    for seat in seats:
        if seat not in crossed:
            names = ", ".join(dict.fromkeys(base.models[role].name for role in seats[seat]))
            left.say(f"scenario {scenario.name}: seat {seat} is not crossed and is played by {names}")
    return crossed


def _playing(base: Cell) -> list[str]:
    """The scenario's roles that have a seat in the task: a task's set-up may seat some of them only."""
    task = getattr(base.scenario.setups.get(base.task), "seats", None)
    everywhere = getattr(base.scenario.options, "seats", None)
    named = next((found for found in (task, everywhere) if isinstance(found, Mapping) and found), None)
    roles = list(base.scenario.spec.roles)
    found = roles if named is None else [role for role in roles if role in named]
    return [role for role in found if role in base.seats.values()]


def _is_fixed(flat: Scaffold, role: str, fixed: set[str]) -> bool:
    asked: list[str] = []
    at: str | None = role
    while at is not None and at not in asked:
        if at in fixed:
            return True
        asked.append(at)
        at = flat.roles[at].model_of if at in flat.roles else None
    return False


def _seatings(
    base: Cell,
    own: str,
    crossed: Mapping[str, Sequence[str]],
    models: Mapping[str, LoadedModel],
    sweep: str,
    wanted: Mapping[str, str],
    asked: DesignName | None,
    parameters: Mapping[str, JsonValue],
    left: _Left,
) -> list[Cell]:
    """The cells of one task."""
    seats, names = list(crossed), list(models)
    design = _design(len(names), len(seats), asked)
    where = f"scenario {base.scenario.spec.name}"
    if asked is None and design.kind != "full":
        left.say(
            f"{where}: {len(names)}^{len(seats)} = {len(names) ** len(seats):,} seatings of {len(seats)} seats are "
            f"more than {LARGE}; {len(design.seatings)} of an orthogonal array are run (--design full for all)"
        )
    if design.note:
        left.say(f"{where}: {design.note}")
    outcomes = seat_outcomes(base.scenario.spec, seats, wanted)
    cells = []
    for seating in design.seatings:
        chosen = {seat: names[number] for seat, number in zip(seats, seating, strict=True)}
        played = {role: models[chosen[seat]] for seat in seats for role in crossed[seat]}
        cell_models = {role: played.get(role, loaded) for role, loaded in base.models.items()}
        models_digest = digest({role: loaded.digest for role, loaded in cell_models.items()})
        detail: dict[str, JsonValue] = {
            "seats": dict(chosen), "roles": {seat: list(roles) for seat, roles in crossed.items()},
            "models": list(names), "outcomes": dict(outcomes), "design": design.kind,
            "seatings": len(design.seatings),
        }  # fmt: skip
        line = Lineage(kind="seats", sweep=sweep, base=own, suffix=chosen[seats[0]], detail=detail)
        cells.append(
            replace(
                base,
                digest=_identity(base, models_digest, parameters),
                model=chosen[seats[0]],
                models=cell_models,
                models_digest=models_digest,
                lineage=line,
            )
        )
    return cells


def _design(models: int, seats: int, asked: DesignName | None) -> Design:
    if asked == "full" or (asked is None and models**seats <= LARGE):
        return full_design(models, seats)
    return square_design(models, seats)


def _identity(base: Cell, models_digest: str, parameters: Mapping[str, JsonValue]) -> str:
    """As an ordinary sweep has it (`harness.run.plan.sweep_cells`): the same trial, whoever asks for it."""
    return digest(
        {
            "task": base.scenario.task_digests[base.task],
            "scaffold": base.scaffold.digest,
            "tools": base.tools_digest,
            "models": models_digest,
            "parameters": parameters,
            "limits": base.limits.model_dump(),
        }
    )


def _outcomes_asked(outcomes: Sequence[str], seats: Sequence[str]) -> dict[str, str]:
    """Seat -> where its outcome stands, from `ROLE=MEASURE`. Raises `UserError`."""
    found = {}
    for text in outcomes:
        seat, equals, source = (part.strip() for part in text.partition("="))
        if not equals or not _OUTCOME.fullmatch(source):
            raise UserError(
                f"--outcome {text!r}: write ROLE=score, ROLE=measure.NAME, or either with - or 1- before it, such as "
                "seller=1-measure.share_of_buyer"
            )
        if seat not in seats:
            raise UserError(f"--outcome {text!r}: no seat {seat!r}; there are {', '.join(seats)}")
        if seat in found:
            raise UserError(f"--outcome: seat {seat} is given two outcomes")
        found[seat] = source
    return found


def seat_outcomes(scenario: Scenario, seats: Sequence[str], asked: Mapping[str, str]) -> dict[str, str]:
    """Seat -> column of the trials table that says what it got; empty where the score is an outcome of all.

    What is asked for, else the measure that is the environment's reward of that name. Raises `UserError` for a measure
    that the scenario has not, and where some seats have an outcome and others none.
    """
    declared = {
        m.of: f"measure.{name}" for name, m in reversed(scenario.measures.items()) if isinstance(m, RewardMeasure)
    }
    here = {seat: source for seat, source in asked.items() if seat in seats}
    for seat, source in here.items():
        name = source.removeprefix("1-").removeprefix("-").removeprefix("measure.")
        known = [*scenario.measures, *BUILT_IN_MEASURES]
        if name != SCORE and name not in known and not name.startswith("share."):
            raise UserError(
                f"--outcome {seat}={source}: scenario {scenario.name} has no measure {name!r}; it has "
                f"{', '.join(scenario.measures) or 'none of its own'}{did_you_mean(name, known)}"
            )
    found = {seat: here.get(seat) or declared.get(seat) for seat in seats}
    missing = [seat for seat, source in found.items() if source is None]
    if not missing:
        return {seat: source for seat, source in found.items() if source is not None}
    if here:
        raise UserError(
            f"scenario {scenario.name}: seat {missing[0]} has no outcome; give it one too with --outcome "
            f"{missing[0]}=measure.NAME"
        )
    return {}


def _with_rewards(scenario: LoadedScenario, asked: Mapping[str, str]) -> LoadedScenario:
    """The scenario with a measure `reward.<role>` for each role, where its environment gives rewards."""
    spec = scenario.spec
    checks = [*spec.checks, *(check for task in spec.tasks for check in task.checks)]
    rewarded = {m.of for m in spec.measures.values() if isinstance(m, RewardMeasure)}
    gives = bool(rewarded) or any(isinstance(check, RewardCheck) for check in checks)
    knows_seats = rewarded & set(spec.roles) or getattr(scenario.options, "seats", None) is not None
    missing = [role for role in spec.roles if role not in rewarded and role not in asked]
    if not gives or not knows_seats or not missing or len(spec.roles) < 2:
        return scenario
    return with_rewards(scenario, missing)


def _expected(sweep: ResolvedSweep, cells: Sequence[Cell], ground: Ground) -> dict[str, Expected]:
    """Tokens of one trial of each cell: the mean of what is recorded for its scenario and scaffold, else guessed."""
    known: dict[tuple[str, ...], Expected] = {}
    found = {}
    for cell in cells:
        rows = [
            r for r in ground.rows if (r.scenario, r.scaffold) == (cell.scenario.spec.name, cell.scaffold.spec.name)
        ]
        key = (cell.scenario.spec.name, cell.scaffold.spec.name, cell.model, "" if rows else cell.task)
        if key not in known:
            one = Plan(sweep, [cell], [PlannedTrial(cell, 1, 1)])
            share = next(part for part in estimate(one, rows) if part.model == cell.model)
            known[key] = Expected(share.prompt_tokens, share.completion_tokens)
        found[cell.digest] = known[key]
    return found
