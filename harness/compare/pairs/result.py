"""What the paired comparison comes back as, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.compare.analysis import Analysis
from harness.compare.cautions import cautions
from harness.compare.evidence import Evidence
from harness.compare.pairs.differences import Pair, differences
from harness.compare.pairs.flips import Flip, flip_lists
from harness.compare.pairs.interactions import Interaction, interactions
from harness.compare.panel import role_columns
from harness.compare.sentences import (
    amount,
    chance_of,
    counted,
    more,
    oriented,
    outcome_sentence,
    p_value,
    points,
    would_show,
)
from harness.compare.statistics import MIN_CLUSTERS_TESTED, Difference

MOST_PAIRS = 8
"""Pairs told one by one in sentences: the clearest."""


@dataclass(frozen=True, kw_only=True)
class Pairs(Analysis):
    """Models two by two."""

    name: ClassVar[str] = "pairs"
    title: ClassVar[str] = "Paired differences"
    by: str
    """What is compared."""
    models: list[str]
    pairs: list[Pair] = field(default_factory=list)
    """Overall first (`column` None), then section by section."""
    scores_are_shares: bool = True
    """Whether scores lie in [0, 1], so that differences of them can be told in points."""
    interactions: list[Interaction] = field(default_factory=list)
    """Whether a pair's difference depends on scenario, scaffold, ..., where there are several."""
    flips: list[Flip] = field(default_factory=list)
    """Units on which a pair comes out differently, the largest differences of each pair first."""

    @property
    def overall(self) -> list[Pair]:
        """The pairs over everything."""
        return [pair for pair in self.pairs if pair.column is None]

    def sections(self, column: str) -> list[Pair]:
        """The pairs within each value of this column."""
        return [pair for pair in self.pairs if pair.column == column]

    def sentences(self) -> list[str]:
        """Each pair (the clearest eight), what scores say beyond that, and what depends on scenario or scaffold."""
        if self.too_few is not None:
            return [self.too_few]
        pairs = sorted(self.overall, key=clarity)
        if len(pairs) > 1 and all(pair.passed.clusters < MIN_CLUSTERS_TESTED for pair in pairs):
            scored = [_score_only(pair, self.scores_are_shares) for pair in pairs[:MOST_PAIRS]]
            return [_none_has_enough(pairs), *(text for text in scored if text)]
        found = [outcome_sentence(pair.first, pair.second, pair.passed) for pair in pairs[:MOST_PAIRS]]
        if len(pairs) > MOST_PAIRS:
            told = sum(pair.passed.shown for pair in pairs[MOST_PAIRS:])
            left = len(pairs) - MOST_PAIRS
            found.append(
                f"{left} further pairs differ less clearly than these: {told} can be told from chance, "
                f"{left - told} cannot."
            )
        found += [text for text in (_score_only(pair, self.scores_are_shares) for pair in pairs[:MOST_PAIRS]) if text]
        return found + _dependences(self.interactions)

    def tables(self) -> Mapping[str, Sequence[Any]]:
        """`pairs`, `interactions`, `flips`."""
        return {"pairs": self.pairs, "interactions": self.interactions, "flips": self.flips}


def pairs(evidence: Evidence) -> Pairs:
    """Compare the models of evidence two by two: `evidence.pairs`, overall and in every section."""
    told = [caution.text for caution in cautions(evidence)]
    nothing = _nothing(evidence)
    if nothing is not None:
        return Pairs(by=evidence.by, models=evidence.models, too_few=nothing, cautions=told)
    found = differences(evidence)
    flips, left = flip_lists(evidence)
    notes = _notes(found, evidence)
    if left:
        notes.append(f"Of each pair the tasks that differ most are listed; {left} others differ too.")
    return Pairs(
        by=evidence.by, models=evidence.models, pairs=found, scores_are_shares=_shares(evidence),
        interactions=interactions(evidence, found), flips=flips,
        notes=notes, cautions=told,
    )  # fmt: skip


def _shares(evidence: Evidence) -> bool:
    known = evidence.results["score"].dropna()
    return bool(known.between(0, 1).all())


def clarity(pair: Pair) -> tuple[bool, float, float]:
    """Sorts the clearest difference first."""
    difference = pair.passed
    if difference.p is None or difference.estimate is None:
        return True, 1.0, 0.0
    return False, difference.p, -abs(difference.estimate)


def _nothing(evidence: Evidence) -> str | None:
    if not len(evidence.results):
        return "No trial has a result yet."
    if len(evidence.models) < 2 or not evidence.pairs:
        name = ", ".join(evidence.models)
        columns = ["scaffold", *role_columns(evidence.trials)]
        varies = [column for column in columns if column != evidence.by and evidence.trials[column].nunique() > 1]
        which = "that" if len(varies) == 1 else "one of those"
        instead = f" What varies is {', '.join(varies)}: compare by {which}." if varies else ""
        return f"Only one {evidence.by} is recorded ({name}): a comparison takes two.{instead}"
    return None


def _notes(found: Sequence[Pair], evidence: Evidence) -> list[str]:
    columns = [name for name in evidence.units.columns if name != "task"]
    tests = sorted({d.p_method for pair in found for d in (pair.passed, pair.score) if d.p is not None})
    corrected = next((pair.passed.adjusted_by for pair in found if pair.passed.adjusted_by), None)
    notes = [
        f"Differences are paired by task, {', '.join(columns)}; repeats are averaged first. 95% intervals: standard "
        "errors clustered by task or family, t with one degree of freedom less than there are of those."
    ]
    if tests and corrected:
        why = "declared beforehand" if evidence.declared else "explored"
        notes.append(f"p: {'; '.join(tests)}. Pairs were {why}: p corrected by {corrected} (overall).")
    notes.append("flips: chance that one trial of each on the same task come out differently.")
    return notes + would_show(pair.passed for pair in found)


def _none_has_enough(pairs: Sequence[Pair]) -> str:
    most = max(pair.passed.clusters for pair in pairs)
    if most == 0:
        return "No task has a result of two of them that is graded passed or failed: pass rates cannot be compared."
    needed = max(pair.passed.needed or MIN_CLUSTERS_TESTED for pair in pairs)
    return (
        f"Too few tasks to compare any of the {len(pairs)} pairs: at most {counted(most, 'independent task')} of both; "
        f"it takes at least {MIN_CLUSTERS_TESTED} to tell anything from chance, and about {needed} to see 20 points."
    )


def _score_only(pair: Pair, shares: bool) -> str | None:
    """Where scores differ although pass rates do not."""
    difference = pair.score
    if difference.estimate is None or not difference.shown or pair.passed.shown:
        return None
    if difference.clusters < MIN_CLUSTERS_TESTED:
        return None
    better, worse, difference = oriented(pair.first, pair.second, difference)
    size = more(difference) if shares else _amounts(difference)
    told = f"{size}; {chance_of(difference)}"
    return f"{better} scores higher than {worse} ({told}), which pass rates do not show."


def _amounts(difference: Difference) -> str:
    """`30.0 more, 28.1 to 31.9`, for scores that are no shares."""
    if difference.low is None or difference.high is None:
        return f"{amount(difference.estimate)} more"
    return f"{amount(difference.estimate)} more, {amount(difference.low)} to {amount(difference.high)}"


def _dependences(found: Sequence[Interaction]) -> list[str]:
    """Shown interactions: reversed orders first, at most three; or that none is shown among those tested."""
    shown = sorted((i for i in found if i.shown), key=lambda i: (not i.reversed, i.p_adjusted or 0.0))
    told = []
    for interaction in shown[:3]:
        levels = sorted(
            (level for level in interaction.levels if level.difference is not None),
            key=lambda level: -(level.difference or 0.0),
        )
        chance = f"p {_relation(interaction.p_adjusted)} that it does not"
        if interaction.reversed:
            up = ", ".join(level.value for level in levels if level.shown and (level.difference or 0) > 0)
            down = ", ".join(level.value for level in levels if level.shown and (level.difference or 0) < 0)
            told.append(
                f"The order depends on the {interaction.column}: {interaction.first} passes more often than "
                f"{interaction.second} in {up}, less often in {down} ({chance})."
            )
        elif levels:
            told.append(
                f"How far {interaction.first} and {interaction.second} are apart depends on the {interaction.column}: "
                f"{points(levels[0].difference)} points in {levels[0].value}, {points(levels[-1].difference)} in "
                f"{levels[-1].value} ({chance})."
            )
    if len(shown) > 3:
        told.append(f"{counted(len(shown) - 3, 'further difference')} between pairs depend on scenario or scaffold.")
    return told


def _relation(p: float | None) -> str:
    text = p_value(p)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"
