"""What a trial was worth along its course: the value at each of its moments, and what was done where it fell."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from harness.compare.interventions.fork.exchange import corrected, exchanged_p
from harness.compare.interventions.fork.rollouts import Rollouts
from harness.compare.interventions.fork.rows import Drop
from harness.compare.interventions.fork.values import difference_interval
from harness.compare.statistics import rate_interval


def drops(found: Rollouts, chance: np.random.Generator) -> list[Drop]:
    """How the value changed between neighbouring moments of a trial under one model; the largest fall first.

    If what was done in between changed nothing, continuations from before and after are exchangeable. p is corrected
    over all that could differ (neighbours share their continuations).
    """
    cells = found.cells()
    courses: dict[tuple[str, str | None], list[int]] = {}
    for place, state in enumerate(found.states):
        courses.setdefault((state.trial, state.handed), []).append(place)
    made: list[Drop] = []
    varied: list[bool] = []
    for places in courses.values():
        for model, name in enumerate(found.models):
            known = sorted((p for p in places if (p, model) in cells), key=lambda p: found.states[p].at)
            for here, there in itertools.pairwise(known):
                state, before, after = found.states[here], cells[here, model], cells[there, model]
                until = found.states[there].at
                varied.append(len({*before.tolist(), *after.tolist()}) > 1)
                low, high = difference_interval(rate_interval(after), rate_interval(before))
                made.append(
                    Drop(
                        state.trial, state.scenario, state.task, state.prefix, name, state.at, until,
                        float(before.mean()), float(after.mean()), float(after.mean() - before.mean()), low, high,
                        exchanged_p(before, after, chance), None, state.course[: until - state.at],
                    )
                )  # fmt: skip
    adjusted = corrected([row.p for row in made], varied)
    told = [replace(row, p_adjusted=p) for row, p in zip(made, adjusted, strict=True)]
    return sorted(told, key=lambda row: (row.change, row.p, row.trial, row.at, row.model))
