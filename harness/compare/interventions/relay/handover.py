"""Whether a relay beats every single model, though it was chosen because it came out best.

Two things are told. How much: for each cluster, the relay and the single model that are best on all other clusters are
held against each other on that one. These gains depend on each other (a cluster left out that is high makes a candidate
look worse on the others), so that no test or interval of them holds; simulated, sign flips of them err in a fifth of
worlds. Whether: a relay beats every single model only if it beats each, so its p is the largest of those against each
(intersection-union; Berger, Technometrics 24, 1982), and Holm corrects over all relays there were to choose from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.compare.interventions.relay.result import Handover
from harness.compare.statistics import MIN_CLUSTERS_TESTED, holm, paired_differences

Floats = NDArray[np.float64]


def handover(
    relays: Mapping[str, Floats], singles: Mapping[str, Floats], clusters: NDArray[np.int64]
) -> tuple[Handover | None, str | None]:
    """The gain of the best relay over the best single model, and what is to be said of units left out.

    Name -> one value a unit (NaN: none), `clusters` numbers the units' clusters. Only units that all have are used;
    None with fewer than 6 clusters of them, or where there is no relay or no single model.
    """
    relays = {name: values for name, values in relays.items() if not np.isnan(values).all()}
    singles = {name: values for name, values in singles.items() if not np.isnan(values).all()}
    if not relays or not singles:
        return None, None
    every = np.stack([*relays.values(), *singles.values()], axis=1)
    known = ~np.isnan(every).any(axis=1)
    matrix, clusters = every[known], clusters[known]
    count = len(np.unique(clusters))
    if count < MIN_CLUSTERS_TESTED:
        return None, (
            f"Relays are not held against single models: {count} independent task{'' if count == 1 else 's'} "
            f"{'has' if count == 1 else 'have'} all of both, and it takes {MIN_CLUSTERS_TESTED}."
        )
    first, second = matrix[:, : len(relays)], matrix[:, len(relays) :]
    gains, picked = _left_out(first, second, clusters)
    best, single = int(first.mean(axis=0).argmax()), int(second.mean(axis=0).argmax())
    names, alone = list(relays), list(singles)
    found = Handover(
        relay=names[best],
        single=alone[single],
        apparent=float(first[:, best].mean() - second[:, single].mean()),
        gain=float(gains.mean()),
        n=len(matrix),
        clusters=count,
        p=holm(beats_all(first, second, clusters))[best],
        p_method=f"sign flips or t against each single model, the largest; Holm over {len(names)}",
        relays={names[number]: times for number, times in picked[0].items()},
        singles={alone[number]: times for number, times in picked[1].items()},
    )
    left = int((~known).sum())
    return found, f"{left} tasks lack a relay or a single model, and are not in the gain of relays." if left else None


def beats_all(candidates: Floats, rivals: Floats, clusters: NDArray[np.int64]) -> list[float]:
    """For each candidate the p value that it is no better than every rival: the largest of those against each.

    `candidates` and `rivals` are units x columns without gaps. Against one rival: the two-sided p of the paired
    difference where the candidate is ahead, else 1.
    """
    matrix = np.hstack([candidates, rivals])
    count = candidates.shape[1]
    pairs = [(one, count + other) for one in range(count) for other in range(rivals.shape[1])]
    p_values = [
        found.p if found.p is not None and (found.estimate or 0.0) > 0 else 1.0
        for found in paired_differences(matrix, pairs, clusters)
    ]
    return [float(p) for p in np.reshape(p_values, (count, -1)).max(axis=1)]


def _left_out(
    first: Floats, second: Floats, clusters: NDArray[np.int64]
) -> tuple[Floats, tuple[Counter[int], Counter[int]]]:
    """The gain of each unit with both columns chosen on the other clusters, and how often which was chosen."""
    gains = np.full(len(first), np.nan)
    picked: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    for cluster in np.unique(clusters):
        out = clusters == cluster
        best = [int(group[~out].mean(axis=0).argmax()) for group in (first, second)]
        gains[out] = first[out, best[0]] - second[out, best[1]]
        for counted, number in zip(picked, best, strict=True):
            counted[number] += 1
    return gains, picked
