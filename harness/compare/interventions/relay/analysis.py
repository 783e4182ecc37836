"""Outcome ~ prefix + suffix + prefix:suffix over tasks, the ends of the course beside it.

Within a task (of one scenario and scaffold) trials of one model that began, one that went on, and one share are
averaged. Of two models A and B, with AB what A began and B went on with, the terms of one share are

    sets up     ((AA + AB) - (BA + BB)) / 2
    finishes    ((AA + BA) - (AB + BB)) / 2
    own course  ((AA + BB) - (AB + BA)) / 2

which are the main effects and the interaction of a two-by-two design with task effects, each of its coefficients under
coding of 1/2 and -1/2 (the interaction halved). They are averaged over the shares between 0 and 1 that have all four:
late shares come out otherwise than early ones, and where a share lacks one of the four that would pass for an effect.
Tasks are what is independent: intervals and sign flips are over them.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.interventions.relay.handover import handover
from harness.compare.interventions.relay.result import Cell, Course, Effect, Handover, Point, Relay, Sham, Term
from harness.compare.panel import model_order
from harness.compare.sentences import would_show
from harness.compare.statistics import Difference, Estimate, mean_interval, paired_difference, rate_interval
from harness.compare.statistics.simultaneous import corrected
from harness.errors import UserError

Floats = NDArray[np.float64]
_SIGNS: dict[Term, tuple[float, float, float, float]] = {
    "sets up": (0.5, 0.5, -0.5, -0.5),
    "finishes": (0.5, -0.5, 0.5, -0.5),
    "own course": (0.5, -0.5, -0.5, 0.5),
}
"""Of AA, AB, BA, BB."""


def relay(evidence: Evidence, outcome: str = "score") -> Relay:
    """Analyse the trials of a relay.

    `outcome` is the score (whether it passed where there is none), or a numeric column of the trials: `passed`,
    `turns`, `measure.<name>`. Raises `UserError` for a column that is not there or holds no numbers.
    """
    trials, cautions = _trials(evidence, outcome)
    models = [name for name in _models(evidence) if name in set(trials["prefix"]) | set(trials["model"])]
    if trials.empty:
        return Relay(models=models, outcome=outcome, cautions=cautions,
                     too_few="No continuation has a graded result: nothing can be said of relays.")  # fmt: skip
    inner = trials[(trials["at"] > 0) & (trials["at"] < 1)]
    if inner.empty:
        cautions.append("No share between 0 and 1 was run: only the ends are here.")
    shares = outcome in ("score", "passed") and bool(trials["outcome"].between(0.0, 1.0).all())
    units = _units(trials)
    cube = _cube(inner, units, models)
    inside = _mean(cube)
    pairs = list(itertools.combinations(range(len(models)), 2))
    effects, left = _effects(cube, units, models, pairs, shares)
    gain, unheld = _handover(trials, units, models)
    return Relay(
        models=models,
        outcome=outcome,
        trials=len(trials),
        tasks=int(trials["cluster"].nunique()),
        shares=shares,
        effects=effects,
        courses=_courses(cube, units, models, pairs, shares),
        cells=_cells(inner, inside, units, models, shares),
        points=_points(trials, units, models, shares),
        shams=_shams(trials, inside, units, models, shares),
        handover=gain,
        notes=[*_notes(len(pairs)), *(would_show(row.difference for row in effects) if shares else [])],
        cautions=[*cautions, *left, *([unheld] if unheld else [])],
    )


def _models(evidence: Evidence) -> list[str]:
    """The models compared; all there are where something else is."""
    if evidence.by == "model":
        return evidence.models
    return model_order(evidence.results, "model", evidence.asked)


def _trials(evidence: Evidence, outcome: str) -> tuple[pd.DataFrame, list[str]]:
    """One row a trial with an outcome and no drift: unit columns, `prefix`, `model`, `at`, `outcome`, `cluster`.

    Of the repeats of a trial that is kept whole, which are the same trial, one.
    """
    results = evidence.results
    table = results[["scenario", "task", "scaffold", "model", "trial"]].assign(
        prefix=results["prefix"].astype(str), at=results["at"].astype(np.float64),
        outcome=_outcome(results, outcome), cluster=evidence.cluster,
    )  # fmt: skip
    cautions = []
    assert evidence.lineage is not None  # noqa: S101 - trials of a relay have one
    line = evidence.lineage.assign(trial=evidence.lineage["trial"].astype(str)).set_index("trial")
    names = table["trial"].astype(str)
    unknown = ~table["prefix"].isin(_models(evidence))
    if unknown.any():
        cautions.append(f"{int(unknown.sum())} continuations of models that are not compared are left out.")
    gone = (names.map(line["drift"]) > 0) & ~unknown
    if gone.any():
        cautions.append(f"{int(gone.sum())} continuations whose way back drifted from the record are left out.")
    ungraded = table["outcome"].isna() & ~gone & ~unknown
    if ungraded.any():
        what = "score" if outcome == "score" else outcome
        cautions.append(f"{int(ungraded.sum())} continuations without a {what} are left out.")
    missing = len(evidence.trials) - len(results)
    if missing:
        cautions.append(f"{missing} continuations did not come to a result and are left out.")
    table = table.assign(origin=names.map(line["origin"]).fillna(names))[~unknown & ~gone & ~ungraded]
    again = (table["at"] == 1) & table.duplicated(["origin", "prefix", "model", "at"])
    return table[~again].reset_index(drop=True), cautions


def _outcome(results: pd.DataFrame, name: str) -> pd.Series:
    if name not in results:
        raise UserError(f"no outcome {name!r}: the trials have no such column")
    try:
        found = pd.to_numeric(results[name]).astype(np.float64)
    except (ValueError, TypeError):
        raise UserError(f"outcome {name!r} holds no numbers") from None
    return found.where(found.notna(), results["passed"].astype(np.float64)) if name == "score" else found


def _units(trials: pd.DataFrame) -> pd.DataFrame:
    """One row for each scenario, task and scaffold, with its cluster; the index is the unit's number."""
    return trials.groupby(["scenario", "task", "scaffold"], sort=True)["cluster"].first().reset_index()


def _unit_of(trials: pd.DataFrame, units: pd.DataFrame) -> NDArray[np.int64]:
    keys = ["scenario", "task", "scaffold"]
    return pd.MultiIndex.from_frame(units[keys]).get_indexer(pd.MultiIndex.from_frame(trials[keys])).astype(np.int64)


def _cube(inner: pd.DataFrame, units: pd.DataFrame, models: list[str]) -> Floats:
    """Units x prefixes x suffixes x shares between the ends: the mean over trials; NaN where there is none."""
    shares = sorted(inner["at"].unique())
    made = np.full((len(units), len(models), len(models), len(shares)), np.nan)
    if inner.empty:
        return made
    keyed = inner.assign(unit=_unit_of(inner, units)).groupby(["unit", "prefix", "model", "at"])["outcome"].mean()
    averaged = keyed.reset_index()
    place = {model: number for number, model in enumerate(models)}
    share = averaged["at"].map({at: number for number, at in enumerate(shares)})
    made[averaged["unit"], averaged["prefix"].map(place), averaged["model"].map(place), share] = averaged["outcome"]
    return made


def _mean(values: Floats) -> Floats:
    """Over the last axis, of what is there; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    sums = np.where(known, values, 0.0).sum(axis=-1)
    means: Floats = np.divide(sums, count, out=np.full(count.shape, np.nan), where=count > 0)
    return means


def _effects(
    cube: Floats, units: pd.DataFrame, models: list[str], pairs: list[tuple[int, int]], shares: bool
) -> tuple[list[Effect], list[str]]:
    """The terms of each pair, and what is to be said of tasks and shares that are in none of them."""
    clusters = units["cluster"].to_numpy()
    bounds = (-1.0, 1.0) if shares else None
    found: list[tuple[int, int, Term, Difference]] = []
    left = []
    for one, other in pairs:
        square = np.stack([cube[:, a, b] for a, b in itertools.product((one, other), repeat=2)], axis=2)
        absent: NDArray[np.bool_] = np.isnan(square)
        lacking, some = np.any(absent, axis=2), ~np.all(absent, axis=2)
        if (short := int((lacking & some).sum())) > 0:
            none = int(np.sum(np.all(lacking, axis=1) & np.any(some, axis=1)))
            left.append(
                f"{models[one]}, {models[other]}: {short} of {int(some.sum())} shares of tasks lack one of the four "
                f"relays and are in none of the terms" + (f", of {none} tasks every share." if none else ".")
            )
        for term, signs in _SIGNS.items():
            contrast = _mean(square @ np.array(signs))
            found.append((one, other, term, paired_difference(contrast, np.zeros(len(contrast)), clusters,
                                                              bounds=bounds)))  # fmt: skip
    told = corrected([difference for *_, difference in found], True)
    effects = [
        Effect(models[one], models[other], term, difference)
        for (one, other, term, _), difference in zip(found, told, strict=True)
    ]
    return effects, left


def _courses(
    cube: Floats, units: pd.DataFrame, models: list[str], pairs: list[tuple[int, int]], shares: bool
) -> list[Course]:  # fmt: skip
    """For each pair, what its own course is worth to each, of the shares of tasks that the terms are of."""
    clusters = units["cluster"].to_numpy()
    found = []
    for pair in pairs:
        lacking = np.isnan(np.stack([cube[:, a, b] for a, b in itertools.product(pair, repeat=2)])).any(axis=0)
        for model, other in (pair, pair[::-1]):
            own, foreign = (_mean(np.where(lacking, np.nan, cube[:, prefix, model])) for prefix in (model, other))
            difference = paired_difference(own, foreign, clusters, bounds=(-1.0, 1.0) if shares else None)
            found.append(Course(models[model], models[other], difference))
    return found


def _cells(
    inner: pd.DataFrame, inside: Floats, units: pd.DataFrame, models: list[str], shares: bool
) -> list[Cell]:  # fmt: skip
    made = []
    for (row, prefix), (column, suffix) in itertools.product(enumerate(models), repeat=2):
        count = int(((inner["prefix"] == prefix) & (inner["model"] == suffix)).sum())
        if count:
            made.append(Cell(prefix, suffix, count, _value(inside[:, row, column], units, shares)))
    return made


def _points(trials: pd.DataFrame, units: pd.DataFrame, models: list[str], shares: bool) -> list[Point]:
    """The course of every ordered pair: the suffix alone, the swaps, the prefix alone."""
    unit = _unit_of(trials, units)
    made = []
    for prefix, suffix in itertools.product(models, repeat=2):
        for at in sorted(trials["at"].unique()):
            began, went_on = (suffix, suffix) if at == 0 else (prefix, prefix) if at == 1 else (prefix, suffix)
            chosen = ((trials["prefix"] == began) & (trials["model"] == went_on) & (trials["at"] == at)).to_numpy()
            if chosen.any():
                values = _means(trials["outcome"].to_numpy()[chosen], unit[chosen], len(units))
                made.append(Point(prefix, suffix, float(at), int(chosen.sum()), _value(values, units, shares)))
    return made


def _shams(trials: pd.DataFrame, inside: Floats, units: pd.DataFrame, models: list[str], shares: bool) -> list[Sham]:
    clusters = units["cluster"].to_numpy()
    found = []
    for place, model in enumerate(models):
        ends = [_alone(trials, units, model, at) for at in (0.0, 1.0)]
        there = [not np.isnan(end).all() for end in ends]
        if not any(there) or np.isnan(inside[:, place, place]).all():
            continue
        against = (ends[0] + ends[1]) / 2 if all(there) else ends[there.index(True)]
        difference = paired_difference(inside[:, place, place], against, clusters,
                                       bounds=(-1.0, 1.0) if shares else None)  # fmt: skip
        found.append(
            (model, "alone" if all(there) else "from the beginning" if there[0] else "as recorded", difference)
        )
    told = corrected([difference for *_, difference in found], True) if found else []
    return [
        Sham(model, against, difference)  # type: ignore[arg-type]
        for (model, against, _), difference in zip(found, told, strict=True)
    ]


def _handover(
    trials: pd.DataFrame, units: pd.DataFrame, models: list[str]
) -> tuple[Handover | None, str | None]:  # fmt: skip
    """Every relay against every single model, and what was left out."""
    unit = _unit_of(trials, units)
    outcome = trials["outcome"].to_numpy()
    relays: dict[str, Floats] = {}
    inner = sorted(at for at in trials["at"].unique() if 0 < at < 1)
    for (prefix, suffix), at in itertools.product(itertools.permutations(models, 2), inner):
        chosen = ((trials["prefix"] == prefix) & (trials["model"] == suffix) & (trials["at"] == at)).to_numpy()
        relays[f"{prefix}, then {suffix} from {at:g}"] = _means(outcome[chosen], unit[chosen], len(units))
    singles = {
        model: _mean(np.stack([_alone(trials, units, model, at) for at in (0.0, 1.0)], axis=1)) for model in models
    }
    return handover(relays, singles, units["cluster"].to_numpy())


def _alone(trials: pd.DataFrame, units: pd.DataFrame, model: str, at: float) -> Floats:
    """One model from beginning to end, by unit."""
    chosen = ((trials["prefix"] == model) & (trials["model"] == model) & (trials["at"] == at)).to_numpy()
    return _means(trials["outcome"].to_numpy()[chosen], _unit_of(trials[chosen], units), len(units))


def _means(values: Floats, unit: NDArray[np.int64], count: int) -> Floats:
    trials = np.bincount(unit, minlength=count)
    sums = np.bincount(unit, weights=values, minlength=count)
    means: Floats = np.divide(sums, trials, out=np.full(count, np.nan), where=trials > 0)
    return means


def _value(values: Floats, units: pd.DataFrame, shares: bool) -> Estimate:
    known = ~np.isnan(values)
    clusters = units["cluster"].to_numpy()[known]
    if shares:
        return rate_interval(values[known], clusters, np.full(int(known.sum()), 2))
    return mean_interval(values[known], clusters)


def _notes(pairs: int) -> list[str]:
    return [
        "Terms are of the shares between 0 and 1: sets up and finishes are the main effects of who began and of who "
        "went on, own course their interaction; contrasts within each task, intervals and sign flips over tasks, p "
        f"corrected by Holm over {3 * pairs}."
        if pairs
        else "Terms, of who began and who went on, take two models.",
        "The ends of a course are one model alone: at 0 from the beginning on the same seed, at 1 its recorded trial.",
        "The control is a model swapped for itself on the same way, against the mean of its two ends.",
        "What a relay gains over single models is told on tasks on which neither was chosen (leave one task out); its "
        "p is the largest of those against each single model, corrected by Holm over all relays.",
    ]
