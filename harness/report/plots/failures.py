"""Failures drawn: what each model's failures are made of, and which of it stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from harness.compare.failures import CLASSES, Failures
from harness.compare.sentences import p_value, points, several
from harness.report.links import trials_link
from harness.report.plots import theme
from harness.report.plots.plot import Plot
from harness.report.sections.failures import cell_links

if TYPE_CHECKING:
    import altair as alt

COLORS = {
    "refusal": 3, "malformed": 1, "cut off": 7, "loop": 0, "limit turns": 2, "limit tokens": 11, "limit seconds": 5,
    "limit cost": 10, "limit context": 6, "model fault": 4, "gave up": 9, "wrong result": 8,
}  # fmt: skip
"""Class -> place among the colours of models: a class has the same colour in every report."""
EXTENT = 3.0
"""Standard errors at the ends of the colours, where nothing lies beyond."""


def plots(result: Failures) -> list[Plot]:
    """Stacked bars; with several models the residuals. Nothing where no trial failed."""
    if not result.trials:
        return []
    several = len(result.models) > 1 and any(cell.residual is not None for cell in result.cells)
    return [_bars(result), *([_residuals(result)] if several else [])]


def _bars(result: Failures) -> Plot:
    import altair as alt

    links = cell_links(result)
    rows = [
        {
            "model": cell.model, "failure": cell.failure, "share": cell.share, "count": cell.count,
            "order": CLASSES.index(cell.failure), "href": links.get((cell.model, cell.failure)),
            "at_limit": cell.at_limit,
        }
        for cell in result.cells
        if cell.count
    ]  # fmt: skip
    colors = [theme.LIGHT_MODELS[COLORS[name]] if name in COLORS else theme.LINE for name in result.classes]
    y = alt.Y("model:N", sort=list(result.models), title=None)
    bars = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(stroke=theme.PAPER, strokeWidth=1)
        .encode(
            x=alt.X("share:Q", stack="zero", title="share of its failed trials",
                    axis=alt.Axis(format="%", tickCount=5)).scale(domain=[0, 1], nice=False),
            y=y, order=alt.Order("order:Q"),
            color=alt.Color("failure:N", title=None, sort=list(result.classes),
                            legend=alt.Legend(orient="top", columns=5)).scale(
                domain=list(result.classes), range=colors),
            tooltip=[
                alt.Tooltip("model:N", title=result.by), alt.Tooltip("failure:N", title="fails by"),
                alt.Tooltip("count:Q", title="trials"), alt.Tooltip("share:Q", format=".0%", title="of its failures"),
                alt.Tooltip("at_limit:Q", title="of them ended at a limit"),
            ],
            href="href:N",
        )
    )  # fmt: skip
    return Plot(
        f"In which ways each {result.by} fails",
        f"Stacked bars, one for each {result.by}, of the classes of its failed trials. {_bar_words(result)}",
        (bars + _totals(result)).properties(width=theme.WIDTH - 220, height=theme.ROW * len(result.models)),
    )


def _totals(result: Failures) -> alt.Chart:
    """How many failed, at the end of each bar."""
    import altair as alt

    rows = [
        {
            "model": profile.model, "at": 1.0,
            "text": f"{profile.failed} of {profile.results - profile.ungraded} failed",
            "href": trials_link({result.by: profile.model, "passed": False}),
        }
        for profile in result.profiles
    ]  # fmt: skip
    text: alt.Chart = alt.Chart(pd.DataFrame(rows)).mark_text(align="left", dx=6, color=theme.MUTED)
    y = alt.Y("model:N", sort=list(result.models), title=None)
    made: alt.Chart = text.encode(x="at:Q", y=y, text="text:N", href="href:N")
    return made


def _bar_words(result: Failures) -> str:
    """The commonest classes of the first models."""
    told = []
    for profile in result.profiles[:4]:
        own = [cell for cell in result.cells if cell.model == profile.model and cell.count]
        parts = [f"{c.failure} {points(c.share, 0)}%" for c in sorted(own, key=lambda cell: -cell.count)[:2]]
        told.append(f"{profile.model} ({profile.failed} failures): {', '.join(parts) or 'none'}.")
    return " ".join(told)


def _residuals(result: Failures) -> Plot:
    import altair as alt

    links = cell_links(result)
    rows = [
        {
            "model": cell.model, "failure": cell.failure, "residual": cell.residual, "count": cell.count,
            "share": cell.share, "others": cell.others,
            "p": "not tested" if cell.p_adjusted is None else p_value(cell.p_adjusted),
            "text": f"{cell.residual:+.1f}" + (" \u2022" if cell.shown else ""),
            "href": links.get((cell.model, cell.failure)),
        }
        for cell in result.cells
        if cell.residual is not None
    ]  # fmt: skip
    extent = max(EXTENT, max(abs(cell.residual) for cell in result.cells if cell.residual is not None))
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("failure:N", sort=list(result.classes), title=None, axis=alt.Axis(labelAngle=-30, orient="top")),
        y=alt.Y("model:N", sort=list(result.models), title=None),
        tooltip=[
            alt.Tooltip("model:N", title=result.by), alt.Tooltip("failure:N", title="fails by"),
            alt.Tooltip("count:Q", title="trials"), alt.Tooltip("share:Q", format=".0%", title="of its failures"),
            alt.Tooltip("others:Q", format=".0%", title="of the others' failures"),
            alt.Tooltip("residual:Q", format="+.2f", title="adjusted residual"),
            alt.Tooltip("p:N", title="corrected p within tasks"),
        ],
        href="href:N",
    )  # fmt: skip
    squares = base.mark_rect().encode(
        color=alt.Color("residual:Q", title="residual", scale=theme.diverging(extent), legend=alt.Legend(format="+.0f"))
    )
    ink = alt.condition(f"abs(datum.residual) < {extent / 2}", alt.value(theme.LOW_INK), alt.value(theme.HIGH_INK))
    texts = base.mark_text().encode(text="text:N", color=ink)
    clear = sorted((cell for cell in result.cells if cell.shown), key=lambda cell: -abs(cell.residual or 0.0))[:3]
    told = "; ".join(f"{cell.model}, {cell.failure} {cell.residual:+.1f}" for cell in clear)
    return Plot(
        f"Which ways of failing stand out for a {result.by}",
        f"Heat map of adjusted residuals, {len(result.models)} {several(result.by)} by {len(result.classes)} classes: "
        f"above 0 (blue) more often than the others, below (orange) less often. A dot marks what can be told from "
        f"chance within tasks{': ' + told if told else ': none'}.",
        (squares + texts).properties(
            width=min(theme.WIDTH - 160, 72 * len(result.classes)), height=theme.ROW * len(result.models)
        ),
    )
