"""Whether two models' continuations of the same states differ: labels exchanged within each state, never across.

If it does not matter who goes on from a state, every way of handing the two names to its continuations is equally
likely, whatever the state is worth. Of many states the largest difference is large by chance alone, so each is also
held against the largest of all states under exchanged labels (Westfall and Young, "Resampling-Based Multiple Testing",
1993: single-step maxT), each difference in units of its standard deviation under exchange,
sqrt(s^2 (1/a + 1/b)) with s^2 the variance of all continuations of the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.compare.statistics import arrangements, benjamini_hochberg, shuffled_within, upper_tail

Floats = NDArray[np.float64]
DRAWS = 4_999
FEWEST_DRAWS = 999
MOST_ENTRIES = 20_000_000
_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Exchanged:
    """One entry a state, in the order given."""

    p: list[float]
    """Two-sided, of each state by itself; all arrangements where they are few, else drawn."""
    p_largest: list[float]
    """Chance that any of the states comes out as far apart."""
    apart: float
    """Mean absolute difference over states."""
    floor: float
    """The same, expected where it does not matter who goes on."""
    p_apart: float
    """One-sided: chance of a mean so large."""


def exchange(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], chance: np.random.Generator, draws: int = DRAWS
) -> Exchanged:
    """Test the states at which both have continuations: `first[s]` and `second[s]` hold their outcomes, none empty.

    Raises `ValueError` for no states, or a state without outcomes of one.
    """
    a = [np.asarray(values, dtype=np.float64) for values in first]
    b = [np.asarray(values, dtype=np.float64) for values in second]
    if not a or len(a) != len(b) or not all(len(values) for values in [*a, *b]):
        raise ValueError("every state takes outcomes of both")
    ours, theirs = np.array([len(values) for values in a]), np.array([len(values) for values in b])
    values = np.concatenate([np.concatenate(pair) for pair in zip(a, b, strict=True)])
    sizes = ours + theirs
    state = np.repeat(np.arange(len(a)), sizes)
    cells = np.stack([ours, theirs], axis=1).ravel()
    starts = np.cumsum(cells) - cells
    spread = np.array([np.var(values[state == place], ddof=1) for place in range(len(a))])
    error = np.sqrt(spread * (1 / ours + 1 / theirs))
    observed = _differences(values[None, :], starts, cells)[0]
    scaled = _scaled(observed, error)
    count = min(draws, max(FEWEST_DRAWS, MOST_ENTRIES // len(values)))
    largest, means = [], []
    left = count
    while left > 0:
        rows = min(left, max(1, _AT_ONCE // len(values)))
        drawn = _differences(values[shuffled_within(state, rows, chance)], starts, cells)
        largest.append(_scaled(drawn, error).max(axis=1))
        means.append(np.abs(drawn).mean(axis=1))
        left -= rows
    tops, averages = np.concatenate(largest), np.concatenate(means)
    apart = float(np.abs(observed).mean())
    return Exchanged(
        [_alone(one, other, chance) for one, other in zip(a, b, strict=True)],
        [1.0 if value == 0 else upper_tail(float(value), tops) for value in scaled],
        apart, float(averages.mean()), 1.0 if apart == 0 else upper_tail(apart, averages),
    )  # fmt: skip


def exchanged_p(first: ArrayLike, second: ArrayLike, chance: np.random.Generator) -> float:
    """Two-sided p of the difference of two means under exchanged labels; (1, 1, 1, 1) against (0, 0, 0, 0): 2 / 70."""
    return _alone(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64), chance)


def corrected(p_values: Sequence[float], varied: Sequence[bool]) -> list[float]:
    """P values corrected over those tests whose outcomes varied at all (Benjamini and Hochberg); 1 for the others.

    Outcomes that are all alike are alike however labels are exchanged, so there was nothing to test, and nothing to
    correct for (Tarone, Biometrics 46, 1990).
    """
    told = iter(benjamini_hochberg([p for p, some in zip(p_values, varied, strict=True) if some]))
    return [next(told) if some else 1.0 for some in varied]


def repeats_to_tell(states: int, alpha: float = 0.05) -> int:
    """Fewest continuations of each of two models with which one of so many states could be told from chance.

    All of one pass and none of the other: 2 / C(2n, n) of the arrangements do so; times the states (Bonferroni).
    """
    n, ways = 1, 2
    while 2 * states / ways >= alpha:
        ways = ways * (2 * n + 1) * (2 * n + 2) // (n + 1) ** 2
        n += 1
    return n


def _alone(first: Floats, second: Floats, chance: np.random.Generator) -> float:
    values = np.concatenate([first, second])
    labels = arrangements(len(first), len(second), chance)
    totals = labels @ values
    found = totals / len(first) - (values.sum() - totals) / len(second)
    observed = abs(float(first.mean() - second.mean()))
    if observed < 1e-12:
        return 1.0
    if len(labels) < 1000:
        return float(np.mean(np.abs(found) >= observed - 1e-9))
    return upper_tail(observed, np.abs(found))


def _differences(values: Floats, starts: NDArray[np.int64], cells: NDArray[np.int64]) -> Floats:
    """Mean of the first less mean of the second, draws x states."""
    means = np.add.reduceat(values, starts, axis=1) / cells
    found: Floats = means[:, 0::2] - means[:, 1::2]
    return found


def _scaled(differences: Floats, error: Floats) -> Floats:
    """In standard deviations; 0 where all continuations of a state came out alike."""
    found: Floats = np.divide(
        np.abs(differences),
        error,
        out=np.zeros_like(differences),
        where=np.broadcast_to(error > 1e-12, differences.shape),
    )
    return np.where(found < 1e-9, 0.0, found)
