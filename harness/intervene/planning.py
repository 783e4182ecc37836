"""Interventions as plans: cells that set out from moments, under one name, in a folder of their own.

An intervention is a sweep like any other (planned, resumed by running it again, budgeted, recorded, graded); what
differs is where its cells set out from (`harness.record.Lineage`) and how its trials are carried out (`Conduct`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from harness.errors import UserError
from harness.intervene.moments import Moment, answered_calls
from harness.intervene.origin import Origin
from harness.intervene.surfaces import surface_of
from harness.models import price_of
from harness.record import Intervention, Lineage, Store, TrialDocument, TrialRow
from harness.run import (
    Cell,
    Conduct,
    Listener,
    ModelEstimate,
    Plan,
    PlannedTrial,
    SweepOutcome,
    carry_out,
    plan_cells,
)
from harness.run.plan import check_sweep_parameters
from harness.spec import digest
from harness.spec.limits import SweepLimits
from harness.spec.resolved import LoadedModel, ResolvedSweep

UNFIT = frozenset('/\\:*?"<>|\0')


@dataclass(frozen=True)
class Expected:
    """Tokens that one trial of a cell is expected to ask for anew."""

    prompt: float
    completion: float


@dataclass(frozen=True)
class Asked:
    """An intervention, worked out but for what is recorded already."""

    kind: Intervention
    name: str
    """Of its folder under the results."""
    sweep: ResolvedSweep
    """The sweep it was made from, with the models, repeats and budget of the intervention."""
    cells: list[Cell]
    conduct: Conduct
    options: Mapping[str, JsonValue]
    """As asked for; kept in the lock."""
    expected: Mapping[str, Expected] = field(default_factory=dict)
    """Cell digest -> what one of its trials is expected to take."""
    notes: Sequence[str] = ()
    """What a person should know before it begins: moments left out and why."""
    adds: bool = False
    """Whether what its folder asks for already stays asked for beside this."""


def intervention_sweep(
    origin: Origin,
    name: str,
    models: Mapping[str, LoadedModel],
    *,
    repeats: int,
    budget: float | None,
    seconds: float | None = None,
    concurrency: int | None = None,
) -> ResolvedSweep:
    """The sweep of an intervention: the origin's, under another name and with these models.

    `budget` is in US dollars. Raises `UserError` for a name that is no folder's, or is the origin's.
    """
    if not name or UNFIT & set(name) or name.startswith("."):
        raise UserError(f"{name!r} cannot be the name of a folder; give another with --name")
    if name == origin.name:
        raise UserError(f"an intervention is recorded beside what it was made from: --name cannot be {name!r}")
    asked = origin.sweep.spec
    spec = asked.model_copy(
        update={
            "name": name, "models": list(models), "repeats": repeats, "roles": {}, "contrasts": [], "tasks": None,
            "budget": SweepLimits(cost=budget, seconds=seconds),
            "concurrency": asked.concurrency if concurrency is None else concurrency,
        }
    )  # fmt: skip
    made = replace(origin.sweep, spec=spec, models={**origin.sweep.models, **models})
    check_sweep_parameters(made)
    return made


def _handed_on(base: Cell, chance: int | None) -> dict[str, JsonValue]:
    """What the trials' cell cannot be put together again without: how things look, and what models draw by."""
    surface = surface_of(base.lineage)
    return {
        **({} if surface is None else {"surface": surface.detail}), **({} if chance is None else {"draws": chance})
    }  # fmt: skip


def moment_cell(
    origin: Origin,
    row: TrialRow,
    behind: str,
    moment: Moment,
    model: LoadedModel,
    *,
    kind: Intervention,
    role: str | None = None,
    prefix: str | None = None,
    factors: Mapping[str, JsonValue] | None = None,
    detail: Mapping[str, JsonValue] | None = None,
    same_chance: bool = False,
) -> Cell:
    """The cell of trials that set out from a moment with `model` in place of the model that the origin crossed.

    `behind` is the digest of what is behind the moment (`digests_behind`).
    Every scaffold role that the origin's crossed model played is given to `model`, or `role` alone. `factors` are what
    is crossed beside the model (`Lineage.factors`) and part of the cell's identity, as is `kind`: what is asked once
    and what is gone on with are two things. Raises `UserError` when the origin's cell cannot be put together again.
    """
    base = origin.cell(row)
    if role is not None and role not in base.models:
        raise UserError(f"{base.scaffold.spec.name} has no role {role!r}; it has {', '.join(base.models)}")
    replaced = [role] if role is not None else [name for name, played in row.models.items() if played == row.model]
    models = {name: model if name in replaced else known for name, known in base.models.items()}
    models_digest = digest({name: loaded.digest for name, loaded in models.items()})
    crossed = dict(factors or {})
    chance = PlannedTrial(base, row.repeat, row.attempt).sampling_seed if same_chance else None
    identity = digest(
        {
            "kind": kind,
            "task": base.scenario.task_digests[base.task],
            "scaffold": base.scaffold.digest,
            "tools": base.tools_digest,
            "parameters": origin.sweep.spec.parameters,
            "limits": base.limits.model_dump(),
            "models": models_digest,
            "moment": {"seed": row.seed, "at": moment.at, "behind": behind},
            "factors": crossed,
            **({} if chance is None else {"chance": chance}),
        }
    )
    line = Lineage(
        kind=kind, sweep=origin.name, base=base.lineage.base if base.lineage is not None else base.digest,
        origin=row.trial, at=moment.at, of=moment.of, node=moment.key.node if moment.key else None,
        role=moment.key.role if moment.key else None, prefix=prefix or row.model, suffix=model.name, factors=crossed,
        detail={**(detail or {}), **_handed_on(base, chance)},
    )  # fmt: skip
    return replace(
        base, digest=identity, model=model.name, models=models, models_digest=models_digest, lineage=line,
        seed=row.seed, chance=chance,
    )  # fmt: skip


def expected_after(document: TrialDocument, at: int, *, only_next: bool = False) -> Expected:
    """Tokens that the origin took from a moment on, or for the next call alone: what another model may take too."""
    calls = [event for _, event in answered_calls(document)[at:]]
    calls = calls[:1] if only_next else calls
    return Expected(
        sum(float(event.prompt_tokens or 0) for event in calls),
        sum(float(event.completion_tokens or 0) for event in calls),
    )


def plan_asked(asked: Asked, recorded: Sequence[TrialRow] = ()) -> Plan:
    """What of an intervention is still to do. Raises `UserError` where a name stands for two models."""
    _check_names(asked)
    return plan_cells(asked.sweep, asked.cells, recorded, graded=asked.conduct.graded)


def _check_names(asked: Asked) -> None:
    """Trials name their models: one name for two would have the one play in the place of the other."""
    known: dict[str, LoadedModel] = {}
    for loaded in (loaded for cell in asked.cells for loaded in cell.models.values()):
        if known.setdefault(loaded.name, loaded).digest != loaded.digest:
            raise UserError(
                f"model {loaded.name!r} would be two models in {asked.name}: the one that trials of "
                f"{asked.options.get('of')} were run with under that name, and another; give the new one another name "
                "in the models file"
            )


def plan_recorded(asked: Asked, results: Path) -> Plan:
    """The plan against what its folder holds, which may be nothing yet; writes nothing."""
    folder = results / asked.name
    if not Store.exists(folder):
        return plan_asked(asked)
    with Store(folder) as store:
        return plan_asked(asked, store.rows())


def expected_costs(asked: Asked, plan: Plan) -> list[ModelEstimate]:
    """What the intervention has still to pay, model by model; from the tokens that the origins took."""
    found = []
    for name in dict.fromkeys(trial.cell.model for trial in plan.to_run):
        trials = [trial for trial in plan.to_run if trial.cell.model == name]
        known = [asked.expected.get(trial.cell.digest, Expected(0.0, 0.0)) for trial in trials]
        prompt, completion = sum(one.prompt for one in known), sum(one.completion for one in known)
        loaded = asked.sweep.models.get(name)
        price = price_of(loaded) if loaded is not None else None
        cost = None if price is None else (prompt * price.prompt + completion * price.completion) / 1e6
        found.append(ModelEstimate(name, len(trials), prompt, completion, cost, "recorded"))
    return found


def carry_out_asked(asked: Asked, results: Path, make_listener: Callable[[], Listener]) -> SweepOutcome:
    """Run what is missing of an intervention, and record it in its folder.

    Raises `UserError` where the folder holds a sweep or an intervention of another kind.
    """
    folder = results / asked.name
    _check_folder(folder, asked)
    options: dict[str, Any] = {"kind": asked.kind, "of": asked.options.get("of"), **asked.options}
    return carry_out(
        folder, lambda rows: plan_asked(asked, rows), make_listener, conduct=asked.conduct, intervention=options,
        adds=asked.adds,
    )  # fmt: skip


def _check_folder(folder: Path, asked: Asked) -> None:
    if not Store.exists(folder):
        return
    with Store(folder) as store:
        kinds = {line.kind for line in store.lineage().values()}
        if not kinds and store.rows():
            raise UserError(f"{folder} holds an ordinary sweep; give the {asked.kind} another name with --name")
        if kinds - {asked.kind}:
            raise UserError(f"{folder} holds a {sorted(kinds)[0]}; give the {asked.kind} another name with --name")
