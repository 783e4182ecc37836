"""Interventions on interventions: what one of them made can be gone back to, replayed and changed again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from run.workbench import Workbench, new_bench

from harness.cli.main import main
from harness.intervene.makers import written_by_others
from harness.intervene.moments import answered_calls
from harness.intervene.origin import open_origin
from harness.intervene.replaying import replay_all
from harness.record import Results
from harness.spec.resolved import LoadedModel

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


def test_a_fork_of_a_fork_knows_who_wrote_what_is_behind_it(bench: Workbench) -> None:
    """Of a trial that the double went on with, the first reply is the clerk's and the second its own."""
    bench.run()
    harness("fork", "bench", "--states", "every:2", "--models", "double")
    with open_origin(bench.results / "bench-fork") as origin:
        clerk, double = origin.model("clerk"), origin.model("double")
        row = next(row for row in origin.rows if origin.lineage[row.cell].prefix == "clerk")
        _, document = origin.recorded(row.trial)
        first, second = (event for _, event in answered_calls(document)[:2])
        assert (first.replayed, second.replayed, row.model) == (True, False, "double")

        def others(at: int, model: LoadedModel) -> int:
            known = written_by_others(origin, row, document, at, model)
            return 0 if known is None else len(known.written)

        assert [others(at, double) for at in (0, 1, 2)] == [0, 1, 1]
        assert [others(at, clerk) for at in (0, 1, 2)] == [0, 0, 1]


def test_what_stood_behind_two_forks_ago_is_told_by_its_receipt(bench: Workbench) -> None:
    """The clerk begins, one who talks goes on, and goes on once more: the lineage then names only the last."""
    bench.run()
    harness("fork", "bench", "--states", "every:2", "--models", "firm", "-n", "1")
    harness("fork", "bench-fork", "--states", "every:1", "--models", "firm", "-n", "1", "--name", "again")
    with open_origin(bench.results / "again") as origin:
        firm = origin.model("firm")
        row = next(row for row in origin.rows if origin.lineage[row.cell].at == 2)
        _, document = origin.recorded(row.trial)
        calls = [event for _, event in answered_calls(document)]
        makers = [str((event.receipt or {})["model"]).rsplit("/", 1)[-1] for event in calls]
        assert makers[:2] == ["clerk.yaml", "firm.yaml"]
        known = written_by_others(origin, row, document, len(calls), firm)
        assert known is not None and {one.maker.rsplit("/", 1)[-1] for one in known.written} == {"clerk.yaml"}


def test_one_name_for_two_models_is_refused(bench: Workbench) -> None:
    talks = {"kind": "sweep", "name": "talks", "scenarios": ["parley"], "scaffolds": ["turns"],
             "models": ["yielding"], "tasks": ["gift"], "limits": {"turns": 8}}  # fmt: skip
    (bench.folder / "talks.yaml").write_text(yaml.safe_dump(talks))
    bench.write("others.yaml", {"kind": "models", "models": {
        "yielding": {"model": "scripted/firm.yaml"}, "other": {"model": "scripted/firm.yaml"}}})  # fmt: skip
    harness("run", "talks.yaml")
    asked = ("fork", "talks", "--states", "every:1", "--models-file", "others.yaml", "-n", "1", "--models")
    refused = bench.harness(*asked, "yielding", "--role", "buyer")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "model 'yielding' would be two models in talks-fork: the one that trials of talks were" in refused.stderr
    assert not (bench.results / "talks-fork").exists()
    harness(*asked, "other", "--role", "buyer")
    calls = Results(bench.results / "talks-fork").calls
    played = {role: {Path(name).name for name in of["requested"]} for role, of in calls.groupby("role")}
    assert played == {"buyer": {"firm.yaml"}, "seller": {"yielding.yaml"}}
