"""Distances of small samples: their values, their floors, and how often their tests err."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import distance

from harness.compare.statistics import jensen_shannon, total_variation, upper_tail
from harness.compare.statistics.distributions import (
    disagreement,
    divergence_bits,
    entropy_bits,
    exchange,
    halves,
    own_disagreement,
    pooled_exchange,
    samples,
    variation,
)


def test_distances_are_those_of_others() -> None:
    p, q = [5, 3, 0, 2], [1, 1, 6, 2]
    assert float(divergence_bits(p, q)) == pytest.approx(jensen_shannon(p, q) ** 2)
    assert float(divergence_bits(p, q)) == pytest.approx(distance.jensenshannon(p, q, 2) ** 2)
    assert float(variation(p, q)) == pytest.approx(total_variation(p, q))
    assert float(divergence_bits([4, 0], [0, 9])) == 1.0
    assert float(divergence_bits([1, 1], [2, 0])) == pytest.approx(0.31127812)
    assert float(entropy_bits([1, 1, 1, 1])) == 2.0
    assert float(entropy_bits([7, 0])) == 0.0


def test_disagreement_counts_pairs_of_replies() -> None:
    first, second = "aab", "abc"
    counts = [[word.count(letter) for letter in "abc"] for word in (first, second)]
    differ = np.mean([x != y for x in first for y in second])
    assert disagreement(*counts) == pytest.approx(float(differ))
    assert own_disagreement(counts[0]) == pytest.approx(np.mean([x != y for x, y in itertools.combinations(first, 2)]))
    assert own_disagreement([1, 0]) is None


def test_samples_are_all_there_with_their_probabilities() -> None:
    tables, weights, exact = samples([3, 2, 1], 3)
    assert exact
    listed = [tuple(word.count(letter) for letter in "abc") for word in itertools.combinations("aaabbc", 3)]
    for table, weight in zip(tables.tolist(), weights, strict=True):
        assert weight == pytest.approx(listed.count(tuple(table)) / len(listed))
    assert len(tables) == len(set(listed))
    drawn, shares, exact = samples([1] * 40, 20)
    assert not exact
    assert (drawn.sum(axis=1) == 20).all()
    assert shares.sum() == pytest.approx(1.0)


def test_the_exact_p_is_the_share_of_all_exchanges() -> None:
    first, second = "aaaab", "abbcc"
    counts = np.array([[word.count(letter) for letter in "abc"] for word in (first, second)])
    observed = float(divergence_bits(*counts))
    pooled = first + second
    reached = []
    for places in itertools.combinations(range(10), 5):
        ours = [sum(pooled[n] == letter for n in places) for letter in "abc"]
        theirs = counts.sum(axis=0) - ours
        reached.append(float(divergence_bits(ours, theirs)) >= observed - 1e-9)
    found = exchange(*counts)
    assert found.exact
    assert found.tail(observed) == pytest.approx(np.mean(reached))
    assert exchange([5, 0], [0, 5]).tail(1.0) == pytest.approx(2 / 252)
    with pytest.raises(ValueError, match="empty sample"):
        exchange([0, 0], [1, 2])


def test_halves_are_the_mean_over_all_halves() -> None:
    first, second = "aabc", "bbcd"
    counts = [[word.count(letter) for letter in "abcd"] for word in (first, second)]

    def of(word: tuple[str, ...]) -> list[int]:
        return [word.count(letter) for letter in "abcd"]

    pairs = itertools.product(itertools.combinations(first, 2), itertools.combinations(second, 2))
    between = np.mean([divergence_bits(of(x), of(y)) for x, y in pairs])
    own = []
    for word in (first, second):
        splits = [set(places) for places in itertools.combinations(range(4), 2)]
        own.append(np.mean([
            divergence_bits(*(of(tuple(word[n] for n in range(4) if (n in half) is side)) for side in (True, False)))
            for half in splits
        ]))  # fmt: skip
    found = halves(*counts)
    assert found is not None
    assert found.size == 2
    assert found.divergence == pytest.approx(float(between))
    assert found.own_divergence == pytest.approx(float(np.mean(own)))
    assert halves([1, 0], [5, 5]) is None


def draw(chance: np.random.Generator, shares: Any, replies: int) -> NDArray[np.int64]:
    return chance.multinomial(replies, shares)


@pytest.mark.parametrize(("first", "second"), [(4, 4), (5, 5), (7, 3), (12, 12)])
def test_alike_models_are_as_far_apart_as_their_halves_on_average(first: int, second: int) -> None:
    chance = np.random.default_rng(5)
    shares = np.array([0.5, 0.3, 0.1, 0.1])
    beyond, points = [], []
    for _ in range(1500):
        a, b = draw(chance, shares, first), draw(chance, shares, second)
        half = halves(a, b)
        assert half is not None
        beyond.append((half.divergence - half.own_divergence, half.variation - half.own_variation))
        own = [own_disagreement(a), own_disagreement(b)]
        assert own[0] is not None
        assert own[1] is not None
        points.append(disagreement(a, b) - (own[0] + own[1]) / 2)
    errors = np.std(beyond, axis=0) / np.sqrt(len(beyond))
    assert np.all(np.abs(np.mean(beyond, axis=0)) < 3.5 * errors)
    assert abs(np.mean(points)) < 3.5 * np.std(points) / np.sqrt(len(points))


def test_disagreement_beyond_their_own_is_half_the_squared_distance() -> None:
    chance = np.random.default_rng(6)
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    found = []
    for _ in range(3000):
        a, b = draw(chance, p, 4), draw(chance, q, 6)
        found.append(disagreement(a, b) - ((own_disagreement(a) or 0) + (own_disagreement(b) or 0)) / 2)
    assert np.mean(found) == pytest.approx(float(((p - q) ** 2).sum() / 2), abs=3.5 * np.std(found) / 3000**0.5)


def state_rates(campaigns: int, replies: int, seed: int) -> tuple[float, float]:
    """How often the test of one state rejects at .05, and the share of campaigns in which any of all states does."""
    chance = np.random.default_rng(seed)
    single, pooled = [], []
    for _ in range(campaigns):
        exchanges, observed = [], []
        weights = np.full(12, 1 / 12)
        for _ in range(12):
            shares = chance.dirichlet([0.5] * 4)
            a, b = draw(chance, shares, replies), draw(chance, shares, replies)
            exchanges.append(exchange(a, b))
            observed.append(float(divergence_bits(a, b)))
            single.append(exchanges[-1].tail(observed[-1]) <= 0.05)
        drawn = pooled_exchange(exchanges, weights, 499, chance)
        pooled.append(upper_tail(float(weights @ np.array(observed)), drawn) <= 0.05)
    return float(np.mean(single)), float(np.mean(pooled))


def test_alike_models_are_found_different_no_more_often_than_stated() -> None:
    single, pooled = state_rates(400, 5, 11)
    assert single <= 0.05
    assert pooled <= 0.05 + 2.6 * (0.05 * 0.95 / 400) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("replies", [3, 5, 10])
def test_error_rates_at_large(replies: int) -> None:
    single, pooled = state_rates(4000, replies, replies)
    print(f"{replies} replies: single states {single:.4f}, all states together {pooled:.4f}, at .05")
    assert single <= 0.05
    assert 0.03 < pooled < 0.05 + 2.6 * (0.05 * 0.95 / 4000) ** 0.5


def test_a_true_difference_in_many_states_is_seen_where_no_single_one_shows_it() -> None:
    chance = np.random.default_rng(3)
    p, q = [0.5, 0.3, 0.2], [0.15, 0.35, 0.5]
    seen = []
    for _ in range(40):
        counts = [(draw(chance, p, 4), draw(chance, q, 4)) for _ in range(20)]
        exchanges = [exchange(a, b) for a, b in counts]
        observed = np.array([float(divergence_bits(a, b)) for a, b in counts])
        weights = np.full(20, 1 / 20)
        seen.append(upper_tail(float(weights @ observed), pooled_exchange(exchanges, weights, 499, chance)) < 0.05)
    assert np.mean(seen) > 0.8
