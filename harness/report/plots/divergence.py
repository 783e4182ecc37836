"""Divergence drawn: how long models stay together, what each action tells, the tree of ways, and alignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.compare.divergence import Alignment, Divergence, Together, TreeBranch
from harness.compare.sentences import several
from harness.report.links import trials_link
from harness.report.plain import one_line
from harness.report.plots import theme
from harness.report.plots.plot import Plot
from harness.report.sections.divergence import clearest

if TYPE_CHECKING:
    import altair as alt

MOST_CURVES = 6
"""Pairs of models whose curves are drawn: the clearest."""
MOST_DEPTHS = 12
ALIGNMENTS = 3
MOST_ACTIONS = 11
"""Actions with a colour of their own; further ones are grey."""
SEEN = 0.02
"""Curves end where fewer pairs than this are still together."""
BETWEEN, OWN = "between the two", "own repeats"


def plots(result: Divergence) -> list[Plot]:
    """Curves of the clearest pairs, information by action, the tree, and alignments of the most telling tasks."""
    if result.too_few is not None or len(result.models) < 2:
        return []
    made = [_curves(result)] if any(row.second is not None for row in result.curves) else []
    made += [_choices(result)] if result.choices else []
    made += [_depths(result)] if result.depths else []
    made += [_tree(result)] if len(result.tree) > 1 else []
    return made + [_alignment(result, found) for found in result.alignments[:ALIGNMENTS]]


def _curves(result: Divergence) -> Plot:
    import altair as alt

    pairs = clearest(result, MOST_CURVES)
    names = {(row.first, row.second): f"{one_line(row.first, 26)} and {one_line(row.second, 26)}" for row in pairs}
    rows = [
        {
            "pair": names[point.first, point.second], "actions": point.actions, "together": point.together,
            "low": point.low, "high": point.high, "which": OWN if point.own else BETWEEN, "followed": point.at_risk,
            "href": trials_link({result.by: [point.first, point.second]}),
        }
        for point in result.curves
        if point.level == result.level and point.second is not None and (point.first, point.second) in names
    ]  # fmt: skip
    data = pd.DataFrame(rows)
    seen = data[data["together"] >= SEEN]["actions"]
    data = data[data["actions"] <= int(seen.max()) + 1]
    one = len(pairs) == 1
    base = alt.Chart(width=theme.WIDTH - 140 if one else 240, height=240 if one else 130).encode(
        x=alt.X("actions:Q", title="actions taken", axis=alt.Axis(tickMinStep=1)),
        color=alt.Color("which:N", title=None, legend=alt.Legend(orient="top")).scale(
            domain=[BETWEEN, OWN], range=[theme.ACCENT, theme.MUTED]
        ),
    )
    scale = alt.Scale(domain=[0, 1])
    dash = alt.StrokeDash("which:N", title=None, legend=alt.Legend(orient="top")).scale(
        domain=[BETWEEN, OWN], range=[[1, 0], [5, 3]]
    )
    tooltip = [
        alt.Tooltip("pair:N", title=f"{several(result.by)}"), alt.Tooltip("which:N", title="pairs of trials"),
        alt.Tooltip("actions:Q", title="after actions"),
        alt.Tooltip("together:Q", title="still together", format=".0%"),
        alt.Tooltip("low:Q", title="from", format=".0%"), alt.Tooltip("high:Q", title="to", format=".0%"),
        alt.Tooltip("followed:Q", title="pairs followed so far", format=".0%"),
    ]  # fmt: skip
    y = alt.Y("together:Q", title="still together", axis=alt.Axis(format="%", tickCount=5), scale=scale)
    band = base.mark_area(opacity=0.2, interpolate="step-after").encode(
        y=alt.Y("low:Q", scale=scale, title="still together"), y2="high:Q"
    )
    line = base.mark_line(interpolate="step-after").encode(y=y, strokeDash=dash)
    dots = base.mark_point(size=34, filled=True).encode(y=y, href="href:N", tooltip=tooltip)
    chart: alt.LayerChart | alt.FacetChart = alt.layer(band, line, dots, data=data)
    if not one:
        header = alt.Header(labelFontSize=12)
        chart = chart.facet(facet=alt.Facet("pair:N", title=None, sort=list(names.values()), header=header), columns=2)
    what = f"the {len(pairs)} clearest pairs" if not one else names[pairs[0].first, pairs[0].second]
    return Plot(f"Still together after so many actions: {what}", _curve_words(result, pairs), chart)


def _curve_words(result: Divergence, pairs: Sequence[Together]) -> str:
    told = []
    for row in pairs[:3]:
        if row.actions.estimate is not None:
            own = "" if row.own_actions.estimate is None else f", their own repeats {row.own_actions.estimate:.1f}"
            names = f"{one_line(row.first, 40)} and {one_line(row.second, 40)}"
            told.append(f"{names} part after {row.actions.estimate:.1f} actions{own}")
    return (
        f"Share of pairs of trials on one task that are still the same after each action, one of each {result.by} "
        f"against two of one {result.by}, with 95% bands. {'; '.join(told)}."
    )


def _choices(result: Divergence) -> Plot:
    """What two models do where they part most: the clearest pair."""
    import altair as alt

    told = {(row.first, row.second) for row in result.choices}
    rows_of = [row for row in clearest(result, MOST_CURVES) if (row.first, row.second) in told]
    best = min(
        rows_of,
        key=lambda row: (row.gap.p_adjusted if row.gap.p_adjusted is not None else 2.0, row.gap.estimate or 0.0),
    )
    choices = [row for row in result.choices if (row.first, row.second) == (best.first, best.second)]
    several = len({row.node for row in choices}) > 1
    rows: list[dict[str, Any]] = []
    for row in choices:
        label = f"{row.action} (at {row.node})" if several else row.action
        for model, share, trials in (
            (row.first, row.first_share, row.first_trials), (row.second, row.second_share, row.second_trials),
        ):  # fmt: skip
            link = trials_link({"trial": trials}) if trials else trials_link({result.by: model})
            rows.append({"does": label, "model": model, "share": share, "href": link})
    data = pd.DataFrame(rows)
    order = list(dict.fromkeys(data["does"]))
    pair = [best.first, best.second]
    base = alt.Chart(data, width=theme.WIDTH - theme.LONGEST_LABEL, height=theme.ROW * len(order)).encode(
        y=alt.Y("does:N", sort=order, title=None)
    )
    scale = alt.Scale(domain=[0, 1])
    line = base.mark_rule(color=theme.LINE).encode(x=alt.X("min(share):Q", scale=scale), x2="max(share):Q")
    points = base.mark_point(size=90, filled=True).encode(
        x=alt.X("share:Q", title="share of the partings there", axis=alt.Axis(format="%"), scale=scale),
        color=_pair_color(result, pair),
        shape=theme.model_shape(pair, title=result.by),
        href="href:N",
        tooltip=[
            alt.Tooltip("model:N", title=result.by), alt.Tooltip("does:N", title="does"),
            alt.Tooltip("share:Q", title="share", format=".0%"),
        ],
    )  # fmt: skip
    names = f"{one_line(best.first, 40)} and {one_line(best.second, 40)}"
    first = choices[0]
    description = (
        f"What {names} do at the action where they part, as shares of the partings at that node. {first.action} at "
        f"{first.node}: {first.first_share:.0%} against {first.second_share:.0%}."
    )
    return Plot(f"Where {names} part: what each does", description, line + points)


def _pair_color(result: Divergence, pair: Sequence[str]) -> alt.Color:
    """The colours that these two have in every plot."""
    import altair as alt

    colors = [theme.LIGHT_MODELS[result.models.index(name) % len(theme.LIGHT_MODELS)] for name in pair]
    return alt.Color("model:N", title=result.by).scale(domain=list(pair), range=colors)


def _depths(result: Divergence) -> Plot:
    import altair as alt

    named = {("task"): "within a task", ("all"): "over all tasks, by name"}
    rows = [
        {
            "action": row.action, "bits": row.information, "expected": row.expected, "excess": row.excess, "p": row.p,
            "scope": named[row.scope], "shown": "yes" if row.p < 0.05 else "no",
        }
        for row in result.depths
        if row.action <= MOST_DEPTHS and (row.level, row.scope) in ((result.level, "task"), ("names", "all"))
    ]  # fmt: skip
    data = pd.DataFrame(rows)
    base = alt.Chart(data, width=270, height=170).encode(
        x=alt.X("action:O", title="action", axis=alt.Axis(labelAngle=0)),
        tooltip=[
            alt.Tooltip("action:O", title="action"), alt.Tooltip("bits:Q", format=".2f"),
            alt.Tooltip("expected:Q", title="by chance", format=".2f"), alt.Tooltip("p:Q", format=".3f"),
        ],
    )  # fmt: skip
    title = f"bits about the {result.by}"
    bars = base.mark_bar().encode(
        y=alt.Y("bits:Q", title=title),
        opacity=alt.Opacity("shown:O", title="beyond chance", legend=alt.Legend(orient="top")).scale(
            domain=["yes", "no"], range=[1.0, 0.4]
        ),
    )
    ticks = base.mark_tick(color=theme.INK, thickness=2, width=16).encode(y=alt.Y("expected:Q", title=title))
    chart = alt.layer(bars, ticks).facet(
        facet=alt.Facet("scope:N", title=None, sort=list(named.values())), columns=2
    ).resolve_scale(y="independent")  # fmt: skip
    best = max(rows, key=lambda row: float(str(row["excess"])))
    return Plot(
        f"What each action tells about which {result.by} took it, given all before it",
        f"Mutual information between {result.by} and next action, in bits; the mark on each bar is what chance alone "
        f"gives. Most beyond chance: action {best['action']} {best['scope']}, {best['bits']:.2f} bits against "
        f"{best['expected']:.2f}.",
        chart,
    )


def _tree(result: Divergence) -> Plot:
    """The tree as an icicle: breadth by how often a way is taken, colour by how differently."""
    import altair as alt

    rows, places = [], _places(result)
    for branch in result.tree[1:]:
        left, right = places[branch.number]
        shares = sorted(branch.shares.items(), key=lambda item: -item[1])
        told = ", ".join(f"{one_line(name, 24)} {share:.0%}" for name, share in shares[:6])
        rows.append({
            "left": left, "right": right, "top": branch.depth - 1, "bottom": branch.depth, "action": branch.action,
            "spread": shares[0][1] - shares[-1][1], "shares": told, "trials": branch.trials,
            "middle": (left + right) / 2, "line": branch.depth - 0.5,
            "label": branch.action if (right - left) * theme.WIDTH > 7.5 * len(branch.action) else "",
            "href": trials_link({"trial": branch.some}),
        })  # fmt: skip
    data = pd.DataFrame(rows)
    deepest = int(data["bottom"].max())
    across, down = alt.Scale(domain=[0, 1], nice=False), alt.Scale(domain=[0, deepest], reverse=True, nice=False)
    base = alt.Chart(data, width=theme.WIDTH - 60, height=34 * deepest)
    most = float(data["spread"].max())
    boxes = base.mark_rect().encode(
        x=alt.X("left:Q", title="share of all trials", scale=across, axis=alt.Axis(format="%", grid=False)),
        x2="right:Q",
        y=alt.Y("top:Q", title="action", scale=down, axis=alt.Axis(values=list(range(deepest + 1)), grid=False)),
        y2="bottom:Q",
        color=alt.Color(
            "spread:Q", title=f"{several(result.by)} differ by", scale=theme.sequential(0, max(most, 0.01)),
            legend=alt.Legend(format="%"),
        ),
        href="href:N",
        tooltip=[
            alt.Tooltip("action:N"), alt.Tooltip("trials:Q"), alt.Tooltip("shares:N", title="of the trials of"),
            alt.Tooltip("spread:Q", title="differ by", format=".0%"),
        ],
    )  # fmt: skip
    ink = alt.condition(f"datum.spread < {most / 2}", alt.value(theme.LOW_INK), alt.value(theme.HIGH_INK))
    text = base.mark_text(fontSize=11).encode(
        x=alt.X("middle:Q", scale=across), y=alt.Y("line:Q", scale=down), text="label:N", color=ink
    )
    best = max(rows, key=lambda row: float(str(row["spread"])))
    return Plot(
        "The tree of ways, all tasks together",
        "Each row is one action further; a box is as broad as the share of trials that come that way, and the darker "
        f"the more the {several(result.by)} differ in it. Most at action {best['bottom']}, {best['action']}: "
        f"{best['shares']}.",
        boxes + text,
    )


def _places(result: Divergence) -> dict[int, tuple[float, float]]:
    """Left and right end of each branch: within its parent's, the broadest first."""
    whole = result.tree[0].trials
    ends = {0: (0.0, 1.0)}
    children: dict[int, list[TreeBranch]] = {}
    for branch in result.tree[1:]:
        children.setdefault(branch.parent or 0, []).append(branch)
    for branch in result.tree:
        at = ends[branch.number][0]
        for child in sorted(children.get(branch.number, []), key=lambda child: -child.trials):
            ends[child.number] = at, at + child.trials / whole
            at = ends[child.number][1]
    return ends


def _alignment(result: Divergence, found: Alignment) -> Plot:
    import altair as alt

    common = _commonest(result)
    here = {cell.action for row in found.rows for cell in row.cells if cell is not None}
    width = theme.WIDTH - 150
    room = int(width / max(1, len(found.agreement)) / 7)
    rows = [
        {
            "model": row.model, "place": n + 1, "what": cell.action if cell.action in common else "other",
            "action": cell.action, "arguments": cell.arguments or "not known", "variant": cell.variant,
            "label": _label(cell.action, cell.variant, room), "href": trials_link({"trial": row.trial}),
        }
        for row in found.rows
        for n, cell in enumerate(row.cells)
        if cell is not None
    ]  # fmt: skip
    # the same action has the same colour in all alignments of a report
    colors = {name: theme.LIGHT_MODELS[n] for n, name in enumerate(common) if name in here}
    colors |= {} if here <= set(common) else {"other": theme.LINE}
    models = [row.model for row in found.rows]
    places = list(range(1, len(found.agreement) + 1))
    base = alt.Chart(pd.DataFrame(rows), width=width, height=theme.ROW * len(models)).encode(
        x=alt.X("place:O", title=None, scale=alt.Scale(domain=places), axis=None),
        y=alt.Y("model:N", sort=models, title=None),
        href="href:N",
        tooltip=[
            alt.Tooltip("model:N", title=result.by), alt.Tooltip("place:O", title="place"), alt.Tooltip("action:N"),
            alt.Tooltip("arguments:N"),
        ],
    )  # fmt: skip
    boxes = base.mark_rect().encode(
        color=alt.Color("what:N", title="action", sort=list(colors), legend=alt.Legend(orient="top", columns=5)).scale(
            domain=list(colors), range=list(colors.values())
        )
    )
    marks = base.mark_text(fontSize=10, color=theme.PAPER, clip=True).encode(text="label:N")
    agree = pd.DataFrame({"place": places, "agree": found.agreement})
    strip = alt.Chart(agree, width=width, height=44).mark_bar(color=theme.MUTED).encode(
        x=alt.X("place:O", title="place", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("agree:Q", title="agree", axis=alt.Axis(format="%", values=[0, 0.5, 1])).scale(domain=[0, 1]),
        tooltip=[alt.Tooltip("place:O"), alt.Tooltip("agree:Q", format=".0%")],
    )  # fmt: skip
    task = one_line(", ".join(found.unit[name] for name in ("task", "scaffold") if found.unit.get(name)), 60)
    apart = "They are alike throughout" if found.parts_at is None else f"They first differ at place {found.parts_at}"
    return Plot(
        f"Typical trajectories side by side: {task}",
        f"One row for each of {len(models)} {several(result.by)}, one column for each place; gaps where a "
        f"{result.by} does nothing that corresponds; below, the share that agrees. {apart}; on average "
        f"{found.mean:.0%} agree.",
        alt.vconcat(alt.layer(boxes, marks), strip, spacing=4),
    )


def _commonest(result: Divergence) -> list[str]:
    """The commonest actions of all alignments."""
    counts: dict[str, int] = {}
    for found in result.alignments:
        for row in found.rows:
            for cell in row.cells:
                if cell is not None:
                    counts[cell.action] = counts.get(cell.action, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))[:MOST_ACTIONS]


def _label(action: str, variant: int, room: int) -> str:
    """What fits into a box: the name, its first letters, or nothing."""
    text = one_line(action) + ("" if variant <= 1 else f" {variant}")
    return text if len(text) <= room else text[:room] if room >= 3 else ""
