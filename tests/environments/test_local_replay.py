"""What a local model did in a tiny world of every kind is replayed, in three also forked and relayed, without drift."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from environments.worlds import WORLDS, World
from run.workbench import Workbench, new_bench

from harness import open_results
from harness.record import Results, ToolEvent

pytestmark = [pytest.mark.slow, pytest.mark.local_model]

OFFERED: dict[str, dict[str, str]] = {
    "workspace": {"run": "date; cat a.txt"},
    "sql": {"schema": "look at the tables"},
    "office": {"list_mail": "the inbox", "list_files": "look at the files"},
    "conversation": {"say": "Hello."},
    "conversation+sql": {"schema": "look at the tables", "say": "There are three."},
    "bazaar": {"look": "see the market", "rules": "read the rules"},
    "pasture": {"graze": "one animal", "look": "see the grass"},
    "village": {"look": "see the village", "rules": "read the rules", "pass_turn": "do nothing"},
    "mcp": {"read": "read the notes", "add": "two"},
    "browser": {"look": "see the page", "click": 'button "Add"'},
}
"""What the model is offered of a kind, and what it is told to do with it: little, for it is a very small one."""
THREE = ("workspace", "sql", "office")
"""Those that are forked and relayed as well."""


@pytest.fixture(params=[world for world in WORLDS if world.kind in OFFERED], ids=str)
def world(request: pytest.FixtureRequest) -> World:
    for name in request.param.fixture:
        request.getfixturevalue(name)
    return request.param


def told(tools: dict[str, str]) -> str:
    return "Use your tools, one after another. " + " ".join(f"Call {name}: {how}." for name, how in tools.items())


def beside(path: Path, folder: Path) -> str:
    """The name of a file or folder in that of the scenario, which it is copied to unless it is there."""
    if path.is_dir():
        shutil.copytree(path, folder / path.name)
    return path.name


def played(bench: Workbench, world: World) -> Results:
    """A sweep of two temperatures of one model, over one task of the world."""
    roles = (world.role, *world.others)
    voices: dict[str, Any] = {
        role: {"brief": told(OFFERED[world.kind]), "tools": [*OFFERED[world.kind]]} for role in roles
    }
    task = {"id": "one", "family": "all", "brief": told(OFFERED[world.kind]), "setup": world.setup}
    options = world.options(bench.folder)
    for place, name in ((options, "database"), (options, "site"), (options.get("server", {}), "folder")):
        if name in place:
            place[name] = beside(Path(place[name]), bench.folder)
    bench.write("tiny.yaml", {
        "kind": "scenario", "name": "tiny", "summary": "A tiny world.",
        "environment": {"kind": world.kind, **options}, "roles": voices, "tasks": [task],
    })  # fmt: skip
    turn = {"role": "@turn"} if world.others else {}
    nodes: dict[str, Any] = {
        "think": {"kind": "generate", **turn, "next": "act"},
        "act": {"kind": "act", **turn, "next": "hear" if world.others else "think"},
    }
    if world.others:
        nodes["hear"] = {"kind": "hear", **turn, "next": "think"}
    bench.write("short.yaml", {
        "kind": "scaffold", "name": "short", "summary": "Call, act, again.", "protocol": {"kind": "json"},
        "start": "hear" if world.others else "think", "nodes": nodes,
        **({"roles": {"seat": {"every": True}}} if world.others else {}),
    })  # fmt: skip
    models = {
        name: {"model": "local/smollm2-135m", "parameters": {"temperature": heat, "max_tokens": 60}}
        for name, heat in (("cool", 0.3), ("warm", 1.0))
    }
    bench.write("models.yaml", {"kind": "models", "models": models})
    bench.change(
        "sweep.yaml", scenarios=["tiny.yaml"], scaffolds=["short.yaml"], models=["cool", "warm"],
        limits={"turns": 3}, roles=dict.fromkeys(world.others, "cool"),
    )  # fmt: skip
    assert bench.run().results == 2
    return bench.record


def observations(results: Results) -> int:
    """How often the world answered a call, be it that it could not be done."""
    events = [event for row in results.store.rows() for event in results.store.record(row.trial).document.events]
    return sum(isinstance(event, ToolEvent) and event.action.kind == "tool" for event in events)


def test_nothing_drifts(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = new_bench(tmp_path)
    seen = observations(played(bench, world))
    with capsys.disabled():
        print(f"\n{world}: {seen} observations")
    assert seen >= 2
    assert_the_same(bench, ["replay", "bench"])
    if str(world) not in THREE:
        return
    for name, how in (
        ("fork", ["--states", "every:1", "-n", "1", "--most", "2"]),
        ("relay", ["--at", "0.5", "-n", "1"]),
    ):
        assert_the_same(bench, [name, "bench", *how, "-n", "1", "--plain"])
        made = open_results(bench.results / f"bench-{name}")
        assert len(made.lineage) >= 2
        assert set(made.lineage["drift"]) == {0}


def assert_the_same(bench: Workbench, command: list[str]) -> None:
    done = bench.harness(*command, seconds=400)
    assert done.returncode == 0, done.stdout + done.stderr
