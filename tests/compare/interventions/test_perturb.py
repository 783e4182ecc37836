"""Surfaces: a change is found where there is one, for the model that reacts to it and for no other."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from compare.worlds import Policy, make_world

from harness.compare import compare
from harness.compare.evidence import gather
from harness.compare.interventions.perturb import Perturb, perturb
from harness.compare.statistics.distributions.energy import energy, exchange_kernel, exchange_test, jackknife
from harness.errors import UserError

STEADY = Policy(look=0.5, verify=0.5)
SLACK = Policy(look=0.5, verify=0.5, steps=6, rate=0.5)
MOVED = Policy(look=0.0, verify=1.0, work=("execute", "execute"))
"""What a model that reacts to surface does under another one."""


def world(surfaces, tasks=12, repeats=4, seed=1, detail=None, **options):
    """Evidence of surfaces (name -> policies by model); `detail` says what the record has of a surface."""
    tables, lines = [], []
    for number, (surface, policies) in enumerate(surfaces.items()):
        trials, actions = make_world(policies, tasks=tasks, repeats=repeats, seed=seed + 1000 * number, **options)
        trials = trials.assign(
            trial=surface + "/" + trials["trial"], cell=surface + "/" + trials["cell"], surface=surface,
            factors='["surface"]',
        )  # fmt: skip
        tables.append((trials, actions.assign(trial=surface + "/" + actions["trial"])))
        said = json.dumps({"surface": surface, **(detail or {}).get(surface, {})})
        lines.append(pd.DataFrame({"trial": trials["trial"], "kind": "perturb", "detail": said, "drift": 0}))
    trials, actions = (pd.concat(own, ignore_index=True) for own in zip(*tables, strict=True))
    return trials, actions, pd.concat(lines, ignore_index=True)


def analysed(surfaces, **options) -> Perturb:
    trials, actions, lineage = world(surfaces, **options)
    return perturb(gather(trials, actions=actions, lineage=lineage))


def change(result, model, surface, what="sequence"):
    return next(r for r in result.changes if (r.model, r.surface, r.what) == (model, surface, what)).change


def test_a_model_that_reacts_to_surface_is_found_and_one_that_does_not_is_not():
    result = analysed({"plain": {"steady": STEADY, "moved": STEADY}, "renamed": {"steady": STEADY, "moved": MOVED}})
    assert change(result, "moved", "renamed").shown
    assert change(result, "moved", "renamed").low > 0.05
    assert not change(result, "steady", "renamed").shown
    shown = [row for row in result.interactions if row.difference.shown and row.what == "sequence"]
    assert [(row.first, row.second, row.surface) for row in shown] == [("moved", "steady", "renamed")]
    said = " ".join(result.sentences())
    assert "moved acts otherwise under another surface: renamed" in said
    assert "No surface changes what steady does" in said
    assert "renamed moves moved more than steady" in said


def test_the_change_is_what_it_is_made_to_be():
    """a b submit against a c submit: 1 edit of 3, an energy distance of 2 / 3 without any noise."""
    trials, _, lineage = world({"plain": {"a": STEADY}, "s": {"a": STEADY}}, tasks=6, repeats=2)
    actions = pd.DataFrame(
        [
            {"trial": trial, "position": place, "kind": "tool", "action": name}
            for trial in trials["trial"]
            for place, name in enumerate(["a", "b" if trial.startswith("plain") else "c", "submit"])
        ]
    )
    result = perturb(gather(trials, actions=actions, lineage=lineage))
    for row in result.changes:
        assert row.floor.estimate == 0
        assert row.apart.estimate == pytest.approx(1 / 3)
        assert row.change.estimate == pytest.approx(2 / 3)
        assert row.change.p == pytest.approx(1 / 2**6)


def test_scores_have_their_change_and_what_would_have_shown():
    good, bad = replace(STEADY, rate=0.9), replace(STEADY, rate=0.1)
    result = analysed({"plain": {"a": good, "b": good}, "x": {"a": bad, "b": good}}, tasks=20)
    a, b = result.scores
    assert a.model == "a" and a.change.shown and a.change.estimate < -0.5
    assert not b.change.shown and b.change.detectable is not None
    said = " ".join(result.sentences())
    assert "a scores lower under x" in said
    assert "would have shown" in said
    assert any(row.what == "score" and row.difference.shown for row in result.interactions)


def test_surface_is_set_beside_substance():
    """Tasks of this scenario are done with different tools, so that there is a yardstick."""

    def by_task(look):
        tables = []
        for task in range(8):
            policy = Policy(look=look, verify=0.3, work=(f"tool{task}", f"tool{task + 1}"))
            trials, actions = make_world({"a": policy}, tasks=1, repeats=4, seed=task + int(100 * look))
            name = f"{look}-{task}/"
            tables.append((trials.assign(task=f"t{task}", trial=name + trials["trial"]),
                           actions.assign(trial=name + actions["trial"])))  # fmt: skip
        return tuple(pd.concat(own, ignore_index=True) for own in zip(*tables, strict=True))

    plain, other = by_task(0.2), by_task(0.9)
    trials = pd.concat([plain[0].assign(surface="plain"), other[0].assign(surface="s")], ignore_index=True)
    trials = trials.assign(factors='["surface"]', cell=trials["surface"] + trials["task"])
    lineage = pd.DataFrame({"trial": trials["trial"], "kind": "perturb", "detail": "{}", "drift": 0})
    result = perturb(gather(trials, actions=pd.concat([plain[1], other[1]]), lineage=lineage))
    row = next(row for row in result.yardsticks if row.what == "sequence")
    assert row.task_change > 3 * row.surface_change
    assert row.low < row.ratio < row.high < 0.5
    assert "as much as another task does" in " ".join(result.sentences())


def test_without_tasks_that_differ_there_is_no_yardstick_and_it_says_so():
    result = analysed({"plain": {"a": STEADY}, "s": {"a": STEADY}})
    assert all(row.ratio is None and row.unknown for row in result.yardsticks)
    assert "Surface beside substance cannot be told for a" in " ".join(result.sentences())


def test_the_distractor_and_old_names_are_counted():
    lured = Policy(look=0.0, work=("notice_board", "notice_board"))
    trials, actions, lineage = world(
        {"plain": {"a": STEADY, "b": STEADY}, "distractor": {"a": lured, "b": STEADY},
         "tools-renamed": {"a": replace(STEADY, malformed=0.9), "b": STEADY}},
        detail={"distractor": {"distractor": {"name": "notice_board"}},
                "tools-renamed": {"names": {"query": "run_query"}}},
    )  # fmt: skip

    def read(ids):
        found = actions[actions["trial"].isin(ids)].copy()
        found.loc[found["kind"] == "malformed", "action"] = "query"
        return found

    result = perturb(gather(trials, actions=actions, lineage=lineage, read=read))
    uses = {(row.what, row.model): row for row in result.uses}
    assert uses["distractor", "a"].calls > 40 and uses["distractor", "b"].calls == 0
    assert uses["old name", "a"].calls > 10 and uses["old name", "b"].calls == 0
    said = " ".join(result.sentences())
    assert "The distractor is called in 100% of the trials of a, 0% of the trials of b." in said
    assert "a calls renamed tools by their old names" in said


def test_plain_again_is_a_check_and_stands_outside_the_corrections():
    result = analysed({"plain": {"a": STEADY}, "plain-again": {"a": STEADY}, "s": {"a": MOVED}})
    assert change(result, "a", "plain-again").p_adjusted is None
    assert change(result, "a", "s").adjusted_by == "Benjamini-Hochberg over 1"
    assert "The check finds nothing, as it has to" in " ".join(result.sentences())
    wrong = analysed({"plain": {"a": STEADY}, "plain-again": {"a": MOVED}})
    assert "The check finds a change where none is" in " ".join(wrong.sentences())


def test_drifted_trials_are_left_out_and_said():
    trials, actions, lineage = world({"plain": {"a": STEADY}, "s": {"a": MOVED}})
    lineage.loc[lineage["trial"].str.startswith("s/"), "drift"] = 1
    result = perturb(gather(trials, actions=actions, lineage=lineage))
    assert "48 trials drifted and are left out." in result.cautions
    assert result.too_few is not None and not result.changes


def test_trials_without_a_plain_one_of_their_seed_are_said():
    trials, actions, lineage = world({"plain": {"a": STEADY}, "s": {"a": STEADY}})
    lost = trials[(trials["surface"] == "plain") & (trials["repeat"] == 4)]["trial"]
    kept = trials[~trials["trial"].isin(lost)]
    result = perturb(gather(kept, actions=actions, lineage=lineage))
    assert any("12 trials of other surfaces have no plain trial" in text for text in result.cautions)
    assert next(row for row in result.changes).pairs == 36


@pytest.mark.parametrize(
    ("surfaces", "options", "said"),
    [
        ({"s": {"a": STEADY}}, {}, "No plain trial"),
        ({"plain": {"a": STEADY}}, {}, "Only plain trials"),
    ],
)
def test_what_there_is_too_little_of_is_said(surfaces, options, said):
    result = analysed(surfaces, **options)
    assert result.too_few is not None and said in result.too_few
    assert result.sentences() == [result.too_few]


def test_one_repeat_leaves_scores_alone():
    result = analysed({"plain": {"a": STEADY}, "s": {"a": STEADY}}, repeats=1)
    assert not result.changes and result.scores
    assert result.sentences()


def test_a_change_that_is_lost_among_many_surfaces_is_not_said_to_be_none():
    """Every task changes: alone that is told from chance, among many surfaces it is not."""
    many = {f"s{n}": {"a": STEADY} for n in range(12)}
    result = analysed({"plain": {"a": STEADY}, "moved": {"a": MOVED}, **many}, tasks=5, repeats=2)
    assert not change(result, "a", "moved").shown and change(result, "a", "moved").p < 0.05
    may, still, *_ = result.sentences()
    assert may.startswith("a may act otherwise under another surface, but that can be chance among those looked at")
    assert "moved (change" in may and "moved" not in still


def test_few_tasks_are_said():
    result = analysed({"plain": {"a": STEADY, "b": STEADY}, "s": {"a": STEADY, "b": MOVED}}, tasks=3, repeats=6)
    said = " ".join(result.sentences())
    assert change(result, "b", "s").shown
    assert "This holds for the trials of 3 independent tasks" in said
    assert "Too few tasks to tell whether a surface moves one model more than another" in said


def test_it_comes_by_itself_with_trials_of_a_perturbation_and_not_with_others():
    trials, actions, lineage = world({"plain": {"a": STEADY}, "s": {"a": STEADY}}, tasks=4, repeats=2)
    found = compare(gather(trials, actions=actions, lineage=lineage), only=["perturb"])
    assert isinstance(found.intervention, Perturb)
    with pytest.raises(UserError, match="these are not the trials of a perturb"):
        compare(gather(trials.drop(columns=["surface", "factors"]), actions=actions), only=["perturb"])


def test_compared_by_surface_the_models_are_still_the_models():
    trials, actions, lineage = world({"plain": {"a": STEADY}, "s": {"a": MOVED}}, tasks=8)
    result = perturb(gather(trials, actions=actions, lineage=lineage, by="surface"))
    assert result.models == ["a"] and change(result, "a", "s").shown


class TestEnergy:
    def test_a_known_example(self):
        """X = 0, 2 and Y = 1, 5 by |x - y|: 2 (d(0,5) + d(2,1)) / 2 - d(0,2) - d(1,5) = 6 - 2 - 4 = 0."""
        points = np.array([0.0, 2.0, 1.0, 5.0])
        assert energy(exchange_kernel(np.abs(points[:, None] - points))) == pytest.approx(0.0)
        points = np.array([0.0, 1.0, 10.0, 11.0])
        assert energy(exchange_kernel(np.abs(points[:, None] - points))) == pytest.approx(2 * 10 - 1 - 1)

    def test_exact_p_counts_every_exchange(self):
        """Three seeds of one unit, all far apart by label: 1 of 4 ways to exchange is as extreme."""
        points = np.array([0.0, 0.1, 0.2, 9.0, 9.1, 9.2])
        p, how = exchange_test([exchange_kernel(np.abs(points[:, None] - points))], np.random.default_rng(1))
        assert p == pytest.approx(1 / 4) and "exact" in how

    def test_nothing_different_is_one(self):
        assert exchange_test([np.zeros((4, 4))] * 8, np.random.default_rng(1))[0] == 1.0
        assert exchange_test([np.zeros((1, 1))], np.random.default_rng(1))[0] == 1.0

    def test_it_is_unbiased_and_keeps_its_level_also_where_seeds_hang_together(self):
        chance = np.random.default_rng(7)
        values, hits, runs = [], 0, 400
        for run in range(runs):
            shared = chance.normal(size=(6, 4)) * (run % 2)
            kernels = []
            for unit in range(6):
                points = np.concatenate([shared[unit] + chance.normal(size=4), shared[unit] + chance.normal(size=4)])
                kernels.append(exchange_kernel(np.abs(points[:, None] - points)))
            values.append(np.mean([energy(kernel) for kernel in kernels]))
            hits += exchange_test(kernels, chance, draws=499)[0] <= 0.05
        assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(runs)
        assert hits / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
        assert hits / runs > 0.015

    def test_the_jackknife_of_a_mean_is_its_standard_error(self):
        values = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
        left = np.array([np.delete(values, place).mean() for place in range(5)])
        assert jackknife(values.mean(), left) == pytest.approx(values.std(ddof=1) / np.sqrt(5))


def false_findings(runs, tasks=8, repeats=3):
    """Of null worlds: share in which any change (by either distance), interaction, or change of score is found."""
    noisy, quiet = Policy(look=0.5, verify=0.5, loop=0.3), Policy(look=0.1, verify=0.9)
    found = np.zeros(4)
    for run in range(runs):
        policies = {"one": noisy, "twin": noisy, "other": quiet}
        result = analysed(dict.fromkeys(("plain", "s", "t"), policies), tasks=tasks, repeats=repeats, seed=17 * run + 5)
        found += [
            any(row.change.shown for row in result.changes if row.what == "sequence"),
            any(row.change.shown for row in result.changes if row.what == "actions"),
            any(row.difference.shown for row in result.interactions if row.what == "sequence"),
            any(row.change.shown for row in result.scores),
        ]
    return found / runs


def test_where_nothing_changes_little_is_found():
    rates = false_findings(20)
    assert (rates <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 20)).all(), rates


@pytest.mark.slow
def test_the_rate_of_false_findings_is_as_stated():
    rates = false_findings(400)
    assert (rates <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)).all(), rates
