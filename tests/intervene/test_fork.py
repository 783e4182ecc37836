"""Forks of recorded trials: what comes out to the byte, what survives, what is resumed, and what is refused."""

from __future__ import annotations

import json
import os
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from run.workbench import Workbench, new_bench

from harness.cli.main import main
from harness.intervene.drift import drift_before
from harness.models.local import catalogue, found
from harness.record import Results, TrialDocument, TrialRecord
from harness.run import SweepOutcome
from harness.run.progress import PlainProgress

ABSENT = find_spec("xllamacpp") is None or found(catalogue()["smollm2-135m"]) is None
CLOCKS: dict[str, Any] = {"started": 0, "seconds": 0, "waited": 0, "replayed": False}

COUNTS: dict[str, Any] = {
    "kind": "script",
    "rules": [
        {"visit": 1, "call": {"tool": "query", "arguments": {"sql": "select * from goods"}}},
        {
            "visit": 2,
            "choose": [
                {"call": {"tool": "query", "arguments": {"sql": f"select {n}, name from goods"}}} for n in range(4)
            ],
        },
        {
            "choose": [
                {"call": {"tool": "submit", "arguments": {"answer": "500"}}},
                {"call": {"tool": "submit", "arguments": {"answer": "7"}}},
            ]
        },
    ],
}


def models(**entries: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "models", "models": entries}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """Two scripted models with one script, whose chance is their own, over three tasks."""
    made = new_bench(tmp_path)
    made.write("counts.yaml", COUNTS)
    made.write(
        "models.yaml",
        models(ann={"model": "scripted/counts.yaml"}, ben={"model": "scripted/counts.yaml", "variant": "b"}),
    )
    made.change("sweep.yaml", models=["ann", "ben"], repeats=1)
    return made


def forked(bench: Workbench, name: str = "bench-fork") -> Results:
    return Results(bench.results / name)


def fork(bench: Workbench, trial: str, at: int, *onto: str, sweep: str = "bench", **wishes: Any) -> SweepOutcome:
    """Fork in this process."""
    from harness.intervene.forking import Wishes, fork_at
    from harness.intervene.origin import open_origin
    from harness.intervene.planning import carry_out_asked

    given = {"models": onto, "repeats": 1, "budget": 1.0, **wishes}
    with open_origin(bench.results / sweep) as origin:
        return carry_out_asked(fork_at(origin, trial, at, Wishes(**given)), bench.results, PlainProgress)


def fork_all(bench: Workbench, states: str = "every:1", sweep: str = "bench", **wishes: Any) -> SweepOutcome:
    from harness.intervene.forking import Wishes, fork_from
    from harness.intervene.origin import open_origin
    from harness.intervene.planning import carry_out_asked
    from harness.intervene.states import select_states

    given = {"models": (), "repeats": 1, "budget": 1.0, **wishes}
    with open_origin(bench.results / sweep) as origin:
        chosen = select_states(origin, states, bench.results)
        asked = fork_from(origin, chosen.moments, Wishes(**given), {"states": states}, chosen.notes, chosen.makers)
        return carry_out_asked(asked, bench.results, PlainProgress)


def timeless(document: TrialDocument) -> str:
    """The document as JSON, without clocks and the mark of what was replayed."""
    events = [
        event.model_copy(update={name: value for name, value in CLOCKS.items() if name in type(event).model_fields})
        for event in document.events
    ]
    return document.model_copy(update={"events": events}).model_dump_json()


def assert_same_to_the_byte(first: TrialRecord, second: TrialRecord) -> None:
    assert timeless(first.document) == timeless(second.document)
    assert first.final_state == second.final_state
    assert (first.row.score, first.row.passed, first.row.answer) == (
        second.row.score,
        second.row.passed,
        second.row.answer,
    )
    assert first.checks == second.checks


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


def test_a_killed_fork_goes_on_where_it_stopped(bench: Workbench) -> None:
    slow = {**COUNTS, "rules": [{**rule, **({"delay": 0.05} if "call" in rule else {})} for rule in COUNTS["rules"]]}
    slow["rules"] = [*slow["rules"][:2], {"delay": 0.1, "call": {"tool": "submit", "arguments": {"answer": "500"}}}]
    bench.write("counts.yaml", slow)
    bench.run()
    arguments = ("fork", "bench", "--states", "every:1", "-n", "3", "--plain", "--concurrency")
    process = bench.start(*arguments, "2")
    folder = bench.results / "bench-fork"
    bench.wait_for_rows(process, 5, "bench-fork")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {row.trial for row in Results(folder).store.rows()}
    assert before
    done = bench.harness(*arguments, "16", "--json")
    assert done.returncode == 0, done.stderr
    after = Results(folder)
    assert before < {row.trial for row in after.store.rows()}
    assert len(after.trials) == len(after.asked)
    assert after.trials["state"].eq("completed").all()
    assert after.drift.empty


def test_the_budget_stops_it(bench: Workbench) -> None:
    bench.write(
        "models.yaml",
        models(
            ann={"model": "scripted/counts.yaml"},
            ben={"model": "scripted/counts.yaml", "variant": "b", "price": {"prompt": 1e5, "completion": 1e5}},
        ),
    )
    bench.change("sweep.yaml", models=["ann"])
    bench.run()
    trial = bench.rows()[0].trial
    refused = bench.harness("fork", trial, "--at", "1", "--model", "ben", "--budget", "0.001")
    assert refused.returncode == 2
    assert "more than the budget of $0.00" in refused.stderr
    assert not (bench.results / "bench-fork" / "trials.sqlite").exists()
    fork(bench, trial, 1, "ben", repeats=20, budget=10.0)
    assert 0 < len(forked(bench).trials) < 20
    assert len(forked(bench).asked) == 20


def test_wrong_input_is_answered_in_one_line(
    bench: Workbench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run()
    monkeypatch.chdir(bench.folder)
    trial = bench.rows()[0].trial
    for arguments, said in (
        (["fork", trial, "--at", "3"], "at 3 it was over, so there is nothing to go on with; fork it at 0 to 2"),
        (["fork", trial, "--at", "7"], "its moments are 0 to 3, not 7"),
        (["fork", trial, "--at", "-1"], "its moments are 0 to 3, not -1"),
        (["fork", trial], "--at K for one trial, or --states"),
        (["fork", "ffff", "--at", "1"], "no trial begins with 'ffff'"),
        (["fork", trial, "--at", "1", "--model", "zed"], "zed"),
        (["fork", trial, "--at", "1", "--same-chance", "-n", "2"], "leave -n at 1"),
        (["fork", trial, "--at", "1", "--name", "bench"], "--name cannot be 'bench'"),
        (["fork", "nowhere", "--states", "every:1"], "nowhere"),
        (["fork", "bench", "--states", "every:9"], "every:9"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main(arguments)
        told = capsys.readouterr().err
        assert leaving.value.code == 2, arguments
        assert said in told
        assert len(told.strip().splitlines()) == 1, told


def test_the_command_forks_tells_and_compares(bench: Workbench) -> None:
    bench.run()
    trial = bench.rows()[0].trial
    one = bench.harness("fork", f"bench/{trial}", "--at", "0", "--model", "ben", "--model", "ann", "--plain")
    assert one.returncode == 0, one.stderr
    assert "2 of 2 trials recorded" in one.stdout
    planned = bench.harness("fork", "bench", "--states", "every:2", "--plan", "--json")
    assert json.loads(planned.stdout)["to_run"] == 3 * 2 * 4
    done = bench.harness("fork", "bench", "--states", "every:2", "--most", "3", "-n", "2", "--plain")
    assert done.returncode == 0, done.stderr
    assert "Forks: what recorded states are worth under each model" in done.stdout
    told = json.loads(bench.harness("compare", "bench-fork", "--only", "fork", "--json").stdout)
    assert told["intervention"]["rollouts"] == 2 + 3 * 2 * 2
    assert {row["model"] for row in told["intervention"]["values"]} == {"ann", "ben"}


@pytest.mark.local_model
@pytest.mark.slow
@pytest.mark.skipif(ABSENT, reason="needs the [local] extra and the weights: harness models pull smollm2-135m")
def test_a_local_model_is_forked_without_drift(bench: Workbench) -> None:
    entry = {"model": "local/smollm2-135m", "parameters": {"max_tokens": 60, "temperature": 0.7}}
    bench.write("models.yaml", models(tiny=entry, ann={"model": "scripted/counts.yaml"}))
    bench.change(
        "sweep.yaml", scaffolds=["react"], models=["tiny", "ann"], tasks=["nail"], limits={"turns": 4}, concurrency=2
    )
    bench.run()
    fork_all(bench, "every:2", models=["tiny", "ann"], repeats=2)
    results = forked(bench)
    assert results.drift.empty
    assert len(results.trials) >= 4
    assert not results.trials["fault"].isin(["environment", "provider", "harness"]).any()
    assert set(results.lineage["suffix"]) == {"tiny", "ann"}
