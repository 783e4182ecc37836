"""Whether a model in one seat changes what another one does: its actions with each partner, against exchanged partners.

A model is held still in its seat, and with it task, scaffold, repeat (the seed), and who sits in further seats. If the
model in one other seat makes no difference to it, that model's name could as well be any of those that sat there: names
are exchanged within these trials. What is compared is how often each action is chosen (by name), a share of each
trial's own, averaged over trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.interventions.seats.layout import Game
from harness.compare.statistics import benjamini_hochberg, upper_tail
from harness.compare.statistics.permutation import shuffled_within
from harness.compare.trajectories import Trajectories

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
DRAWS = 999
FEWEST_DRAWS = 199
_WORK = 300_000_000
"""Trials x actions x draws at most for one pair of seats."""
_AT_ONCE = 2_000_000
NOTHING = "(nothing)"
OTHERS = "all other seats"
ALPHA = 0.05


@dataclass(frozen=True)
class Moved:
    """How much a model in a seat acts differently for who sits in another seat."""

    scenario: str
    seat: str
    model: str
    by: str
    """The other seat; `all other seats` of an orthogonal array, in which they change together."""
    distance: float
    """Total variation between its actions with one partner and with the others, mean over partners and tasks."""
    floor: float
    """The same with partners' names exchanged: what chance, and the model's own repeats, show."""
    p: float
    p_adjusted: float | None
    partner: str
    """With whom it differs most from itself."""
    action: str
    """In what it differs most with that partner."""
    with_partner: float
    """Share of its actions with that partner."""
    with_others: float
    trials: int

    @property
    def shown(self) -> bool:
        """Whether it can be told from chance, all others considered."""
        return (self.p if self.p_adjusted is None else self.p_adjusted) < ALPHA


@dataclass(frozen=True)
class Mover:
    """How much a model in a seat makes those in another act differently from how they act with the others there."""

    scenario: str
    model: str
    by: str
    """The seat it sits in."""
    seat: str
    """The seat whose actions change."""
    distance: float
    floor: float
    p: float
    p_adjusted: float | None
    action: str
    with_partner: float
    with_others: float
    trials: int

    @property
    def shown(self) -> bool:
        """Whether it can be told from chance, all others considered."""
        return (self.p if self.p_adjusted is None else self.p_adjusted) < ALPHA


@dataclass(frozen=True)
class _Found:
    """Distances, strata x labels, and how they come out with labels exchanged."""

    observed: Floats
    """Models x labels: mean over units."""
    drawn: Floats
    """Draws x models x labels."""
    own: Floats
    """Models x labels x actions: shares with this partner, mean over units."""
    rest: Floats


def others(evidence: Evidence, game: Game) -> tuple[list[Moved], list[Mover], list[str]]:
    """(who is moved, who moves, notes)."""
    moved: list[Moved] = []
    movers: list[Mover] = []
    if evidence.paths is None:
        return (
            moved,
            movers,
            [f"{game.scenario}: no action is recorded, so that nothing can be said of what changes others"],
        )
    same = []
    for number, seat in enumerate(game.seats):
        shares, names = _shares(evidence.paths, game, game.roles[seat])
        if len(names) < 2:
            same.append(seat)
            continue
        for other, by, label, labels in _partners(game, number):
            found = _measure(evidence, game, number, other, shares, label, len(labels))
            if found is not None:
                moved += _moved(game, seat, by, labels, names, found, number)
                if len(labels) > 2 and by != OTHERS:
                    movers += _movers(game, seat, by, labels, names, found, label)
    notes = []
    if same:
        notes.append(
            f"{game.scenario}: {' and '.join(same)} took one kind of action only, so that no partner can change which."
        )
    return _corrected(moved), _corrected_movers(movers), notes


def _shares(paths: Trajectories, game: Game, roles: Sequence[str]) -> tuple[Floats, list[str]]:
    """(trials x actions: share of the actions of these roles, names); those without an action did nothing."""
    wanted = [place for place, role in enumerate(paths.roles) if role in roles]
    here = np.isin(paths.role, wanted)
    size = len(paths.names)
    counts = np.bincount(paths.trial[here] * size + paths.action[here], minlength=len(paths) * size)
    table = counts.reshape(len(paths), size)[game.rows].astype(np.float64)
    total = table.sum(axis=1, keepdims=True)
    table = np.concatenate([np.divide(table, total, out=np.zeros(table.shape), where=total > 0), total == 0], axis=1)
    used = np.flatnonzero(table.sum(axis=0) > 0)
    named = [*paths.names, NOTHING]
    return table[:, used], [named[place] for place in used]


def _partners(game: Game, number: int) -> list[tuple[list[int], str, Integers, list[str]]]:
    """(their seats, as they are called, label of each trial, names of labels) of whoever may change a seat."""
    rest = [seat for seat in range(len(game.seats)) if seat != number]
    if game.full:
        return [([seat], game.seats[seat], game.seated[:, seat], game.models) for seat in rest]
    scale = len(game.models) ** np.arange(len(rest))
    distinct, label = np.unique(game.seated[:, rest] @ scale, return_inverse=True)
    names = [", ".join(game.models[int(code // factor) % len(game.models)] for factor in scale) for code in distinct]
    return [(rest, OTHERS, label.astype(np.int64), names)]


def _measure(
    evidence: Evidence, game: Game, number: int, other: list[int], shares: Floats, label: Integers, labels: int
) -> _Found | None:
    """Distances of every model's actions with each label, as they are and with labels exchanged; None without data."""
    models, size = len(game.models), shares.shape[1]
    stratum = game.unit * models + game.seated[:, number]
    still = [game.seated[:, seat] for seat in range(len(game.seats)) if seat != number and seat not in other]
    block = stratum
    for column in (game.repeat, *still):
        block = np.unique(np.stack([block, column]), axis=1, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(block, kind="stable")
    block, label, stratum, shares = block[order], label[order], stratum[order], shares[order]
    strata = game.units * models
    whole = np.bincount(stratum * labels + label, minlength=strata * labels).reshape(strata, labels)
    complete: NDArray[np.bool_] = np.asarray((whole > 0).sum(axis=1) >= (labels if game.full else 2))
    if not complete.any():
        return None
    chance = evidence.chance(f"seats {game.scenario} {number} {other}")
    draws = int(min(DRAWS, max(FEWEST_DRAWS, _WORK // max(1, len(label) * size))))
    places = _Places(stratum, shares, whole, complete, models)
    parts = []
    at_once = max(1, _AT_ONCE // max(1, len(label) * size))
    for start in range(0, draws, at_once):
        order = shuffled_within(block, min(at_once, draws - start), chance)
        parts.append(_averaged(places, _apart(places, label[order])[0]))
    apart, own, rest = _apart(places, label[None])
    return _Found(
        _averaged(places, apart)[0], np.concatenate(parts), _averaged(places, own)[0], _averaged(places, rest)[0]
    )


@dataclass(frozen=True)
class _Places:
    """Where trials stand, block by block; a stratum is a model on a unit."""

    stratum: Integers
    shares: Floats
    whole: Integers
    """Strata x labels: trials."""
    complete: NDArray[np.bool_]
    """Strata that have the labels to compare."""
    models: int


def _apart(places: _Places, label: Integers) -> tuple[Floats, Floats, Floats]:
    """(draws x strata x labels distances, shares with each label, shares with the others), of draws x trials labels.

    Exchanging labels within strata leaves `whole` as it is.
    """
    (strata, labels), draws, size = places.whole.shape, len(label), places.shares.shape[1]
    at = (np.arange(draws)[:, None] * strata * labels + places.stratum * labels + label).ravel()
    sums = np.stack(
        [
            np.bincount(at, weights=np.tile(places.shares[:, k], draws), minlength=draws * strata * labels)
            for k in range(size)
        ],
        axis=1,
    ).reshape(draws, strata, labels, size)
    here = (places.whole > 0)[None, :, :, None]
    means: Floats = np.divide(sums, np.maximum(places.whole, 1)[None, :, :, None])
    known = here.sum(axis=2, keepdims=True)
    rest: Floats = (means.sum(axis=2, keepdims=True) - means) / np.maximum(known - here, 1)
    return np.abs(means - rest).sum(axis=3) / 2, means, rest


def _averaged(places: _Places, values: Floats) -> Floats:
    """Draws x models x labels (x actions) from draws x strata x labels (x actions): means over units."""
    labels = places.whole.shape[1]
    shaped = values.reshape(len(values), -1, places.models, labels, *values.shape[3:])
    used = (places.complete[:, None] & (places.whole > 0)).reshape(-1, places.models, labels)
    counts = np.maximum(used.sum(axis=0), 1)
    more = (1,) * (shaped.ndim - 4)
    kept = np.where(used.reshape(1, *used.shape, *more), shaped, 0.0)
    found: Floats = kept.sum(axis=1) / counts.reshape(1, *counts.shape, *more)
    return found


def _moved(
    game: Game, seat: str, by: str, labels: list[str], names: list[str], found: _Found, number: int
) -> list[Moved]:
    made = []
    for model, name in enumerate(game.models):
        drawn = found.drawn[:, model].mean(axis=1)
        distance = float(found.observed[model].mean())
        partner = int(found.observed[model].argmax())
        action = int(np.abs(found.own[model, partner] - found.rest[model, partner]).argmax())
        made.append(
            Moved(
                game.scenario,
                seat,
                name,
                by,
                distance,
                float(drawn.mean()),
                upper_tail(distance, drawn),
                None,
                labels[partner],
                names[action],
                float(found.own[model, partner, action]),
                float(found.rest[model, partner, action]),
                int((game.seated[:, number] == model).sum()),
            )
        )
    return made


def _movers(
    game: Game, seat: str, by: str, labels: list[str], names: list[str], found: _Found, label: Integers
) -> list[Mover]:
    made = []
    for partner, name in enumerate(labels):
        drawn = found.drawn[:, :, partner].mean(axis=1)
        distance = float(found.observed[:, partner].mean())
        own, rest = found.own[:, partner].mean(axis=0), found.rest[:, partner].mean(axis=0)
        action = int(np.abs(own - rest).argmax())
        made.append(
            Mover(
                game.scenario,
                name,
                by,
                seat,
                distance,
                float(drawn.mean()),
                upper_tail(distance, drawn),
                None,
                names[action],
                float(own[action]),
                float(rest[action]),
                int((label == partner).sum()),
            )
        )
    return made


def _corrected(found: list[Moved]) -> list[Moved]:
    fixed = benjamini_hochberg([each.p for each in found])
    return [replace(each, p_adjusted=p) for each, p in zip(found, fixed, strict=True)]


def _corrected_movers(found: list[Mover]) -> list[Mover]:
    fixed = benjamini_hochberg([each.p for each in found])
    return [replace(each, p_adjusted=p) for each, p in zip(found, fixed, strict=True)]
