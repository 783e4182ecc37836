"""The store of a sweep: every trial exactly once, whole or not at all.

`Store(folder)` reads, also while another process writes. `Store(folder, create=True)` makes the folder where there
is none and writes; `Store(folder, write=True)` writes to a record that must be there. There is one writer at a time:
a second one is told who the first is. A trial is written in one transaction and never overwritten; only its grade
is replaced, also in one transaction.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import JsonValue

from harness.record import codec
from harness.record.database import FILE_NAME, open_database
from harness.record.errors import RecordError, attributed
from harness.record.lineage import Drift, Lineage
from harness.record.locking import WriterLock
from harness.record.schema import CheckResult, TrialDocument, TrialRecord, TrialRow

_BATCH = 64


@dataclass(frozen=True)
class AskedRow:
    """One trial that the sweep asks for, as it is planned now."""

    cell: str
    repeat: int
    scenario: str
    task: str
    family: str | None
    scaffold: str
    model: str
    models: Mapping[str, str]
    """Role of the scaffold -> short name."""


class Store:
    """The record of one sweep. Safe to use from several threads; each call is one transaction."""

    def __init__(self, folder: str | Path, create: bool = False, write: bool = False) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE_NAME
        self._lock: WriterLock | None = None
        self._guard = threading.RLock()
        if create:
            with attributed(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
        elif not self.path.is_file():
            raise RecordError(f"{self.folder}: no sweep is recorded here ({FILE_NAME} is missing)")
        with ExitStack() as undo:
            if create or write:
                self._lock = WriterLock(self.folder)
                undo.callback(self._lock.release)
            self._database = open_database(self.path, write=self._lock is not None)
            undo.pop_all()

    @staticmethod
    def exists(folder: str | Path) -> bool:
        """Whether a sweep is recorded in this folder."""
        return (Path(folder) / FILE_NAME).is_file()

    def write(self, record: TrialRecord) -> None:
        """Record a finished trial; when this returns it is on disk.

        Raises `RecordError` when the trial is there already, or cannot be written; then nothing of it is there.
        """
        row, state = record.row, record.final_state
        document = codec.encode_document(record.document)
        digest = None if state is None else hashlib.sha256(state).hexdigest()
        packed = None if state is None else codec.pack(state)
        with self._transaction(f"trial {row.trial} was not recorded") as database:
            known = database.execute(
                "SELECT trial FROM recorded_trials WHERE trial = ? OR (cell = ? AND repeat = ? AND attempt = ?)",
                (row.trial, row.cell, row.repeat, row.attempt),
            ).fetchone()
            if known is not None:
                raise RecordError(f"{self.folder}: trial {row.trial} is recorded already; it is not written twice")
            values = [*codec.row_values(row), digest, record.final_state_truncated]
            database.execute(
                f"INSERT INTO recorded_trials ({codec.column_list()}, final_state, final_state_truncated) "  # noqa: S608
                f"VALUES ({codec.marks(values)})",
                values,
            )
            database.execute("INSERT INTO documents VALUES (?, ?)", (row.trial, document))
            if state is not None:
                database.execute("INSERT OR IGNORE INTO final_states VALUES (?, ?, ?)", (digest, len(state), packed))
            _write_checks(database, row.trial, record.checks)
            database.executemany(
                "INSERT INTO drift VALUES (?, ?, ?)",
                [(row.trial, position, found.model_dump_json()) for position, found in enumerate(record.drift)],
            )

    def update_grade(
        self,
        trial: str,
        *,
        score: float | None,
        passed: bool | None,
        checks: Iterable[CheckResult],
        measures: Mapping[str, JsonValue],
        measures_hash: str,
        error: str | None = None,
        graded_with: str | None = None,
    ) -> TrialRow:
        """Replace the grade of a recorded trial; returns its row as it now reads.

        With `error` the grader failed: the trial then reads as a fault of the grader until it is graded without one.
        `graded_with` is the `scenario_hash` of the scenario whose checks were used, when not the trial's own.
        """
        values = {
            "score": score,
            "passed": passed,
            "grader_error": error,
            "measures": codec.json_text(dict(measures)),
            "measures_hash": measures_hash,
            "graded": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        with self._transaction(f"the grade of trial {trial} was not recorded") as database:
            found = database.execute(
                f"UPDATE recorded_trials SET {', '.join(f'{name} = ?' for name in values)}, "  # noqa: S608
                "graded_with = coalesce(?, scenario_hash) WHERE trial = ?",
                [*values.values(), graded_with, trial],
            ).rowcount
            if not found:
                raise RecordError(f"{self.folder}: no trial {trial} is recorded")
            database.execute("DELETE FROM checks WHERE trial = ?", (trial,))
            _write_checks(database, trial, checks)
            return self._row(trial)

    def write_asked(self, trials: Iterable[AskedRow], *, keep: bool = False) -> None:
        """Write down every trial the sweep asks for now, in place of what it asked for before; `keep` keeps that."""
        listed = list(trials)
        if keep:
            now = {(t.cell, t.repeat) for t in listed}
            listed = [*(t for t in self.asked() if (t.cell, t.repeat) not in now), *listed]
        rows = [
            (position, *(getattr(t, f.name) for f in fields(AskedRow)[:-1]), codec.json_text(dict(t.models)))
            for position, t in enumerate(listed)
        ]
        with self._transaction("what the sweep asks for was not recorded") as database:
            database.execute("DELETE FROM asked")
            database.executemany("INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def asked(self) -> list[AskedRow]:
        """What the sweep asked for when it was last run, in plan order; empty when that was not written down."""
        found = self._read("SELECT * FROM asked ORDER BY position")
        return [
            AskedRow(cell, repeat, scenario, task, family, scaffold, model, codec.from_json(models))
            for _, cell, repeat, scenario, task, family, scaffold, model, models in found
        ]

    def write_lineage(self, lineage: Mapping[str, Lineage]) -> None:
        """Keep where the trials of these cells set out from; what is kept of others stays."""
        rows = [(cell, found.model_dump_json()) for cell, found in lineage.items()]
        with self._transaction("the lineage of the trials was not recorded") as database:
            database.executemany("INSERT OR REPLACE INTO lineage VALUES (?, ?)", rows)

    def lineage(self) -> dict[str, Lineage]:
        """Cell -> where its trials set out from; empty for an ordinary sweep."""
        if not self._has("lineage"):
            return {}
        found = self._read("SELECT cell, data FROM lineage ORDER BY rowid")
        return {cell: Lineage.model_validate_json(data) for cell, data in found}

    def drift(self, trials: Iterable[str] | None = None) -> list[tuple[str, Drift]]:
        """(trial, what came out different) of these trials, or of all, in order."""
        if not self._has("drift"):
            return []
        query = "SELECT trial, data FROM drift"
        if trials is None:
            found = self._read(f"{query} ORDER BY trial, position")
        else:
            found = [r for t in trials for r in self._read(f"{query} WHERE trial = ? ORDER BY position", (t,))]
        return [(trial, Drift.model_validate_json(data)) for trial, data in found]

    def write_files(self, files: Mapping[Path, str | bytes]) -> dict[Path, str]:
        """Keep the content of files as they are run; returns path -> SHA-256. What is kept already costs nothing."""
        data = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        digests = {path: hashlib.sha256(content).hexdigest() for path, content in data.items()}
        with self._transaction("the files of the sweep were not recorded") as database:
            database.executemany(
                "INSERT OR IGNORE INTO files VALUES (?, ?, ?)",
                [(digests[path], str(path), codec.pack(content)) for path, content in data.items()],
            )
        return digests

    def files(self) -> list[tuple[str, str]]:
        """(path, SHA-256) of every file kept."""
        return [
            (str(path), str(digest)) for path, digest in self._read("SELECT path, digest FROM files ORDER BY rowid")
        ]

    def file(self, digest: str) -> bytes:
        """The content of a kept file. Raises `RecordError` when it is not there."""
        found = self._read("SELECT data FROM files WHERE digest = ? LIMIT 1", (digest,))
        if not found:
            raise RecordError(f"{self.folder}: no file {digest[:12]} is kept")
        return codec.unpack(found[0][0], f"file {digest[:12]}")

    def rows(self, current: bool = True) -> list[TrialRow]:
        """Header rows in the order recorded; only the highest attempt of each trial when `current`."""
        return [codec.row_from(values) for values in self.columns(current=current)]

    def columns(self, current: bool = True, names: Iterable[str] | None = None) -> list[tuple[Any, ...]]:
        """The header rows as plain tuples, in the order of `database.COLUMNS` or of `names`; JSON columns as text."""
        newest = (
            " WHERE attempt = (SELECT max(attempt) FROM recorded_trials AS other "
            "WHERE other.cell = trials.cell AND other.repeat = trials.repeat)"
        )
        where = newest if current else ""
        listed = codec.column_list() if names is None else ", ".join(f'"{name}"' for name in names)
        return self._read(f"SELECT {listed} FROM trials{where} ORDER BY recorded")  # noqa: S608

    def done(self) -> set[tuple[str, int]]:
        """(cell, repeat) of every trial recorded as a result."""
        return {(row.cell, row.repeat) for row in self.rows() if row.is_result}

    def record(self, trial: str) -> TrialRecord:
        """One trial, whole, by its id or the beginning of it.

        Raises `RecordError` when no trial, or more than one, begins so.
        """
        name = self.find(trial)
        with self._snapshot():
            row = self._row(name)
            ((document, digest, truncated),) = self._read(
                "SELECT data, final_state, final_state_truncated FROM recorded_trials JOIN documents USING (trial) "
                "WHERE trial = ?",
                (name,),
            )
            state = self._read("SELECT data FROM final_states WHERE digest = ?", (digest,)) if digest else []
            checks = self.checks([name])
            line = self._read("SELECT data FROM lineage WHERE cell = ?", (row.cell,)) if self._has("lineage") else []
        return TrialRecord(
            row=row,
            document=codec.decode_document(document, name),
            checks=[check for _, check in checks],
            drift=[found for _, found in self.drift([name])],
            lineage=Lineage.model_validate_json(line[0][0]) if line else None,
            final_state=codec.unpack(state[0][0], f"final state of trial {name}") if state else None,
            final_state_truncated=bool(truncated),
        )

    def find(self, trial: str) -> str:
        """The id of the one trial whose id is, or begins with, `trial`."""
        found = self.named(trial, most=11)
        if not found:
            raise RecordError(f"{self.folder}: no trial {trial!r} is recorded")
        if len(found) > 1:
            listed = ", ".join(found[:10]) + (", ..." if len(found) > 10 else "")
            raise RecordError(f"{self.folder}: several trials begin with {trial!r}: {listed}")
        return found[0]

    def named(self, trial: str, most: int) -> list[str]:
        """The id `trial` alone where it is one, else the ids that begin so, in order, `most` of them."""
        if self._read("SELECT 1 FROM recorded_trials WHERE trial = ?", (trial,)):
            return [trial]
        # Ids are hexadecimal and hyphens: everything that begins so sorts before the same followed by "~".
        query = "SELECT trial FROM recorded_trials WHERE trial >= ? AND trial < ? ORDER BY trial LIMIT ?"
        return [str(name) for (name,) in self._read(query, (trial, trial + "~", most))]

    def checks(self, trials: Iterable[str] | None = None) -> list[tuple[str, CheckResult]]:
        """(trial, check) of the trials named, or of all."""
        query = "SELECT trial, name, kind, weight, score, detail, error FROM checks"
        if trials is None:
            found = self._read(f"{query} ORDER BY trial, position")
        else:
            found = [r for t in trials for r in self._read(f"{query} WHERE trial = ? ORDER BY position", (t,))]
        names = ("name", "kind", "weight", "score", "detail", "error")
        return [(r[0], CheckResult(**dict(zip(names, r[1:], strict=True)))) for r in found]

    def documents(self, trials: Iterable[str]) -> Iterator[tuple[str, TrialDocument]]:
        """The documents of these trials one after another; a few are in memory at any time, no reading is left open."""
        for name, packed in self.packed_documents(trials):
            yield name, codec.decode_document(packed, name)

    def packed_documents(self, trials: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The same, as they are stored (`codec.unpack` makes them JSON)."""
        names = list(trials)
        for begin in range(0, len(names), _BATCH):
            batch = names[begin : begin + _BATCH]
            query = f"SELECT trial, data FROM documents WHERE trial IN ({codec.marks(batch)})"  # noqa: S608
            packed = dict(self._read(query, batch))
            for name in batch:
                if name in packed:
                    yield name, packed.pop(name)

    def recorded(self) -> list[tuple[int, str, str]]:
        """(number, trial, when it was started) of everything recorded, superseded attempts too, as it was recorded."""
        return self._read("SELECT rowid, trial, started FROM recorded_trials ORDER BY rowid")

    def close(self) -> None:
        """Close the file and let others write; may be called twice."""
        with self._guard:
            self._database.close()
            if self._lock is not None:
                self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _row(self, trial: str) -> TrialRow:
        found = self._read(f"SELECT {codec.column_list()} FROM trials WHERE trial = ?", (trial,))  # noqa: S608
        return codec.row_from(found[0])

    def _has(self, table: str) -> bool:
        return bool(self._read("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)))

    def _read(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._guard, attributed(self.path):
            return self._database.execute(query, tuple(values)).fetchall()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several reads of one moment."""
        with self._guard, attributed(self.path):
            self._database.execute("BEGIN")
            try:
                yield
            finally:
                self._database.execute("COMMIT")

    @contextmanager
    def _transaction(self, lost: str) -> Iterator[sqlite3.Connection]:
        if self._lock is None:
            raise RecordError(f"{self.folder}: opened for reading only")
        with self._guard, attributed(self.path, lost):
            self._database.execute("BEGIN IMMEDIATE")
            with self._database:
                yield self._database


def _write_checks(database: sqlite3.Connection, trial: str, checks: Iterable[CheckResult]) -> None:
    database.executemany(
        "INSERT INTO checks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(trial, n, c.name, c.kind, c.weight, c.score, c.detail, c.error) for n, c in enumerate(checks)],
    )
