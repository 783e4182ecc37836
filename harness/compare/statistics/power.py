"""What a comparison of this size could have seen, and what size it would take.

The usual approximation for a t test: a true difference d is seen with the given power when
d = (t(1 - alpha/2) + t(power)) * SE, both quantiles with G - 1 degrees of freedom
(Bloom, Evaluation Review 19, 1995, "minimum detectable effects").
"""

from __future__ import annotations

import math

from scipy import special

from harness.compare.statistics.intervals import t_quantile

ALPHA = 0.05
POWER = 0.8
WISHED = 0.2
"""A difference of 20 points: what `needed` is told for."""
UNKNOWN_SPREAD = math.sqrt(0.5)
"""Standard deviation of a paired difference of passes when half of the tasks come out differently: where too few
tasks say nothing of the spread."""


def smallest_detectable(error: float, clusters: int, alpha: float = ALPHA, power: float = POWER) -> float:
    """Smallest true difference seen with this power, from the clustered standard error. Needs two clusters."""
    if clusters < 2:
        raise ValueError("the spread of one cluster is not known")
    return (t_quantile(1 - alpha / 2, clusters - 1) + t_quantile(power, clusters - 1)) * error


def clusters_needed(effect: float, spread: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """How many clusters (tasks) it takes to see `effect` with this power; `spread` is the standard deviation of the
    difference between clusters: SE * sqrt(G).
    """
    if effect <= 0 or spread < 0:
        raise ValueError("an effect to look for is above 0, a spread not below it")
    normal = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    count = max(2, math.floor((normal * spread / effect) ** 2))
    while smallest_detectable(spread / math.sqrt(count), count, alpha, power) > effect:
        count += 1
    return count
