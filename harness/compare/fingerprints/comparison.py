"""Fingerprints: every behaviour of every model, paired by unit, standardised within the task, corrected for all.

What a trial does depends on its task, so nothing is compared across tasks. With V(u, m) the mean over the repeats of
model m on unit u, a difference of two models is the mean of V(u, a) - V(u, b) over the units of both, with the
clustered interval. To set behaviours of different kinds side by side they are divided by the pooled standard deviation
within a unit,

    s^2 = sum over trials i of (x_i - mean of V(u(i), m) over m)^2 / (N - U),

over the N trials of the U units with two trials or more (the within-groups mean square of an analysis of variance; a
difference over s is Cohen's d with the spread of one task: Cohen, "Statistical Power Analysis", 1988, section 2.2). The
standardised value of a model is the mean over units of (V(u, m) - mean over models of V(u, .)) / s.

A difference may only mirror success: who fails also tries longer. So it is made again among equal outcomes: trials
that passed against trials that passed on the same unit, failed against failed, each such meeting counting once.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.fingerprints.column import BehaviourColumn
from harness.compare.fingerprints.findings import Behaviour, Contrast, Distance, Fingerprints, Level
from harness.compare.fingerprints.values import behaviour_values
from harness.compare.sentences import several
from harness.compare.statistics import (
    MIN_CLUSTERS_TESTED,
    Difference,
    Estimate,
    mean_interval,
    rate_interval,
)
from harness.compare.statistics.simultaneous import corrected, paired_differences

Floats = NDArray[np.float64]
BOUNDS = (-1.0, 1.0)


@dataclass(frozen=True)
class _Measured:
    """One behaviour, compared."""

    behaviour: Behaviour
    means: list[Estimate]
    standardised: list[Difference]
    """Of each model, against the mean of all."""
    halves: list[Difference]
    differences: list[Difference]
    equal: list[Difference]


def fingerprints(evidence: Evidence) -> Fingerprints:
    """Compare the behaviours of all models; see the module."""
    columns = behaviour_values(evidence)
    alike = [c.name for c in columns if c.values.nunique() < 2]
    same = _same([column for column in columns if column.name not in set(alike)])
    left_out = {*alike, *same}
    measured = [_measured(evidence, column) for column in columns if column.name not in left_out]
    contrasts = _contrasts(evidence, measured)
    levels = _levels(evidence, measured)
    return Fingerprints(
        by=evidence.by, models=evidence.models, behaviours=[m.behaviour for m in measured], alike=alike,
        same=same,        single=not bool((evidence.half >= 0).any()), levels=levels, contrasts=contrasts,
        distances=_distances(evidence, contrasts, levels, measured), too_few=_too_few(evidence, measured),
        notes=_notes(evidence, contrasts, levels, same), cautions=_cautions(evidence),
    )  # fmt: skip


def _same(columns: Sequence[BehaviourColumn]) -> dict[str, str]:
    """Behaviours that are a straight line of an earlier one, known of the same trials -> that one."""
    found: dict[str, str] = {}
    first: dict[bytes, str] = {}
    for column in columns:
        values = column.values.to_numpy(dtype=np.float64)
        known = ~np.isnan(values)
        scaled = np.zeros(len(values))
        scaled[known] = (values[known] - values[known].mean()) / values[known].std()
        scaled *= np.sign(scaled[np.argmax(np.abs(scaled) > 1e-6)])
        earlier = first.setdefault(known.tobytes() + (np.round(scaled, 4) + 0.0).tobytes(), column.name)
        if earlier != column.name:
            found[column.name] = earlier
    return found


def _measured(evidence: Evidence, column: BehaviourColumn) -> _Measured:
    values = column.values.to_numpy(dtype=np.float64)
    models, units, clusters = len(evidence.models), len(evidence.units), evidence.clusters
    panel, trials = _panel(values, evidence.unit, evidence.model, (units, models))
    spread = _spread(values, panel, evidence.unit)
    bounds = BOUNDS if column.share else None
    half = np.where(evidence.half >= 0, evidence.half, 0) * models + evidence.model
    halves, _ = _panel(np.where(evidence.half >= 0, values, np.nan), evidence.unit, half, (units, 2 * models))
    known = evidence.results["passed"].notna().to_numpy()
    passed = evidence.results["passed"].to_numpy(dtype=np.float64) > 0
    outcome, _ = _panel(
        np.where(known, values, np.nan), 2 * evidence.unit + passed, evidence.model, (2 * units, models)
    )
    found = Behaviour(
        column.name, column.label, column.description, column.share, column.truth, column.says,
        int(np.count_nonzero(~np.isnan(values))), spread,
    )  # fmt: skip
    return _Measured(
        found,
        [_mean(panel[:, m], clusters, trials[:, m], column.share) for m in range(models)],
        _standardised(panel, spread, clusters),
        paired_differences(halves, [(m, models + m) for m in range(models)], clusters, bounds=bounds),
        paired_differences(panel, evidence.pairs, clusters, bounds=bounds),
        paired_differences(outcome, evidence.pairs, np.repeat(clusters, 2), bounds=bounds),
    )


def _panel(
    values: Floats, row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]
) -> tuple[Floats, NDArray[np.int64]]:
    """Means of the known values of each row and column, and how many there are."""
    known = ~np.isnan(values) & (column >= 0)
    place = (row * shape[1] + column)[known]
    counts = np.bincount(place, minlength=shape[0] * shape[1])
    sums = np.bincount(place, weights=values[known], minlength=shape[0] * shape[1])
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means.reshape(shape), counts.reshape(shape)


def _centre(panel: Floats) -> Floats:
    """Mean over the models of each unit; NaN where fewer than two have a value."""
    known = ~np.isnan(panel)
    count = known.sum(axis=1)
    total = np.where(known, panel, 0.0).sum(axis=1)
    found: Floats = np.divide(total, count, out=np.full(len(panel), np.nan), where=count > 1)
    return found


def _spread(values: Floats, panel: Floats, unit: NDArray[np.int64]) -> float | None:
    """Pooled standard deviation within a unit; see the module."""
    known = ~np.isnan(values)
    trials = np.bincount(unit[known], minlength=len(panel))
    with_model = ~np.isnan(panel)
    centre = np.where(with_model, panel, 0.0).sum(axis=1) / np.maximum(with_model.sum(axis=1), 1)
    kept = known & (trials[unit] > 1)
    freedom = int(kept.sum()) - len(np.unique(unit[kept]))
    if freedom < 1:
        return None
    spread = float(np.sqrt(np.sum((values[kept] - centre[unit[kept]]) ** 2) / freedom))
    return spread if spread > 1e-12 else None


def _mean(values: Floats, clusters: NDArray[np.int64], trials: NDArray[np.int64], share: bool) -> Estimate:
    return rate_interval(values, clusters, trials) if share else mean_interval(values, clusters)


def _standardised(panel: Floats, spread: float | None, clusters: NDArray[np.int64]) -> list[Difference]:
    """Of each model against the mean of all in the unit."""
    models = panel.shape[1]
    scaled = np.full((len(panel), models + 1), np.nan)
    if spread is not None:
        scaled[:, :models] = (panel - _centre(panel)[:, None]) / spread
        scaled[:, models] = 0.0
    return paired_differences(scaled, [(m, models) for m in range(models)], clusters, bounds=None)


def _contrasts(evidence: Evidence, measured: Sequence[_Measured]) -> list[Contrast]:
    differences = corrected([d for m in measured for d in m.differences], evidence.declared)
    equal = corrected([d for m in measured for d in m.equal], evidence.declared)
    found = []
    for (m, (i, j)), difference, same in zip(
        itertools.product(measured, evidence.pairs), differences, equal, strict=True
    ):
        estimate, spread = difference.estimate, m.behaviour.spread
        effect = None if estimate is None or spread is None else estimate / spread
        found.append(
            Contrast(
                m.behaviour.name, m.behaviour.label, evidence.models[i], evidence.models[j], difference, effect, same
            )
        )
    return found


def _levels(evidence: Evidence, measured: Sequence[_Measured]) -> list[Level]:
    against = corrected([d for m in measured for d in m.standardised], declared=False)
    found = []
    for (m, number), apart in zip(itertools.product(measured, range(len(evidence.models))), against, strict=True):
        standardised = Estimate(apart.estimate, apart.low, apart.high, apart.n, apart.clusters, apart.method)
        if apart.estimate is not None and apart.low is None:
            standardised = replace(standardised, needed=apart.needed)
        found.append(
            Level(
                m.behaviour.name, m.behaviour.label, evidence.models[number], m.means[number], standardised,
                apart.p, apart.p_adjusted, m.halves[number],
            )
        )  # fmt: skip
    return found


def _distances(
    evidence: Evidence, contrasts: Sequence[Contrast], levels: Sequence[Level], measured: Sequence[_Measured]
) -> list[Distance]:
    spreads = {m.behaviour.name: m.behaviour.spread for m in measured}
    floors = {model: _size([(x.halves, spreads[x.behaviour]) for x in levels if x.model == model])[0]
              for model in evidence.models}  # fmt: skip
    found = []
    for i, j in evidence.pairs:
        first, second = evidence.models[i], evidence.models[j]
        size, count = _size(
            [(c.difference, spreads[c.behaviour]) for c in contrasts if (c.first, c.second) == (first, second)]
        )
        own = [floor for floor in (floors[first], floors[second]) if floor is not None]
        found.append(Distance(first, second, size, sum(own) / len(own) if own else None, count))
    return found


def _size(parts: Sequence[tuple[Difference, float | None]]) -> tuple[float | None, int]:
    """Root mean square of the differences over their spreads, and how many entered."""
    effects = [
        d.estimate / spread
        for d, spread in parts
        if d.estimate is not None and spread is not None and d.clusters >= MIN_CLUSTERS_TESTED
    ]
    return (float(np.sqrt(np.mean(np.square(effects)))) if effects else None), len(effects)


def _too_few(evidence: Evidence, measured: Sequence[_Measured]) -> str | None:
    if not len(evidence.results):
        return "No trial has a result yet: there is no behaviour to look at."
    if len(evidence.models) < 2:
        return f"Only {evidence.models[0]} is recorded: comparing behaviours takes two."
    if not measured:
        return "The record holds no behaviour that differs from trial to trial: nothing to compare."
    most = max((d.clusters for m in measured for d in m.differences), default=0)
    if most < MIN_CLUSTERS_TESTED:
        return (
            f"Too few: behaviours of two {several(evidence.by)} can be paired on {most} independent "
            f"{'task' if most == 1 else 'tasks'}; it takes at least {MIN_CLUSTERS_TESTED} to tell them apart."
        )
    return None


def _notes(
    evidence: Evidence, contrasts: Sequence[Contrast], levels: Sequence[Level], same: Mapping[str, str]
) -> list[str]:
    family = next((c.difference.adjusted_by for c in contrasts if c.difference.adjusted_by), None)
    found = [
        "Means are of trials, repeats averaged within the task first; differences are paired by task and scaffold, "
        "with intervals clustered by task (or family).",
        "Standardised values are the distance to the mean of all in the same task, in standard deviations of trials "
        "within a task.",
    ]
    if family:
        found.append(f"p of differences corrected by {family} (behaviours times pairs).")
    if levels and len(evidence.models) > 1:
        found.append("Standardised values are marked after Benjamini-Hochberg over all behaviours and " + evidence.by
                     + " values.")  # fmt: skip
    found.append(
        "Among equal outcomes: passed trials against passed ones of the same task, failed against failed; each such "
        "meeting counts once."
    )
    if same:
        listed = ", ".join(f"{name} as {other}" for name, other in same.items())
        found.append(f"Said once, as one follows from the other in every trial: {listed}.")
    if (evidence.half >= 0).any():
        found.append("Noise floor: odd repeats against even ones; each half has half of the repeats, so it lies high.")
    return found


def _cautions(evidence: Evidence) -> list[str]:
    found = []
    count = len(evidence.results)
    if evidence.paths is None:
        found.append("No actions are recorded: only what the table of trials holds is compared.")
    else:
        for number, model in enumerate(evidence.models):
            rows = evidence.model == number
            unknown = int(np.count_nonzero(rows & ~evidence.paths.known))
            if unknown:
                found.append(f"{model}: no actions are recorded of {unknown} of {int(rows.sum())} trials.")
        if (evidence.paths.key < 0).any():
            found.append("Arguments of some calls are not known: repeats and loops leave those trials out.")
        if len(evidence.paths.error) and (evidence.paths.error < 0).all():
            found.append("The record does not say which calls failed: nothing is known of errors and recovery.")
    ungraded = int(evidence.results["passed"].isna().sum())
    if count and ungraded == count:
        found.append("No trial is graded as passed or not: equal outcomes cannot be told.")
    elif ungraded:
        found.append(f"{ungraded} of {count} trials are not graded as passed or not, and in no equal outcome.")
    if count and not (evidence.half >= 0).any():
        found.append("The noise floor is unknown: it takes two repeats of a task.")
    return found
