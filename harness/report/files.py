"""The result table as files in `results/<sweep>/tables/`: Markdown to read, CSV and Parquet to go on with."""

from __future__ import annotations

from pathlib import Path

from harness.record.errors import attributed
from harness.record.results import harmless
from harness.record.sweep_lock import write_whole
from harness.report.results import results_frame, results_markdown
from harness.report.sweeps import ResultTables


def write_result_files(folder: Path, tables: ResultTables) -> list[Path]:
    """Write `results.md`, `results.csv` and `results.parquet`, each whole or not at all. Raises `RecordError`."""
    target = folder / "tables"
    with attributed(target):
        target.mkdir(exist_ok=True)
    table = results_frame(tables.rows)
    contents = {
        "results.md": results_markdown(tables.rows, tables.by_scenario, tables.title).encode("utf-8", "replace"),
        "results.csv": harmless(table).to_csv(index=False).encode("utf-8", "replace"),
        "results.parquet": table.to_parquet(index=False),
    }
    for name, content in contents.items():
        write_whole(target / name, content)
    return [target / name for name in contents]
