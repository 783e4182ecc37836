"""Intervals of means over tasks, which are the units: not the trials.

One trial of each independent task: Wilson's score interval. Anything else (repeats, several scaffolds a task, families
of tasks): standard errors clustered by task or family, with quantiles of t with one degree of freedom less than
there are clusters (Miller, "Adding Error Bars to Evals", 2024, sections 2.2 and 4; Cameron and Miller, "A
Practitioner's Guide to Cluster-Robust Inference", 2015). Where that breaks down, at the ends of the scale, an
interval that holds there takes its place; each says so in `method`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from harness.compare.statistics.estimates import CONFIDENCE, MIN_CLUSTERS, Estimate

Floats = NDArray[np.float64]
NOTHING = "no data"
WILSON = "Wilson"
CLUSTERED = "clustered standard error, t"
UNANIMOUS = "Clopper-Pearson, all clusters alike"
EFFECTIVE = "Wilson, effective sample size"
TOO_FEW = "too few"


def wilson(
    successes: float, n: float, confidence: float = CONFIDENCE, quantile: float | None = None
) -> tuple[float, float]:
    """Wilson's score interval of a proportion; 29 of 127 gives (.16396, .30869).

    `quantile` takes the place of the normal one. Source: Wilson, JASA 22 (1927). Raises `ValueError` for n <= 0.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    z = float(special.ndtri(0.5 + confidence / 2)) if quantile is None else quantile
    rate = successes / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)))
    return (0.0 if successes == 0 else max(0.0, centre - half)), (1.0 if successes == n else min(1.0, centre + half))


def clopper_pearson(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval of a proportion; 0 of 30 gives (0, .11570).

    Source: Clopper and Pearson, Biometrika 26 (1934). Raises `ValueError` for n <= 0.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(special.betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(special.betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def t_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t."""
    return float(special.stdtrit(freedom, probability))


def cluster_sums(values: Floats, clusters: NDArray[np.int64]) -> Floats:
    """Sum of the values of each cluster, in order of cluster number."""
    _, codes = np.unique(clusters, return_inverse=True)
    return np.bincount(codes, weights=values).astype(np.float64)


def clustered_error(values: Floats, clusters: NDArray[np.int64]) -> float:
    """Standard error of the mean of `values` with independent clusters: sqrt(G / (G - 1) * sum(u_g^2)) / n.

    u_g is the sum of the deviations from the mean in cluster g. With clusters of one it is the ordinary standard error.
    Source: Liang and Zeger, Biometrika 73 (1986), with the usual small-sample factor. Raises `ValueError` for one
    cluster.
    """
    sums = cluster_sums(values - values.mean(), clusters)
    if len(sums) < 2:
        raise ValueError("one cluster has no spread")
    spread = float(np.sqrt(len(sums) / (len(sums) - 1) * np.sum(sums**2)) / len(values))
    return 0.0 if spread < 1e-12 * max(1.0, float(np.abs(values).max())) else spread


def mean_interval(
    values: ArrayLike, clusters: ArrayLike | None = None, bounds: tuple[float, float] | None = None
) -> Estimate:
    """Mean of one value a unit, with the clustered t interval; NaN values are left out.

    `clusters` numbers the cluster of each unit (each its own when absent); `bounds` are the least and greatest value
    possible. Where all clusters agree the spread says nothing: see `unanimous`; without bounds there is then no
    interval.
    """
    data, groups = _known(values, clusters)
    if len(data) == 0:
        return Estimate(None, None, None, 0, 0, NOTHING)
    mean, count = float(data.mean()), len(np.unique(groups))
    if count < MIN_CLUSTERS:
        return Estimate(mean, None, None, len(data), count, TOO_FEW, needed=MIN_CLUSTERS)
    error = clustered_error(data, groups)
    if error == 0.0:
        if bounds is None:
            return Estimate(mean, None, None, len(data), count, "all clusters alike")
        return Estimate(mean, *unanimous(mean, count, bounds), len(data), count, UNANIMOUS)
    half = t_quantile(0.5 + CONFIDENCE / 2, count - 1) * error
    low, high = mean - half, mean + half
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Estimate(mean, low, high, len(data), count, f"{CLUSTERED}({count - 1})")


def rate_interval(values: ArrayLike, clusters: ArrayLike | None = None, trials: ArrayLike | None = None) -> Estimate:
    """Rate (or mean score in [0, 1]) over units: Wilson for one trial of each cluster, else the clustered t interval.

    `values` are the means of the units, `trials` how many trials each is the mean of (one when absent). Where the t
    interval would leave [0, 1], Wilson's takes its place, with the sample size that explains the clustered error,
    n = p(1 - p) / SE^2, and the quantile of t (Korn and Graubard, Survey Methodology 24, 1998, do so with the exact
    interval).
    """
    data, groups = _known(values, clusters)
    if len(data) == 0:
        return Estimate(None, None, None, 0, 0, NOTHING)
    count = len(np.unique(groups))
    single = trials is None or bool(np.all(np.asarray(trials)[~np.isnan(np.asarray(values, dtype=np.float64))] <= 1))
    if count < MIN_CLUSTERS:
        return Estimate(float(data.mean()), None, None, len(data), count, TOO_FEW, needed=MIN_CLUSTERS)
    if single and count == len(data) and bool(np.all((data == 0) | (data == 1))):
        return Estimate(float(data.mean()), *wilson(float(data.sum()), count), len(data), count, WILSON)
    plain = mean_interval(data, groups)
    if plain.low is None or plain.high is None:
        return mean_interval(data, groups, bounds=(0.0, 1.0))
    if plain.low >= 0.0 and plain.high <= 1.0:
        return plain
    mean, error = float(data.mean()), clustered_error(data, groups)
    size = mean * (1 - mean) / error**2
    low, high = wilson(mean * size, size, quantile=t_quantile(0.5 + CONFIDENCE / 2, count - 1))
    return Estimate(mean, low, high, len(data), count, f"{EFFECTIVE}({count - 1})")


def unanimous(value: float, clusters: int, bounds: tuple[float, float]) -> tuple[float, float]:
    """Interval of a mean when all clusters came out the same.

    The share of clusters that come out so is at least L = .025^(1/G) (Clopper-Pearson for G of G); whatever else there
    is can lie anywhere within the bounds. For a rate of 0 or 1 this is the Clopper-Pearson interval of 0 or G in G.
    """
    share, _ = clopper_pearson(clusters, clusters)
    return share * value + (1 - share) * bounds[0], share * value + (1 - share) * bounds[1]


def _known(values: ArrayLike, clusters: ArrayLike | None) -> tuple[Floats, NDArray[np.int64]]:
    data = np.asarray(values, dtype=np.float64)
    groups = np.arange(len(data)) if clusters is None else np.asarray(clusters, dtype=np.int64)
    if len(groups) != len(data):
        raise ValueError(f"{len(data)} values, but {len(groups)} cluster numbers")
    known = ~np.isnan(data)
    return data[known], groups[known]
