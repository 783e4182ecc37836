"""`harness regrade`: scores a recorded sweep again, without any model."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.scoring import Regraded


@click.command
@click.argument("sweep")
@click.option("--scenario", "files", multiple=True, metavar="FILE",
              help="Grade with this scenario file, when it is no longer where it was; may be repeated.")  # fmt: skip
@click.option("--changed-tasks", is_flag=True, help="Also grade trials whose task itself has changed since.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON list of trials: trial, old_score, new_score, skipped, error."
)
@click.option("--results-dir", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
def command(
    sweep: str, files: tuple[str, ...], changed_tasks: bool, dry_run: bool, as_json: bool, results_dir: Path
) -> None:
    """Score SWEEP (a name under the results folder, a folder, or a sweep file) again from its record, without models.

    Checks and measures are taken from the scenario files as they are now. A trial that was asked to do something
    else than its task now says (brief, input, data, environment) is left as it is, unless --changed-tasks. Each row
    keeps when it was last graded and with which scenario; trials stay in the cell they were run in, so a later
    `harness run` with changed checks still runs its own new cells.

    Exit codes: 0 all graded, 1 some were left or could not be graded, 2 wrong input.

    With --json, a list of {trial, scenario, task, model, changed, old_score, new_score, old_passed, new_passed,
    skipped, error}; skipped and error say why a trial was left or could not be graded, else they are null.
    """
    from harness.report.finding import find_recorded
    from harness.scoring.session import regrade_sweep

    folder = find_recorded(sweep, results_dir)
    results = regrade_sweep(folder, files, changed_tasks=changed_tasks, write=not dry_run)
    if as_json:
        click.echo(json.dumps([{"changed": result.changed, **asdict(result)} for result in results], indent=2))
    else:
        _print(results, dry_run)
    sys.exit(1 if any(result.skipped or result.error for result in results) else 0)


def _print(results: list[Regraded], dry_run: bool) -> None:
    for result in results:
        if result.changed:
            where = f"{result.scenario}/{result.task}, {result.model}"
            click.echo(f"{result.trial} ({where}): {_said(result.old_score)} -> {_said(result.new_score)}")
    for reason, count in Counter(result.skipped for result in results if result.skipped).items():
        click.echo(f"{count} left as they are: {reason}")
    for error, count in Counter(result.error for result in results if result.error).items():
        click.echo(f"{count} could not be graded: {error}")
    changed = sum(result.changed for result in results)
    graded = sum(result.skipped is None and result.error is None for result in results)
    what = "would be graded" if dry_run else "graded"
    click.echo(f"{len(results)} trials: {graded} {what}, {changed} with another outcome")


def _said(score: float | None) -> str:
    return "none" if score is None else f"{score:.3g}"
