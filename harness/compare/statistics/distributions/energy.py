"""Energy distances between two ways of doing the same thing, from trials that come in pairs of one seed.

With X, X' trials of the first kind and Y, Y' of the second, the energy distance is 2 E d(X, Y) - E d(X, X') -
E d(Y, Y') (Szekely and Rizzo, Journal of Statistical Planning and Inference 143, 2013): by how much the two kinds are
further from each other than each from itself. Estimated
over trials of different seeds alone, its expectation is 0 where there is no difference, whatever the noise is and
however trials of one seed hang together; so it can come out below 0.

The test exchanges the labels of the two trials of each seed (a restricted permutation, as in
`harness.compare.statistics.permutation`): without a difference every exchange is equally likely.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from harness.compare.statistics.permutation import upper_tail

Floats = NDArray[np.float64]
MOST_LISTED = 20_000
"""Ways to exchange labels, over all units, up to which all are counted."""
DRAWS = 4_999
MOST_SIGNS = 10
"""Pairs of one unit up to which all ways to exchange its labels are listed; of more, 1,024 are drawn."""


def exchange_kernel(distances: Floats) -> Floats:
    """What the energy distance and its test take from the distances of one unit: n x n, 0 on the diagonal.

    `distances` is 2n x 2n: n trials of the first kind, then n of the second, in the same order of seeds. The entry of
    seeds i and j is d(Xi, Xj) + d(Yi, Yj) - d(Xi, Yj) - d(Yi, Xj).
    """
    n = len(distances) // 2
    kernel: Floats = distances[:n, :n] + distances[n:, n:] - distances[:n, n:] - distances[n:, :n]
    np.fill_diagonal(kernel, 0.0)
    return kernel


def energy(kernel: Floats) -> float:
    """The energy distance of one unit, over pairs of different seeds; NaN for fewer than two seeds."""
    n = len(kernel)
    return float(-kernel.sum() / (n * (n - 1))) if n > 1 else float("nan")


def exchange_test(kernels: Sequence[Floats], chance: np.random.Generator, draws: int = DRAWS) -> tuple[float, str]:
    """One-sided p of the mean energy distance over units, and how it was made; units of one seed are left out.

    1 where nothing differs at all. Exact where there are few ways to exchange labels.
    """
    values = [_exchanged(kernel, chance) for kernel in kernels if len(kernel) > 1]
    if not values:
        return 1.0, "no seed to exchange"
    observed = float(sum(own[0] for own in values))
    if np.prod([float(len(own)) for own in values]) <= MOST_LISTED:
        totals: Floats = np.zeros(1)
        for own in values:
            both = np.asarray(np.add.outer(totals, own), dtype=np.float64)
            totals = both.ravel()
        slack = 1e-9 * max(1e-12, float(np.abs(totals).max()))
        return float(np.count_nonzero(totals >= observed - slack) / len(totals)), "labels exchanged within seeds, exact"
    drawn = np.zeros(draws)
    for own in values:
        drawn += own[chance.integers(0, len(own), size=draws)]
    return upper_tail(observed, drawn), f"labels exchanged within seeds, {draws:,} draws"


def _exchanged(kernel: Floats, chance: np.random.Generator) -> Floats:
    """The energy distance under every way to exchange labels (or many of them), as it was observed first.

    Exchanging all labels changes nothing, so that the first pair is held.
    """
    n = len(kernel)
    signs = _signs(min(n, MOST_SIGNS))
    if n > MOST_SIGNS:
        signs = np.where(chance.integers(0, 2, size=(2**MOST_SIGNS, n)) == 0, -1.0, 1.0)
        signs[0] = 1.0
    found: Floats = -np.einsum("di,ij,dj->d", signs, kernel, signs, optimize=True) / (n * (n - 1))
    return found


@cache
def _signs(n: int) -> Floats:
    bits = (np.arange(2 ** (n - 1))[:, None] >> np.arange(n - 1)) & 1
    signs = np.hstack([np.ones((len(bits), 1)), 1.0 - 2.0 * bits])
    signs.setflags(write=False)
    return signs


def jackknife(whole: float, left_out: Floats) -> float:
    """Standard error from estimates that each leave out one cluster: sqrt((G - 1) / G sum (t_g - mean)^2).

    Source: Efron and Stein, Annals of Statistics 9 (1981). NaN where one of them, or the whole, is not known.
    """
    count = len(left_out)
    if count < 2 or np.isnan(whole) or np.isnan(left_out).any():
        return float("nan")
    return float(np.sqrt((count - 1) / count * np.sum((left_out - left_out.mean()) ** 2)))
