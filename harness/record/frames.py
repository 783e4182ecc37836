"""The tables of a sweep as data frames: their columns, names and types.

Types are pandas' nullable ones, and do not depend on what happens to be in the data: what is not known is `<NA>`,
never zero. Only columns that a sweep names itself (`measure.*`, `model.*`) come and go. JSON columns hold canonical
JSON text.

`steps` has one row for every event of a trial. `kind` is `call` (one model call), `tool` (one call carried out, or one
malformed or cut-off reply answered), `say`, `route`, `branch`, `join` or `python`; rows of one node visit share `step`.
A `call` row shows the first action chosen, and `actions` how many there were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from harness.record.codec import from_json
from harness.record.database import COLUMNS
from harness.record.lineage import Lineage
from harness.record.schema import CheckResult

if TYPE_CHECKING:
    import pandas as pd

_BY_SQL = {"TEXT": "string", "INTEGER": "Int64", "REAL": "Float64"}
TRIALS = {name: _BY_SQL[kind.split()[0]] for name, kind in COLUMNS.items()} | {"passed": "boolean"}
STEPS = {
    "trial": "string", "event": "Int64", "step": "Int64", "node": "string", "kind": "string", "role": "string",
    "lane": "string", "visit": "Int64", "model": "string", "action_kind": "string", "action": "string",
    "arguments": "string", "actions": "Int64", "error": "boolean", "changes_state": "boolean",
    "observation_chars": "Int64", "prompt_tokens": "Int64", "completion_tokens": "Int64", "cost": "Float64",
    "started": "Float64", "seconds": "Float64", "waited": "Float64", "detail": "string", "replayed": "boolean",
}  # fmt: skip
CHECKS = {
    "trial": "string", "position": "Int64", "name": "string", "kind": "string", "weight": "Float64",
    "score": "Float64", "detail": "string", "error": "string",
}  # fmt: skip
CALLS = {
    "trial": "string", "event": "Int64", "step": "Int64", "node": "string", "role": "string", "lane": "string",
    "visit": "Int64", "model": "string", "requested": "string", "resolved": "string", "fingerprint": "string",
    "asked": "string", "sent": "string", "dropped": "string", "tools": "string", "response_format": "string",
    "finish": "string", "failed_attempts": "Int64", "attempt_errors": "string", "prompt_tokens": "Int64",
    "completion_tokens": "Int64", "cached_tokens": "Int64", "reasoning_tokens": "Int64", "cost": "Float64",
    "started": "Float64", "seconds": "Float64", "waited": "Float64", "error": "string",
}  # fmt: skip
ACTIONS = {
    "trial": "string", "position": "Int64", "step": "Int64", "node": "string", "role": "string", "kind": "string",
    "action": "string", "key": "UInt64", "error": "boolean", "changes_state": "boolean", "completion_tokens": "Float64",
}  # fmt: skip
"""One row for each action taken (`harness.record.actions`), in order; `key` is equal where kind, name and arguments
are, and unknown where arguments are."""
WORDS = {"arguments": "string", "text": "string", "observation": "string"}
"""Columns of `actions` that are long: read only when asked for."""
VISITS = {"trial": "string", "step": "Int64", "node": "string", "lane": "string"}
"""One row for each visit of a node, in order; of lanes that were not gone on with too."""
ASKED = {
    "cell": "string", "repeat": "Int64", "scenario": "string", "task": "string", "family": "string",
    "scaffold": "string", "model": "string", "models": "string",
}  # fmt: skip
LINEAGE = {
    "trial": "string", "cell": "string", "kind": "string", "sweep": "string", "base": "string", "origin": "string",
    "at": "Int64", "of": "Int64", "node": "string", "role": "string", "prefix": "string", "suffix": "string",
    "detail": "string", "drift": "Int64",
}  # fmt: skip
"""One row for each trial of an intervention (`harness.record.lineage`); `drift` counts what came out different from
the record on the way back to its moment."""
DRIFT = {
    "trial": "string", "what": "string", "step": "Int64", "node": "string", "role": "string", "recorded": "string",
    "replayed": "string",
}  # fmt: skip


def frame(columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """A data frame with these columns and types."""
    import pandas as pd

    listed = list(rows)
    series = list(zip(*listed, strict=True)) if listed else [()] * len(columns)
    return pd.DataFrame(
        {name: array(list(values), kind) for (name, kind), values in zip(columns.items(), series, strict=True)}
    )


def array(values: list[Any], kind: str) -> Any:  # noqa: ANN401 - pandas names no common type of its arrays
    """A column of this type."""
    import pandas as pd

    if kind == "boolean":
        values = [None if value is None else bool(value) for value in values]
    return pd.array(values, dtype=kind)  # type: ignore[call-overload]


def trials_frame(rows: Sequence[Sequence[Any]], lineage: Mapping[str, Lineage] | None = None) -> pd.DataFrame:
    """The `trials` table: `models` as `model.<role>` where there are several roles, `measures` as `measure.<name>`.

    What `lineage` (by cell) says is crossed beside the model becomes columns of its own, which `factors` names.
    """
    import pandas as pd

    table = frame(TRIALS, rows)
    models_at, measures_at = (list(TRIALS).index(name) for name in ("models", "measures"))
    models = [from_json(row[models_at]) for row in rows]
    measures = [from_json(row[measures_at]) for row in rows]
    added: dict[str, Any] = {}
    roles = list(dict.fromkeys(role for models_of in models for role in models_of))
    if len(roles) > 1:
        added |= {f"model.{role}": array([m.get(role) for m in models], "string") for role in roles}
    for measure in dict.fromkeys(name for measures_of in measures for name in measures_of):
        added[f"measure.{measure}"] = labels_array([m.get(measure) for m in measures])
    added |= factor_arrays(table["cell"], lineage or {})
    return pd.concat([table.drop(columns=["models", "measures"]), pd.DataFrame(added, index=table.index)], axis=1)


def factor_arrays(cells: Iterable[str], lineage: Mapping[str, Lineage]) -> dict[str, Any]:
    """The factors of an intervention as columns aligned with `cells`, and their names in `factors` as a JSON list."""
    names = list(dict.fromkeys(name for found in lineage.values() for name in found.factors))
    if not names:
        return {}
    listed = [lineage[cell].factors if cell in lineage else {} for cell in cells]
    named = orjson.dumps(names).decode()
    return {name: labels_array([factors.get(name) for factors in listed]) for name in names} | {
        "factors": array([named] * len(listed), "string")
    }


def labels_array(values: list[Any]) -> Any:  # noqa: ANN401 - as above
    """Truth values, numbers, or labels; a mixture becomes labels."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return array(values, "boolean")
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return array([None if v is None else float(v) for v in values], "Float64")
    texts = [v if v is None or isinstance(v, str) else orjson.dumps(v).decode() for v in values]
    return array(texts, "string")


def check_row(trial: str, position: int, check: CheckResult) -> list[Any]:
    """One row of `checks`."""
    return [trial, position, check.name, check.kind, check.weight, check.score, check.detail, check.error]
