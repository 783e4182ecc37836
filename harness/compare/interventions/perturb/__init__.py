"""Surfaces: what a change of names, order, wording or layout does to a model, beyond its own noise."""

from __future__ import annotations

from harness.compare.cautions import cautions
from harness.compare.evidence import Evidence
from harness.compare.interventions.perturb.changes import changes, interactions, measured, scores
from harness.compare.interventions.perturb.result import Perturb
from harness.compare.interventions.perturb.rows import PLAIN, Change, Moved, Score, Use, Yardstick
from harness.compare.interventions.perturb.sample import Sample, sample
from harness.compare.interventions.perturb.uses import uses
from harness.compare.interventions.perturb.yardstick import MOST_TASKS, yardsticks
from harness.compare.sentences import would_show

__all__ = ["Change", "Moved", "Perturb", "Score", "Use", "Yardstick", "perturb"]


def perturb(evidence: Evidence) -> Perturb:
    """Compare every surface with `plain`, model by model."""
    sorted_out = sample(evidence)
    told = [*(caution.text for caution in cautions(evidence)), *sorted_out.notes]
    nothing = _nothing(sorted_out)
    if nothing is not None:
        return Perturb(models=sorted_out.models, surfaces=sorted_out.surfaces, too_few=nothing, cautions=told)
    found, unpaired = measured(sorted_out)
    if unpaired:
        told.append(
            f"{unpaired} trials of other surfaces have no plain trial of the same seed and are not compared with one."
        )
    if not sorted_out.known:
        told.append("No action is recorded, so that behaviour cannot be compared.")
    known = sorted_out.table["score"].dropna()
    shares = bool(known.between(0, 1).all())
    scored = scores(evidence, sorted_out)
    return Perturb(
        models=sorted_out.models, surfaces=sorted_out.surfaces,
        changes=changes(evidence, sorted_out, found) if sorted_out.known else [],
        scores=scored,
        interactions=interactions(evidence, sorted_out, found if sorted_out.known else {}),
        yardsticks=yardsticks(evidence, sorted_out, found) if sorted_out.known else [],
        uses=uses(evidence, sorted_out), shares=shares, few=evidence.few,
        notes=[*_notes(evidence), *(would_show(row.change for row in scored) if shares else [])],
        cautions=list(dict.fromkeys(told)),
    )  # fmt: skip


def _nothing(found: Sample) -> str | None:
    if not len(found.table):
        return "No trial has a result yet."
    if PLAIN not in set(found.table["surface"]):
        return "No plain trial has a result yet: there is nothing to compare the surfaces with."
    if not found.surfaces:
        return "Only plain trials have results: ask for surfaces with `harness perturb --surfaces`."
    sizes = found.table.groupby(["model", "place", "surface"]).size()
    if int(sizes.max()) < 2 and found.table["score"].isna().all():
        return "One repeat of everything and no score: ask for -n 3 or more."
    return None


def _notes(evidence: Evidence) -> list[str]:
    how = "Holm" if evidence.declared else "Benjamini-Hochberg"
    return [
        "Change: energy distance, 2 d(plain, surface) - d(plain, plain) - d(surface, surface), between trials of "
        "different seeds of one task, averaged within tasks; 0 where the surface changes nothing, and below 0 by "
        "chance. sequence: insertions, deletions and exchanges that turn one sequence of action names into the other, "
        "as a share of the longer one; actions: total variation of the shares of actions.",
        "Tools count under their own names, whatever they were shown by. 95% intervals: clustered by task or family, "
        "t. p of a change: labels plain and surface exchanged within each seed, one-sided; of differences between "
        f"models and of scores: signs flipped by task. Corrected by {how} over all models and surfaces of one distance "
        "(plain-again apart).",
        "Beside substance: the change that a surface makes over the one between plain trials of two tasks of one "
        f"scenario and scaffold (at most {MOST_TASKS} of them); interval by the jackknife over tasks.",
    ]
