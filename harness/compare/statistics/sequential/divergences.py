"""How far apart distributions are: Jensen-Shannon divergence, of one distribution and of what follows what.

JSD(P, Q) = H((P + Q) / 2) - (H(P) + H(Q)) / 2, with H Shannon's entropy (Lin, IEEE Transactions on Information Theory
37, 1991). Its square root is a distance (Endres and Schindelin, same journal 49, 2003). In bits it runs from 0, the
same, to 1, nothing in common.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
ALPHA = 0.5
"""Added to every count before shares are taken (Krichevsky and Trofimov, same journal 27, 1981)."""


def jensen_shannon(first: ArrayLike, second: ArrayLike, base: float | None = 2.0) -> float:
    """Distance of two distributions, the root of their divergence; scipy's.

    `base` None takes natural logarithms: (1, 0) and (.5, .5) give 0.46450140402245893.
    """
    from scipy.spatial import distance  # slow to import, and few commands need it

    return float(distance.jensenshannon(np.asarray(first), np.asarray(second), base))


def transition_shares(counts: Floats, starts: NDArray[np.int64], alpha: float = ALPHA) -> Floats:
    """Share of each transition among those from the same state, smoothed: (c + alpha) / (sum of c + alpha K).

    `counts` has transitions in its last axis, ordered by the state they start from; `starts` says where each state's
    begin. K is how many the state has.
    """
    sizes = np.diff(np.append(starts, counts.shape[-1]))
    totals = np.add.reduceat(counts, starts, axis=-1) + alpha * sizes
    found: Floats = (counts + alpha) / np.repeat(totals, sizes, axis=-1)
    return found


def transition_parts(first: Floats, second: Floats, use: Floats, starts: NDArray[np.int64]) -> Floats:
    """What each transition adds to `transition_divergence`, in bits; shaped as the counts."""
    p, q = transition_shares(first, starts), transition_shares(second, starts)
    apart = special.entr((p + q) / 2) - (special.entr(p) + special.entr(q)) / 2
    sizes = np.diff(np.append(starts, first.shape[-1]))
    whole = use.sum(axis=-1, keepdims=True)
    weights = use / np.where(whole > 0, whole, 1.0)
    found: Floats = np.repeat(weights, sizes, axis=-1) * apart / math.log(2)
    return found


def transition_divergence(first: Floats, second: Floats, use: Floats, starts: NDArray[np.int64]) -> Floats:
    """Divergence of what follows each state, in bits: sum over states s of w(s) JSD(P(.|s), Q(.|s)).

    P and Q are the smoothed shares of `transition_shares`; w(s) is the share of `use` of the state, how often it is
    left by both together. Any leading axes (draws) are kept. Roots of it are distances.
    """
    parts: Floats = transition_parts(first, second, use, starts).sum(axis=-1)
    return np.maximum(parts, 0.0)
