"""Every promise is caught being broken, and only that one: a check that cannot fail says nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest
from till_world import Till

from harness.cli.main import main
from harness.conformance import PROMISES, Case, Deed, look
from harness.conformance.leftovers import _descendants

DEEDS = [
    Deed("ada", "look"), Deed("ada", "pay"), Deed("ben", "look"), Deed("ben", "pay"), Deed("ada", "look"),
    Deed("ada", "pay"), Deed("ben", "look"),
]  # fmt: skip


def findings(wrong: str = "") -> dict[str, tuple[str, str]]:
    case = Case("till/one", "till_world:Till", Till.Options(wrong=wrong), Till.Setup(), ("ada", "ben"), DEEDS)

    async def all_of_them() -> dict[str, tuple[str, str]]:
        found = [await look(case, promise, many=3) for promise in PROMISES]
        return {finding.promise: (finding.outcome, finding.detail) for finding in found}

    return asyncio.run(all_of_them())


def test_a_sound_world_keeps_them_all() -> None:
    assert {promise: outcome for promise, (outcome, _) in findings().items() if outcome != "kept"} == {}


@pytest.fixture
def no_sleepers():
    """Ends what a careless world left running."""
    yield
    for pid, name in _descendants().items():
        if name == "sleep":
            os.kill(pid, signal.SIGKILL)


@pytest.mark.usefixtures("no_sleepers")
@pytest.mark.parametrize(
    ("wrong", "promise", "seen"),
    [
        ("open schema", "tools are closed", "look: its schema is no object"),
        ("clock", "same seed, same observations", "observation of ada's look differs"),
        ("news", "same seed, same observations", "news of ada's look differs"),
        ("shared", "trials stand apart", "state.all is"),
        ("gossip", "trials stand apart", "observation of ada's look differs"),
        ("kept", "nothing is left behind", "left behind until the run ends: open socket:"),
        ("process", "nothing is left behind", "process sleep"),
        ("thread", "nothing is left behind", "thread forgotten"),
        ("socket", "nothing is left behind", "open socket:"),
        ("temporary", "nothing is left behind", "temporary file tmp"),
        ("scratch", "nothing is left behind", "left in its folder: world-1/crumbs"),
        ("works on", "closes unused", "look still works after closing"),
        ("clock", "many at once", "observation of ada's look differs"),
        ("half a snapshot", "a snapshot is the world", "differs"),
        ("forgets", "a snapshot is the world", "news of "),
        ("snapshot without looks", "a snapshot is the world", "state.looks is"),
        ("kind", "the end can be read again", "of kind till"),
        ("unsteady reading", "the end can be read again", "read twice, it differs: state.read is"),
        ("reading counts", "reading changes nothing", "state.looks is"),
        ("reading counts out of sight", "reading changes nothing", "state.far down is"),
        ("any tool", "an unknown tool is refused", "no_such_tool was taken"),
        ("out of turn", "turns are kept", "ben used pay in ada's turn"),
        ("facts", "facts are plain", "not the same as JSON"),
    ],
)
def test_a_broken_promise_is_seen(wrong: str, promise: str, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.conformance.leftovers.SECONDS", 0.5)
    outcome, detail = findings(wrong)[promise]
    assert outcome == "broken"
    assert seen in detail


def test_what_is_not_offered_is_not_called_kept() -> None:
    outcome, detail = findings("no snapshot")["a snapshot is the world"]
    assert (outcome, detail) == ("not offered", "this kind takes no snapshots")


SCENARIO = """\
kind: scenario
name: till
summary: A till.
environment: {kind: "till_world:Till", wrong: "WRONG"}
roles: {ada: {brief: Pay.}, ben: {brief: Pay.}}
tasks:
  - id: one
    brief: Pay.
    solution:
      - {tool: look, role: ada}
      - {tool: pay, role: ada}
      - {tool: pay, role: ben}
    checks: [{kind: state, expression: "state.coins | length == 2"}]
  - {id: two, brief: Nothing.}
"""


@pytest.fixture
def validate(tmp_path, capsys):
    def run(wrong: str, *more: str) -> tuple[int, str]:
        path = tmp_path / "till.yaml"
        path.write_text(SCENARIO.replace("WRONG", wrong))
        with pytest.raises(SystemExit) as left:
            main(["validate", str(path), "--conformance", "--many", "3", *more])
        return left.value.code, capsys.readouterr().out

    return run


def test_the_command_tells_what_is_kept_and_what_is_broken(validate) -> None:
    code, told = validate("")
    assert code == 0
    assert "12 looks, nothing broken" in told
    code, told = validate("facts")
    assert code == 1
    assert "FAIL till/one: facts are plain" in told
    assert "12 looks, 1 broken" in told


def test_the_command_gives_the_findings_with_each_task_as_json(validate) -> None:
    code, told = validate("facts", "--json")
    one, two = json.loads(told)
    assert code == 1
    assert (len(one["conformance"]), two["conformance"]) == (12, [])
    assert [f["promise"] for f in one["conformance"] if f["outcome"] == "broken"] == ["facts are plain"]
