"""`harness fork`: go on from recorded moments with each model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from harness.cli.intervene.common import Common, common, common_options, conclude, origin_of

if TYPE_CHECKING:
    from pydantic import JsonValue

    from harness.intervene.forking import Wishes

BULK_REPEATS = 4


@click.command
@click.argument("thing", metavar="TRIAL|SWEEP")
@click.option("--at", type=int, default=None, metavar="K", help="Go on from TRIAL with K recorded replies behind.")
@click.option(
    "--states", default=None, metavar="WHICH",
    help="Moments of SWEEP: every:N, first-divergence, pivotal, or a CSV or JSONL file with the columns trial and at.",
)  # fmt: skip
@click.option("--most", type=click.IntRange(1, 100_000), default=None, help="Of the moments, at most so many.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of which moments are taken where --most bounds.")
@click.option("--model", "more", multiple=True, metavar="B", help="One model; as --models, may be given several times.")
@click.option("--role", default=None, help="Hand over this role of the scaffold alone.")
@click.option("--same-chance", is_flag=True, help="Draw as the recorded trial did: the same model does the same again.")
@click.option("--sweep", default=None, help="Look for TRIAL in this sweep only.")
@common_options(BULK_REPEATS)
@click.pass_context
def command(
    context: click.Context,
    /,
    thing: str,
    at: int | None,
    states: str | None,
    most: int | None,
    seed: int,
    more: tuple[str, ...],
    role: str | None,
    same_chance: bool,
    sweep: str | None,
    **options: object,
) -> None:
    """Go on from a recorded moment with each model: the value of a state under each, and where it differs most.

    `harness fork TRIAL --at K --models B` goes back to the moment of TRIAL (its id or the beginning of it, or SWEEP/ID)
    that has K replies behind it, and lets B go on from there; once, unless -n says more. `harness fork SWEEP --states
    every:3` does so from moments of every trial of a sweep. Both gather in one folder, by default SWEEP-fork, each
    fork beside the earlier ones.
    """
    from harness.errors import UserError

    asked = common(**options)
    asked = replace(asked, models=list(dict.fromkeys([*asked.models, *(name.strip() for name in more)])))
    if (at is None) == (states is None):
        raise UserError(
            "say from where: --at K for one trial, or --states every:3 (first-divergence, a file) for a sweep"
        )
    if (at is not None or same_chance) and context.get_parameter_source("repeats") is ParameterSource.DEFAULT:
        asked = replace(asked, repeats=1)
    if at is not None:
        _one(thing, sweep, at, _wishes(asked, role, same_chance), asked)
        return
    _several(thing, str(states), most, seed, _wishes(asked, role, same_chance), asked)


def _wishes(options: Common, role: str | None, same_chance: bool) -> Wishes:
    from harness.intervene.forking import Wishes

    return Wishes(
        models=options.models, repeats=options.repeats, budget=options.budget, name=options.name, role=role,
        same_chance=same_chance, models_file=options.models_file, concurrency=options.concurrency,
    )  # fmt: skip


def _one(trial: str, sweep: str | None, at: int, wishes: Wishes, options: Common) -> None:
    from harness.errors import UserError
    from harness.intervene.forking import fork_at
    from harness.record import TrialRecord
    from harness.report.finding import find_trial

    folder, _, identifier = trial.rpartition("/")
    if folder and sweep is None:
        sweep, trial = folder, identifier
    name, record = find_trial(trial, options.results_dir, sweep)
    if not isinstance(record, TrialRecord):
        raise UserError(f"trial {trial} of {name} was not run here: only the way of one that was can be gone again")
    where = str(Path(sweep)) if sweep is not None else name
    with origin_of(where, options) as origin:
        conclude(fork_at(origin, record.row.trial, at, wishes), options)


def _several(sweep: str, states: str, most: int | None, seed: int, wishes: Wishes, options: Common) -> None:
    from harness.intervene.forking import fork_from
    from harness.intervene.states import select_states

    with origin_of(sweep, options) as origin:
        found = select_states(origin, states, options.results_dir, most=most, seed=seed)
        kept: dict[str, JsonValue] = {"states": states, "seed": seed, **({"most": most} if most is not None else {})}
        conclude(fork_from(origin, found.moments, wishes, kept, found.notes, found.makers), options)
