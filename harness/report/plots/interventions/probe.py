"""A probe drawn: what each model would do in the states that differ most, and how far apart models are by depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.compare.interventions.probe import Apart, Probe
from harness.report.links import trials_link
from harness.report.plain import one_line, shortened
from harness.report.plots import theme
from harness.report.plots.plot import Plot
from harness.report.sections.interventions.probe import deeds_of, top_states

if TYPE_CHECKING:
    import altair as alt

MOST_STATES = 6
MOST_PAIRS = 6
MOST_CHOICES = 11
"""Choices with a colour of their own; further ones are grey."""
BETWEEN, OWN = "between the two", "within one"
OTHER = "other"


def plots(result: Probe) -> list[Plot]:
    """Choices in the top states; distance along depth; distance by node."""
    if result.too_few is not None:
        return []
    made = [_states(result)] if result.in_states else []
    made += [_depths(result)] if len({row.value for row in result.depths}) > 1 else []
    return made + ([_nodes(result)] if len({row.value for row in result.nodes}) > 1 else [])


def _states(result: Probe) -> Plot:
    import altair as alt

    chosen = top_states(result, MOST_STATES)
    deeds = {row.state: deeds_of(result, row.state) for row in chosen}
    counts: dict[str, float] = {}
    for listed in deeds.values():
        for deed in listed:
            counts[deed.does] = counts.get(deed.does, 0.0) + deed.share
    common = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_CHOICES]
    labels = {name: f"{n + 1}. {shortened(one_line(name, 200), 60)}" for n, name in enumerate(common)}
    rows: list[dict[str, Any]] = []
    for row in chosen:
        for deed in deeds[row.state]:
            where = f"{one_line(row.task, 30)}, {one_line(row.node, 20)}, {row.state}"
            rows.append({
                "state": where, "model": deed.model, "does": labels.get(deed.does, OTHER), "share": deed.share,
                "what": one_line(deed.does, 200), "times": f"{deed.count} of {deed.replies}",
                "rank": common.index(deed.does) if deed.does in labels else MOST_CHOICES,
                "href": trials_link({"trial": deed.trials}),
            })  # fmt: skip
    domain = [*labels.values(), *([OTHER] if len(counts) > len(common) else [])]
    colors = [*theme.LIGHT_MODELS[: len(labels)], theme.LINE][: len(domain)]
    data = pd.DataFrame(rows)
    scale = alt.Scale(domain=[0, 1])
    chart = alt.Chart(data, width=theme.WIDTH - 160, height=theme.ROW * len(result.models)).mark_bar().encode(
        x=alt.X("sum(share):Q", title="share of its replies", axis=alt.Axis(format="%"), scale=scale),
        y=alt.Y("model:N", sort=result.models, title=None),
        color=alt.Color(
            "does:N", title="would", sort=domain,
            legend=alt.Legend(orient="bottom", columns=1, labelLimit=theme.WIDTH - 60),
        ).scale(domain=domain, range=colors),
        order=alt.Order("rank:Q"),
        href="href:N",
        tooltip=[
            alt.Tooltip("model:N", title=result.by), alt.Tooltip("what:N", title="would"), alt.Tooltip("times:N"),
            alt.Tooltip("state:N"),
        ],
    )  # fmt: skip
    order = list(dict.fromkeys(row["state"] for row in rows))
    header = alt.Header(labelOrient="top", labelAnchor="start", labelAngle=0, labelLimit=theme.WIDTH, labelPadding=2)
    drawn = chart.facet(row=alt.Facet("state:N", title=None, sort=order, header=header), spacing=8)
    first = chosen[0]
    top = ", ".join(
        f"{one_line(deed.model, 30)} {one_line(deed.does, 60)} {deed.share:.0%}"
        for deed in sorted(deeds[first.state], key=lambda deed: -deed.share)[:4]
    )
    return Plot(
        "What each would do in the states where they differ most",
        f"One bar for each {result.by} in each of {len(chosen)} states, divided by what its replies do. At "
        f"{first.node} of {one_line(first.task, 40)}: {top}.",
        drawn,
    )


def _depths(result: Probe) -> Plot:
    import altair as alt

    pairs = [(row.first, row.second) for row in sorted(result.main(result.pairs), key=lambda row: row.p)][:MOST_PAIRS]
    rows = [row for row in result.depths if (row.first, row.second) in pairs]
    order = list(dict.fromkeys(str(row.value) for row in result.depths))
    data = pd.DataFrame(
        [
            {"pair": _names(row), "depth": str(row.value), "which": which, "disagree": share, "states": row.states,
             "tasks": row.tasks, "href": trials_link({result.by: [row.first, row.second]})}
            for row in rows
            for which, share in ((BETWEEN, row.disagree), (OWN, row.own))
            if share is not None
        ]
    )  # fmt: skip
    one = len(pairs) == 1
    base = alt.Chart(data, width=theme.WIDTH - 140 if one else 240, height=220 if one else 130).encode(
        x=alt.X("depth:O", sort=order, title="calls behind the state", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("disagree:Q", title="two replies differ", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        color=alt.Color("which:N", title="two replies", legend=alt.Legend(orient="top")).scale(
            domain=[BETWEEN, OWN], range=[theme.ACCENT, theme.MUTED]
        ),
        strokeDash=alt.StrokeDash("which:N", title="two replies", legend=alt.Legend(orient="top")).scale(
            domain=[BETWEEN, OWN], range=[[1, 0], [5, 3]]
        ),
        tooltip=[
            alt.Tooltip("pair:N"), alt.Tooltip("which:N"), alt.Tooltip("depth:O", title="calls behind"),
            alt.Tooltip("disagree:Q", title="differ", format=".0%"), alt.Tooltip("states:Q"), alt.Tooltip("tasks:Q"),
        ],
    )  # fmt: skip
    chart: alt.LayerChart | alt.FacetChart = base.mark_line() + base.mark_point(size=60, filled=True).encode(
        href="href:N"
    )
    if not one:
        chart = chart.facet(facet=alt.Facet("pair:N", title=None, header=alt.Header(labelFontSize=12)), columns=2)
    best = max(rows, key=lambda row: row.disagree - (row.own or 0.0))
    return Plot(
        "How far apart, by how much of the trial lies behind",
        f"How often two replies to one state differ, of two {result.by}s and of one, by the calls behind the state. "
        f"{_names(best)} are furthest beyond their own after {best.value}: {best.disagree:.0%} against "
        f"{0.0 if best.own is None else best.own:.0%}.",
        chart,
    )


def _nodes(result: Probe) -> Plot:
    import altair as alt

    pairs = [(row.first, row.second) for row in sorted(result.main(result.pairs), key=lambda row: row.p)][:MOST_PAIRS]
    rows = [row for row in result.main(result.nodes) if (row.first, row.second) in pairs]
    data = pd.DataFrame(
        [
            {"pair": _names(row), "node": str(row.value), "excess": row.excess.estimate, "low": row.excess.low,
             "high": row.excess.high, "shown": "yes" if row.shown else "no", "states": row.states,
             "p": row.p if row.p_adjusted is None else row.p_adjusted,
             "href": trials_link({result.by: [row.first, row.second]})}
            for row in rows
            if row.excess.estimate is not None
        ]
    )  # fmt: skip
    best = sorted(rows, key=lambda row: -(row.excess.estimate or 0.0))
    order = list(dict.fromkeys(str(row.value) for row in best))
    base = alt.Chart(data, width=theme.WIDTH - theme.LONGEST_LABEL, height=theme.ROW * len(order)).encode(
        y=alt.Y("node:N", title=None, sort=order),
        tooltip=[
            alt.Tooltip("node:N"), alt.Tooltip("excess:Q", title="beyond their own", format="+.0%"),
            alt.Tooltip("states:Q"), alt.Tooltip("p:Q", title="p, Holm", format=".3f"),
        ],
    )  # fmt: skip
    x = alt.X("excess:Q", title="replies differ beyond their own", axis=alt.Axis(format="%"))
    zero = base.mark_rule(color=theme.LINE).encode(x=alt.datum(0, type="quantitative"))
    whiskers = base.transform_filter("isValid(datum.low)").mark_rule(opacity=0.6).encode(
        x=alt.X("low:Q", title="replies differ beyond their own"), x2="high:Q"
    )  # fmt: skip
    dots = base.mark_point(size=80).encode(
        x=x,
        href="href:N",
        color=alt.Color("shown:N", title="beyond chance (Holm)", legend=alt.Legend(orient="top")).scale(
            domain=["yes", "no"], range=[theme.ACCENT, theme.MUTED]
        ),
        shape=alt.Shape("shown:N", title="beyond chance (Holm)", legend=alt.Legend(orient="top")).scale(
            domain=["yes", "no"], range=["circle", "diamond"]
        ),
    )
    chart: alt.LayerChart | alt.FacetChart = alt.layer(zero, whiskers, dots)
    if len(pairs) > 1:
        chart = chart.facet(facet=alt.Facet("pair:N", title=None, header=alt.Header(labelFontSize=12)), columns=1)
    shown = [f"{row.value} ({_names(row)})" for row in rows if row.shown]
    told = f"Beyond chance at {', '.join(shown[:6])}." if shown else "Beyond chance at none."
    return Plot(
        "Where they act differently: node by node",
        f"How often replies of two {result.by}s to one state differ, less how often those of one do, with 95% "
        f"intervals over tasks where there are enough. {told}",
        chart,
    )


def _names(row: Apart) -> str:
    return f"{one_line(row.first, 26)} and {one_line(row.second, 26)}"
