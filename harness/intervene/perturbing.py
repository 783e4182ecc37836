"""The same scenario with another surface: which surfaces there are, and the cells and trials of a perturbation.

Every cell of the sweep is crossed with every surface; `plain`, the scenario as it is, is always among them. Trials of
all surfaces share the seeds of the sweep, so that they pair up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from pydantic import JsonValue

from harness.environments import Services
from harness.errors import UserError
from harness.intervene.origin import Origin, named_models
from harness.intervene.planning import UNFIT, Asked, Expected
from harness.intervene.surfaces.renaming import SUBMITTED, other_names
from harness.intervene.surfaces.rewriting import REWRITES, rewritten
from harness.intervene.surfaces.surface import PLAIN, Distractor, History, Surface, apply_surface, surfaced_world
from harness.intervene.surfaces.variants import HISTORIES, Texts, Variants, check_names, check_texts
from harness.models import Model
from harness.record import Lineage, TrialRow
from harness.run import Cell, Plan, PlannedTrial, WholeTrials, estimate
from harness.run.plan import check_sweep_parameters, sweep_cells
from harness.run.trial import TrialRun, run_trial
from harness.scaffolds import CompiledScaffold
from harness.spec import did_you_mean, digest
from harness.spec.limits import SweepLimits
from harness.spec.loading.models import find_model, models_path, read_models
from harness.spec.resolved import LoadedModel, ResolvedSweep

RENAMED, REORDERED, DISTRACTED, BRIEF, HISTORY = "tools-renamed", "tools-reordered", "distractor", "brief", "history"
USUAL = (RENAMED, REORDERED, DISTRACTED, f"{BRIEF}:courteous", f"{HISTORY}:fenced")
"""Without `--surfaces`: one of each sort."""
AGAIN = "plain-again"
"""The scenario as it is under a second name: a check of the comparison, which has to find nothing."""
ORDER_SEED = 1


@dataclass(frozen=True)
class Ground:
    """What is given other surfaces: a sweep, recorded already or not."""

    name: str
    sweep: ResolvedSweep
    rows: Sequence[TrialRow] = ()
    """Recorded results, to tell costs from."""
    origin: Origin | None = None


@dataclass
class _Skipped:
    """Surfaces that a scenario cannot have, and why."""

    found: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """(surface, scenario) -> reasons."""

    def add(self, surface: str, scenario: str, why: str) -> None:
        """Note a reason once."""
        reasons = self.found.setdefault((surface, scenario), [])
        if why not in reasons:
            reasons.append(why)

    def notes(self) -> list[str]:
        """A line for each."""
        return [
            f"{surface}: left out for scenario {scenario}, {why[0]}"
            + (f", and for {len(why) - 1} reasons like it" if why[1:] else "")
            for (surface, scenario), why in self.found.items()
        ]


class Perturbed(WholeTrials):
    """Whole trials, each in a world with its cell's surface."""

    async def run(
        self,
        trial: PlannedTrial,
        compiled: CompiledScaffold,
        models: Mapping[str, Model],
        parameters: Mapping[str, JsonValue],
        services: Services,
    ) -> TrialRun:
        """Run the trial."""
        wrap = surfaced_world(trial.cell.lineage)
        return await run_trial(trial, compiled, models, parameters, services, wrap)


def surface_names(asked: str, variants: Variants) -> list[str]:
    """The surfaces that are asked for (`--surfaces`), `plain` first. Raises `UserError` for one that there is not.

    Nothing asked is one of each sort and whatever the file of variants brings; `all` is all of them; `brief` and
    `history` are all of their sort; `tools-reordered:7` is the order of seed 7.
    """
    every = all_surfaces(variants)
    own = [name for name in every if name.partition(":")[2] in {*variants.brief, *variants.history}]
    wanted = [name.strip() for name in asked.split(",") if name.strip()]
    if not wanted:
        return [PLAIN, *USUAL, *own]
    found = [PLAIN]
    for name in wanted:
        if name == "all":
            found += every
        elif name in (BRIEF, HISTORY):
            found += [one for one in every if one.startswith(f"{name}:")]
        elif name in (PLAIN, AGAIN, *every) or re.fullmatch(rf"{REORDERED}:\d{{1,9}}", name):
            found.append(name)
        else:
            listed = [PLAIN, AGAIN, *every]
            hint = did_you_mean(name, listed)
            raise UserError(f"no surface {name!r}; there are: {', '.join(listed)}; and all, brief, history{hint}")
    return list(dict.fromkeys(found))


def all_surfaces(variants: Variants) -> list[str]:
    """Every surface but `plain` and `plain-again`."""
    briefs = [f"{BRIEF}:{name}" for name in (*REWRITES, *variants.brief)]
    histories = [f"{HISTORY}:{name}" for name in (*HISTORIES, *variants.history)]
    return [RENAMED, REORDERED, DISTRACTED, *briefs, *histories]


def perturb(
    ground: Ground,
    *,
    name: str | None,
    surfaces: Sequence[str],
    variants: Variants,
    models: Sequence[str] = (),
    models_file: Path | None = None,
    tasks: Sequence[str] = (),
    repeats: int,
    budget: float | None,
    concurrency: int | None = None,
) -> Asked:
    """The perturbation of a sweep, worked out. Raises `UserError` for what cannot be asked."""
    chosen = chosen_models(ground, models, models_file)
    bases = list(_bases(ground.sweep, chosen, _known_tasks(ground.sweep, tasks)))
    called = f"{ground.name}-perturb" if name is None else name
    sweep = _sweep(ground, called, chosen, repeats, budget, concurrency)
    skipped, cells, expected = _Skipped(), [], {}
    costs = _Costs(replace(sweep, spec=sweep.spec.model_copy(update={"models": list(chosen)})), ground.rows)
    for cell, base in bases:
        for one in surfaces:
            surface = surface_for(one, cell, variants, skipped)
            if surface is not None:
                made = surface_cell(ground.name, cell, base, surface)
                cells.append(made)
                expected[made.digest] = costs.of(cell)
    notes = skipped.notes()
    if not ground.rows:
        notes.append(f"{ground.name} is not recorded, so that tokens and cost are guessed from texts and limits")
    if repeats < 2:
        notes.append(
            "with one repeat there is no noise floor: no surface can be told from chance; ask for -n 3 or more"
        )
    options: dict[str, JsonValue] = {
        "of": ground.name, "surfaces": list(surfaces), "models": list(chosen), "tasks": list(tasks), "repeats": repeats,
    }  # fmt: skip
    return Asked("perturb", called, sweep, cells, Perturbed(), options, expected, notes)


def surface_cell(sweep: str, cell: Cell, base: str, surface: Surface) -> Cell:
    """The cell with a surface, under a digest of its own; `base` is the digest of the sweep's cell."""
    detail = surface.detail
    line = Lineage(
        kind="perturb", sweep=sweep, base=base, suffix=cell.model, factors={"surface": surface.surface}, detail=detail
    )
    identity = digest({"kind": "perturb", "cell": cell.digest, "surface": detail})
    return replace(apply_surface(cell, detail), digest=identity, lineage=line)


def chosen_models(ground: Ground, names: Sequence[str], models_file: Path | None) -> dict[str, LoadedModel]:
    """Short name -> model: the sweep's own where none are named. Raises `UserError` for one that is nowhere."""
    wanted = list(names) or list(ground.sweep.spec.models)
    if ground.origin is not None:
        return named_models(ground.origin, wanted, models_file)
    for name in wanted:
        if wanted.count(name) > 1:
            raise UserError(f"model {name!r} is named twice")
    sweep = ground.sweep
    if all(name in sweep.models for name in wanted) and models_file is None:
        return {name: sweep.models[name] for name in wanted}
    problems: list[object] = []
    path = models_file or models_path(sweep.spec.models_file, sweep.path)
    known = (read_models(path, problems) if path is not None else {}) or {}  # type: ignore[arg-type]
    if problems:
        raise UserError("\n".join(map(str, problems)))
    own = {} if models_file is not None else dict(sweep.models)
    return {name: find_model(name, {**known, **own}, sweep.path) for name in wanted}


def _known_tasks(sweep: ResolvedSweep, tasks: Sequence[str]) -> list[str] | None:
    """The tasks to take. Raises `UserError` for one that the sweep does not have."""
    asked = sweep.spec.tasks
    known = [
        task.id for scenario in sweep.scenarios for task in scenario.spec.tasks if asked is None or task.id in asked
    ]
    for task in tasks:
        if task not in known:
            raise UserError(
                f"the sweep has no task {task!r}; there are: {', '.join(known[:20])}{did_you_mean(task, known)}"
            )
    return list(tasks) or asked


def _bases(
    sweep: ResolvedSweep, models: Mapping[str, LoadedModel], tasks: list[str] | None
) -> Iterator[tuple[Cell, str]]:  # fmt: skip
    """The sweep's cells with these models, each with the digest of the sweep's own cell that it stands on."""
    own: dict[tuple[object, ...], dict[str, str]] = {}
    for cell in sweep_cells(sweep):
        own.setdefault(_place(cell), {})[cell.model] = cell.digest
    spec = sweep.spec.model_copy(update={"models": list(models), "tasks": tasks})
    for cell in sweep_cells(replace(sweep, spec=spec, models={**sweep.models, **models})):
        there = own.get(_place(cell)) or next(
            found for place, found in own.items() if place[:3] == _place(cell)[:3]
        )  # fmt: skip
        yield cell, there.get(cell.model, next(iter(there.values())))


def _place(cell: Cell) -> tuple[object, ...]:
    """What cells have in common that differ in the crossed model alone."""
    others = tuple(sorted((role, model.name) for role, model in cell.models.items() if model.name != cell.model))
    return cell.scenario.spec.name, cell.task, cell.scaffold.digest, others


def _sweep(
    ground: Ground,
    name: str,
    models: Mapping[str, LoadedModel],
    repeats: int,
    budget: float | None,
    concurrency: int | None,
) -> ResolvedSweep:
    if not name or UNFIT & set(name) or name.startswith("."):
        raise UserError(f"{name!r} cannot be the name of a folder; give another with --name")
    if name == ground.name:
        raise UserError(f"a perturbation is recorded beside what it was made from: --name cannot be {name!r}")
    asked = ground.sweep.spec
    spec = asked.model_copy(
        update={
            "name": name, "models": list(models), "repeats": repeats, "roles": {}, "contrasts": [], "tasks": None,
            "budget": SweepLimits(cost=budget, seconds=None),
            "concurrency": asked.concurrency if concurrency is None else concurrency,
        }
    )  # fmt: skip
    made = replace(ground.sweep, spec=spec, models={**ground.sweep.models, **models})
    check_sweep_parameters(made)
    return made


def surface_for(name: str, cell: Cell, variants: Variants, skipped: _Skipped) -> Surface | None:
    """A surface of a cell; None where its scenario cannot have it, which `skipped` then says.

    Raises `UserError` for names and texts given that do not fit the scenario.
    """
    scenario = cell.scenario.spec.name
    sort, _, variant = name.partition(":")
    tools = [tool for offered in cell.tools.values() for tool in offered]
    own = list(dict.fromkeys(tool.name for tool in tools))
    why = ""
    if sort == RENAMED:
        check_names(variants, scenario, tools)
        names = other_names(own, variants.tools)
        if names:
            return Surface(surface=name, names=names)
        why = "which has no tool but submit"
    elif sort == REORDERED:
        order = {
            role: _shuffled([tool.name for tool in offered], role, variant) for role, offered in cell.tools.items()
        }
        if any(len(names) > 1 for names in order.values()):
            return Surface(surface=name, order={role: names for role, names in order.items() if len(names) > 1})
        why = "where no role has two tools"
    elif sort == DISTRACTED:
        if tools:
            return Surface(surface=name, distractor=_unlike(variants.distractor, own))
        why = "which has no tools"
    elif sort == BRIEF:
        said = _said_otherwise(name, variant, cell, variants)
        if not _same_texts(said, cell):
            return said
        why = f"where it changes nothing in task {cell.task}"
    elif sort == HISTORY:
        frame = variants.history.get(variant)
        if frame is not None:
            return Surface(surface=name, history=History(style="framed", before=frame.before, after=frame.after))
        return Surface.model_validate({"surface": name, "history": {"style": variant}})
    else:
        return Surface(surface=name)
    skipped.add(name, scenario, why)
    return None


def _shuffled(names: list[str], role: str, seed: str) -> list[str]:
    """The names in another order, the same for the same seed; never as they were."""
    if len(names) < 2:
        return names
    chance = Random(f"{seed or ORDER_SEED} {role}")  # noqa: S311 - an order, not a secret
    other = list(names)
    while other == names:
        chance.shuffle(other)
    return other


def _unlike(distractor: Distractor, own: Iterable[str]) -> Distractor:
    """The distractor under a name that no tool has."""
    name, number, taken = distractor.name, 1, {*own, SUBMITTED}
    while name in taken:
        number += 1
        name = f"{distractor.name[:60]}_{number}"
    return distractor.model_copy(update={"name": name})


def _said_otherwise(name: str, variant: str, cell: Cell, variants: Variants) -> Surface:
    spec, task = cell.scenario.spec, cell.scenario.task(cell.task)
    if variant in REWRITES:
        openings = {role: one.opening for role, one in spec.roles.items() if one.opening}
        return Surface(
            surface=name,
            briefs={role: rewritten(variant, one.brief, "Instructions") for role, one in spec.roles.items()},
            openings={role: rewritten(variant, text, "Task") for role, text in openings.items()},
            task=rewritten(variant, task.brief, "Task"),
        )
    by_scenario = variants.brief[variant]
    texts = by_scenario.get(spec.name, Texts())
    check_texts(variant, cell.scenario, texts)
    if not (texts.roles or texts.openings or cell.task in texts.tasks):
        said = ", ".join(by_scenario) or "none"
        raise UserError(
            f"{name} says nothing otherwise for scenario {spec.name}, task {cell.task} (it has texts for: {said}); "
            "give it one, or leave the task out with --tasks"
        )
    return Surface(surface=name, briefs=texts.roles, openings=texts.openings, task=texts.tasks.get(cell.task))


def _same_texts(surface: Surface, cell: Cell) -> bool:
    """Whether the surface leaves every text as it is."""
    roles, task = cell.scenario.spec.roles, cell.scenario.task(cell.task)
    return (
        all(text == roles[name].brief for name, text in surface.briefs.items())
        and all(text == roles[name].opening for name, text in surface.openings.items())
        and surface.task in (None, task.brief)
    )


class _Costs:
    """What a trial of a cell is expected to take: as recorded for its scenario, scaffold and model, else guessed."""

    def __init__(self, sweep: ResolvedSweep, rows: Sequence[TrialRow]) -> None:
        self._sweep = sweep
        self._rows: dict[tuple[str, str], list[TrialRow]] = {}
        for row in rows:
            self._rows.setdefault((row.scenario, row.scaffold), []).append(row)
        self._known: dict[tuple[str, str, str, str], Expected] = {}

    def of(self, cell: Cell) -> Expected:
        """Tokens of one trial."""
        place = (cell.scenario.spec.name, cell.scaffold.spec.name)
        rows = self._rows.get(place, [])
        key = (*place, cell.model, "" if rows else cell.task)
        if key not in self._known:
            plan = Plan(self._sweep, [cell], [PlannedTrial(cell, 1, 1)])
            found = next(one for one in estimate(plan, rows) if one.model == cell.model)
            self._known[key] = Expected(found.prompt_tokens, found.completion_tokens)
        return self._known[key]
