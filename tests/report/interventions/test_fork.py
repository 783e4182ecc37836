"""Forks on the terminal and on the page: every table and plot of them, and what is left out where there is little."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from compare.interventions.test_fork import evidence, script
from run.workbench import Workbench, new_bench

from harness.compare.interventions.fork import fork
from harness.report.plots.interventions.fork import plots
from harness.report.screen import print_drawn
from harness.report.sections.interventions.fork import tables
from harness.report.table import draw_table


def trap(model: str, maker: str, task: int, at: int, n: int) -> bool:
    if (maker, task, at) == ("ben", 3, 1):
        return model == "ann"
    return (n + at + task + (model == "ann")) % 3 > 0


def test_every_table_is_drawn() -> None:
    found = fork(evidence(trap, repeats=5))
    made = {table.title.split(",")[0].split(" (")[0]: table for table in tables(found)}
    assert list(made) == [
        "Going on from the same states", "How far apart the values of a state are",
        "States where it matters most who goes on", "Where trials fall in value",
        "By whose trials the states are in: what they are worth", "Whether a model is better at home",
    ]  # fmt: skip
    first = made["States where it matters most who goes on"].rows[0]
    assert first[:6] == ["ben-3@1", "t3", "1 of 3", "ben", "1.00 (5)", "0.00 (5)"]
    assert first[6].startswith("+100 (")
    assert "moment=ben-3%401" in first[0].link  # type: ignore[attr-defined]
    out = io.StringIO()
    print_drawn(lambda console: [draw_table(console, table) for table in made.values()], out)
    assert "nan" not in out.getvalue()


def test_one_model_alone_has_a_table_of_values() -> None:
    found = fork(evidence(lambda *_: 1.0, models=("ann",)))
    assert next(table.title for table in tables(found)).startswith("What states are worth")


def test_plots_say_what_they_show() -> None:
    found = fork(evidence(trap, repeats=5))
    drawn = {plot.title: plot for plot in plots(found)}
    assert list(drawn) == [
        "Values along the course of trials", "States by advantage", "The course of the trials that fall most",
    ]  # fmt: skip
    states = drawn["States by advantage"]
    assert "1 can be called pivotal: ben-3@1 t3" in states.description
    for plot in drawn.values():
        assert plot.picture().startswith("<svg")
        assert len(json.dumps(plot.specification)) < 200_000


def test_nothing_that_differs_is_not_drawn_as_if_it_did() -> None:
    found = fork(evidence(lambda *_: 1.0))
    assert [plot.title for plot in plots(found)] == ["Values along the course of trials"]


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    made = new_bench(tmp_path)
    made.write("mends.yaml", script(True))
    made.write("falls.yaml", script(False))
    entries = {name: {"model": f"scripted/{name}.yaml"} for name in ("mends", "falls")}
    made.write("models.yaml", {"kind": "models", "models": entries})
    made.change("sweep.yaml", models=["mends", "falls"], repeats=1)
    return made


def test_the_page_and_the_files_hold_the_forks(bench: Workbench) -> None:
    bench.run()
    done = bench.harness("fork", "bench", "--states", "every:1", "-n", "3", "--plain")
    assert done.returncode == 0, done.stderr
    made = bench.harness("compare", "bench-fork", "--html", "page.html", "--tables", "tables")
    assert made.returncode == 0, made.stderr
    page = (bench.folder / "page.html").read_text()
    assert "Forks: what recorded states are worth under each model" in page
    assert "Values along the course of trials" in page
    names = {path.name for path in (bench.folder / "tables").iterdir()}
    assert any("pivotal" in name for name in names), names
