"""What a trial was worth along its course: the value at each of its moments, and what was done where it fell."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from harness.compare.interventions.fork.exchange import corrected, exchanged_p
from harness.compare.interventions.fork.rollouts import Course, Rollouts
from harness.compare.interventions.fork.rows import CoursePoint, Drop
from harness.compare.interventions.fork.values import difference_interval
from harness.compare.statistics import rate_interval


def course_points(found: Rollouts) -> list[CoursePoint]:
    """What every trial with several moments was worth at each of them, under each model."""
    scores = found.means()
    return [
        CoursePoint(
            trial, found.states[place].scenario, found.states[place].task, course.prefix, name, course.at,
            float(scores[place, model]), course.done,
        )
        for (trial, _), stops in _courses(found).items()
        for course, place in stops
        for model, name in enumerate(found.models)
        if len(stops) > 1 and not np.isnan(scores[place, model])
    ]  # fmt: skip


def drops(found: Rollouts, chance: np.random.Generator) -> list[Drop]:
    """How the value changed between neighbouring moments of a trial under one model; the largest fall first.

    If what was done in between changed nothing, continuations from before and after are exchangeable. p is corrected
    over all that could differ (neighbours share their continuations). What several trials have in common counts once.
    """
    cells = found.cells()
    made: list[Drop] = []
    varied: list[bool] = []
    seen: set[tuple[int, int, int]] = set()
    for (trial, _), stops in _courses(found).items():
        for model, name in enumerate(found.models):
            known = [stop for stop in stops if (stop[1], model) in cells]
            for (course, here), (later, there) in itertools.pairwise(known):
                if (here, there, model) in seen:
                    continue
                seen.add((here, there, model))
                state, before, after = found.states[here], cells[here, model], cells[there, model]
                varied.append(len({*before.tolist(), *after.tolist()}) > 1)
                low, high = difference_interval(rate_interval(after), rate_interval(before))
                made.append(
                    Drop(
                        trial, state.scenario, state.task, course.prefix, name, course.at, later.at,
                        float(before.mean()), float(after.mean()), float(after.mean() - before.mean()), low, high,
                        exchanged_p(before, after, chance), None, course.done[: later.at - course.at],
                    )
                )  # fmt: skip
    adjusted = corrected([row.p for row in made], varied)
    told = [replace(row, p_adjusted=p) for row, p in zip(made, adjusted, strict=True)]
    return sorted(told, key=lambda row: (row.change, row.p, row.trial, row.at, row.model))


def _courses(found: Rollouts) -> dict[tuple[str, str | None], list[tuple[Course, int]]]:
    """(trial, role handed over) -> the states on its course, in order."""
    made: dict[tuple[str, str | None], list[tuple[Course, int]]] = {}
    for place, state in enumerate(found.states):
        for course in state.courses:
            made.setdefault((course.trial, state.handed), []).append((course, place))
    return {key: sorted(stops, key=lambda stop: stop[0].at) for key, stops in sorted(made.items(), key=str)}
