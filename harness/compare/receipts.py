"""Whether the models were really asked the same: what has to be said beside the numbers when they were not.

Two sources: the identity hashes of the trials, and the receipts of model calls (`harness.record.Results.calls`), of
which a few trials of each scenario, scaffold and model are enough, because these do not change from turn to turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.compare.panel import factor_columns

_HASHES = {
    "scenario_hash": "task",
    "scaffold_hash": "scaffold",
    "tools_hash": "tool schemas",
    "sandbox": "sandbox level",
    "graded_with": "checks",
}
_DONE = {"graded_with": "was graded with"}
"""What was done with it, where that is not `ran with`."""
_SHOWN = 4


@dataclass(frozen=True)
class Caution:
    """Something that stands beside the numbers it touches."""

    kind: str
    """`parameters`, `tools`, `response_format`, `version`, `identity`, `graded`, `limits`, `missing`, `few` or
    `overlap`."""
    models: Sequence[str]
    text: str


def unequal_identities(table: pd.DataFrame, by: str) -> list[Caution]:
    """Cautions where compared trials of one task stand on different content (prepared table)."""
    found = []
    changed: set[str] = set()
    for column, what in _HASHES.items():
        if column not in table or (by == "scaffold" and column == "scaffold_hash"):
            continue
        known = table[table[column].notna()]
        keys = ["scenario", "task", "scaffold", *_crossed(table, by)]
        distinct = known.groupby(keys, dropna=False)[column].nunique()
        places = sorted({f"{place[0]}/{place[1]}" for place in distinct[distinct > 1].index})
        if column == "scenario_hash":
            changed.update(places)
        elif column == "graded_with":
            places = [place for place in places if place not in changed]
        if places:
            text = f"not every trial of {_listed(places)} {_DONE.get(column, 'ran with')} the same {what}"
            found.append(Caution("identity", sorted(known[by].dropna().astype(str).unique()), text))
    return [*found, *_graded_anew(table, by), *_unequal_limits(table, by)]


def _crossed(table: pd.DataFrame, by: str) -> list[str]:
    """What is varied beside the models: between its values content is meant to differ."""
    return [name for name in factor_columns(table) if name != by]


def _graded_anew(table: pd.DataFrame, by: str) -> list[Caution]:
    """Trials whose grade stands on other checks than those of the task they were run under (`harness regrade`)."""
    if "graded_with" not in table or "scenario_hash" not in table:
        return []
    other = table[table["graded_with"].notna() & (table["graded_with"] != table["scenario_hash"]).fillna(value=False)]
    if other.empty:
        return []
    counts = other[by].astype(str).value_counts(sort=False)
    told = ", ".join(f"{count} of {model}" for model, count in counts.items())
    text = f"{len(other)} of {len(table)} trials were graded again with other checks than they were run under ({told})"
    return [Caution("graded", [str(model) for model in counts.index], text)]


def _unequal_limits(table: pd.DataFrame, by: str) -> list[Caution]:
    """Trials of one task that were given unequal budgets; `limits` is JSON, unknown where a record does not say."""
    if "limits" not in table:
        return []
    known = table[table["limits"].notna()]
    distinct = known.groupby(["scenario", "task"])["limits"].nunique()
    unequal = known.set_index(["scenario", "task"]).loc[distinct[distinct > 1].index]
    values: dict[str, dict[str, set[str]]] = {}
    for model, text in unequal[[by, "limits"]].drop_duplicates().itertuples(index=False):
        for name, value in json.loads(text).items():
            values.setdefault(name, {}).setdefault(str(model), set()).add(f"{value:g}")
    models = list(dict.fromkeys(unequal[by].astype(str)))
    told = []
    for name, found in sorted(values.items()):
        each = {model: " or ".join(sorted(found.get(model, {"none"}), key=_as_number)) for model in models}
        if len({*each.values()}) > 1 or any(" or " in value for value in each.values()):
            told.append(f"{name} " + ", ".join(f"{model} {value}" for model, value in each.items()))
    places = sorted(f"{scenario}/{task}" for scenario, task in distinct[distinct > 1].index)
    return [Caution("limits", models, f"unequal budgets in {_listed(places)}: {'; '.join(told)}")] if places else []


def _as_number(text: str) -> float:
    return float("inf") if text == "none" else float(text)


def unequal_receipts(calls: pd.DataFrame, table: pd.DataFrame, by: str, models: Sequence[str]) -> list[Caution]:
    """Cautions where what was sent differs between models in the same scenario, scaffold, node and role."""
    factors = _crossed(table, by)
    columns = [name for name in ("trial", "scenario", "scaffold", by, *factors) if name in table]
    joined = calls.merge(table[list(dict.fromkeys(columns))], on="trial", suffixes=("", "_trial"))
    compared = f"{by}_trial" if f"{by}_trial" in joined else by
    joined = joined[joined[compared].isin(list(models))]
    places = [name for name in ("scenario", "scaffold", "node", "role", *factors) if name != by]
    found: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for place, part in joined.groupby(places, dropna=False):
        where = "/".join(str(value) for value in place[:1])
        for caution in _compare_place(part, compared, models):
            found.setdefault((caution.kind, tuple(caution.models), caution.text), []).append(where)
    cautions = [Caution(kind, list(names), text) for kind, names, text in found]
    return [*cautions, *_versions(joined)]


def _compare_place(part: pd.DataFrame, by: str, models: Sequence[str]) -> Iterable[Caution]:
    here = {model: part[part[by] == model] for model in models}
    here = {model: rows for model, rows in here.items() if len(rows)}
    names = list(here)
    if len(names) < 2:
        return
    dropped = {model: _names(rows["dropped"]) for model, rows in here.items()}
    told = frozenset[str]().union(*dropped.values())
    yield from _parameters({model: _sent(rows, told) for model, rows in here.items()})
    for model, gone in dropped.items():
        others = [name for name in names if not gone & dropped[name]]
        if gone and others:
            yield Caution(
                "parameters", names, f"{', '.join(sorted(gone))} was dropped for {model}, not for {', '.join(others)}"
            )
    for column, what in (("tools", "tool schemas as sent are"), ("response_format", "response format as sent is")):
        sets = {model: frozenset(rows[column].dropna().astype(str)) for model, rows in here.items()}
        if len(set(sets.values())) > 1:
            without = [model for model, found in sets.items() if not found]
            detail = f" (none for {', '.join(without)})" if without and len(without) < len(sets) else ""
            yield Caution(column, names, f"the {what} not the same for {', '.join(names)}{detail}")


def _parameters(sent: Mapping[str, Mapping[str, set[str]]]) -> Iterable[Caution]:
    """Parameters that were sent with other values, or to some models only."""
    for name in sorted({name for values in sent.values() for name in values}):
        values = {model: _listed(sorted(found.get(name, {"not sent"}))) for model, found in sent.items()}
        if len(set(values.values())) > 1:
            told = ", ".join(f"{model} {value}" for model, value in values.items())
            yield Caution("parameters", list(values), f"parameter {name} differs: {told}")


def _versions(joined: pd.DataFrame) -> Iterable[Caution]:
    """Models whose provider answered with more than one version in the course of the sweep, whatever is compared."""
    for model in dict.fromkeys(joined["model"].dropna().astype(str)):
        rows = joined[joined["model"] == model]
        for column in ("resolved", "fingerprint"):
            versions = sorted(rows[column].dropna().astype(str).unique()) if column in rows else []
            if len(versions) > 1:
                yield Caution("version", [model], f"{model} was answered by several versions: {_listed(versions)}")


def _sent(rows: pd.DataFrame, without: frozenset[str]) -> dict[str, set[str]]:
    """Parameter -> values sent, as JSON; what is said elsewhere left out."""
    found: dict[str, set[str]] = {}
    for text in rows["sent"].dropna().astype(str).unique():
        for name, value in json.loads(text).items():
            if name not in without and name not in ("seed", "tools", "response_format", "tool_choice"):
                found.setdefault(name, set()).add(json.dumps(value))
    return found


def _names(column: pd.Series) -> frozenset[str]:
    return frozenset(name for text in column.dropna().astype(str).unique() for name in json.loads(text))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
