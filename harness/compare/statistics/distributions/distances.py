"""How far apart two distributions of choices are, and how spread out one is; the last axis holds the classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def divergence_bits(first: ArrayLike, second: ArrayLike) -> Floats:
    """Jensen-Shannon divergence of distributions given as counts, in bits, from 0 to 1; (1, 1) and (2, 0) give .311.

    H((p + q) / 2) - H(p) / 2 - H(q) / 2 (Lin, IEEE Transactions on Information Theory 37, 1991). It is the square of
    the distance of `jensen_shannon`.
    """
    p, q = _shares(first), _shares(second)
    found: Floats = entropy_bits((p + q) / 2) - (entropy_bits(p) + entropy_bits(q)) / 2
    return np.maximum(found, 0.0)


def variation(first: ArrayLike, second: ArrayLike) -> Floats:
    """Total variation of distributions given as counts, from 0 to 1: half the sum of |p - q|."""
    found: Floats = np.abs(_shares(first) - _shares(second)).sum(axis=-1) / 2
    return found


def entropy_bits(counts: ArrayLike) -> Floats:
    """Entropy of distributions given as counts, in bits; (1, 1) gives 1. Of n replies it is at most log2 n."""
    p = _shares(counts)
    found: Floats = -np.where(p > 0, p * np.log2(np.where(p > 0, p, 1.0)), 0.0).sum(axis=-1)
    return np.maximum(found, 0.0)


def disagreement(first: ArrayLike, second: ArrayLike) -> float:
    """How often a reply of the first differs from one of the second: 1 - sum of p q. Without bias."""
    return float(1.0 - (_shares(first) * _shares(second)).sum(axis=-1))


def own_disagreement(counts: ArrayLike) -> float | None:
    """How often two replies of one sample differ: 1 - sum of c (c - 1) / (n (n - 1)); (1, 1) gives 1. Without bias.

    None for fewer than two replies.
    """
    c = np.asarray(counts, dtype=np.float64)
    return None if c.sum() < 2 else float(_own(c))


def beyond_own(first: ArrayLike, second: ArrayLike) -> Floats:
    """What two samples disagree beyond their own: `disagreement` less the mean of the two own; NaN for single replies.

    Without bias for half the sum of (p - q)^2, so it can be below 0 by chance, but the truth cannot.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if np.any(a.sum(axis=-1) < 2) or np.any(b.sum(axis=-1) < 2):
        return np.full(np.broadcast_shapes(a.shape, b.shape)[:-1], np.nan)
    between = 1.0 - (_shares(a) * _shares(b)).sum(axis=-1)
    found: Floats = between - (_own(a) + _own(b)) / 2
    return found


def _own(counts: Floats) -> Floats:
    n = counts.sum(axis=-1)
    found: Floats = 1.0 - (counts * (counts - 1)).sum(axis=-1) / (n * (n - 1))
    return found


def _shares(counts: ArrayLike) -> Floats:
    values = np.asarray(counts, dtype=np.float64)
    total = values.sum(axis=-1, keepdims=True)
    if np.any(total <= 0):
        raise ValueError("an empty distribution is at no distance from anything")
    found: Floats = values / total
    return found
