"""A probe on the terminal, in the page's plots, and in files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from intervene.probes import probe, stages, stages_bench
from run.workbench import Workbench

from harness.report.comparing import compare_sweeps
from harness.report.plots.interventions.probe import plots
from harness.report.screen import print_drawn
from harness.report.sections.interventions.probe import tables
from harness.report.table import draw_table


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    made = stages_bench(
        tmp_path_factory.mktemp("probe"), tasks=7, ann=stages(), ben=stages(check=15), cat=stages(plan=15)
    )
    made.run()
    probe(made)
    return made


def test_tables_name_pairs_states_deeds_nodes_and_makers(bench: Workbench) -> None:
    result = compare_sweeps(["bench-probe"], bench.results, only=["probe"]).comparison.intervention
    assert result is not None
    made = tables(result)  # type: ignore[arg-type]
    titles = [table.title.split(":")[0] for table in made]
    assert titles[:2] == ["The same states", f"States where they differ most (10 of {result.states})"]  # type: ignore[attr-defined]
    assert {"Nodes", "Whose states", "Own states against foreign ones, matched"} <= set(titles)
    for table in made:
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert table.rows
    deeds = made[2]
    shares = [row[2] for row in deeds.rows]
    assert all(" of 5" in share for share in shares)
    for width in (80, 120):
        out = io.StringIO()
        print_drawn(lambda console: draw_table(console, deeds), out, width=width)
        lines = out.getvalue().splitlines()
        assert max(map(len, lines)) <= width and len(lines) == len(deeds.rows) + 3, "one block, on the screen"


def test_plots_are_drawn_in_both_themes(bench: Workbench) -> None:
    result = compare_sweeps(["bench-probe"], bench.results, only=["probe"]).comparison.intervention
    made = plots(result)  # type: ignore[arg-type]
    assert len(made) == 3
    for plot in made:
        for dark in (False, True):
            assert plot.picture(dark).startswith("<svg")
        assert plot.description.endswith(".")


def test_terminal_page_json_and_files_tell_the_same(bench: Workbench, tmp_path: Path) -> None:
    printed = bench.harness("compare", "bench-probe", "--only", "probe")
    assert "ann and ben differ at node check, and at none of the other 2" in " ".join(printed.stdout.split())
    told = json.loads(bench.harness("compare", "bench-probe", "--only", "probe", "--json").stdout)
    found = told.get("intervention") or told["probe"]
    assert {
        row["value"] for row in found["nodes"] if row["level"] == "arguments" and (row["p_adjusted"] or 1) < 0.05
    } == {"check"}
    page = tmp_path / "page.html"
    assert bench.harness("compare", "bench-probe", "--html", str(page)).returncode == 0
    assert "Probe: what each model would do" in page.read_text()


def test_a_probe_of_one_model_says_what_it_lacks(bench: Workbench) -> None:
    done = bench.harness("probe", "bench", "--models", "ann", "--most", "3", "--name", "alone", "-n", "2")
    assert done.returncode == 0, done.stderr
    assert "there is no other one" in done.stderr, "before anything is asked"
    assert "No two models have replies in one state" in " ".join(done.stdout.split())
