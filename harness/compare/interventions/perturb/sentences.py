"""What the analysis of surfaces found, in words."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.interventions.perturb.result import Perturb
from harness.compare.interventions.perturb.rows import (
    ACTIONS,
    AGAIN,
    EVERY,
    SEQUENCE,
    Change,
    Moved,
    Score,
    Use,
    Yardstick,
)
from harness.compare.interventions.perturb.uses import DISTRACTOR
from harness.compare.sentences import (
    ALPHA,
    amount,
    chance_of,
    counted,
    more,
    oriented,
    percent,
    points,
    size,
    would,
)
from harness.compare.statistics import MIN_CLUSTERS_TESTED, Difference

MOST = 6
"""Findings of one sort that are told one by one."""


def told(result: Perturb) -> list[str]:
    """Every sentence."""
    return [
        *_behaviour(result), *_again(result), *result.few, *_interactions(result), *_outcomes(result),
        *_beside_tasks(result), *_uses(result.uses),
    ]  # fmt: skip


def _behaviour(result: Perturb) -> list[str]:
    """Model by model: the surfaces that move it, else that none does."""
    found = []
    for model in result.models:
        mine = [row for row in result.changes if row.model == model and row.surface != AGAIN]
        if not mine:
            continue
        by_order = [row for row in mine if row.what == SEQUENCE and _moves(row)]
        seen = {row.surface for row in by_order}
        by_share = [row for row in mine if row.what == ACTIONS and _moves(row) and row.surface not in seen]
        moving = sorted([*by_order, *by_share], key=lambda row: -(row.change.estimate or 0.0))
        if moving:
            listed = "; ".join(_moved(row) for row in moving[:MOST])
            more_of = f"; and {len(moving) - MOST} further surfaces" if len(moving) > MOST else ""
            found.append(f"{model} acts otherwise under another surface: {listed}{more_of}.")
        gone = {row.surface for row in moving}
        may = [row for row in mine if row.what == SEQUENCE and row.surface not in gone and _may(row)]
        if may:
            listed = "; ".join(_moved(row) for row in may[:MOST])
            found.append(
                f"{model} may act otherwise under another surface, but that can be chance among those looked at: "
                f"{listed}."
            )
            gone |= {row.surface for row in may}
        still = [name for name in result.surfaces if any(row.surface == name for row in mine) and name not in gone]
        if still:
            found.append(_not_moved(model, still, [row for row in mine if row.surface in still], bool(gone)))
    return found


def _moves(row: Change) -> bool:
    return row.change.shown and (row.change.estimate or 0.0) > 0


def _may(row: Change) -> bool:
    """Whether it would be told from chance if no other surface had been looked at."""
    change = row.change
    return not change.shown and change.p is not None and change.p < ALPHA and (change.estimate or 0.0) > 0


def _moved(row: Change) -> str:
    """`tools-renamed (change 0.4, 0.3 to 0.5: sequences are 0.3 from plain ones, those 0.1 from each other; ...)`."""
    what = "sequences" if row.what == SEQUENCE else "shares of actions"
    change = row.change
    between = "" if change.low is None else f", {amount(change.low)} to {amount(change.high)}"
    return (
        f"{row.surface} (change {amount(change.estimate)}{between}: {what} are {amount(row.apart.estimate)} from plain "
        f"ones, and those {amount(row.floor.estimate)} from each other; {chance_of(change)})"
    )


def _not_moved(model: str, surfaces: Sequence[str], rows: Sequence[Change], moved: bool) -> str:
    would_show = [row.change.detectable for row in rows if row.what == SEQUENCE and row.change.detectable is not None]
    noise = next((row.floor.estimate for row in rows if row.what == SEQUENCE), None)
    said = f" (its own noise: {amount(noise)}"
    said += f"; a change of {amount(max(would_show))} would have shown)" if would_show else ")"
    which = ", ".join(surfaces)
    if not moved:
        return f"No surface changes what {model} does beyond its own noise, as far as can be told: {which}{said}."
    return f"No change of {model} can be told from its own noise under {which}{said}."


def _again(result: Perturb) -> list[str]:
    """The check: plain under a second name."""
    rows = [row for row in result.changes if row.surface == AGAIN]
    wrong = sorted({row.model for row in rows if row.change.p is not None and row.change.p < 0.05})
    if not rows:
        return []
    if wrong:
        return [
            f"The check finds a change where none is: plain-again differs from plain for {', '.join(wrong)} (p below "
            ".05, which chance alone does one time in twenty). Something besides the surface changed between the "
            "trials, or that was chance."
        ]
    return ["The check finds nothing, as it has to: plain-again does not differ from plain."]


def _interactions(result: Perturb) -> list[str]:
    rows = [row for row in result.interactions if row.what != "score"]
    if not rows:
        return []
    if all(row.difference.clusters < MIN_CLUSTERS_TESTED for row in rows):
        most = max(row.difference.clusters for row in rows)
        return [
            f"Too few tasks to tell whether a surface moves one model more than another: "
            f"{counted(most, 'independent task')} of both; it takes {MIN_CLUSTERS_TESTED}."
        ]
    found: list[str] = []
    by_pair: dict[tuple[str, str, str], list[Moved]] = {}
    for row in rows:
        if row.difference.shown:
            by_pair.setdefault((row.first, row.second, row.surface), []).append(row)
    for (first, second, surface), own in sorted(by_pair.items(), key=lambda item: item[1][0].difference.p or 0.0):
        row = own[0]
        stronger, weaker, difference = oriented(first, second, row.difference)
        name = "The mean of all surfaces" if surface == EVERY else surface
        between = "" if difference.low is None else f", {amount(difference.low)} to {amount(difference.high)}"
        found.append(
            f"{name} moves {stronger} more than {weaker} ({amount(difference.estimate)} more{between}; "
            f"{chance_of(difference)})."
        )
    if len(found) > MOST:
        found = [*found[:MOST], f"{len(found) - MOST} further differences between models are in the table."]
    return found or ["No surface moves one model more than another, as far as can be told."]


def _outcomes(result: Perturb) -> list[str]:
    rows = [row for row in result.scores if row.surface != AGAIN]
    if not rows:
        return ["No score is recorded, so that nothing is said of outcomes."] if result.changes else []
    if all(row.change.clusters < MIN_CLUSTERS_TESTED for row in rows):
        most = max(row.change.clusters for row in rows)
        told_of = counted(most, "independent task")
        return [f"Too few tasks to compare scores: {told_of}; it takes at least {MIN_CLUSTERS_TESTED}."]
    found = [_scored(row, result.shares) for row in rows if row.change.shown]
    for model in result.models:
        same = [row for row in rows if row.model == model and not row.change.shown]
        if same:
            found.append(_same_score(model, same, result.shares))
    shown = [row for row in result.interactions if row.what == "score" and row.difference.shown]
    for row in shown[:MOST]:
        better, worse, difference = oriented(row.first, row.second, row.difference)
        name = "over all surfaces" if row.surface == EVERY else f"under {row.surface}"
        told_size = more(difference) if result.shares else f"{amount(difference.estimate)} more"
        found.append(f"The score of {worse} falls more (or rises less) than that of {better} {name} ({told_size}).")
    return found


def _scored(row: Score, shares: bool) -> str:
    change = row.change
    up = (change.estimate or 0.0) > 0
    _, _, positive = oriented("", "", change)
    told_size = more(positive) if shares else f"{amount(positive.estimate)} more"
    told_size = told_size if up else told_size.replace(" more", " less", 1)
    return f"{row.model} scores {'higher' if up else 'lower'} under {row.surface} ({told_size}; {chance_of(change)})."


def _same_score(model: str, rows: Sequence[Score], shares: bool) -> str:
    """What was not found, and what would have been."""
    known = [row.change for row in rows if row.change.detectable is not None]
    which = ", ".join(row.surface for row in rows)
    if not known:
        return f"No change of the score of {model} is seen under {which}; too few tasks to say what would have shown."
    worst = max(known, key=lambda change: change.detectable or 0.0)
    if len(rows) == 1:
        said = (
            f"{size(rows[0].change)}; {would(rows[0].change)}" if shares else f"{amount(worst.detectable)} would show"
        )
        return f"The score of {model} does not change under {which}, as far as can be told ({said})."
    said = f"the smallest change that would have shown: {_range(known, shares)}"
    return f"The score of {model} does not change, as far as can be told, under {which} ({said})."


def _range(changes: Sequence[Difference], shares: bool) -> str:
    sizes = sorted(change.detectable or 0.0 for change in changes)
    low, high = (points(value) if shares else amount(value) for value in (sizes[0], sizes[-1]))
    unit = " points" if shares else ""
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def _beside_tasks(result: Perturb) -> list[str]:
    """Surface beside substance, model by model, over all surfaces."""
    found: list[str] = []
    unknown: dict[str, list[str]] = {}
    every = any(row.surface == EVERY for row in result.yardsticks)
    for row in result.yardsticks:
        if row.what != SEQUENCE or (every and row.surface != EVERY):
            continue
        if row.ratio is None:
            unknown.setdefault(str(row.unknown), []).append(row.model)
            continue
        found.append(_beside(row))
    for why, models in unknown.items():
        found.append(f"Surface beside substance cannot be told for {', '.join(models)}: {why}.")
    return found


def _beside(row: Yardstick) -> str:
    assert row.ratio is not None  # noqa: S101 - asked before
    name = "another surface" if row.surface == EVERY else row.surface
    size = f"{name} changes what it does {100 * row.ratio:.0f}% as much as another task does"
    if row.low is None or row.high is None:
        how = "reacts to surface" if row.ratio > 0 else "reacts to substance, and not to surface"
        return f"{row.model} {how}, in every task alike: {size}."
    if row.low > 0:
        how = "reacts to surface, if less than to substance"
        if row.high >= 1:
            how = f"reacts to surface {'more than' if row.low > 1 else 'as much as'} to substance"
    else:
        how = "reacts to substance, and not to surface as far as can be told" if row.high < 1 else "cannot be placed"
    return f"{row.model} {how}: {size} ({100 * row.low:.0f}% to {100 * row.high:.0f}%)."


def _uses(rows: Sequence[Use]) -> list[str]:
    """One sentence on the distractor, and one for each model that goes on with old names."""
    lured = [row for row in rows if row.what == DISTRACTOR]
    found = []
    if lured and not any(row.calls for row in lured):
        found.append(f"No model calls the distractor ({counted(sum(row.trials for row in lured), 'trial')}).")
    elif lured:
        listed = ", ".join(f"{percent(row.share)} of the trials of {row.model}" for row in lured)
        found.append(f"The distractor is called in {listed}.")
    return found + [
        f"{row.model} calls renamed tools by their old names, which it was never shown, in {percent(row.share)} of its "
        f"trials ({counted(row.calls, 'call')})."
        for row in rows
        if row.what != DISTRACTOR and row.calls
    ]
