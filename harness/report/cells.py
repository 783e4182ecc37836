"""Statistics as the short texts that stand in table cells. What is not known is `-` or `unknown`, never a number."""

from __future__ import annotations

from collections.abc import Mapping

from harness.compare import Difference, Estimate, Total, amount, p_value, points

NONE = "-"
TOO_FEW = "too few"


def rate(value: Estimate) -> str:
    """`49% (41 to 57)`, `50% (too few)`, `-`."""
    if value.estimate is None:
        return NONE
    head = f"{points(value.estimate, 0)}%"
    if value.low is None or value.high is None:
        return f"{head} ({TOO_FEW})" if value.too_few else head
    return f"{head} ({points(value.low, 0)} to {points(value.high, 0)})"


def share(value: float | None) -> str:
    """`49%`."""
    return NONE if value is None else f"{points(value, 0)}%"


def score(value: Estimate) -> str:
    """`0.49 (0.41 to 0.57)`."""
    if value.estimate is None:
        return NONE
    if value.low is None or value.high is None:
        return f"{value.estimate:.2f} ({TOO_FEW})" if value.too_few else f"{value.estimate:.2f}"
    return f"{value.estimate:.2f} ({value.low:.2f} to {value.high:.2f})"


def mean(value: Estimate) -> str:
    """The estimate alone, three figures or so."""
    return NONE if value.estimate is None else short(value.estimate)


def mean_interval(value: Estimate) -> str:
    """`5.9 (5.2 to 6.6)`."""
    if value.estimate is None:
        return NONE
    if value.low is None or value.high is None:
        return f"{short(value.estimate)} ({TOO_FEW})" if value.too_few else short(value.estimate)
    return f"{short(value.estimate)} ({short(value.low)} to {short(value.high)})"


def short(value: float) -> str:
    """`0.031`, `5.9`, `812`, `12.3k`, `4.5M`."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            scale = {"G": 1e9, "M": 1e6, "k": 1e3}[unit]
            return f"{value / scale:.1f}{unit}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    if 0 < abs(value) < 0.095:
        return f"{value:.2g}" if abs(value) >= 0.001 else f"{value:.0e}"
    text = f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"
    return "0" if float(text) == 0 else text


def difference_points(value: Difference) -> str:
    """`+3.4 (-4.5 to 11.4)`; of passes, scores and shares, in points."""
    if value.estimate is None:
        return NONE
    head = points(value.estimate)
    head = head if head.startswith("-") or float(head) == 0 else f"+{head}"
    if value.low is None or value.high is None:
        return f"{head} ({TOO_FEW})"
    return f"{head} ({points(value.low)} to {points(value.high)})"


def difference_amount(value: Difference) -> str:
    """`+2.1 (0.4 to 3.8)`."""
    if value.estimate is None:
        return NONE
    head = amount(value.estimate)
    head = head if head.startswith("-") or value.estimate <= 0 else f"+{head}"
    if value.low is None or value.high is None:
        return f"{head} ({TOO_FEW})" if value.too_few else head
    return f"{head} ({amount(value.low)} to {amount(value.high)})"


def p_cell(value: Difference) -> str:
    """The corrected p where there is one."""
    p = value.p if value.p_adjusted is None else value.p_adjusted
    return NONE if p is None else p_value(p)


def detectable(value: Difference) -> str:
    """`9.1`, or `too few (98)`: how many it takes."""
    if value.needed is not None:
        return f"{TOO_FEW} ({value.needed})"
    return NONE if value.detectable is None else points(value.detectable)


def money(total: Total) -> str:
    """`$0.0123`, `at least $0.01`, `unknown`."""
    if total.known is None:
        return "unknown" if total.parts else NONE
    text = f"${total.known:,.2f}" if total.known >= 1 or total.known == 0 else f"${total.known:.4f}"
    return text if total.complete else f"at least {text}"


def counted(total: Total) -> str:
    """A sum as `12.3k`, `at least 12.3k`, `unknown`."""
    if total.known is None:
        return "unknown" if total.parts else NONE
    return short(total.known) if total.complete else f"at least {short(total.known)}"


def reasons(counts: Mapping[str, int]) -> str:
    """`provider 2, not run 1`."""
    return ", ".join(f"{why} {count}" for why, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
