"""`harness seats`: every seat of a scenario crossed with every model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.intervene.common import Common, common, common_options, conclude

if TYPE_CHECKING:
    from harness.intervene.perturbing import Ground


@click.command("seats")
@click.argument("sweep")
@click.option(
    "--design",
    type=click.Choice(["full", "square"]),
    default=None,
    help="Every seating, or an orthogonal array; every seating of up to 64 a task when absent.",
)
@click.option("--seats", "only", default="", metavar="R,S", help="Cross these seats only; all when absent.")
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    metavar="ROLE=SOURCE",
    help="What a seat got; once for each seat. See above.",
)
@click.option("--tasks", default="", metavar="T,U", help="Only these tasks.")
@common_options(repeats=4)
def command(
    sweep: str, design: str | None, only: str, outcomes: tuple[str, ...], tasks: str, **options: object
) -> None:
    """Seat every model everywhere in SWEEP's scenarios of several roles, and say who does what to whom.

    SWEEP is a sweep file, a recorded sweep, or the name of a shipped one; it need not be recorded. Its scenarios,
    tasks, scaffolds, limits and fixed roles (`roles: {seller: NAME}`) are taken, its crossed models are not: every seat
    that is not held fixed is played by each of --models, against each of them, itself included. All seatings of a task
    and repeat share a seed, so that they pair up.

    \b
    --design full     models^seats seatings of each task
    --design square   an orthogonal array of strength 2: every ordered pair of models meets in every pair of seats
                      equally often (a Latin square for three seats). Of two seats it is every seating. Interactions
                      of two seats cannot be told from the effect of a third one then.

    What a seat got is read from, the first that there is:

    \b
    --outcome ROLE=SOURCE      score, measure.NAME; or either with `-` or `1-` before it:
                               --outcome buyer=measure.share_of_buyer --outcome seller=1-measure.share_of_buyer
    a measure of the scenario  of kind `reward` that has the role's name: {kind: reward, of: seller}; in bazaars,
                               pastures and villages each seat's reward is taken without being asked for
    the trial's score          as an outcome of all seats together: what each seat does to it, and no winner

    Told are: how each model does in each seat (actor), what it does to the others (partner), what depends on who meets
    whom (interaction), the social relations model (of 4 models or more), ratings where seats have outcomes of their own
    (who got more, won), and whether a model in one seat changes what the others do. With another --outcome the same
    command tells the same trials anew; nothing is run again.
    """  # noqa: D301 - \b is click's
    from typing import cast

    from harness.intervene.seats.seating import DesignName, trade_seats

    asked_for = common(**options)
    ground = _ground(sweep, asked_for)
    try:
        asked = trade_seats(
            ground, name=asked_for.name, models=asked_for.models, models_file=asked_for.models_file,
            seats=_listed(only), outcomes=outcomes, tasks=_listed(tasks), design=cast("DesignName | None", design),
            repeats=asked_for.repeats, budget=asked_for.budget, concurrency=asked_for.concurrency,
        )  # fmt: skip
        conclude(asked, asked_for)
    finally:
        if ground.origin is not None:
            ground.origin.close()


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _ground(sweep: str, options: Common) -> Ground:
    """The sweep: a file as it is now, with what is recorded of it; else a recorded one; else a shipped one."""
    from harness.errors import UserError
    from harness.intervene.origin import open_origin
    from harness.intervene.perturbing import Ground
    from harness.report.finding import find_recorded
    from harness.run import recorded_rows, resolve

    if sweep.endswith((".yaml", ".yml")) and Path(sweep).is_file():
        loaded = resolve(sweep)
        rows = [row for row in recorded_rows(loaded, options.results_dir) if row.is_result]
        return Ground(loaded.spec.name, loaded, rows)
    try:
        folder = find_recorded(sweep, options.results_dir)
    except UserError as not_recorded:
        try:
            loaded = resolve(sweep)
        except UserError:
            raise not_recorded from None
        return Ground(loaded.spec.name, loaded)
    origin = open_origin(folder)
    if origin.lineage:
        kind = next(iter(origin.lineage.values())).kind
        origin.close()
        raise UserError(f"{sweep} is itself made from a sweep ({kind}): give that one")
    return Ground(origin.name, origin.sweep, origin.rows, origin)
