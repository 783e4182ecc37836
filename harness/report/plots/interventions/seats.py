"""Traded seats drawn: the seat table as a heat map, effects with intervals, ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.compare.interventions.seats import Seats
from harness.compare.interventions.seats.effects import ACTOR, PARTNER, SHARED, Effect, Meeting
from harness.compare.interventions.seats.result import SeatedScenario
from harness.report import cells
from harness.report.plots.plot import Plot
from harness.report.plots.theme import (
    BETTER,
    HIGH_INK,
    LINE,
    LONGEST_LABEL,
    LOW_INK,
    MUTED,
    ROW,
    WIDTH,
    WORSE,
    model_color,
    model_shape,
    sequential,
)
from harness.report.sections.interventions.seats import difference, effect_name, interval, meeting_link, value, whose

if TYPE_CHECKING:
    import altair as alt

MOST_MODELS = 14
MOST_SQUARES = 6
MOST_EFFECTS = 30
KINDS = ("first gets more", "second gets more", "cannot be told apart")


def plots(result: Seats) -> list[Plot]:
    """Scenario by scenario: squares of who meets whom, effects, ratings."""
    if result.too_few is not None:
        return []
    made: list[Plot] = []
    for scenario in result.scenarios:
        head = f"{scenario.scenario}: " if len(result.scenarios) > 1 else ""
        made += [
            *_squares(result, scenario, head),
            *_effects(result, scenario, head),
            *_ratings(result, scenario, head),
        ]
    return made


def _squares(result: Seats, scenario: SeatedScenario, head: str) -> list[Plot]:
    """One square for each outcome and other seat, beside each other."""
    import altair as alt

    here = [m for m in result.meetings if m.scenario == scenario.scenario and m.mean.estimate is not None]
    if not here or len(scenario.models) > MOST_MODELS:
        return []
    kinds = list(dict.fromkeys((m.outcome, m.seat, m.other) for m in here))[:MOST_SQUARES]
    values = [m.mean.estimate or 0.0 for m in here]
    low, high = (
        (0.0, 1.0) if scenario.shares else (min(values), max(values) if max(values) > min(values) else min(values) + 1)
    )
    side = max(120, min(260, 52 * len(scenario.models)))
    angle = 0 if len(scenario.models) <= 4 else -45
    charts = []
    for outcome, seat, other in kinds:
        rows = [_square(m, scenario) for m in here if (m.outcome, m.seat, m.other) == (outcome, seat, other)]
        base = alt.Chart(pd.DataFrame(rows), width=side, height=max(80, 34 * len(scenario.models))).encode(
            x=alt.X("other:N", sort=scenario.models, title=other, axis=alt.Axis(labelAngle=angle)),
            y=alt.Y("model:N", sort=scenario.models, title=seat),
            href=alt.Href("href:N"),
            tooltip=[
                alt.Tooltip("model:N", title=seat), alt.Tooltip("other:N", title=other),
                alt.Tooltip("told:N", title=whose(outcome)), alt.Tooltip("trials:Q"),
            ],
        )  # fmt: skip
        title = "score" if outcome == "all" else f"what {outcome} gets"
        legend = alt.Legend(format="%") if scenario.shares else alt.Legend()
        squares = base.mark_rect().encode(
            color=alt.Color("mean:Q", scale=sequential(low, high), title=None, legend=legend)
        )
        middle = (low + high) / 2
        ink = alt.condition(f"datum.mean < {middle}", alt.value(LOW_INK), alt.value(HIGH_INK))
        charts.append((squares + base.mark_text().encode(text="text:N", color=ink)).properties(title=title))
    best = max(here, key=lambda m: m.mean.estimate or 0.0)
    ties = sum(each.mean.estimate == best.mean.estimate for each in here) - 1
    whose_it_is = (
        f"The score by which models meet, for {len(scenario.models)} models."
        if scenario.joint
        else f"What each seat gets by which models meet, for {len(scenario.models)} models; rows are the seat whose "
        "outcome it is, columns the other."
    )
    description = (
        f"{whose_it_is} Highest: {best.model} as {best.seat} with {best.opposite} as {best.other}, "
        f"{value(best.mean, scenario)}{f' (so are {ties} more)' if ties else ''}."
    )
    columns = 2 if len(charts) > 1 else 1
    return [Plot(f"{head}Who meets whom", description, alt.concat(*charts, columns=columns))]


def _square(meeting: Meeting, scenario: SeatedScenario) -> dict[str, Any]:
    mean = meeting.mean.estimate or 0.0
    return {
        "model": meeting.model, "other": meeting.opposite, "mean": mean,
        "text": f"{100 * mean:.0f}" if scenario.shares else cells.short(mean), "told": value(meeting.mean, scenario),
        "trials": meeting.trials, "href": meeting_link(meeting, scenario),
    }  # fmt: skip


def _effects(result: Seats, scenario: SeatedScenario, head: str) -> list[Plot]:
    """A forest of paired differences, one panel for each sort of effect."""
    import altair as alt

    every = [e for e in result.effects if e.scenario == scenario.scenario and e.difference.estimate is not None]
    every = [effect for effect in every if effect.difference.low is not None]
    if not every:
        return []
    kept = sorted(every, key=lambda e: (e.difference.p is None, e.difference.p or 0.0))[:MOST_EFFECTS]
    data = pd.DataFrame([_point(effect, scenario) for effect in every if effect in kept])
    label = "difference, points (95% interval)" if scenario.shares else "difference (95% interval)"
    color = alt.Color("kind:N", title=None, legend=alt.Legend(orient="top", labelLimit=200)).scale(
        domain=list(KINDS), range=[BETTER, WORSE, MUTED]
    )
    width = WIDTH - LONGEST_LABEL - 20
    panels = []
    for panel in dict.fromkeys(data["panel"]):
        rows = data[data["panel"] == panel]
        base = alt.Chart(rows, width=width, height=ROW * len(rows)).encode(
            y=alt.Y("name:N", sort=list(rows["name"]), title=None),
            tooltip=[
                alt.Tooltip("name:N", title="first - second"), alt.Tooltip("text:N", title="difference"),
                alt.Tooltip("p:N", title="p, corrected"), alt.Tooltip("tasks:Q", title="independent tasks"),
            ],
        )  # fmt: skip
        across = alt.X("low:Q", title=label)
        panels.append(
            alt.layer(
                _zero(),
                base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q", color=color),
                base.mark_point(filled=True, size=80).encode(x="difference:Q", color=color),
            ).properties(title=panel)
        )
    shown = [effect for effect in kept if effect.difference.shown]
    told = "; ".join(f"{effect_name(effect)} {difference(effect.difference, scenario)}" for effect in shown[:4])
    description = (
        f"Paired differences of models by seat with 95% intervals over tasks: {len(shown)} of {len(kept)} can be told "
        f"from chance{': ' + told if told else ''}."
    )
    chart = alt.vconcat(*panels).resolve_scale(x="shared", color="shared")
    return [Plot(f"{head}Effects of who sits where", description, chart)]


def _zero() -> alt.Chart:
    import altair as alt

    made: alt.Chart = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=LINE).encode(x="zero:Q")
    return made


def _point(effect: Effect, scenario: SeatedScenario) -> dict[str, Any]:
    found, scale = effect.difference, 100.0 if scenario.shares else 1.0
    middle = scale * (found.estimate or 0.0)
    what = {
        ACTOR: f"{effect.outcome}: what it gets itself", PARTNER: f"what {effect.outcome} gets of it",
        SHARED: "score",
    }.get(effect.role, f"{whose(effect.outcome)}: meeting oneself")  # fmt: skip
    return {
        "panel": what, "name": effect_name(effect), "difference": middle, "low": scale * (found.low or 0.0),
        "high": scale * (found.high or 0.0), "text": difference(found, scenario), "p": cells.p_cell(found),
        "tasks": found.clusters, "kind": KINDS[2] if not found.shown else KINDS[0] if middle > 0 else KINDS[1],
    }  # fmt: skip


def _ratings(result: Seats, scenario: SeatedScenario, head: str) -> list[Plot]:
    import altair as alt

    rated = [each for each in result.ratings if each.scenario == scenario.scenario]
    known: Sequence[Any] = [each for each in rated if each.rating.low is not None]
    if not known:
        return []
    ordered = sorted(known, key=lambda each: -(each.rating.estimate or 0.0))
    names = [each.model for each in ordered]
    data = pd.DataFrame(
        [
            {"model": each.model, "rating": each.rating.estimate, "low": each.rating.low, "high": each.rating.high,
             "text": interval(each.rating), "counts": f"{each.won}/{each.lost}/{each.tied}"}
            for each in ordered
        ]
    )  # fmt: skip
    base = alt.Chart(data, width=WIDTH - LONGEST_LABEL, height=ROW * len(names)).encode(
        y=alt.Y("model:N", sort=names, title=None),
        tooltip=[
            alt.Tooltip("model:N"), alt.Tooltip("text:N", title="logits"),
            alt.Tooltip("counts:N", title="won/lost/tied"),
        ],
    )  # fmt: skip
    color = model_color(scenario.models, legend=False)
    across = alt.X("low:Q", title="rating, logits (95% interval)")
    chart = alt.layer(
        _zero(),
        base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q", color=color),
        base.mark_point(filled=True, size=80).encode(
            x="rating:Q", color=color, shape=model_shape(scenario.models, legend=False)
        ),
    )  # fmt: skip
    told = ", ".join(f"{each.model} {each.rating.estimate:.2f}" for each in ordered[:6])
    return [
        Plot(
            f"{head}Ratings", f"How strong each model is on equal seats, in logits, with 95% intervals: {told}.", chart
        )
    ]
