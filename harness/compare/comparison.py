"""A comparison: what every analysis says of the same evidence, and what has to stand beside all of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd
from threadpoolctl import threadpool_limits

from harness.compare.analysis import Analysis
from harness.compare.cautions import cautions
from harness.compare.divergence import Divergence, divergence
from harness.compare.evidence import Evidence, gather
from harness.compare.failures import Failures, failures
from harness.compare.fingerprints import Fingerprints, fingerprints
from harness.compare.headlines import headlines
from harness.compare.identification import Identification, identification
from harness.compare.outcomes import Outcomes, outcomes
from harness.compare.pairs import Pairs, pairs
from harness.compare.power import Power, power
from harness.compare.receipts import Caution
from harness.compare.sequences import Sequences, sequences
from harness.compare.variance import Variance, variance
from harness.errors import UserError

_RUN: Mapping[str, Callable[[Evidence], Analysis]] = {
    "outcomes": outcomes,
    "pairs": pairs,
    "power": power,
    "variance": variance,
    "fingerprints": fingerprints,
    "sequences": sequences,
    "divergence": divergence,
    "identification": identification,
    "failures": failures,
}
ANALYSES = tuple(_RUN)
"""In the order they are told."""
INTERVENTIONS: Mapping[str, str] = {
    "probe": "harness.compare.interventions.probe",
    "fork": "harness.compare.interventions.fork",
    "relay": "harness.compare.interventions.relay",
    "seats": "harness.compare.interventions.seats",
    "perturb": "harness.compare.interventions.perturb",
}
"""Kind of intervention -> the module whose function of that name analyses it; told before all others."""


@dataclass(frozen=True)
class Comparison:
    """What was found; analyses that were not asked for are None."""

    by: str
    """What is compared: `model`, or another column."""
    models: list[str]
    """The values of `by`, in plan order."""
    cautions: list[Caution]
    """What touches all numbers: missing trials, unequal receipts and budgets, what nobody wrote down."""
    outcomes: Outcomes | None = None
    pairs: Pairs | None = None
    power: Power | None = None
    variance: Variance | None = None
    fingerprints: Fingerprints | None = None
    sequences: Sequences | None = None
    divergence: Divergence | None = None
    identification: Identification | None = None
    failures: Failures | None = None
    intervention: Analysis | None = None
    """What the intervention shows that the trials are of; None for ordinary sweeps."""
    headlines: list[str] = field(default_factory=list)
    """The findings in a few lines, across analyses; none of an intervention, whose own findings come first."""

    @property
    def analyses(self) -> dict[str, Analysis]:
        """Name -> result of every analysis that was made, in order."""
        first = {} if self.intervention is None else {self.intervention.name: self.intervention}
        found = first | {name: getattr(self, name) for name in ANALYSES}
        return {name: result for name, result in found.items() if result is not None}

    @property
    def sentences(self) -> list[str]:
        """Every finding in plain English, analysis by analysis."""
        return [text for result in self.analyses.values() for text in result.sentences()]


def compare(
    evidence: Evidence, only: Sequence[str] | None = None, tell: Callable[[str], None] | None = None
) -> Comparison:
    """Run all analyses, or `only` these; `tell` hears the name of each before it begins.

    Trials of an intervention are also analysed as such. Raises `UserError` for an analysis that there is not.
    """
    own = evidence.kind if evidence.kind in INTERVENTIONS else None
    known = [*ANALYSES, own] if own is not None else list(ANALYSES)
    chosen = list(dict.fromkeys(only)) if only else known
    for name in chosen:
        if name in INTERVENTIONS and name != own:
            raise UserError(f"these are not the trials of a {name}; `harness {name}` makes some")
        if name not in known:
            raise UserError(f"no analysis {name!r}; there are: {', '.join(known)}")
    found: dict[str, Analysis] = {}
    # Many small matrices: several threads of linear algebra would wait for each other most of the time.
    with threadpool_limits(1):
        if own is not None and own in chosen:
            if tell is not None:
                tell(own)
            found["intervention"] = getattr(importlib.import_module(INTERVENTIONS[own]), own)(evidence)
        for name in ANALYSES:
            if name in chosen:
                if tell is not None:
                    tell(name)
                found[name] = _RUN[name](evidence)
    made = Comparison(evidence.by, evidence.models, cautions(evidence), **found)  # type: ignore[arg-type]
    if made.intervention is not None:
        return made  # how often who went on passes, over moments of others, is no headline
    return replace(made, headlines=headlines(made.pairs, made.fingerprints))


def compare_models(
    trials: pd.DataFrame,
    *,
    actions: pd.DataFrame | None = None,
    visits: pd.DataFrame | None = None,
    asked: pd.DataFrame | None = None,
    calls: pd.DataFrame | None = None,
    between: Sequence[str] | None = None,
    by: str = "model",
    only: Sequence[str] | None = None,
) -> Comparison:
    """Compare models (or the values of another column `by`) on the tables of a record.

    `trials` is the table of `harness.record.Results`, or any with columns scenario, task, scaffold and model; `actions`
    and `visits` say what was done in them, `asked` what the sweep asks for, `calls` what was sent. `between` names the
    models to compare, in order, when not all. Raises `UserError` for a column, model or analysis that is not there.
    """
    evidence = gather(trials, actions=actions, visits=visits, asked=asked, calls=calls, between=between, by=by)
    return compare(evidence, only)
