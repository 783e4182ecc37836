"""What states are worth under each model, and how much better one goes on from them than another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.compare.evidence import Evidence
from harness.compare.interventions.fork.exchange import corrected, exchange
from harness.compare.interventions.fork.rollouts import Rollouts, State
from harness.compare.interventions.fork.rows import Advantage, Apart, Value
from harness.compare.interventions.fork.shrinkage import mean_variance, shrunk, subtracted
from harness.compare.statistics import Estimate, rate_interval


def pairs_of(evidence: Evidence) -> list[tuple[int, int]]:
    """The pairs compared, as indices into the models."""
    return evidence.pairs or list(itertools.combinations(range(len(evidence.models)), 2))


def values(found: Rollouts) -> list[Value]:
    """One row for each state and model that went on from it."""
    passes = found.cells(found.passed)
    made = []
    for (place, model), outcomes in sorted(found.cells().items()):
        state = found.states[place]
        name = found.models[model]
        made.append(
            Value(
                state.name, state.scenario, state.task, state.scaffold, state.trial, state.at, state.of, state.depth,
                state.prefix, state.node, state.role, name, name in state.makers, len(outcomes),
                rate_interval(outcomes), rate_interval(passes[place, model]), state.recorded_score,
                state.recorded_passed,
            )
        )  # fmt: skip
    return made


def advantages(
    found: Rollouts, pairs: Sequence[tuple[int, int]], chance: np.random.Generator
) -> tuple[list[Advantage], list[Apart]]:
    """(One row for each pair and state that both went on from, one for each pair); the order is that of the states."""
    cells, shares = found.cells(), found.shares
    listed: list[Advantage] = []
    varied: list[bool] = []
    apart: list[Apart] = []
    for one, other in pairs:
        both = [s for s in range(len(found.states)) if (s, one) in cells and (s, other) in cells]
        if not both:
            continue
        ours, theirs = [cells[s, one] for s in both], [cells[s, other] for s in both]
        tested = exchange(ours, theirs, chance)
        raw = np.array([a.mean() - b.mean() for a, b in zip(ours, theirs, strict=True)])
        errors = np.array(
            [mean_variance(a, shares) + mean_variance(b, shares) for a, b in zip(ours, theirs, strict=True)]
        )
        belief = shrunk(raw, errors, (-1.0, 1.0) if shares else None)
        names = found.models[one], found.models[other]
        apart.append(Apart(*names, len(both), tested.apart, tested.floor, tested.p_apart, belief.spread))
        for n, place in enumerate(both):
            state, a, b = found.states[place], rate_interval(ours[n]), rate_interval(theirs[n])
            low, high = difference_interval(a, b)
            varied.append(len({*ours[n].tolist(), *theirs[n].tolist()}) > 1)
            listed.append(
                Advantage(
                    state.name, state.scenario, state.task, state.scaffold, state.trial, state.at, state.of,
                    state.prefix, *names, len(ours[n]), len(theirs[n]), float(ours[n].mean()), float(theirs[n].mean()),
                    float(raw[n]), low, high, float(belief.values[n]), float(belief.low[n]), float(belief.high[n]),
                    tested.p[n], None, min(1.0, len(pairs) * tested.p_largest[n]), _next(state),
                )
            )  # fmt: skip
    adjusted = corrected([row.p for row in listed], varied)
    return [replace(row, p_adjusted=p) for row, p in zip(listed, adjusted, strict=True)], apart


def pivotal_first(rows: Sequence[Advantage]) -> list[Advantage]:
    """One row a state, its largest advantage; those told from chance first, then by what is believed of them."""
    best: dict[str, Advantage] = {}
    for row in rows:
        known = best.get(row.state)
        if known is None or _weight(row) < _weight(known):
            best[row.state] = row
    return sorted(best.values(), key=_weight)


def _weight(row: Advantage) -> tuple[float, float, float, str, int]:
    return (row.p_largest if row.pivotal else 1.0, -abs(row.believed), row.p, row.trial, row.at)


def difference_interval(first: Estimate, second: Estimate) -> tuple[float | None, float | None]:
    """The 95% interval of the first less the second; nothing where one of them has none."""
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return None, None
    assert first.estimate is not None and second.estimate is not None  # noqa: S101 - they have intervals
    return subtracted((first.estimate, first.low, first.high), (second.estimate, second.low, second.high))


def _next(state: State) -> str:
    return state.course[0] if state.course else ""
