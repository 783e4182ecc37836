"""Relays told on the terminal, on a page, as JSON and as files."""

from __future__ import annotations

import io

import pytest
from compare.interventions.test_relay import world

from harness.compare.interventions.relay import Relay
from harness.report.comparison import plots_of, tables_of
from harness.report.screen import print_drawn
from harness.report.table import draw_table


@pytest.fixture(scope="module")
def found() -> Relay:
    return world(lambda p, s, at: 0.15 + 0.4 * (p == "a") + 0.3 * (s == "b"), tasks=12)


def test_the_tables_say_who_sets_up_and_who_finishes(found: Relay) -> None:
    stream = io.StringIO()
    for table in tables_of(found):
        print_drawn(lambda console, table=table: draw_table(console, table), stream, width=110)
    text = stream.getvalue()
    for words in ("sets up", "finishes", "own course", "began \\ went on", "from 25%", "swapped less undisturbed"):
        assert words in text, words
    assert "nan" not in text.lower().replace("finances", "")


def test_the_plots_are_drawn_and_described(found: Relay) -> None:
    drawn = plots_of(found)
    assert len(drawn) == 2
    for plot in drawn:
        assert plot.picture().startswith("<svg") and plot.picture(dark=True).startswith("<svg")
        assert len(plot.description) > 40


def test_where_there_is_nothing_nothing_is_drawn() -> None:
    empty = Relay(models=["a"], too_few="No continuation has a graded result.")
    assert tables_of(empty) == [] and plots_of(empty) == []
    assert empty.sentences() == ["No continuation has a graded result."]
