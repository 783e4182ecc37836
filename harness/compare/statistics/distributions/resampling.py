"""What two small samples are apart by chance alone: labels exchanged, and halves of one sample against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.compare.statistics.distributions.distances import beyond_own, divergence_bits, variation

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
MOST_TABLES = 20_000
"""Samples listed in full; of more, `DRAWN` are drawn."""
DRAWN = 2_000
_SLACK = 1e-9


@dataclass(frozen=True)
class Exchange:
    """What two distances come to when the pooled replies are handed to the two makers at random."""

    divergence: Floats
    """In bits, of each way."""
    variation: Floats
    beyond: Floats
    """`beyond_own` of each way; NaN for single replies."""
    cumulative: Floats
    """Of the probabilities of the ways, in their order."""
    exact: bool
    """Whether all ways are there."""

    @property
    def mean(self) -> float:
        """Of the divergence: what chance alone gives."""
        return float(self.divergence @ np.diff(self.cumulative, prepend=0.0))

    @property
    def beyond_deviation(self) -> float:
        """Standard deviation of what the two disagree beyond their own by chance alone; its mean is 0."""
        return float(np.sqrt(self.beyond**2 @ np.diff(self.cumulative, prepend=0.0)))

    def tail(self, divergence: float) -> float:
        """The chance of a divergence so large or larger."""
        return self._tail(self.divergence, divergence)

    def variation_tail(self, variation: float) -> float:
        """The chance of a total variation so large or larger."""
        return self._tail(self.variation, variation)

    def draw(self, draws: int, chance: np.random.Generator) -> Floats:
        """Divergences at random."""
        places = np.searchsorted(self.cumulative, chance.random(draws) * self.cumulative[-1], side="right")
        drawn: Floats = self.divergence[np.minimum(places, len(self.divergence) - 1)]
        return drawn

    def _tail(self, values: Floats, observed: float) -> float:
        weights = np.diff(self.cumulative, prepend=0.0)
        above = float(weights[values >= observed - _SLACK].sum())
        return min(1.0, above) if self.exact else (1 + above * len(values)) / (1 + len(values))


def exchange(first: ArrayLike, second: ArrayLike) -> Exchange:
    """The exchange of the replies behind two arrays of counts; neither may be empty."""
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    if a.sum() < 1 or b.sum() < 1:
        raise ValueError("an empty sample cannot be exchanged with anything")
    pooled = tuple(sorted((int(n) for n in a + b if n), reverse=True))
    return _exchanged(pooled, int(a.sum()))


@lru_cache(maxsize=4096)
def _exchanged(pooled: tuple[int, ...], size: int) -> Exchange:
    tables, weights, exact = samples(pooled, size)
    rest = np.array(pooled, dtype=np.int64) - tables
    return Exchange(
        divergence_bits(tables, rest), variation(tables, rest), beyond_own(tables, rest), np.cumsum(weights), exact
    )


def samples(counts: Sequence[int], size: int) -> tuple[Integers, Floats, bool]:
    """(tables x classes, their probabilities, whether all are there): samples of `size` without replacement.

    The probabilities are those of the multivariate hypergeometric distribution. Where there are too many tables, some
    are drawn, always the same ones.
    """
    held = np.array(counts, dtype=np.int64)
    total = int(held.sum())
    if not 0 <= size <= total:
        raise ValueError(f"{size} cannot be taken of {total}")
    if _ways(counts, size) > MOST_TABLES:
        chance = np.random.default_rng([total, size, len(held)])
        drawn = chance.multivariate_hypergeometric(held, size, size=DRAWN, method="marginals")
        return drawn.astype(np.int64), np.full(DRAWN, 1 / DRAWN), False
    tables = np.array(list(_listed(tuple(counts), size)), dtype=np.int64).reshape(-1, len(held))
    most = math.comb(total, size)
    logs = [np.array([math.log(math.comb(n, k)) for k in range(n + 1)]) for n in counts]
    weights = np.exp(sum((log[tables[:, i]] for i, log in enumerate(logs)), np.zeros(len(tables))) - math.log(most))
    return tables, weights / weights.sum(), True


def _ways(counts: Sequence[int], size: int) -> int:
    """How many tables there are: the coefficient of x^size in the product of (1 + x + ... + x^n)."""
    ways = [1] + [0] * size
    for n in counts:
        ways = [sum(ways[max(0, k - n) : k + 1]) for k in range(size + 1)]
    return ways[size]


def _listed(counts: tuple[int, ...], size: int) -> list[tuple[int, ...]]:
    if not counts:
        return [()] if size == 0 else []
    rest = sum(counts[1:])
    return [
        (k, *more)
        for k in range(max(0, size - rest), min(counts[0], size) + 1)
        for more in _listed(counts[1:], size - k)
    ]


@dataclass(frozen=True)
class Halves:
    """Two samples and each with itself, all of `size` replies against `size`."""

    size: int
    divergence: float
    """Of the two, in bits."""
    own_divergence: float
    """The floor: the mean of each one's own."""
    variation: float
    own_variation: float


def halves(first: ArrayLike, second: ArrayLike) -> Halves | None:
    """The distance of halves of the two samples, averaged over all of them; None for fewer than two replies of either.

    A half is half of the smaller sample, rounded down.
    """
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    size = int(min(a.sum(), b.sum())) // 2
    if size < 1:
        return None
    pairs = tuple(sorted(((int(m), int(n)) for m, n in zip(a, b, strict=True) if m or n), reverse=True))
    return _halved(pairs, size)


@lru_cache(maxsize=16384)
def _halved(pairs: tuple[tuple[int, int], ...], size: int) -> Halves:
    ours, theirs = tuple(m for m, _ in pairs), tuple(n for _, n in pairs)
    between = _between(samples(ours, size), samples(theirs, size))
    own = [_own_halves(tuple(sorted((n for n in counts if n), reverse=True)), size) for counts in (ours, theirs)]
    return Halves(size, between[0], (own[0][0] + own[1][0]) / 2, between[1], (own[0][1] + own[1][1]) / 2)


def _between(first: tuple[Integers, Floats, bool], second: tuple[Integers, Floats, bool]) -> tuple[float, float]:
    """Mean divergence and total variation of a table of the one and a table of the other."""
    if len(first[0]) * len(second[0]) > MOST_TABLES:
        chance = np.random.default_rng([len(first[0]), len(second[0])])
        x, y = (found[0][chance.choice(len(found[0]), DRAWN, p=found[1])] for found in (first, second))
        return float(divergence_bits(x, y).mean()), float(variation(x, y).mean())
    x, y = first[0][:, None, :], second[0][None, :, :]
    return (
        float(first[1] @ divergence_bits(x, y) @ second[1]),
        float(first[1] @ variation(x, y) @ second[1]),
    )


@lru_cache(maxsize=4096)
def _own_halves(counts: tuple[int, ...], size: int) -> tuple[float, float]:
    """Mean divergence and total variation of two samples of `size` from one, no reply in both."""
    tables, weights, _ = samples(counts, size)
    rests = np.array(counts, dtype=np.int64) - tables
    if sum(counts) == 2 * size:
        return float(weights @ divergence_bits(tables, rests)), float(weights @ variation(tables, rests))
    if len(tables) > 200:
        chance = np.random.default_rng([len(tables), size])
        places = chance.choice(len(tables), 200, p=weights)
        tables, rests, weights = tables[places], rests[places], np.full(200, 1 / 200)
    found = [
        _between((table[None, :], np.ones(1), True), samples(tuple(map(int, rest)), size))
        for table, rest in zip(tables, rests, strict=True)
    ]
    return float(weights @ np.array([pair[0] for pair in found])), float(
        weights @ np.array([pair[1] for pair in found])
    )


def pooled_exchange(
    exchanges: Sequence[Exchange], weights: ArrayLike, draws: int, chance: np.random.Generator
) -> Floats:
    """Weighted sums of divergences over states, labels exchanged within each: one for each draw."""
    total = np.zeros(draws)
    for found, weight in zip(exchanges, np.asarray(weights, dtype=np.float64), strict=True):
        moves = float(np.ptp(found.divergence)) > 0
        total += weight * (found.draw(draws, chance) if moves else found.mean)
    return total
