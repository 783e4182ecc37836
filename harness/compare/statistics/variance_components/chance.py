"""What the labels of a factor carry by chance."""

from __future__ import annotations

import numpy as np
from scipy import special

from harness.compare.statistics.estimates import CONFIDENCE
from harness.compare.statistics.variance_components.design import Cells


def label_chance(data: Cells) -> float | None:
    """The 95% quantile of the first factor's component when its labels are permuted within task x second.

    The permutation distribution of the mean square of labels over that within units is close to F with (a - 1) and
    (a - 1)(units - 1) degrees of freedom (Box and Andersen, Journal of the Royal Statistical Society B 17, 1955), and a
    label's mean has the variance of trials within units over its trials. None without several labels, or where no
    unit has two trials.
    """
    levels = data.count.shape[1]
    per_unit = data.count.sum(axis=1)
    freedom = int(np.sum(np.maximum(per_unit - 1, 0)))
    if levels < 2 or freedom == 0:
        return None
    means = np.sum(data.count * data.mean, axis=1) / np.maximum(per_unit, 1)
    between = float(np.sum(data.count * (data.mean - means[:, None, :]) ** 2))
    variance = (between + float(data.within.sum())) / freedom
    units = int(np.count_nonzero(per_unit))
    quantile = float(special.fdtri(levels - 1, (levels - 1) * max(1, units - 1), CONFIDENCE))
    return max(0.0, quantile - 1) * variance * float(np.mean(1 / data.count.sum(axis=(0, 2))))
