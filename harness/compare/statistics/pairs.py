"""Paired differences, their tests, and corrections for several of them at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from harness.compare.statistics.estimates import CONFIDENCE, MIN_CLUSTERS, MIN_CLUSTERS_TESTED, Difference
from harness.compare.statistics.intervals import (
    Clustered,
    Floats,
    clopper_pearson,
    cluster_sums,
    clustered,
    mean_interval,
)
from harness.compare.statistics.power import UNKNOWN_SPREAD, WISHED, clusters_needed, smallest_detectable
from harness.compare.statistics.sign_flips import EXACT_UP_TO, flip_test

MCNEMAR = "McNemar, exact"
SIGN_FLIP = "sign-flip permutation, mid-p"
SIGN_FLIP_EXACT = "sign-flip permutation, exact"
"""With fewer than 6 clusters: mid-p would fall below .05 where no exact test can."""
USELESS = 0.5
"""When only differences of more than 50 points would have shown, there is too little data."""


def mcnemar_exact(won: int, lost: int) -> float:
    """Two-sided exact p of a paired two-by-two table from its discordant cells; 86 and 150 give 3.71594e-5.

    The binomial test of `won` in `won + lost` against 1/2; 1 without discordant pairs. Source: McNemar,
    Psychometrika 12 (1947).
    """
    return 1.0 if won + lost == 0 else min(1.0, 2 * _at_most(min(won, lost), won + lost))


def mcnemar_chi2(won: int, lost: int) -> float:
    """McNemar's chi-squared without continuity correction, (b - c)^2 / (b + c); 86 and 150 give 17.35593."""
    return 0.0 if won + lost == 0 else (won - lost) ** 2 / (won + lost)


def mcnemar_mid(won: int, lost: int) -> float:
    """McNemar's mid-p: the exact p less half the chance of the table itself; 86 and 150 give 2.89339e-5.

    Source: Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13 (2013), who recommend it.
    """
    if won == lost:
        return 1.0 if won == 0 else 1.0 - 0.5 * _exactly(won, won + lost)
    return mcnemar_exact(won, lost) - _exactly(min(won, lost), won + lost)


def _at_most(heads: int, tosses: int) -> float:
    """Chance of so many heads or fewer of a fair coin."""
    return float(special.bdtr(heads, tosses, 0.5))


def _exactly(heads: int, tosses: int) -> float:
    """Chance of so many heads of a fair coin."""
    return _at_most(heads, tosses) - (_at_most(heads - 1, tosses) if heads else 0.0)


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    bounds: tuple[float, float] | None = (-1.0, 1.0),
    single: bool = False,
    draw: bool = True,
    tested: tuple[float, float] | None = None,
) -> Difference:
    """Mean of `first - second` over units that have both (NaN: has not), with interval, test and power.

    `clusters` numbers each unit's cluster. `bounds` of a difference (None: unbounded). `single` says that every value
    is one trial: then, with every cluster one unit and values 0 and 1, the test is McNemar's exact one, else mid-p of
    `flip_test`; where that would need draws and `draw` is false, the t test of the interval takes its place (cheap, for
    many contrasts). `tested` is the exact p and mid-p of `flip_test` where they are already known.
    """
    differences, groups = _pairs(first, second, clusters)
    won, lost = int(np.sum(differences > 1e-12)), int(np.sum(differences < -1e-12))
    tied = len(differences) - won - lost
    if len(differences) == 0:
        return Difference(
            None, None, None, 0, 0, "no pairs", None, "no pairs", 0, 0, 0, None, needed=_needed(UNKNOWN_SPREAD, bounds)
        )
    spread = clustered(differences, groups)
    interval = mean_interval(differences, groups, bounds, spread)
    error = difference_error(spread, bounds)
    whole = bool(np.all(np.isin(differences, (-1.0, 0.0, 1.0))))
    exact: float | None
    mid: float | None
    if single and whole and spread.count == len(differences):
        exact, mid = mcnemar_exact(won, lost), mcnemar_mid(won, lost)
        p, how = exact, MCNEMAR
    elif not draw and error and spread.count > EXACT_UP_TO:
        exact = mid = None
        p = 2 * float(special.stdtr(spread.freedom, -abs(float(differences.mean())) / error))
        how = f"t({spread.freedom:g})"
    else:
        exact, mid = flip_test(cluster_sums(differences, groups)) if tested is None else tested
        p, how = (mid, SIGN_FLIP) if spread.count >= MIN_CLUSTERS_TESTED else (exact, SIGN_FLIP_EXACT)
    detectable = None if error is None else smallest_detectable(error, spread.count, freedom=spread.freedom)
    few = interval.clusters < MIN_CLUSTERS_TESTED or (
        bounds is not None and detectable is not None and detectable > USELESS and p >= 1 - CONFIDENCE
    )
    deviation = cautious_spread(error, interval.clusters)
    return Difference(
        interval.estimate, interval.low, interval.high, interval.n, interval.clusters, interval.method,
        p, how, won, lost, tied, detectable, needed=_needed(deviation, bounds) if few else None,
        p_exact=exact, p_mid=mid,
    )  # fmt: skip


def _pairs(first: ArrayLike, second: ArrayLike, clusters: ArrayLike | None) -> tuple[Floats, NDArray[np.int64]]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"{len(a)} values are not paired with {len(b)}")
    groups = np.arange(len(a)) if clusters is None else np.asarray(clusters, dtype=np.int64)
    both = ~(np.isnan(a) | np.isnan(b))
    return (a - b)[both], groups[both]


def difference_error(spread: Clustered, bounds: tuple[float, float] | None) -> float | None:
    """The clustered standard error; where all clusters agree, the largest that still fits with that.

    Of G clusters alike, at most a share of 1 - .025^(1/G) would differ, by at most 1: a variance of at most that.
    """
    if spread.count < MIN_CLUSTERS:
        return None
    if spread.error > 0:
        return spread.error
    if bounds is None:
        return None
    share, _ = clopper_pearson(spread.count, spread.count)
    return float(np.sqrt((1 - share) / spread.count))


def cautious_spread(error: float | None, clusters: int) -> float:
    """Standard deviation of a difference between clusters; with too few of them not below `UNKNOWN_SPREAD`."""
    found = 0.0 if error is None else error * clusters**0.5
    return max(UNKNOWN_SPREAD, found) if clusters < MIN_CLUSTERS_TESTED else found


def _needed(spread: float, bounds: tuple[float, float] | None) -> int:
    if bounds is None:
        return MIN_CLUSTERS_TESTED
    return max(MIN_CLUSTERS_TESTED, clusters_needed(WISHED, spread))


def holm(p_values: Sequence[float]) -> list[float]:
    """P values corrected for all of them together; (.01, .04, .03, .005) gives (.03, .06, .06, .02).

    The i-th smallest of m is multiplied by m - i + 1, and is never below the one before. Source: Holm, Scandinavian
    Journal of Statistics 6 (1979).
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled)) if len(order) else scaled
    return [float(p) for p in adjusted]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """P values corrected for the share of false discoveries; (.01, .04, .03, .005) gives (.02, .04, .04, .02).

    The i-th smallest of m is multiplied by m / i, and is never above the one after. Source: Benjamini and Hochberg,
    JRSS B 57 (1995).
    """
    order = np.argsort(p_values, kind="stable")[::-1]
    count = len(order)
    scaled = np.asarray(p_values, dtype=np.float64)[order] * count / np.arange(count, 0, -1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled)) if count else scaled
    return [float(p) for p in adjusted]
