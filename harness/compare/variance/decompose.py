"""From the evidence to the shares: one decomposition for each outcome and behaviour."""

from __future__ import annotations

from collections import Counter

import numpy as np

from harness.compare.evidence import Evidence
from harness.compare.fingerprints.values import behaviour_values
from harness.compare.sentences import several
from harness.compare.statistics import MIN_CLUSTERS_TESTED, Estimate
from harness.compare.statistics.variance_components import (
    FIRST,
    RESIDUAL,
    SECOND,
    STRATUM,
    TASK,
    Cells,
    Fit,
    NoFit,
    Shares,
    Source,
    balanced_fit,
    label_chance,
    reml_fit,
    subsets,
    variance_shares,
)
from harness.compare.variance.layout import Floats, Layout, Selected, layout, select, without_strata
from harness.compare.variance.result import Decomposition, Part, Variance

OWNED = 0.95
"""Share of the draws in which a source is the largest, for it to be called the owner."""
UNVARYING = "never varies"
OUTCOMES = (("passed", "how often they pass"), ("score", "score"))
METHOD = "bootstrap over clusters"


def variance(evidence: Evidence) -> Variance:
    """Shares of variance of passes, score and every behaviour; see `harness.compare.statistics.variance_components`.

    Shares are of the sum of all components; intervals are of what other tasks like these would have given.
    """
    plan = layout(evidence)
    chance = evidence.chance("variance")
    seed = int(chance.integers(2**32))
    said: list[str] = []
    outcomes: list[Decomposition] = []
    for name, label in OUTCOMES:
        values = evidence.results[name].to_numpy(dtype=np.float64)
        if np.isnan(values).all() or (outcomes and np.array_equal(values, _passed(evidence), equal_nan=True)):
            continue
        outcomes.append(_decompose(plan, name, label, True, values, seed, said))
    behaviours = [
        _decompose(plan, column.name, column.label, False, column.values.to_numpy(dtype=np.float64), seed, said)
        for column in behaviour_values(evidence)
    ]
    behaviours.sort(key=lambda found: (not found.parts, -found.share(evidence.by), found.name))
    every = [*outcomes, *behaviours]
    return Variance(
        by=evidence.by,
        condition=plan.names[SECOND] or None,
        sources=_sources(plan, every),
        outcomes=outcomes,
        behaviours=behaviours,
        owned=_owned(behaviours),
        too_few=_too_few(evidence, every),
        notes=_notes(plan, every),
        cautions=_cautions(evidence, every, said),
    )


def _passed(evidence: Evidence) -> Floats:
    return evidence.results["passed"].to_numpy(dtype=np.float64)


def _decompose(
    plan: Layout, name: str, label: str, outcome: bool, values: Floats, seed: int, said: list[str]
) -> Decomposition:
    chosen = select(plan, values)
    reason = _reason(plan, chosen.cells)
    fit = shares = None
    if reason is None:
        try:
            chosen, fit = _fitted(chosen)
            # The same draws for every number: what is alike comes out alike.
            shares = variance_shares(fit, np.random.default_rng(seed))
        except NoFit as error:
            reason = str(error)
        if fit is not None and shares is None:
            reason = UNVARYING
    if fit is None or shares is None:
        return _without_parts(name, label, outcome, chosen, plan, reason or UNVARYING)
    said += [text for text in chosen.left_out if text not in said]
    return _with_parts(name, label, outcome, chosen, plan, fit, shares)


def _reason(plan: Layout, data: Cells) -> str | None:
    """Why these cells cannot be decomposed."""
    if data.tasks == 0:
        return "not known"
    if data.clusters < MIN_CLUSTERS_TESTED:
        return f"too few tasks ({data.clusters}; it takes {MIN_CLUSTERS_TESTED})"
    if not np.any(data.mean) and not np.any(data.within):
        return UNVARYING
    if not data.crossed and data.freedom_within == 0:
        return f"one {plan.names[FIRST]} and one repeat: nothing to tell the task from"
    return None


def _fitted(chosen: Selected) -> tuple[Selected, Fit]:
    """The fit, with scenarios counted as part of the task where they cannot be told from what is compared."""
    if chosen.cells.balanced:
        return chosen, balanced_fit(chosen.cells)
    try:
        return chosen, reml_fit(chosen.cells)
    except NoFit:
        if chosen.cells.strata < 2:
            raise
        chosen = without_strata(chosen)
        return chosen, reml_fit(chosen.cells)


def _with_parts(
    name: str, label: str, outcome: bool, chosen: Selected, plan: Layout, fit: Fit, shares: Shares
) -> Decomposition:
    data = chosen.cells
    how = f"{fit.method}, {METHOD}"
    parts = [
        Part(
            plan.name(source), Estimate(*shares.shares[source], n=data.tasks, clusters=data.clusters, method=how),
            float(shares.components[source]),
        )
        for source in sorted(shares.components, key=_order)
    ]  # fmt: skip
    carried = label_chance(data)
    best = max(shares.largest, key=lambda source: shares.largest[source])
    return Decomposition(
        name, label, outcome, int(data.count.sum()), data.tasks, data.clusters, data.repeats,
        {plan.names[factor]: size for factor, size in data.levels.items()}, fit.method, shares.total, parts,
        _holds(plan, data, fit),
        None if carried is None else min(1.0, carried / shares.total),
        plan.name(best) if shares.largest[best] >= OWNED else None,
    )  # fmt: skip


def _without_parts(name: str, label: str, outcome: bool, chosen: Selected, plan: Layout, reason: str) -> Decomposition:
    data = chosen.cells
    return Decomposition(
        name, label, outcome, int(data.count.sum()), data.tasks, data.clusters, data.repeats,
        {plan.names[factor]: size for factor, size in data.levels.items()}, "none", None, [], {}, None, None,
        too_few=reason,
    )  # fmt: skip


def _holds(plan: Layout, data: Cells, fit: Fit) -> dict[str, list[str]]:
    """Interactions with tasks that are not told apart -> by the name of the source that holds them."""
    top = (*data.crossed, TASK)
    repeated = len(np.unique(data.cluster[np.any(data.count > 1, axis=(1, 2))])) >= MIN_CLUSTERS_TESTED
    partial = len(data.crossed) == 2 and (FIRST, SECOND) not in {effect.source for effect in fit.effects}
    found: dict[str, list[str]] = {}
    for source in [(*factors, TASK) for factors in subsets(data.crossed)]:
        if source in fit.terms:
            continue
        holder: Source = (TASK,)
        if (TASK,) not in fit.terms or (top not in fit.terms and not repeated and (partial or source == top)):
            holder = RESIDUAL
        elif partial and top in fit.terms:
            holder = top
        found.setdefault(plan.name(holder), []).append(plan.name(source))
    return found


def _order(source: Source) -> tuple[bool, int, tuple[int, ...]]:
    """Fixed sources first, then those with tasks, the repeat last; mains before interactions."""
    rank = {FIRST: 0, SECOND: 1, STRATUM: 2, TASK: 3}
    if source == RESIDUAL:
        return True, 99, ()
    return TASK in source, len(source), tuple(rank[factor] for factor in source)


def _sources(plan: Layout, every: list[Decomposition]) -> list[str]:
    """The names of all sources in their order."""
    factors = [factor for factor in (FIRST, SECOND, STRATUM) if plan.names[factor]]
    chosen: list[Source] = [()]
    for factor in factors:
        chosen += [(*before, factor) for before in chosen]
    every_source = [source for source in chosen if source] + [
        (*source, TASK) for source in chosen if STRATUM not in source
    ]
    there = {part.source for found in every for part in found.parts}
    return [plan.name(source) for source in sorted([*every_source, RESIDUAL], key=_order) if plan.name(source) in there]


def _owned(behaviours: list[Decomposition]) -> dict[str, list[str]]:
    found: dict[str, list[tuple[float, str]]] = {}
    for behaviour in behaviours:
        part = None if behaviour.owner is None else behaviour.part(behaviour.owner)
        if part is not None:
            found.setdefault(part.source, []).append((-(part.share.low or 0.0), behaviour.name))
    return {source: [name for _, name in sorted(names)] for source, names in found.items()}


def _too_few(evidence: Evidence, every: list[Decomposition]) -> str | None:
    if any(found.parts for found in every):
        return None
    if not len(evidence.results):
        return "No trial has a result yet."
    clusters = len(np.unique(evidence.cluster))
    if clusters < MIN_CLUSTERS_TESTED:
        return (
            f"Too few tasks ({clusters}) to divide any variance: it takes at least {MIN_CLUSTERS_TESTED} independent "
            "ones, and about 20 for intervals worth having."
        )
    compared = several(evidence.by)
    return f"Nothing to divide: it takes two {compared}, two scaffolds or two repeats, and something that varies."


def _notes(plan: Layout, every: list[Decomposition]) -> list[str]:
    decomposed = [found for found in every if found.parts]
    if not decomposed:
        return []
    methods = Counter(found.method for found in decomposed)
    others = [name for name in (plan.names[SECOND], "scenario") if any(name in found.levels for found in decomposed)]
    counts = [f"{method} ({count} of {len(decomposed)})" for method, count in methods.most_common()]
    return [
        f"Tasks are taken as a sample, {' and '.join([plan.names[FIRST], *others])} as those at hand; shares are of "
        "the sum of the variance components, on the scale of the number itself (passes and truth values: of "
        "probabilities). Components estimated below zero count as zero.",
        f"Components by {' and '.join(counts)}; unequal repeats and missing cells go by likelihood.",
        "95% intervals by a bootstrap over tasks (families where there are some) with normal weights, read back "
        "through the chi-squared and noncentral F distributions of mean squares.",
    ]  # fmt: skip


def _cautions(evidence: Evidence, every: list[Decomposition], said: list[str]) -> list[str]:
    found = list(said)
    partly = [item for item in every if item.parts and item.trials < len(evidence.results)]
    if partly:
        found.append(f"Divided among the trials they are known of, not all: {_names(partly)}.")
    decomposed = [item for item in every if item.parts]
    held = Counter((holder, tuple(lost)) for item in decomposed for holder, lost in item.holds.items())
    for (holder, lost), count in held.most_common():
        repeats = holder == "repeat" and len(lost) == 1
        why = "two repeats would tell" if repeats else "it takes every combination on the same tasks, repeated"
        of = "" if count == len(decomposed) else f" in {count} of {len(decomposed)} numbers"
        found.append(f"Not told from {holder}{of}, which holds it too: {', '.join(lost)} ({why}).")
    if decomposed and len(evidence.models) < 2:
        found.append(f"Only one {evidence.by}: what is its doing cannot be told.")
    few = [item for item in every if item.too_few and item.too_few != UNVARYING]
    still = [item for item in every if item.too_few == UNVARYING]
    if decomposed and few:
        found.append(f"Too little is known to divide the variance of {_names(few)}.")
    if decomposed and still:
        found.append(f"What never varies has no shares: {_names(still)}.")
    return found


def _names(items: list[Decomposition]) -> str:
    shown = ", ".join(item.label for item in items[:6])
    return shown if len(items) <= 6 else f"{shown} and {len(items) - 6} more"
