"""Each statistic against a published or worked number."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compare.statistics import (
    benjamini_hochberg,
    clopper_pearson,
    clustered_error,
    clusters_needed,
    holm,
    mcnemar_chi2,
    mcnemar_exact,
    mean_interval,
    optimal_repeats,
    paired_difference,
    pass_at_k,
    pass_hat_k,
    planned_detectable,
    rate_interval,
    repeats_needed,
    sign_flip,
    smallest_detectable,
    wilson,
)
from harness.compare.statistics.intervals import clustered_freedom
from harness.compare.statistics.pairs import mcnemar_mid
from harness.compare.statistics.sign_flips import flip_test, flip_tests


def test_the_slow_parts_of_scipy_are_not_loaded_by_every_command():
    slow = "scipy.stats", "scipy.optimize", "scipy.spatial"
    program = f"import sys, harness.compare; print([name for name in {slow} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_wilson():
    assert wilson(29, 127) == pytest.approx((0.16396, 0.30869), abs=5e-6)
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == 1.0
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(1, 0)


def test_clopper_pearson():
    low, high = clopper_pearson(0, 30)
    assert low == 0.0
    assert high == pytest.approx(0.11570, abs=5e-6)


def test_mcnemar_of_the_known_table():
    assert mcnemar_chi2(86, 150) == pytest.approx(17.35593, abs=5e-6)
    assert mcnemar_exact(86, 150) == pytest.approx(3.71594e-5, rel=1e-5)
    assert mcnemar_exact(0, 0) == 1.0


def test_mid_p_of_mcnemar_is_the_published_one():
    # Fagerland, Lydersen and Laake (2013), airway hyper-responsiveness: 1 and 7 discordant, exact .0703, mid-p .0391.
    assert mcnemar_exact(1, 7) == pytest.approx(0.0703, abs=5e-5)
    assert mcnemar_mid(1, 7) == mcnemar_mid(7, 1) == pytest.approx(0.0391, abs=5e-5)
    assert mcnemar_mid(0, 0) == 1.0
    assert flip_test([1] * 1 + [-1] * 7) == pytest.approx((mcnemar_exact(1, 7), mcnemar_mid(1, 7)))
    assert flip_test([1] * 3 + [-1] * 3) == pytest.approx((1.0, mcnemar_mid(3, 3)))


@pytest.mark.parametrize(("won", "lost"), [(0, 1), (0, 9), (3, 3), (4, 11), (11, 4), (0, 2000), (900, 1100), (1, 900)])
def test_mcnemar_is_the_binomial_test_of_scipy(won, lost):
    from scipy import stats

    assert mcnemar_exact(won, lost) == pytest.approx(stats.binomtest(won, won + lost).pvalue, rel=1e-9)
    itself = stats.binom.pmf(min(won, lost), won + lost, 0.5) / (2 if won == lost else 1)
    assert mcnemar_mid(won, lost) == pytest.approx(stats.binomtest(won, won + lost).pvalue - itself, rel=1e-6)


def test_corrections_are_those_of_scipy_and_statsmodels():
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    p_values = np.random.default_rng(3).random(40) ** 3
    p_values[5] = p_values[9]
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values), rel=1e-12)
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], rel=1e-12)


def test_corrections():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert holm([]) == benjamini_hochberg([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_pass_k():
    # tau-bench: of 3 passes in 5 trials, C(3,2)/C(5,2) = .3; HumanEval: 1 - C(2,2)/C(5,2) = .9
    assert pass_hat_k([3], [5], 2) == pytest.approx([0.3])
    assert pass_at_k([3], [5], 2) == pytest.approx([0.9])
    assert pass_at_k([3], [5], 1) == pass_hat_k([3], [5], 1) == pytest.approx([0.6])
    assert np.isnan(pass_hat_k([1, 1], [1, 2], 2)).tolist() == [True, False]
    with pytest.raises(ValueError, match="at most 5 repeats"):
        pass_at_k([3], [5], 6)


def test_clustered_error_by_hand():
    # Clusters {1, 1}, {0, 0}, {1, 0}: deviations sum to 1, -1, 0; sqrt(3/2 * 2) / 6.
    values, clusters = np.array([1.0, 1, 0, 0, 1, 0]), np.array([0, 0, 1, 1, 2, 2])
    assert clustered_error(values, clusters) == pytest.approx(math.sqrt(3) / 6)
    alone = np.array([1.0, 2, 4, 8])
    assert clustered_error(alone, np.arange(4)) == pytest.approx(alone.std(ddof=1) / 2)


def test_clustered_error_is_that_of_statsmodels():
    import statsmodels.api as sm

    chance = np.random.default_rng(5)
    clusters = np.repeat(np.arange(8), 5)
    values = chance.normal(size=40) + chance.normal(size=8)[clusters]
    robust = sm.OLS(values, np.ones(40)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}, use_t=True
    )
    assert clustered_error(values, clusters) == pytest.approx(robust.bse[0] * math.sqrt(8 / 7))


def test_unequal_clusters_take_the_bias_reduced_error_and_fewer_degrees_of_freedom():
    chance = np.random.default_rng(7)
    sizes = np.array([1, 2, 3, 5, 9])
    clusters = np.repeat(np.arange(5), sizes)
    values = chance.normal(size=20) + chance.normal(size=5)[clusters]
    # CR2 of a regression on a constant, with matrices: residuals of each cluster times (I - H_gg)^(-1/2).
    residuals, total = values - values.mean(), 0.0
    for g, size in enumerate(sizes):
        roots, vectors = np.linalg.eigh(np.eye(size) - np.ones((size, size)) / 20)
        adjusted = vectors @ np.diag(roots**-0.5) @ vectors.T @ residuals[clusters == g]
        total += adjusted.sum() ** 2
    assert clustered_error(values, clusters) == pytest.approx(math.sqrt(total) / 20)
    # No correlation within clusters: Satterthwaite with the identity as the working covariance.
    alone = np.concatenate([np.linspace(-1, 1, size) if size > 1 else [0.0] for size in sizes])
    kept = np.eye(20) - np.ones((20, 20)) / 20
    sums = np.array([(clusters == g) / math.sqrt(1 - size / 20) for g, size in enumerate(sizes)]) @ kept
    covariance = sums @ sums.T
    assert clustered_freedom(alone, clusters) == pytest.approx(
        np.trace(covariance) ** 2 / np.sum(covariance**2), rel=1e-9
    )
    assert clustered_freedom(values, np.arange(20)) == 19
    assert clustered_freedom(values, np.repeat(np.arange(5), 4)) == 4
    found = mean_interval(values, clusters)
    assert found.method.startswith("clustered standard error (CR2), t(")


def test_scores_outside_0_and_1_have_the_plain_interval():
    found = rate_interval([-3.0, 2.0, 5.0, 4.0], trials=[2] * 4)
    assert (found.low, found.high) == pytest.approx((mean_interval([-3.0, 2.0, 5.0, 4.0]).low, found.high))


def test_one_trial_of_each_task_is_wilsons():
    found = rate_interval([1] * 29 + [0] * 98)
    assert (found.low, found.high) == pytest.approx(wilson(29, 127))
    assert found.method == "Wilson"
    assert (found.n, found.clusters) == (127, 127)


def test_repeats_and_families_are_clustered():
    values = [0.8, 0.6, 0.4, 0.2, 0.5, 0.5]
    by_task = rate_interval(values, trials=[5] * 6)
    by_family = rate_interval(values, clusters=[0, 0, 1, 1, 2, 2], trials=[5] * 6)
    assert by_task.method == "clustered standard error, t(5)"
    assert by_family.method == "clustered standard error, t(2)"
    assert by_family.high - by_family.low > by_task.high - by_task.low


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_agreement_of_all_tasks_is_no_certainty(rate):
    found = rate_interval([rate] * 30, trials=[4] * 30)
    assert found.estimate == rate
    assert found.high - found.low > 0.1
    if rate == 0.0:
        assert found.high == pytest.approx(0.11570, abs=5e-6)


def test_intervals_of_rates_stay_in_bounds():
    found = rate_interval([0.2] + [0.0] * 29, trials=[5] * 30)
    assert 0 < found.low < found.estimate < found.high < 0.2
    assert "logit" in found.method


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_clusters_are_too_few(count):
    found = rate_interval([1, 0, 1, 0], clusters=[0, 0, count - 1, count - 1], trials=[3] * 4)
    assert found.too_few
    assert (found.estimate, found.low, found.high, found.needed) == (0.5, None, None, 3)


def test_nothing_is_nothing():
    assert rate_interval([]).estimate is None
    assert rate_interval([math.nan]).n == 0
    assert mean_interval([]).method == "no data"
    assert paired_difference([], []).p is None


def test_unbounded_means_without_spread_have_no_interval():
    found = mean_interval([3.0] * 10)
    assert (found.estimate, found.low, found.too_few) == (3.0, None, False)


def test_sign_flip_counts_all_flips():
    # Darwin's maize: 863 of the 2^15 flips are at least as extreme in one tail (Fisher, Design of Experiments, 1935).
    darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sign_flip(darwin) == pytest.approx(2 * 863 / 2**15, abs=1e-9)
    assert sign_flip([1, 1, 1, 1, 1, 1]) == pytest.approx(2 / 64)
    assert sign_flip([0, 0, 0]) == 1.0
    assert sign_flip([2, -1, 0]) == 1.0


def test_sign_flip_of_single_trials_is_mcnemars_exact_test():
    assert sign_flip([1] * 86 + [-1] * 150 + [0] * 1364) == pytest.approx(mcnemar_exact(86, 150), rel=1e-9)


def test_sign_flip_is_that_of_scipy():
    from scipy import stats

    values = np.random.default_rng(2).normal(0.4, 1, size=9)
    theirs = stats.permutation_test(
        (values,), lambda x, axis: np.sum(x, axis=axis), permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    assert sign_flip(values) == pytest.approx(theirs.pvalue)


def test_flips_counted_as_multiples_are_those_counted_one_by_one():
    chance = np.random.default_rng(4)
    sums = chance.integers(-5, 6, size=12) / 5
    totals = [abs(np.dot(signs, np.abs(sums))) for signs in itertools.product((-1, 1), repeat=12)]
    observed = abs(sums.sum())
    exact = np.mean([total >= observed - 1e-9 for total in totals])
    above = np.mean([total > observed + 1e-9 for total in totals])
    assert flip_test(sums) == pytest.approx((exact, (exact + above) / 2))
    assert flip_test(sums * math.pi) == pytest.approx((exact, (exact + above) / 2))


def test_many_contrasts_are_tested_as_each_alone():
    chance = np.random.default_rng(6)
    sums = np.column_stack([chance.normal(size=40), chance.integers(-3, 4, size=40) / 3, np.zeros(40)])
    together = flip_tests(sums)
    for column, pair in enumerate(together):
        assert pair == pytest.approx(flip_test(sums[:, column]))
    assert together[2] == (1.0, 1.0)


def test_drawn_sign_flips_are_repeatable_and_never_zero():
    strong = 1 + np.random.default_rng(1).random(60)
    assert sign_flip(strong) == sign_flip(strong[::-1]) == pytest.approx(1 / 20_000)
    weak = np.random.default_rng(1).normal(size=200)
    t = weak.mean() / (weak.std(ddof=1) / math.sqrt(200))
    assert sign_flip(weak) == pytest.approx(math.erfc(abs(t) / math.sqrt(2)), abs=0.02)


def test_paired_difference_of_single_trials_is_mcnemars():
    first, second = [1] * 86 + [0] * 150 + [1] * 794 + [0] * 570, [0] * 86 + [1] * 150 + [1] * 794 + [0] * 570
    found = paired_difference(first, second, single=True)
    assert found.p == pytest.approx(3.71594e-5, rel=1e-5)
    assert found.p_method == "McNemar, exact"
    assert (found.won, found.lost, found.tied) == (86, 150, 1364)
    assert found.estimate == pytest.approx(-64 / 1600)


def test_two_equal_models_are_not_known_to_be_equal():
    found = paired_difference([1, 0] * 15, [1, 0] * 15, single=True)
    assert found.estimate == 0.0
    assert found.low == -found.high
    assert found.high == pytest.approx(0.11570, abs=5e-6)
    assert found.detectable > 0.1


def test_power():
    assert smallest_detectable(0.01, 10_000) == pytest.approx(0.02802, abs=1e-4)
    # t test of one sample: d = .5 takes 34 (Cohen, table 2.4.1, for a one-sample test by G*Power).
    assert clusters_needed(0.5, 1.0) == pytest.approx(34, abs=1)
    assert smallest_detectable(1 / math.sqrt(34), 34) <= 0.5


def test_power_of_tasks_and_repeats():
    # Var = (between + within / r) / T; for many tasks the quantiles are 1.95996 + .84162.
    assert planned_detectable(0.05, 0.3, 10_000, 3) == pytest.approx(2.80158 * math.sqrt(0.15 / 10_000), rel=1e-3)
    assert planned_detectable(0.05, 0.3, 40, 3) == smallest_detectable(math.sqrt(0.15 / 40), 40)
    repeats = repeats_needed(0.1, 0.02, 0.3, 100)
    assert planned_detectable(0.02, 0.3, 100, repeats) <= 0.1 < planned_detectable(0.02, 0.3, 100, repeats - 1)
    assert repeats_needed(0.1, 0.2, 0.3, 50) is None
    assert repeats_needed(0.5, 0.0, 0.0, 50) == 1
    # Raudenbush (1997): sqrt(cost of a cluster / cost of a member * within / between).
    assert optimal_repeats(0.05, 0.2, 25) == pytest.approx(10)
    assert optimal_repeats(0.05, 0.2, 0) == 1.0
    assert optimal_repeats(0.0, 0.2, 25) is None


def test_few_pairs_say_how_many_it_takes():
    found = paired_difference([1, 0, 1, 1], [0, 0, 1, 0], single=True)
    assert found.too_few
    assert found.needed > 50
    assert paired_difference([1.0, 2], [3.0, 4], bounds=None).needed == 6


PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.randoms())
def test_swapping_negates_and_order_changes_nothing(pairs, chance):
    a, b, groups = (np.array(column) for column in zip(*pairs, strict=True))
    there, back = paired_difference(a / 3, b / 3, groups), paired_difference(b / 3, a / 3, groups)
    assert there.estimate == pytest.approx(-back.estimate)
    assert there.p == back.p
    assert (there.won, there.lost) == (back.lost, back.won)
    if there.low is not None:
        assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
        assert there.low <= there.estimate <= there.high
        assert there.high > there.low
    order = list(range(len(pairs)))
    chance.shuffle(order)
    mixed = paired_difference(a[order] / 3, b[order] / 3, groups[order])
    assert mixed.estimate == pytest.approx(there.estimate)
    assert mixed.p == pytest.approx(there.p)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=30))
def test_rates_lie_within_their_intervals_within_bounds(values):
    rates, groups = [v / 5 for v, _ in values], [g for _, g in values]
    found = rate_interval(rates, groups, [5] * len(rates))
    if found.low is not None:
        assert 0 <= found.low <= found.estimate + 1e-12
        assert found.estimate - 1e-12 <= found.high <= 1
        assert found.high > found.low
