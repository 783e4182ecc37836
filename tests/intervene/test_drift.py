"""What is sabotaged between a trial and its replay is found where it was done, and nothing else is blamed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from typing import Any

import pytest
from intervene.fickle import LOOK, Ledger, calls

from harness.cli.main import main
from harness.intervene.origin import open_origin
from harness.intervene.replaying import Replayed, replay_all
from harness.record import Drift

SEATS = {"ann": {"brief": "A."}, "ben": {"brief": "B."}}


def replayed(ledger: Ledger, to: int | None = None) -> Replayed:
    """The one trial of the bench."""
    with open_origin(ledger.bench.results / "bench") as origin:
        (found,) = asyncio.run(replay_all(origin, origin.attempted, to=to))
    return found


def told(drifts: Any) -> list[tuple[str, int, str]]:
    return [(drift.what, drift.step, drift.node) for drift in drifts]


def versions(drift: Drift) -> tuple[str | None, str | None]:
    return drift.recorded, drift.replayed


def test_nothing_drifts_where_nothing_was_changed(ledger: Ledger) -> None:
    ledger.recorded()
    found = replayed(ledger)
    assert (found.drift, found.error, found.not_compared, found.calls, found.of) == ([], None, None, 5, 5)


def test_another_answer(ledger: Ledger) -> None:
    """It is in every request after it, and none of them is blamed."""
    ledger.recorded()
    ledger.mood(answers={"2": "something else"})
    found = replayed(ledger)
    assert told(found.drift) == [("observation", 4, "act")]
    assert versions(found.drift[0]) == ("one", "something else")
    assert found.drift[0].role == "agent"
    assert not found.same


def test_another_answer_past_the_part_that_is_replayed_is_not_come_to(ledger: Ledger) -> None:
    ledger.recorded()
    ledger.mood(answers={"2": "something else"})
    assert [replayed(ledger, to=to).drift != [] for to in (0, 1, 2, 4)] == [False, False, True, True]


def test_a_tool_that_says_no(ledger: Ledger) -> None:
    ledger.recorded()
    ledger.mood(answers={"4": "no"}, error=True)
    found = replayed(ledger)
    assert told(found.drift) == [("observation", 8, "act")]
    assert versions(found.drift[0]) == ("one\ntwo", "error: no")


def test_a_tool_that_fails(ledger: Ledger) -> None:
    ledger.recorded()
    ledger.mood(fault=3)
    found = replayed(ledger)
    first, *after = found.drift
    assert (first.what, first.step, first.node) == ("path", 6, "act")
    assert first.replayed == "the trial ended: tool note: the ledger burns"
    assert {drift.what for drift in after} == {"end"}


def test_a_world_that_does_not_open(ledger: Ledger) -> None:
    ledger.recorded()
    ledger.mood(opening=True)
    found = replayed(ledger)
    assert (found.drift, found.same) == ([], False)
    assert found.error == "the environment: could not be opened: EnvironmentFault: shut"


def test_other_news(ledger: Ledger) -> None:
    world = {"kind": "intervene.fickle:Fickle", "folder": str(ledger.bench.folder), "turns": True, "most": 3}
    ledger.bench.change("stock.yaml", environment=world, roles=SEATS)
    ledger.bench.change("sweep.yaml", scaffolds=["turns"])
    ledger.scripts(ann=[{"call": {"tool": "note", "arguments": {"text": "{{ role }} {{ visit }}"}}}])
    ledger.recorded()
    assert replayed(ledger).drift == []
    ledger.mood(news={"2": "somebody was here"})
    found = replayed(ledger)
    assert told(found.drift) == [("observation", 4, "hear")]
    assert versions(found.drift[0]) == ('{"text": "ann 1"}', '{"text": "somebody was here"}')
    _, results = ledger.fork(ledger.bench.rows()[0], 2)
    (again,) = results.store.rows()
    record = results.store.record(again.trial)
    assert told(record.drift) == [("observation", 4, "hear")]
    assert [event.step for event in record.document.events if event.type == "node" and event.detail.get("drift")] == [4]
    shown = ledger.bench.harness("show", again.trial).stdout
    assert "drift" in shown.split("somebody was here", 2)[-2]
    headings = [line for line in shown.splitlines() if line.startswith("[")]
    assert [line.endswith("after drift") for line in headings] == [int(line[1]) > 4 for line in headings]
    assert any(line.endswith("after drift") for line in headings)


def test_a_world_left_otherwise(ledger: Ledger) -> None:
    """No step drifts; the end does, and with it the score."""
    ledger.recorded()
    ledger.mood(last="three")
    found = replayed(ledger)
    assert {drift.what for drift in found.drift} == {"end"}
    state, score = found.drift
    assert (state.recorded or "").startswith("final state: ")
    assert state.replayed == """final state: notes has '"three"', which should not be there"""
    assert versions(score) == ("score: 1.0", "score: 0.0")


def test_the_time_of_day_in_the_files_of_a_world_is_no_drift(ledger: Ledger) -> None:
    ledger.mood(clock=True)
    ledger.recorded()
    assert replayed(ledger).drift == []


def test_a_scaffold_left_to_chance(ledger: Ledger) -> None:
    """What it drew, and where it went; the observations that follow from it are not the world's."""
    bench = ledger.bench
    bench.write("chance.py", f"""
        import pathlib
        def turn(state):
            count = pathlib.Path({str(bench.folder / "count")!r})
            seen = int(count.read_text()) if count.exists() else 0
            count.write_text(str(seen + 1))
            return {{"drawn": seen}}
        """)  # fmt: skip
    bench.write("loop.yaml", {
        "kind": "scaffold", "name": "loop", "summary": "Left to chance.", "protocol": {"kind": "native"},
        "start": "think", "variables": {"drawn": 0},
        "nodes": {
            "think": {"kind": "generate", "next": "flip"},
            "flip": {"kind": "python", "function": "chance.py:turn", "next": "tell"},
            "tell": {"kind": "say", "text": "{{ drawn }} was drawn.", "role": "critic", "next": "act"},
            "act": {"kind": "act", "next": "think"},
        },
        "roles": {"agent": {}, "critic": {"seat": False, "model_of": "agent", "brief": "Listen."}},
    })  # fmt: skip
    ledger.recorded()
    found = replayed(ledger)
    assert told(found.drift) == [("path", 2, "flip")]
    assert versions(found.drift[0]) == ('{"changed": {"drawn": 0}}', '{"changed": {"drawn": 5}}')


def test_of_two_calls_in_one_step_the_one_that_drifted_is_marked(ledger: Ledger) -> None:
    both = {"calls": [{"tool": "note", "arguments": {"text": "one"}}, LOOK]}
    ledger.scripts(ann=[{"when": "visit == 1", **both}, *calls()[-1:]])
    row = ledger.recorded()
    ledger.mood(answers={"2": "something else"})
    _, results = ledger.fork(row, 1)
    (again,) = results.store.rows()
    record = results.store.record(again.trial)
    assert told(record.drift) == [("observation", 2, "act")]
    marks = [(e.action.name, e.data.get("drift")) for e in record.document.events if e.type == "tool"]
    assert marks[:2] == [("note", None), ("look", True)]
    shown = ledger.bench.harness("show", again.trial).stdout
    assert shown.count("DRIFT: not what was recorded") == 1
    assert "1 thing came out different; first the observation of step 2 (act): one / something else" in shown


def test_the_command_tells_of_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def harness(*arguments: str) -> tuple[object, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*arguments])
        return ended.value.code, capsys.readouterr().out

    monkeypatch.chdir(ledger.bench.folder)
    ledger.bench.change("sweep.yaml", repeats=2)
    row = ledger.recorded()
    code, out = harness("replay", "bench")
    assert (code, out) == (0, "replayed 2 trials, 10 calls: none drifted\n")
    ledger.mood(answers={"2": "something\nelse \x1b[31m"})
    code, out = harness("replay", row.trial)
    assert code == 1
    assert out.splitlines()[1:6] == [
        "  first: what was observed at step 4, node act, role agent",
        "    recorded:", "      one", "    now:", "      something",
    ]  # fmt: skip
    assert "\x1b" not in out
    code, out = harness("replay", "bench")
    assert (code, out.splitlines()[-1]) == (1, "replayed 2 trials, 10 calls: 2 drifted")
    code, out = harness("replay", "bench", "--json")
    found = [(one["same"], [drift["what"] for drift in one["drift"]]) for one in json.loads(out)]
    assert (code, found) == (1, [(False, ["observation"])] * 2)


def test_failures_of_a_provider_are_no_drift(ledger: Ledger) -> None:
    rules = calls("one", LOOK)
    rules[1:1] = [{"when": "visit == 2", "fail": "server", "times": 1}]
    ledger.scripts(ann=rules)
    ledger.bench.change("sweep.yaml", attempts=1)
    ledger.bench.run()
    (row,) = ledger.bench.rows()
    assert row.fault == "provider"
    found = replayed(ledger)
    assert (found.drift, found.error, found.calls) == ([], None, 1)
    assert found.not_compared == "it ended by a failure of the provider"
    ledger.bench.change("sweep.yaml", attempts=2)
    assert ledger.bench.run().results == 1  # the second attempt of another run; the failed ones stay in the record
    assert replayed(ledger).drift == []
    assert replayed(ledger).not_compared is None


def test_a_failure_of_the_world_is_not_brought_about_again(ledger: Ledger) -> None:
    ledger.mood(fault=2)
    ledger.bench.run()
    assert ledger.bench.rows()[0].fault == "environment"
    ledger.mood()
    ledger.log()
    found = replayed(ledger)
    assert (found.drift, found.not_compared) == ([], "it ended by a failure of the environment")
    assert ledger.log() == ["note"]


def test_a_tool_that_the_clock_cut_off_is_not_called_again(ledger: Ledger) -> None:
    ledger.mood(seconds=0.4)
    ledger.bench.change("sweep.yaml", limits={"seconds": 0.6})
    ledger.bench.run()
    (row,) = ledger.bench.rows()
    assert row.limit == "seconds"
    ledger.mood()
    ledger.log()
    found = replayed(ledger)
    assert (found.drift, found.error, found.not_compared) == ([], None, "it ended by its clock")
    assert ledger.log() == ["note"]


@pytest.mark.parametrize(
    ("limits", "rules", "ended"),
    [
        ({"turns": 3}, calls("one", LOOK, "two", LOOK), "turns"),
        ({"tokens": 100}, calls("one", LOOK, "two", LOOK), "tokens"),
        ({}, [*calls("one")[:1], {"malformed": "{"}], "model"),
        ({}, [*calls("one")[:1], {"fail": "context"}], "context"),
    ],
)
def test_other_ends_come_about_again(
    ledger: Ledger, limits: dict[str, Any], rules: list[dict[str, Any]], ended: str
) -> None:
    ledger.scripts(ann=rules)
    ledger.bench.change("sweep.yaml", limits=limits)
    row = ledger.recorded()
    assert ended in (row.limit, row.fault)
    found = replayed(ledger)
    assert (found.drift, found.error) == ([], None)
    assert (found.not_compared is None) == (ended != "context")


def test_what_was_cancelled_is_replayed_as_far_as_it_came(ledger: Ledger) -> None:
    """Three lanes, one of which waits for its reply when the sweep is interrupted, and replayed twice over."""
    bench = ledger.bench
    answer = {"call": LOOK}
    ledger.scripts(ann=[{"when": "visit == 2 and lane[-1] == '2'", "delay": 30, **answer}, answer])
    bench.change("sweep.yaml", scaffolds=["vote"])
    process = bench.start("run", "sweep.yaml", "--plain")
    log, deadline = bench.folder / "log", time.monotonic() + 30
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert bench.rows()[0].state == "cancelled"
    began = time.monotonic()
    found = replayed(ledger)
    assert (found.drift, found.error, found.not_compared) == ([], None, "it was cancelled")
    assert found.calls == found.of == 5
    assert time.monotonic() - began < 4
    done = bench.harness("replay", "bench")
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 of 5 calls, nothing drifts; how it ended was not compared: it was cancelled" in done.stdout


def test_a_replay_can_be_interrupted(ledger: Ledger) -> None:
    ledger.recorded()
    ledger.mood(seconds=5)
    process = ledger.bench.start("replay", "bench")
    log, deadline = ledger.bench.folder / "log", time.monotonic() + 30
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.split()) == (130, "", ["interrupted"])


def test_a_fork_that_was_cut_off_on_its_way_did_not_drift(ledger: Ledger) -> None:
    row = ledger.recorded()
    ledger.mood(fault=2)
    outcome, results = ledger.fork(row, 4)
    assert outcome.results == 0
    assert {row.fault for row in results.store.rows(current=False)} == {"environment"}
    assert results.drift.empty
    ledger.mood(fault=2, answers={"1": "otherwise"})
    _, results = ledger.fork(row, 4, name="other")
    assert [found.step for _, found in results.store.drift()] == [2, 2]
