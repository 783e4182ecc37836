"""Outcome ~ prefix + suffix + prefix:suffix over tasks, the ends of the course beside it.

Within a task (of one scenario and scaffold) trials of one model that began, one that went on, and one share are
averaged, then shares between 0 and 1. Of two models A and B, with AB what A began and B went on with, the terms are

    sets up     ((AA + AB) - (BA + BB)) / 2
    finishes    ((AA + BA) - (AB + BB)) / 2
    own course  ((AA + BB) - (AB + BA)) / 2

which are the main effects and the interaction of a two-by-two design with task effects, each of its coefficients under
coding of 1/2 and -1/2 (the interaction halved). A task that lacks one of the four is left out. Tasks are what is
independent: intervals and sign flips are over them.
"""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.interventions.relay.result import Cell, Effect, Handover, Point, Relay, Sham, Term
from harness.compare.statistics import (
    MIN_CLUSTERS_TESTED,
    Difference,
    Estimate,
    mean_interval,
    paired_difference,
    rate_interval,
)
from harness.compare.statistics.simultaneous import corrected

Floats = NDArray[np.float64]
_SIGNS: dict[Term, tuple[float, float, float, float]] = {
    "sets up": (0.5, 0.5, -0.5, -0.5),
    "finishes": (0.5, -0.5, 0.5, -0.5),
    "own course": (0.5, -0.5, -0.5, 0.5),
}
"""Of AA, AB, BA, BB."""


def relay(evidence: Evidence) -> Relay:
    """Analyse the trials of a relay."""
    trials, cautions = _trials(evidence)
    models = [model for model in evidence.models if model in set(trials["prefix"]) | set(trials["model"])]
    if trials.empty:
        return Relay(models=models, too_few="No continuation has a graded result: nothing can be said of relays.",
                     cautions=cautions)  # fmt: skip
    inner = trials[(trials["at"] > 0) & (trials["at"] < 1)]
    if inner.empty:
        cautions.append("No share between 0 and 1 was run: only the ends are here.")
    shares = bool(trials["outcome"].between(0.0, 1.0).all())
    units = _units(trials)
    inside = _square(inner, units, models)
    pairs = list(itertools.combinations(range(len(models)), 2))
    return Relay(
        models=models,
        trials=len(trials),
        tasks=int(trials["cluster"].nunique()),
        shares=shares,
        effects=_effects(inside, units, models, pairs, shares),
        cells=_cells(inner, inside, units, models, shares),
        points=_points(trials, units, models, shares),
        shams=_shams(trials, inside, units, models, shares),
        handover=_handover(trials, units, models, shares),
        notes=_notes(len(pairs)),
        cautions=cautions,
    )


def _trials(evidence: Evidence) -> tuple[pd.DataFrame, list[str]]:
    """One row a graded trial without drift: unit columns, `prefix`, `model`, `at`, `outcome`, `cluster`."""
    results = evidence.results
    outcome = results["score"].where(results["score"].notna(), results["passed"])
    table = results[["scenario", "task", "scaffold", "model", "trial"]].assign(
        prefix=results["prefix"].astype(str), at=results["at"].astype(np.float64), outcome=outcome.astype(np.float64),
        cluster=evidence.cluster,
    )  # fmt: skip
    cautions = []
    assert evidence.lineage is not None  # noqa: S101 - trials of a relay have one
    drifted = set(evidence.lineage.loc[evidence.lineage["drift"] > 0, "trial"].astype(str))
    gone = table["trial"].astype(str).isin(drifted)
    if gone.any():
        cautions.append(f"{int(gone.sum())} continuations whose way back drifted from the record are left out.")
    ungraded = table["outcome"].isna() & ~gone
    if ungraded.any():
        cautions.append(f"{int(ungraded.sum())} continuations without a score are left out.")
    missing = len(evidence.trials) - len(results)
    if missing:
        cautions.append(f"{missing} continuations did not come to a result and are left out.")
    return table[~gone & ~ungraded].reset_index(drop=True), cautions


def _units(trials: pd.DataFrame) -> pd.DataFrame:
    """One row for each scenario, task and scaffold, with its cluster; the index is the unit's number."""
    return trials.groupby(["scenario", "task", "scaffold"], sort=True)["cluster"].first().reset_index()


def _unit_of(trials: pd.DataFrame, units: pd.DataFrame) -> NDArray[np.int64]:
    keys = ["scenario", "task", "scaffold"]
    return pd.MultiIndex.from_frame(units[keys]).get_indexer(pd.MultiIndex.from_frame(trials[keys])).astype(np.int64)


def _square(inner: pd.DataFrame, units: pd.DataFrame, models: list[str]) -> Floats:
    """Units x prefixes x suffixes: the mean over shares of the mean over trials; NaN where there is none."""
    made = np.full((len(units), len(models), len(models)), np.nan)
    if inner.empty:
        return made
    by_share = inner.assign(unit=_unit_of(inner, units)).groupby(["unit", "prefix", "model", "at"])["outcome"].mean()
    averaged = by_share.groupby(level=["unit", "prefix", "model"]).mean().reset_index()
    place = {model: number for number, model in enumerate(models)}
    made[averaged["unit"], averaged["prefix"].map(place), averaged["model"].map(place)] = averaged["outcome"]
    return made


def _effects(
    inside: Floats, units: pd.DataFrame, models: list[str], pairs: list[tuple[int, int]], shares: bool
) -> list[Effect]:  # fmt: skip
    clusters = units["cluster"].to_numpy()
    bounds = (-1.0, 1.0) if shares else None
    found: list[tuple[int, int, Term, Difference]] = []
    for one, other in pairs:
        square = np.stack([inside[:, a, b] for a, b in itertools.product((one, other), repeat=2)], axis=1)
        for term, signs in _SIGNS.items():
            contrast = square @ np.array(signs)
            found.append((one, other, term, paired_difference(contrast, np.zeros(len(contrast)), clusters,
                                                              bounds=bounds)))  # fmt: skip
    told = corrected([difference for *_, difference in found], True)
    return [
        Effect(models[one], models[other], term, difference)
        for (one, other, term, _), difference in zip(found, told, strict=True)
    ]


def _cells(
    inner: pd.DataFrame, inside: Floats, units: pd.DataFrame, models: list[str], shares: bool
) -> list[Cell]:  # fmt: skip
    made = []
    for (row, prefix), (column, suffix) in itertools.product(enumerate(models), repeat=2):
        count = int(((inner["prefix"] == prefix) & (inner["model"] == suffix)).sum())
        if count:
            made.append(Cell(prefix, suffix, count, _value(inside[:, row, column], units, shares)))
    return made


def _points(trials: pd.DataFrame, units: pd.DataFrame, models: list[str], shares: bool) -> list[Point]:
    """The course of every ordered pair: the suffix alone, the swaps, the prefix alone."""
    unit = _unit_of(trials, units)
    made = []
    for prefix, suffix in itertools.product(models, repeat=2):
        for at in sorted(trials["at"].unique()):
            began, went_on = (suffix, suffix) if at == 0 else (prefix, prefix) if at == 1 else (prefix, suffix)
            chosen = ((trials["prefix"] == began) & (trials["model"] == went_on) & (trials["at"] == at)).to_numpy()
            if chosen.any():
                values = _means(trials["outcome"].to_numpy()[chosen], unit[chosen], len(units))
                made.append(Point(prefix, suffix, float(at), int(chosen.sum()), _value(values, units, shares)))
    return made


def _shams(trials: pd.DataFrame, inside: Floats, units: pd.DataFrame, models: list[str], shares: bool) -> list[Sham]:
    clusters = units["cluster"].to_numpy()
    found = []
    for place, model in enumerate(models):
        ends = [_alone(trials, units, model, at) for at in (0.0, 1.0)]
        there = [not np.isnan(end).all() for end in ends]
        if not any(there) or np.isnan(inside[:, place, place]).all():
            continue
        against = np.nanmean(np.stack(ends), axis=0) if all(there) else ends[there.index(True)]
        if all(there):
            against = np.where(np.isnan(ends[0]) | np.isnan(ends[1]), np.nan, against)
        difference = paired_difference(inside[:, place, place], against, clusters,
                                       bounds=(-1.0, 1.0) if shares else None)  # fmt: skip
        found.append(
            (model, "alone" if all(there) else "from the beginning" if there[0] else "as recorded", difference)
        )
    told = corrected([difference for *_, difference in found], True) if found else []
    return [
        Sham(model, against, difference)  # type: ignore[arg-type]
        for (model, against, _), difference in zip(found, told, strict=True)
    ]


def _handover(trials: pd.DataFrame, units: pd.DataFrame, models: list[str], shares: bool) -> Handover | None:
    """For each cluster, the best relay and the best single model of all others, on that cluster.

    What is chosen because it came out best is too good where it was chosen; on a task left out it is not.
    """
    clusters = units["cluster"].to_numpy()
    unit = _unit_of(trials, units)
    outcome = trials["outcome"].to_numpy()
    relays: dict[str, Floats] = {}
    inner = sorted(at for at in trials["at"].unique() if 0 < at < 1)
    for prefix, suffix in itertools.permutations(models, 2):
        for at in inner:
            chosen = ((trials["prefix"] == prefix) & (trials["model"] == suffix) & (trials["at"] == at)).to_numpy()
            relays[f"{prefix}, then {suffix} from {at:g}"] = _means(outcome[chosen], unit[chosen], len(units))
    singles = {model: np.nanmean(np.stack([_alone(trials, units, model, at) for at in (0.0, 1.0)]), axis=0)
               if _has_ends(trials, model) else _either(trials, units, model) for model in models}  # fmt: skip
    relays = {name: values for name, values in relays.items() if not np.isnan(values).any()}
    singles = {name: values for name, values in singles.items() if not np.isnan(values).any()}
    if not relays or not singles or len(np.unique(clusters)) < MIN_CLUSTERS_TESTED:
        return None
    gains = np.full(len(units), np.nan)
    picked: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for cluster in np.unique(clusters):
        out = clusters == cluster
        best = [max(group, key=lambda name: group[name][~out].mean()) for group in (relays, singles)]
        gains[out] = relays[best[0]][out] - singles[best[1]][out]
        picked[0][best[0]] += 1
        picked[1][best[1]] += 1
    difference = paired_difference(gains, np.zeros(len(gains)), clusters, bounds=(-1.0, 1.0) if shares else None)
    return Handover(difference, dict(picked[0]), dict(picked[1]))


def _alone(trials: pd.DataFrame, units: pd.DataFrame, model: str, at: float) -> Floats:
    """One model from beginning to end, by unit."""
    chosen = ((trials["prefix"] == model) & (trials["model"] == model) & (trials["at"] == at)).to_numpy()
    return _means(trials["outcome"].to_numpy()[chosen], _unit_of(trials[chosen], units), len(units))


def _has_ends(trials: pd.DataFrame, model: str) -> bool:
    own = trials[(trials["prefix"] == model) & (trials["model"] == model)]
    return bool((own["at"] == 0).any() and (own["at"] == 1).any())


def _either(trials: pd.DataFrame, units: pd.DataFrame, model: str) -> Floats:
    first = _alone(trials, units, model, 0.0)
    return np.where(np.isnan(first), _alone(trials, units, model, 1.0), first)


def _means(values: Floats, unit: NDArray[np.int64], count: int) -> Floats:
    trials = np.bincount(unit, minlength=count)
    sums = np.bincount(unit, weights=values, minlength=count)
    means: Floats = np.divide(sums, trials, out=np.full(count, np.nan), where=trials > 0)
    return means


def _value(values: Floats, units: pd.DataFrame, shares: bool) -> Estimate:
    known = ~np.isnan(values)
    clusters = units["cluster"].to_numpy()[known]
    if shares:
        return rate_interval(values[known], clusters, np.full(int(known.sum()), 2))
    return mean_interval(values[known], clusters)


def _notes(pairs: int) -> list[str]:
    return [
        "Terms are of the shares between 0 and 1: sets up and finishes are the main effects of who began and of who "
        "went on, own course their interaction; contrasts within each task, intervals and sign flips over tasks, p "
        f"corrected by Holm over {3 * pairs}.",
        "The ends of a course are one model alone: at 0 from the beginning on the same seed, at 1 its recorded trial.",
        "The control is a model swapped for itself on the same way, against the mean of its two ends.",
        "A relay is held against single models on tasks on which neither was chosen (leave one task out).",
    ]
