"""What each model did, as means per task: the first cut of a fingerprint.

Every measure of the trials (built in or declared) is one behaviour: numbers by their mean, truth values by the share
of tasks in which they hold, labels by the share of each of the commonest labels. Differences are paired by unit like
those of outcomes; how a trial came out plays no part.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.compare.accounting import tokens
from harness.compare.panel import Grid, Panel, numbers
from harness.compare.statistics import (
    Difference,
    Estimate,
    benjamini_hochberg,
    mean_interval,
    paired_difference,
    rate_interval,
)

PREFIX = "measure."
LABELS = 5
"""Labels of one measure that become behaviours of their own, the commonest first."""
NEVER_LABELS = 40
"""A text measure with more different values than this holds no labels."""


@dataclass(frozen=True)
class BehaviourPair:
    """How two models differ in it."""

    first: str
    second: str
    difference: Difference


@dataclass(frozen=True)
class Behaviour:
    """One behaviour of all models."""

    name: str
    """Of the measure, e.g. `malformed`, `first_action`."""
    label: str | None
    """For measures that are labels: the one whose share this is."""
    share: bool
    """Whether the values are shares in [0, 1] of trials, and not amounts."""
    means: dict[str, Estimate]
    pairs: list[BehaviourPair]

    @property
    def title(self) -> str:
        """`turns`, or `first_action = query`."""
        return self.name if self.label is None else f"{self.name} = {self.label}"


def behaviours(
    table: pd.DataFrame, by: str, models: Sequence[str], pairs: Sequence[tuple[str, str]] | None = None
) -> list[Behaviour]:
    """Every behaviour in a prepared table; p corrected by Benjamini-Hochberg over all of them and all pairs."""
    results = table[table["is_result"]]
    chosen = list(itertools.combinations(models, 2)) if pairs is None else list(pairs)
    grid = Grid(results, by, models)
    found = []
    for name, label, share, values in _columns(results):
        panel = grid.panel(values)
        if np.all(np.isnan(panel.values)):
            continue
        means = {model: _mean(panel, model, share) for model in models}
        differences = [BehaviourPair(a, b, _difference(panel, a, b, share)) for a, b in chosen]
        found.append(Behaviour(name, label, share, means, differences))
    return _corrected(found)


def _mean(panel: Panel, model: str, share: bool) -> Estimate:
    trials = panel.trials[:, panel.models.index(model)]
    if share:
        return rate_interval(panel.column(model), panel.clusters, trials)
    return mean_interval(panel.column(model), panel.clusters)


def _difference(panel: Panel, first: str, second: str, share: bool) -> Difference:
    return paired_difference(
        panel.column(first), panel.column(second), panel.clusters,
        bounds=(-1.0, 1.0) if share else None, single=share and panel.single(first, second), draw=False,
    )  # fmt: skip


def _columns(results: pd.DataFrame) -> Iterator[tuple[str, str | None, bool, pd.Series]]:
    """(name, label, is a share, values) of every behaviour."""
    names = [str(name)[len(PREFIX) :] for name in results.columns if str(name).startswith(PREFIX)]
    if "turns" not in names:
        yield "turns", None, False, results["turns"]
    yield "tokens", None, False, tokens(results)
    yield "seconds", None, False, results["seconds"]
    if "malformed" in names:
        yield "malformed_share", None, True, (numbers(results[f"{PREFIX}malformed"]) / results["turns"]).clip(0.0, 1.0)
    for name in names:
        if not name.endswith(".error"):
            yield from _measure(name, results[PREFIX + name])


def _measure(name: str, column: pd.Series) -> Iterator[tuple[str, str | None, bool, pd.Series]]:
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "boolean":
        yield name, None, True, numbers(column)
    elif kind in ("floating", "integer", "mixed-integer-float"):
        values = numbers(column)
        within = bool(values.dropna().between(0, 1).all()) and not name.endswith("seconds")
        yield name, None, within and (name.startswith("share.") or bool((values.dropna() % 1 > 0).any())), values
    elif kind == "string":
        texts = column.astype(object).where(column.notna(), None)
        counts = texts.value_counts()
        if len(counts) <= NEVER_LABELS:
            for label in sorted(counts.index, key=lambda text: (-counts[text], text))[:LABELS]:
                yield name, str(label), True, (texts == label).astype(np.float64).where(texts.notna(), np.nan)


def _corrected(found: list[Behaviour]) -> list[Behaviour]:
    known = [pair for behaviour in found for pair in behaviour.pairs if pair.difference.p is not None]
    adjusted = iter(benjamini_hochberg([pair.difference.p for pair in known if pair.difference.p is not None]))
    how = f"Benjamini-Hochberg over {len(known)}"
    result = []
    for behaviour in found:
        pairs = [
            pair
            if pair.difference.p is None
            else replace(pair, difference=replace(pair.difference, p_adjusted=next(adjusted), adjusted_by=how))
            for pair in behaviour.pairs
        ]
        result.append(replace(behaviour, pairs=pairs))
    return result
