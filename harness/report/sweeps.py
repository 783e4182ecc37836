"""From the sweeps that a user names to the tables that are reported on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.compare import Summary, summarise, varying_columns
from harness.compare.summary import default_columns, ready
from harness.errors import UserError
from harness.record import Recorded as Record
from harness.record import Results, open_record
from harness.record.imported import Imported
from harness.record.imported.results import ImportedResults
from harness.report.contrasts import declared_contrasts
from harness.report.finding import find_recorded
from harness.spec.library import did_you_mean

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Recorded:
    """The tables of one or several sweeps together."""

    names: list[str]
    folders: list[Path]
    trials: pd.DataFrame
    asked: pd.DataFrame | None
    """None where any of them has not written it down."""
    calls: pd.DataFrame | None
    """Receipts of a few trials of each scenario, scaffold and model; None where they were not read or kept."""
    imported: Sequence[Imported] = ()
    """Of the sweeps that other tools ran: where they came from, and what is not known of them."""
    lineage: pd.DataFrame | None = None
    """Where the trials of interventions set out from; None where none of the sweeps is one."""
    contrasts: Sequence[tuple[str, str]] = ()
    """Pairs that the sweeps declared before their first trial."""
    late_contrasts: Sequence[tuple[str, str]] = ()
    """Pairs that they name now, but did not then: explored like all others."""

    @property
    def title(self) -> str:
        """`first-light`, `first-light + second`."""
        return " + ".join(self.names)


def open_recorded(references: Sequence[str], results: Path, calls: bool = False) -> Recorded:
    """The tables of these sweeps. Raises `UserError`."""
    import pandas as pd

    folders = [find_recorded(reference, results) for reference in references]
    opened = [open_record(folder) for folder in dict.fromkeys(folder.resolve() for folder in folders)]
    try:
        names = [found.folder.name for found in opened]
        tables = [_trials(found, name) for found, name in zip(opened, names, strict=True)]
        asked = [found.asked for found in opened]
        pairs = list(zip(opened, tables, names, strict=True))
        sampled = [receipt_calls(found, table).assign(sweep=name) for found, table, name in pairs] if calls else []
        known = pd.concat(asked) if all(len(table) for table in asked) else None
        receipts = [table for table in sampled if len(table)]
        imported = [found.imported for found in opened if isinstance(found, ImportedResults)]
        return Recorded(
            names, [found.folder for found in opened], pd.concat(tables).reset_index(drop=True), known,
            pd.concat(receipts) if receipts else None, imported, _lineage(opened), *_contrasts(opened, tables),
        )  # fmt: skip
    finally:
        for found in opened:
            found.close()


def _lineage(opened: Sequence[Record]) -> pd.DataFrame | None:
    """Of all sweeps together, `record` naming the sweep that holds the trial."""
    import pandas as pd

    each = [(found.folder.name, found.lineage) for found in opened if isinstance(found, Results)]
    tables = [table.assign(record=name) for name, table in each if len(table)]
    return pd.concat(tables).reset_index(drop=True) if tables else None


def _contrasts(
    opened: Sequence[Record], tables: Sequence[pd.DataFrame]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The pairs declared in time, and late. Raises `UserError` where the sweeps declare different ones."""
    found = [declared_contrasts(sweep.lock, trials) for sweep, trials in zip(opened, tables, strict=True)]
    if len({frozenset(map(frozenset, [*declared, *late])) for declared, late in found}) > 1:
        raise UserError("these sweeps declare different contrasts; name the models to compare: --between A,B")
    late = list(dict.fromkeys(pair for _, pairs in found for pair in pairs))
    return [pair for pair in found[0][0] if pair not in late], late


def _trials(results: Record, name: str) -> pd.DataFrame:
    """The trials of a sweep with its name, and `limits` (JSON) where its lock file says what they were."""
    import pandas as pd

    trials = results.trials
    lock = results.lock
    limits = lock[-1].resolved.get("limits", {}) if lock else {}
    given = [
        limits.get(scenario, {}).get(task) for scenario, task in zip(trials["scenario"], trials["task"], strict=True)
    ]
    texts = [None if found is None else json.dumps(found, sort_keys=True) for found in given]
    return trials.assign(sweep=name, limits=pd.array(texts, dtype="string"))


def receipt_calls(results: Record, trials: pd.DataFrame) -> pd.DataFrame:
    """The calls of the first and the last trial of each scenario, scaffold and model: no more transcripts are read."""
    chosen = trials.sort_values("started").groupby(["scenario", "scaffold", "model"], dropna=False)["trial"]
    return results.calls_in({*chosen.first().astype(str), *chosen.last().astype(str)})


@dataclass(frozen=True)
class ResultTables:
    """What `harness results` says."""

    title: str
    by: list[str]
    varying: list[str]
    rows: list[Summary]
    by_scenario: list[Summary]
    """The same rows split by scenario, where there are several and no columns were asked for."""


def result_tables(recorded: Recorded, by: Sequence[str] = ()) -> ResultTables:
    """Summaries of recorded sweeps, by these columns or the ones that vary. Raises `UserError` for others."""
    table, wanted = ready(recorded.trials, recorded.asked)
    columns = list(by) or default_columns(table, wanted)
    varying = varying_columns(table, wanted)
    known = [str(name) for name in table.columns if not str(name).startswith("_")]
    for name in columns:
        if name not in known:
            listed = ", ".join(varying) or "nothing varies"
            raise UserError(f"cannot group by {name!r}: what varies here: {listed}{did_you_mean(name, known)}")
    rows = summarise(recorded.trials, recorded.asked, columns)
    split = "scenario" in varying and not by
    inner = summarise(recorded.trials, recorded.asked, [*columns, "scenario"]) if split else []
    return ResultTables(recorded.title, columns, varying, rows, inner)
