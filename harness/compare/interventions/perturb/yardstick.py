"""How far another surface moves a model, beside how far another task does: who reacts to surface, who to substance."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.interventions.perturb.changes import Key, Measured
from harness.compare.interventions.perturb.rows import AGAIN, EVERY, PLAIN, WHATS, Yardstick
from harness.compare.interventions.perturb.sample import Sample
from harness.compare.statistics import MIN_CLUSTERS_TESTED
from harness.compare.statistics.distributions.energy import jackknife
from harness.compare.statistics.intervals import t_quantile

Floats = NDArray[np.float64]
MOST_TASKS = 60
"""Tasks of one scenario and scaffold that are held against each other."""
ONE_TASK = "no scenario has two independent tasks under one scaffold"
FEW = f"fewer than {MIN_CLUSTERS_TESTED} independent tasks"
ALIKE = "what it does cannot be told apart between tasks"


def yardsticks(evidence: Evidence, sample: Sample, found: Mapping[Key, Measured]) -> list[Yardstick]:
    """One row for each model, surface (and their mean) and distance."""
    made = []
    surfaces = [name for name in sample.surfaces if name != AGAIN]
    for what, model in itertools.product(WHATS, sample.models):
        tasks = _tasks(evidence, sample, model, what)
        for surface in [*surfaces, *([EVERY] if len(surfaces) > 1 else [])]:
            own = [found.get((model, name, what)) for name in (surfaces if surface == EVERY else [surface])]
            known = [one for one in own if one is not None]
            if known:
                made.append(_yardstick((model, surface, what), known, tasks))
    return made


def _tasks(evidence: Evidence, sample: Sample, model: str, what: str) -> Floats:
    """Rows (cluster, other cluster, energy distance) of pairs of places with different tasks, under plain."""
    table = sample.table
    plain = table[(table["model"] == model) & (table["surface"] == PLAIN) & (table["repeat_place"] < 24)]
    chance = evidence.chance(f"tasks {model} {what}")
    found: list[tuple[float, float, float]] = []
    for _, rows in plain.groupby("group"):
        sizes = rows.groupby("place").size()
        places = sizes.index[sizes > 1].to_numpy()
        if len(places) > MOST_TASKS:
            places = np.sort(chance.choice(places, MOST_TASKS, replace=False))
        rows = rows[rows["place"].isin(places)].sort_values("place", kind="stable")
        if len(places) < 2:
            continue
        own = rows["place"].to_numpy()
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        distances = sample.distances(what, rows.index.to_numpy())
        sums = np.add.reduceat(np.add.reduceat(distances, starts, axis=0), starts, axis=1)
        counts = np.diff([*starts, len(own)])
        within = np.diag(sums) / (counts * (counts - 1))
        between = 2 * sums / np.outer(counts, counts) - within[:, None] - within[None, :]
        clusters = rows["cluster"].to_numpy()[starts]
        one, other = np.triu_indices(len(starts), 1)
        apart = clusters[one] != clusters[other]
        found += list(
            zip(clusters[one][apart], clusters[other][apart], between[one, other][apart], strict=True)
        )  # fmt: skip
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def _yardstick(key: Key, own: list[Measured], tasks: Floats) -> Yardstick:
    clusters = np.array([cluster for one in own for cluster in one.clusters.values()])
    values = np.array([value for one in own for value in one.change.values()])
    surface = float(values.mean())
    every = np.unique(clusters)

    def nothing(why: str, task: float | None = None, low: float | None = None, high: float | None = None) -> Yardstick:
        return Yardstick(*key, surface, task, low, high, None, None, None, len(every), why)

    if not len(tasks):
        return nothing(ONE_TASK)
    task = float(tasks[:, 2].mean())
    if len(every) < MIN_CLUSTERS_TESTED:
        return nothing(FEW, task)
    without_task, without_surface = np.full(len(every), np.nan), np.full(len(every), np.nan)
    for number, cluster in enumerate(every):
        left = (tasks[:, 0] != cluster) & (tasks[:, 1] != cluster)
        without_task[number] = tasks[left, 2].mean() if left.any() else np.nan
        without_surface[number] = values[clusters != cluster].mean()
    reach = t_quantile(0.975, len(every) - 1)
    error = jackknife(task, without_task)
    if np.isnan(error):
        return nothing(FEW, task)
    low, high = task - reach * error, task + reach * error
    if low <= 0 or np.any(without_task <= 0):
        return nothing(ALIKE, task, low, high)
    ratio = surface / task
    spread = reach * jackknife(ratio, without_surface / without_task)
    if spread < 1e-9:
        return Yardstick(*key, surface, task, low, high, ratio, None, None, len(every))
    return Yardstick(*key, surface, task, low, high, ratio, ratio - spread, ratio + spread, len(every))
