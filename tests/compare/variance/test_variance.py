"""Whose doing it was: the analysis, its sentences, its table and its plots."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from compare.worlds import Policy, evidence_of, make_evidence, make_world
from pydantic import TypeAdapter

from harness.compare.evidence import gather
from harness.compare.variance import Variance, variance
from harness.report.plots.theme import themed
from harness.report.plots.variance import plots
from harness.report.sections.variance import tables
from harness.report.table import markdown

ALIKE = Policy(look=0.5, verify=0.5)


def item(result, name):
    return next(found for found in [*result.outcomes, *result.behaviours] if found.name == name)


def share(result, name, source):
    return item(result, name).part(source).share


def scaffolded(tasks=24, repeats=2, seed=1, models=("anna", "berta", "carla")):
    """Models that look first as scaffolds tell them, and submit malformed calls each in its own way."""
    chance = np.random.default_rng(seed)
    rows, actions = [], []
    for task in range(tasks):
        hard = chance.normal(0, 1.5)
        for scaffold in ("plan", "react"):
            for number, model in enumerate(models):
                for repeat in range(1, repeats + 1):
                    name = f"{task}-{scaffold}-{model}-{repeat}"
                    first = "schema" if chance.random() < (0.9 if scaffold == "plan" else 0.1) else "query"
                    passed = bool(chance.random() < 1 / (1 + np.exp(hard)))
                    long = 2 + 3 * number + int(chance.integers(2))
                    rows.append({
                        "trial": name, "scenario": "desk", "task": f"t{task}", "scaffold": scaffold, "model": model,
                        "repeat": repeat, "state": "completed", "passed": passed,
                        "measure.mood": float(chance.normal()), "measure.sort": "x",
                    })  # fmt: skip
                    actions += [
                        {"trial": name, "position": n, "action": first if n == 0 else "query"} for n in range(long)
                    ]
    return pd.DataFrame(rows), pd.DataFrame(actions)


@pytest.fixture(scope="module")
def known():
    trials, actions = scaffolded()
    return variance(gather(trials, actions=actions))


class TestKnownDoing:
    def test_what_is_whose(self, known):
        assert item(known, "first.schema").owner == "scaffold"
        assert item(known, "actions").owner == "model"
        assert known.owned["scaffold"][0] in ("first.schema", "first.query")
        assert "actions" in known.owned["model"]
        assert share(known, "passed", "task").estimate > share(known, "passed", "model").high
        assert share(known, "measure.mood", "repeat").estimate > 0.6

    def test_intervals_hold_the_truth(self, known):
        # 0.9 and 0.1: squared effects .16 / 1, divided by 2 - 1 levels: .32 of .32 + .09 of repeats.
        found = share(known, "first.schema", "scaffold")
        assert found.low <= 0.32 / 0.41 <= found.high
        # lengths 2.5, 5.5, 8.5 with variance .25: S^2 = 9.
        found = share(known, "actions", "model")
        assert found.low <= 9 / 9.25 <= found.high

    def test_shares_sum_to_one(self, known):
        for found in known.decomposed:
            assert sum(part.share.estimate for part in found.parts) == pytest.approx(1.0)
            assert all(part.share.low <= part.share.estimate <= part.share.high for part in found.parts)

    def test_sentences(self, known):
        told = known.sentences()
        assert told[0].startswith("How often they pass: of the variance ")
        assert "% task (" in told[0]
        assert any(text.startswith("Most the model's doing: ") for text in told)
        assert any(text.startswith("Most the scaffold's doing: first action: ") for text in told)
        assert any("at most" in text and "by chance within tasks" in text for text in told)
        assert len(told) <= 6

    def test_the_model_first_and_outcomes_apart(self, known):
        shares = [found.share("model") for found in known.behaviours if found.parts]
        assert shares == sorted(shares, reverse=True)
        assert [found.name for found in known.outcomes] == ["passed"], "a score equal to passed is not told twice"
        assert known.sources[0] == "model"
        assert known.sources[-1] == "repeat"

    def test_order_of_rows_does_not_matter(self, known):
        trials, actions = scaffolded()
        mixed = variance(gather(trials.sample(frac=1, random_state=3), actions=actions.sample(frac=1, random_state=4)))
        for found in known.decomposed:
            other = item(mixed, found.name)
            for part in found.parts:
                assert other.part(part.source).share.estimate == pytest.approx(part.share.estimate, abs=1e-9)
                assert other.part(part.source).share.high == pytest.approx(part.share.high, abs=1e-6)

    def test_holes_go_by_likelihood(self):
        trials, actions = scaffolded()
        kept = trials.sample(frac=0.9, random_state=1)
        found = variance(gather(kept, actions=actions))
        assert {x.method for x in found.decomposed} == {"restricted maximum likelihood"}
        assert item(found, "first.schema").owner == "scaffold"
        assert item(found, "actions").owner == "model"

    def test_compared_by_scaffold(self):
        trials, actions = scaffolded()
        found = variance(gather(trials, actions=actions, by="scaffold"))
        assert (found.by, found.condition) == ("scaffold", "model")
        assert item(found, "first.schema").owner == "scaffold"
        assert "scaffold" in found.sentences()[0]

    def test_scenarios_have_a_share(self):
        trials, actions = make_world({"a": ALIKE, "b": ALIKE}, scenarios=("desk", "shop"), tasks=10)
        trials["measure.long"] = 5.0 * (trials["scenario"] == "shop") + np.random.default_rng(1).normal(
            size=len(trials)
        )
        found = variance(evidence_of(trials, actions))
        assert item(found, "measure.long").owner == "scenario"
        assert share(found, "measure.long", "model x scenario").estimate < 0.1


class TestChance:
    def test_the_same_policy_under_two_names(self, trials):
        """Labels that mean nothing: the lower end of the model's share is 0 all but about 2.5% of the time."""
        above, counted = 0, 0
        for seed in range(30):
            table = trials({"a": 0.5, "b": 0.5}, tasks=15, repeats=2, seed=seed)
            table["measure.mood"] = np.random.default_rng(seed).normal(size=len(table))
            found = variance(gather(table))
            for name in ("passed", "measure.mood"):
                counted += 1
                above += share(found, name, "model").low > 0
        assert above <= 0.1 * counted

    def test_labels_by_chance_stand_beside_the_share(self):
        found = variance(make_evidence({"a": ALIKE, "b": ALIKE}))
        assert 0 < item(found, "passed").chance < 0.2
        text = markdown(tables(found)[0])
        assert "model by chance, at most" in text


class TestTooLittle:
    def test_few_tasks(self):
        found = variance(make_evidence({"a": ALIKE, "b": ALIKE}, tasks=4))
        assert found.too_few == found.sentences()[0]
        assert "Too few tasks (4)" in found.too_few
        assert "at least 6" in found.too_few
        assert tables(found) == []
        assert plots(found) == []

    def test_families_are_what_counts(self):
        found = variance(make_evidence({"a": ALIKE, "b": ALIKE}, tasks=20, families=4))
        assert "Too few tasks (4)" in found.too_few

    def test_no_repeats(self):
        found = variance(make_evidence({"a": ALIKE, "b": ALIKE}, repeats=1))
        assert item(found, "passed").holds == {"repeat": ["model x task"]}
        assert [part.source for part in item(found, "passed").parts] == ["model", "task", "repeat"]
        assert "repeat cannot be told from model x task" in found.sentences()[0]
        assert any("two repeats would tell" in text for text in found.cautions)

    def test_one_model(self):
        found = variance(make_evidence({"a": ALIKE}, scaffolds=("plan", "react")))
        assert found.too_few is None
        assert [part.source for part in item(found, "passed").parts] == [
            "scaffold",
            "task",
            "scaffold x task",
            "repeat",
        ]
        assert any("Only one model" in text for text in found.cautions)
        assert plots(found)
        assert "scaffold" in markdown(tables(found)[0])

    def test_one_model_one_scaffold(self):
        found = variance(make_evidence({"a": ALIKE}))
        assert [part.source for part in item(found, "passed").parts] == ["task", "repeat"]
        assert len(plots(found)) == 2
        single = variance(make_evidence({"a": ALIKE}, repeats=1))
        assert single.too_few.startswith("Nothing to divide")

    def test_a_scaffold_of_its_own_for_every_model(self):
        trials, actions = make_world({"a": ALIKE, "b": ALIKE})
        trials["scaffold"] = trials["model"].map({"a": "plan", "b": "react"})
        found = variance(evidence_of(trials, actions))
        assert any("scaffold of its own" in text for text in found.cautions)
        assert "scaffold" not in found.sources

    def test_a_model_with_two_tasks_is_left_out(self):
        trials, actions = make_world({"a": ALIKE, "b": ALIKE, "c": ALIKE})
        trials = trials[(trials["model"] != "c") | trials["task"].isin(["t1", "t2"])]
        found = variance(evidence_of(trials, actions))
        assert item(found, "passed").levels["model"] == 2
        assert any("model c: left out" in text for text in found.cautions)

    def test_unknown_is_not_zero(self):
        trials, _ = make_world({"a": ALIKE, "b": ALIKE})
        trials["passed"] = pd.array([None] * len(trials), dtype="boolean")
        trials["measure.rare"] = np.where(np.arange(len(trials)) < 6, 1.0 * np.arange(len(trials)), np.nan)
        trials["measure.some"] = np.where(np.arange(len(trials)) % 3 > 0, np.arange(len(trials)) % 7, np.nan)
        found = variance(gather(trials))
        assert [x.name for x in found.outcomes] == ["score"]
        assert item(found, "measure.some").trials == pytest.approx(len(trials) * 2 / 3, abs=1)
        assert item(found, "measure.rare").parts == []
        assert any("Too little is known" in text for text in found.cautions)

    def test_what_never_varies(self):
        trials, actions = scaffolded()
        trials["measure.always"] = 0.1
        found = variance(gather(trials, actions=actions))
        assert item(found, "measure.always").too_few == "never varies"
        assert any("never varies" in text for text in found.cautions)

    def test_no_trials(self):
        trials, _ = make_world({"a": ALIKE, "b": ALIKE}, tasks=6)
        trials["state"], trials["fault"] = "fault", "provider"
        assert variance(gather(trials)).sentences() == ["No trial has a result yet."]


class TestShapes:
    def test_json(self, known):
        dumped = TypeAdapter(Variance).dump_python(known, mode="json")
        assert json.loads(json.dumps(dumped, allow_nan=False))["by"] == "model"

    def test_frames(self, known):
        frame = known.frame("shares")
        assert {"name", "source", "share", "share.low", "share.high", "variance", "chance"} <= set(frame.columns)
        assert len(known.frame("numbers")) == len(known.outcomes) + len(known.behaviours)

    def test_twelve_models_with_hostile_names(self):
        names = ["<script>alert(1)</script>", "new\nline", "\U0001f600", "a|b", *(f"model-{n}" for n in range(8))]
        policies = {name: Policy(look=0.05 + 0.08 * n) for n, name in enumerate(names)}
        trials, actions = make_world(policies, tasks=12, scaffolds=("react", "x" * 80))
        actions.loc[actions["action"] == "schema", "action"] = "<b>schema</b>\n"
        found = variance(evidence_of(trials, actions))
        json.dumps(TypeAdapter(Variance).dump_python(found, mode="json"), allow_nan=False)
        drawn = plots(found)
        assert len(drawn) == 2
        for plot in drawn:
            assert "spec" not in plot.description
            assert json.dumps(themed(plot.chart), allow_nan=False)
        assert "<script>" not in markdown(tables(found)[0])

    def test_the_table_shows_what_is_most_somebody_s(self, known):
        trials, actions = scaffolded()
        chance = np.random.default_rng(2)
        for number in range(40):
            trials[f"measure.noise{number}"] = chance.normal(size=len(trials))
        found = variance(gather(trials, actions=actions))
        table = tables(found)[0]
        assert len(table.rows) == 25
        assert "of 5" in table.title or "of 4" in table.title
        labels = [row[0] for row in table.rows]
        assert labels[0] == "how often they pass"
        assert {"first action: schema", "actions"} <= set(labels)

    def test_drawn(self, known):
        stacked, intervals = plots(known)
        assert "how often they pass" in stacked.description
        assert "%" in stacked.description
        rows = [row for rows in themed(stacked.chart)["datasets"].values() for row in rows]
        totals = {}
        for row in rows:
            totals[row["number"]] = totals.get(row["number"], 0) + row["share"]
        assert all(total == pytest.approx(1.0) for total in totals.values())
        assert "by chance" in intervals.description


def test_seats_that_only_some_scenarios_have_are_one_more_factor():
    def seated(scenario, seat):
        trials, _ = make_world({"anna": ALIKE, "berta": ALIKE}, scenarios=(scenario,), repeats=4)
        return trials.assign(**{f"model.{seat}": ["anna" if n % 2 else "berta" for n in trials["repeat"]]})

    table = pd.concat([seated("stall", "seller"), seated("desk", "clerk")], ignore_index=True)
    factors = item(variance(gather(table)), "passed").levels
    assert {name: count for name, count in factors.items() if "seller" in name} == {"model.seller + model.clerk": 4}
