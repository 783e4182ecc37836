"""What a sweep asks for, cell by cell, and what of it is still to do.

A cell is identified by content (invariant 1): scenario and task, scaffold, tool schemas, models, parameters
and limits. The digest of a cell and a repeat name a trial; whatever is already in the record under that name
is not run again. The seed stands on scenario, task and repeat alone, so that trials pair up across models
and scaffolds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.environments import SUBMIT, Tool, load_kind
from harness.models import check_parameters
from harness.record import Lineage, TrialRow
from harness.scoring import situation_digest
from harness.spec import digest, trial_seed
from harness.spec.base import UserError
from harness.spec.limits import TrialLimits
from harness.spec.loading.seating import seated
from harness.spec.resolved import LoadedModel, LoadedScaffold, LoadedScenario, ResolvedSweep
from harness.spec.scaffold import Scaffold

DEFAULT_LIMITS = TrialLimits(turns=30, tokens=None, seconds=1800, cost=None)
"""For what neither scenario, task nor sweep bounds: no trial is without an end."""


@dataclass(frozen=True)
class Cell:
    """One (scenario, task, scaffold, role->model) combination."""

    digest: str
    scenario: LoadedScenario
    task: str
    scaffold: LoadedScaffold
    model: str
    """Short name of the model that is crossed with everything."""
    models: Mapping[str, LoadedModel]
    """Scaffold role -> model."""
    seats: Mapping[str, str]
    """Scaffold role -> scenario role."""
    tools: Mapping[str, list[Tool]]
    """Scenario role -> tools offered."""
    tools_digest: str
    models_digest: str
    limits: TrialLimits
    situation: str
    """Digest of what the task asks for and where, checks left out; what `harness regrade` goes by."""
    lineage: Lineage | None = None
    """Where its trials set out from, when not from the beginning of the task as the sweep's files have it."""
    seed: int | None = None
    """Of the recorded trial whose moment they set out from: the world has to be the same one."""
    chance: int | None = None
    """What models drew by in that trial, where they are to draw so again: one asked the same then answers the same."""

    @property
    def family(self) -> str | None:
        """The task's family."""
        return self.scenario.task(self.task).family


@dataclass(frozen=True)
class PlannedTrial:
    """One trial to run; `attempt` counts from 1 over all runs of the sweep."""

    cell: Cell
    repeat: int
    attempt: int

    @property
    def name(self) -> str:
        """Id of the trial in the record."""
        return trial_name(self.cell.digest, self.repeat, self.attempt)

    @property
    def seed(self) -> int:
        """Of the environment; shared by all cells of the same scenario, task and repeat, or by those of one moment."""
        if self.cell.seed is not None:
            return self.cell.seed
        return trial_seed(self.cell.scenario.spec.name, self.cell.task, self.repeat)

    @property
    def sampling_seed(self) -> int:
        """Of what models draw: the trial's own, but for those that set out from moments, which each have another."""
        if self.cell.chance is not None:
            return self.cell.chance
        return self.seed if self.cell.seed is None else sibling_seed(self.cell.digest, self.repeat)


@dataclass(frozen=True)
class Plan:
    """A sweep, worked out."""

    sweep: ResolvedSweep
    cells: list[Cell]
    to_run: list[PlannedTrial]
    ungraded: list[str] = field(default_factory=list)
    """Trials recorded but not graded (the harness was killed in between, or the grader failed)."""
    superseded: int = 0
    """Recorded trials of cells that the sweep no longer asks for."""

    @property
    def asked(self) -> int:
        """Trials the sweep asks for."""
        return len(self.cells) * self.sweep.spec.repeats

    @property
    def done(self) -> int:
        """Trials already recorded as results."""
        return self.asked - len(self.to_run)


def sibling_seed(cell: str, repeat: int) -> int:
    """What a trial that sets out from a moment draws by, 31 bits: another for each moment, model and repeat.

    Draws that several moments of a trial had in common would count as several, and be one.
    """
    return int(digest(["sibling", cell, repeat])[:8], 16) & 0x7FFFFFFF


def trial_name(cell: str, repeat: int, attempt: int) -> str:
    """`<cell, 12 hex digits>-<repeat>-<attempt>`."""
    return f"{cell[:12]}-{repeat}-{attempt}"


def plan_sweep(sweep: ResolvedSweep, recorded: Iterable[TrialRow] = ()) -> Plan:
    """Work out a sweep against what is recorded (the highest attempt of each trial).

    Raises `UserError` for parameters that a provider does not take.
    """
    check_sweep_parameters(sweep)
    return plan_cells(sweep, list(sweep_cells(sweep)), recorded)


def plan_cells(
    sweep: ResolvedSweep, cells: list[Cell], recorded: Iterable[TrialRow] = (), *, graded: bool = True
) -> Plan:
    """What of these cells is still to do, `sweep` saying how often each is repeated; `graded` whether trials are."""
    by_key = {(row.cell, row.repeat): row for row in recorded}
    to_run: list[PlannedTrial] = []
    ungraded: list[str] = []
    for repeat, cell in itertools.product(range(1, sweep.spec.repeats + 1), cells):
        row = by_key.pop((cell.digest, repeat), None)
        if row is None:
            to_run.append(PlannedTrial(cell, repeat, 1))
        elif graded and (row.fault == "grader" or (row.is_result and _wants_grade(cell, row))):
            ungraded.append(row.trial)
        elif not row.is_result:
            to_run.append(PlannedTrial(cell, repeat, row.attempt + 1))
    return Plan(sweep, cells, to_run, ungraded, superseded=len(by_key))


def _wants_grade(cell: Cell, row: TrialRow) -> bool:
    task = cell.scenario.task(cell.task)
    has_checks = bool(task.checks or cell.scenario.spec.checks)
    return (has_checks and row.score is None) or row.measures_hash != cell.scenario.measures_digest


def sweep_cells(sweep: ResolvedSweep) -> Iterator[Cell]:
    """Every cell a sweep asks for. Models vary fastest, so that running in this order interleaves them in time."""
    spec = sweep.spec
    varied = {role: names for role, names in spec.roles.items() if isinstance(names, list)}
    fixed = {role: name for role, name in spec.roles.items() if isinstance(name, str)}
    seen: set[str] = set()
    for scenario, scaffold in itertools.product(sweep.scenarios, sweep.scaffolds):
        seats = sweep.seats[scenario.spec.name, scaffold.spec.name]
        tools = role_tools(scenario)
        tools_digest = digest({role: [tool.as_openai() for tool in tools[role]] for role in sorted(tools)})
        flat = seated(scaffold.flat, seats)
        here = {role: names for role, names in varied.items() if role in flat.roles}
        for task in scenario.spec.tasks:
            if spec.tasks is not None and task.id not in spec.tasks:
                continue
            limits = spec.limits.tighter(scenario.spec.limits).tighter(task.limits)
            limits = TrialLimits(
                **{
                    name: getattr(DEFAULT_LIMITS, name) if value is None else value
                    for name, value in limits.model_dump().items()
                }
            )
            situation = situation_digest(scenario, task.id)
            for choice in itertools.product(*here.values()):
                for model in spec.models:
                    chosen = {**fixed, **dict(zip(here, choice, strict=True))}
                    models = _role_models(sweep, flat, model, chosen)
                    models_digest = digest({role: loaded.digest for role, loaded in models.items()})
                    identity = digest(
                        {
                            "task": scenario.task_digests[task.id],
                            "scaffold": scaffold.digest,
                            "tools": tools_digest,
                            "models": models_digest,
                            "parameters": spec.parameters,
                            "limits": limits.model_dump(),
                        }
                    )
                    if identity not in seen:
                        seen.add(identity)
                        yield Cell(
                            identity, scenario, task.id, scaffold, model, models, seats, tools, tools_digest,
                            models_digest, limits, situation,
                        )  # fmt: skip


def _role_models(sweep: ResolvedSweep, flat: Scaffold, model: str, chosen: Mapping[str, str]) -> dict[str, LoadedModel]:
    """Scaffold role -> model: what the sweep says for the role, else that of `model_of`, else the crossed one."""

    def name(role: str, asked_by: tuple[str, ...] = ()) -> str:
        if role in chosen:
            return chosen[role]
        source = flat.roles[role].model_of
        if source is None or source in asked_by:
            return model
        return name(source, (*asked_by, role))

    return {role: sweep.models[name(role)] for role in flat.roles}


def role_tools(scenario: LoadedScenario) -> dict[str, list[Tool]]:
    """Scenario role -> the tools it is offered, `submit` included, in the environment's order."""
    kind = load_kind(scenario.spec.environment.kind)
    offered: dict[str, list[Tool]] = {}
    for role, spec in scenario.spec.roles.items():
        every = [*kind.tools(scenario.options, role), SUBMIT]
        offered[role] = every if spec.tools is None else [tool for tool in every if tool.name in spec.tools]
    return offered


def check_sweep_parameters(sweep: ResolvedSweep) -> None:
    """Raises `UserError` for parameters that a provider does not take, of any model of the sweep."""
    needs: set[Literal["tools", "response_format"]] = set()
    for scaffold in sweep.scaffolds:
        match scaffold.flat.protocol.kind:
            case "native":
                needs.add("tools")
            case "json":
                needs.add("response_format")
    problems = [
        problem
        for loaded in sweep.models.values()
        for problem in check_parameters(loaded, dict(sweep.spec.parameters), needs)
    ]
    if problems:
        raise UserError("\n".join(problems))
