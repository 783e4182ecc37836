"""The social relations model against Kenny's worked example, and against rounds made up with known components."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.compare.statistics.round_robin.social_relations import components, round_robin, social_relations

KENNY = np.array(
    [
        [0, 4, 5, 6, 7, 5],
        [2, 0, 1, 3, 2, 4],
        [5, 4, 0, 3, 2, 6],
        [4, 5, 4, 0, 2, 5],
        [1, 4, 4, 3, 0, 3],
        [5, 7, 5, 3, 9, 0],
    ],
    dtype=np.float64,
)
"""Six persons in a round robin: Kenny, "The mathematics of the Social Relations Model", davidakenny.net/srm."""


def test_actor_effects_are_those_of_kennys_example() -> None:
    found = round_robin(KENNY)
    assert found.actor == pytest.approx([1.208, -1.625, -0.167, -0.208, -1.083, 1.875], abs=5e-4)
    assert found.actor.var(ddof=1) == pytest.approx(1.772, abs=5e-4)


@pytest.mark.parametrize(("size", "variance"), [(5, 1.894), (4, 2.112)])
def test_the_variance_of_effects_grows_in_smaller_groups_as_kenny_says(size: int, variance: float) -> None:
    groups = [KENNY[np.ix_(kept, kept)] for kept in itertools.combinations(range(6), size)]
    assert np.mean([round_robin(group).actor.var(ddof=1) for group in groups]) == pytest.approx(variance, abs=1.5e-3)


def test_the_estimated_variance_does_not_depend_on_the_size_of_the_group() -> None:
    groups = [KENNY[np.ix_(kept, kept)] for kept in itertools.combinations(range(6), 5)]
    whole = components(round_robin(KENNY))
    parts = [components(round_robin(group)) for group in groups]
    for name in ("actor", "partner", "relationship", "actor_partner", "dyadic"):
        assert np.mean([getattr(part, name) for part in parts]) == pytest.approx(getattr(whole, name), abs=1e-9)


def test_the_diagonal_says_nothing() -> None:
    other = KENNY + np.diag([9.0, -3.0, np.nan, 4.0, 1.0, 0.0])
    assert components(round_robin(other)) == components(round_robin(KENNY))


def made_up(chance: np.random.Generator, groups: int, n: int = 5) -> NDArray[np.float64]:
    """Actor variance 1, partner .5, covariance .4; relationship .3, dyadic .2; each group its own models."""
    both = chance.multivariate_normal([0, 0], [[1.0, 0.4], [0.4, 0.5]], size=(groups, n))
    pairs = chance.multivariate_normal([0, 0], [[0.3, 0.2], [0.2, 0.3]], size=(groups, n, n))
    above = np.triu(np.ones((n, n)), 1)
    special = above * pairs[..., 0] + np.swapaxes(above * pairs[..., 1], 1, 2)
    found: NDArray[np.float64] = 3 + both[:, :, None, 0] + both[:, None, :, 1] + special
    return found


def test_components_are_unbiased() -> None:
    found = [components(round_robin(one)) for one in made_up(np.random.default_rng(1), 4000)]
    expected = {"actor": 1.0, "partner": 0.5, "relationship": 0.3, "actor_partner": 0.4, "dyadic": 0.2}
    for name, value in expected.items():
        assert np.mean([getattr(one, name) for one in found]) == pytest.approx(value, abs=0.05)


def test_what_lasts_is_told_from_chance_by_what_tasks_have_in_common() -> None:
    chance = np.random.default_rng(2)
    same = made_up(chance, 1)[0]
    truth = components(round_robin(same))
    tasks = same + chance.normal(0, 1, (400, 5, 5))
    found = social_relations(tasks)
    for name in ("actor", "partner", "relationship", "actor_partner", "dyadic"):
        estimate = getattr(found, name)
        assert estimate.low <= getattr(truth, name) <= estimate.high
    assert found.relationship.estimate == pytest.approx(truth.relationship, abs=0.1)
    assert found.passing.relationship == pytest.approx(1.0, abs=0.1)
    assert found.passing.actor == pytest.approx(0.0, abs=0.05)


def test_jackknife_intervals_hold_zero_where_there_is_nothing_but_chance() -> None:
    chance = np.random.default_rng(3)
    runs = 300
    missed = dict.fromkeys(("actor", "partner", "relationship", "actor_partner", "dyadic"), 0)
    for _ in range(runs):
        found = social_relations(chance.normal(0, 1, (10, 4, 4)))
        for name in missed:
            estimate = getattr(found, name)
            missed[name] += not estimate.low <= 0 <= estimate.high
    assert max(missed.values()) / runs < 0.08


def test_clusters_of_several_units_count_once() -> None:
    chance = np.random.default_rng(4)
    tasks = chance.normal(0, 1, (6, 4, 4))
    doubled = social_relations(np.repeat(tasks, 3, axis=0), np.repeat(np.arange(6), 3))
    alone = social_relations(tasks)
    assert doubled.actor.estimate == pytest.approx(alone.actor.estimate)
    assert doubled.actor.low == pytest.approx(alone.actor.low)
    assert doubled.actor.clusters == 6


def test_too_few_are_said_to_be() -> None:
    with pytest.raises(ValueError, match="it takes 4"):
        components(round_robin(KENNY[:3, :3]))
    assert social_relations(KENNY[None]).actor.too_few
    assert social_relations(KENNY[None]).actor.estimate == pytest.approx(components(round_robin(KENNY)).actor)
