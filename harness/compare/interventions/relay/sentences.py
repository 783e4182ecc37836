"""Findings of relays in plain English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.sentences import ALPHA, amount, counted, p_value, points
from harness.compare.statistics import MIN_CLUSTERS_TESTED, Difference

if TYPE_CHECKING:
    from harness.compare.interventions.relay.result import Effect, Relay

MOST_PAIRS = 6
_DOES = {"sets up": "sets tasks up better than", "finishes": "finishes better than"}
_MAY = {"sets up": "may set tasks up better than", "finishes": "may finish better than"}
_ALIKE = {"sets up": "set tasks up", "finishes": "finish"}


def told(result: Relay) -> list[str]:
    """The findings, the most important first."""
    if result.too_few is not None:
        return [result.too_few]
    found = [_effect(effect, result) for effect in result.effects if effect.difference.estimate is not None]
    found = [*_untold(result), *found, *_shams(result)]
    return [*found, *_handover(result)]


def _effect(effect: Effect, result: Relay) -> str:
    difference = effect.difference
    names = f"{effect.first} and {effect.second}"
    if effect.term == "own course":
        return _own(effect, names, result)
    ahead, behind = (effect.first, effect.second) if (difference.estimate or 0.0) > 0 else (effect.second, effect.first)
    if _may(difference):
        return (
            f"{ahead} {_MAY[effect.term]} {behind} ({_size(difference, result, absolute=True)}), but "
            "that can be chance among the terms looked at."
        )
    if difference.shown:
        who = "who goes on" if effect.term == "sets up" else "who began"
        return (
            f"{ahead} {_DOES[effect.term]} {behind}, on average over {who} "
            f"({_size(difference, result, absolute=True)})."
        )
    return (
        f"{names} {_ALIKE[effect.term]} equally well as far as can be seen ({_size(difference, result)}"
        f"{_would(difference, result)})."
    )


def _untold(result: Relay) -> list[str]:
    """Of whom nothing can be said, and why: one model alone, only the ends, or no task with all four relays."""
    inside = any(0 < point.at < 1 for point in result.points)
    if not inside:
        return ["Nothing was handed over in mid-course: only the ends are here, each model alone."]
    if len(result.models) == 1:
        return [f"Only {result.models[0]} is here: who sets up and who finishes takes two models."]
    without = dict.fromkeys((each.first, each.second) for each in result.effects if each.difference.estimate is None)
    if not without:
        return []
    listed = ", ".join(f"{first} and {second}" for first, second in list(without)[:MOST_PAIRS])
    further = f" and {counted(len(without) - MOST_PAIRS, 'further pair')}" if len(without) > MOST_PAIRS else ""
    return [f"No task has all four relays of {listed}{further}: who sets up and who finishes cannot be told."]


def _own(effect: Effect, names: str, result: Relay) -> str:
    """Whether it matters whose course one goes on from, and how much to each: one of the two may not care."""
    difference = effect.difference
    size = _size(difference, result)
    if not difference.shown and not _may(difference):
        return (
            f"Whether {names} go on from their own course or from the other's makes no difference that could be seen "
            f"({size}{_would(difference, result)})."
        )
    each = "; ".join(
        f"{row.model} from its own less from {row.other}'s: {_bare(row.difference, result)}"
        for row in result.courses
        if {row.model, row.other} == {effect.first, effect.second}
    )
    if difference.shown:
        return f"It matters to {names} whose course they go on from ({size}). {each}."
    return f"It may matter to {names} whose course they go on from ({size}), but that can be chance. {each}."


def _may(difference: Difference) -> bool:
    """Whether a term would be told from chance if no other had been looked at."""
    return not difference.shown and difference.p is not None and difference.p < ALPHA


def _shams(result: Relay) -> list[str]:
    """Whether the swap as such does something: models swapped for themselves."""
    seen = [sham for sham in result.shams if sham.difference.shown]
    if seen:
        listed = "; ".join(f"{sham.model} {_size(sham.difference, result)}" for sham in seen)
        return [f"Swapping a model for itself changes its outcome ({listed}): effects hold that of being interrupted."]
    known = [sham.difference for sham in result.shams if sham.difference.estimate is not None]
    if not known:
        return []
    if maybe := [sham for sham in result.shams if _may(sham.difference)]:
        listed = "; ".join(f"{sham.model} {_size(sham.difference, result)}" for sham in maybe)
        return [f"Swapping a model for itself, the control, may change its outcome ({listed}), but that can be chance."]
    widest = max(known, key=lambda difference: abs(difference.estimate or 0.0))
    return [
        "Swapping a model for itself, the control, changes no outcome that could be seen (the largest "
        f"{_size(widest, result)}{_would(widest, result)})."
    ]


def _handover(result: Relay) -> list[str]:
    """Which relay came out best, and whether that can be told from having been picked."""
    found = result.handover
    if found is None:
        return []
    unit = " points" if result.shares else ""
    shown = points if result.shares else amount
    told = p_value(found.p)
    size = (
        f"{'+' if found.apparent > 0 else ''}{shown(found.apparent)}{unit}; where neither was picked "
        f"{'+' if found.gain > 0 else ''}{shown(found.gain)}{unit}; p {told if told.startswith('<') else f'= {told}'}"
    )
    if found.shown:
        return [f"A relay beats every single model: {found.relay}, against {found.single}, the best alone ({size})."]
    return [
        f"No relay is seen to beat every single model (the best, {found.relay}, against {found.single}, the best "
        f"alone: {size})."
    ]


def _size(difference: Difference, result: Relay, *, absolute: bool = False) -> str:
    text = _bare(difference, result, absolute=absolute)
    if difference.estimate is None:
        return text
    if difference.clusters < MIN_CLUSTERS_TESTED:
        return f"{text}, on {difference.clusters} independent task{'' if difference.clusters == 1 else 's'}"
    p = difference.p if difference.p_adjusted is None else difference.p_adjusted
    if p is None:
        return text
    told = p_value(p)
    return f"{text}; p {told}" if told.startswith("<") else f"{text}; p = {told}"


def _bare(difference: Difference, result: Relay, *, absolute: bool = False) -> str:
    """`+18.1 points, 9.5 to 26.6`; `absolute` takes it the way round that it is positive."""
    if difference.estimate is None:
        return "unknown"
    value, low, high = difference.estimate, difference.low, difference.high
    if absolute and value < 0:
        value, low, high = -value, None if high is None else -high, None if low is None else -low
    unit = " points" if result.shares else ""
    shown = points if result.shares else amount
    text = f"{'+' if value > 0 else ''}{shown(value)}{unit}"
    return text if low is None or high is None else f"{text}, {shown(low)} to {shown(high)}"


def _would(difference: Difference, result: Relay) -> str:
    if difference.clusters < MIN_CLUSTERS_TESTED:
        return f"; it takes {MIN_CLUSTERS_TESTED} tasks to tell anything from chance"
    if difference.detectable is None or not result.shares:
        return ""
    return f"; {points(difference.detectable, 0)} points or more would have shown"
