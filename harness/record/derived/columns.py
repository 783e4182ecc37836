"""Actions and visits of recorded documents as Arrow tables, read as plain data: no event becomes an object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from harness.record.actions import Taken, hashed_key, taken_actions
from harness.record.derived.plain import Encoder, Events, read_events
from harness.record.frames import ACTIONS, VISITS, WORDS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NAMES = ("trial", "node", "role", "kind", "action", "lane")
"""Columns with few different values: kept as numbers into a list of them, pandas' `category`."""


def arrow_types() -> dict[str, Any]:
    """Column -> Arrow type of the tables of actions and visits."""
    import pyarrow as pa

    kinds = {
        "string": pa.string(), "Int64": pa.int64(), "UInt64": pa.uint64(), "Float64": pa.float64(),
        "boolean": pa.bool_(),
    }  # fmt: skip
    named = pa.dictionary(pa.int32(), pa.string())
    return {name: named if name in NAMES else kinds[kind] for name, kind in {**ACTIONS, **WORDS, **VISITS}.items()}


def action_tables(documents: Iterable[tuple[str, bytes]]) -> tuple[pa.Table, pa.Table]:
    """(actions with all their words, visits) of packed documents, in order. Raises `RecordError` for damaged ones.

    Of a trial that set out from a recorded moment, only what was done from there on: the way back is another's.
    """
    actions: list[list[Any]] = [[] for _ in (*ACTIONS, *WORDS)]
    visits: list[list[Any]] = [[] for _ in VISITS]
    for trial, packed in documents:
        events, taken = read_events(trial, packed, _taken)
        _extend(actions, [_row(trial, position, found) for position, found in enumerate(taken)])
        begin = _moment(events)
        first = {event["step"]: event for event in reversed(events) if event["step"] >= begin}
        _extend(visits, [(trial, step, event["node"], event["lane"]) for step, event in sorted(first.items())])
    return _table((*ACTIONS, *WORDS), actions), _table(tuple(VISITS), visits)


def _extend(columns: Sequence[list[Any]], rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows to columns: lists of plain values, which cost the collector of garbage nothing."""
    for column, values in zip(columns, zip(*rows, strict=True), strict=False):
        column.extend(values)


def _taken(events: Events, encode: Encoder) -> tuple[Events, list[Taken]]:
    return events, [taken for taken in taken_actions(events, encode) if not taken.replayed]


def _moment(events: Events) -> Any:  # noqa: ANN401 - a step, as it was read
    """The first step that is a trial's own; beyond the last where every reply was taken from the record."""
    calls = [event for event in events if event["type"] == "call"]
    if not any(event.get("replayed") for event in calls):
        return 0
    own = [event["step"] for event in calls if not event.get("replayed")]
    return min(own) if own else max(event["step"] for event in events) + 1


def _row(trial: str, position: int, taken: Taken) -> tuple[Any, ...]:
    """The columns of `ACTIONS`, then those of `WORDS`."""
    entry, canonical = taken.entry, taken.canonical
    kind, name = entry["kind"], entry["name"]
    return (
        trial, position, entry["step"], entry["node"], entry["role"], kind, name, hashed_key(kind, name, canonical),
        entry["error"], entry["changes_state"], taken.tokens, canonical, entry["text"], entry["observation"],
    )  # fmt: skip


def _table(names: Sequence[str], columns: Sequence[list[Any]]) -> pa.Table:
    import pyarrow as pa

    types = arrow_types()
    return pa.table({name: _array(values, types[name]) for name, values in zip(names, columns, strict=True)})


def _array(values: Sequence[Any], kind: Any) -> Any:  # noqa: ANN401 - Arrow comes without types
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, kind)


def to_frame(tables: Iterable[pa.Table], columns: Sequence[str]) -> pd.DataFrame:
    """Tables one below the other as a data frame: names as categories, all else in pandas' nullable types.

    Nobody else should hold the tables: their memory is given back column by column.
    """
    import pandas as pd
    import pyarrow as pa

    types = arrow_types()
    schema = pa.schema([(name, types[name]) for name in columns])
    table = pa.concat_tables([schema.empty_table(), *(_as(part, schema) for part in tables)])
    nullable = {
        pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype(), pa.float64(): pd.Float64Dtype(),
        pa.bool_(): pd.BooleanDtype(), pa.string(): pd.StringDtype(),
    }  # fmt: skip
    unified = table.unify_dictionaries()
    del table
    frame: pd.DataFrame = unified.to_pandas(types_mapper=nullable.get, split_blocks=True, self_destruct=True)
    return frame


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of `schema`, in its types."""
    chosen = table.select(schema.names)
    return chosen if chosen.schema == schema else chosen.cast(schema)
