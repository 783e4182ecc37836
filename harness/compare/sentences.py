"""The words in which numbers are told: what every analysis says of differences, chance and size.

A sentence never says more than its numbers: what may be chance is said to be so, together with the size that would
have shown; what has too little data behind it is said to have, together with how much it would take.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.compare.statistics import MIN_CLUSTERS_TESTED, Difference, Estimate

PRECISE = 0.1
"""Two models are called equal only where a difference of 10 points would have shown."""
ALPHA = 0.05


def outcome_sentence(first: str, second: str, difference: Difference) -> str:
    """What can be said of how often two models pass."""
    names = f"{first} and {second}"
    if difference.estimate is None:
        return f"{names} have no task in common that both have a graded result for: nothing to compare."
    if difference.clusters < MIN_CLUSTERS_TESTED:
        return (
            f"Too few tasks to compare {names}: {size(difference)} on "
            f"{counted(difference.clusters, 'independent task')}; it takes at least {MIN_CLUSTERS_TESTED} "
            f"to tell anything from chance, and about {difference.needed} to see 20 points."
        )
    if difference.shown:
        better, worse, difference = oriented(first, second, difference)
        return f"{better} passes more often than {worse} ({more(difference)}; {chance_of(difference)})."
    would_show = would(difference)
    if difference.needed is not None:
        return (
            f"Too few tasks to tell {names} apart ({size(difference)}; {would_show}; "
            f"seeing 20 would take about {difference.needed} tasks)."
        )
    if difference.p is not None and difference.p < ALPHA:
        better, worse, difference = oriented(first, second, difference)
        return (
            f"{better} may pass more often than {worse} ({more(difference)}), but that can be chance among the "
            f"comparisons made here ({chance_of(difference)})."
        )
    if difference.detectable is not None and difference.detectable <= PRECISE:
        return f"{names} pass equally often here ({size(difference)}; {would_show})."
    return f"{names} cannot be told apart by how often they pass here ({size(difference)}; {would_show})."


def points(value: float | None, digits: int = 1) -> str:
    """A fraction in points, without a sign for what rounds to zero: `3.4`, `-19.7`, `0.0`."""
    if value is None:
        return "unknown"
    text = f"{100 * value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def amount(value: float | None) -> str:
    """A number with about three figures: `5.89`, `12.3`, `1,204`; `unknown` for None."""
    if value is None:
        return "unknown"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def oriented(first: str, second: str, difference: Difference) -> tuple[str, str, Difference]:
    """The higher one, the lower one, and by how much."""
    if (difference.estimate or 0.0) >= 0:
        return first, second, difference
    low = None if difference.high is None else -difference.high
    high = None if difference.low is None else -difference.low
    return second, first, replace(difference, estimate=-(difference.estimate or 0.0), low=low, high=high)


def more(difference: Difference) -> str:
    """`28.6 points more, 20.7 to 36.4`."""
    if difference.low is None or difference.high is None:
        return f"{points(difference.estimate)} points more"
    return f"{points(difference.estimate)} points more, {points(difference.low)} to {points(difference.high)}"


def size(difference: Difference) -> str:
    """`difference 1.2 points, -3.1 to 5.5`."""
    head, _, interval = _interval(difference, True).partition(", ")
    unit = "point" if head in ("1.0", "-1.0") else "points"
    return f"difference {head} {unit}, {interval}" if interval else f"difference {head} {unit}"


def _interval(difference: Difference, share: bool) -> str:
    show = points if share else amount
    if difference.low is None or difference.high is None:
        return show(difference.estimate)
    return f"{show(difference.estimate)}, {show(difference.low)} to {show(difference.high)}"


def would(difference: Difference) -> str:
    """`9 points or more would have shown`."""
    detectable = difference.detectable
    if detectable is None:
        return "too few to say what would have shown"
    if detectable > 1:
        return "no difference at all would have shown"
    shown = points(detectable, 0 if detectable >= 0.1 else 1)
    return f"{shown} points or more would have shown"


def would_show(found: Iterable[Difference]) -> list[str]:
    """The notes of a table with a column `would show`."""
    told = list(found)
    notes = []
    if any(each.detectable is not None or each.needed is not None for each in told):
        notes.append("would show: the smallest true difference seen with 80% power at .05.")
    if any(each.needed is not None for each in told):
        notes.append(f"too few (n): about n tasks would show 20 points; fewer than {MIN_CLUSTERS_TESTED} show nothing.")
    return notes


def chance_of(difference: Difference) -> str:
    """`p = .031 after Holm over 3 comparisons`."""
    corrected = difference.p_adjusted is not None and not (difference.adjusted_by or "").endswith(" over 1")
    p = difference.p_adjusted if corrected else difference.p
    text = p_value(p)
    relation = "p < " if text.startswith("<") else "p = "
    text = text.removeprefix("<")
    return f"{relation}{text}" + (f" after {difference.adjusted_by} comparisons" if corrected else "")


def p_value(p: float | None) -> str:
    """`.031`, `<.001`, `unknown`."""
    if p is None:
        return "unknown"
    if p < 0.001:
        return "<.001"
    text = f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    return text if text.startswith("1") else text.removeprefix("0")


def percent(estimate: Estimate) -> str:
    """`49%`, `unknown`."""
    return "unknown" if estimate.estimate is None else f"{100 * estimate.estimate:.0f}%"


def several(by: str) -> str:
    """What more than one value of what is compared is called: `models`, `models of seller`, `values of price_list`."""
    if by.startswith("model."):
        return f"models of {by.removeprefix('model.')}"
    return f"values of {by}" if "." in by or "_" in by else f"{by}s"


def counted(count: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
