"""What a probe says of tables made by hand, where the truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.compare import gather
from harness.compare.comparison import compare
from harness.compare.interventions.probe import Probe, probe
from harness.errors import UserError

Chooser = Callable[[str, str, int], Sequence[float]]
"""(model, node, task) -> shares of the choices."""


def world(
    shares: Chooser,
    *,
    models: Sequence[str] = ("ann", "ben"),
    nodes: Sequence[str] = ("plan", "look", "check"),
    tasks: int = 8,
    origins: int = 2,
    replies: int = 5,
    seed: int = 0,
    makers: Callable[[int], list[str]] = lambda origin: ["ann"] if origin % 2 == 0 else ["ben"],
    change: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, pd.DataFrame]:
    """Tables of a probe: every task has some recorded trials, each with one state at every node."""
    chance = np.random.default_rng(seed)
    trials, actions, lineage = [], [], []
    for task in range(tasks):
        for origin in range(origins):
            for at, node in enumerate(nodes):
                for model in models:
                    drawn = chance.choice(4, replies, p=np.asarray(shares(model, node, task)))
                    for repeat, choice in enumerate(drawn, 1):
                        name = f"t{task}-{origin}-{at}-{model}-{repeat}"
                        made = makers(origin)
                        row = {
                            "trial": name, "cell": name, "scenario": "s", "task": f"task {task}", "family": None,
                            "scaffold": "stages", "model": model, "repeat": repeat, "attempt": 1, "seed": task,
                            "state": "completed", "limit": None, "fault": None, "moment": f"o{task}-{origin}@{at}",
                            "factors": '["moment"]', "choice": int(choice), "kind": "tool", "drift": 0,
                        }  # fmt: skip
                        change(row)
                        if row["state"] == "completed":
                            actions.append({
                                "trial": name, "position": 0, "step": 1, "node": node, "role": "agent",
                                "kind": row["kind"], "action": "query", "key": row["choice"], "error": False,
                            })  # fmt: skip
                        lineage.append({
                            "trial": name, "kind": "probe", "sweep": "base", "origin": f"o{task}-{origin}", "at": at,
                            "of": len(nodes), "node": node, "role": "agent", "prefix": made[0], "suffix": model,
                            "detail": json.dumps({"made_by": made, "own": model in made, "lane": "main", "visit": 1}),
                            "drift": row["drift"],
                        })  # fmt: skip
                        trials.append(
                            {name: value for name, value in row.items() if name not in ("choice", "drift", "kind")}
                        )
    return {
        "trials": pd.DataFrame(trials), "actions": pd.DataFrame(actions), "lineage": pd.DataFrame(lineage),
    }  # fmt: skip


def analysed(tables: Mapping[str, pd.DataFrame], **more: Any) -> Probe:
    return probe(gather(tables["trials"], actions=tables["actions"], lineage=tables["lineage"], **more))


def alike(model: str, node: str, task: int) -> Sequence[float]:
    return [(0.7, 0.1, 0.1, 0.1), (0.25, 0.25, 0.25, 0.25), (0.4, 0.4, 0.2, 0.0)][(task + len(node)) % 3]


def at_look(model: str, node: str, task: int) -> Sequence[float]:
    return (0.05, 0.05, 0.1, 0.8) if (model, node) == ("ben", "look") else alike(model, node, task)


def test_the_node_where_models_differ_is_named_and_no_other() -> None:
    for seed in range(5):
        result = analysed(world(at_look, seed=seed))
        assert {row.value for row in result.main(result.nodes) if row.shown} == {"look"}
        assert {row.value for row in result.main(result.depths) if row.p < 0.001} == {"1"}
        top = result.in_states[0]
        assert top.node == "look"
        assert result.sentences()[1].startswith("ann and ben differ at node look, and at none of the other 2")


def test_what_holds_in_one_task_alone_is_not_said_of_tasks() -> None:
    """p is of the states asked about; the interval is of tasks, and one in eight is nothing to go by."""
    result = analysed(world(lambda model, node, task: (0, 0, 0, 1) if (model, task) == ("ben", 3) else (1, 0, 0, 0)))
    (pair,) = result.main(result.pairs)
    assert pair.shown and pair.excess.low is not None and pair.excess.low < 0
    assert result.sentences()[0].endswith("This holds in these states; for other tasks like these it may be nothing.")
    assert "it may be nothing" not in " ".join(analysed(world(at_look)).sentences())


def test_of_three_models_the_odd_one_out_is_told() -> None:
    models = ("ann", "ben", "cat")
    shares: Chooser = lambda model, node, task: at_look("ben" if model == "cat" else "ann", node, task)  # noqa: E731
    result = analysed(world(shares, models=models))
    shown = {(row.first, row.second) for row in result.main(result.pairs) if row.shown}
    assert shown == {("ann", "cat"), ("ben", "cat")}
    assert {(row.first, row.second, row.value) for row in result.main(result.nodes) if row.shown} == {
        ("ann", "cat", "look"), ("ben", "cat", "look"),
    }  # fmt: skip
    declared = analysed(world(shares, models=models), between=["ann", "ben"])
    assert [(row.first, row.second) for row in declared.main(declared.pairs)] == [("ann", "ben")]
    assert declared.main(declared.pairs)[0].adjusted_by == "Holm over 1"


def null_rates(campaigns: int, seed: int) -> dict[str, float]:
    """How often something is found where models are alike: the pair, any node, any state; how often 0 is covered."""
    counts = dict.fromkeys(("pair", "nodes", "states", "covered"), 0)
    for campaign in range(campaigns):
        result = analysed(world(alike, tasks=7, origins=1, seed=10_000 * seed + campaign))
        (pair,) = result.main(result.pairs)
        counts["pair"] += pair.p <= 0.05
        counts["nodes"] += any(row.shown for row in result.main(result.nodes))
        counts["states"] += any(row.shown for row in result.in_states)
        low, high = pair.excess.low, pair.excess.high
        counts["covered"] += low is not None and high is not None and low <= 0 <= high
    return {name: count / campaigns for name, count in counts.items()}


def test_alike_models_are_told_apart_no_more_often_than_stated() -> None:
    rates = null_rates(60, 1)
    limit = 0.05 + 2.6 * (0.05 * 0.95 / 60) ** 0.5
    assert rates["pair"] <= limit
    assert rates["nodes"] <= limit
    assert rates["states"] <= limit
    assert rates["covered"] >= 0.95 - 2.6 * (0.05 * 0.95 / 60) ** 0.5


@pytest.mark.slow
def test_error_rates_at_large() -> None:
    rates = null_rates(1000, 2)
    print(rates)
    limit = 0.05 + 2.6 * (0.05 * 0.95 / 1000) ** 0.5
    assert max(rates["pair"], rates["nodes"], rates["states"]) <= limit
    assert rates["covered"] >= 0.95


@pytest.mark.slow
def test_the_interval_covers_a_true_difference() -> None:
    """Tasks differ widely in how far apart the models are; the truth is the mean over all that might have been.

    So skewed a mean of 12 tasks is covered a little less often than it says.
    """
    chance = np.random.default_rng(9)
    truth, campaigns = [], []
    for campaign in range(300):
        mixed = chance.beta(1, 2, size=12)
        truth.append(float(np.mean(mixed**2)) * 0.49)
        shares: Chooser = lambda model, node, task, mixed=mixed: (  # noqa: E731
            (0.8 - 0.7 * mixed[task], 0.1 + 0.7 * mixed[task], 0.1, 0.0) if model == "ben" else (0.8, 0.1, 0.1, 0.0)
        )
        campaigns.append(analysed(world(shares, tasks=12, origins=1, nodes=("look",), seed=campaign)).pairs[1])
    wanted = float(np.mean(truth))
    covered = [(pair.excess.low or 0.0) <= wanted <= (pair.excess.high or 0.0) for pair in campaigns]
    print(np.mean(covered), wanted, np.mean([pair.excess.estimate or 0.0 for pair in campaigns]))
    assert np.mean([pair.excess.estimate or 0.0 for pair in campaigns]) == pytest.approx(wanted, abs=0.01)
    assert 0.87 <= np.mean(covered) <= 0.98


def test_drifted_missing_and_single_replies_are_counted_and_said() -> None:
    def change(row: dict[str, Any]) -> None:
        if row["trial"].startswith("t0-0-0-ann"):
            row["drift"] = 1
        if row["trial"].startswith("t1-0-0-ben"):
            row.update(state="fault", fault="provider")
        if row["trial"].startswith("t2-0-0-ben") and row["repeat"] > 1:
            row.update(state="fault", fault="provider")
        if row["trial"] == "t3-0-0-ben-1":
            row.update(state="limit", limit="context")

    result = analysed(world(at_look, change=change))
    cautions = "\n".join(result.cautions)
    assert "their way drifted: 5" in cautions
    assert "9 calls were not answered" in cautions
    assert "ben 9" in cautions
    assert "In 1 cases a model has one reply to a state" in cautions
    assert "In 2 cases a model has no reply to a state" in cautions
    (pair,) = result.main(result.pairs)
    assert pair.states == 8 * 2 * 3 - 2
    assert any(deed.does == "nothing: limit of context" for deed in result.deeds)
    assert {row.model for row in result.conduct if (row.nothing.estimate or 0) > 0} == {"ben"}


def test_one_reply_each_has_no_floor_and_says_what_it_takes() -> None:
    result = analysed(world(at_look, replies=1))
    (pair,) = result.main(result.pairs)
    assert (pair.own, pair.divergence, pair.excess.estimate) == (None, None, None)
    assert "it takes -n 2 or more" in result.sentences()[0]


def test_few_tasks_are_said_to_be_few() -> None:
    result = analysed(world(at_look, tasks=2))
    assert any("2 independent tasks" in caution for caution in result.cautions)
    (pair,) = result.main(result.pairs)
    assert pair.excess.low is None


def test_matched_states_hold_what_states_and_models_do_anyway_equal() -> None:
    """Ben is malformed more often everywhere, and so is everybody in states that ann made: no own-foreign effect."""
    chance = np.random.default_rng(1)

    def anyway(row: dict[str, Any]) -> None:
        made_by_ann = row["trial"].split("-")[1] == "0"
        if chance.random() < 0.1 + 0.3 * (row["model"] == "ben") + 0.3 * made_by_ann:
            row["kind"] = "malformed"

    def stumbles(row: dict[str, Any]) -> None:
        foreign = (row["trial"].split("-")[1] == "0") == (row["model"] == "ben")
        if chance.random() < 0.1 + 0.5 * foreign:
            row["kind"] = "malformed"

    none = analysed(world(alike, tasks=14, change=anyway)).own_foreign[0]
    assert (none.measure, none.pairs) == ("malformed or cut off", 14 * 3)
    assert not none.difference.shown
    some = analysed(world(alike, tasks=14, change=stumbles)).own_foreign[0]
    assert some.difference.shown
    assert some.difference.estimate == pytest.approx(-0.5, abs=0.12)


def test_a_state_that_both_came_to_is_nobodys_own_in_the_contrast() -> None:
    result = analysed(world(alike, makers=lambda origin: ["ann", "ben"]))
    assert result.own_foreign == []
    assert {row.value for row in result.makers} == {"several"}


def test_other_comparisons_have_nothing_to_say_and_other_kinds_are_refused() -> None:
    tables = world(alike)
    scaffold = tables["trials"]["moment"].str.split("-").str[1]  # a moment has one scaffold
    result = analysed({**tables, "trials": tables["trials"].assign(scaffold=scaffold)}, by="scaffold")
    assert result.too_few is not None
    assert result.sentences() == [result.too_few]
    ordinary = gather(tables["trials"], actions=tables["actions"])
    with pytest.raises(UserError, match="not the trials of a probe"):
        compare(ordinary, ["probe"])


def test_rows_are_tidy_and_the_same_each_time() -> None:
    tables = world(at_look)
    first, second = analysed(tables), analysed(tables)
    assert first == second
    for name, rows in first.tables().items():
        assert len(first.frame(name)) == len(rows)
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in tables.items()}
    again = analysed(shuffled)
    assert [row.whole for row in again.pairs] == pytest.approx([row.whole for row in first.pairs])
