"""Identification: the sample, the ladder, and what is read off it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.compare.evidence import Evidence
from harness.compare.identification.ladder import PERMUTATIONS, PREFIX_PERMUTATIONS, Step, climb, own, prefixes
from harness.compare.identification.result import ACTIONS, ARGUMENTS, TEXT, Identification, Own, Rung
from harness.compare.identification.sample import FEWEST_TRIALS, MOST_TRIALS, Sample, draw, eligible, relabelled
from harness.compare.identification.scores import confusion, pairs, told_models
from harness.compare.identification.sequences import masked
from harness.compare.identification.tells import tells
from harness.compare.identification.wording import Written, written
from harness.compare.sentences import several
from harness.compare.statistics import MIN_CLUSTERS_TESTED, calibration_error, error_if_calibrated, reliability


def identification(evidence: Evidence) -> Identification:
    """Whether models (or whatever is compared) can be told apart by what they did, on tasks not trained on."""
    if evidence.paths is None:
        return _nothing(evidence, [], [], "no actions are recorded: it takes a record with steps")
    models = eligible(evidence)
    floor = own(evidence, models, evidence.chance("identification floor"))
    if len(models) < 2:
        return _nothing(evidence, models, floor, _alone(evidence, models))
    sample = draw(evidence, models, evidence.chance("identification sample"))
    if isinstance(sample, int):
        counted = f"{sample} independent {'task' if sample == 1 else 'tasks'} on which two of them have trials"
        return _nothing(evidence, models, floor, f"too few ({counted}); it takes at least {MIN_CLUSTERS_TESTED}")
    return _found(evidence, sample, floor)


def _alone(evidence: Evidence, models: Sequence[int]) -> str:
    """Why there are not two models to tell apart."""
    if len(evidence.models) < 2:
        return f"only one {evidence.by}, {evidence.models[0]}: telling apart takes two"
    known = np.zeros(len(evidence.model), dtype=bool) if evidence.paths is None else evidence.paths.known
    trials = np.bincount(evidence.model[known], minlength=len(evidence.models))
    counts = ", ".join(f"{name} {count}" for name, count in zip(evidence.models, trials, strict=True))
    return (
        f"too few (trials whose actions are known: {counts}); it takes at least {FEWEST_TRIALS} of each of two "
        f"{several(evidence.by)} on at least {MIN_CLUSTERS_TESTED} independent tasks"
    )


def _nothing(evidence: Evidence, models: Sequence[int], floor: list[Own], why: str) -> Identification:
    names = [evidence.models[model] for model in models]
    return Identification(
        too_few=why, by=evidence.by, models=names, left_out=[name for name in evidence.models if name not in names],
        own=floor,
    )  # fmt: skip


def _found(evidence: Evidence, sample: Sample, floor: list[Own]) -> Identification:
    """The whole of the analysis, for a sample that is large enough."""
    assert evidence.paths is not None  # noqa: S101 - the sample was drawn from them
    paths = evidence.paths.take(sample.rows)
    errors = masked(paths)
    said = written(evidence, sample, errors)
    most = max(*PERMUTATIONS.values(), PREFIX_PERMUTATIONS)
    labels = relabelled(sample, most, evidence.chance("identification permutations"))
    steps = climb(sample, paths, said, labels)
    without = climb(sample, paths, said, labels, steps) if errors.any() else []
    actions = next(step for step in steps if step.row.rung == ACTIONS)
    names = [evidence.models[model] for model in sample.models]
    matrix = confusion(actions.told, sample, names, evidence)
    stated = np.exp(actions.told.log_chance.max(axis=1))
    right = actions.told.answer == sample.label
    return Identification(
        by=evidence.by, models=names, left_out=[name for name in evidence.models if name not in names],
        chance=1 / len(names), trials=len(sample.rows), units=len(np.unique(sample.unit)),
        clusters=len(np.unique(sample.cluster)), folds=sample.folds, smallest_p=1 / (1 + PERMUTATIONS[ACTIONS]),
        ladder=[step.row for step in [*steps, *without]], confusion=matrix,
        told=told_models(actions.told, sample, names, matrix), pairs=pairs(actions.told, sample, names, evidence),
        own=floor, prefixes=prefixes(sample, paths, labels, actions),
        calibration=reliability(stated, right, sample.unit, sample.cluster),
        calibration_error=calibration_error(stated, right),
        calibration_bias=error_if_calibrated(stated, evidence.chance("identification calibration")),
        tells=[
            tell for step in steps if step.counts is not None
            for tell in tells(step.row.rung, step.counts, sample, names)
        ],
        notes=_notes(evidence, sample, [step.row for step in steps], said, bool(errors.any())),
        cautions=_cautions(evidence, sample, steps, said),
    )  # fmt: skip


def _notes(evidence: Evidence, sample: Sample, ladder: Sequence[Rung], said: Written | None, errors: bool) -> list[str]:
    by, permuted = evidence.by, {row.permutations for row in ladder}
    fewest, most = min(permuted), max(permuted)
    found = [
        f"Multinomial logit on how many actions a trial has and which one to three follow each other; {sample.folds} "
        f"folds, no task in training and test; every {by} as often on every task, so that chance is "
        f"1 in {sample.classes}.",
        "Intervals are clustered by task, and widened for what the folds have in common, by as much as accuracies of "
        "permuted labels are spread more widely than their clustered errors say.",
        f"p: labels permuted within task and scaffold, everything refitted, {most} times "
        f"(smallest p {1 / (1 + most):.2g})"
        + (f", with arguments and text {fewest} times ({1 / (1 + fewest):.2g})." if fewest < most else "."),
        "Each rung of the ladder sees what the one below sees, the lowest only how many actions there are.",
        f"Pairs: which of two is the likelier, sign-flip test by task, "
        f"{'Holm' if evidence.declared else 'Benjamini-Hochberg'} over the pairs.",
    ]
    if said is not None and {ARGUMENTS, TEXT} & {row.rung for row in ladder}:
        found.append(
            "Arguments and text as words and pairs of words; names of models, their parts and makers are masked, "
            f"figures are all one figure, and of one action at most {said.characters} characters are read."
        )
    if not errors:
        found.append("No format errors (malformed or cut-off replies) among these trials: masking changes nothing.")
    return found


def _cautions(evidence: Evidence, sample: Sample, steps: Sequence[Step], said: Written | None) -> list[str]:
    assert evidence.paths is not None  # noqa: S101 - the sample was drawn from them
    found, by = [], evidence.by
    apart = [name for number, name in enumerate(evidence.models) if number not in sample.models]
    if apart:
        found.append(f"Left out for fewer than {FEWEST_TRIALS} trials with known actions: {', '.join(apart)}.")
    unknown = int(np.count_nonzero(~evidence.paths.known))
    if unknown:
        found.append(f"{unknown} trials whose actions are not recorded are left out.")
    there = int(np.count_nonzero(evidence.paths.known & np.isin(evidence.model, sample.models)))
    if len(sample.rows) < there:
        why = "at most" if there > MOST_TRIALS else "to have as many of each on each task, at most"
        found.append(f"{len(sample.rows):,} of {there:,} trials, drawn at random ({why} {MOST_TRIALS:,}).")
    if not sample.complete:
        found.append(
            f"Few tasks have trials of every {by}: tasks with some of them are used, so that knowing the kind of task "
            f"can help; compare with the accuracy after permutation, not with chance."
        )
    climbed = {step.row.rung for step in steps}
    for name, what in ((ARGUMENTS, "Arguments"), (TEXT, "Texts")):
        if name not in climbed:
            why = "cannot be read here" if said is None else f"are not known for every {by}"
            found.append(f"{what} {why}: that rung is missing.")
    return found
