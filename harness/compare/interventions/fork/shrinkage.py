"""How much of many noisy differences to believe: each is drawn towards the mean of all, the noisier the more.

Empirical Bayes with normal errors: differences d_i = m_i + e_i, e_i ~ N(0, v_i), m_i ~ N(mean, t). The spread t is that
of Paule and Mandel (1982): the one with which sum (d_i - mean)^2 / (v_i + t) is what it should be, one less than there
are. Of k differences each is drawn by B_i = (k - 3) / (k - 1) v_i / (v_i + t), to B_i mean + (1 - B_i) d_i, with the
variance v_i (1 - (k - 1) / k B_i) + 2 / (k - 3) B_i^2 (v + t) / (v_i + t) (d_i - mean)^2, v the mean of v_i: the last
part is for t not being known (Morris, "Parametric Empirical Bayes Inference", JASA 78, 1983, section 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

Floats = NDArray[np.float64]
FEWEST = 4
"""Differences below which there is no spread to speak of, and nothing is drawn anywhere."""
Z = 1.959963984540054


@dataclass(frozen=True)
class Shrunk:
    """One entry a difference."""

    values: Floats
    low: Floats
    high: Floats
    """95% intervals."""
    spread: float
    """Standard deviation of the true differences; 0 where the observed ones spread no more than by chance."""


def shrunk(differences: ArrayLike, variances: ArrayLike, bounds: tuple[float, float] | None = None) -> Shrunk:
    """Draw the differences towards their mean; `variances` are of their errors, above 0; none lies beyond `bounds`."""
    least, most = (-np.inf, np.inf) if bounds is None else bounds
    d, v = np.asarray(differences, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if len(d) < FEWEST:
        half = Z * np.sqrt(v)
        return Shrunk(d, np.maximum(d - half, least), np.minimum(d + half, most), 0.0)
    spread = paule_mandel(d, v)
    weights = 1 / (v + spread)
    mean, count = float(weights @ d / weights.sum()), len(d)
    drawn = (count - 3) / (count - 1) * v / (v + spread)
    values = drawn * mean + (1 - drawn) * d
    unknown = 2 / (count - 3) * drawn**2 * (float(v.mean()) + spread) / (v + spread) * (d - mean) ** 2
    half = Z * np.sqrt(v * (1 - (count - 1) / count * drawn) + unknown)
    low, high = np.maximum(values - half, least), np.minimum(values + half, most)
    return Shrunk(values, low, high, float(np.sqrt(spread)))


def paule_mandel(differences: Floats, variances: Floats) -> float:
    """The variance of the true differences; 0 where chance explains all."""

    def excess(spread: float) -> float:
        weights = 1 / (variances + spread)
        mean = weights @ differences / weights.sum()
        return float(weights @ (differences - mean) ** 2) - (len(differences) - 1)

    if excess(0.0) <= 0:
        return 0.0
    top = float(np.var(differences)) * len(differences) + float(variances.max())
    return float(optimize.brentq(excess, 0.0, top)) if excess(top) < 0 else top


def mean_variance(values: Sequence[float] | Floats, shares: bool) -> float:
    """The variance of the mean of a few outcomes, never 0.

    Of shares (in [0, 1]): the plain variance weighed with that of passes and failures at the smoothed rate
    p = (sum + 1/2) / (n + 1), as two more outcomes; 4 passes of 4 give .009. Of others the plain one.
    """
    found = np.asarray(values, dtype=np.float64)
    n = len(found)
    plain = float(np.var(found, ddof=1)) if n > 1 else 0.0
    if not shares:
        return max(plain / n, 1e-12)
    rate = (float(found.sum()) + 0.5) / (n + 1)
    return ((n - 1) * plain + 2 * rate * (1 - rate)) / ((n + 1) * n)


def subtracted(first: tuple[float, float, float], second: tuple[float, float, float]) -> tuple[float, float]:
    """The 95% interval of a difference of two independent estimates (estimate, low, high).

    Square and add (Newcombe, Statistics in Medicine 17, 1998, method 10; Zou and Donner, 27, 2008).
    """
    difference = first[0] - second[0]
    low = difference - float(np.hypot(first[0] - first[1], second[2] - second[0]))
    high = difference + float(np.hypot(first[2] - first[0], second[0] - second[1]))
    return low, high
