"""Forks: what recorded states are worth under each model, where that differs most, and what was done where it fell."""

from __future__ import annotations

import numpy as np

from harness.compare.cautions import missing
from harness.compare.evidence import Evidence
from harness.compare.interventions.fork.course import course_points, drops
from harness.compare.interventions.fork.exchange import repeats_to_tell
from harness.compare.interventions.fork.following import choices, following, next_actions
from harness.compare.interventions.fork.overall import by_depth, homes, origins, summaries
from harness.compare.interventions.fork.result import Fork
from harness.compare.interventions.fork.rollouts import Rollouts, rollouts
from harness.compare.interventions.fork.rows import (
    Advantage,
    Apart,
    ByDepth,
    Choice,
    CoursePoint,
    Drop,
    Home,
    NextAction,
    Origins,
    Summary,
    Value,
)
from harness.compare.interventions.fork.values import advantages, pairs_of, pivotal_first, values
from harness.compare.sentences import counted, would_show

__all__ = [
    "Advantage",
    "Apart",
    "ByDepth",
    "Choice",
    "CoursePoint",
    "Drop",
    "Fork",
    "Home",
    "NextAction",
    "Origins",
    "Summary",
    "Value",
    "fork",
]


def fork(evidence: Evidence) -> Fork:
    """What the continuations of evidence of kind `fork` say."""
    if evidence.by != "model":
        which = f"Forks are told model by model, not by {evidence.by}; compare them by model."
        return Fork(models=evidence.models, too_few=which)
    found = rollouts(evidence)
    same = [check for check in found.checks if check.same_model]
    checked, as_recorded = len(same), sum(check.as_recorded for check in same)
    told = _cautions(evidence, found)
    if not len(found.state):
        why = None if checked else "No continuation has a grade yet that could be told of."
        return Fork(
            models=evidence.models, too_few=why, cautions=told, checked=checked, checked_as_recorded=as_recorded
        )
    pairs = pairs_of(evidence)
    chance = evidence.chance("fork")
    ahead, apart = advantages(found, pairs, chance)
    codes, names, exact = next_actions(evidence, found)
    after, reasons = following(found, codes, names), choices(found, codes, pairs)
    whole = summaries(found, pairs, declared=evidence.declared)
    return Fork(
        models=evidence.models, states=len(found.states), rollouts=len(found.state),
        tasks=len(np.unique(found.cluster)), shares=found.shares, values=values(found), advantages=ahead,
        summaries=whole, apart=apart, pivotal=pivotal_first(ahead),
        depths=by_depth(found), homes=homes(found, pairs), origins=origins(found), courses=course_points(found),
        drops=drops(found, chance),
        following=after, choices=reasons, checked=checked, checked_as_recorded=as_recorded,
        notes=[
            *_notes(found, bool(ahead), exact, bool(reasons)),
            *(would_show(row.difference for row in whole) if found.shares else []),
        ],
        cautions=told,
    )  # fmt: skip


def _notes(found: Rollouts, compared: bool, exact: bool, explained: bool) -> list[str]:
    notes = [
        "value: mean score of the continuations of a state. Intervals of one state are of its continuations alone; "
        "those over states are clustered by task or family, with the mean of each state as one value."
    ]
    if compared:
        notes.append(
            "p of a state: the models' names exchanged among its continuations, corrected over all states and pairs "
            "(Benjamini-Hochberg). pivotal: held against the largest difference of any state under exchanged names. "
            "believed: drawn towards the mean of all states (empirical Bayes), as the largest of many is too large."
        )
    if explained:
        what = "tools with their arguments" if exact else "tools, whatever their arguments"
        notes.append(
            f"next action: {what}; what is due to its choice is Kitagawa's decomposition of the difference. "
            "advantage: of an action over the others, within the models that took it and another one in that state."
        )
    return notes


def _cautions(evidence: Evidence, found: Rollouts) -> list[str]:
    told = [caution.text for caution in missing(evidence)]
    for model, count in found.drifted.items():
        told.append(
            f"{model}: {counted(count, 'continuation')} left out, because the way back to the moment came out "
            "different (drift)"
        )
    other = [check for check in found.checks if not check.same_model]
    if other:
        told.append(
            f"{counted(len(other), 'continuation')} of other models drew as the recorded trial did (--same-chance), "
            "and take no part in the values"
        )
    cells = found.cells()
    if found.states and cells:
        fewest = min(len(outcomes) for outcomes in cells.values())
        needed = repeats_to_tell(len(found.states))
        if len(found.models) > 1 and fewest < needed:
            told.append(
                f"the fewest continuations of a state are {fewest} a model: with {counted(len(found.states), 'state')} "
                f"none can be told from chance by itself below about {needed}, unless few states vary at all"
            )
    return told
