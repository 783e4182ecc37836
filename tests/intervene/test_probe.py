"""Asking again at recorded moments: exactly what was asked then, nothing executed, every protocol, lanes, resumed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from intervene.probes import STAGES, probe, probed, selected, stages, stages_bench
from run.workbench import SCAFFOLD, Workbench, new_bench

from harness.errors import UserError
from harness.record import CallEvent, Results, TrialRecord, message_hash, requested_messages

VOTE: dict[str, Any] = {
    "kind": "scaffold",
    "name": "loop",
    "summary": "Three drafts, one vote.",
    "protocol": {"kind": "native"},
    "start": "sample",
    "nodes": {
        "sample": {"kind": "branch", "to": "draft", "copies": 3, "join": "vote"},
        "draft": {"kind": "generate", "next": "vote"},
        "vote": {"kind": "join", "pick": "vote", "next": "act"},
        "act": {"kind": "act", "next": "sample"},
    },
}

COUNTS: dict[str, Any] = {
    "kind": "script",
    "rules": [
        {"visit": 1, "choose": [{"call": {"tool": "query", "arguments": {"sql": f"select {n}"}}} for n in range(4)]},
        {"visit": 2, "choose": [{"malformed": '{"sql": '}, {"refuse": "No."}, {"cut_off": "Well, "}]},
        {"call": {"tool": "submit", "arguments": {"answer": "500"}}},
    ],
}


def drawing(folder: Path, scaffold: dict[str, Any], script: dict[str, Any] = COUNTS, **more: Any) -> Workbench:
    """Two models with one script and a chance of their own."""
    bench = new_bench(folder)
    bench.write("loop.yaml", scaffold)
    bench.write("counts.yaml", script)
    entry = {"model": "scripted/counts.yaml"}
    bench.write("models.yaml", {"kind": "models", "models": {"ann": entry, "ben": {**entry, "variant": "b"}}})
    bench.change("sweep.yaml", models=["ann", "ben"], **more)
    bench.run()
    return bench


def one_call(record: TrialRecord) -> CallEvent:
    (event,) = record.document.events
    assert isinstance(event, CallEvent)
    return event


def assert_asked_as_recorded(bench: Workbench, results: Results) -> int:
    """Every call of a probe holds to the byte what the recorded call at its moment held."""
    origin, calls = Results(bench.results / "bench"), 0
    for line in results.lineage.itertuples():
        recorded = origin.store.record(line.origin).document
        before = sorted(
            (event.step, index)
            for index, event in enumerate(recorded.events)
            if isinstance(event, CallEvent) and event.reply is not None
        )
        index = before[line.at][1]
        then, now = recorded.events[index], one_call(results.store.record(line.trial))
        assert isinstance(then, CallEvent)
        messages = requested_messages(results.store.record(line.trial).document, 0)
        assert json.dumps(messages) == json.dumps(requested_messages(recorded, index))
        assert [message_hash(message) for message in messages] == now.add
        assert (now.tools, now.response_format) == (then.tools, then.response_format)
        assert (now.node, now.role, now.lane, now.visit) == (then.node, then.role, then.lane, then.visit)
        if now.receipt is not None and then.receipt is not None and not now.receipt["translated"]:
            assert {**now.receipt, "sent": {}, "resolved": None} == {**then.receipt, "sent": {}, "resolved": None}
        calls += 1
    return calls


@pytest.mark.parametrize(
    "protocol",
    [{"kind": "native"}, {"kind": "json", "thought": True}, {"kind": "json", "reply": True}, {"kind": "text"}],
    ids=lambda protocol: "-".join(protocol),
)
def test_what_is_asked_is_what_was_asked_in_every_protocol(tmp_path: Path, protocol: dict[str, Any]) -> None:
    bench = drawing(tmp_path, {**SCAFFOLD, "protocol": protocol})
    outcome = probe(bench, repeats=3)
    results = probed(bench)
    states = len(selected(bench, "every:1").moments)
    assert outcome.results == outcome.asked == states * 2 * 3
    assert assert_asked_as_recorded(bench, results) == states * 2 * 3
    assert set(results.trials["state"]) == {"completed"}
    assert results.trials["score"].isna().all()
    assert (results.trials["steps"] == 1).all()
    kinds = set(results.actions()["kind"])
    assert kinds >= {"tool", "submit", "malformed" if protocol["kind"] == "native" else "cut_off"}


def test_moments_in_lanes_are_asked_at_and_their_actions_are_told(tmp_path: Path) -> None:
    script = {"kind": "script", "rules": [COUNTS["rules"][0], COUNTS["rules"][2]]}
    bench = drawing(tmp_path, VOTE, script)
    probe(bench, repeats=2)
    results = probed(bench)
    assert assert_asked_as_recorded(bench, results) == len(results.trials)
    lanes = {one_call(results.store.record(trial)).lane for trial in results.trials["trial"]}
    assert lanes == {"sample.1", "sample.2", "sample.3"}
    assert set(results.actions()["trial"].astype(str)) == set(results.trials["trial"])


def test_no_environment_is_opened_and_nothing_is_executed(tmp_path: Path) -> None:
    bench = drawing(tmp_path, SCAFFOLD)
    (bench.folder / "shop.sql").write_text("this is no SQL;")  # would not open; and the record has its own copy
    outcome = probe(bench, "first-divergence", repeats=1)
    assert outcome.results == outcome.asked
    results = probed(bench)
    assert all(results.store.record(trial).final_state is None for trial in results.trials["trial"])
    assert len(results.steps) == len(results.trials)


def test_what_models_draw_differs_between_repeats_models_and_states(tmp_path: Path) -> None:
    bench = drawing(tmp_path, SCAFFOLD)
    probe(bench, repeats=4)
    results = probed(bench)
    sent = [json.loads(text)["seed"] for text in results.calls["sent"]]
    assert len(set(sent)) == len(results.trials)
    shared = results.trials.groupby("task")["seed"].nunique()
    assert (shared == 1).all()  # of the world


SIGNED = {
    "kind": "script",
    "rules": [
        {
            "visit": 1,
            "raw": {
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "query", "arguments": '{"sql": "select 1"}'}}
                ],
                "thinking_blocks": [{"type": "thinking", "thinking": "Let me look.", "signature": "of its maker"}],
            },
        },
        {"call": {"tool": "submit", "arguments": {"answer": "1"}}},
    ],
}


def test_replies_of_another_model_are_translated_and_the_receipt_says_so(tmp_path: Path) -> None:
    bench = drawing(tmp_path, SCAFFOLD, SIGNED)
    bench.write("other.yaml", SIGNED)
    models = {"ann": {"model": "scripted/counts.yaml"}, "ben": {"model": "scripted/other.yaml", "variant": "b"}}
    bench.write("models.yaml", {"kind": "models", "models": models})
    bench.run()
    probe(bench, repeats=1)
    results = probed(bench)
    seen = set()
    for line in results.lineage.itertuples():
        receipt = one_call(results.store.record(line.trial)).receipt
        assert receipt is not None
        foreign = line.prefix != line.suffix and "," not in str(line.prefix)
        changed = any("thinking_blocks" in str(text) for text in receipt["translated"] or [])
        seen.add((foreign, int(line.at), changed))
    assert seen <= {(False, 0, False), (True, 0, False), (False, 1, False), (True, 1, True)}
    assert (True, 1, True) in seen


def test_factors_name_the_moment_and_detail_says_who_made_it(tmp_path: Path) -> None:
    bench = stages_bench(tmp_path, tasks=2, ann=stages(), ben=stages())
    bench.run()
    probe(bench, repeats=1)
    results = probed(bench)
    lineage = results.lineage
    assert list(results.trials["moment"]) == [f"{line.origin}@{line.at}" for line in lineage.itertuples()]
    for line in lineage.itertuples():
        detail = json.loads(line.detail)
        assert detail["own"] == (line.suffix in detail["made_by"])
    first = lineage[lineage["at"] == 0]
    assert all(
        json.loads(text)["made_by"] == ["ann", "ben"] or len(json.loads(text)["made_by"]) == 2
        for text in first["detail"]
    )
    assert set(lineage["node"]) == {"plan", "look", "check"}


def test_failures_of_a_provider_and_too_long_threads_are_recorded_as_in_any_trial(tmp_path: Path) -> None:
    bench = drawing(tmp_path, SCAFFOLD)
    bench.write("down.yaml", {"kind": "script", "rules": [{"visit": 1, "fail": "auth"}, {"fail": "context"}]})
    entries = {**bench.written["models.yaml"]["models"], "down": {"model": "scripted/down.yaml"}}
    bench.write("more.yaml", {"kind": "models", "models": entries})
    outcome = probe(bench, repeats=1, models=["ann", "down"], models_file=bench.folder / "more.yaml")
    trials = probed(bench).trials
    down = trials[trials["model"] == "down"]
    assert set(zip(down["state"], down["fault"].fillna(""), down["limit"].fillna(""), strict=True)) == {
        ("fault", "provider", ""), ("limit", "", "context"),
    }  # fmt: skip
    assert outcome.missing["provider"] == (down["fault"] == "provider").sum() > 0
    assert set(trials[trials["model"] == "ann"]["state"]) == {"completed"}


def test_a_moment_whose_call_is_not_the_recorded_one_is_left_out_and_said(tmp_path: Path) -> None:
    from harness.intervene.origin import open_origin
    from harness.intervene.probing import Wishes, probe_states
    from harness.intervene.states import select_states
    from harness.record import Store

    bench = drawing(tmp_path, SCAFFOLD)
    rows = Results(bench.results / "bench").store.rows()
    with open_origin(bench.results / "bench") as origin:
        chosen = select_states(origin, "every:1", bench.results)
        document = origin.record(rows[0].trial).document
        changed = [
            event.model_copy(update={"tools": "0" * 32}) if isinstance(event, CallEvent) else event
            for event in document.events
        ]
        other = document.model_copy(update={"events": changed})
        original = Store.documents

        def documents(store: Store, trials: Any) -> Any:
            for name, found in original(store, trials):
                yield name, other if name == rows[0].trial else found

        origin.store.documents = documents.__get__(origin.store)  # type: ignore[method-assign]
        asked = probe_states(origin, chosen, Wishes((), 1, 1.0), {})
    left = [note for note in asked.notes if "left out" in note]
    assert len(left) == 1
    assert "the tools offered are no longer those of the record" in left[0]
    assert rows[0].trial in left[0]


def test_one_model_under_two_names_needs_a_variant(tmp_path: Path) -> None:
    bench = drawing(tmp_path, SCAFFOLD)
    entry = bench.written["models.yaml"]["models"]["ann"]
    bench.write("twice.yaml", {"kind": "models", "models": {"one": entry, "two": entry}})
    with pytest.raises(UserError, match=r"one and the same.*variant"):
        probe(bench, models=["one", "two"], models_file=bench.folder / "twice.yaml")


def test_the_command_estimates_first_and_refuses_what_is_beyond_the_budget(tmp_path: Path) -> None:
    bench = drawing(tmp_path, SCAFFOLD)
    price = {"price": {"prompt": 1000.0, "completion": 1000.0}}
    entries = {name: {**entry, **price} for name, entry in bench.written["models.yaml"]["models"].items()}
    bench.write("models.yaml", {"kind": "models", "models": entries})
    planned = bench.harness("probe", "bench", "--plan", "--json", "--states", "every:1")
    told = json.loads(planned.stdout)
    states = len(selected(bench, "every:1").moments)
    assert (told["asked"], told["recorded"]) == (states * 2 * 5, 0)
    calls = Results(bench.results / "bench").calls
    assert told["cost"] > 1.0
    assert 0 < told["models"][0]["prompt_tokens"] <= 5 * calls["prompt_tokens"].sum()
    refused = bench.harness("probe", "bench", "--states", "every:1")
    assert refused.returncode == 2
    assert "more than the budget of $1.00" in refused.stderr.splitlines()[-1]
    assert not (bench.results / "bench-probe").exists()


def test_a_killed_probe_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    slow = {"kind": "script", "rules": [{**rule, "delay": 0.05} for rule in COUNTS["rules"]]}
    bench = drawing(tmp_path, SCAFFOLD, slow)
    process = bench.start("probe", "bench", "--states", "every:1", "--concurrency", "2", "--plain")
    folder = bench.results / "bench-probe"
    bench.wait_for_rows(process, 8, "bench-probe")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = {row.trial: row.started for row in Results(folder).store.rows() if row.is_result}
    assert kept
    again = bench.harness("probe", "bench", "--states", "every:1", "--concurrency", "16")
    assert again.returncode == 0, again.stderr
    rows = {row.trial: row for row in Results(folder).store.rows()}
    assert len(rows) == len(selected(bench, "every:1").moments) * 2 * 5 > len(kept)
    assert {trial: rows[trial].started for trial in kept} == kept
    assert "act" in again.stdout or "apart" in again.stdout
    for command in (("results",), ("compare",), ("show", next(iter(rows)))):
        told = bench.harness(*command, *(() if command[0] == "show" else ("bench-probe",)))
        assert told.returncode == 0, told.stderr


def test_stages_ask_at_three_nodes(tmp_path: Path) -> None:
    bench = stages_bench(tmp_path, tasks=1, ann=stages(), ben=stages())
    bench.run()
    assert [e.node for e in Results(bench.results / "bench").store.record(bench.rows()[0].trial).document.events
            if isinstance(e, CallEvent)] == [n for n in STAGES["nodes"] if n in ("plan", "look", "check")]  # fmt: skip
