"""The social relations of the models, and their ratings where one can win."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.compare.interventions.seats.effects import corrected
from harness.compare.interventions.seats.layout import Game
from harness.compare.statistics import Difference, Estimate
from harness.compare.statistics.round_robin.ratings import (
    Matches,
    Strengths,
    jackknife_difference,
    jackknife_estimate,
    jackknifed,
)
from harness.compare.statistics.round_robin.social_relations import FEWEST, social_relations

Floats = NDArray[np.float64]
COMPONENTS = {
    "actor": "what a model gets, whoever it meets",
    "partner": "what others get, whoever they are, when they meet it",
    "relationship": "what a model gets with one partner beyond both",
    "actor_partner": "covariance: who gets more also leaves others more",
    "dyadic": "covariance: what is special in a pair is so for both",
}


@dataclass(frozen=True)
class Component:
    """A variance or covariance of the social relations model, seats averaged."""

    scenario: str
    name: str
    """`actor`, `partner`, `relationship`, `actor_partner`, `dyadic`."""
    meaning: str
    lasting: Estimate
    """What holds from task to task."""
    passing: float
    """What a task alone has, chance included."""
    share: float | None
    """Of the three lasting variances together, those below 0 counted as 0; None for covariances."""


@dataclass(frozen=True)
class Rating:
    """How strong a model is, in logits, the mean of all being 0: 1 more wins 2.7 times as often as it loses."""

    scenario: str
    model: str
    rating: Estimate
    won: int
    lost: int
    tied: int
    """Against other models; what a model does against itself tells about seats and ties only."""


@dataclass(frozen=True)
class SeatAdvantage:
    """What a seat is worth in logits, the mean of all seats being 0."""

    scenario: str
    seat: str
    advantage: Estimate


@dataclass(frozen=True)
class RatingPair:
    """Two models' ratings, the first minus the second, in logits."""

    scenario: str
    first: str
    second: str
    difference: Difference
    wins: float
    """How often the first wins of the trials that somebody wins, on equal seats."""


@dataclass(frozen=True)
class Ratings:
    """Of one scenario."""

    ratings: list[Rating]
    seats: list[SeatAdvantage]
    pairs: list[RatingPair]
    tie: float | None
    regularised: bool


def round_robins(game: Game) -> tuple[Floats, NDArray[np.int64]]:
    """(units x models x models, clusters): what the first model gets when it meets the second, all seats averaged."""
    size = len(game.models)
    total = np.zeros((game.units, size, size))
    pairs = list(itertools.permutations(range(len(game.seats)), 2))
    for one, two in pairs:
        total += game.by_pair(game.cells(game.seats[one]), one, two)
    found = total / len(pairs)
    whole = ~np.isnan(found[:, ~np.eye(size, dtype=bool)]).any(axis=1)
    return found[whole], game.clusters[whole]


def components(game: Game) -> list[Component]:
    """The social relations model; nothing for fewer than 4 models, or where seats share their outcome."""
    if game.joint or len(game.models) < FEWEST:
        return []
    matrices, clusters = round_robins(game)
    if not len(matrices):
        return []
    found = social_relations(matrices, clusters)
    variances = {name: max(0.0, getattr(found, name).estimate) for name in ("actor", "partner", "relationship")}
    total = sum(variances.values())
    return [
        Component(
            game.scenario,
            name,
            meaning,
            getattr(found, name),
            getattr(found.passing, name),
            variances[name] / total if name in variances and total > 0 else None,
        )
        for name, meaning in COMPONENTS.items()
    ]


def matches(game: Game) -> tuple[Matches, NDArray[np.int64]]:
    """(every two seats of every trial as a match: who got more won; the clusters of the matches)."""
    parts = []
    for one, two in itertools.combinations(range(len(game.seats)), 2):
        ours, theirs = game.outcomes[game.seats[one]], game.outcomes[game.seats[two]]
        known = ~(np.isnan(ours) | np.isnan(theirs))
        apart = (ours - theirs)[known]
        result = np.where(np.abs(apart) <= 1e-9, 0, np.sign(apart)).astype(np.int64)
        count = len(result)
        parts.append(
            np.stack(
                [
                    game.seated[known, one],
                    game.seated[known, two],
                    np.full(count, one),
                    np.full(count, two),
                    result,
                    game.cluster[known],
                ]
            )
        )
    table = np.concatenate(parts, axis=1).astype(np.int64)
    return Matches(*table[:5]), table[5]


def ratings(game: Game, pairs: Sequence[tuple[str, str]] | None) -> Ratings | None:
    """Bradley-Terry ratings with ties and seats; None where seats share their outcome, or nobody ever got more."""
    if game.joint:
        return None
    met, clusters = matches(game)
    found = jackknifed(met, clusters, len(game.models), len(game.seats)) if len(clusters) else None
    if found is None:
        return None
    fit, without, seats_without = found
    count, n = len(np.unique(clusters)), len(clusters)
    made = []
    for number, model in enumerate(game.models):
        record = _record(met, number)
        rating = jackknife_estimate(float(fit.ratings[number]), _column(without, number), n, count)
        made.append(Rating(game.scenario, model, rating, *record))
    advantages = [
        SeatAdvantage(game.scenario, seat, jackknife_estimate(float(fit.seats[k]), _column(seats_without, k), n, count))
        for k, seat in enumerate(game.seats)
    ]
    compared = _compared(game, fit, without, met, n, count, pairs)
    return Ratings(made, advantages, compared, fit.tie, fit.regularised)


def _compared(
    game: Game,
    fit: Strengths,
    without: Floats,
    met: Matches,
    n: int,
    count: int,
    pairs: Sequence[tuple[str, str]] | None,
) -> list[RatingPair]:
    asked = list(itertools.combinations(game.models, 2)) if pairs is None else list(pairs)
    made = []
    for first, second in asked:
        if not {first, second} <= set(game.models):
            continue
        i, j = game.models.index(first), game.models.index(second)
        gap = float(fit.ratings[i] - fit.ratings[j])
        record = _record(met, i, j)
        difference = jackknife_difference(gap, _column(without, i) - _column(without, j), n, count, record)
        made.append(RatingPair(game.scenario, first, second, difference, 1 / (1 + float(np.exp(-gap)))))
    fixed = corrected([pair.difference for pair in made], pairs is not None)
    return [
        RatingPair(pair.scenario, pair.first, pair.second, difference, pair.wins)
        for pair, difference in zip(made, fixed, strict=True)
    ]


def _record(met: Matches, one: int, other: int | None = None) -> tuple[int, int, int]:
    """(won, lost, tied) against others, or against one of them."""
    ahead = (met.first == one) & (met.second == other if other is not None else met.second != one)
    behind = (met.second == one) & (met.first == other if other is not None else met.first != one)
    won = int(((met.result == 1) & ahead).sum() + ((met.result == -1) & behind).sum())
    lost = int(((met.result == -1) & ahead).sum() + ((met.result == 1) & behind).sum())
    return won, lost, int(((met.result == 0) & (ahead | behind)).sum())


def _column(without: Floats, number: int) -> Floats:
    return without[:, number] if without.ndim == 2 and len(without) else np.zeros(0)
