"""How far apart models are in the same states, against how far each is from itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.compare.interventions.probe.replies import ARGUMENTS, NAMES, Integers, Probed, State
from harness.compare.interventions.probe.result import Apart, StateApart
from harness.compare.statistics import CONFIDENCE, Estimate, benjamini_hochberg, holm, mean_interval, upper_tail
from harness.compare.statistics.distributions import (
    Exchange,
    disagreement,
    divergence_bits,
    exchange,
    halves,
    own_disagreement,
    pooled_exchange,
    variation,
)
from harness.compare.statistics.intervals import t_quantile

DRAWS = 4_999
SHARED = "several"
"""In the place of a maker: more than one model came to the state."""
POWER = 0.8416
"""80% quantile of the normal distribution."""
_DEEPEST = 12
"""Depths told one by one; deeper ones together."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Two models in one state on one level."""

    state: State
    counts: Integers
    """2 x choices."""
    disagree: float
    own: float | None
    divergence: float
    variation: float
    exchange: Exchange
    halves: tuple[float, float, float, float] | None
    """Divergence, its floor, total variation, its floor: of halves."""


def places(found: Probed, level: str, first: str, second: str) -> list[Place]:
    """The states in which both have replies."""
    both = (state for state in found.states if state.asked(first) and state.asked(second))
    return [_place(state, state.counts(level, [first, second])[1]) for state in both]


def _place(state: State, counts: Integers) -> Place:
    a, b = counts
    own = [own_disagreement(a), own_disagreement(b)]
    half = halves(a, b)
    return Place(
        state, counts, disagreement(a, b),
        None if own[0] is None or own[1] is None else (own[0] + own[1]) / 2,
        float(divergence_bits(a, b)), float(variation(a, b)), exchange(a, b),
        None if half is None else (half.divergence, half.own_divergence, half.variation, half.own_variation),
    )  # fmt: skip


def telling(place: Place) -> bool:
    """Whether exchange changes anything: not where all replies are the same, nor where no two are."""
    return bool(np.ptp(place.exchange.divergence) > 1e-12)


def weights_of(states: Sequence[State]) -> Floats:
    """A weight for each state: states of a trial share that of the trial, trials of a task that of the task; sum 1."""
    in_trial = Counter((state.scenario, state.task, state.origin) for state in states)
    trials = Counter(key[:2] for key in in_trial)
    found = [1 / (in_trial[s.scenario, s.task, s.origin] * trials[s.scenario, s.task] * len(trials)) for s in states]
    return np.array(found)


def apart(
    listed: Sequence[Place], first: str, second: str, level: str, chance: np.random.Generator,
    by: str | None = None, value: str | None = None,
) -> Apart:  # fmt: skip
    """Two models over some states, which are not empty."""
    states = [place.state for place in listed]
    weights = weights_of(states)
    whole = float(weights @ np.array([place.divergence for place in listed]))
    drawn = pooled_exchange([place.exchange for place in listed], weights, DRAWS, chance)
    count = sum(telling(place) for place in listed)
    own = _weighted(weights, [place.own for place in listed])
    half = [_weighted(weights, [None if p.halves is None else p.halves[n] for p in listed]) for n in range(4)]
    would = float(np.quantile(drawn, 0.95) - drawn.mean() + POWER * drawn.std()) if count else None
    return Apart(
        first, second, level, by, value, len(listed), len({(s.scenario, s.task) for s in states}),
        len({s.cluster for s in states}), float(weights @ np.array([place.disagree for place in listed])), own,
        _beyond(listed, weights),
        half[0], half[1], half[2], half[3],
        whole, float(drawn.mean()), would, count, upper_tail(whole, drawn) if count else 1.0,
    )  # fmt: skip


def _beyond(listed: Sequence[Place], weights: Floats) -> Estimate:
    """What two models disagree beyond their own, with its interval over tasks.

    By chance alone it is skewed: many tasks a little below 0, a few far above. Where those few are not among the tasks,
    the spread between tasks is too small; so the interval is never narrower than what exchange of replies gives.
    Simulated: 95% intervals cover 0 at least so often, and 90% where 12 tasks differ very unequally.
    """
    known = [place.own is not None for place in listed]
    states = [place.state for place, there in zip(listed, known, strict=True) if there]
    beyond = [place.disagree - place.own for place in listed if place.own is not None]
    found = _over_tasks(states, beyond)
    if found.estimate is None or found.low is None or found.high is None or not np.ptp(beyond):
        return found
    share = weights[known] / weights[known].sum()
    deviations = np.array([place.exchange.beyond_deviation for place in listed if place.own is not None])
    half = t_quantile(0.5 + CONFIDENCE / 2, found.clusters - 1) * float(np.sqrt((share**2) @ (deviations**2)))
    return replace(
        found, low=max(-1.0, min(found.low, found.estimate - half)),
        high=min(1.0, max(found.high, found.estimate + half)),
    )  # fmt: skip


def _weighted(weights: Floats, values: Sequence[float | None]) -> float | None:
    """The weighted mean of what is known."""
    data = np.array([np.nan if value is None else value for value in values])
    known = ~np.isnan(data)
    return float(weights[known] @ data[known] / weights[known].sum()) if known.any() else None


def _over_tasks(states: Sequence[State], values: Sequence[float]) -> Estimate:
    """Averaged over the states of a trial, the trials of a task, and the tasks; the interval over families or tasks."""
    trials: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    clusters = {}
    for state, value in zip(states, values, strict=True):
        if not np.isnan(value):
            trials[state.scenario, state.task, state.origin].append(value)
            clusters[state.scenario, state.task] = state.cluster
    tasks: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (scenario, task, _), found in trials.items():
        tasks[scenario, task].append(float(np.mean(found)))
    means = np.array([float(np.mean(found)) for found in tasks.values()])
    bounds = (
        (-1.0, 1.0) if len(means) and np.ptp(means) > 0 else (0.0, 1.0)
    )  # alike throughout: as the truth is bounded
    return mean_interval(means, np.array([clusters[task] for task in tasks], dtype=np.int64), bounds)


def grouped(listed: Sequence[Place], group: Callable[[State], str | None]) -> Iterator[tuple[str, list[Place]]]:
    """The places by what `group` says of their states, in the order met; None is left out."""
    found: dict[str, list[Place]] = {}
    for place in listed:
        name = group(place.state)
        if name is not None:
            found.setdefault(name, []).append(place)
    yield from found.items()


def maker(state: State) -> str | None:
    """Who came to a state."""
    return None if not state.made_by else state.made_by[0] if len(state.made_by) == 1 else SHARED


def depth(state: State) -> str:
    """Calls behind a state, as they are told."""
    return str(state.at) if state.at <= _DEEPEST else f"over {_DEEPEST}"


def node_of(found: Probed) -> Callable[[State], str]:
    """How the node of a state is called: with its scaffold where several have one of that name."""
    scaffolds: dict[str, set[str]] = defaultdict(set)
    for state in found.states:
        scaffolds[state.node].add(state.scaffold)
    several = len({state.scaffold for state in found.states}) > 1

    def name(state: State) -> str:
        return f"{state.node} ({state.scaffold})" if several else state.node

    return name


def corrected(rows: Sequence[Apart], declared: bool) -> list[Apart]:
    """Holm over declared pairs, Benjamini-Hochberg over explored ones; level by level."""
    return _by_level(rows, holm if declared else benjamini_hochberg, "Holm" if declared else "Benjamini-Hochberg")


def corrected_strictly(rows: Sequence[Apart]) -> list[Apart]:
    """Holm over all rows of a level: to name a node is to say that this one differs, so none may be named by chance."""
    return _by_level(rows, holm, "Holm")


def _by_level(rows: Sequence[Apart], correct: Callable[[Sequence[float]], list[float]], name: str) -> list[Apart]:
    """Rows where nothing can show (nobody's replies differ) are no tests."""
    made = list(rows)
    for level in {row.level for row in rows}:
        places_ = [n for n, row in enumerate(rows) if row.level == level and row.telling]
        adjusted = correct([rows[n].p for n in places_])
        for n, p in zip(places_, adjusted, strict=True):
            made[n] = replace(rows[n], p_adjusted=p, adjusted_by=f"{name} over {len(places_)}")
    return made


def in_states(found: Probed, pairs: Sequence[tuple[str, str]]) -> list[StateApart]:
    """Every pair in every state on the main level, those that differ most first."""
    rows = []
    for first, second in pairs:
        names = places(found, NAMES, first, second)
        for place, named in zip(places(found, ARGUMENTS, first, second), names, strict=True):
            rows.append(_state_apart(place, named, first, second))
    tested = [n for n, row in enumerate(rows) if row.telling]
    for n, p in zip(tested, benjamini_hochberg([rows[n].p for n in tested]), strict=True):
        rows[n] = replace(rows[n], p_adjusted=p)
    return sorted(rows, key=lambda row: (row.p, -_excess(row), row.state, row.first, row.second))


def _excess(row: StateApart) -> float:
    return row.divergence - row.by_chance


def _state_apart(place: Place, named: Place, first: str, second: str) -> StateApart:
    state, half = place.state, place.halves
    return StateApart(
        state.name, state.scenario, state.task, state.scaffold, state.at, state.node, state.role, state.made_by,
        first, second, state.asked(first), state.asked(second), place.disagree, place.own, place.divergence,
        place.exchange.mean, None if half is None else half[1], None if half is None else half[0], place.variation,
        place.exchange.tail(place.divergence), place.exchange.variation_tail(place.variation),
        named.exchange.tail(named.divergence), 1.0, telling(place),
    )  # fmt: skip
