"""Traded seats as they are read: on the terminal, as plots, in the page."""

from __future__ import annotations

import io

import numpy as np
import pytest
from compare.interventions.seat_worlds import world
from rich.console import Console

from harness.compare.interventions.seats import Seats, seats
from harness.report.plots.interventions.seats import plots
from harness.report.plots.plot import Plot
from harness.report.sections.interventions.seats import tables
from harness.report.table import Cell, Table, draw_table


def gains(seated: dict[str, str], task: int, chance: np.random.Generator) -> dict[str, float]:
    """A model with a hostile name gets more; shares, so that they are told in %."""
    return {
        seat: float(np.clip(0.4 + 0.2 * (model == "<b>a</b>") + chance.normal(0, 0.03), 0, 1))
        for seat, model in seated.items()
    }


def looks(seat: str, seated: dict[str, str], task: int, chance: np.random.Generator) -> list[str]:
    often = 0.9 if seat == "second" and seated["first"] == "b" else 0.2
    return ["look" if chance.random() < often else "add" for _ in range(4)]


MODELS = ("<b>a</b>", "b", "c", "d")


@pytest.fixture(scope="module")
def result() -> Seats:
    return seats(world(gains, acts=looks, models=MODELS))


def drawn(table: Table, width: int = 200) -> str:
    stream = io.StringIO()
    draw_table(Console(file=stream, width=width), table)
    return stream.getvalue()


def titled(result: Seats, beginning: str) -> Table:
    return next(table for table in tables(result) if table.title.startswith(beginning))


def test_there_is_a_table_of_everything_found(result: Seats) -> None:
    titles = [table.title for table in tables(result)]
    assert titles == [
        "Seats and models: what a seat gets by who sits where, %",
        "What first gets by who is first (rows) and second, %",
        "What second gets by who is second (rows) and first, %",
        "Effects of who sits where, points (the 24 clearest of 26; all with --json)",
        "What depends on who meets whom, points (the 12 clearest of 72; all with --json)",
        "Social relations: variances and covariances, 95% intervals",
        "Ratings, in logits, with 95% intervals",
        "Who wins against whom, on equal seats",
        "What a model does, by who sits elsewhere: total variation",
        "Who changes what others do: total variation",
    ]


def test_the_seat_table_leads_to_the_trials_behind_each_cell(result: Seats) -> None:
    square = titled(result, "What first gets")
    assert [row[0] for row in square.rows] == list(MODELS)
    cell = square.rows[1][3]
    assert isinstance(cell, Cell)
    assert cell.link == "#trials?scenario=game&model.first=b&model.second=c"


def test_what_can_be_told_from_chance_stands_out(result: Seats) -> None:
    moved = titled(result, "What a model does")
    assert {moved.rows[n][1] for n in moved.strong} == {"second"}
    movers = titled(result, "Who changes")
    assert movers.rows[0][:3] == ["b", "first", "second"]
    assert 0 in movers.strong


def test_tables_are_drawn_at_any_width(result: Seats) -> None:
    for table in tables(result):
        for width in (80, 120, 200):
            assert max(len(line) for line in drawn(table, width).splitlines()) <= width


def test_plots_show_the_square_effects_and_ratings_and_say_so(result: Seats) -> None:
    made = plots(result)
    assert [plot.title for plot in made] == ["Who meets whom", "Effects of who sits where", "Ratings"]
    for plot in made:
        assert isinstance(plot, Plot)
        assert "<svg" in plot.picture()
        assert plot.description
        assert "<b>" not in plot.picture()


def test_a_shared_score_has_no_ratings(result: Seats) -> None:
    shared = seats(world(lambda *_: {"all": 0.5}, models=("a", "b"), joint=True))
    assert [plot.title for plot in plots(shared)] == ["Who meets whom", "Effects of who sits where"]
    assert any(table.title.startswith("Score by who is") for table in tables(shared))
    assert plots(shared)[0].description.startswith("The score by which models meet")
    assert "(so are 3 more)" in plots(shared)[0].description


def test_many_seats_and_few_tasks_are_told_too() -> None:
    names = ("n", "e", "s", "w")
    found = seats(
        world(
            lambda seated, task, chance: {seat: float(task) for seat in seated},
            models=("a", "b"), seats=names, tasks=2, repeats=1,
        )
    )  # fmt: skip
    assert found.sentences()[0].endswith("None differs.")
    assert tables(found)
    assert [plot.title for plot in plots(found)] == ["Who meets whom"]
