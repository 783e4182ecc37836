"""Whether models used the tool that has nothing, and went on calling renamed tools by their old names."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from harness.compare.evidence import Evidence
from harness.compare.interventions.perturb.rows import Use
from harness.compare.interventions.perturb.sample import Sample, details
from harness.compare.statistics import rate_interval

DISTRACTOR, OLD_NAME = "distractor", "old name"


def uses(evidence: Evidence, sample: Sample) -> list[Use]:
    """One row for each model and surface with a distractor, or with renamed tools where calls can be read."""
    known = details(evidence)
    ids = evidence.results["trial"].astype(str).to_numpy()
    counted: dict[str, list[float | None]] = {DISTRACTOR: [], OLD_NAME: []}
    table = sample.table
    said = [json.loads(known.get(str(ids[row]), "{}")) for row in table["row"]]
    old = _old_names(
        evidence, [str(ids[row]) for row, detail in zip(table["row"], said, strict=True) if detail.get("names")]
    )
    for place, (row, detail) in enumerate(zip(table["row"], said, strict=True)):
        tool = _distractor(detail)
        code = sample.names.index(tool) if tool in sample.names else -1
        counted[DISTRACTOR].append(
            None if tool is None or not sample.known else float(np.count_nonzero(sample.strings[place] == code))
        )
        trial = str(ids[row])
        names = set(detail.get("names", {}))
        counted[OLD_NAME].append(
            None if not names or old is None else float(sum(name in names for name in old.get(trial, [])))
        )
    found = []
    for what, numbers in counted.items():
        here = table.assign(calls=np.array(numbers, dtype=np.float64)).dropna(subset=["calls"])
        for (model, surface), rows in here.groupby(["model", "surface"], sort=False):
            found.append(_use(str(model), str(surface), what, rows))
    return sorted(found, key=lambda use: (use.what, use.surface, sample.models.index(use.model)))


def _use(model: str, surface: str, what: str, rows: pd.DataFrame) -> Use:
    calls = rows["calls"]
    places = (calls > 0).groupby(rows["place"]).agg(["mean", "size"])
    clusters = rows.groupby("place")["cluster"].first()
    share = rate_interval(places["mean"].to_numpy(), clusters.to_numpy(), places["size"].to_numpy())
    return Use(model, surface, what, len(rows), share, int(calls.sum()))


def _distractor(detail: dict[str, object]) -> str | None:
    """Name of the distractor that this surface has."""
    found = detail.get("distractor")
    return None if not isinstance(found, dict) else str(found.get("name", "notice_board"))


def _old_names(evidence: Evidence, trials: list[str]) -> dict[str, list[str]] | None:
    """Trial -> names of its calls that could not be carried out; None where nobody can read them."""
    if evidence.read is None or not trials:
        return None
    table = evidence.read(trials)
    if not {"kind", "action"} <= set(table.columns):
        return None
    wrong = table[table["kind"] == "malformed"]
    return {str(trial): [str(name) for name in own] for trial, own in wrong.groupby("trial")["action"]}
