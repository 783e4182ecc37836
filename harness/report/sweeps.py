"""From what a user names to the tables that are reported on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.compare import Comparison, Summary, compare_models, summarise, varying_columns
from harness.compare.summary import default_columns, ready
from harness.errors import UserError
from harness.record import Results, Store, TrialRecord
from harness.record.database import FILE_NAME
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
    """Receipts of a few trials of each scenario, scaffold and model; None where they were not read."""

    @property
    def title(self) -> str:
        """`first-light`, `first-light + second`."""
        return " + ".join(self.names)


def recorded_sweeps(results: Path) -> list[str]:
    """Names of the sweeps recorded under this folder."""
    return sorted(path.parent.name for path in results.glob(f"*/{FILE_NAME}"))


def find_recorded(reference: str, results: Path) -> Path:
    """The folder of a recorded sweep: named by name, folder or YAML file. Raises `UserError` saying what there is."""
    if len(reference) > LONGEST_NAME or "\0" in reference:
        raise UserError(f"no sweep is named {reference[:40]!r}...: {_HOW.format(results=results)}")
    given = Path(reference)
    name = reference
    if given.suffix in (".yaml", ".yml") and given.is_file():
        name = _name_in(given)
    for folder in (results / name, given, given.parent if given.name == FILE_NAME else given):
        if (folder / FILE_NAME).is_file():
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
    opened = [Results(folder) for folder in dict.fromkeys(folder.resolve() for folder in folders)]
    try:
        names = [found.folder.name for found in opened]
        tables = [_trials(found, name) for found, name in zip(opened, names, strict=True)]
        asked = [found.asked for found in opened]
        sampled = [receipt_calls(found, table) for found, table in zip(opened, tables, strict=True)] if calls else []
        known = pd.concat(asked) if all(len(table) for table in asked) else None
        return Recorded(
            names, [found.folder for found in opened], pd.concat(tables).reset_index(drop=True), known,
            pd.concat(sampled) if sampled else None,
        )  # fmt: skip
    finally:
        for found in opened:
            found.close()


def _trials(results: Results, name: str) -> pd.DataFrame:
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


def receipt_calls(results: Results, trials: pd.DataFrame) -> pd.DataFrame:
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


def comparison_of(recorded: Recorded, between: Sequence[str] = (), by: str = "model") -> Comparison:
    """Compare the models (or another column) of recorded sweeps. Raises `UserError`."""
    return compare_models(
        recorded.trials, asked=recorded.asked, calls=recorded.calls, between=list(between) or None, by=by
    )


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


def find_trial(prefix: str, results: Path, sweep: str | None = None) -> tuple[str, TrialRecord]:
    """(sweep, trial) whose id begins so, in one sweep or in all under `results`.

    Raises `UserError` when none does, or several do.
    """
    folders = [find_recorded(sweep, results)] if sweep else [results / name for name in recorded_sweeps(results)]
    if not folders:
        raise UserError(f"no trial {prefix!r}: nothing is recorded under {results} yet")
    found: list[tuple[str, TrialRecord]] = []
    several: list[str] = []
    for folder in folders:
        with Store(folder) as store:
            names = store.named(prefix, most=9)
            several += [f"{folder.name}: {name}" for name in names]
            if len(names) == 1:
                found.append((folder.name, store.record(names[0])))
    if len(several) > 1:
        listed = ", ".join(several[:8]) + (", ..." if len(several) > 8 else "")
        raise UserError(f"several trials begin with {prefix!r} ({listed}): give more of the id, or --sweep")
    if not found:
        where = f"sweep {folders[0].name}" if sweep else ", ".join(folder.name for folder in folders)
        raise UserError(f"no trial begins with {prefix!r} in {where}; harness results and tables/trials.csv list them")
    return found[0]
