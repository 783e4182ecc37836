"""The social relations model: what somebody gets is what they make of anybody, what others leave anybody, and the pair.

x_ij = m + a_i + b_j + g_ij, where i is the actor, j the partner: a is the actor effect, b the partner effect, g the
relationship. In a round robin everybody meets everybody else; how they meet themselves (the diagonal) is kept apart.
Sources: Warner, Kenny and Stoto, Journal of Personality and Social Psychology 37 (1979); Kenny, "Interpersonal
Perception", 1994, appendix B; formulas as in Schoenbrodt, Back and Schmukle, "TripleR", Behavior Research Methods 44
(2012).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.compare.statistics.estimates import CONFIDENCE, MIN_CLUSTERS, Estimate
from harness.compare.statistics.intervals import t_quantile

Floats = NDArray[np.float64]
FEWEST = 4
"""Who meet, at least: with three, relationship variance and covariance cannot be told apart."""
JACKKNIFE = "jackknife over clusters, t"


@dataclass(frozen=True)
class RoundRobin:
    """The effects of one round robin of n."""

    mean: float
    actor: Floats
    partner: Floats
    relationship: Floats
    """n x n; 0 on the diagonal."""


@dataclass(frozen=True)
class Components:
    """Variances and covariances; estimates of variances may come out below 0."""

    actor: float
    partner: float
    relationship: float
    actor_partner: float
    """Covariance of the actor and the partner effect of the same one: who gets more also leaves others more."""
    dyadic: float
    """Covariance of g_ij and g_ji."""


@dataclass(frozen=True)
class Relations:
    """Components over several round robins of the same n, with 95% intervals."""

    actor: Estimate
    partner: Estimate
    relationship: Estimate
    actor_partner: Estimate
    dyadic: Estimate
    passing: Components
    """What comes and goes from one round robin to another, chance included: the mean of their own components less the
    lasting ones."""


def round_robin(matrix: ArrayLike) -> RoundRobin:
    """The effects of one n x n round robin without its diagonal, n > 2.

    a_i = (n-1)^2 / (n(n-2)) M_i. + (n-1) / (n(n-2)) M_.i - (n-1) / (n-2) M_.., and b_i with row and column exchanged;
    M are means without the diagonal.
    """
    x = np.array(matrix, dtype=np.float64)
    n = len(x)
    if x.shape != (n, n) or n < 3:
        raise ValueError("a round robin is a square of three or more")
    np.fill_diagonal(x, 0.0)
    rows, columns, mean = x.sum(axis=1) / (n - 1), x.sum(axis=0) / (n - 1), float(x.sum() / (n * (n - 1)))
    own, other, level = (n - 1) ** 2 / (n * (n - 2)), (n - 1) / (n * (n - 2)), (n - 1) / (n - 2)
    actor = own * rows + other * columns - level * mean
    partner = own * columns + other * rows - level * mean
    relationship = x - mean - actor[:, None] - partner[None, :]
    np.fill_diagonal(relationship, 0.0)
    return RoundRobin(mean, actor, partner, relationship)


def components(first: RoundRobin, second: RoundRobin | None = None) -> Components:
    """Variances and covariances of one round robin; of two, what they have in common.

    With D the mean square of (g_ij + g_ji) / 2, over (n-1)(n-2) / 2 - 1, and E that of (g_ij - g_ji) / 2^.5, over
    (n-1)(n-2), each summed over ordered pairs: relationship (D + E) / 2, dyadic (D - E) / 2; actor: variance of the
    effects - (relationship (n-1) + dyadic) / (n(n-2)); likewise partner; actor-partner: covariance of the effects -
    (dyadic (n-1) + relationship) / (n(n-2)). With a second round robin every square is a product of the two, so that
    what is chance in each alone leaves nothing on average. Raises `ValueError` for fewer than 4.
    """
    other = first if second is None else second
    n = len(first.actor)
    if n < FEWEST:
        raise ValueError(f"it takes {FEWEST} to tell the components apart, not {n}")
    sums = [(one.relationship + one.relationship.T) / 2 for one in (first, other)]
    gaps = [one.relationship - one.relationship.T for one in (first, other)]
    within = float((sums[0] * sums[1]).sum()) / ((n - 1) * (n - 2) / 2 - 1)
    between = float((gaps[0] * gaps[1]).sum()) / 2 / ((n - 1) * (n - 2))
    relationship, dyadic = (within + between) / 2, (within - between) / 2
    scale = n * (n - 2)
    taken = (relationship * (n - 1) + dyadic) / scale
    both = float(first.actor @ other.partner + other.actor @ first.partner) / 2 / (n - 1)
    return Components(
        float(first.actor @ other.actor) / (n - 1) - taken,
        float(first.partner @ other.partner) / (n - 1) - taken,
        relationship,
        both - (dyadic * (n - 1) + relationship) / scale,
        dyadic,
    )


def social_relations(matrices: ArrayLike, clusters: ArrayLike | None = None) -> Relations:
    """Components over round robins (units x n x n), which `clusters` says to belong together.

    What lasts is estimated from products of different clusters only: (G^2 Q(mean) - sum Q(each)) / (G (G - 1)) for
    every component Q, so that chance and what a cluster alone has adds nothing. One cluster: its own components, chance
    included. Intervals: leave-one-cluster-out jackknife with t(G - 1) (Efron and Tibshirani, 1993, chapter 11); they
    are about other tasks, for these n.
    """
    x = np.asarray(matrices, dtype=np.float64)
    groups = np.arange(len(x)) if clusters is None else np.asarray(clusters)
    codes, place = np.unique(groups, return_inverse=True)
    means = np.stack([x[place == g].mean(axis=0) for g in range(len(codes))])
    own = np.array([_values(components(round_robin(one))) for one in means])
    lasting = _lasting(means, own)
    passing = own.mean(axis=0) - lasting
    count = len(codes)
    error = None
    if count >= MIN_CLUSTERS:
        kept = ~np.eye(count, dtype=bool)
        without = np.array([_lasting(means[rows], own[rows]) for rows in kept])
        error = np.sqrt((count - 1) / count * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    found = [
        _estimate(value, None if error is None else float(error[k]), len(x), count) for k, value in enumerate(lasting)
    ]
    actor, partner, relationship, actor_partner, dyadic = found
    return Relations(
        actor, partner, relationship, actor_partner, dyadic, Components(*(float(value) for value in passing))
    )


def _lasting(means: Floats, own: Floats) -> Floats:
    count = len(means)
    if count == 1:
        found: Floats = own[0]
        return found
    whole = np.array(_values(components(round_robin(means.mean(axis=0)))))
    lasting: Floats = (count**2 * whole - own.sum(axis=0)) / (count * (count - 1))
    return lasting


def _values(found: Components) -> list[float]:
    return [float(getattr(found, item.name)) for item in fields(found)]


def _estimate(value: float, error: float | None, n: int, count: int) -> Estimate:
    if error is None:
        return Estimate(float(value), None, None, n, count, "too few", needed=MIN_CLUSTERS)
    half = t_quantile(0.5 + CONFIDENCE / 2, count - 1) * error
    return Estimate(float(value), float(value) - half, float(value) + half, n, count, f"{JACKKNIFE}({count - 1})")
