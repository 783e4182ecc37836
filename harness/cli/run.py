"""`harness run`: runs what is missing of a sweep, then prints its tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command
@click.argument("sweep")
@click.option("--results-dir", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: started, trial, graded, note, ended.")
@click.option("--plain", is_flag=True, help="Plain lines of progress, also on a terminal.")
def command(sweep: str, results_dir: Path, as_json: bool, plain: bool) -> None:
    """Run SWEEP (a file, or the name of a shipped sweep), or what is missing of it.

    Ctrl-C is safe: the same command goes on where it stopped, and pays for nothing twice. A run that was not
    interrupted ends by writing the files of RESULTS/SWEEP/tables, as `harness results` does.
    Exit codes: 0 all trials completed, 1 some are missing, 2 wrong input, 130 interrupted.

    With --json, lines of {"event": "started", asked, recorded, to_run}; {"event": "trial", again, and the columns of
    the trials table}; {"event": "graded", and the columns}; {"event": "note", text}; and last {"event": "ended",
    exit_code, asked, results, ran, missing: {why: trials}, stopped, cost, unpriced_calls, seconds}. Unknown is null.
    """
    from harness.run import Listener, resolve, results_folder, run_session
    from harness.run.progress import JsonProgress, LiveProgress, PlainProgress, clock, money

    resolved = resolve(sweep)
    folder = results_folder(resolved, results_dir)

    def listener() -> Listener:
        if as_json:
            return JsonProgress()
        return PlainProgress() if plain or not sys.stderr.isatty() else LiveProgress()

    outcome = run_session(resolved, results_dir, listener)
    if not as_json:
        from harness.report import print_comparison, print_results

        print_results(folder)
        if len(resolved.spec.models) > 1 and outcome.stopped != "interrupted":
            print_comparison(folder)
        missing = ", ".join(f"{count} {why}" for why, count in outcome.missing.items())
        click.echo(
            f"\n{outcome.results} of {outcome.asked} trials recorded in {folder}"
            + (f" (missing: {missing})" if missing else "")
            + f"; this run: {outcome.ran} trials, {clock(outcome.seconds)}, "
            + money(outcome.cost, outcome.unpriced_calls)
        )
        if outcome.results < outcome.asked:
            click.echo(f"Run what is missing: harness run {sweep}")
    if outcome.stopped != "interrupted":
        _write_tables(folder)
    sys.exit(outcome.exit_code)


def _write_tables(folder: Path) -> None:
    """Tables are derived: that they cannot be written does not make a run fail."""
    from harness.record import RecordError
    from harness.report import write_files

    try:
        write_files(folder)
    except RecordError as error:
        click.echo(f"the tables were not written: {error}", err=True)
