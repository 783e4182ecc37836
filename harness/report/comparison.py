"""A comparison on the terminal: analysis by analysis the findings, then the tables, then how they were made."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.compare import Analysis, Comparison
from harness.compare.comparison import INTERVENTIONS
from harness.compare.sequences import Sequences
from harness.report.plain import one_line
from harness.report.results import draw_notes
from harness.report.table import Table, draw_table

if TYPE_CHECKING:
    from rich.console import Console

    from harness.report.plots import Drawing, Plot
    from harness.report.plots.graph import Graph


def tables_of(analysis: Analysis) -> list[Table]:
    """The tables of one analysis, the main one first."""
    found: list[Table] = importlib.import_module(f"harness.report.sections.{_room(analysis)}").tables(analysis)
    return found


def plots_of(analysis: Analysis, graphs: Mapping[str, Graph] | None = None) -> list[Plot | Drawing]:
    """The plots of one analysis; none where it has too little to go on.

    `graphs` are the scaffolds' own (`harness.report.plots.graph.scaffolds`), on which moves between nodes are drawn.
    """
    if analysis.too_few is not None:
        return []
    module = importlib.import_module(f"harness.report.plots.{_room(analysis)}")
    found: list[Plot | Drawing] = (
        module.plots(analysis, graphs) if isinstance(analysis, Sequences) else module.plots(analysis)
    )
    return found


def _room(analysis: Analysis) -> str:
    return f"interventions.{analysis.name}" if analysis.name in INTERVENTIONS else analysis.name


def draw_comparison(console: Console, comparison: Comparison, title: str, whole: bool = False) -> None:
    """Draw every analysis: its findings and its main table, or all its tables and notes when `whole`."""
    from rich.text import Text

    common = {caution.text for caution in comparison.cautions}
    console.print(Text(one_line(title), style="bold"))
    for sentence in comparison.headlines:
        draw_item(console, sentence)
    for analysis in comparison.analyses.values():
        console.print()
        console.print(Text(analysis.title, style="bold underline"))
        for sentence in analysis.sentences():
            draw_item(console, sentence)
        drawn = tables_of(analysis)
        for table in drawn if whole else drawn[:1]:
            console.print()
            draw_table(console, table)
        for text in analysis.cautions:
            if text not in common:
                draw_item(console, text)
        if whole:
            draw_notes(console, list(analysis.notes))
    if comparison.cautions:
        console.print()
        console.print(Text("Beside these numbers", style="bold"))
        for caution in comparison.cautions:
            draw_item(console, caution.text)
    if not whole:
        draw_notes(
            console,
            ["More: harness compare SWEEP, with --only ANALYSIS for all tables of one, --html FILE for plots."],
        )


def draw_item(console: Console, text: str) -> None:
    """One item of a list, with a hanging indent."""
    from rich.table import Table as Layout
    from rich.text import Text

    layout = Layout.grid(padding=(0, 1, 0, 0))
    layout.add_column(width=3)
    layout.add_column(ratio=1, overflow="fold")
    layout.add_row(Text("  -"), Text(one_line(text)))
    console.print(layout)
