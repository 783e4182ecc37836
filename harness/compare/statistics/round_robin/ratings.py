"""Ratings of those who meet in pairs, of which one wins or neither: Bradley and Terry, with ties and seats.

The first of a match wins, the second wins, or they tie with weights exp(r_i + s_p), exp(r_j + s_q) and
exp(t + (r_i + s_p + r_j + s_q) / 2): ratings r, seats s that they sit in, and how readily they tie. Without ties this
is Bradley and Terry (Biometrika 39, 1952), with them Davidson (JASA 65, 1970), with a seat's advantage Davidson and
Beaver (Biometrics 33, 1977). The three weights are linear in the parameters, so that it is a multinomial logit, and
concave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.compare.statistics.estimates import (
    CONFIDENCE,
    MIN_CLUSTERS,
    MIN_CLUSTERS_TESTED,
    Difference,
    Estimate,
)
from harness.compare.statistics.intervals import t_quantile

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SPREAD = 1.5
"""Standard deviation of the normal prior of every parameter, where likelihood alone has no maximum: odds of 4.5."""
_FAR = 12.0
"""Logits beyond which a parameter is running off to infinity."""
_FLAT = 1e-5
"""Curvature of the log-likelihood below which it says nothing of a parameter."""
JACKKNIFE = "jackknife over clusters, t"


@dataclass(frozen=True)
class Matches:
    """Matches, one entry each."""

    first: Integers
    """Number of the one who sits in `first_seat`."""
    second: Integers
    first_seat: Integers
    second_seat: Integers
    result: Integers
    """1 the first won, 0 neither, -1 the second won."""

    def take(self, rows: NDArray[np.bool_]) -> Matches:
        """Some of the matches."""
        return Matches(
            self.first[rows], self.second[rows], self.first_seat[rows], self.second_seat[rows], self.result[rows]
        )


@dataclass(frozen=True)
class Strengths:
    """A fit."""

    ratings: Floats
    """Logits, their mean 0."""
    seats: Floats
    """Advantage of each seat, their mean 0; all 0 with one seat or where it is left out."""
    tie: float | None
    """t; None without ties."""
    regularised: bool
    """Whether a prior holds the parameters, because likelihood alone has no maximum."""
    log_likelihood: float


def strengths(matches: Matches, count: int, seats: int = 1, prior: float | None = None) -> Strengths:
    """Maximum likelihood ratings of `count` who sit in `seats` seats; with `prior`, its standard deviation.

    Raises `ValueError` without a match.
    """
    if not len(matches.first):
        raise ValueError("no match, no rating")
    rows, weights = _aggregated(matches)
    basis = _basis(count, seats, bool(np.any(rows[:, 4] == 0)))
    design = _design(rows, count, seats) @ basis
    observed = np.where(rows[:, 4] == 1, 0, np.where(rows[:, 4] == -1, 1, 2))
    if not np.any(rows[:, 4] == 0):
        design = design[:, :2]
    plain = None if prior is not None else _fit(design, observed, weights, basis)
    held = prior or SPREAD
    fitted = plain if plain is not None else _minimum(design, observed, weights, basis, held)
    whole = basis @ fitted
    return Strengths(
        whole[:count], whole[count : count + seats], float(whole[-1]) if np.any(rows[:, 4] == 0) else None,
        plain is None, -_loss(fitted, design, observed, weights, basis, None)[0],
    )  # fmt: skip


def jackknifed(
    matches: Matches, clusters: Integers, count: int, seats: int = 1
) -> tuple[Strengths, Floats, Floats] | None:
    """(fit, ratings without each cluster, seats without each cluster), the latter clusters x values.

    The prior holds all fits where one of them needs it. None where nobody ever wins.
    """
    if not np.any(matches.result != 0):
        return None
    codes = np.unique(clusters)
    every = [np.ones(len(clusters), dtype=bool), *(clusters != code for code in codes if len(codes) > 1)]
    chosen = [matches.take(rows) for rows in every]
    fits = [strengths(one, count, seats) for one in chosen]
    if any(fit.regularised for fit in fits):
        fits = [strengths(one, count, seats, SPREAD) for one in chosen]
    return fits[0], np.array([fit.ratings for fit in fits[1:]]), np.array([fit.seats for fit in fits[1:]])


def jackknife_error(without: Floats) -> float | None:
    """Standard error from the values without each of G clusters: ((G - 1) / G sum (v - mean)^2)^.5; None below 3."""
    count = len(without)
    if count < MIN_CLUSTERS:
        return None
    return float(np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum()))


def jackknife_estimate(value: float, without: Floats, n: int, clusters: int) -> Estimate:
    """The value with a t(G - 1) interval."""
    error = jackknife_error(without)
    if error is None:
        return Estimate(value, None, None, n, clusters, "too few", needed=MIN_CLUSTERS)
    half = t_quantile(0.5 + CONFIDENCE / 2, clusters - 1) * error
    return Estimate(value, value - half, value + half, n, clusters, f"{JACKKNIFE}({clusters - 1})")


def jackknife_difference(
    value: float, without: Floats, n: int, clusters: int, record: tuple[int, int, int]
) -> Difference:
    """A difference with its t(G - 1) interval and test; `record` is won, lost, tied. No test below 6 clusters."""
    found = jackknife_estimate(value, without, n, clusters)
    error = jackknife_error(without)
    p = None
    if error is not None and clusters >= MIN_CLUSTERS_TESTED:
        p = 1.0 if error == 0 else 2 * float(special.stdtr(clusters - 1, -abs(value) / error))
    detectable = None
    if error:
        detectable = (t_quantile(0.975, clusters - 1) + t_quantile(0.8, clusters - 1)) * error
    return Difference(
        value, found.low, found.high, n, clusters, found.method, p, "too few" if p is None else f"t({clusters - 1})",
        *record, detectable, needed=None if clusters >= MIN_CLUSTERS_TESTED else MIN_CLUSTERS_TESTED,
    )  # fmt: skip


def _aggregated(matches: Matches) -> tuple[Integers, Floats]:
    table = np.stack([matches.first, matches.second, matches.first_seat, matches.second_seat, matches.result], axis=1)
    rows, counts = np.unique(table, axis=0, return_counts=True)
    return rows, counts.astype(np.float64)


def _basis(count: int, seats: int, ties: bool) -> Floats:
    """Parameters as they stand from free ones: ratings and seats each sum to 0."""
    blocks = [_contrasts(count), _contrasts(seats), np.ones((1, 1) if ties else (1, 0))]
    whole = np.zeros((sum(len(block) for block in blocks), sum(block.shape[1] for block in blocks)))
    row = column = 0
    for block in blocks:
        whole[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    return whole


def _contrasts(size: int) -> Floats:
    """An orthonormal basis of what sums to 0, size x (size - 1)."""
    centred = np.eye(size) - 1 / size
    vectors, _, _ = np.linalg.svd(centred)
    found: Floats = vectors[:, : size - 1]
    return found


def _design(rows: Integers, count: int, seats: int) -> Floats:
    """Matches x (first wins, second wins, tie) x parameters."""
    n = len(rows)
    found = np.zeros((n, 3, count + seats + 1))
    at = np.arange(n)
    for outcome, (who, where) in enumerate(((0, 2), (1, 3))):
        found[at, outcome, rows[:, who]] += 1.0
        found[at, outcome, count + rows[:, where]] += 1.0
    found[:, 2] = (found[:, 0] + found[:, 1]) / 2
    found[:, 2, -1] = 1.0
    return found


def _loss(
    free: Floats, design: Floats, observed: Integers, weights: Floats, basis: Floats, prior: float | None
) -> tuple[float, Floats, Floats]:
    """Negative log-likelihood (with the prior) with its gradient and Hessian."""
    logits = design @ free
    shares = special.softmax(logits, axis=1)
    at = np.arange(len(design))
    log = logits[at, observed] - special.logsumexp(logits, axis=1)
    centre = (shares[:, :, None] * design).sum(axis=1)
    loss = -float(weights @ log)
    gradient = -(weights[:, None] * (design[at, observed] - centre)).sum(axis=0)
    apart = design - centre[:, None, :]
    hessian = np.einsum("n,nk,nki,nkj->ij", weights, shares, apart, apart)
    if prior is not None:
        whole = basis @ free
        loss += float(whole @ whole) / (2 * prior**2)
        gradient = gradient + basis.T @ whole / prior**2
        hessian = hessian + basis.T @ basis / prior**2
    return loss, gradient, hessian


def _fit(design: Floats, observed: Integers, weights: Floats, basis: Floats) -> Floats | None:
    """The free parameters; None where there is no maximum: they run off, or the data say nothing of one."""
    free = _minimum(design, observed, weights, basis, None)
    if not len(free):
        return free
    hessian = _loss(free, design, observed, weights, basis, None)[2]
    if float(np.abs(basis @ free).max()) > _FAR or float(np.linalg.eigvalsh(hessian)[0]) < _FLAT:
        return None
    return free


def _minimum(design: Floats, observed: Integers, weights: Floats, basis: Floats, prior: float | None) -> Floats:
    def loss(free: Floats) -> tuple[float, Floats]:
        value, gradient, _ = _loss(free, design, observed, weights, basis, prior)
        return value, gradient

    def hessian(free: Floats) -> Floats:
        return _loss(free, design, observed, weights, basis, prior)[2]

    from scipy import optimize  # slow to import, and only meetings need it

    start = np.zeros(basis.shape[1])
    if not len(start):
        return start
    found = optimize.minimize(
        loss, start, jac=True, hess=hessian, method="trust-exact", options={"gtol": 1e-9, "maxiter": 500}
    )
    free: Floats = np.asarray(found.x, dtype=np.float64)
    return free
