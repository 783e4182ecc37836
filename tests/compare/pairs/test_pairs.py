"""Models two by two: what is paired, how it is tested and corrected, which tasks flip, what is said."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from compare.worlds import Policy, make_evidence
from pydantic import TypeAdapter

from harness.compare import gather
from harness.compare.pairs import Pairs, pairs

HOSTILE = "<script>alert(1)</script>\n\U0001f600"


def first(found):
    return found.overall[0]


def test_differences_are_paired_by_task_and_scaffold(trials):
    table = trials({"a": 0.8, "b": 0.3}, tasks=20, scaffolds=("react", "reflect"))
    found = first(pairs(gather(table))).passed
    means = table.groupby(["task", "scaffold", "model"])["passed"].mean().unstack()
    assert found.estimate == pytest.approx((means["a"] - means["b"]).mean())
    assert (found.n, found.clusters) == (40, 20)


def test_repeats_are_averaged_within_the_task(trials):
    found = first(pairs(gather(trials({"a": 0.5, "b": 0.5}, tasks=12, repeats=4)))).passed
    assert (found.n, found.clusters) == (12, 12)
    assert found.p_method == "sign-flip permutation, mid-p"
    assert found.p == found.p_mid <= found.p_exact


def test_one_trial_of_each_task_is_mcnemars_exact_test(trials):
    found = first(pairs(gather(trials({"a": 0.8, "b": 0.3}, tasks=30)))).passed
    assert found.p_method == "McNemar, exact"
    assert found.p == found.p_exact >= found.p_mid


def test_the_known_table_of_mcnemar():
    cells = [(True, True, 794), (True, False, 86), (False, True, 150), (False, False, 570)]
    outcomes = [(a, b) for a, b, count in cells for _ in range(count)]
    rows = [
        {"scenario": "s", "task": f"t{n}", "scaffold": "x", "model": model, "passed": passed}
        for n, pair in enumerate(outcomes)
        for model, passed in zip("ab", pair, strict=True)
    ]
    found = first(pairs(gather(pd.DataFrame(rows)))).passed
    assert found.p == pytest.approx(3.71594e-5, rel=1e-5)
    assert (found.won, found.lost, found.tied) == (86, 150, 1364)


def test_families_are_the_clusters_where_there_are_families(trials):
    table = trials({"a": 0.5, "b": 0.5}, tasks=12)
    table["family"] = "f" + (table["task"].str[1:].astype(int) // 3).astype(str)
    found = first(pairs(gather(table))).passed
    assert (found.n, found.clusters) == (12, 4)


def test_tasks_of_the_same_name_in_other_scenarios_are_other_tasks(trials):
    table = trials({"a": 0.5, "b": 0.5}, tasks=5, scenarios=("desk", "shop"))
    assert first(pairs(gather(table))).passed.clusters == 10


def test_row_order_changes_nothing(trials):
    table = trials({"a": 0.7, "b": 0.5, "c": 0.4}, tasks=8, repeats=3, scenarios=("x", "y"), scaffolds=("r", "s"))
    assert pairs(gather(table)) == pairs(gather(table.sample(frac=1, random_state=3)))


def test_swapping_the_models_negates(trials):
    table = trials({"a": 0.7, "b": 0.4}, tasks=15, repeats=2)
    there = first(pairs(gather(table, between=["a", "b"]))).passed
    back = first(pairs(gather(table, between=["b", "a"]))).passed
    assert there.estimate == pytest.approx(-back.estimate)
    assert there.low == pytest.approx(-back.high)
    assert there.p == back.p


def test_declared_pairs_are_corrected_after_holm_and_explored_ones_after_benjamini_and_hochberg(trials):
    table = trials({"a": 0.9, "b": 0.5, "c": 0.1}, tasks=20, scenarios=("x", "y"))
    explored = pairs(gather(table))
    assert first(explored).passed.adjusted_by == "Benjamini-Hochberg over 3"
    declared = pairs(gather(table, contrasts=[("a", "b"), ("b", "c")]))
    assert [(pair.first, pair.second) for pair in declared.overall] == [("a", "b"), ("b", "c")]
    assert first(declared).passed.adjusted_by == "Holm over 2"
    assert declared.sections("scenario")[0].passed.adjusted_by == "Holm over 4"
    assert all(pair.passed.p_adjusted >= pair.passed.p for pair in explored.pairs)
    alone = first(pairs(gather(table, between=["a", "b"]))).passed
    assert alone.p_adjusted == alone.p


def test_flips_name_the_tasks_and_the_trials_of_both_sides(trials):
    table = trials({"a": 1.0, "b": 1.0}, tasks=6, repeats=2)
    lost = (table["model"] == "b") & (table["task"] == "t3")
    once = (table["model"] == "a") & (table["task"] == "t5") & (table["repeat"] == 1)
    table.loc[lost | once, ["passed", "score"]] = [False, 0.0]
    big, small = pairs(gather(table)).flips
    assert (big.unit["task"], big.first_passed, big.second_passed, big.difference) == ("t3", 1.0, 0.0, 1.0)
    assert big.first_trials == ["desk-3-react-a-1", "desk-3-react-a-2"]
    assert big.second_trials == ["desk-3-react-b-1", "desk-3-react-b-2"]
    assert (small.unit["task"], small.difference) == ("t5", -0.5)


def test_flips_of_the_score_where_passes_agree(trials):
    table = trials({"a": 0, "b": 0}, tasks=6)
    table["score"] = np.where(table["model"] == "a", 0.25, 0.5) * (table["task"] == "t2")
    (flip,) = pairs(gather(table)).flips
    assert (flip.measure, flip.difference, flip.unit["task"]) == ("score", -0.25, "t2")


def test_scores_are_told_where_passes_do_not_show_it(trials):
    table = trials({"a": 0, "b": 0}, tasks=30)
    table["score"] = np.where(table["model"] == "a", 0.5, 0.2) + 0.01 * (table["task"].str[1:].astype(int) % 5)
    texts = pairs(gather(table)).sentences()
    assert any(text.startswith("a scores higher than b (30.0 points more") for text in texts)


def test_an_order_that_depends_on_the_scenario_is_tested_and_told(trials):
    one = trials({"a": 1.0, "b": 0.0}, tasks=30, scenarios=("x",))
    two = trials({"a": 0.0, "b": 1.0}, tasks=30, scenarios=("y",))
    found = pairs(gather(pd.concat([one, two])))
    (interaction,) = found.interactions
    assert interaction.column == "scenario"
    assert interaction.reversed
    assert interaction.p < 0.01
    assert [(level.value, level.difference) for level in interaction.levels] == [("x", 1.0), ("y", -1.0)]
    assert any(
        text.startswith("The order depends on the scenario: a passes more often than b in x, less often in y (p < .001")
        for text in found.sentences()
    )


def test_two_verdicts_that_differ_are_no_interaction(trials):
    # Shown in the large scenario, not in the small one, and about as large in both.
    chance = np.random.default_rng(5)
    rows = [
        {"scenario": scenario, "task": f"t{task}", "scaffold": "r", "model": model, "repeat": repeat,
         "passed": bool(chance.random() < rate)}
        for scenario, tasks in (("large", 60), ("small", 8)) for task in range(tasks) for repeat in (1, 2)
        for model, rate in (("a", 0.7), ("b", 0.45))
    ]  # fmt: skip
    found = pairs(gather(pd.DataFrame(rows)))
    assert [pair.passed.shown for pair in found.sections("scenario")] == [True, False]
    (interaction,) = found.interactions
    assert not interaction.shown
    assert not any("depends on" in text for text in found.sentences())


def test_a_scaffold_that_helps_one_model_only_is_an_interaction(trials):
    chance = np.random.default_rng(2)
    rates = {("a", "r"): 0.3, ("a", "s"): 0.9, ("b", "r"): 0.3, ("b", "s"): 0.35}
    rows = [
        {"scenario": "x", "task": f"t{task}", "scaffold": scaffold, "model": model, "repeat": repeat,
         "passed": bool(chance.random() < rate)}
        for task in range(40) for repeat in (1, 2) for (model, scaffold), rate in rates.items()
    ]  # fmt: skip
    found = pairs(gather(pd.DataFrame(rows)))
    (interaction,) = found.interactions
    assert interaction.shown
    assert not interaction.reversed
    assert interaction.method == "sections permuted within clusters"
    assert any(
        text.startswith("How far a and b are apart depends on the scaffold: ") and " in s, " in text
        for text in found.sentences()
    )


def test_clear_null_and_small_comparisons_read_differently(trials):
    clear = pairs(gather(trials({"good": 0.95, "poor": 0.1}, tasks=40))).sentences()[0]
    assert clear.startswith("good passes more often than poor (")
    assert "p < .001" in clear
    null = pairs(gather(trials({"a": 0.5, "b": 0.5}, tasks=200, repeats=4))).sentences()[0]
    assert null.startswith("a and b pass equally often here (difference ")
    assert "points or more would have shown" in null
    few = pairs(gather(trials({"a": 1.0, "b": 0.0}, tasks=4))).sentences()[0]
    assert few.startswith("Too few tasks to compare a and b")
    assert "at least 6" in few


def test_five_tasks_never_tell_anything(trials):
    found = first(pairs(gather(trials({"a": 1.0, "b": 0.0}, tasks=5, repeats=3)))).passed
    assert found.p == found.p_exact == pytest.approx(2 / 32)
    assert not found.shown


def test_one_model_and_no_result(trials, asked):
    assert pairs(gather(trials({"only": 0.5}))).sentences() == [
        "Only one model is recorded (only): a comparison takes two."
    ]
    seats = trials({"only": 0.5}, repeats=2)
    seats["model.seller"] = ["a" if n % 2 else "b" for n in seats["repeat"]]
    assert pairs(gather(seats)).sentences() == [
        "Only one model is recorded (only): a comparison takes two. What varies is model.seller: compare by that."
    ]
    table = trials({"a": 0.5, "b": 0.5})
    nothing = pairs(gather(table.head(0), asked=asked(table)))
    assert nothing.sentences() == ["No trial has a result yet."]
    assert nothing.pairs == []


def test_ungraded_results_are_in_no_difference(trials):
    table = trials({"a": 0.5, "b": 0.5}).assign(passed=None, score=None)
    found = pairs(gather(table))
    assert first(found).passed.estimate is None
    assert "nothing to compare" in found.sentences()[0]


def test_scores_beyond_0_and_1_have_no_bounds(trials):
    table = trials({"a": 0, "b": 0}, tasks=12)
    table["score"] = np.where(table["model"] == "a", 40.0, 10.0) + table["task"].str[1:].astype(int)
    found = first(pairs(gather(table)))
    assert found.score.estimate == pytest.approx(30.0)
    assert found.score.low is None or 1 < found.score.low <= found.score.high
    table["score"] += np.where(table["model"] == "a", table["task"].str[1:].astype(int) % 3, 0)
    assert any("a scores higher than b (31.0 more, 30." in text for text in pairs(gather(table)).sentences())


def test_other_columns_can_be_compared(trials):
    found = pairs(gather(trials({"a": 0.6, "b": 0.4}, tasks=10, scaffolds=("react", "reflect")), by="scaffold"))
    assert found.models == ["react", "reflect"]
    assert first(found).passed.n == 20
    assert {pair.column for pair in found.pairs} == {None, "model"}


def test_twelve_models_with_hostile_names_come_out_as_json():
    names = [HOSTILE, *(f"m{n}" for n in range(11))]
    evidence = make_evidence({name: Policy(rate=0.1 + 0.07 * n) for n, name in enumerate(names)}, tasks=12)
    found = pairs(evidence)
    assert len(found.overall) == 66
    assert any("further pairs differ less clearly" in text for text in found.sentences())
    assert len(found.sentences()) <= 15
    text = json.dumps(TypeAdapter(Pairs).dump_python(found, mode="json"), allow_nan=False)
    assert json.loads(text)["pairs"][0]["passed"]["n"] == 12
    frames = {name: found.frame(name) for name in found.tables()}
    assert len(frames["pairs"]) == len(found.pairs)
    assert HOSTILE in set(frames["flips"]["first"]) | set(frames["flips"]["second"])


def test_the_same_policy_under_two_names_is_seldom_told_apart():
    told = 0
    for seed in range(60):
        chance = np.random.default_rng(seed)
        rate = chance.beta(2, 2, size=30)
        rows = [
            {"scenario": "x" if task < 15 else "y", "task": f"t{task}", "scaffold": "r", "model": model,
             "repeat": repeat, "passed": bool(chance.random() < rate[task])}
            for task in range(30) for repeat in (1, 2, 3) for model in ("a", "b")
        ]  # fmt: skip
        found = pairs(gather(pd.DataFrame(rows)))
        told += first(found).passed.shown + found.interactions[0].shown
    assert told <= 14
