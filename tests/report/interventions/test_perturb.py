"""Surfaces in the report: every finding has its row and its mark, and too little gives neither."""

from __future__ import annotations

import pytest
from compare.interventions.test_perturb import MOVED, STEADY, analysed

from harness.compare.interventions.perturb import Perturb
from harness.report.plots.interventions.perturb import plots
from harness.report.sections.interventions.perturb import tables


@pytest.fixture(scope="module")
def result() -> Perturb:
    return analysed(
        {"plain": {"a": STEADY, "b": STEADY}, "s": {"a": STEADY, "b": MOVED}, "t": {"a": STEADY, "b": STEADY}},
        tasks=8, seed=2,
    )  # fmt: skip


def test_every_table_has_its_rows(result: Perturb) -> None:
    found = {table.title.partition(",")[0].partition(":")[0]: table for table in tables(result)}
    assert list(found) == [
        "Change of behaviour beyond the model's own noise",
        "Change of the score",
        "Whether a surface moves one model more than another",
        "Surface beside substance",
    ]
    changes = found["Change of behaviour beyond the model's own noise"]
    assert [row[:2] for row in changes.rows] == [["a", "s"], ["a", "t"], ["b", "s"], ["b", "t"]]
    assert changes.strong == {2}
    clearest = found["Whether a surface moves one model more than another"]
    assert clearest.rows[0][2] in ("s", "(all)") and 0 in clearest.strong
    assert all("unknown (" in row[3] for row in found["Surface beside substance"].rows)


def test_the_forest_shows_every_model_under_every_surface_and_says_what_it_shows(result: Perturb) -> None:
    (forest,) = plots(result)
    assert "Told from chance: b under s" in forest.description
    svg = forest.picture()
    for name in ("s", "t", "a", "b"):
        assert f">{name}</text>" in svg
    assert forest.picture(dark=True)


def test_too_little_gives_no_table_and_no_plot() -> None:
    nothing = analysed({"plain": {"a": STEADY}})
    assert nothing.too_few is not None and tables(nothing) == [] and plots(nothing) == []


def test_one_model_and_one_surface_are_enough() -> None:
    result = analysed({"plain": {"a": STEADY}, "s": {"a": MOVED}}, tasks=4, repeats=2)
    assert len(plots(result)) == 1 and tables(result)
    assert plots(result)[0].picture()
