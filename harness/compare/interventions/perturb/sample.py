"""The trials of a perturbation, sorted, and how far they are from each other.

A *place* is a cell without its model and surface; there, trials of all surfaces share their seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.interventions.perturb.rows import ACTIONS, PLAIN, SEQUENCE
from harness.compare.panel import codes, crossed
from harness.compare.sequences.edits import spelled
from harness.compare.sequences.symbols import own_actions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
MOST_REPEATS = 24
"""Trials of one model, place and surface that enter distances."""


@dataclass(frozen=True)
class Sample:
    """What is compared."""

    table: pd.DataFrame
    """One row a trial: `row` (in `Evidence.results`), `model`, `surface`, `place`, `group` (places that differ in the
    task alone), `cluster`, `repeat`, `score`, `drift`."""
    models: list[str]
    surfaces: list[str]
    """But `plain`, in the order asked for."""
    strings: list[Integers]
    """Action names of each row, as numbers; empty lists where nobody recorded any."""
    names: list[str]
    """Of those numbers."""
    known: bool
    """Whether actions are recorded."""
    notes: list[str] = field(default_factory=list)
    """What was left out."""

    def blocks(self) -> Iterator[tuple[str, int, pd.DataFrame]]:
        """(model, place, rows), with at most 24 repeats of each surface."""
        table = self.table[self.table["repeat_place"] < MOST_REPEATS]
        for _, rows in table.groupby(["model", "place"], sort=True):
            yield str(rows["model"].iloc[0]), int(rows["place"].iloc[0]), rows

    def distances(self, what: str, places: Integers) -> Floats:
        """Distances between these rows of the table, all with all, from 0 to 1."""
        chosen = [self.strings[place] for place in places]
        if what == SEQUENCE:
            from rapidfuzz.distance import Levenshtein
            from rapidfuzz.process import cdist

            texts = spelled(chosen)
            found: Floats = cdist(texts, texts, scorer=Levenshtein.normalized_distance, dtype=np.float64)
            return found
        assert what == ACTIONS  # noqa: S101 - of two
        from scipy.spatial.distance import cdist as between

        shares = np.zeros((len(chosen), len(self.names) + 1))
        for number, string in enumerate(chosen):
            counts = np.bincount(string, minlength=len(self.names))
            shares[number, : len(self.names)] = counts / max(1, len(string))
            shares[number, -1] = float(len(string) == 0)
        varied: Floats = between(shares, shares, "cityblock") / 2
        return varied


def sample(evidence: Evidence) -> Sample:
    """The results of evidence, sorted; those that drifted or have no surface are left out."""
    results, notes = evidence.results, []
    surface = results["surface"].astype(object) if "surface" in results else pd.Series([None] * len(results))
    keys = [name for name in crossed(results) if name not in ("model", "surface")]
    table = pd.DataFrame(
        {
            "row": np.arange(len(results)),
            "model": results["model"].astype(str),
            "surface": surface.where(surface.notna(), None),
            "place": codes(results, keys),
            "group": codes(results, [name for name in keys if name != "task"]),
            "cluster": evidence.cluster,
            "repeat": results["repeat"].to_numpy(),
            "score": results["score"].to_numpy(dtype=np.float64),
        }
    )
    drift = _by_trial(evidence, "drift")
    table["drift"] = np.array([float(drift.get(str(trial)) or 0) for trial in results["trial"]])  # type: ignore[arg-type]
    drifted = int((table["drift"] > 0).sum())
    if drifted:
        notes.append(f"{drifted} trials drifted and are left out.")
    table = table[(table["drift"] <= 0) & table["surface"].notna()]
    twice = table.duplicated(["model", "surface", "place", "repeat"])
    if twice.any():
        notes.append(
            f"{int(twice.sum())} trials of another record repeat seeds that are there already and are left out."
        )
        table = table[~twice]
    table = table.sort_values(["model", "place", "surface", "repeat"], kind="stable").reset_index(drop=True)
    table["repeat_place"] = table.groupby(["model", "place", "surface"]).cumcount()
    paths = own_actions(evidence)
    strings: list[Integers] = [np.zeros(0, dtype=np.int64)] * len(table)
    if paths is not None:
        strings = [paths.action[paths.of(int(row))].astype(np.int64) for row in table["row"]]
    order = _order(evidence)
    found = list(dict.fromkeys(table["surface"]))
    surfaces = [name for name in [*order, *sorted(set(found) - set(order))] if name in found and name != PLAIN]
    named = list(evidence.models) if evidence.by == "model" else []
    models = [*named, *sorted(set(table["model"]) - set(named))]
    return Sample(
        table, [m for m in models if m in set(table["model"])], surfaces, strings,
        list(paths.names) if paths is not None else [], paths is not None, notes,
    )  # fmt: skip


def details(evidence: Evidence) -> dict[str, str]:
    """Trial -> what the record says of its surface, as JSON text."""
    return {trial: str(text) for trial, text in _by_trial(evidence, "detail").items() if text is not None}


def _by_trial(evidence: Evidence, column: str) -> dict[str, object]:
    line = evidence.lineage
    if line is None or column not in line:
        return {}
    values = line[column].astype(object).where(line[column].notna(), None)
    return dict(zip(line["trial"].astype(str), values, strict=True))


def _order(evidence: Evidence) -> list[str]:
    """Surfaces in the order asked for, where that is known."""
    if evidence.asked is None or "surface" not in evidence.asked:
        return []
    return [str(name) for name in dict.fromkeys(evidence.asked["surface"].dropna())]
