"""Identification in pictures: who is taken for whom, how soon, by what, and how sure the classifier may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.compare.identification import Identification, Rung
from harness.compare.sentences import points, several
from harness.report.links import trials_link
from harness.report.plots import theme
from harness.report.plots.plot import Plot
from harness.report.sections.identification import SEEN

if TYPE_CHECKING:
    import altair as alt

LARGEST_MATRIX = 420
CELL = 56
MOST_LABELLED = 14
"""Models up to which the shares are written into the cells."""


def plots(result: Identification) -> list[Plot]:
    """Confusion matrix, accuracy by prefix, ladder and reliability; nothing where there is too little."""
    if result.too_few is not None:
        return []
    made = [_confusion(result), _ladder(result)]
    if len(result.prefixes) > 1:
        made.insert(1, _prefixes(result))
    return [*made, _reliability(result)]


def _confusion(result: Identification) -> Plot:
    import altair as alt

    rows = [
        {
            "true": cell.true, "told": cell.told, "share": cell.share, "trials": cell.trials,
            "percent": _percent(cell.share) if cell.trials else "",
            "href": trials_link({"trial": cell.names}) if cell.names else None,
        }
        for cell in result.confusion
    ]  # fmt: skip
    count = len(result.models)
    size = {"width": min(LARGEST_MATRIX, CELL * count + 40), "height": min(LARGEST_MATRIX, CELL * count)}
    highest = max(max(cell.share for cell in result.confusion), 1e-9)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("told:N", sort=result.models, title=f"{result.by} it is taken for", axis=alt.Axis(labelAngle=-45)),
        y=alt.Y("true:N", sort=result.models, title=f"true {result.by}"),
        tooltip=[
            alt.Tooltip("true:N", title=f"true {result.by}"), alt.Tooltip("told:N", title="taken for"),
            alt.Tooltip("share:Q", format=".1%", title="share of its trials"), alt.Tooltip("trials:Q", title="trials"),
        ],
        href="href:N",
    )  # fmt: skip
    squares = base.mark_rect().encode(
        color=alt.Color("share:Q", title="share of its trials", scale=theme.sequential(0, highest),
                        legend=alt.Legend(format="%"))
    )  # fmt: skip
    chart: Any = squares
    if count <= MOST_LABELLED:
        ink = alt.condition(f"datum.share < {highest / 2}", alt.value(theme.LOW_INK), alt.value(theme.HIGH_INK))
        chart = squares + base.mark_text().encode(text="percent:N", color=ink)
    worst = max((cell for cell in result.confusion if cell.true != cell.told), key=lambda cell: cell.share)
    return Plot(
        f"Which {result.by} each trial is taken for by its actions",
        f"Confusion matrix of {count} {several(result.by)}, rows true and columns told; right in "
        f"{_percent(_actions(result).accuracy.estimate)} of trials, chance {_percent(result.chance)}. "
        f"Most often {worst.true} is taken for {worst.told} ({_percent(worst.share)} of its trials).",
        chart.properties(**size),
    )


def _prefixes(result: Identification) -> Plot:
    import altair as alt

    rows = [
        {
            "actions": row.actions, "accuracy": row.accuracy.estimate, "low": row.accuracy.low,
            "high": row.accuracy.high, "null": row.null_high, "ended": row.ended, "chance": result.chance,
        }
        for row in result.prefixes
    ]  # fmt: skip
    ticks = [row.actions for row in result.prefixes]
    top = max(max(row["high"] or 0.0, row["accuracy"] or 0.0, row["null"] or 0.0) for row in rows)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("actions:Q", title="first actions seen (the last: whole trials)",
                scale=alt.Scale(type="log", nice=False), axis=alt.Axis(values=ticks, grid=False)),
    )  # fmt: skip
    y = alt.Y("accuracy:Q", title="trials told right", axis=alt.Axis(format="%"),
              scale=alt.Scale(domain=[0, min(1.0, 1.1 * top)]))  # fmt: skip
    tips = [
        alt.Tooltip("actions:Q", title="first actions"), alt.Tooltip("accuracy:Q", format=".1%", title="told right"),
        alt.Tooltip("low:Q", format=".1%", title="from"), alt.Tooltip("high:Q", format=".1%", title="to"),
        alt.Tooltip("null:Q", format=".1%", title="95% of permuted labels stay below"),
        alt.Tooltip("ended:Q", format=".0%", title="trials over by then"),
    ]  # fmt: skip
    last = {"x": alt.X("actions:Q", aggregate="max"), "align": "right"}
    band = base.mark_area(color=theme.SOFT).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(color=theme.ACCENT).encode(y=y)
    point = base.mark_point(color=theme.ACCENT).encode(y=y, tooltip=tips)
    null = base.mark_line(color=theme.MUTED, strokeDash=[4, 3], strokeWidth=1.5).encode(y="null:Q")
    chance = base.mark_line(color=theme.LINE, strokeWidth=1).encode(y="chance:Q")
    lines = (("null", "95% of permuted labels", True), ("chance", "chance", False))
    end = [_end_label(ticks[-1], rows[-1][key], text, up) for key, text, up in lines if rows[-1][key] is not None]
    del last
    first, whole = result.prefixes[0], result.prefixes[-1]
    return Plot(
        f"How soon the {result.by} is told",
        f"Share of trials told right against how many first actions are seen: {_percent(first.accuracy.estimate)} "
        f"after {first.actions}, {_percent(whole.accuracy.estimate)} of whole trials; chance "
        f"{_percent(result.chance)}.",
        alt.layer(band, chance, null, line, point, *end).properties(width=theme.WIDTH - 60, height=260),
    )


def _end_label(at: int, value: float | None, text: str, above: bool) -> alt.Chart:
    """A line's name at its right end."""
    import altair as alt

    data = pd.DataFrame([{"actions": at, "value": value, "name": text}])
    mark = alt.Chart(data).mark_text(align="right", dy=-8 if above else 10, color=theme.MUTED)
    label: alt.Chart = mark.encode(x="actions:Q", y="value:Q", text="name:N")
    return label


def _ladder(result: Identification) -> Plot:
    import altair as alt

    rows = [
        {
            "seen": SEEN[rung.rung], "accuracy": rung.accuracy.estimate, "low": rung.accuracy.low,
            "high": rung.accuracy.high, "errors": "taken out" if rung.masked else "as recorded",
            "loss": rung.log_loss.estimate, "null": rung.null_high,
        }
        for rung in result.ladder
    ]  # fmt: skip
    order = [SEEN[rung.rung] for rung in result.ladder if not rung.masked]
    both = any(rung.masked for rung in result.ladder)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("seen:N", sort=order, title="what is seen"),
        yOffset=alt.YOffset("errors:N", sort=["as recorded", "taken out"]) if both else alt.Undefined,
        tooltip=[
            alt.Tooltip("seen:N", title="seen"), alt.Tooltip("errors:N", title="format errors"),
            alt.Tooltip("accuracy:Q", format=".1%", title="told right"),
            alt.Tooltip("low:Q", format=".1%", title="from"),
            alt.Tooltip("high:Q", format=".1%", title="to"), alt.Tooltip("loss:Q", format=".2f", title="log loss"),
            alt.Tooltip("null:Q", format=".1%", title="95% of permuted labels stay below"),
        ],
    )  # fmt: skip
    x = alt.X("accuracy:Q", title="trials told right", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    legend = alt.Legend(title="format errors") if both else None
    kinds = ["as recorded", "taken out"]
    ink = alt.Color("errors:N", legend=legend, scale=alt.Scale(domain=kinds, range=[theme.ACCENT, theme.MUTED]))
    shape = alt.Shape("errors:N", legend=legend, scale=alt.Scale(domain=kinds, range=["circle", "diamond"]))
    spans = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", color=ink)
    dots = base.mark_point().encode(x=x, color=ink, shape=shape)
    null = base.mark_tick(color=theme.LINE, thickness=2, size=14).encode(x="null:Q")
    guess = alt.Chart(pd.DataFrame([{"chance": result.chance}]))
    chance = guess.mark_rule(color=theme.LINE, strokeDash=[4, 3]).encode(x="chance:Q")
    told = ", ".join(f"{SEEN[r.rung]} {_percent(r.accuracy.estimate)}" for r in result.ladder if not r.masked)
    height = theme.ROW * len(order) * (2 if both else 1)
    return Plot(
        f"What it takes to tell the {result.by}",
        f"Share of trials told right by what is seen, each row adding to those above: {told}; chance "
        f"{_percent(result.chance)} (dashed); a tick marks what 95% of permuted labels stay below.",
        alt.layer(chance, null, spans, dots).properties(width=theme.WIDTH - 200, height=height),
    )


def _reliability(result: Identification) -> Plot:
    import altair as alt

    rows = [
        {
            "stated": row.stated, "right": row.right.estimate, "low": row.right.low, "high": row.right.high,
            "answers": row.answers,
        }
        for row in result.calibration
    ]  # fmt: skip
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("stated:Q", title="probability stated", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        tooltip=[
            alt.Tooltip("stated:Q", format=".1%", title="stated"), alt.Tooltip("right:Q", format=".1%", title="right"),
            alt.Tooltip("answers:Q", title="answers"),
        ],
    )  # fmt: skip
    y = alt.Y("right:Q", title="share that is right", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    spans = base.mark_rule(strokeWidth=2, color=theme.ACCENT).encode(y=alt.Y("low:Q"), y2="high:Q")
    dots = base.mark_point(color=theme.ACCENT).encode(y=y)
    ends = alt.Chart(pd.DataFrame([{"stated": 0, "right": 0}, {"stated": 1, "right": 1}]))
    ideal = ends.mark_line(color=theme.LINE, strokeDash=[4, 3], strokeWidth=1).encode(x="stated:Q", y="right:Q")
    return Plot(
        "Whether the classifier knows how sure it is",
        f"Reliability diagram: how often answers are right against the probability stated for them; on the diagonal it "
        f"is as often right as it says. Expected calibration error {_percent(result.calibration_error)}, "
        f"{_percent(result.calibration_bias)} of it by chance alone.",
        alt.layer(ideal, spans, dots).properties(width=260, height=260),
    )


def _actions(result: Identification) -> Rung:
    return next(rung for rung in result.ladder if rung.rung == "actions" and not rung.masked)


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{points(value, 0)}%"
