"""What each model gets in each seat and leaves the others, and what depends on who meets whom."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.compare.interventions.seats.layout import JOINT, Game
from harness.compare.statistics import (
    MIN_CLUSTERS_TESTED,
    Difference,
    Estimate,
    benjamini_hochberg,
    holm,
    mean_interval,
    paired_differences,
    rate_interval,
)

Floats = NDArray[np.float64]
ACTOR, PARTNER, SHARED = "actor", "partner", "joint"
SELF_PLAY = "self-play"
MOST_CONTRASTS = 400
"""Interaction contrasts of one pair of seats; of more, those of neighbouring models."""


@dataclass(frozen=True)
class SeatMean:
    """What a seat gets when a model sits in it, or opposite."""

    scenario: str
    outcome: str
    """The seat whose outcome it is; `all` for one that they share."""
    seat: str
    """The seat the model is in."""
    role: str
    """`actor` where these are the same, `partner` where not, `joint` for a shared outcome."""
    model: str
    mean: Estimate
    effect: Estimate
    """The mean less that of all models in this seat."""


@dataclass(frozen=True)
class Effect:
    """A paired difference of two models in one seat, the first minus the second, whoever sits elsewhere."""

    scenario: str
    outcome: str
    seat: str
    role: str
    """`actor`, `partner`, `joint`; `self-play`: each model with itself less all with others."""
    first: str
    second: str
    difference: Difference


@dataclass(frozen=True)
class Interaction:
    """How far the difference of two models in one seat depends on who sits in another.

    It is their difference with `third` there less that with `fourth`.
    """

    scenario: str
    outcome: str
    seat: str
    other: str
    """The other seat."""
    first: str
    second: str
    third: str
    fourth: str
    difference: Difference


@dataclass(frozen=True)
class Meeting:
    """What a seat gets when two models meet in it and in another."""

    scenario: str
    outcome: str
    seat: str
    other: str
    model: str
    """In `seat`."""
    opposite: str
    """In `other`."""
    mean: Estimate
    trials: int


def share_bounds(game: Game) -> tuple[float, float] | None:
    """Those of a difference, where all outcomes lie in [0, 1]."""
    known = [values[~np.isnan(values)] for values in game.outcomes.values()]
    inside = all(len(v) == 0 or (v.min() >= 0 and v.max() <= 1) for v in known)
    return (-1.0, 1.0) if inside else None


def role_of(outcome: str, seat: str) -> str:
    """What a model in a seat is to an outcome."""
    return SHARED if outcome == JOINT else ACTOR if outcome == seat else PARTNER


def seat_means(game: Game) -> list[SeatMean]:
    """Of every outcome, seat and model."""
    found = []
    share = share_bounds(game) is not None
    for outcome in game.outcomes:
        cells = game.cells(outcome)
        for number, seat in enumerate(game.seats):
            values = game.by_seat(cells, number)
            centred = values - values.mean(axis=1, keepdims=True)
            for column, model in enumerate(game.models):
                one = values[:, column]
                mean = (
                    rate_interval(one, game.clusters, np.full(len(one), 2))
                    if share
                    else mean_interval(one, game.clusters)
                )
                found.append(
                    SeatMean(
                        game.scenario,
                        outcome,
                        seat,
                        role_of(outcome, seat),
                        model,
                        mean,
                        mean_interval(centred[:, column], game.clusters),
                    )
                )
    return found


def effects(game: Game, pairs: Sequence[tuple[str, str]] | None) -> list[Effect]:
    """Differences of models in every seat (the declared pairs, else all), and of self-play, p corrected by family.

    A family is the pairs of one outcome and seat: Holm for declared ones, else Benjamini and Hochberg.
    """
    bounds = share_bounds(game)
    chosen = _pairs(game, pairs)
    found = []
    for outcome in game.outcomes:
        cells = game.cells(outcome)
        for number, seat in enumerate(game.seats):
            made = paired_differences(game.by_seat(cells, number), chosen, game.clusters, bounds=bounds)
            for (first, second), difference in zip(chosen, corrected(made, pairs is not None), strict=True):
                names = game.models[first], game.models[second]
                found.append(Effect(game.scenario, outcome, seat, role_of(outcome, seat), *names, difference))
        if len(game.seats) == 2:
            found.append(_self_play(game, outcome, cells, bounds))
    return found


def _self_play(game: Game, outcome: str, cells: Floats, bounds: tuple[float, float] | None) -> Effect:
    """Who everybody is opposite of is the same on both sides, so that it is about meeting oneself alone."""
    table = game.by_pair(cells, 0, 1)
    size = len(game.models)
    own = np.eye(size, dtype=bool)
    both = np.stack([table[:, own].mean(axis=1), table[:, ~own].mean(axis=1)], axis=1)
    (difference,) = paired_differences(both, [(0, 1)], game.clusters, bounds=bounds)
    seat = game.seats[0] if outcome == JOINT else outcome
    (fixed,) = corrected([difference], True)
    return Effect(game.scenario, outcome, seat, SELF_PLAY, "with itself", "with others", fixed)


def interactions(game: Game) -> list[Interaction]:
    """Every two models in one seat by every two in another, of the full design; the correction is over all of them."""
    if not game.full:
        return []
    pairs = list(itertools.combinations(range(len(game.models)), 2))
    if len(pairs) ** 2 > MOST_CONTRASTS:
        pairs = [(n, n + 1) for n in range(len(game.models) - 1)]
    found = []
    for outcome in game.outcomes:
        cells = game.cells(outcome)
        for one, two in itertools.combinations(range(len(game.seats)), 2):
            if outcome == game.seats[two]:
                one, two = two, one
            if outcome not in (JOINT, game.seats[one]):
                continue
            table = game.by_pair(cells, one, two)
            contrasts = [(*ours, *theirs) for ours in pairs for theirs in pairs]
            columns = [
                (table[:, a, c] - table[:, b, c]) - (table[:, a, d] - table[:, b, d]) for a, b, c, d in contrasts
            ]
            values = np.stack([*columns, np.zeros(len(table))], axis=1)
            made = paired_differences(
                values,
                [(n, len(columns)) for n in range(len(columns))],
                game.clusters,
                bounds=None if share_bounds(game) is None else (-2.0, 2.0),
            )
            for (a, b, c, d), difference in zip(contrasts, made, strict=True):
                found.append(
                    Interaction(
                        game.scenario,
                        outcome,
                        game.seats[one],
                        game.seats[two],
                        *(game.models[a], game.models[b], game.models[c], game.models[d]),
                        difference,
                    )
                )
    fixed = corrected([each.difference for each in found], False)
    return [replace(each, difference=difference) for each, difference in zip(found, fixed, strict=True)]


def meetings(game: Game) -> list[Meeting]:
    """The seat table: every outcome by every two models that meet in its seat and in another."""
    found = []
    share = share_bounds(game) is not None
    for outcome in game.outcomes:
        cells = game.cells(outcome)
        known = ~np.isnan(game.outcomes[outcome])
        for one, two in itertools.permutations(range(len(game.seats)), 2):
            if outcome != game.seats[one] and (outcome != JOINT or one > two):
                continue
            table = game.by_pair(cells, one, two)
            for a, b in itertools.product(range(len(game.models)), repeat=2):
                values = table[:, a, b]
                here = known & (game.seated[:, one] == a) & (game.seated[:, two] == b)
                mean = (
                    rate_interval(values, game.clusters, np.full(len(values), 2))
                    if share
                    else mean_interval(values, game.clusters)
                )
                found.append(
                    Meeting(
                        game.scenario,
                        outcome,
                        game.seats[one],
                        game.seats[two],
                        game.models[a],
                        game.models[b],
                        mean,
                        int(here.sum()),
                    )
                )
    return found


def _pairs(game: Game, pairs: Sequence[tuple[str, str]] | None) -> list[tuple[int, int]]:
    if pairs is None:
        return list(itertools.combinations(range(len(game.models)), 2))
    known = [pair for pair in pairs if set(pair) <= set(game.models)]
    return [(game.models.index(first), game.models.index(second)) for first, second in known]


def corrected(found: Sequence[Difference], declared: bool) -> list[Difference]:
    """The differences with p corrected over all of them; without p where there are too few clusters to test."""
    tested = [each if each.clusters >= MIN_CLUSTERS_TESTED else replace(each, p=None) for each in found]
    known = [each.p for each in tested if each.p is not None]
    fresh = iter(holm(known) if declared else benjamini_hochberg(known))
    how = f"{'Holm' if declared else 'Benjamini-Hochberg'} over {len(known)}"
    return [each if each.p is None else replace(each, p_adjusted=next(fresh), adjusted_by=how) for each in tested]
