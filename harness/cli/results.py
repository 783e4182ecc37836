"""`harness results`: the result table of a sweep, also while it is running."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command
@click.argument("sweep")
@click.option(
    "--by", multiple=True, metavar="COLUMN", help="Group by this column (again for more); what varies when absent."
)
@click.option(
    "--format", "style", type=click.Choice(["table", "csv", "markdown"]), default="table", show_default=True,
    help="What to print.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (harness.report.shapes.ResultsShape).")
@click.option(
    "--write/--no-write", default=True, show_default=True, help="Write the files of RESULTS/SWEEP/tables too."
)
@click.option("--results-dir", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
def command(sweep: str, by: tuple[str, ...], style: str, as_json: bool, write: bool, results_dir: Path) -> None:
    """Print the result table of SWEEP: a name under the results folder, a folder, or a sweep file.

    With --json: {version, sweep, by, varying, rows: [{key, account: {asked, done, missing, missing_why, unscored,
    limits, model_faults, tokens, cost, seconds}, passed: {estimate, low, high, n, clusters, method, needed}, score,
    passed_missing_zero, score_missing_zero, k, pass_hat_k, pass_at_k, turns, tokens, seconds}], notes}. Rates are
    fractions, unknown is null.

    tables/ gets trials, steps, checks, calls and results as CSV and Parquet, and results.md.
    """
    from harness.record import RecordError
    from harness.report import write_files
    from harness.report.results import draw_results, results_frame, results_markdown, results_notes
    from harness.report.screen import print_drawn, print_text
    from harness.report.sweeps import open_recorded, result_tables

    recorded = open_recorded([sweep], results_dir)
    tables = result_tables(recorded, by)
    if as_json:
        from harness.report.shapes import ResultsShape, to_json

        shape = ResultsShape(
            sweep=tables.title, by=tables.by, varying=tables.varying, rows=tables.rows, notes=results_notes(tables.rows)
        )
        click.echo(to_json(shape))
    elif style == "csv":
        from harness.record.results import harmless

        print_text(harmless(results_frame(tables.rows)).to_csv(index=False), sys.stdout)
    elif style == "markdown":
        print_text(results_markdown(tables.rows, tables.by_scenario, tables.title), sys.stdout)
    else:
        print_drawn(lambda console: draw_results(console, tables.rows, tables.by_scenario, tables.title), sys.stdout)
    if write:
        try:
            write_files(recorded.folders[0])
        except RecordError as error:
            click.echo(f"the tables were not written: {error}", err=True)
