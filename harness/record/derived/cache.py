"""Actions and visits of a sweep, kept beside its record so that 100,000 documents are not decoded each time.

`tables/.actions/` holds Parquet files for blocks of 1,024 recorded trials in the order recorded (SQLite's rowid). A
recorded trial never changes, so a full block is written once; the last one is written anew when trials were added.
Every file says which layout it has and which trials it was made from; one that says otherwise, or cannot be read, is
made again. Files are put in place whole, so any number of processes read and write at once. Where nothing can be
written, tables are made from the documents each time. Names of models are not in here: they can change.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.record.derived.columns import NAMES, action_tables, to_frame
from harness.record.frames import ACTIONS, VISITS
from harness.record.store import Store

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

LAYOUT = "2"
"""Of the files; goes up when `harness.record.actions` or the columns change what they say."""
BLOCK = 1024
"""Recorded trials of one file."""
FEW = 200
"""Trials of which the documents are read straight away."""
FOLDER = Path("tables") / ".actions"
What = Literal["actions", "visits"]


@dataclass(frozen=True)
class _Block:
    """Trials recorded one after another."""

    number: int
    trials: Sequence[str]
    digest: str
    """Of the trials and when they were started: another record gives another one."""


def read_actions(store: Store, words: Sequence[str], trials: Iterable[str] | None) -> pd.DataFrame:
    """The table `actions` of these recorded trials (all when None), with these columns of `WORDS`."""
    return _read(store, "actions", [*ACTIONS, *words], trials)


def read_visits(store: Store, trials: Iterable[str] | None) -> pd.DataFrame:
    """The table `visits` of these recorded trials."""
    return _read(store, "visits", list(VISITS), trials)


def _read(store: Store, what: What, columns: Sequence[str], trials: Iterable[str] | None) -> pd.DataFrame:
    import numpy as np

    wanted = None if trials is None else set(trials)
    if wanted is not None and len(wanted) <= FEW:
        made = action_tables(store.packed_documents(sorted(wanted)))
        return to_frame([made[what == "visits"]], columns)
    folder = store.folder / FOLDER
    blocks = [block for block in _blocks(store) if wanted is None or not wanted.isdisjoint(block.trials)]
    frame = to_frame((_table(store, folder, what, block, columns) for block in blocks), columns)
    if wanted is not None and any(trial not in wanted for block in blocks for trial in block.trials):
        categories = frame["trial"].cat.categories
        kept = np.fromiter((name in wanted for name in categories), dtype=bool, count=len(categories))
        frame = frame[kept[frame["trial"].cat.codes.to_numpy()]].reset_index(drop=True)
        frame["trial"] = frame["trial"].cat.remove_unused_categories()
    return frame


def _blocks(store: Store) -> list[_Block]:
    listed: dict[int, list[tuple[int, str, str]]] = {}
    for number, trial, started in store.recorded():
        listed.setdefault((number - 1) // BLOCK, []).append((number, trial, started))
    return [
        _Block(number, [trial for _, trial, _ in rows], hashlib.sha256(repr(rows).encode()).hexdigest())
        for number, rows in listed.items()
    ]


def _table(store: Store, folder: Path, what: What, block: _Block, columns: Sequence[str]) -> pa.Table:
    """One block: from its file, or made from its documents and written for next time."""
    kept = _kept(folder / f"{what}-{block.number:06}.parquet", block, columns)
    if kept is not None:
        return kept
    actions, visits = action_tables(store.packed_documents(block.trials))
    for name, table in (("actions", actions), ("visits", visits)):
        _keep(folder / f"{name}-{block.number:06}.parquet", table, block)
    return (actions if what == "actions" else visits).select(list(columns))


def _kept(path: Path, block: _Block, columns: Sequence[str]) -> pa.Table | None:
    """The table in a file; None where it is not there, damaged, or made from something else."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, read_dictionary=[name for name in NAMES if name in columns]) as file:
            said = file.schema_arrow.metadata or {}
            if said.get(b"layout") != LAYOUT.encode() or said.get(b"made_from") != block.digest.encode():
                return None
            return file.read(columns=list(columns), use_threads=True)
    except (OSError, pa.ArrowException, ValueError, KeyError):
        return None


def _keep(path: Path, table: pa.Table, block: _Block) -> None:
    """Write a file, whole; where that is not possible, do without."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata: dict[Any, Any] = {b"layout": LAYOUT.encode(), b"made_from": block.digest.encode()}
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    few = [name for name in (*NAMES, "arguments") if name in table.column_names]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            table.replace_schema_metadata(metadata), scratch, compression="zstd", use_dictionary=few,
            write_statistics=False,
        )  # fmt: skip
        scratch.replace(path)
    except (OSError, pa.ArrowException):
        with contextlib.suppress(OSError):
            scratch.unlink()
