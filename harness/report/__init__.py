"""What people read: tables, comparisons and single trajectories on the terminal, and the same as files and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from harness.compare import Comparison
    from harness.record import TrialRecord
    from harness.report.sweeps import Recorded

__all__ = ["print_comparison", "print_recorded_comparison", "print_results", "print_trajectory", "write_files"]


def print_results(folder: str | Path, by: list[str] | None = None, stream: TextIO | None = None) -> None:
    """Print the result table of the sweep in this folder, which may still be running. Raises `UserError`."""
    from harness.report.results import draw_results
    from harness.report.screen import print_drawn
    from harness.report.sweeps import open_recorded, result_tables

    tables = result_tables(open_recorded([str(folder)], Path(folder).parent), by or ())
    print_drawn(lambda console: draw_results(console, tables.rows, tables.by_scenario, tables.title), stream)


def print_comparison(folder: str | Path, stream: TextIO | None = None) -> None:
    """Print the comparison of the models of the sweep in this folder. Raises `UserError`."""
    from harness.report.sweeps import comparison_of, open_recorded

    recorded = open_recorded([str(folder)], Path(folder).parent, calls=True)
    print_recorded_comparison(recorded, comparison_of(recorded), stream)


def print_recorded_comparison(recorded: Recorded, comparison: Comparison, stream: TextIO | None = None) -> None:
    """Print a comparison of sweeps already read."""
    from harness.report.comparison import draw_comparison
    from harness.report.screen import print_drawn

    count = sum(row.account.done for row in comparison.overall.outcomes)
    title = f"{recorded.title}: {len(comparison.models)} {comparison.by}s, {count} results"
    print_drawn(lambda console: draw_comparison(console, comparison, title), stream)


def print_trajectory(record: TrialRecord, sweep: str, full: bool = False, stream: TextIO | None = None) -> None:
    """Print one trial."""
    from harness.report.screen import print_drawn
    from harness.report.trajectory import draw_trajectory

    print_drawn(lambda console: draw_trajectory(console, record, sweep, full), stream)


def write_files(folder: str | Path) -> list[Path]:
    """Write all tables to `tables/`: trials, steps, checks, calls, and the result table. Raises `RecordError`."""
    from harness.record import Results
    from harness.report.files import write_result_files
    from harness.report.sweeps import open_recorded, result_tables

    results = Results(folder)
    try:
        written = results.write_tables()
    finally:
        results.close()
    return [
        *written,
        *write_result_files(Path(folder), result_tables(open_recorded([str(folder)], Path(folder).parent))),
    ]
