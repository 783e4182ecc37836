"""By how much each surface moves each model, beyond the model's own noise, and whether it moves one model more."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.interventions.perturb.rows import AGAIN, EVERY, PLAIN, WHATS, Change, Moved, Score
from harness.compare.interventions.perturb.sample import Sample
from harness.compare.statistics import (
    Difference,
    benjamini_hochberg,
    holm,
    mean_interval,
    paired_difference,
)
from harness.compare.statistics.distributions.energy import energy, exchange_kernel, exchange_test

Floats = NDArray[np.float64]


@dataclass
class Measured:
    """One model, surface and distance: what was found at each place."""

    clusters: dict[int, int] = field(default_factory=dict)
    """Place -> cluster."""
    change: dict[int, float] = field(default_factory=dict)
    """Place -> energy distance."""
    apart: dict[int, float] = field(default_factory=dict)
    floor: dict[int, float] = field(default_factory=dict)
    kernels: list[Floats] = field(default_factory=list)
    pairs: int = 0


Key = tuple[str, str, str]
"""(model, surface, distance)."""


def measured(sample: Sample) -> tuple[dict[Key, Measured], int]:
    """What was found for every model, surface and distance; and how many trials had no plain one of their seed."""
    found: dict[Key, Measured] = {}
    unpaired = 0
    for model, place, rows in sample.blocks():
        places = rows.index.to_numpy()
        tables = {what: sample.distances(what, places) for what in WHATS}
        repeats = {
            surface: dict(zip(own["repeat"], np.flatnonzero(rows["surface"].to_numpy() == surface), strict=True))
            for surface, own in rows.groupby("surface")
        }
        plain = repeats.pop(PLAIN, {})
        for surface, own in repeats.items():
            common = [repeat for repeat in own if repeat in plain]
            unpaired += len(own) - len(common)
            if len(common) < 2:
                continue
            chosen = [*(plain[repeat] for repeat in common), *(own[repeat] for repeat in common)]
            for what, table in tables.items():
                into = found.setdefault((model, str(surface), what), Measured())
                _take(into, place, int(rows["cluster"].iloc[0]), table[np.ix_(chosen, chosen)])
    return found, unpaired


def _take(into: Measured, place: int, cluster: int, distances: Floats) -> None:
    n = len(distances) // 2
    kernel = exchange_kernel(distances)
    others = n * (n - 1)
    cross = distances[:n, n:]
    into.clusters[place] = cluster
    into.change[place] = energy(kernel)
    into.apart[place] = float((cross.sum() - np.trace(cross)) / others)
    into.floor[place] = float(distances[:n, :n].sum() / others)
    into.kernels.append(kernel)
    into.pairs += n


def changes(evidence: Evidence, sample: Sample, found: Mapping[Key, Measured]) -> list[Change]:
    """One row for each model, surface and distance; p corrected over all of one distance."""
    chance = evidence.chance("perturb")
    made = []
    for what, model, surface in itertools.product(WHATS, sample.models, sample.surfaces):
        own = found.get((model, surface, what))
        if own is None:
            continue
        places = list(own.change)
        clusters = [own.clusters[place] for place in places]
        change = paired_difference(list(own.change.values()), np.zeros(len(places)), clusters, bounds=None, draw=False)
        p, how = exchange_test(own.kernels, chance)
        made.append(
            Change(
                model, surface, what, replace(change, p=p, p_method=how, p_exact=p, p_mid=None),
                mean_interval(list(own.apart.values()), clusters, (0.0, 1.0)),
                mean_interval(list(own.floor.values()), clusters, (0.0, 1.0)), own.pairs,
            )
        )  # fmt: skip
    for what in WHATS:
        rows = [number for number, row in enumerate(made) if row.what == what and row.surface != AGAIN]
        for number, change in zip(rows, _corrected([made[n].change for n in rows], evidence.declared), strict=True):
            made[number] = replace(made[number], change=change)
    return made


def scores(evidence: Evidence, sample: Sample) -> list[Score]:
    """The change of the score with each surface, for each model, on the places that have both."""
    means = _scores(sample)
    bounds = (-1.0, 1.0) if _shares(sample) else None
    found = []
    for model, surface in itertools.product(sample.models, sample.surfaces):
        plain, other = means.get((model, PLAIN), {}), means.get((model, surface), {})
        places = [place for place in plain if place in other]
        if places:
            change = paired_difference(
                [other[place] for place in places], [plain[place] for place in places], _clusters(sample, places),
                bounds=bounds,
            )  # fmt: skip
            found.append(Score(model, surface, float(np.mean([plain[place] for place in places])), change))
    rows = [number for number, row in enumerate(found) if row.surface != AGAIN]
    for number, change in zip(rows, _corrected([found[n].change for n in rows], evidence.declared), strict=True):
        found[number] = replace(found[number], change=change)
    return found


def interactions(evidence: Evidence, sample: Sample, found: Mapping[Key, Measured]) -> list[Moved]:
    """Pairs of models by surface: by how much more the first is moved; each distance, and the score, a family."""
    pairs = [(evidence.models[a], evidence.models[b]) for a, b in evidence.pairs] if evidence.by == "model" else []
    means, shares = _scores(sample), _shares(sample)
    surfaces = [name for name in sample.surfaces if name != AGAIN]
    made: list[Moved] = []
    for what, (first, second) in itertools.product((*WHATS, "score"), pairs):
        moved: dict[str, dict[str, dict[int, float]]] = {name: {} for name in (first, second)}
        for name, surface in itertools.product((first, second), surfaces):
            if what == "score":
                plain, other = means.get((name, PLAIN), {}), means.get((name, surface), {})
                moved[name][surface] = {place: other[place] - plain[place] for place in other if place in plain}
            else:
                own = found.get((name, surface, what))
                moved[name][surface] = {} if own is None else own.change
        rows = list(surfaces)
        if len(surfaces) > 1:
            rows.append(EVERY)
            both = [surface for surface in surfaces if moved[first][surface] and moved[second][surface]]
            for name in (first, second):
                moved[name][EVERY] = _over_all([moved[name][surface] for surface in both])
        for surface in rows:
            places = [place for place in moved[first][surface] if place in moved[second][surface]]
            if places:
                values = [[moved[name][surface][place] for place in places] for name in (first, second)]
                bounds = (-2.0, 2.0) if what == "score" and shares else None
                difference = paired_difference(values[0], values[1], _clusters(sample, places), bounds=bounds)
                made.append(Moved(first, second, surface, what, difference))
    for what in (*WHATS, "score"):
        family = [number for number, row in enumerate(made) if row.what == what]
        adjusted = _corrected([made[n].difference for n in family], evidence.declared)
        for number, difference in zip(family, adjusted, strict=True):
            made[number] = replace(made[number], difference=difference)
    return made


def _over_all(moved: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """The mean over surfaces at each place that has all of them."""
    places = set(moved[0]).intersection(*moved[1:]) if moved else set()
    return {place: float(np.mean([own[place] for own in moved])) for place in sorted(places)}


def _scores(sample: Sample) -> dict[tuple[str, str], dict[int, float]]:
    """(model, surface) -> place -> mean score."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    means = sample.table.dropna(subset=["score"]).groupby(["model", "surface", "place"])["score"].mean()
    for model, surface, place, mean in means.reset_index().itertuples(index=False):
        found.setdefault((str(model), str(surface)), {})[int(place)] = float(mean)
    return found


def _shares(sample: Sample) -> bool:
    known = sample.table["score"].dropna()
    return bool(known.between(0, 1).all())


def _clusters(sample: Sample, places: Sequence[int]) -> list[int]:
    table = sample.table.drop_duplicates("place").set_index("place")["cluster"]
    return [int(table[place]) for place in places]


def _corrected(found: Sequence[Difference], declared: bool) -> list[Difference]:
    known = [one.p for one in found if one.p is not None]
    fresh = iter(holm(known) if declared else benjamini_hochberg(known))
    how = f"{'Holm' if declared else 'Benjamini-Hochberg'} over {len(known)}"
    return [one if one.p is None else replace(one, p_adjusted=next(fresh), adjusted_by=how) for one in found]
