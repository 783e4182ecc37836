"""What forks say: of tables made here, where the truth is known, and of scripted models that part at one known call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from run.workbench import Workbench, new_bench

from harness.compare.comparison import compare
from harness.compare.evidence import Evidence, gather
from harness.compare.interventions.fork import Fork, fork
from harness.report.comparing import compare_sweeps

TASKS, DEPTH = 8, 3


def evidence(outcome: Any, repeats: int = 4, models: tuple[str, ...] = ("ann", "ben"), **changes: Any) -> Evidence:
    """A fork of one trial of each model on each task, from each of its calls; `outcome(model, maker, task, at, n)`."""
    trials: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for maker in models:
        for task in range(TASKS):
            origin = f"{maker}-{task}"
            for at in range(DEPTH):
                for model in models:
                    for n in range(1, repeats + 1):
                        score = float(outcome(model, maker, task, at, n))
                        name = f"{origin}@{at}-{model}-{n}"
                        trials.append({
                            "trial": name, "cell": f"{origin}@{at}-{model}", "scenario": "shop", "task": f"t{task}",
                            "scaffold": "loop", "model": model, "repeat": n, "attempt": 1, "state": "completed",
                            "score": score, "passed": score == 1.0, "moment": f"{origin}@{at}",
                        })  # fmt: skip
                        detail = {"score": 1.0, "passed": True, "course": [f"tool step {at}"]}
                        lines.append({
                            "trial": name, "kind": "fork", "sweep": "base", "origin": origin, "at": at, "of": DEPTH,
                            "node": "think", "role": "agent", "prefix": maker, "suffix": model,
                            "detail": json.dumps({**detail, **changes.get("detail", {})}),
                            "drift": changes.get("drift", {}).get(name, 0),
                        })  # fmt: skip
    return gather(pd.DataFrame(trials), lineage=pd.DataFrame(lines))


def test_one_that_goes_on_better_everywhere_is_said_to() -> None:
    random = np.random.default_rng(2)
    found = fork(evidence(lambda model, *_: random.random() < (0.9 if model == "ann" else 0.3)))
    whole = next(row for row in found.summaries if row.part == "all")
    assert (whole.first, whole.second, whole.difference.n, whole.difference.clusters) == ("ann", "ben", 48, 8)
    assert whole.difference.estimate == pytest.approx(0.6, abs=0.12)
    assert whole.difference.shown
    assert found.sentences()[0].startswith("ann goes on better than ben from the same 48 states (")
    assert found.apart[0].p < 0.01
    assert len(found.values) == 96
    assert {row.own for row in found.values if row.model == row.prefix} == {True}


def test_one_pivotal_state_is_the_one_that_is_named() -> None:
    def outcome(model: str, maker: str, task: int, at: int, n: int) -> bool:
        return model == "ann" if (maker, task, at) == ("ben", 3, 1) else task % 2 == 0

    found = fork(evidence(outcome, repeats=5))
    assert [row.state for row in found.pivotal if row.pivotal] == ["ben-3@1"]
    top = found.pivotal[0]
    assert (top.first_value, top.second_value, top.difference) == (1.0, 0.0, 1.0)
    assert 0 < top.believed <= top.difference
    assert any("The most pivotal state is ben-3@1 (t3, 1 of 3 calls behind)" in text for text in found.sentences())
    falls = [row for row in found.drops if row.change < 0 and (row.p_adjusted or 1) < 0.05]
    assert [(row.trial, row.model, row.at, row.until) for row in falls] == [("ben-3", "ann", 1, 2)]
    assert falls[0].actions == ("tool step 1",)
    assert any("falls from 1.00 to 0.00 between 1 and 2 calls, after tool step 1" in t for t in found.sentences())


def test_states_of_ones_own_are_told_from_those_of_another() -> None:
    found = fork(
        evidence(lambda model, maker, task, at, n: (n + task) % 4 > 0 if model == maker else n == 1, repeats=4)
    )
    (home,) = found.homes
    assert home.on_first.estimate == pytest.approx(0.5)
    assert home.on_second.estimate == pytest.approx(-0.5)
    assert home.difference.shown
    assert any(text.startswith("Each is relatively better on its own states") for text in found.sentences())
    own = next(row for row in found.origins if row.model == row.prefix == "ann")
    assert (own.states, own.value.estimate, own.recorded.estimate) == (24, pytest.approx(0.75), 1.0)


def test_a_better_prefix_is_no_better_home() -> None:
    """What one model made is worth more under both: that is the states' doing, and nobody's advantage."""
    found = fork(evidence(lambda model, maker, task, at, n: maker == "ann" or n == 1))
    (home,) = found.homes
    assert home.difference.estimate == 0
    assert not home.difference.shown
    assert found.apart[0].apart == 0
    assert [row.value.estimate for row in found.origins] == pytest.approx([1, 0.25, 1, 0.25])


def test_an_advantage_that_comes_late_is_placed_there() -> None:
    found = fork(evidence(lambda model, maker, task, at, n: (n + task) % 5 > 0 if model == "ann" or at < 2 else n == 9))
    parts = {row.part: row.difference for row in found.summaries}
    assert parts["first third"].estimate == parts["middle third"].estimate == 0
    assert parts["last third"].shown
    assert any("From moments in the last third of a trial, ann goes on better" in text for text in found.sentences())
    assert {row.part for row in found.depths} == {"beginning", "middle third", "last third"}
    assert {row.part: row.depth for row in found.depths} == pytest.approx(
        {"beginning": 0.0, "middle third": 1 / 3, "last third": 2 / 3}
    ), "where the states are"


def test_what_drifted_or_drew_alike_is_counted_and_left_out() -> None:
    drifted = fork(evidence(lambda *_: 1.0, drift={"ann-0@1-ben-1": 2, "ann-0@1-ben-2": 1}))
    assert drifted.rollouts == 2 * TASKS * DEPTH * 2 * 4 - 2
    assert any(text.startswith("ben: 2 continuations left out") for text in drifted.cautions)
    alike = fork(evidence(lambda *_: 1.0, repeats=1, detail={"chance": "same"}))
    assert (alike.rollouts, alike.checked, alike.checked_as_recorded) == (0, 48, 48)
    assert alike.sentences() == [
        "48 of 48 continuations with the model that had played, drawing as it had, came out as recorded."
    ]


def test_scores_that_are_no_shares_are_told_as_amounts() -> None:
    random = np.random.default_rng(4)
    found = fork(evidence(lambda model, *_: 100 + 30 * (model == "ann") + random.normal(0, 5)))
    assert not found.shares
    assert "points" not in found.sentences()[0]
    assert "30." in found.sentences()[0] or "29." in found.sentences()[0]


def test_one_model_alone_has_values_and_no_advantage() -> None:
    found = fork(evidence(lambda *_: 1.0, models=("ann",)))
    assert found.sentences()[0].startswith("Only ann went on (96 continuations of 24 states)")
    assert found.advantages == []


def test_a_comparison_tells_forks_first_and_by_models_alone() -> None:
    made = evidence(lambda model, *_: model == "ann")
    assert next(iter(compare(made, only=["fork", "outcomes"]).analyses)) == "fork"
    by_scaffold = gather(made.trials, lineage=made.lineage, by="scaffold")
    assert "not by scaffold" in fork(by_scaffold).sentences()[0]


@pytest.mark.parametrize("worlds", [pytest.param(30), pytest.param(500, marks=pytest.mark.slow)])
def test_one_model_under_two_names_is_seldom_said_to_differ(worlds: int) -> None:
    random = np.random.default_rng(13)
    whole = pivotal = apart = home = 0
    for _ in range(worlds):
        worth = {(m, t, a): random.beta(0.8, 0.8) for m in ("ann", "ben") for t in range(TASKS) for a in range(DEPTH)}
        found = fork(evidence(lambda model, maker, task, at, n, w=worth: random.random() < w[maker, task, at]))
        whole += next(row for row in found.summaries if row.part == "all").difference.shown
        pivotal += any(row.pivotal for row in found.pivotal)
        apart += found.apart[0].p < 0.05
        home += found.homes[0].difference.shown
    bound = 0.05 + 3 * np.sqrt(0.05 * 0.95 / worlds)
    assert max(whole, pivotal, apart, home) / worlds <= bound


TRAP = "select 'trap'"


def script(mends: bool) -> dict[str, Any]:
    """Looks, then looks again in one of four ways; after the trap what is submitted hangs on who goes on."""
    looks = [f"select {n}" for n in range(3)] + [TRAP]
    right = {"call": {"tool": "submit", "arguments": {"answer": "500"}}}
    wrong = {"call": {"tool": "submit", "arguments": {"answer": "0"}}}
    return {
        "kind": "script",
        "rules": [
            {"visit": 1, "call": {"tool": "query", "arguments": {"sql": "select * from goods"}}},
            {"visit": 2, "choose": [{"call": {"tool": "query", "arguments": {"sql": sql}}} for sql in looks]},
            {"when": "'trap' in last", **(right if mends else wrong)},
            right,
        ],
    }


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    made = new_bench(tmp_path)
    made.write("mends.yaml", script(True))
    made.write("falls.yaml", script(False))
    made.write(
        "models.yaml",
        {
            "kind": "models",
            "models": {
                "mends": {"model": "scripted/mends.yaml"},
                "falls": {"model": "scripted/falls.yaml", "variant": "b"},
                "again": {"model": "scripted/mends.yaml", "variant": "c"},
            },
        },
    )
    made.change("sweep.yaml", models=["mends", "falls"], tasks=["nail"], repeats=4)
    return made


def fork_bench(bench: Workbench, *models: str, repeats: int) -> Fork:
    from harness.intervene.forking import Wishes, fork_from
    from harness.intervene.origin import open_origin
    from harness.intervene.planning import carry_out_asked
    from harness.intervene.states import select_states
    from harness.run.progress import PlainProgress

    bench.run()
    with open_origin(bench.results / "bench") as origin:
        found = select_states(origin, "every:1", bench.results)
        asked = fork_from(origin, found.moments, Wishes(models, repeats, 1.0), {}, found.notes, found.makers)
        carry_out_asked(asked, bench.results, PlainProgress)
    comparison = compare_sweeps(
        [str(bench.results / "bench-fork")], bench.results, only=["fork"]
    ).comparison.intervention
    assert isinstance(comparison, Fork)
    return comparison


def test_the_one_call_that_a_score_hangs_on_is_found(bench: Workbench) -> None:
    found = fork_bench(bench, "mends", "falls", repeats=6)
    traps = {row.state for row in found.values if TRAP in _before(bench, row.trial, row.at)}
    assert traps
    shown = [row for row in found.pivotal if row.pivotal]
    assert {row.state for row in shown} == traps
    assert {(row.first, row.first_value, row.second_value) for row in shown} == {("mends", 1.0, 0.0)}
    assert {row.at for row in shown} == {2}


def test_one_scripted_model_under_two_names_is_not_told_apart(bench: Workbench) -> None:
    found = fork_bench(bench, "mends", "again", repeats=6)
    assert not any(row.pivotal for row in found.pivotal)
    assert found.apart[0].p > 0.05
    assert not any(row.difference.shown for row in found.summaries)


def test_trials_that_have_states_in_common_each_have_their_course(bench: Workbench) -> None:
    found = fork_bench(bench, "mends", "falls", repeats=6)
    origin = [row.trial for row in bench.rows()]
    at = {trial: sorted({row.at for row in found.courses if row.trial == trial}) for trial in origin}
    whole = [places for places in at.values() if places]  # others share all of their states with one of these
    assert whole == [[0, 1, 2]] * len(whole)
    assert len(whole) >= 4
    # Before the trap a value may fall a little by chance, never to nothing.
    falls = [row for row in found.drops if row.model == "falls" and row.after == 0]
    assert {(row.at, row.until) for row in falls} == {(1, 2)}
    assert all(TRAP in row.actions[0] for row in falls)


def _before(bench: Workbench, trial: str, at: int) -> str:
    """What was asked of the database in the recorded call before a moment."""
    from harness.intervene.moments import answered_calls
    from harness.record import Results

    calls = answered_calls(Results(bench.results / "bench").store.record(trial).document)
    return calls[at - 1][1].actions[0].key if at else ""
