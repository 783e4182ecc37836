"""The file `trials.sqlite`: its tables, its version, and how it is opened.

SQLite in WAL mode: one writer, any number of readers who never wait. `synchronous=FULL`: when a write returns, the
trial is in the log and the log is on disk. A killed process loses nothing that was reported, and neither does a
loss of power, as far as the disk keeps the promise it made to `fsync` (0.4 ms a trial on an ordinary SSD).

Tables: `recorded_trials` (one row a trial, as it ended), the view `trials` (the same, with a failed grader put on
the grader's account until the trial is graded, under the names that the sweep now gives scaffold and models),
`documents`, `checks`, `final_states`, `files`, `asked`; and `lineage` and `drift`, of interventions, which a record
written before there were any does not have.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from harness.record.errors import RecordError, attributed

FILE_NAME = "trials.sqlite"
APPLICATION_ID = 0x48524E53
FORMAT = 1
"""Changes with a migration only."""

# Column of `recorded_trials`, and of the view over it -> SQLite type. JSON columns hold JSON text.
COLUMNS: dict[str, str] = {
    "trial": "TEXT PRIMARY KEY",
    "cell": "TEXT NOT NULL",
    "scenario": "TEXT NOT NULL",
    "task": "TEXT NOT NULL",
    "family": "TEXT",
    "scaffold": "TEXT NOT NULL",
    "models": "TEXT NOT NULL",
    "model": "TEXT NOT NULL",
    "repeat": "INTEGER NOT NULL",
    "attempt": "INTEGER NOT NULL",
    "seed": "INTEGER NOT NULL",
    "scenario_hash": "TEXT NOT NULL",
    "scaffold_hash": "TEXT NOT NULL",
    "models_hash": "TEXT NOT NULL",
    "tools_hash": "TEXT NOT NULL",
    "measures_hash": "TEXT NOT NULL",
    "state": "TEXT NOT NULL",
    "limit": "TEXT",
    "fault": "TEXT",
    "error": "TEXT",
    "score": "REAL",
    "passed": "INTEGER",
    "answer": "TEXT",
    "steps": "INTEGER NOT NULL",
    "turns": "INTEGER NOT NULL",
    "prompt_tokens": "INTEGER",
    "completion_tokens": "INTEGER",
    "cost": "REAL",
    "seconds": "REAL NOT NULL",
    "waited": "REAL NOT NULL",
    "retries": "INTEGER NOT NULL",
    "started": "TEXT NOT NULL",
    "sandbox": "TEXT",
    "harness": "TEXT NOT NULL",
    "measures": "TEXT NOT NULL",
    "situation_hash": "TEXT",
    "graded": "TEXT",
    "graded_with": "TEXT",
}
JSON_COLUMNS = frozenset({"models", "measures"})
_HIDDEN = {"grader_error": "TEXT", "final_state": "TEXT", "final_state_truncated": "INTEGER NOT NULL DEFAULT 0"}
_GRADER = {
    "state": "'fault'",
    "fault": "'grader'",
    "limit": "NULL",
    "error": "t.grader_error",
    "score": "NULL",
    "passed": "NULL",
}
"""What the view shows instead while the grader has failed."""
_NAMES = ("scaffold", "model", "models")
"""Not part of a cell's identity: shown as the sweep calls them now."""


def _shown(name: str) -> str:
    if name in _NAMES:
        return f'coalesce(a."{name}", t."{name}")'
    if name in _GRADER:
        return f'CASE WHEN t.grader_error IS NULL THEN t."{name}" ELSE {_GRADER[name]} END'
    return f't."{name}"'


LATER = {
    "lineage": "CREATE TABLE IF NOT EXISTS lineage (cell TEXT PRIMARY KEY, data TEXT NOT NULL)",
    "drift": "CREATE TABLE IF NOT EXISTS drift (trial TEXT NOT NULL REFERENCES recorded_trials, "
    "position INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (trial, position)) WITHOUT ROWID",
}
"""Tables that came after the first records; a writer adds them."""


def _schema() -> list[str]:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in {**COLUMNS, **_HIDDEN}.items())
    shown = "t.rowid AS recorded, " + ", ".join(f'{_shown(name)} AS "{name}"' for name in COLUMNS)
    return [
        f"CREATE TABLE recorded_trials ({columns}, UNIQUE (cell, repeat, attempt))",
        f"CREATE VIEW trials AS SELECT {shown} FROM recorded_trials AS t "  # noqa: S608 - names from the list above
        "LEFT JOIN asked AS a ON a.cell = t.cell AND a.repeat = t.repeat",
        "CREATE TABLE documents (trial TEXT PRIMARY KEY REFERENCES recorded_trials, data BLOB NOT NULL)",
        "CREATE TABLE checks (trial TEXT NOT NULL REFERENCES recorded_trials, position INTEGER NOT NULL, "
        "name TEXT NOT NULL, kind TEXT NOT NULL, weight REAL NOT NULL, score REAL, detail TEXT NOT NULL, error TEXT, "
        "PRIMARY KEY (trial, position)) WITHOUT ROWID",
        "CREATE TABLE final_states (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL)",
        "CREATE TABLE files (digest TEXT NOT NULL, path TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (digest, path))",
        "CREATE TABLE asked (position INTEGER PRIMARY KEY, cell TEXT NOT NULL, repeat INTEGER NOT NULL, "
        "scenario TEXT NOT NULL, task TEXT NOT NULL, family TEXT, scaffold TEXT NOT NULL, model TEXT NOT NULL, "
        "models TEXT NOT NULL, UNIQUE (cell, repeat))",
        f"PRAGMA application_id = {APPLICATION_ID}",
        f"PRAGMA user_version = {FORMAT}",
    ]


def open_database(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open the file, making its tables where a writer finds none.

    Raises `RecordError` for a file that is missing, damaged, somebody else's, or of a newer harness.
    """
    with attributed(path):
        if not write and not path.is_file():
            raise RecordError(f"{path.parent}: no sweep is recorded here ({path.name} is missing)")
        with ExitStack() as undo:
            connection = _connect(path, write)
            undo.callback(connection.close)
            _check_format(connection, path, write)
            for statement in LATER.values() if write else ():
                connection.execute(statement)
            undo.pop_all()
    return connection


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}"
    mode = "rwc" if write else "ro"
    connection = _connect_uri(f"{address}?mode={mode}")
    if write:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection
    try:
        connection.execute("PRAGMA user_version")
    except sqlite3.OperationalError as error:
        # A read-only folder has no place for the reader's shared-memory file; without a log none is needed.
        log = path.with_name(path.name + "-wal")
        connection.close()
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CANTOPEN") and not _has_content(log):
            return _connect_uri(f"{address}?mode=ro&immutable=1")
        raise
    return connection


def _connect_uri(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30.0, check_same_thread=False)


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _check_format(connection: sqlite3.Connection, path: Path, write: bool) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION_ID and version == FORMAT:
        return
    if application == APPLICATION_ID and version > FORMAT:
        raise RecordError(
            f"{path}: written by a newer harness (record format {version}, this is {FORMAT}); upgrade the harness"
        )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables or application or version:
        raise RecordError(f"{path}: not a record of this harness; move it away and run again")
    if not write:
        raise RecordError(f"{path.parent}: no trial is recorded here yet")
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        for statement in _schema():
            connection.execute(statement)
