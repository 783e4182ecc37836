"""Interventions on interventions: what one of them made can be gone back to, replayed and changed again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from run.workbench import Workbench, new_bench

from harness.cli.main import main
from harness.intervene.origin import open_origin
from harness.intervene.replaying import replay_all
from harness.record import Results

LOOK = {"tool": "query", "arguments": {"sql": "select stock from goods where name = '{{ first.split()[3] }}'"}}
GUESS = {"tool": "query", "arguments": {"sql": "select 5"}}
TALK: dict[str, Any] = {
    "firm": {"kind": "script", "rules": [{"when": "turn <= 2", "say": "I say 60 crowns."}, {"say": "NO DEAL"}]},
    "yielding": {"kind": "script", "rules": [
        {"role": "buyer", "when": "turn == 1", "say": "I offer 50 crowns."}, {"say": "AGREED 50"}]},
}  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A clerk that looks or guesses, and two who talk."""
    made = new_bench(tmp_path)
    answer = {"tool": "submit", "arguments": {"answer": "{{ last.split()[-1] }}"}}
    made.write("clerk.yaml", {"kind": "script", "rules": [
        {"visit": [1, 2], "choose": [{"call": LOOK}, {"call": GUESS}]}, {"call": answer}]})  # fmt: skip
    for name, script in TALK.items():
        made.write(f"{name}.yaml", script)
    entries = {name: {"model": f"scripted/{name}.yaml"} for name in ("clerk", *TALK)}
    entries["double"] = {"model": "scripted/clerk.yaml", "variant": "double"}
    made.write("models.yaml", {"kind": "models", "models": entries})
    made.change("sweep.yaml", models=["clerk", "double"], tasks=["nail", "anvil"])
    monkeypatch.chdir(tmp_path)
    return made


def harness(*arguments: str) -> None:
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--plain"])
    assert left.value.code == 0, arguments


def drifted(folder: Path) -> list[tuple[str, list[Any], str | None]]:
    """Every trial of the record that does not come out again as recorded."""
    with open_origin(folder) as origin:
        assert origin.rows
        found = asyncio.run(replay_all(origin, origin.rows))
    return [(one.trial, one.drift, one.error) for one in found if one.drift or one.error]


@pytest.mark.parametrize(
    "chain",
    [
        [
            "perturb bench --surfaces tools-renamed,distractor,history:numbered -n 1",
            "fork bench-perturb --states every:1",
        ],
        ["relay bench --at 0,.5,1", "fork bench-relay --states every:2"],
        ["fork bench --states every:2", "relay bench-fork --at 0,.5,1"],
        ["perturb bench --surfaces tools-renamed -n 1", "relay bench-perturb --at .5,1"],
    ],
    ids=["a surface forked", "a relay forked", "forks relayed", "a surface relayed"],
)
def test_what_an_intervention_made_is_replayed_and_gone_on_with(bench: Workbench, chain: list[str]) -> None:
    bench.run()
    names = ["bench"]
    for command in chain:
        harness(*command.split())
        names.append(f"{names[-1]}-{command.split()[0]}")
        made = Results(bench.results / names[-1])
        assert made.drift.empty and set(made.trials["state"]) == {"completed"}
        assert drifted(bench.results / names[-1]) == []
    harness("fork", names[-1], "--states", "every:1", "--same-chance", "--most", "6")
    last, before = Results(bench.results / f"{names[-1]}-fork"), Results(bench.results / names[-1])
    assert last.drift.empty
    own = last.lineage.query("prefix == suffix")
    assert len(own)
    for line in own.itertuples():
        was, now = before.store.record(line.origin), last.store.record(line.trial)
        assert (now.document.messages, now.final_state, now.row.answer) == (
            was.document.messages, was.final_state, was.row.answer
        )  # fmt: skip


def test_seats_that_were_traded_are_forked_and_replayed(bench: Workbench) -> None:
    talks = {"kind": "sweep", "name": "talks", "scenarios": ["parley"], "scaffolds": ["turns"],
             "models": ["firm", "yielding"], "tasks": ["gift"], "limits": {"turns": 8}}  # fmt: skip
    (bench.folder / "talks.yaml").write_text(yaml.safe_dump(talks))
    harness("seats", "talks.yaml", "-n", "1")
    assert drifted(bench.results / "talks-seats") == []
    harness("fork", "talks-seats", "--states", "every:2", "--role", "buyer")
    assert Results(bench.results / "talks-seats-fork").drift.empty
    assert drifted(bench.results / "talks-seats-fork") == []
