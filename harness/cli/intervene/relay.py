"""`harness relay`: swap models in mid-course, both ways."""

from __future__ import annotations

import click

from harness.cli.intervene.common import common, common_options, conclude, origin_of


@click.command
@click.argument("sweep")
@click.option(
    "--at", default="0,.25,.5,.75,1", show_default=True, metavar="SHARES",
    help="Of the calls of the recorded trial, from 0 (the other from the beginning) to 1 (the trial as it was).",
)  # fmt: skip
@click.option("--most", type=click.IntRange(1, 10000), default=None, help="Trials taken of each model and task.")
@click.option("--tasks", default="", metavar="A,B", help="Only these tasks.")
@click.option("--role", default=None, help="Hand over this role of the scaffold alone.")
@common_options(1)
def command(sweep: str, at: str, most: int | None, tasks: str, role: str | None, **options: object) -> None:
    """Swap models in mid-course of the recorded trials of SWEEP: who sets a task up well, and who finishes well.

    Of every trial of each model a share of the calls is kept, and each model goes on from there: the others, and the
    same one again, which is the control. Two ends are run beside them: each model alone from the beginning (share 0),
    and its trial as recorded (share 1, which asks nobody). Compared are outcomes by who began, who went on, and
    whether a model goes on better from its own course than from another's. Recorded as SWEEP-relay.
    """
    from harness.errors import UserError
    from harness.intervene.relaying import Wishes, relay_sweep

    asked = common(**options)
    try:
        shares = [float(text) for text in at.split(",") if text.strip()]
    except ValueError:
        raise UserError(f"--at {at!r}: shares are numbers from 0 to 1, with commas: --at 0,.25,.5,.75,1") from None
    wishes = Wishes(
        models=asked.models, at=shares, repeats=asked.repeats, most=most,
        tasks=[name.strip() for name in tasks.split(",") if name.strip()], role=role, budget=asked.budget,
        name=asked.name, models_file=asked.models_file, concurrency=asked.concurrency,
    )  # fmt: skip
    with origin_of(sweep, asked) as origin:
        conclude(relay_sweep(origin, wishes), asked)
