"""Relays drawn: the course of each pair over the share that was kept, and the terms with their intervals."""

from __future__ import annotations

import pandas as pd

from harness.compare.interventions.relay import Relay
from harness.report.plots.plot import Plot
from harness.report.plots.theme import ROW, WIDTH, model_color, model_dash, model_shape


def plots(result: Relay) -> list[Plot]:
    """The courses, then the terms."""
    if result.too_few is not None:
        return []
    made = [_courses(result)] if len({row.at for row in result.points}) > 1 else []
    return made + ([_terms(result)] if any(row.difference.estimate is not None for row in result.effects) else [])


def _courses(result: Relay) -> Plot:
    """One panel for each model that began; a line for each that went on, the control among them."""
    import altair as alt

    data = pd.DataFrame(
        [
            {"began": row.prefix, "went on": row.suffix, "kept": 100 * row.at, "value": row.value.estimate,
             "low": row.value.low, "high": row.value.high, "trials": row.trials}
            for row in result.points
            if row.value.estimate is not None
        ]
    )  # fmt: skip
    scale = alt.Scale(domain=[0, 1]) if result.shares else alt.Scale(zero=False)
    title = "mean outcome"
    color = model_color(result.models, "went on", "went on")
    base = alt.Chart(data, width=(WIDTH - 120) // min(2, len(result.models)), height=200).encode(
        x=alt.X("kept:Q", title="share of the first one's trial that was kept, %"), color=color,
        tooltip=["began:N", "went on:N", alt.Tooltip("kept:Q", title="kept, %"),
                 alt.Tooltip("value:Q", format=".2f"), alt.Tooltip("low:Q", format=".2f"),
                 alt.Tooltip("high:Q", format=".2f"), "trials:Q"],
    )  # fmt: skip
    value = alt.Y("value:Q", title=title, scale=scale)
    layers = alt.layer(
        base.transform_filter("isValid(datum.low)").mark_rule(opacity=0.4).encode(
            y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q"
        ),
        base.mark_line().encode(y=value, strokeDash=model_dash(result.models, "went on", "went on")),
        base.mark_point(filled=True, size=60).encode(y=value, shape=model_shape(result.models, "went on", "went on")),
    )  # fmt: skip
    chart = layers.facet(facet=alt.Facet("began:N", title="began", sort=result.models), columns=2)
    description = (
        "Mean outcome by how much of the first model's trial was kept, one panel for each that began: at 0 the one who "
        "goes on is alone, at 100 the one who began. A model's line in its own panel is the control."
    )
    return Plot("Outcomes by how much of the trial was kept", description, chart)


def _terms(result: Relay) -> Plot:
    import altair as alt

    scale = 100 if result.shares else 1
    data = pd.DataFrame(
        [
            {"term": f"{row.first} - {row.second}: {row.term}", "difference": scale * row.difference.estimate,
             "low": None if row.difference.low is None else scale * row.difference.low,
             "high": None if row.difference.high is None else scale * row.difference.high,
             "shown": "told from chance" if row.difference.shown else "may be chance"}
            for row in result.effects
            if row.difference.estimate is not None
        ]
    )  # fmt: skip
    unit = "points" if result.shares else "units of the outcome"
    order = list(data["term"])
    base = alt.Chart(data, width=WIDTH - 260, height=alt.Step(ROW)).encode(
        y=alt.Y("term:N", title=None, sort=order, axis=alt.Axis(labelLimit=240)),
        tooltip=["term:N", alt.Tooltip("difference:Q", format=".1f"), alt.Tooltip("low:Q", format=".1f"),
                 alt.Tooltip("high:Q", format=".1f"), "shown:N"],
    )  # fmt: skip
    title = f"first less second, {unit}"
    x = alt.X("difference:Q", title=title)
    chart = alt.layer(
        alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[3, 3]).encode(x="zero:Q"),
        base.transform_filter("isValid(datum.low)").mark_rule().encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_point(filled=True, size=70).encode(x=x, fill=alt.Fill("shown:N", title=None)),
    )
    told = "; ".join(f"{term} {value:+.1f}" for term, value in zip(data["term"], data["difference"], strict=True))
    return Plot("Who sets up, who finishes", f"Differences in {unit} over tasks, with intervals: {told}.", chart)
