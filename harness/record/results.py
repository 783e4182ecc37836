"""The record of a sweep as tables, for people and for pandas.

Works while the sweep is running: each table is the record at the moment it is asked for. `tables/` can be deleted
at any time and is written anew by `write_tables`.

In CSV files, text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage
return) is given a leading `'`, because models and tools wrote it. Parquet files hold the text as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.record import frames
from harness.record.codec import from_json, json_text
from harness.record.derived.export import FORMULA
from harness.record.derived.plain import read_events
from harness.record.derived.rows import Rows, call_rows, step_rows
from harness.record.errors import RecordError
from harness.record.lineage import Lineage
from harness.record.opening import find_sweep
from harness.record.store import Store
from harness.record.sweep_lock import LockEntry, read_lock

if TYPE_CHECKING:
    import pandas as pd

_BATCH = 500
"""Trials whose rows are held at one time."""


class Results:
    """The tables of one sweep. Raises `RecordError` when the folder holds no sweep.

    Trials that the sweep no longer asks for, and attempts that were followed by another, are left out;
    `superseded=True` and `attempts=True` bring them in.
    """

    def __init__(self, folder: str | Path, *, superseded: bool = False, attempts: bool = False) -> None:
        self.folder = find_sweep(folder)
        self._store = Store(self.folder)
        self._superseded = superseded
        self._attempts = attempts

    @cached_property
    def _lineage(self) -> dict[str, Lineage]:
        return self._store.lineage()

    @property
    def store(self) -> Store:
        """The record itself."""
        return self._store

    @property
    def lock(self) -> list[LockEntry]:
        """What was asked and what it resolved to, the latest last."""
        return read_lock(self.folder)

    @property
    def asked(self) -> pd.DataFrame:
        """One row for each trial the sweep asks for; empty when that was not written down."""
        rows = (
            [t.cell, t.repeat, t.scenario, t.task, t.family, t.scaffold, t.model, json_text(dict(t.models))]
            for t in self._store.asked()
        )
        table = frames.frame(frames.ASKED, rows)
        factors = frames.factor_arrays(table["cell"], self._lineage)
        return table.assign(**{name: values for name, values in factors.items() if name != "factors"})

    @property
    def trials(self) -> pd.DataFrame:
        """One row for each trial."""
        return frames.trials_frame(self._columns(), self._lineage)

    @property
    def lineage(self) -> pd.DataFrame:
        """One row for each trial that sets out from elsewhere than an ordinary sweep's; empty for such a sweep."""
        found = self._lineage
        drifts: dict[str, int] = {}
        for trial, _ in self._store.drift():
            drifts[trial] = drifts.get(trial, 0) + 1
        rows = []
        for row in self._columns(("trial", "cell", "repeat")) if found else ():
            trial, cell = str(row[0]), str(row[1])
            if (line := found.get(cell)) is not None:
                known = line.model_dump(exclude={"factors", "detail"})
                detail = json_text(line.detail) if line.detail else None
                values = {**known, "trial": trial, "cell": cell, "detail": detail, "drift": drifts.get(trial, 0)}
                rows.append([values[name] for name in frames.LINEAGE])
        return frames.frame(frames.LINEAGE, rows)

    @property
    def drift(self) -> pd.DataFrame:
        """One row for each thing that came out different from the record on the way back to a moment, in order."""
        wanted = self._models()
        rows = [[trial, *found.model_dump().values()] for trial, found in self._store.drift() if trial in wanted]
        return frames.frame(frames.DRIFT, rows)

    @property
    def steps(self) -> pd.DataFrame:
        """One row for each event: model call, tool call, message, route."""
        return frames.frame(frames.STEPS, self._each(step_rows))

    @property
    def calls(self) -> pd.DataFrame:
        """One row for each model call, with its receipt."""
        return frames.frame(frames.CALLS, self._each(call_rows))

    def calls_in(self, trials: Iterable[str]) -> pd.DataFrame:
        """`calls` of these trials only; no other transcript is read."""
        return frames.frame(frames.CALLS, self._each(call_rows, set(trials)))

    def actions(self, words: Sequence[str] = (), trials: Iterable[str] | None = None) -> pd.DataFrame:
        """One row for each action taken (`harness.record.frames.ACTIONS`), in order, of these trials or all.

        `words` adds long columns: `arguments` (canonical JSON), `text` (what was said), `observation`. Names of trials,
        nodes, roles, kinds and actions are pandas categories. Kept in `tables/.actions/` for the next time.
        """
        from harness.record.derived.cache import read_actions

        for name in words:
            if name not in frames.WORDS:
                raise RecordError(f"no column {name!r} in the words of actions; there are {', '.join(frames.WORDS)}")
        return read_actions(self._store, words, self._chosen(trials))

    def visits(self, trials: Iterable[str] | None = None) -> pd.DataFrame:
        """One row for each visit of a node (`harness.record.frames.VISITS`), in order, of these trials or all."""
        from harness.record.derived.cache import read_visits

        return read_visits(self._store, self._chosen(trials))

    @property
    def checks(self) -> pd.DataFrame:
        """One row for each check of each trial."""
        wanted = self._models()
        positions: dict[str, int] = {}
        rows = []
        for trial, check in self._store.checks():
            if trial in wanted:
                position = positions.get(trial, 0)
                positions[trial] = position + 1
                rows.append(frames.check_row(trial, position, check))
        return frames.frame(frames.CHECKS, rows)

    def write_tables(self) -> list[Path]:
        """Write all tables as CSV and Parquet to `tables/`, each whole or not at all; returns the files.

        Trials are read in batches. Nothing is written where the files are of this very record already.
        """
        from harness.record.derived import export

        columns, checks = self._columns(), self.checks
        stamp = _stamp(columns, checks)
        folder = self.folder / "tables"
        known = export.written_already(folder, stamp, ("trials", "checks", "steps", "calls"))
        if known is not None:
            return known
        tables = {"trials": frames.trials_frame(columns, self._lineage), "checks": checks}
        if self._lineage:
            tables |= {"lineage": self.lineage, "drift": self.drift}
        small = export.write_frames(folder, tables, stamp)
        streams: dict[str, tuple[Mapping[str, str], Rows]] = {
            "steps": (frames.STEPS, step_rows), "calls": (frames.CALLS, call_rows),
        }  # fmt: skip
        with export.TableFiles(
            folder, {n: export.arrow_schema(kinds) for n, (kinds, _) in streams.items()}, stamp
        ) as files:
            models = self._models()
            names = list(models)
            for begin in range(0, len(names), _BATCH):
                rows: dict[str, list[list[Any]]] = {name: [] for name in streams}
                for trial, packed in self._store.packed_documents(names[begin : begin + _BATCH]):
                    for name, found in _all_rows(trial, packed, streams, models[trial]).items():
                        rows[name] += found
                for name, (kinds, _) in streams.items():
                    files.write(name, export.arrow_rows(kinds, rows[name]))
            large = files.paths
        return [*small, *large]

    def close(self) -> None:
        """Close the record."""
        self._store.close()

    def _columns(self, names: Sequence[str] = tuple(frames.TRIALS)) -> list[tuple[object, ...]]:
        """Header rows, of these columns only; `cell` and `repeat` have to be among them."""
        rows = self._store.columns(current=not self._attempts, names=names)
        asked = {(trial.cell, trial.repeat) for trial in self._store.asked()}
        if self._superseded or not asked:
            return rows
        cell, repeat = (names.index(name) for name in ("cell", "repeat"))
        return [row for row in rows if (row[cell], row[repeat]) in asked]

    def _chosen(self, trials: Iterable[str] | None) -> set[str]:
        """Those of the trials named that belong to these results; all when None."""
        own = {str(trial) for trial, _, _ in self._columns(("trial", "cell", "repeat"))}
        return own if trials is None else own & set(trials)

    def _models(self) -> dict[str, dict[str, str]]:
        """Trial -> role -> model, under the names of now."""
        rows = self._columns(("trial", "models", "cell", "repeat"))
        return {str(row[0]): from_json(str(row[1])) for row in rows}

    def _each(self, rows_of: Rows, only: set[str] | None = None) -> Iterator[list[Any]]:
        models = {trial: named for trial, named in self._models().items() if only is None or trial in only}
        for trial, packed in self._store.packed_documents(models):
            yield from _rows(trial, packed, rows_of, models[trial])


def _rows(trial: str, packed: bytes, rows_of: Rows, models: Mapping[str, str]) -> list[list[Any]]:
    """The rows of one trial in one table."""
    return read_events(trial, packed, lambda events, encode: list(rows_of(trial, events, models, encode)))


def _all_rows(
    trial: str, packed: bytes, tables: Mapping[str, tuple[Mapping[str, str], Rows]], models: Mapping[str, str]
) -> dict[str, list[list[Any]]]:
    """The rows of one trial in several tables, its document read once."""
    return read_events(
        trial,
        packed,
        lambda events, encode: {
            name: list(rows_of(trial, events, models, encode)) for name, (_, rows_of) in tables.items()
        },
    )


def _stamp(columns: Sequence[Sequence[object]], checks: pd.DataFrame) -> str:
    """Of the record as it is: its headers, grades and the names of now."""
    digest = hashlib.sha256(f"{__version__} {len(checks)}".encode())
    for row in columns:
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    """The table with text that a spreadsheet would run as a formula made plain text."""
    table = table.copy()
    for name in table.columns:
        if table[name].dtype == "string":
            risky = table[name].str.startswith(FORMULA).fillna(value=False)
            table.loc[risky, name] = "'" + table.loc[risky, name]
    return table
