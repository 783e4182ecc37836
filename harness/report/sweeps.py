"""From what a user names to the tables that are reported on."""

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
from harness.record import Results, Store, TrialRecord, open_record
from harness.record.database import FILE_NAME
from harness.record.imported import IMPORTED_FILE, Imported
from harness.record.imported.results import ImportedResults
from harness.record.imported.trial import ImportedRecord, imported_record
from harness.record.opening import is_recorded
from harness.report.contrasts import declared_contrasts
from harness.spec.library import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

LARGEST_YAML = 1 << 20
LONGEST_NAME = 1000
_HOW = "name a sweep under {results}, the folder of one, or its YAML file"


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


def recorded_sweeps(results: Path) -> list[str]:
    """Names of the sweeps run or imported under this folder."""
    found = [path.parent.name for name in (FILE_NAME, IMPORTED_FILE) for path in results.glob(f"*/{name}")]
    return sorted({name for name in found if not name.startswith(".")})


def find_recorded(reference: str, results: Path) -> Path:
    """The folder of a recorded sweep: named by name, folder or YAML file. Raises `UserError` saying what there is."""
    if len(reference) > LONGEST_NAME or "\0" in reference:
        raise UserError(f"no sweep is named {reference[:40]!r}...: {_HOW.format(results=results)}")
    given = Path(reference)
    name = reference
    if given.suffix in (".yaml", ".yml") and given.is_file():
        name = _name_in(given)
    inside = given.name in (FILE_NAME, IMPORTED_FILE)
    for folder in (results / name, given, given.parent if inside else given):
        if is_recorded(folder):
            return folder
    known = recorded_sweeps(results)
    if name != reference:
        raise UserError(
            f"{reference}: its sweep {name!r} is not recorded under {results}; run it: harness run {reference}"
        )
    listed = f"there are: {', '.join(known)}" if known else f"nothing is recorded under {results} yet"
    hint = did_you_mean(reference, known)
    raise UserError(f"no sweep {reference!r} is recorded: {_HOW.format(results=results)}; {listed}{hint}")


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


def _name_in(path: Path) -> str:
    """The name that a sweep file gives itself. Raises `UserError` when it is no sweep file."""
    import yaml

    if path.stat().st_size > LARGEST_YAML:
        raise UserError(f"{path}: too large for a sweep file")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(
            f"{path}: not a sweep file ({' '.join(str(error).split())[:120]}); try harness check {path}"
        ) from error
    name = data.get("name") if isinstance(data, dict) and data.get("kind") == "sweep" else None
    if not isinstance(name, str) or "/" in name or name.startswith("."):
        raise UserError(f"{path}: not a sweep file; try harness check {path}")
    return name


def find_trial(prefix: str, results: Path, sweep: str | None = None) -> tuple[str, TrialRecord | ImportedRecord]:
    """(sweep, trial) whose id begins so, in one sweep or in all under `results`.

    Raises `UserError` when none does, or several do.
    """
    folders = [find_recorded(sweep, results)] if sweep else [results / name for name in recorded_sweeps(results)]
    if not folders:
        raise UserError(f"no trial {prefix!r}: nothing is recorded under {results} yet")
    found: list[tuple[str, TrialRecord | ImportedRecord]] = []
    several: list[str] = []
    for folder in folders:
        names, record = _named(folder, prefix)
        several += [f"{folder.name}: {name}" for name in names]
        found += [] if record is None else [(folder.name, record)]
    if len(several) > 1:
        listed = ", ".join(several[:8]) + (", ..." if len(several) > 8 else "")
        raise UserError(f"several trials begin with {prefix!r} ({listed}): give more of the id, or --sweep")
    if not found:
        where = f"sweep {folders[0].name}" if sweep else ", ".join(folder.name for folder in folders)
        raise UserError(f"no trial begins with {prefix!r} in {where}; harness results and tables/trials.csv list them")
    return found[0]


def _named(folder: Path, prefix: str) -> tuple[list[str], TrialRecord | ImportedRecord | None]:
    """Ids in one sweep that begin so, nine at most, and the trial where there is one of them."""
    if not (folder / FILE_NAME).is_file():
        results = ImportedResults(folder)
        names = results.named(prefix, most=9)
        return names, imported_record(results, names[0]) if len(names) == 1 else None
    with Store(folder) as store:
        names = store.named(prefix, most=9)
        return names, store.record(names[0]) if len(names) == 1 else None
