"""Ratings against published fits, exact ones, and made-up leagues."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compare.statistics.round_robin.ratings import Matches, jackknife_difference, jackknifed, strengths

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
HOME = {
    0: {1: (4, 3), 2: (4, 2), 3: (4, 3), 4: (6, 1), 5: (4, 2), 6: (6, 0)},
    1: {0: (3, 3), 2: (4, 2), 3: (4, 3), 4: (6, 0), 5: (6, 1), 6: (4, 3)},
    2: {0: (2, 5), 1: (4, 3), 3: (2, 4), 4: (4, 3), 5: (4, 2), 6: (6, 0)},
    3: {0: (3, 3), 1: (5, 1), 2: (2, 5), 4: (4, 3), 5: (4, 2), 6: (6, 1)},
    4: {0: (5, 1), 1: (2, 5), 2: (3, 3), 3: (4, 2), 5: (5, 2), 6: (6, 0)},
    5: {0: (2, 5), 1: (3, 3), 2: (3, 4), 3: (4, 3), 4: (4, 2), 6: (2, 4)},
    6: {0: (2, 5), 1: (1, 5), 2: (1, 6), 3: (2, 4), 4: (1, 6), 5: (3, 4)},
}
"""Home team -> visitor -> (won, lost at home): American League East 1987, in Agresti, "Categorical Data Analysis",
2002, section 10.6. Fits as printed in the vignette of the R package BradleyTerry2 (Turner and Firth)."""


def table(rows: list[tuple[int, int, int, int, int]]) -> Matches:
    return Matches(*np.array(rows, dtype=np.int64).T)


def baseball(at_home: bool) -> Matches:
    rows = []
    for home, visitors in HOME.items():
        for visitor, (won, lost) in visitors.items():
            rows += [(home, visitor, 0, int(at_home), 1)] * won + [(home, visitor, 0, int(at_home), -1)] * lost
    return table(rows)


def test_ratings_are_those_published_for_baseball() -> None:
    found = strengths(baseball(False), 7)
    published = [1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0]
    assert found.ratings - found.ratings[6] == pytest.approx(published, abs=1e-4)
    assert found.tie is None
    assert not found.regularised


def test_with_the_advantage_of_playing_at_home() -> None:
    found = strengths(baseball(True), 7, 2)
    published = [1.6196, 1.4754, 1.3271, 1.2813, 1.1438, 0.7047, 0.0]
    assert found.ratings - found.ratings[6] == pytest.approx(published, abs=1e-4)
    assert found.seats[0] - found.seats[1] == pytest.approx(0.3023, abs=1e-4)


def test_two_with_ties_have_davidsons_closed_form() -> None:
    rows = [(0, 1, 0, 0, 1)] * 30 + [(0, 1, 0, 0, -1)] * 10 + [(0, 1, 0, 0, 0)] * 20
    found = strengths(table(rows), 2)
    assert np.exp(found.ratings[0] - found.ratings[1]) == pytest.approx(3.0)
    assert np.exp(found.tie) == pytest.approx(20 / np.sqrt(30 * 10))


def test_in_a_balanced_round_robin_the_order_is_that_of_two_points_for_a_win_and_one_for_a_tie() -> None:
    chance = np.random.default_rng(0)
    for _ in range(20):
        pairs = [(i, j) for i in range(5) for j in range(i)]
        rows = [(i, j, 0, 0, int(chance.integers(-1, 2))) for i, j in pairs for _ in range(6)]
        points = np.zeros(5)
        for i, j, _, _, result in rows:
            points[i] += 1 + result
            points[j] += 1 - result
        found = strengths(table(rows), 5).ratings
        for i, j in pairs:
            assert (points[i] - points[j]) * (found[i] - found[j]) >= -1e-6


def test_a_planted_league_is_found_with_its_seats_and_ties() -> None:
    chance = np.random.default_rng(1)
    truth, advantage, tie = np.array([0.8, 0.0, -0.8]), 0.5, -0.3
    rows = []
    for _ in range(6000):
        i, j = (int(n) for n in chance.integers(0, 3, 2))
        logits = np.array([truth[i] + advantage, truth[j], tie + (truth[i] + advantage + truth[j]) / 2])
        shares = np.exp(logits) / np.exp(logits).sum()
        rows.append((i, j, 0, 1, (1, -1, 0)[int(chance.choice(3, p=shares))]))
    found = strengths(table(rows), 3, 2)
    assert found.ratings == pytest.approx(truth, abs=0.1)
    assert found.seats[0] - found.seats[1] == pytest.approx(advantage, abs=0.1)
    assert found.tie == pytest.approx(tie, abs=0.1)


def test_one_that_never_loses_is_held_by_the_prior_and_said_to_be() -> None:
    rows = [(0, 1, 0, 0, 1)] * 12 + [(1, 2, 0, 0, 1)] * 4 + [(2, 1, 0, 0, 1)] * 4 + [(0, 2, 0, 0, 1)] * 6
    found = strengths(table(rows), 3)
    assert found.regularised
    assert found.ratings.argmax() == 0
    assert np.abs(found.ratings).max() < 6


def test_who_never_met_is_rated_through_others_or_held() -> None:
    connected = [(0, 1, 0, 0, 1), (1, 0, 0, 0, 1), (1, 2, 0, 0, 1), (2, 1, 0, 0, 1)] * 5
    assert not strengths(table(connected), 3).regularised
    apart = [(0, 1, 0, 0, 1), (1, 0, 0, 0, 1), (2, 3, 0, 0, 1), (3, 2, 0, 0, 1)] * 5
    assert strengths(table(apart), 4).regularised


def test_nobody_ever_wins() -> None:
    rows = [(0, 1, 0, 1, 0)] * 9
    assert jackknifed(table(rows), np.arange(9) // 3, 2, 2) is None


@pytest.mark.parametrize(
    ("runs", "most"), [(40, 6), pytest.param(600, 45, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_equals_are_told_apart_no_more_often_than_stated(runs: int, most: int) -> None:
    """Tasks differ in which seat they favour, and all trials of a task lean the same way."""
    chance = np.random.default_rng(5)
    wrong = 0
    for _ in range(runs):
        rows, clusters = [], []
        for task in range(8):
            favour = chance.normal(0, 1.5)
            for i in range(2):
                for j in range(2):
                    for _ in range(3):
                        won = chance.random() < 1 / (1 + np.exp(-favour))
                        rows.append((i, j, 0, 1, 1 if won else -1))
                        clusters.append(task)
        found = jackknifed(table(rows), np.array(clusters), 2, 2)
        assert found is not None
        fit, without, _ = found
        gap = jackknife_difference(
            float(fit.ratings[0] - fit.ratings[1]), without[:, 0] - without[:, 1], len(rows), 8, (0, 0, 0)
        )
        wrong += gap.p is not None and gap.p < 0.05
    assert wrong <= most


def test_too_few_tasks_have_no_test() -> None:
    found = jackknife_difference(1.0, np.array([0.9, 1.1, 1.0, 1.2]), 20, 4, (3, 1, 0))
    assert found.p is None
    assert found.low is not None
    assert found.needed == 6
