"""A comparison on the terminal: the findings first, then the tables, then what has to be known to read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.compare import Behaviour, BehaviourPair, Comparison, Difference, Pair, Section
from harness.report import cells
from harness.report.plain import one_line
from harness.report.results import draw_notes, results_table
from harness.report.table import Column, Table, draw_table

if TYPE_CHECKING:
    from rich.console import Console

MOST_PAIRS = 15
MOST_MODELS = 4
"""Up to this many models the behaviour table shows each one's mean."""
MOST_BEHAVIOURS = 25


def draw_comparison(console: Console, comparison: Comparison, title: str) -> None:
    """Draw all of it."""
    from rich.text import Text

    console.print(Text(one_line(title), style="bold"))
    console.print()
    for sentence in comparison.sentences:
        draw_item(console, sentence)
    for table in comparison_tables(comparison):
        console.print()
        draw_table(console, table)
    if comparison.cautions:
        console.print()
        console.print(Text("Beside these numbers", style="bold"))
        for caution in comparison.cautions:
            draw_item(console, caution.text)
    draw_notes(console, comparison_notes(comparison))


def draw_item(console: Console, text: str) -> None:
    """One item of a list, with a hanging indent."""
    from rich.table import Table as Layout
    from rich.text import Text

    layout = Layout.grid(padding=(0, 1, 0, 0))
    layout.add_column(width=3)
    layout.add_column(ratio=1, overflow="fold")
    layout.add_row(Text("  -"), Text(one_line(text)))
    console.print(layout)


def comparison_tables(comparison: Comparison) -> list[Table]:
    """Outcomes, differences (overall, per scenario, per scaffold), noise floor, behaviours; empty ones left out."""
    tables = [results_table(comparison.overall.outcomes, "Outcomes")]
    if not any(row.account.done for row in comparison.overall.outcomes):
        return tables
    if comparison.overall.pairs:
        tables.append(pairs_table(comparison.overall))
    for column in ("scenario", "scaffold"):
        inner = [section for section in comparison.sections if section.column == column]
        if inner:
            tables.append(sections_table(inner, column, several=len(comparison.models) > 1))
    if comparison.overall.noise:
        tables.append(noise_table(comparison.overall, comparison.by))
    if comparison.behaviours:
        tables.append(behaviour_table(comparison))
    return tables


def pairs_table(section: Section) -> Table:
    """The pairs of one section, passes and scores; the clearest ones where there are many."""
    pairs = _clearest(section.pairs)
    title = "Differences between pairs, in points"
    if len(pairs) < len(section.pairs):
        title += f" (the {len(pairs)} clearest of {len(section.pairs)}; all of them with --json)"
    columns = [Column("first - second", "left", key=True), Column("passed"), Column("p"), Column("would show")]
    columns += [Column("flips"), Column("won/lost/tied"), Column("score"), Column("p (score)")]
    same = all(pair.score.estimate == pair.passed.estimate and pair.score.n == pair.passed.n for pair in section.pairs)
    rows = [
        [
            _name(pair), cells.difference_points(pair.passed), cells.p_cell(pair.passed), cells.detectable(pair.passed),
            cells.share(pair.flips), _counts(pair.passed),
            *(["", ""] if same else [cells.difference_points(pair.score), cells.p_cell(pair.score)]),
        ]
        for pair in pairs
    ]  # fmt: skip
    return Table(title, columns, rows, frozenset(n for n, pair in enumerate(pairs) if pair.passed.shown))


def sections_table(sections: Sequence[Section], column: str, several: bool) -> Table:
    """Differences within each scenario or scaffold; pass rates where there is nothing to compare."""
    if not several:
        columns = [Column(column, "left", key=True), Column("passed")]
        return Table(f"By {column}", columns, [[str(s.value), cells.rate(s.outcomes[0].passed)] for s in sections])
    named = any(len(section.pairs) > 1 for section in sections)
    rows: list[list[str]] = []
    strong: set[int] = set()
    for section in sections:
        for pair in _clearest(section.pairs, max(1, MOST_PAIRS // len(sections))):
            if pair.passed.shown:
                strong.add(len(rows))
            rows.append([
                str(section.value), *([_name(pair)] if named else []), cells.difference_points(pair.passed),
                cells.p_cell(pair.passed), cells.detectable(pair.passed), "" if named else _counts(pair.passed),
            ])  # fmt: skip
    columns = [Column(column, "left", key=True), *([Column("first - second", "left", key=True)] if named else [])]
    columns += [Column("passed"), Column("p"), Column("would show"), Column("won/lost/tied")]
    of = "" if named else f", {_name(sections[0].pairs[0])}"
    left = sum(len(section.pairs) for section in sections) - len(rows)
    clearest = " (the clearest; all of them with --json)" if left else ""
    return Table(f"Differences by {column}{of}, in points{clearest}", columns, rows, frozenset(strong))


def noise_table(section: Section, by: str) -> Table:
    """Each model against itself."""
    columns = [Column(by, "left", key=True), Column("odd - even repeats"), Column("would show"), Column("flips")]
    rows = [
        [n.model, cells.difference_points(n.passed), cells.detectable(n.passed), cells.share(n.flips)]
        for n in section.noise
    ]
    return Table(f"Noise floor: each {by} against itself, passes in points", columns, rows)


def behaviour_table(comparison: Comparison) -> Table:
    """Means of every behaviour and, for two models, their difference; for more, the clearest difference."""
    shown = _told(comparison.behaviours)
    models = comparison.models if len(comparison.models) <= MOST_MODELS else []
    columns = [Column("behaviour", "left", key=True), *(Column(one_line(model, 24)) for model in models)]
    pairs = len(comparison.overall.pairs)
    if pairs > 1:
        columns.append(Column("clearest difference", "left"))
    if pairs:
        columns += [Column("difference"), Column("p")]
    rows: list[list[str]] = []
    strong: set[int] = set()
    for behaviour in shown:
        means = [cells.share(m.estimate) if behaviour.share else cells.mean(m) for m in behaviour.means.values()]
        row = [behaviour.title, *(means if models else [])]
        clearest = min(behaviour.pairs, key=_behaviour_clarity, default=None)
        if clearest is not None:
            if clearest.difference.shown:
                strong.add(len(rows))
            row += [f"{clearest.first} - {clearest.second}"] if pairs > 1 else []
            row += [_behaviour_difference(behaviour, clearest.difference), cells.p_cell(clearest.difference)]
        rows.append(row)
    title = "What each did: means a trial, shares in points"
    if len(shown) < len(comparison.behaviours):
        title += f" ({len(shown)} of {len(comparison.behaviours)}, the clearest; all of them with --json)"
    return Table(title, columns, rows, frozenset(strong))


def comparison_notes(comparison: Comparison) -> list[str]:
    """How the numbers were made."""
    pairs = comparison.overall.pairs if any(row.account.done for row in comparison.overall.outcomes) else []
    notes = []
    if pairs:
        tests = sorted({pair.passed.p_method for pair in pairs if pair.passed.p is not None})
        corrected = pairs[0].passed.adjusted_by
        notes.append(
            "Differences are paired by task and scaffold, repeats averaged first; 95% intervals from standard errors "
            "clustered by task or family. " + (f"p: {' or '.join(tests)}; {corrected}." if tests and corrected else "")
        )
        notes.append(
            "would show: the smallest true difference seen with 80% power at .05. flips: chance that one trial of each "
            "on the same task come out differently. won/lost/tied: tasks, under each scaffold."
        )
        if any(pair.passed.needed is not None for pair in pairs + [p for s in comparison.sections for p in s.pairs]):
            notes.append("too few (n): about n tasks would show a difference of 20 points; fewer than 6 show nothing.")
    if comparison.behaviours and pairs:
        how = next(
            (p.difference.adjusted_by for b in comparison.behaviours for p in b.pairs if p.difference.adjusted_by), None
        )
        if how:
            notes.append(f"What each did: p corrected by {how}; bold on a terminal where it is below .05.")
    return notes


def _clearest(pairs: Sequence[Pair], most: int = MOST_PAIRS) -> list[Pair]:
    """The clearest pairs, in their own order."""
    if len(pairs) <= most:
        return list(pairs)
    best = sorted(range(len(pairs)), key=lambda n: (pairs[n].passed.p is None, pairs[n].passed.p or 0.0, n))[:most]
    return [pairs[n] for n in sorted(best)]


def _told(behaviours: Sequence[Behaviour]) -> list[Behaviour]:
    """The behaviours that some model showed at all; the clearest of them where there are many."""
    known = [b for b in behaviours if any(mean.estimate for mean in b.means.values())]
    if len(known) <= MOST_BEHAVIOURS:
        return known
    best = sorted(
        range(len(known)), key=lambda n: min((_behaviour_clarity(p) for p in known[n].pairs), default=(1.0, 0.0))
    )
    return [known[n] for n in sorted(best[:MOST_BEHAVIOURS])]


def _behaviour_clarity(pair: BehaviourPair) -> tuple[float, float]:
    difference = pair.difference
    return (2.0 if difference.p is None else difference.p), -abs(difference.estimate or 0.0)


def _behaviour_difference(behaviour: Behaviour, difference: Difference) -> str:
    return cells.difference_points(difference) if behaviour.share else cells.difference_amount(difference)


def _name(pair: Pair) -> str:
    return f"{pair.first} - {pair.second}"


def _counts(difference: Difference) -> str:
    return f"{difference.won}/{difference.lost}/{difference.tied}"
