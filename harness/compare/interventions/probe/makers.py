"""Own states and foreign ones: whether a model acts differently in a state that another model made.

A model's own states differ from foreign ones in what is in them, not only in who made them. What can be told apart is
this: of two states of one world at the same call, one made by A and one by B, each model is asked in both. The mean of
A in A's state and B in B's, less the mean of A in B's and B in A's, holds neither what A does more often than B
anywhere, nor what one state calls for more than the other: both stand once on either side. What is left is what models
do because the state is theirs: or because it came of choices like their own, which is the same here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from harness.compare.interventions.probe.replies import ARGUMENTS, Probed, State
from harness.compare.interventions.probe.result import Conduct, OwnForeign, Spread
from harness.compare.statistics import Estimate, mean_interval, paired_difference
from harness.compare.statistics.distributions import entropy_bits, own_disagreement
from harness.compare.trajectories import UNUSABLE

Measure = Callable[[State, str], float | None]


def malformed(state: State, model: str) -> float | None:
    """Share of a model's replies in a state that are malformed or cut off."""
    return _share(state, model, UNUSABLE)


def refused(state: State, model: str) -> float | None:
    """Share that are refusals."""
    return _share(state, model, ("refuse",))


def nothing(state: State, model: str) -> float | None:
    """Share that a limit ended."""
    return _share(state, model, ("limit",))


def unsteady(state: State, model: str) -> float | None:
    """How often two of a model's replies in a state differ."""
    counts = state.counts(ARGUMENTS, [model])[1]
    return own_disagreement(counts[0]) if counts.size else None


def _share(state: State, model: str, kinds: Sequence[str]) -> float | None:
    found = state.kinds.get(model, [])
    return sum(kind in kinds for kind in found) / len(found) if found else None


MEASURES: dict[str, Measure] = {
    "malformed or cut off": malformed,
    "refused": refused,
    "two replies differ": unsteady,
}
"""What is compared in own and foreign states, as shares."""


def spreads(found: Probed, models: Sequence[str]) -> list[Spread]:
    """The entropy of each model in each state."""
    rows = []
    for state in found.states:
        for model in models:
            count = state.asked(model)
            if count:
                entropy = float(entropy_bits(state.counts(ARGUMENTS, [model])[1][0]))
                rows.append(Spread(state.name, model, state.own.get(model, False), count, entropy))
    return rows


def conduct(found: Probed, models: Sequence[str]) -> list[Conduct]:
    """How each model replies in its own states and in foreign ones, tasks weighted alike."""
    rows = []
    for model in models:
        for where, own in (("own", True), ("foreign", False)):
            states = [s for s in found.states if s.asked(model) and s.own.get(model, False) is own]
            if states:
                rows.append(_conduct(states, model, where))
    return rows


def _conduct(states: Sequence[State], model: str, where: str) -> Conduct:
    def mean(measure: Measure) -> Estimate:
        return _by_task(states, [measure(state, model) for state in states])

    entropies = [float(entropy_bits(state.counts(ARGUMENTS, [model])[1][0])) for state in states]
    return Conduct(
        model, where, len(states), sum(state.asked(model) for state in states), _by_task(states, entropies, None),
        mean(malformed), mean(refused), mean(nothing),
    )  # fmt: skip


def _by_task(
    states: Sequence[State], values: Sequence[float | None], bounds: tuple[float, float] | None = (0.0, 1.0)
) -> Estimate:
    tasks: dict[tuple[str, str], list[float]] = defaultdict(list)
    clusters = {}
    for state, value in zip(states, values, strict=True):
        if value is not None:
            tasks[state.scenario, state.task].append(value)
            clusters[state.scenario, state.task] = state.cluster
    means = [float(np.mean(listed)) for listed in tasks.values()]
    return mean_interval(means, np.array([clusters[task] for task in tasks], dtype=np.int64), bounds)


def matched(found: Probed, first: str, second: str) -> list[tuple[State, State]]:
    """(made by the first alone, by the second alone): of one world, at the same call, both models asked in both."""
    groups: dict[tuple[object, ...], tuple[list[State], list[State]]] = defaultdict(lambda: ([], []))
    for state in found.states:
        if state.asked(first) and state.asked(second):
            key = (state.seed, state.at, state.node, state.role, state.lane, state.visit)
            owns = state.own.get(first, False), state.own.get(second, False)
            if owns == (True, False):
                groups[key][0].append(state)
            elif owns == (False, True):
                groups[key][1].append(state)
    return [pair for ours, theirs in groups.values() for pair in zip(ours, theirs, strict=False)]


def own_foreign(found: Probed, pairs: Sequence[tuple[str, str]]) -> list[OwnForeign]:
    """Every pair of models and every measure, over matched states."""
    rows = []
    for first, second in pairs:
        states = matched(found, first, second)
        for name, measure in MEASURES.items():
            if states:
                rows.append(_contrast(states, first, second, name, measure))
    return rows


def _contrast(
    states: Sequence[tuple[State, State]], first: str, second: str, name: str, measure: Measure
) -> OwnForeign:
    own: dict[tuple[str, str], list[float]] = defaultdict(list)
    foreign: dict[tuple[str, str], list[float]] = defaultdict(list)
    clusters: dict[tuple[str, str], int] = {}
    count = 0
    for ours, theirs, task in _tasks(states):
        values = [measure(ours, first), measure(theirs, second), measure(theirs, first), measure(ours, second)]
        if all(value is not None for value in values):
            known = [float(value) for value in values if value is not None]
            own[task].append((known[0] + known[1]) / 2)
            foreign[task].append((known[2] + known[3]) / 2)
            clusters[task] = ours.cluster
            count += 1
    means = [np.array([float(np.mean(found[task])) for task in clusters]) for found in (own, foreign)]
    difference = paired_difference(means[0], means[1], np.array(list(clusters.values()), dtype=np.int64))
    sides = [float(side.mean()) if len(side) else None for side in means]
    return OwnForeign(first, second, name, count, sides[0], sides[1], difference)


def _tasks(states: Sequence[tuple[State, State]]) -> Iterator[tuple[State, State, tuple[str, str]]]:
    for ours, theirs in states:
        yield ours, theirs, (ours.scenario, ours.task)
