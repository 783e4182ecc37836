"""The statistics of forks on plain arrays: published numbers, and error rates by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compare.interventions.fork.exchange import exchange, exchanged_p, repeats_to_tell
from harness.compare.interventions.fork.following import kitagawa
from harness.compare.interventions.fork.shrinkage import mean_variance, paule_mandel, shrunk, subtracted
from harness.compare.statistics import clopper_pearson, wilson


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_all_against_none_is_one_of_seventy_ways_each_way() -> None:
    assert exchanged_p([1, 1, 1, 1], [0, 0, 0, 0], chance()) == pytest.approx(2 / 70)
    assert exchanged_p([1, 0], [1, 0], chance()) == 1.0
    assert [repeats_to_tell(states) for states in (1, 10, 100)] == [4, 6, 8]


def test_the_largest_of_many_is_held_to_the_largest_of_many() -> None:
    alone = exchange([[1] * 6], [[0] * 6], chance())
    many = exchange([[1] * 6] + [[1, 0] * 3] * 40, [[0] * 6] + [[0, 1] * 3] * 40, chance())
    assert alone.p_largest[0] == pytest.approx(2 / 924, abs=0.002)
    assert many.p[0] == pytest.approx(2 / 924)
    assert many.p_largest[0] > 10 * many.p[0]
    assert many.p_largest[1] == 1.0
    assert many.apart == pytest.approx(1 / 41)
    quiet = exchange([[1] * 6] + [[1] * 6] * 40, [[0] * 6] + [[1] * 6] * 40, chance())
    assert quiet.p_largest[0] < 0.01  # states that never vary cannot come out far apart


def test_nothing_is_tested_where_one_of_both_is_missing() -> None:
    with pytest.raises(ValueError, match="outcomes of both"):
        exchange([[1.0], []], [[0.0], [1.0]], chance())
    with pytest.raises(ValueError, match="outcomes of both"):
        exchange([], [], chance())


@pytest.mark.parametrize("outcomes", ["passes", "scores"])
@pytest.mark.parametrize(
    "worlds", [pytest.param(150), pytest.param(1500, marks=pytest.mark.slow)], ids=["few worlds", "many worlds"]
)
def test_where_it_does_not_matter_who_goes_on_it_is_seldom_said_to(worlds: int, outcomes: str) -> None:
    """Each of the rates that are to be .05 is not above it, by more than three standard errors of the simulation."""
    random = chance(7)
    single = largest = apart = 0
    states = 0
    for _ in range(worlds):
        worth = random.beta(0.7, 0.7, size=12)
        drawn = random.random((2, 12, 5)) < worth[None, :, None]
        values = drawn.astype(float) if outcomes == "passes" else drawn * random.random((2, 12, 5))
        found = exchange(list(values[0]), list(values[1]), random, draws=499)
        single += sum(p < 0.05 for p in found.p)
        states += 12
        largest += min(found.p_largest) < 0.05
        apart += found.p_apart < 0.05
    bound = 0.05 + 3 * np.sqrt(0.05 * 0.95 / worlds)
    assert largest / worlds <= bound
    assert apart / worlds <= bound
    assert single / states <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / states)


def test_a_state_where_it_matters_is_found_among_many() -> None:
    random = chance(3)
    found = 0
    for _ in range(40):
        worth = random.choice([0.05, 0.95], size=20)
        first, second = ((random.random((20, 8)) < worth[:, None]).astype(float) for _ in range(2))
        first[4], second[4] = 1.0, 0.0
        told = exchange(list(first), list(second), random, draws=499)
        found += int(np.argmin(told.p_largest)) == 4 and told.p_largest[4] < 0.05
    assert found >= 36


def test_noise_alone_is_drawn_to_the_mean_and_true_spread_is_not() -> None:
    seen = np.array([0.3, -0.3, 0.2, -0.2, 0.1] * 5)
    noise = shrunk(seen, [0.1] * 25)
    assert noise.spread == 0
    assert noise.values - 0.02 == pytest.approx((seen - 0.02) * 2 / 24)
    clear = shrunk([1.0, 0.0, 0.0, 0.0, -1.0], [0.001] * 5)
    assert clear.values == pytest.approx([1, 0, 0, 0, -1], abs=0.01)
    assert shrunk([0.5, 0.1], [0.1, 0.1]).values == pytest.approx([0.5, 0.1])


def test_the_spread_is_the_one_that_explains_the_differences() -> None:
    d, v = np.array([0.1, 0.5, 0.9, 0.2]), np.array([0.01, 0.02, 0.01, 0.03])
    spread = paule_mandel(d, v)
    weights = 1 / (v + spread)
    mean = weights @ d / weights.sum()
    assert weights @ (d - mean) ** 2 == pytest.approx(3, abs=1e-6)


def test_what_is_believed_of_the_largest_is_not_too_much() -> None:
    """The interval of the largest of 20 covers the truth about as often as it says; the plain one far less often."""
    random = chance(11)
    believed = plain = 0
    bias, raw_bias = [], []
    for _ in range(400):
        truth = random.normal(0, 0.15, size=20)
        seen = truth + random.normal(0, 0.2, size=20)
        found = shrunk(seen, np.full(20, 0.04))
        top = int(np.argmax(seen))
        believed += found.low[top] <= truth[top] <= found.high[top]
        plain += abs(seen[top] - truth[top]) < 1.96 * 0.2
        bias.append(found.values[top] - truth[top])
        raw_bias.append(seen[top] - truth[top])
    assert believed / 400 > 0.92
    assert plain / 400 < 0.85
    assert abs(np.mean(bias)) < 0.05 < np.mean(raw_bias)


def test_what_never_varied_is_not_certain() -> None:
    assert mean_variance([1.0] * 4, True) == pytest.approx(0.009)
    assert mean_variance([3.0, 5.0], False) == pytest.approx(1.0)
    assert mean_variance([7.0], False) > 0


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """56 of 70 against 48 of 80: .2, .0524 to .3339 (Newcombe 1998, Statistics in Medicine 17, table II, method 10)."""
    first, second = (56 / 70, *wilson(56, 70)), (48 / 80, *wilson(48, 80))
    assert subtracted(first, second) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert clopper_pearson(4, 4)[1] == 1.0


def test_choice_and_rest_add_up_to_the_difference() -> None:
    random = chance(5)
    for _ in range(50):
        first, second = random.random(7), random.random(5)
        ours, theirs = random.integers(0, 3, 7), random.integers(1, 4, 5)
        choice, rest, apart = kitagawa(first, second, ours, theirs)
        assert choice + rest == pytest.approx(first.mean() - second.mean())
        assert 0 <= apart <= 1
    ones, zeros = np.ones(4), np.zeros(4)
    assert kitagawa(ones, zeros, np.zeros(4, dtype=int), np.ones(4, dtype=int)) == pytest.approx((1, 0, 1))
    assert kitagawa(ones, zeros, np.zeros(4, dtype=int), np.zeros(4, dtype=int)) == pytest.approx((0, 1, 0))
