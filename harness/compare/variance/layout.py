"""Which factors the trials are crossed by, and what of them one number can be decomposed into.

The first factor is what is compared; the second is everything else that is crossed with tasks (the scaffold, mostly;
where other roles' models vary too, their combinations); tasks are nested in scenarios. A level with too few tasks is
left out, and of designs that fall apart (every model in a scaffold of its own) what hangs together is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from harness.compare.evidence import Evidence
from harness.compare.panel import codes
from harness.compare.statistics import MIN_CLUSTERS
from harness.compare.statistics.variance_components import FIRST, REPEAT, SECOND, STRATUM, TASK, Cells, Source, cells

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """Numbers of each result's task and levels, aligned with `Evidence.results`, and what the factors are called."""

    names: dict[str, str]
    """Factor -> its name in words."""
    levels: dict[str, list[str]]
    """Of the first and second factor, and of scenarios."""
    task: Integers
    first: Integers
    second: Integers
    cluster: Integers
    stratum: Integers

    def name(self, source: Source) -> str:
        """`model x task`."""
        return " x ".join(self.names[factor] for factor in source)


@dataclass(frozen=True)
class Selected:
    """The cells of one number, and what had to be left out of them."""

    cells: Cells
    kept: NDArray[np.bool_]
    """Results behind them."""
    left_out: tuple[str, ...] = field(default=())
    """What was left out or put together, a sentence each."""


def layout(evidence: Evidence) -> Layout:
    """The factors of what is compared."""
    units = evidence.units
    nested = [name for name in ("scenario", "task") if name in units]
    second = [name for name in units.columns if name not in nested and units[name].nunique(dropna=False) > 1]
    scenario = codes(units, ["scenario"]) if "scenario" in units else np.zeros(len(units), dtype=np.int64)
    names = {FIRST: evidence.by, SECOND: " + ".join(second), STRATUM: "scenario", TASK: "task", REPEAT: "repeat"}
    number = codes(units, second) if second else np.zeros(len(units), dtype=np.int64)
    return Layout(
        names,
        {
            FIRST: list(evidence.models),
            SECOND: _labels(number, _together(units[second]) if second else []),
            STRATUM: _labels(scenario, units["scenario"].astype(str).tolist() if "scenario" in units else []),
        },
        codes(units, nested)[evidence.unit],
        evidence.model,
        number[evidence.unit],
        evidence.cluster,
        scenario[evidence.unit],
    )


def _together(table: pd.DataFrame) -> list[str]:
    """The values of each row in one text, what a row has none of (a seat that its scenario has not) as `-`."""
    return [" + ".join("-" if pd.isna(value) else str(value) for value in row) for row in table.to_numpy(dtype=object)]


def _labels(number: Integers, texts: list[str]) -> list[str]:
    """The text of each number."""
    _, first = np.unique(number, return_index=True)
    return [texts[place] for place in first] if texts else []


def select(plan: Layout, values: Floats) -> Selected:
    """The cells that one number is known of, without levels that have too few tasks or hang together with no other."""
    known = ~np.isnan(values)
    said: list[str] = []
    for factor, number in ((FIRST, plan.first), (SECOND, plan.second)):
        known, few = _without_few(number, plan.cluster, known, plan.levels[factor])
        if few:
            said.append(f"Fewer than {MIN_CLUSTERS} tasks for {plan.names[factor]} {_listed(few)}: left out.")
    second = plan.second
    known, second, text = _connected(plan, known)
    if text:
        said.append(text)
    stratum = plan.stratum
    if not _strata_large_enough(plan, known):
        if len(np.unique(stratum[known])) > 1:
            said.append(f"Some scenarios have fewer than {MIN_CLUSTERS} tasks: differences of scenarios count as task.")
        stratum = np.zeros_like(stratum)
    data = np.where(known, values, np.nan)
    return Selected(cells(data, plan.task, plan.first, second, plan.cluster, stratum), known, tuple(said))


def without_strata(chosen: Selected) -> Selected:
    """The same with scenarios counted as part of the task."""
    text = "Not every scenario has all that is compared: differences of scenarios count as task."
    data = replace(chosen.cells, stratum=np.zeros_like(chosen.cells.stratum))
    return replace(chosen, cells=data, left_out=(*chosen.left_out, text))


def _without_few(
    number: Integers, cluster: Integers, known: NDArray[np.bool_], labels: list[str]
) -> tuple[NDArray[np.bool_], list[str]]:
    """The results of levels with enough clusters, and the levels that have too few, but some."""
    if len(labels) < 2:
        return known, []
    pairs = np.unique(np.column_stack([number[known], cluster[known]]), axis=0)
    clusters = np.bincount(pairs[:, 0], minlength=len(labels))
    few = [labels[place] for place in np.flatnonzero((clusters > 0) & (clusters < MIN_CLUSTERS))]
    return (known & (clusters >= MIN_CLUSTERS)[number] if few else known), few


def _connected(plan: Layout, known: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Integers, str | None]:
    """The largest part of the design in which the two factors can be told apart; else the second is given up."""
    if len(plan.levels[SECOND]) < 2 or not known.any():
        return known, plan.second, None
    a, size = len(plan.levels[FIRST]), len(plan.levels[FIRST]) + len(plan.levels[SECOND])
    edges = np.unique(np.column_stack([plan.first[known], a + plan.second[known]]), axis=0)
    _, part = connected_components(
        coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(size, size)), directed=False
    )
    used = np.unique(part[edges[:, 0]])
    if len(used) < 2:
        return known, plan.second, None
    first, second = plan.names[FIRST], plan.names[SECOND]
    largest = used[np.argmax([np.count_nonzero(part[plan.first[known]] == place) for place in used])]
    inside = [name for place, name in enumerate(plan.levels[FIRST]) if part[place] == largest]
    if len(inside) < 2:
        text = f"Every {first} has a {second} of its own: what is told as {first} may be the {second}'s doing."
        return known, np.zeros_like(plan.second), text
    text = f"Only {first} {_listed(inside)} share a {second}: the others are left out of the shares."
    return known & (part[plan.first] == largest), plan.second, text


def _strata_large_enough(plan: Layout, known: NDArray[np.bool_]) -> bool:
    pairs = np.unique(np.column_stack([plan.stratum[known], plan.cluster[known]]), axis=0)
    counts = np.bincount(pairs[:, 0]) if len(pairs) else np.zeros(0, dtype=np.int64)
    return bool(np.all(counts[counts > 0] >= MIN_CLUSTERS))


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
