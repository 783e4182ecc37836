"""`harness compare`: what the models of one or several sweeps did with the same scaffolds, and how sure that is."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command
@click.argument("sweeps", nargs=-1, required=True, metavar="SWEEP...")
@click.option("--between", metavar="A,B", help="Only these models, in this order.")
@click.option("--by", default="model", show_default=True, metavar="COLUMN", help="What to compare, e.g. scaffold.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (harness.report.shapes.ComparisonShape).")
@click.option("--results-dir", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
def command(sweeps: tuple[str, ...], between: str | None, by: str, as_json: bool, results_dir: Path) -> None:
    """Compare the models of each SWEEP: a name under the results folder, a folder, or a sweep file.

    With --json: {version, sweeps, by, models, sentences, overall: {column, value, outcomes, pairs: [{first, second,
    passed: {estimate, low, high, n, clusters, method, p, p_method, won, lost, tied, detectable, p_adjusted,
    adjusted_by, needed}, score, flips}], noise}, sections, behaviours, cautions, notes}. Differences are the first
    minus the second, as fractions; unknown is null.
    """
    from harness.report import print_recorded_comparison
    from harness.report.comparison import comparison_notes
    from harness.report.sweeps import comparison_of, open_recorded

    recorded = open_recorded(sweeps, results_dir, calls=True)
    names = [name.strip() for name in between.split(",") if name.strip()] if between else []
    if between is not None and len(names) < 2:
        raise click.UsageError(f"--between takes two names or more, with commas: --between A,B (got {between!r})")
    comparison = comparison_of(recorded, names, by)
    if not as_json:
        print_recorded_comparison(recorded, comparison, sys.stdout)
        return
    from harness.report.shapes import ComparisonShape, to_json

    shape = ComparisonShape(
        sweeps=recorded.names,
        by=comparison.by,
        models=comparison.models,
        sentences=comparison.sentences,
        overall=comparison.overall,
        sections=comparison.sections,
        behaviours=comparison.behaviours,
        cautions=comparison.cautions,
        notes=comparison_notes(comparison),
    )
    click.echo(to_json(shape))
