"""Forks drawn: values along the depth of trials, states by advantage, and the course of the trials that fall most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.compare.interventions.fork import Advantage, Fork
from harness.report.links import trials_link
from harness.report.plots.plot import Plot
from harness.report.plots.theme import (
    BETTER,
    LONGEST_LABEL,
    MUTED,
    ROW,
    WIDTH,
    WORSE,
    model_color,
    model_dash,
    model_shape,
)
from harness.report.sections.interventions.fork import state_label

if TYPE_CHECKING:
    import altair as alt

MOST_STATES = 25
MOST_COURSES = 4
TIED = "cannot be told apart"


def plots(result: Fork) -> list[Plot]:
    """Values along depth, states by advantage, courses of trials."""
    if result.too_few is not None:
        return []
    made = [_depths(result)] if len({row.part for row in result.depths}) > 1 else []
    made += [_states(result)] if any(row.difference for row in result.pivotal) else []
    return made + _courses(result)


def _depths(result: Fork) -> Plot:
    import altair as alt

    data = pd.DataFrame(
        [
            {"model": row.model, "depth": 100 * row.depth, "part": row.part, "value": row.value.estimate,
             "low": row.value.low, "high": row.value.high, "states": row.value.n, "tasks": row.value.clusters}
            for row in result.depths
            if row.value.estimate is not None
        ]
    )  # fmt: skip
    scale = alt.Scale(domain=[0, 1]) if result.shares else alt.Scale(zero=False)
    tooltip = [
        alt.Tooltip("model:N"), alt.Tooltip("part:N", title="of the trial"),
        alt.Tooltip("value:Q", title="value", format=".2f"), alt.Tooltip("low:Q", format=".2f"),
        alt.Tooltip("high:Q", format=".2f"), alt.Tooltip("states:Q"), alt.Tooltip("tasks:Q", title="independent tasks"),
    ]  # fmt: skip
    base = alt.Chart(data, width=WIDTH - 140, height=240).encode(
        x=alt.X("depth:Q", title="share of the recorded trial behind, %", scale=alt.Scale(domain=[-4, 100])),
        color=model_color(result.models),
        tooltip=tooltip,
    )
    value = alt.Y("value:Q", title="value: mean score of continuations", scale=scale)
    chart = alt.layer(
        base.transform_filter("isValid(datum.low)").mark_rule(opacity=0.5).encode(
            y=alt.Y("low:Q", title="value: mean score of continuations", scale=scale), y2="high:Q"
        ),
        base.mark_line().encode(y=value, strokeDash=model_dash(result.models)),
        base.mark_point(filled=True, size=70).encode(y=value, shape=model_shape(result.models)),
    )  # fmt: skip
    ends = []
    for model in result.models:
        known = [row.value.estimate for row in result.depths if row.model == model and row.value.estimate is not None]
        if known:
            ends.append(f"{model} {known[0]:.2f} early, {known[-1]:.2f} late")
    description = (
        "What states are worth under each model, by how much of the recorded trial lies behind them, with 95% "
        f"intervals over tasks where there are enough: {'; '.join(ends)}."
    )
    return Plot("Values along the course of trials", description, chart)


def _states(result: Fork) -> Plot:
    import altair as alt

    shown = sorted(result.pivotal[:MOST_STATES], key=lambda row: -row.difference)
    order = [_label(result, row) for row in shown]
    data = pd.DataFrame([_point(result, row) for row in shown])
    width = WIDTH - min(LONGEST_LABEL, 24 + 7 * max(len(name) for name in order))
    base = alt.Chart(data, width=width, height=ROW * len(shown)).encode(y=alt.Y("state:N", sort=order, title=None))
    factor = 100 if result.shares else 1
    reach = max(max(abs(end) for end in (row.difference, row.low or 0.0, row.high or 0.0)) for row in shown) * factor
    scale = alt.Scale(domain=[-1.05 * reach, 1.05 * reach])
    kinds = _kinds(result, shown[0])
    legend = alt.Legend(orient="top", labelLimit=220)
    color = alt.Color("kind:N", title=None, legend=legend).scale(domain=kinds, range=[BETTER, WORSE, MUTED])
    shape = alt.Shape("kind:N", title=None, legend=legend).scale(domain=kinds, range=["circle", "square", "diamond"])
    unit = ", points" if result.shares else ""
    tooltip = [
        alt.Tooltip("state:N"), alt.Tooltip("models:N"), alt.Tooltip("made:N", title="in a trial of"),
        alt.Tooltip("values:N"), alt.Tooltip("believed:Q", format=".1f"), alt.Tooltip("p:Q", format=".3f"),
        alt.Tooltip("pivotal:Q", title="pivotal p", format=".3f"), alt.Tooltip("next:N", title="recorded next"),
    ]  # fmt: skip
    whole = base.encode(tooltip=tooltip)
    link = alt.Href("href:N")
    chart = alt.layer(
        base.mark_rule(color=MUTED).encode(x=alt.datum(0, scale=scale)),
        whole.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2, opacity=0.6).encode(
            x=alt.X("low:Q", title=f"difference in value{unit} (95% interval of each state)", scale=scale),
            x2="high:Q", color=color, href=link,
        ),
        whole.mark_point(filled=True, size=80).encode(
            x=alt.X("difference:Q", scale=scale, title=f"difference in value{unit} (95% interval of each state)"),
            color=color, shape=shape, href=link,
        ),
        whole.mark_tick(color=MUTED, thickness=2, height=ROW * 0.5).encode(x=alt.X("believed:Q", scale=scale)),
    )  # fmt: skip
    several = "" if len(result.models) > 2 else f" of {shown[0].first} less {shown[0].second}"
    pivotal = [row for row in shown if row.pivotal]
    found = (
        f"{len(pivotal)} can be called pivotal: {', '.join(state_label(row) for row in pivotal[:3])}"
        if pivotal
        else "none can be told from the largest of as many by chance"
    )
    of = "" if len(shown) == len(result.pivotal) else f" (the first {len(shown)} of {len(result.pivotal)})"
    description = (
        f"Differences{several} in what states are worth{of}, with the interval of each by itself; ticks are what is to "
        f"be believed after all states are looked at. Of these {found}."
    )
    return Plot("States by advantage", description, chart)


def _courses(result: Fork) -> list[Plot]:
    """The trials whose value falls most, one panel each."""
    trials = list(dict.fromkeys(row.trial for row in result.drops if row.change < 0))[:MOST_COURSES]
    if not trials:
        return []
    import altair as alt

    rows: list[dict[str, Any]] = [
        {
            "trial": f"{row.trial} ({row.prefix}, {row.task})", "model": row.model, "at": row.at, "value": row.value,
            "done": "; ".join(row.actions),
        }
        for trial in trials
        for row in result.courses
        if row.trial == trial
    ]  # fmt: skip
    data = pd.DataFrame(rows)
    places = sorted({row["at"] for row in rows})
    scale = alt.Scale(domain=[0, 1]) if result.shares else alt.Scale(zero=False)
    value = alt.Y("value:Q", title="value", scale=scale)
    base = alt.Chart(width=WIDTH - 140, height=130).encode(
        x=alt.X("at:Q", title="recorded calls behind", axis=alt.Axis(values=places, format="d", labelOverlap=True)),
        color=model_color(result.models),
        tooltip=[
            alt.Tooltip("model:N"), alt.Tooltip("at:Q", title="calls behind"),
            alt.Tooltip("value:Q", format=".2f"), alt.Tooltip("done:N", title="done next"),
        ],
    )  # fmt: skip
    layers: alt.LayerChart | alt.FacetChart = alt.layer(
        base.mark_line().encode(y=value, strokeDash=model_dash(result.models)),
        base.mark_point(filled=True, size=60).encode(y=value, shape=model_shape(result.models)),
        data=data,
    )
    names = list(dict.fromkeys(row["trial"] for row in rows))
    chart = layers.facet(
        row=alt.Row("trial:N", sort=names, title=None, header=alt.Header(labelAngle=0, labelOrient="top"))
    )
    falls = [next(row for row in result.drops if row.trial == trial) for trial in trials]
    told = "; ".join(
        f"{row.trial} falls from {row.before:.2f} to {row.after:.2f} between {row.at} and {row.until} calls under "
        f"{row.model}"
        for row in falls
    )
    return [Plot("The course of the trials that fall most", f"Value at each moment that was forked. {told}.", chart)]


def _kinds(result: Fork, row: Advantage) -> list[str]:
    first, second = (row.first, row.second) if len(result.models) <= 2 else ("the first", "the second")
    return [f"worth more under {first}", f"worth more under {second}", TIED]


def _label(result: Fork, row: Advantage) -> str:
    return state_label(row) if len(result.models) <= 2 else f"{state_label(row)}: {row.first} - {row.second}"


def _point(result: Fork, row: Advantage) -> dict[str, Any]:
    factor = 100 if result.shares else 1
    kinds = _kinds(result, row)
    kind = kinds[2] if not row.pivotal else kinds[0] if row.difference > 0 else kinds[1]
    return {
        "state": _label(result, row), "models": f"{row.first} - {row.second}", "made": row.prefix,
        "difference": factor * row.difference, "low": None if row.low is None else factor * row.low,
        "high": None if row.high is None else factor * row.high, "believed": factor * row.believed,
        "values": f"{row.first_value:.2f} ({row.first_rollouts}), {row.second_value:.2f} ({row.second_rollouts})",
        "p": row.p if row.p_adjusted is None else row.p_adjusted, "pivotal": row.p_largest, "kind": kind,
        "next": row.next_action, "href": trials_link({"moment": row.state.split(" ")[0]}),
    }  # fmt: skip
