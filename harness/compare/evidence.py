"""What every analysis reads: the trials compared, their results, and what was done in them.

A *unit* is what two models have in common when everything but the model is held still (scenario, task, scaffold, other
roles' models); a *cluster* is what is independent: the family of a task, else the task. See `harness.compare.panel`.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.compare.panel import Grid, model_order
from harness.compare.statistics.estimates import MIN_CLUSTERS_TESTED
from harness.compare.summary import ready
from harness.compare.trajectories import Trajectories, trajectories
from harness.errors import UserError

SEED = 20_261_122
NOT_COMPARED = ("task", "trial", "cell", "repeat", "attempt", "seed", "factors")
Reader = Callable[[Sequence[str]], pd.DataFrame]


@dataclass(frozen=True)
class Evidence:
    """The record of what is compared.

    `results` holds one row for each trial that is a result of a model compared; `paths`, `model`, `unit`, `cluster` and
    `half` are aligned with it, row for row.
    """

    by: str
    """What is compared: `model`, or another column."""
    models: list[str]
    """The values of `by` compared, in plan order."""
    trials: pd.DataFrame
    """Everything recorded of these models, also what is missing (prepared, see `harness.compare.panel.prepare`)."""
    results: pd.DataFrame
    asked: pd.DataFrame | None
    """What was asked for; None where nobody wrote it down."""
    calls: pd.DataFrame | None
    """Receipts of some of the calls."""
    paths: Trajectories | None
    """What was done; None where no action is recorded."""
    model: NDArray[np.int64]
    """Index into `models`."""
    unit: NDArray[np.int64]
    """Number of the unit, from 0; rows of `units`."""
    units: pd.DataFrame
    """One row a unit: the columns that tell units apart."""
    cluster: NDArray[np.int64]
    """Number of the cluster of each result."""
    half: NDArray[np.int64]
    """0 and 1 for the odd and even repeats of a model on a unit; -1 where there is but one."""
    contrasts: list[tuple[str, str]] | None = None
    """Pairs declared before the data were looked at; None when all pairs are explored."""
    lineage: pd.DataFrame | None = None
    """Where the trials set out from (`harness.record.frames.LINEAGE`, `detail` as JSON text), one row a trial, of an
    intervention; None for ordinary sweeps. Rows are matched by `trial`."""
    read: Reader | None = field(default=None, repr=False)
    """Reads `trial`, `position`, `kind`, `action`, `arguments` and `text` of the actions of some trials (the name of a
    malformed call is there too); None where nobody can."""

    @property
    def kind(self) -> str | None:
        """The kind of intervention the trials are of, e.g. `probe`; None for ordinary sweeps, and for several kinds."""
        kinds = set() if self.lineage is None else set(self.lineage["kind"].dropna().astype(str))
        return kinds.pop() if len(kinds) == 1 else None

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs to compare, as indices into `models`, the earlier first."""
        if self.contrasts is not None:
            return [(self.models.index(a), self.models.index(b)) for a, b in self.contrasts]
        return list(itertools.combinations(range(len(self.models)), 2))

    @property
    def declared(self) -> bool:
        """Whether the pairs were declared: then Holm corrects them, else Benjamini and Hochberg."""
        return self.contrasts is not None

    @property
    def clusters(self) -> NDArray[np.int64]:
        """Number of the cluster of each unit."""
        _, first = np.unique(self.unit, return_index=True)
        return self.cluster[first]

    @property
    def few(self) -> list[str]:
        """What has to be said where labels permuted within the tasks tell models apart, but there are few tasks."""
        count = len(np.unique(self.cluster))
        if count >= MIN_CLUSTERS_TESTED:
            return []
        tasks = "1 independent task" if count == 1 else f"{count} independent tasks"
        return [f"This holds for the trials of {tasks}; for others like them it takes {MIN_CLUSTERS_TESTED} or more."]

    def chance(self, name: str) -> np.random.Generator:
        """Random numbers of one analysis: the same for the same name, whatever else is computed."""
        return np.random.default_rng([SEED, zlib.crc32(name.encode())])

    def trial_ids(self, rows: NDArray[np.int64]) -> list[str]:
        """The ids of some results; empty where trials have none."""
        return [str(name) for name in self.results["trial"].iloc[rows].dropna()]


def gather(
    trials: pd.DataFrame,
    *,
    actions: pd.DataFrame | None = None,
    visits: pd.DataFrame | None = None,
    asked: pd.DataFrame | None = None,
    calls: pd.DataFrame | None = None,
    between: Sequence[str] | None = None,
    by: str = "model",
    contrasts: Sequence[tuple[str, str]] | None = None,
    lineage: pd.DataFrame | None = None,
    read: Reader | None = None,
) -> Evidence:
    """Put the tables of a record together.

    `between` names the models to compare, in order, when not all; naming them declares their pairs. Raises `UserError`
    for a column or model that is not there.
    """
    table, wanted = ready(trials, asked)
    if by not in table or by in NOT_COMPARED or by.startswith("_"):
        raise UserError(f"cannot compare by {by!r}: compare by model, scaffold, or another column that is crossed")
    everyone = model_order(table, by, wanted)
    models = list(between) if between else everyone
    for model in models:
        if model not in everyone:
            raise UserError(f"no {by} {model!r} in these records; there are: {', '.join(everyone)}")
    if len(set(models)) < len(models):
        raise UserError(f"{by} {models[0]!r} is to be compared with itself; its noise floor says that already")
    if between and contrasts is None:
        contrasts = list(itertools.combinations(models, 2))
    chosen = None if contrasts is None else [pair for pair in contrasts if set(pair) <= set(models)]
    table = table[table[by].astype(str).isin(models)].reset_index(drop=True)
    wanted = wanted if wanted is None or by not in wanted else wanted[wanted[by].isin(models)]
    results = table[table["is_result"]].reset_index(drop=True)
    grid = Grid(results, by, models)
    paths = None
    if actions is not None and len(actions) and results["trial"].notna().all():
        paths = trajectories(list(results["trial"].astype(str)), actions, visits)
    return Evidence(
        by, models, table, results, wanted, calls, paths if paths is not None and paths.known.any() else None,
        grid.column, grid.row, grid.units, results["_cluster"].to_numpy(dtype=np.int64), _halves(grid),
        chosen or None, lineage if lineage is not None and len(lineage) else None, read,
    )  # fmt: skip


def _halves(grid: Grid) -> NDArray[np.int64]:
    place = pd.Series(grid.row * max(1, len(grid.models)) + grid.column)
    groups = place.groupby(place)
    rank = groups.cumcount().to_numpy()
    return np.where(groups.transform("size").to_numpy() > 1, rank % 2, -1).astype(np.int64)
