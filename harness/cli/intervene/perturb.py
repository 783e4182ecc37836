"""`harness perturb`: the same scenario with another surface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.intervene.common import Common, common, common_options, conclude

if TYPE_CHECKING:
    from harness.intervene.perturbing import Ground


@click.command("perturb")
@click.argument("sweep")
@click.option(
    "--surfaces",
    default="",
    metavar="A,B",
    help="Which surfaces, or `all`; one of each sort, and those of --variants, when absent.",
)
@click.option(
    "--variants",
    "variants_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=None,
    help="A YAML file with names, texts and layouts of your own.",
)
@click.option("--tasks", default="", metavar="T,U", help="Only these tasks.")
@common_options(repeats=4)
def command(sweep: str, surfaces: str, variants_file: Path | None, tasks: str, **options: object) -> None:
    """Run SWEEP with other surfaces, and say what that changes for which model.

    SWEEP is a sweep file, a recorded sweep, or the name of a shipped one; it need not be recorded. Each of its cells is
    run as it is (`plain`) and with every surface, on the same seeds. Compared is behaviour (which actions, in which
    order) and score: how much further the trials of a surface are from plain ones than plain ones are from each other,
    and whether that differs between models.

    \b
    plain             as it is; always there
    plain-again       as it is, under a second name: nothing may be found
    tools-renamed     every tool but submit has another name (read_file: file_read; query: run_query), also in the
                      briefs and descriptions where it is written as an identifier
    tools-reordered   tools in another order; tools-reordered:7 in that of seed 7
    distractor        one tool more, which changes nothing and says that it has nothing
    brief:courteous   greeting and thanks around every brief
    brief:terse       `Your orders:` before every brief
    brief:headed      every brief under a heading
    brief:bulleted    its sentences as a list
    brief:typographic curly apostrophes, dashes and ellipses
    history:fenced    what tools answer, and what is heard, in a code fence
    history:labelled  after the line `Observation:`
    history:numbered  with numbered lines

    Words in quotation marks, code and placeholders are never rewritten. --variants adds paraphrases of your own:

    \b
    kind: variants
    tools: {query: ask_database}
    brief:
      formal:
        SCENARIO:
          roles: {clerk: You are entrusted with the stock.}
          tasks: {nail: "Kindly count {{ input.good }}, and submit the number."}
    history:
      boxed: {before: "<result>", after: "</result>"}
    """  # noqa: D301 - \b is click's
    from harness.intervene.perturbing import perturb, surface_names
    from harness.intervene.surfaces import Variants, read_variants

    asked_for = common(**options)
    variants = Variants() if variants_file is None else read_variants(variants_file)
    names = surface_names(surfaces, variants)
    ground = _ground(sweep, asked_for)
    try:
        asked = perturb(
            ground, name=asked_for.name, surfaces=names, variants=variants, models=asked_for.models,
            models_file=asked_for.models_file, tasks=[task.strip() for task in tasks.split(",") if task.strip()],
            repeats=asked_for.repeats, budget=asked_for.budget, concurrency=asked_for.concurrency,
        )  # fmt: skip
        conclude(asked, asked_for)
    finally:
        if ground.origin is not None:
            ground.origin.close()


def _ground(sweep: str, options: Common) -> Ground:
    """The sweep: a file as it is now, with what is recorded of it; else a recorded one; else a shipped one."""
    from harness.errors import UserError
    from harness.intervene.origin import open_origin
    from harness.intervene.perturbing import Ground
    from harness.report.finding import find_recorded
    from harness.run import recorded_rows, resolve

    if not (sweep.endswith((".yaml", ".yml")) and Path(sweep).is_file()):
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
            raise UserError(f"{sweep} is itself the record of a {kind}: give the sweep that it was made from")
        return Ground(origin.name, origin.sweep, origin.rows, origin)
    loaded = resolve(sweep)
    return Ground(
        loaded.spec.name, loaded, [row for row in recorded_rows(loaded, options.results_dir) if row.is_result]
    )
