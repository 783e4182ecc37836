"""What holds over many states: their tasks are the independent ones, however many moments and repeats there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.compare.interventions.fork.rollouts import Floats, Integers, Rollouts
from harness.compare.interventions.fork.rows import ByDepth, Home, Origins, Summary
from harness.compare.statistics import Difference, mean_interval, paired_difference, rate_interval
from harness.compare.statistics.simultaneous import corrected

PARTS = ("first third", "middle third", "last third")


def part_of(depth: float) -> int:
    """The third of the trial that a moment at this depth opens, 0 to 2."""
    return min(2, int(depth * 3 + 1e-9))


def summaries(found: Rollouts, pairs: Sequence[tuple[int, int]], *, declared: bool) -> list[Summary]:
    """Each pair over all states, p corrected over the pairs; then by thirds of the trial, corrected over these."""
    scores, passes = found.means(), found.means(found.passed)
    bounds = (-1.0, 1.0) if found.shares else None
    parts = np.array([part_of(state.depth) for state in found.states], dtype=np.int64)
    everything = np.ones(len(parts), dtype=bool)

    def row(
        one: int, other: int, name: str, inside: NDArray[np.bool_]
    ) -> tuple[tuple[int, int], str, Difference, Difference]:
        return (
            (one, other), name,
            paired_difference(scores[inside, one], scores[inside, other], found.cluster[inside], bounds=bounds),
            paired_difference(passes[inside, one], passes[inside, other], found.cluster[inside]),
        )  # fmt: skip

    whole = [row(one, other, "all", everything) for one, other in pairs]
    thirds = [
        row(one, other, name, parts == place)
        for one, other in pairs
        for place, name in enumerate(PARTS)
        if len(np.unique(parts)) > 1 and (parts == place).any()
    ]
    made = []
    for family, exact in ((whole, declared), (thirds, False)):
        told = corrected([item[2] for item in family], exact)
        passed = corrected([item[3] for item in family], exact)
        made += [
            Summary(found.models[pair[0]], found.models[pair[1]], name, score, rate)
            for (pair, name, _, _), score, rate in zip(family, told, passed, strict=True)
            if score.n
        ]
    return made


def by_depth(found: Rollouts) -> list[ByDepth]:
    """The value of states under each model, by thirds of the trial; the very beginning by itself."""
    scores = found.means()
    depth = np.array([state.depth for state in found.states])
    made = []
    parts = [("beginning", depth == 0)]
    parts += [
        (name, (depth > 0) & (np.array([part_of(d) for d in depth]) == place)) for place, name in enumerate(PARTS)
    ]
    for name, inside in parts:
        for place, model in enumerate(found.models):
            known = inside & ~np.isnan(scores[:, place])
            if known.any():
                counts = np.full(int(known.sum()), 2)
                value = rate_interval(scores[known, place], found.cluster[known], counts)
                made.append(ByDepth(model, float(depth[inside].mean()), name, value))
    return made


def homes(found: Rollouts, pairs: Sequence[tuple[int, int]]) -> list[Home]:
    """For each pair that both made states of: who goes on better where, on tasks in which each made some.

    States that both came to are nobody's home.
    """
    scores, bounds = found.means(), (-2.0, 2.0) if found.shares else None
    made = []
    for one, other in pairs:
        names = found.models[one], found.models[other]
        ahead = scores[:, one] - scores[:, other]
        sides = [
            np.array([mine in s.makers and theirs not in s.makers for s in found.states], dtype=bool) & ~np.isnan(ahead)
            for mine, theirs in (names, names[::-1])
        ]
        if not all(side.any() for side in sides):
            continue
        units = sorted({(s.scenario, s.task, s.scaffold) for s in found.states})
        place = {unit: n for n, unit in enumerate(units)}
        unit = np.array([place[s.scenario, s.task, s.scaffold] for s in found.states])
        first, second = (_unit_means(ahead, unit, side, len(units)) for side in sides)
        cluster = np.array([int(found.cluster[np.flatnonzero(unit == n)[0]]) for n in range(len(units))])
        made.append(
            Home(
                *names, mean_interval(first, cluster), mean_interval(second, cluster),
                paired_difference(first, second, cluster, bounds=bounds),
            )
        )  # fmt: skip
    return made


def origins(found: Rollouts) -> list[Origins]:
    """For each model and each that made states: what they are worth, beside what the recorded trials came to."""
    scores = found.means()
    recorded = np.array([
        (state.recorded_score if state.recorded_score is not None
         else np.nan if state.recorded_passed is None else float(state.recorded_passed))
        for state in found.states
    ])  # fmt: skip
    bounds = (-1.0, 1.0) if found.shares else None
    prefixes = list(dict.fromkeys(state.prefix for state in found.states))
    made = []
    for place, model in enumerate(found.models):
        for prefix in prefixes:
            inside = np.array([state.prefix == prefix for state in found.states]) & ~np.isnan(scores[:, place])
            if inside.any():
                cluster, counts = found.cluster[inside], np.full(int(inside.sum()), 2)
                made.append(
                    Origins(
                        model, prefix, int(inside.sum()), rate_interval(scores[inside, place], cluster, counts),
                        rate_interval(recorded[inside], cluster, counts),
                        paired_difference(scores[inside, place], recorded[inside], cluster, bounds=bounds),
                    )
                )  # fmt: skip
    return made


def _unit_means(values: Floats, unit: Integers, which: NDArray[np.bool_], count: int) -> Floats:
    sums = np.bincount(unit[which], weights=values[which], minlength=count)
    counts = np.bincount(unit[which], minlength=count)
    found: Floats = np.divide(sums, counts, out=np.full(count, np.nan), where=counts > 0)
    return found
