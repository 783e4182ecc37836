"""Surfaces drawn: the change of behaviour of every model under every surface, and beside that of another task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from harness.compare.interventions.perturb import Change, Perturb, Yardstick
from harness.compare.interventions.perturb.rows import EVERY, SEQUENCE
from harness.compare.sentences import amount
from harness.report import cells
from harness.report.plots.plot import Plot
from harness.report.plots.theme import LINE, LONGEST_LABEL, MUTED, ROW, WIDTH, model_color, model_shape

if TYPE_CHECKING:
    import altair as alt

MOST_MODELS = 8
TICK = 0.7
"""Height of a noise mark, as a share of a row."""


def plots(result: Perturb) -> list[Plot]:
    """Changes of behaviour as a forest by surface; the mean of all surfaces beside another task, model by model."""
    models = result.models[:MOST_MODELS]
    rows = [row for row in result.changes if row.what == SEQUENCE and row.model in models]
    made = [_forest(result, rows, models)] if rows else []
    every = any(row.surface == EVERY for row in result.yardsticks)
    beside = [
        row
        for row in result.yardsticks
        if row.what == SEQUENCE and row.ratio is not None and (not every or row.surface == EVERY)
    ]
    return [*made, _beside(beside, models)] if beside and every else made


def _forest(result: Perturb, rows: Sequence[Change], models: Sequence[str]) -> Plot:
    import altair as alt

    surfaces = [name for name in result.surfaces if any(row.surface == name for row in rows)]
    data = pd.DataFrame([_point(row) for row in rows])
    several = len(models) > 1
    height = ROW * max(1.0, 0.7 * len(models)) * len(surfaces)
    width = WIDTH - min(LONGEST_LABEL, 24 + 7 * max(map(len, surfaces)))
    base = alt.Chart(data, width=width, height=height).encode(
        y=alt.Y("surface:N", sort=surfaces, title=None), tooltip=_tooltip()
    )
    if several:
        base = base.encode(yOffset=alt.YOffset("model:N", sort=list(models)))
    color = model_color(models, legend=several)
    across = alt.X("low:Q", title="change of sequences beyond the model's own noise (95% interval)")
    layers = [
        base.mark_rule(color=LINE).encode(x=alt.datum(0)),
        base.mark_tick(color=MUTED, thickness=2, size=ROW * TICK * 0.6).encode(x="noise:Q"),
        base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q", color=color),
        base.mark_point(filled=True, size=80).encode(
            x="change:Q", color=color, shape=model_shape(models, legend=several)
        ),
    ]  # fmt: skip
    moving = [row for row in rows if row.change.shown]
    told = "; ".join(f"{row.model} under {row.surface} {amount(row.change.estimate)}" for row in moving[:5])
    found = (
        f"Told from chance: {told}{' ...' if len(moving) > 5 else ''}." if moving else "None can be told from chance."
    )
    description = (
        f"Change of behaviour under {len(surfaces)} surfaces for {len(models)} models: how much further trials of the "
        "surface are from plain ones than trials of one surface from each other; 0 is no change. The upright grey "
        f"marks are the model against itself. {found}"
    )
    return Plot("Change of behaviour by surface", description, alt.layer(*layers))


def _point(row: Change) -> dict[str, object]:
    change = row.change
    middle = change.estimate or 0.0
    return {
        "model": row.model, "surface": row.surface, "change": middle,
        "low": middle if change.low is None else change.low, "high": middle if change.high is None else change.high,
        "noise": row.floor.estimate, "text": cells.difference_amount(change), "p": cells.p_cell(change),
        "own": cells.mean(row.floor), "tasks": change.clusters,
    }  # fmt: skip


def _tooltip() -> list[alt.Tooltip]:
    import altair as alt

    return [
        alt.Tooltip("surface:N", title="surface"), alt.Tooltip("model:N", title="model"),
        alt.Tooltip("text:N", title="change (95% interval)"), alt.Tooltip("p:N", title="p, corrected"),
        alt.Tooltip("own:N", title="own noise"), alt.Tooltip("tasks:Q", title="independent tasks"),
    ]  # fmt: skip


def _beside(rows: Sequence[Yardstick], models: Sequence[str]) -> Plot:
    import altair as alt

    names = [row.model for row in rows]
    data = pd.DataFrame(
        [
            {
                "model": row.model, "ratio": 100 * (row.ratio or 0.0), "low": 100 * _known(row.low, row),
                "high": 100 * _known(row.high, row), "tasks": row.clusters,
            }
            for row in rows
        ]
    )  # fmt: skip
    width = WIDTH - min(LONGEST_LABEL, 24 + 7 * max(map(len, names)))
    tooltip = [
        alt.Tooltip("model:N", title="model"), alt.Tooltip("ratio:Q", title="% of another task", format=".0f"),
        alt.Tooltip("low:Q", title="from", format=".0f"), alt.Tooltip("high:Q", title="to", format=".0f"),
        alt.Tooltip("tasks:Q", title="independent tasks"),
    ]  # fmt: skip
    base = alt.Chart(data, width=width, height=ROW * len(rows)).encode(
        y=alt.Y("model:N", sort=names, title=None), tooltip=tooltip
    )
    color = model_color(models, legend=False)
    across = alt.X("low:Q", title="change by another surface, % of that by another task (95% interval)")
    layers = [
        base.mark_rule(color=LINE).encode(x=alt.datum(0)),
        base.mark_rule(color=LINE, strokeDash=[4, 4]).encode(x=alt.datum(100)),
        base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q", color=color),
        base.mark_point(filled=True, size=80).encode(
            x="ratio:Q", color=color, shape=model_shape(models, legend=False)
        ),
    ]  # fmt: skip
    told = "; ".join(f"{row.model} {100 * (row.ratio or 0):.0f}%" for row in rows[:6])
    description = (
        "How much another surface (mean of all) changes what a model does, as a share of what another task changes: at "
        f"0 surface does not matter, at 100 as much as substance. {told}."
    )
    return Plot("Surface beside substance", description, alt.layer(*layers))


def _known(end: float | None, row: Yardstick) -> float:
    """An end of the interval; the ratio itself where it has none."""
    return (row.ratio or 0.0) if end is None else end
