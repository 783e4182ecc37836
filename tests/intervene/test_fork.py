"""Forks of recorded trials: what comes out to the byte, what survives, and where they go back to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from intervene.forks import assert_same_to_the_byte, counting_bench, fork, fork_all, forked, models
from run.workbench import Workbench

from harness.intervene.drift import drift_before
from harness.record import Results


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return counting_bench(tmp_path)


def test_onto_the_same_model_with_the_same_chance_everything_comes_out_to_the_byte(bench: Workbench) -> None:
    bench.run()
    fork_all(bench, models=["ann", "ben"], same_chance=True)
    results, origin = forked(bench), Results(bench.results / "bench")
    assert results.drift.empty
    same = results.lineage.query("prefix == suffix")
    assert len(same) == len(results.lineage) // 2 >= 9  # of each task three calls, some of them one state of both
    for line in same.itertuples():
        assert_same_to_the_byte(origin.store.record(line.origin), results.store.record(line.trial))


def test_repeats_differ_from_each_other_and_from_the_recorded_one(bench: Workbench) -> None:
    bench.run()
    trial = bench.rows()[0].trial
    fork(bench, trial, 1, "ann", repeats=30)
    results = forked(bench)
    assert results.actions(("arguments",)).query("action == 'query'")["arguments"].nunique() == 4
    assert len(set(results.trials["answer"])) == 2


def test_forks_of_one_sweep_gather_and_none_takes_the_place_of_another(bench: Workbench) -> None:
    bench.run()
    first, other = (row.trial for row in bench.rows()[:2])
    fork(bench, first, 1, "ann", repeats=2)
    kept = {row.trial: results_row for row in forked(bench).store.rows() for results_row in [row]}
    fork(bench, first, 1, "ben", repeats=3)
    fork(bench, first, 2, "ann")
    outcome = fork(bench, other, 1, "ann")
    assert (outcome.asked, outcome.results) == (1, 1)
    results = forked(bench)
    now = {row.trial: row for row in results.store.rows()}
    assert len(now) == 7
    assert kept.items() <= now.items()
    assert len(results.trials) == len(results.asked) == 7
    assert sorted(results.trials.groupby(["moment", "model"]).size()) == [1, 1, 2, 3]
    assert fork(bench, first, 1, "ben", repeats=3).ran == 0
    assert len(forked(bench).trials) == 7


def test_more_repeats_add_to_those_recorded(bench: Workbench) -> None:
    bench.run()
    trial = bench.rows()[0].trial
    fork(bench, trial, 1, "ann", repeats=2)
    assert fork(bench, trial, 1, "ann", repeats=4).ran == 2
    assert fork(bench, trial, 1, "ann", repeats=1).ran == 0
    assert len(forked(bench).trials) == 4


def test_what_was_replayed_was_not_sent_again(bench: Workbench) -> None:
    bench.run()
    row = next(row for row in bench.rows() if row.model == "ann")
    fork(bench, row.trial, 2, "ben")
    results = forked(bench)
    assert len(results.calls) == 1
    assert set(results.calls["model"]) == {"ben"}
    assert results.steps.query("kind == 'call'")["replayed"].tolist() == [True, True, False]
    assert list(results.actions()["action"]) == ["submit"]


def test_a_fork_can_be_forked(bench: Workbench) -> None:
    bench.run()
    row = next(row for row in bench.rows() if row.model == "ann")
    fork(bench, row.trial, 1, "ben")
    (child,) = forked(bench).store.rows()
    fork(bench, child.trial, 2, "ann", "ben", sweep="bench-fork", same_chance=True)
    results = forked(bench, "bench-fork-fork")
    lines = results.lineage.set_index("suffix")
    assert set(lines["origin"]) == {child.trial}
    assert set(lines["prefix"]) == {"ben"}
    assert results.drift.empty
    for record in (results.store.record(row.trial) for row in results.store.rows()):
        calls = [event for event in record.document.events if event.type == "call"]
        assert [event.replayed for event in calls] == [True, True, False]
        assert (
            calls[1].actions
            == [e for e in forked(bench).store.record(child.trial).document.events if e.type == "call"][1].actions
        )
    # Drawn by the child's own chance, which is not that of the trial it was forked from.
    fork(bench, child.trial, 1, "ben", sweep="bench-fork", same_chance=True, name="once-more")
    (again,) = forked(bench, "once-more").store.rows()
    assert_same_to_the_byte(
        forked(bench).store.record(child.trial), forked(bench, "once-more").store.record(again.trial)
    )


def test_the_trial_shows_where_it_was_forked_from(bench: Workbench) -> None:
    bench.run()
    row = next(row for row in bench.rows() if row.model == "ann")
    fork(bench, row.trial, 1, "ben")
    (child,) = forked(bench).store.rows()
    shown = bench.harness("show", child.trial).stdout
    assert f"forked from {row.trial}@1 of bench, onto ben" in shown
    assert "replayed" in shown
    assert "drift" not in shown


def test_parallel_lanes_are_gone_back_into(bench: Workbench) -> None:
    bench.write(
        "loop.yaml",
        {
            "kind": "scaffold", "name": "loop", "summary": "Three drafts, one vote.", "protocol": {"kind": "json"},
            "start": "sample",
            "nodes": {
                "sample": {"kind": "branch", "to": "draft", "copies": 3, "join": "vote"},
                "draft": {"kind": "generate", "next": "vote"},
                "vote": {"kind": "join", "pick": "vote", "next": "act"},
                "act": {"kind": "act", "next": "sample"},
            },
        },
    )  # fmt: skip
    bench.change("sweep.yaml", models=["ann"], tasks=["nail"], limits={"turns": 12})
    bench.run()
    (row,) = bench.rows()
    record = Results(bench.results / "bench").store.record(row.trial)
    for at in (1, 2, 4, 6):
        fork(bench, row.trial, at, "ann", same_chance=True)
    results = forked(bench)
    assert results.drift.empty
    for again in (results.store.record(row.trial) for row in results.store.rows()):
        assert drift_before(record.document, again.document, None) == []  # lanes may arrive in another order
        assert (again.final_state, again.row.score, again.row.answer) == (record.final_state, row.score, row.answer)
    fork(bench, row.trial, 4, "ben", repeats=3)
    assert len(forked(bench).trials) == 7
    assert forked(bench).drift.empty


TALK: dict[str, Any] = {
    "kind": "script",
    "rules": [
        {"visit": 3, "say": "AGREED at 40 ({{ role }} {{ turn }})"},
        {"choose": [{"say": "I name 30 crowns."}, {"say": "I name 40 crowns."}, {"say": "I name 50 crowns."}]},
    ],
}


def test_one_role_alone_is_handed_over(bench: Workbench) -> None:
    bench.write("talk.yaml", TALK)
    bench.write(
        "models.yaml", models(ann={"model": "scripted/talk.yaml"}, ben={"model": "scripted/talk.yaml", "variant": "b"})
    )
    bench.change("sweep.yaml", scenarios=["parley"], scaffolds=["turns"], models=["ann"], tasks=["gift"])
    bench.run()
    row = bench.rows()[0]
    assert len(row.models) == 2
    one = sorted(row.models)[0]
    fork(bench, row.trial, 2, "ben", role=one)
    fork(bench, row.trial, 2, "ben")
    fork(bench, row.trial, 2, "ann", role=one, same_chance=True)
    results = forked(bench)
    assert results.drift.empty
    assert len(results.trials) == 3
    played = {tuple(sorted(row.models.items())) for row in results.store.rows()}
    assert played == {
        tuple(sorted({**row.models, one: "ben"}.items())), tuple((role, "ben") for role in sorted(row.models)),
        tuple(sorted(row.models.items())),
    }  # fmt: skip
    same = next(r for r in results.store.rows() if set(r.models.values()) == {"ann"})
    assert_same_to_the_byte(Results(bench.results / "bench").store.record(row.trial), results.store.record(same.trial))
    refused = bench.harness("fork", row.trial, "--at", "2", "--model", "ben", "--role", "nobody")
    assert refused.returncode == 2
    assert "has no role 'nobody'" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("scenario", "tasks", "calls"),
    [
        ("smithy", ["mark", "ledger"], [
            {"tool": "list_files", "arguments": {}}, {"tool": "run", "arguments": {"command": "ls > seen; cat *"}},
            {"tool": "write_file", "arguments": {"path": "note.txt", "text": "counted"}},
        ]),
        ("steward", ["room", "seats"], [
            {"tool": "list_mail", "arguments": {"folder": "inbox"}}, {"tool": "read_mail", "arguments": {"id": 3}},
            {"tool": "send_mail", "arguments": {"to": "jon@weavers.example", "subject": "seats", "body": "28"}},
        ]),
        ("refund-desk", ["price"], [
            {"tool": "schema", "arguments": {}}, {"tool": "query", "arguments": {"sql": "select * from orders"}},
            {"tool": "query", "arguments": {"sql": "select name from sqlite_master"}},
        ]),
    ],
)  # fmt: skip
def test_worlds_are_gone_back_to_without_drift(
    bench: Workbench, scenario: str, tasks: list[str], calls: list[dict[str, Any]]
) -> None:
    rules: list[dict[str, Any]] = [{"visit": n, "call": call} for n, call in enumerate(calls, 1)]
    answer = {"call": {"tool": "submit", "arguments": {"answer": "heron"}}}
    other = {"call": {"tool": "submit", "arguments": {"answer": "28"}}}
    bench.write("act.yaml", {"kind": "script", "rules": [*rules, {"choose": [answer, other]}]})
    bench.write(
        "models.yaml", models(ann={"model": "scripted/act.yaml"}, ben={"model": "scripted/act.yaml", "variant": "b"})
    )
    bench.change(
        "sweep.yaml", scenarios=[scenario], scaffolds=["react-native"], models=["ann"], tasks=tasks, limits={"turns": 8}
    )
    bench.run()
    fork_all(bench, "every:2", models=["ann"], same_chance=True)
    results, origin = forked(bench), Results(bench.results / "bench")
    assert set(origin.trials["state"]) == {"completed"}
    assert results.drift.empty
    assert len(results.trials) == 2 * len(tasks)
    for line in results.lineage.itertuples():
        assert_same_to_the_byte(origin.store.record(line.origin), results.store.record(line.trial))
    fork_all(bench, "every:3", models=["ann", "ben"], repeats=2)
    assert forked(bench).drift.empty
