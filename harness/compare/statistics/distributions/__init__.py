"""Distances of two small samples of choices, against what such samples are apart by chance alone.

Two samples of a handful of replies are apart even where whoever made them chooses alike: the plain distances are biased
upwards, and the more so the smaller the samples. Three things are set against that. *Exchange*: all ways to hand the
pooled replies to two makers, with their probabilities, which makes tests exact. *Halves*: the distance of two samples
of h replies from each other, against that of two samples of h replies of one maker (the floor, self against self);
both are of the same size, so their difference is 0 on average where the makers are alike. *Disagreement*: how often two
replies differ; it has no bias at all.
"""

from harness.compare.statistics.distributions.distances import (
    beyond_own,
    disagreement,
    divergence_bits,
    entropy_bits,
    own_disagreement,
    variation,
)
from harness.compare.statistics.distributions.resampling import (
    Exchange,
    Halves,
    exchange,
    halves,
    pooled_exchange,
    samples,
)

__all__ = [
    "Exchange",
    "Halves",
    "beyond_own",
    "disagreement",
    "divergence_bits",
    "entropy_bits",
    "exchange",
    "halves",
    "own_disagreement",
    "pooled_exchange",
    "samples",
    "variation",
]
