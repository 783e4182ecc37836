"""The result table: one row for each group of trials, with rates, means and the account beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.compare.accounting import Account, account, spread_asked, tokens, within_asked
from harness.compare.panel import factor_columns, model_order, prepare, role_columns, unit_values
from harness.compare.statistics import Estimate, mean_interval, pass_at_k, pass_hat_k, rate_interval
from harness.errors import UserError
from harness.record.frames import TRIALS

MOST_GROUPS = 50
"""Different values of an imported record's further column that is offered to group by; others can be named too."""
MOST_ROWS = 24
"""Of the values of a crossed factor, where nobody asked for a row for each."""
_NOT_FACTORS = frozenset({*TRIALS, "tokens", "sweep", "limits", "factors", "is_result"})
_NO_FACTOR = ("_", "measure.", "model.")


@dataclass(frozen=True)
class Summary:
    """One row: means over tasks (repeats averaged within the task first), of results where nothing else is said."""

    key: Mapping[str, str]
    """What the group has in common: column -> value."""
    account: Account
    passed: Estimate
    score: Estimate
    passed_missing_zero: float | None
    """The pass rate with missing trials counted as failed."""
    score_missing_zero: float | None
    k: int | None
    """Repeats behind `pass_hat_k` and `pass_at_k`; tasks with fewer results are left out of those."""
    pass_hat_k: Estimate
    """Chance that all of k repeats of a task pass."""
    pass_at_k: Estimate
    """Chance that at least one of them does."""
    turns: Estimate
    tokens: Estimate
    seconds: Estimate


def summarise(
    trials: pd.DataFrame, asked: pd.DataFrame | None = None, by: Sequence[str] | None = None
) -> list[Summary]:
    """Summaries of a `trials` table, grouped by these columns: model and whatever else is crossed with it when None.

    `asked` is what the sweep asks for (`harness.record.Results.asked`); without it nobody knows what was not run.
    Raises `UserError` for a column that is not there.
    """
    table, wanted = ready(trials, asked)
    columns = list(by) if by else default_columns(table, wanted)
    _check_columns(columns, table)
    k = common_k(table)
    return [summary(part, count, key, k) for key, part, count in groups(table, wanted, columns)]


def ready(trials: pd.DataFrame, asked: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Both tables prepared, and trials that are no longer asked for left out."""
    wanted = None if asked is None or not len(asked) else spread_asked(asked)
    return prepare(trials if wanted is None else within_asked(trials, wanted)), wanted


def default_columns(table: pd.DataFrame, asked: pd.DataFrame | None) -> list[str]:
    """Model, and scaffold, other roles' models and crossed factors where they vary; hundreds of moments are no rows."""
    several = [name for name in ("scaffold",) if _distinct(table, asked, name) > 1]
    factors = [name for name in factor_columns(table) if 1 < _distinct(table, asked, name) <= MOST_ROWS]
    return ["model", *several, *role_columns(table), *factors]


def varying_columns(table: pd.DataFrame, asked: pd.DataFrame | None) -> list[str]:
    """Everything a result table can sensibly be grouped by."""
    names = ["model", "scaffold", "scenario", "family", "task", "repeat", "sandbox", "harness"]
    roles = [str(name) for name in table.columns if str(name).startswith("model.")]
    own = [str(name) for name in table.columns if name not in _NOT_FACTORS and not str(name).startswith(_NO_FACTOR)]
    factors = [name for name in own if _distinct(table, asked, name) <= MOST_GROUPS]
    return [name for name in [*names, *roles, *factors] if name in table and _distinct(table, asked, name) > 1]


def groups(
    table: pd.DataFrame, asked: pd.DataFrame | None, columns: Sequence[str]
) -> Iterator[tuple[dict[str, str], pd.DataFrame, int | None]]:
    """(key, trials, number asked) of each group, also of groups of which nothing was recorded."""
    labels = _labels(table, columns)
    counts: dict[tuple[str, ...], int] | None = None
    if asked is not None and all(name in asked for name in columns):
        keys = _labels(asked, columns)
        counts = {}
        for key, repeats in zip(keys, asked["repeats"], strict=True):
            counts[key] = counts.get(key, 0) + int(repeats)
    ranks = {name: {v: i for i, v in enumerate(model_order(table, name, asked))} for name in columns}
    every = set(labels) | set(counts or ())
    for key in sorted(
        every, key=lambda key: [ranks[n].get(v, len(ranks[n])) for n, v in zip(columns, key, strict=True)]
    ):
        part = table[np.array([label == key for label in labels], dtype=bool)]
        count = None if counts is None else max(counts.get(key, 0), len(part))
        yield dict(zip(columns, key, strict=True)), part, count


def common_k(table: pd.DataFrame) -> int | None:
    """The greatest number of repeats that every model has of some task; None with fewer than two."""
    known = table[table["is_result"] & table["passed"].notna()]
    if known.empty:
        return None
    sizes = known.groupby(["model", "_unit"]).size()
    k = int(sizes.groupby(level="model").max().min())
    return k if k > 1 else None


def summary(table: pd.DataFrame, asked: int | None, key: Mapping[str, str], k: int | None) -> Summary:
    """The summary of one group of a prepared table."""
    results = table[table["is_result"]]
    hat, at = _repeated(results, k)
    return Summary(
        key=dict(key),
        account=account(table, asked),
        passed=rate_of(results, "passed"),
        score=rate_of(results, "score"),
        passed_missing_zero=_missing_zero(results["passed"], asked, len(table)),
        score_missing_zero=_missing_zero(results["score"], asked, len(table)),
        k=k,
        pass_hat_k=hat,
        pass_at_k=at,
        turns=mean_of(results, results["turns"]),
        tokens=mean_of(results, tokens(results)),
        seconds=mean_of(results, results["seconds"]),
    )


def rate_of(results: pd.DataFrame, column: str) -> Estimate:
    """Mean of a column in [0, 1] over the units of a prepared table."""
    values, trials, clusters = unit_values(results, results[column])
    return rate_interval(values, clusters, trials)


def mean_of(results: pd.DataFrame, values: pd.Series) -> Estimate:
    """Mean of an amount over units; the interval of what is never negative ends at 0."""
    means, _, clusters = unit_values(results, values)
    found = mean_interval(means, clusters)
    if found.low is None or means.min() < 0:
        return found
    return replace(found, low=max(0.0, found.low))


def _repeated(results: pd.DataFrame, k: int | None) -> tuple[Estimate, Estimate]:
    nothing = rate_interval([])
    values, trials, clusters = unit_values(results, results["passed"])
    if k is None or len(trials) == 0 or k > trials.max():
        return nothing, nothing
    passes = np.rint(values * trials)
    several = np.full(len(trials), 2)
    return (
        rate_interval(pass_hat_k(passes, trials, k), clusters, several),
        rate_interval(pass_at_k(passes, trials, k), clusters, several),
    )


def _missing_zero(values: pd.Series, asked: int | None, recorded: int) -> float | None:
    """Sum over results divided by what was asked; results without a score are left out of both."""
    known = values.dropna()
    count = (recorded if asked is None else asked) - int(values.isna().sum())
    return float(known.sum() / count) if count > 0 and (len(known) or len(values) == 0) else None


def _labels(table: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    texts = [["-" if pd.isna(value) else str(value) for value in table[name]] for name in columns]
    return list(zip(*texts, strict=True))


def _distinct(table: pd.DataFrame, asked: pd.DataFrame | None, name: str) -> int:
    found = set(table[name].dropna().astype(str)) if name in table else set()
    return len(found | (set(asked[name].dropna().astype(str)) if asked is not None and name in asked else set()))


def _check_columns(columns: Sequence[str], table: pd.DataFrame) -> None:
    for name in columns:
        if name not in table:
            listed = ", ".join(varying_columns(table, None)) or "nothing varies"
            raise UserError(f"cannot group by {name!r}: no such column; what varies here: {listed}")
