"""What repeats of one task say: the chance of at least one pass, of passes only, and of a model against itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from harness.compare.statistics.intervals import Floats


def pass_at_k(passes: ArrayLike, trials: ArrayLike, k: int) -> Floats:
    """For each task, the chance that at least one of k trials passes: 1 - C(n - c, k) / C(n, k).

    `passes` c and `trials` n of each task; NaN where n < k. Unbiased. Source: Chen et al., "Evaluating Large
    Language Models Trained on Code", 2021. Raises `ValueError` when k is below 1 or above every n.
    """
    c, n = _counted(passes, trials, k)
    return np.where(n >= k, 1.0 - special.comb(n - c, k) / special.comb(np.maximum(n, k), k), np.nan)


def pass_hat_k(passes: ArrayLike, trials: ArrayLike, k: int) -> Floats:
    """For each task, the chance that all of k trials pass, pass^k: C(c, k) / C(n, k).

    As `pass_at_k`. Source: Yao et al., "tau-bench", 2024.
    """
    c, n = _counted(passes, trials, k)
    return np.where(n >= k, special.comb(c, k) / special.comb(np.maximum(n, k), k), np.nan)


def _counted(passes: ArrayLike, trials: ArrayLike, k: int) -> tuple[Floats, Floats]:
    c, n = np.asarray(passes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if np.any(c > n) or np.any(c < 0):
        raise ValueError("a task cannot pass more often than it was tried")
    if k < 1 or (len(n) and k > n.max()):
        raise ValueError(f"k = {k}, but the tasks have at most {int(n.max()) if len(n) else 0} repeats")
    return c, n
