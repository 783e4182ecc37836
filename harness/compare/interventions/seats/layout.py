"""The trials of one scenario as seatings: who sat where on which task, and what each seat got."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.panel import codes, numbers

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
JOINT = "all"
"""Name of the outcome that all seats share."""


@dataclass(frozen=True)
class Game:
    """The trials of one scenario and its crossed seats; arrays over trials are aligned with `rows`.

    A *unit* is a task under a scaffold (and whatever else is held still but the seats); a *cluster* is what is
    independent among them.
    """

    scenario: str
    """Its name; with the seats, where tasks of one scenario seat different ones."""
    of: str
    """Its name."""
    seats: list[str]
    models: list[str]
    rows: Integers
    """Of `evidence.results`."""
    seated: Integers
    """Trials x seats: number of the model."""
    unit: Integers
    repeat: Integers
    cluster: Integers
    outcomes: dict[str, Floats]
    """Seat -> what it got, or `all` -> the score; NaN unknown."""
    sources: dict[str, str]
    """Seat (or `all`) -> where its outcome stands."""
    roles: dict[str, list[str]]
    """Seat -> roles of the scaffold in it."""
    wanted: dict[str, str]
    """Seat -> where its outcome was to stand, when it is known of no trial; else empty."""
    full: bool
    """Whether every seating was asked for; else an orthogonal array."""
    lacking: int = 0
    """Seatings of the array of which there is no trial at all."""
    drifted: int = 0
    unseated: int = 0
    """Trials left out because a model sits in them that is not compared."""

    @property
    def joint(self) -> bool:
        """Whether all seats share one outcome."""
        return JOINT in self.outcomes

    @cached_property
    def seatings(self) -> Integers:
        """The seatings, seatings x seats: every one, or those of the array."""
        if self.full:
            return np.array(list(itertools.product(range(len(self.models)), repeat=len(self.seats))), dtype=np.int64)
        found: Integers = np.unique(self.seated, axis=0)
        return found

    @cached_property
    def clusters(self) -> Integers:
        """Of each unit."""
        _, first = np.unique(self.unit, return_index=True)
        return self.cluster[first]

    @property
    def units(self) -> int:
        """How many."""
        return len(self.clusters)

    @cached_property
    def place(self) -> Integers:
        """Number of each trial's seating."""
        scale = len(self.models) ** np.arange(len(self.seats))[::-1]
        place: Integers = np.searchsorted(self.seatings @ scale, self.seated @ scale).astype(np.int64)
        return place

    def cells(self, outcome: str) -> Floats:
        """Units x seatings: the mean over repeats; NaN where there is none."""
        values = self.outcomes[outcome]
        known = ~np.isnan(values)
        shape = (self.units, len(self.seatings))
        at = (self.unit * shape[1] + self.place)[known]
        counts = np.bincount(at, minlength=shape[0] * shape[1])
        sums = np.bincount(at, weights=values[known], minlength=shape[0] * shape[1])
        found: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0).reshape(shape)
        return found

    def by_seat(self, cells: Floats, seat: int) -> Floats:
        """Units x models: the mean over all who sit in the other seats, the same for all models."""
        return self._averaged(cells, (seat,))

    def by_pair(self, cells: Floats, first: int, second: int) -> Floats:
        """Units x models in `first` x models in `second`: the mean over the remaining seats; of two, the cells."""
        size = len(self.models)
        if self.full and len(self.seats) == 2:
            table = cells.reshape(-1, size, size)
            return table if first < second else table.swapaxes(1, 2)
        return self._averaged(cells, (first, second)).reshape(-1, size, size)

    def _averaged(self, cells: Floats, kept: tuple[int, ...]) -> Floats:
        """Units x combinations of models in the kept seats.

        Of every seating, others' seats are averaged over those for which no combination is missing on the unit; of an
        orthogonal array, in which no two seatings differ in few seats only, a unit counts with all its seatings or not.
        """
        size, seats = len(self.models), self.seatings.shape[1]
        combination = np.zeros(len(self.seatings), dtype=np.int64)
        for seat in kept:
            combination = combination * size + self.seatings[:, seat]
        wanted = size ** len(kept)
        if self.full:
            others = [seat for seat in range(seats) if seat not in kept]
            rest = np.zeros(len(self.seatings), dtype=np.int64)
            for seat in others:
                rest = rest * size + self.seatings[:, seat]
            table = np.full((len(cells), size ** len(others), wanted), np.nan)
            table[:, rest, combination] = cells
            whole = ~np.isnan(table).any(axis=2, keepdims=True)
            counts = whole.sum(axis=1)
            sums = np.where(whole, table, 0.0).sum(axis=1)
            return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        found = np.full((len(cells), wanted), np.nan)
        complete = ~np.isnan(cells).any(axis=1)
        for number in np.unique(combination):
            found[complete, number] = cells[complete][:, combination == number].mean(axis=1)
        return found


def games(evidence: Evidence) -> list[Game]:
    """One for each scenario and set of crossed seats, in the order of the record."""
    if evidence.lineage is None:
        return []
    line = evidence.lineage.drop_duplicates("trial").set_index("trial")
    trials = evidence.results["trial"].astype(str)
    drift = trials.map(line["drift"]).fillna(0).to_numpy(dtype=np.int64)
    texts = trials.map(line["detail"])
    known: dict[str, dict[str, Any]] = {}
    groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for row, (scenario, text) in enumerate(zip(evidence.results["scenario"].astype(str), texts, strict=True)):
        if isinstance(text, str):
            detail = known.setdefault(text, json.loads(text))
            groups.setdefault((scenario, tuple(detail["seats"])), []).append(row)
    found = []
    several = Counter(scenario for scenario, _ in groups)
    for (scenario, seats), rows in groups.items():
        name = f"{scenario} ({', '.join(seats)})" if several[scenario] > 1 else scenario
        details = [known[texts.iloc[row]] for row in rows]
        game = _game(evidence, (name, scenario), list(seats), np.array(rows), details, drift)
        if game is not None:
            found.append(game)
    return found


def _game(
    evidence: Evidence,
    names_of: tuple[str, str],
    seats: list[str],
    rows: Integers,
    details: list[dict[str, Any]],
    drift: Integers,
) -> Game | None:
    asked = list(dict.fromkeys(model for detail in details for model in detail["models"]))
    models = [model for model in asked if model in evidence.models] if evidence.by == "model" else asked
    names = np.array([[str(detail["seats"][seat]) for seat in seats] for detail in details])
    here = np.isin(names, models).all(axis=1)
    kept = here & (drift[rows] == 0)
    full = details[-1]["design"] == "full"
    if len(models) < 2 or not kept.any() or (not full and len(models) < len(asked)):
        return None
    drifted = int((drift[rows] > 0).sum())
    rows, names = rows[kept], names[kept]
    table = evidence.results.iloc[rows]
    place = {model: number for number, model in enumerate(models)}
    seated = np.vectorize(place.__getitem__)(names).astype(np.int64)
    still = ["task", "scaffold", *_held(table, seats)]
    unit = codes(table, still)
    outcomes, sources, wanted = _outcomes(table, seats, [details[number] for number in np.flatnonzero(kept)])
    return Game(
        *names_of, seats, models, rows, seated, unit, table["repeat"].to_numpy(dtype=np.int64),
        evidence.cluster[rows], outcomes, sources, _roles(details), wanted, full,
        lacking=0 if full else max(0, int(details[-1]["seatings"]) - len(np.unique(seated, axis=0))), drifted=drifted,
        unseated=int((~here).sum()),
    )  # fmt: skip


def _roles(details: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Those of all scaffolds together."""
    found: dict[str, list[str]] = {}
    for detail in {id(detail): detail for detail in details}.values():
        for seat, roles in detail["roles"].items():
            found[seat] = list(dict.fromkeys([*found.get(seat, []), *roles]))
    return found


def _held(table: pd.DataFrame, seats: list[str]) -> list[str]:
    """Further columns that tell units apart: several records compared at once."""
    return [name for name in ("sweep",) if name in table and table[name].nunique() > 1]


def _outcomes(
    table: pd.DataFrame, seats: list[str], details: list[dict[str, Any]]
) -> tuple[dict[str, Floats], dict[str, str], dict[str, str]]:
    """What each seat got; the score for all of them where that is known of no trial for some seat (then said last)."""
    wanted: Mapping[str, str] = details[-1].get("outcomes") or {}
    found = {seat: outcome(table, source) for seat, source in wanted.items()}
    if set(wanted) == set(seats) and all(not np.isnan(values).all() for values in found.values()):
        return {seat: found[seat] for seat in seats}, {seat: wanted[seat] for seat in seats}, {}
    unknown = {seat: wanted[seat] for seat, values in found.items() if np.isnan(values).all()}
    return {JOINT: outcome(table, "score")}, {JOINT: "score"}, unknown


def outcome(table: pd.DataFrame, source: str) -> Floats:
    """The values of `score`, `measure.NAME`, or either with `-` or `1-` before it; NaN where there is none."""
    name = source.removeprefix("1-").removeprefix("-")
    values = numbers(table[name]).to_numpy(dtype=np.float64) if name in table else np.full(len(table), np.nan)
    if source.startswith("1-"):
        return 1.0 - values
    return -values if source.startswith("-") else values
