"""Models compared: overall, per scenario and per scaffold, with everything that has to stand beside the numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from harness.compare.behaviour import Behaviour, behaviours
from harness.compare.panel import Grid, Panel, model_order
from harness.compare.receipts import Caution, unequal_identities, unequal_receipts
from harness.compare.statistics import Difference, holm, paired_difference
from harness.compare.summary import Summary, common_k, groups, ready, summary
from harness.errors import UserError


@dataclass(frozen=True)
class Pair:
    """Two models on the units both have results for, the first minus the second."""

    first: str
    second: str
    passed: Difference
    score: Difference
    flips: float | None
    """Chance that one trial of each, on the same unit, come out differently: a(1 - b) + b(1 - a), averaged."""


@dataclass(frozen=True)
class NoiseFloor:
    """A model against itself: the odd repeats of each unit minus the even ones, as if they were two models.

    Each half has half of the repeats, so this floor lies above that of a difference between whole models.
    """

    model: str
    passed: Difference
    flips: float | None
    """Chance that two of its trials on the same unit come out differently: 2c(n - c) / (n(n - 1)), averaged."""


@dataclass(frozen=True)
class Section:
    """One comparison: overall, or within one scenario or scaffold."""

    column: str | None
    """What is held still: `scenario` or `scaffold`; None overall."""
    value: str | None
    outcomes: list[Summary]
    pairs: list[Pair]
    noise: list[NoiseFloor]
    """Of models with two repeats or more."""

    @property
    def title(self) -> str:
        """`overall`, `scenario refund-desk`."""
        return "overall" if self.column is None else f"{self.column} {self.value}"


@dataclass(frozen=True)
class Comparison:
    """Everything `harness compare` says."""

    by: str
    """What is compared: `model`, or another column."""
    models: list[str]
    """The values of `by`, in plan order."""
    overall: Section
    sections: list[Section]
    """Per scenario and per scaffold, where there are several."""
    behaviours: list[Behaviour]
    cautions: list[Caution]
    sentences: list[str] = field(default_factory=list)
    """The findings in plain English, the most important first."""


def compare_models(
    trials: pd.DataFrame,
    *,
    asked: pd.DataFrame | None = None,
    calls: pd.DataFrame | None = None,
    between: Sequence[str] | None = None,
    by: str = "model",
    sections: bool = True,
) -> Comparison:
    """Compare models (or the values of another column `by`) on the `trials` table of a sweep.

    `asked` is what the sweep asks for, `calls` receipts of some or all of its calls; `between` names the models to
    compare, in order, when not all. Differences are the earlier minus the later. Holm corrects p over the pairs of
    one kind of section (overall; all scenarios; all scaffolds), passes and scores each for themselves.
    Raises `UserError` for a column or model that is not there.
    """
    table, wanted = ready(trials, asked)
    if by not in table or by in ("task", "trial", "cell"):
        raise UserError(f"cannot compare by {by!r}: compare by model, scaffold, or another column that is crossed")
    everyone = model_order(table, by, wanted)
    models = list(between) if between else everyone
    for model in models:
        if model not in everyone:
            raise UserError(f"no {by} {model!r} in these records; there are: {', '.join(everyone)}")
    if len(set(models)) < len(models):
        raise UserError(f"{by} {models[0]!r} is to be compared with itself; its noise floor says that already")
    table = table[table[by].astype(str).isin(models)]
    wanted = wanted if wanted is None or by not in wanted else wanted[wanted[by].isin(models)]
    views = _Views(table, wanted, by, models)
    overall = views.section(None, None)
    inner = [views.section(column, value) for column, value in views.inner()] if sections else []
    overall, inner = _corrected(overall, inner)
    cautions = [*_missing(overall, by), *views.overlaps(), *unequal_identities(table, by)]
    if calls is not None and len(calls) and len(models) > 1:
        cautions += unequal_receipts(calls, table, by, models)
    comparison = Comparison(by, models, overall, inner, behaviours(table, by, models), cautions)
    from harness.compare.sentences import sentences

    return replace(comparison, sentences=sentences(comparison))


class _Views:
    """The panels of one comparison, made once and cut for each section."""

    def __init__(self, table: pd.DataFrame, asked: pd.DataFrame | None, by: str, models: list[str]) -> None:
        self.table, self.asked, self.by, self.models = table, asked, by, models
        results = table[table["is_result"]]
        self.k = common_k(table)
        grid = Grid(results, by, models)
        self.passed = grid.panel(results["passed"])
        self.score = grid.panel(results["score"])
        graded = results["passed"].notna()
        rank = (
            results[graded].groupby("_unit").cumcount().reindex(results.index).to_numpy(dtype=np.float64, na_value=-1)
        )
        self.halves = [grid.panel(results["passed"], rank % 2 == half) for half in (0, 1)]

    def inner(self) -> list[tuple[str, str]]:
        """The sections beside the overall one."""
        found = []
        for column in ("scenario", "scaffold"):
            values = model_order(self.table, column, self.asked)
            if len(values) > 1 and column != self.by:
                found += [(column, value) for value in values]
        return found

    def section(self, column: str | None, value: str | None) -> Section:
        table, asked, passed, score = self.table, self.asked, self.passed, self.score
        halves = self.halves
        if column is not None and value is not None:
            table = table[table[column] == value]
            asked = None if asked is None else asked[asked[column] == value]
            passed, score = passed.where(column, value), score.where(column, value)
            halves = [half.where(column, value) for half in halves]
        outcomes = [summary(part, count, key, self.k) for key, part, count in groups(table, asked, [self.by])]
        order = {model: position for position, model in enumerate(self.models)}
        outcomes.sort(key=lambda row: order[row.key[self.by]])
        pairs = [_pair(passed, score, a, b) for a, b in itertools.combinations(self.models, 2)]
        return Section(column, value, outcomes, pairs, self._noise(passed, halves))

    def _noise(self, passed: Panel, halves: list[Panel]) -> list[NoiseFloor]:
        found = []
        for model in self.models:
            odd, even = (half.column(model) for half in halves)
            if np.any(~np.isnan(odd) & ~np.isnan(even)):
                difference = paired_difference(odd, even, passed.clusters)
                found.append(NoiseFloor(model, difference, _flips_within(passed, model)))
        return found

    def overlaps(self) -> list[Caution]:
        """Said once for all pairs that share only some of their units."""
        found: dict[str, tuple[int, int]] = {}
        for a, b in itertools.combinations(self.models, 2):
            one, other = ~np.isnan(self.passed.column(a)), ~np.isnan(self.passed.column(b))
            both, either = int(np.sum(one & other)), int(np.sum(one | other))
            if 0 < both < either:
                found[f"{a} and {b}"] = both, either
        if not found:
            return []
        worst = min(found, key=lambda name: found[name][0] / found[name][1])
        both, either = found[worst]
        text = f"{worst} are paired on {both} of {either} units, the others lack a result of one of them"
        if len(found) > 1:
            text += f"; {len(found) - 1} other pairs are incomplete too, less so"
        return [Caution("overlap", worst.split(" and "), text)]


def _pair(passed: Panel, score: Panel, first: str, second: str) -> Pair:
    a, b = passed.column(first), passed.column(second)
    difference = paired_difference(a, b, passed.clusters, single=passed.single(first, second))
    scores = paired_difference(
        score.column(first), score.column(second), score.clusters, single=score.single(first, second)
    )
    return Pair(first, second, difference, scores, _flips_between(a, b))


def _flips_between(a: np.ndarray, b: np.ndarray) -> float | None:
    both = ~(np.isnan(a) | np.isnan(b))
    return float(np.mean(a[both] * (1 - b[both]) + b[both] * (1 - a[both]))) if both.any() else None


def _flips_within(panel: Panel, model: str) -> float | None:
    trials = panel.trials[:, panel.models.index(model)]
    rate, count = panel.column(model)[trials > 1], trials[trials > 1]
    return float(np.mean(2 * rate * (1 - rate) * count / (count - 1))) if len(count) else None


def _corrected(overall: Section, inner: list[Section]) -> tuple[Section, list[Section]]:
    """Holm within each kind of section."""
    done = [overall, *inner]
    for column in {section.column for section in done}:
        places = [index for index, section in enumerate(done) if section.column == column]
        for which in ("passed", "score"):
            _holm(done, places, which)
    return done[0], done[1:]


def _holm(sections: list[Section], places: list[int], which: str) -> None:
    p_values = [getattr(pair, which).p for place in places for pair in sections[place].pairs]
    known = [p for p in p_values if p is not None]
    adjusted = iter(holm(known))
    how = f"Holm over {len(known)}"
    for place in places:
        pairs = []
        for pair in sections[place].pairs:
            difference: Difference = getattr(pair, which)
            if difference.p is not None:
                difference = replace(difference, p_adjusted=next(adjusted), adjusted_by=how)
            pairs.append(replace(pair, passed=difference) if which == "passed" else replace(pair, score=difference))
        sections[place] = replace(sections[place], pairs=pairs)


def _missing(section: Section, by: str) -> list[Caution]:
    found = []
    for row in section.outcomes:
        if row.account.missing:
            reasons = ", ".join(f"{count} {why}" for why, count in row.account.missing_why.items())
            asked = row.account.asked or row.account.done + row.account.missing
            text = f"{row.key[by]}: {row.account.missing} of {asked} trials missing ({reasons})"
            found.append(Caution("missing", [row.key[by]], text))
    return found
