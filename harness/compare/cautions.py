"""Everything that has to stand beside the numbers of a comparison: what is missing, unequal, or not written down."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.compare.accounting import accounts
from harness.compare.evidence import Evidence
from harness.compare.receipts import Caution, unequal_identities, unequal_receipts

_SHOWN = 6
_COUNTED = ("scenario", "scaffold", "moment", "surface")
MOST_VALUES = 24
"""Columns with more values than this (hundreds of scenarios) are not looked at value by value."""


def cautions(evidence: Evidence) -> list[Caution]:
    """What touches every number of these models: missing and ungraded trials, tasks that only some were given, other
    content, budgets or receipts, and what nobody wrote down.
    """
    found = [
        *missing(evidence),
        *elsewhere(evidence),
        *overlaps(evidence),
        *unequal_identities(evidence.trials, evidence.by),
    ]
    calls = evidence.calls
    if calls is not None and len(calls) and len(evidence.models) > 1:
        found += unequal_receipts(calls, evidence.trials, evidence.by, evidence.models)
    return [*found, *_unwritten(evidence)]


def missing(evidence: Evidence) -> list[Caution]:
    """Models with trials that are no result, or have no grade, and why."""
    found = []
    for model, account in zip(evidence.models, accounts(evidence), strict=True):
        if account.missing:
            reasons = ", ".join(f"{count} {why}" for why, count in account.missing_why.items())
            asked = account.asked or account.done + account.missing
            found.append(
                Caution("missing", [model], f"{model}: {account.missing} of {asked} trials missing ({reasons})")
            )
        if 0 < account.unscored < account.done:
            text = f"{model}: {account.unscored} of {account.done} results have no grade, and are in no rate"
            found.append(Caution("ungraded", [model], text))
    return found


def overlaps(evidence: Evidence) -> list[Caution]:
    """Said once for all pairs that share only some of their units."""
    size = len(evidence.models)
    graded = (evidence.results["passed"].notna() | evidence.results["score"].notna()).to_numpy(dtype=bool)
    graded = graded & _crossed(evidence)
    there = np.zeros((len(evidence.units), size), dtype=bool)
    there[evidence.unit[graded], evidence.model[graded]] = True
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one, other in itertools.combinations(range(size), 2):
        both = int(np.sum(there[:, one] & there[:, other]))
        either = int(np.sum(there[:, one] | there[:, other]))
        if 0 < both < either:
            found[evidence.models[one], evidence.models[other]] = both, either
    if not found:
        return []
    worst = min(found, key=lambda pair: found[pair][0] / found[pair][1])
    both, either = found[worst]
    text = f"{' and '.join(worst)} are paired on {both} of {either} units, the others lack a result of one of them"
    if len(found) > 1:
        text += f"; {len(found) - 1} other pairs are incomplete too, less so"
    return [Caution("overlap", list(worst), text)]


def elsewhere(evidence: Evidence) -> list[Caution]:
    """Scenarios, scaffolds, ... in which only some of the models have a result: rates over all of them mix these up."""
    found = []
    here = set(np.unique(evidence.model).tolist())
    crossed = _crossed(evidence)
    for name in evidence.units.columns:
        values = evidence.units[name]
        if name == "task" or not 1 < values.nunique() <= MOST_VALUES:
            continue
        where = values.astype(str).to_numpy()[evidence.unit]
        only = {
            value: set(evidence.model[(where == value) & crossed].tolist())
            for value in sorted(set(values.dropna().astype(str)))
        }
        only = {value: models for value, models in only.items() if models and models != here}
        if not only:
            continue
        value = min(only, key=lambda key: (len(only[key]), key))
        models = [evidence.models[code] for code in sorted(only[value])]
        several = f"{name}s" if name in _COUNTED else f"values of {name}"
        others = "another is" if len(only) == 2 else f"{len(only) - 1} more {several} are"
        more = f" ({others} like it)" if len(only) > 1 else ""
        text = (
            f"only {_listed(models)} ran under {name} {value}{more}: rates over everything are of different {several}, "
            f"those by {name} and the paired differences are not"
        )
        found.append(Caution("elsewhere", models, text))
    return found


def _crossed(evidence: Evidence) -> NDArray[np.bool_]:
    """Which results every model is asked for: all, but of a relay the ends, where each model is alone with itself."""
    if evidence.kind != "relay" or "at" not in evidence.results:
        return np.ones(len(evidence.results), dtype=bool)
    share = evidence.results["at"].to_numpy(dtype=np.float64, na_value=np.nan)
    return (share > 0) & (share < 1)


def _unwritten(evidence: Evidence) -> list[Caution]:
    """What nobody can check because it was not recorded: what was asked for, and what was sent."""
    found = []
    if evidence.asked is None and len(evidence.results):
        text = "nobody wrote down which trials were asked for, so trials that were never run are not known"
        found.append(Caution("asked", list(evidence.models), text))
    unsent = _without_receipts(evidence)
    if unsent and len(evidence.models) > 1:
        text = f"nobody wrote down what was sent to {_listed(unsent)}: unequal parameters or tools would not show"
        found.append(Caution("receipts", unsent, text))
    return found


def _without_receipts(evidence: Evidence) -> list[str]:
    here = {evidence.models[code] for code in np.unique(evidence.model)}
    calls = evidence.calls
    if calls is None or not len(calls) or "sent" not in calls:
        told: set[str] = set()
    else:
        known = set(calls.loc[calls["sent"].notna(), "trial"].astype(str))
        rows = evidence.trials["trial"].astype(str).isin(known)
        told = set(evidence.trials.loc[rows, evidence.by].astype(str))
    return [model for model in evidence.models if model in here - told]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
