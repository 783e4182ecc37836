"""What the commands of interventions have in common: their options, the estimate before, the results after."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from harness.intervene.origin import Origin
    from harness.intervene.planning import Asked

C = TypeVar("C", bound=Callable[..., object])


@dataclass(frozen=True)
class Common:
    """The options that every intervention takes."""

    models: list[str]
    """Short names or litellm strings; empty for those of the sweep."""
    models_file: Path | None
    repeats: int
    name: str | None
    budget: float
    concurrency: int | None
    results_dir: Path
    plan_only: bool
    as_json: bool
    plain: bool


def common_options(repeats: int) -> Callable[[C], C]:
    """Adds the options of `Common`; the command takes them as keyword arguments and makes it with `common`."""

    def add(command: C) -> C:
        for option in reversed(
            [
                click.option(
                    "--models", default="", metavar="A,B",
                    help="Short names from the models file, or litellm strings; those of the sweep when absent.",
                ),
                click.option(
                    "--models-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), default=None,
                    help="Where short names are looked up, when not the sweep's models file.",
                ),
                click.option(
                    "-n", "--repeats", type=click.IntRange(1, 10000), default=repeats, show_default=True,
                    help="How often each is done.",
                ),
                click.option("--name", default=None, help="Of the folder of results; from SWEEP if absent."),
                click.option(
                    "--budget", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True,
                    metavar="USD",
                    help="Of this call: begin nothing that is expected to cost more, and stop when so much is spent.",
                ),
                click.option("--concurrency", type=click.IntRange(1, 4096), default=None, help="Trials at once."),
                click.option(
                    "--results-dir", type=click.Path(path_type=Path), default=Path("results"), show_default=True
                ),
                click.option("--plan", "plan_only", is_flag=True, help="Say what it would ask and cost, and stop."),
                click.option("--json", "as_json", is_flag=True, help="As of `harness run`; with --plan one object."),
                click.option("--plain", is_flag=True, help="Plain lines of progress, also on a terminal."),
            ]
        ):  # fmt: skip
            command = option(command)
        return command

    return add


def common(**options: object) -> Common:
    """`Common` from what click hands over."""
    names = [name.strip() for name in str(options.pop("models")).split(",") if name.strip()]
    return Common(models=names, **options)  # type: ignore[arg-type]


def origin_of(sweep: str, options: Common) -> Origin:
    """The recorded sweep that a command names; close it."""
    from harness.intervene.origin import open_origin
    from harness.report.finding import find_recorded

    return open_origin(find_recorded(sweep, options.results_dir))


def conclude(asked: Asked, options: Common) -> None:
    """Say what it would cost or carry it out, print its results, and exit as `harness run` does."""
    from harness.errors import UserError
    from harness.intervene.planning import carry_out_asked, expected_costs, plan_recorded
    from harness.run import Listener, unheld_costs
    from harness.run.progress import JsonProgress, LiveProgress, PlainProgress, clock, money

    plan = plan_recorded(asked, options.results_dir)
    costs = expected_costs(asked, plan)
    expected = sum(model.cost or 0.0 for model in costs)
    notes = [*asked.notes, *unheld_costs(plan)]
    if options.plan_only and options.as_json:
        click.echo(
            json.dumps(
                {"sweep": asked.name, "asked": plan.asked, "recorded": plan.done, "to_run": len(plan.to_run),
                 "cells": len(plan.cells), "models": [asdict(model) for model in costs], "cost": expected,
                 "notes": notes},
                indent=2,
            )
        )  # fmt: skip
        return
    click.echo(
        f"{asked.name}: {len(plan.cells)} cells x {asked.sweep.spec.repeats} repeats = {plan.asked} trials; "
        f"recorded {plan.done}, to run {len(plan.to_run)}",
        err=True,
    )
    for model in costs:
        cost = "unknown (no price for it)" if model.cost is None else money(model.cost, 0)
        click.echo(
            f"  {model.model}: {model.trials} trials, about {model.prompt_tokens:,.0f} + "
            f"{model.completion_tokens:,.0f} tokens, cost {cost}",
            err=True,
        )
    for note in notes:
        click.echo(f"  {note}", err=True)
    if options.plan_only:
        return
    if expected > options.budget:
        raise UserError(
            f"{asked.name} is expected to cost ${expected:.2f}, more than the budget of ${options.budget:.2f}; "
            f"raise it with --budget, or ask for less"
        )

    def listener() -> Listener:
        if options.as_json:
            return JsonProgress()
        return PlainProgress() if options.plain or not sys.stderr.isatty() else LiveProgress()

    outcome = carry_out_asked(asked, options.results_dir, listener)
    folder = options.results_dir / asked.name
    if not options.as_json:
        if outcome.stopped != "interrupted" and outcome.results:
            from harness.report import print_compared
            from harness.report.comparing import compare_sweeps

            print_compared(
                compare_sweeps([str(folder)], options.results_dir, only=[asked.kind]), sys.stdout, whole=True
            )
        missing = ", ".join(f"{count} {why}" for why, count in outcome.missing.items())
        click.echo(
            f"\n{outcome.results} of {outcome.asked} trials recorded in {folder}"
            + (f" (missing: {missing})" if missing else "")
            + f"; this run: {outcome.ran} trials, {clock(outcome.seconds)}, "
            + money(outcome.cost, outcome.unpriced_calls)
        )
        if outcome.results < outcome.asked:
            click.echo("Give the same command again to run what is missing.")
        click.echo(f"More: harness compare {asked.name}, with --html FILE for plots; harness results {asked.name}")
    sys.exit(outcome.exit_code)
