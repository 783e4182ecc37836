from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import harness
from harness.cli.main import main
from harness.environments import CATALOG, FinalState, Opening
from harness.record import RecordedAction
from harness.scoring import Grade, grade
from harness.spec import load_scenario
from harness.spec.resolved import LoadedScenario

HEAD = """
kind: scenario
name: desk
summary: A desk with a ledger.
environment: {kind: "ledger_world:Ledger"}
roles: {clerk: {brief: You keep the ledger.}}
"""
TASK = """
tasks:
- id: one
  brief: Pay ada.
  input: {who: ada, sum: 5}
  setup: {balances: {ada: 1.0, bob: 2.5}, files: {note.txt: "hello\\nworld\\n"}}
"""


def write_scenario(folder: Path, body: str, name: str = "desk.yaml") -> Path:
    path = folder / name
    path.write_text(HEAD + body)
    return path


def load(path: Path) -> LoadedScenario:
    return load_scenario(path, CATALOG)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own that finds the harness and the tests' environment."""
    path = os.pathsep.join([str(Path(harness.__file__).parent.parent), str(Path(__file__).parent)])
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs `harness` with these arguments in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        return Done(left.value.code, *capsys.readouterr())

    return run


def action(name: str, kind: str = "tool", **changes) -> RecordedAction:
    base = {
        "kind": kind, "name": name, "arguments": {}, "text": "", "role": "agent", "node": "act", "step": 1,
        "error": False, "observation": "ok", "changes_state": False, "data": {},
    }  # fmt: skip
    return RecordedAction(**(base | changes))


@pytest.fixture
def graded(tmp_path):
    """Grades task one with the given checks (YAML, a list) on a given state."""
    import asyncio
    import json

    def run(checks: str, *, state=None, answer=None, actions=(), truncated=False, extra="") -> Grade:
        indented = "".join(f"\n  {line}" for line in checks.strip().splitlines())
        scenario = load(write_scenario(tmp_path, TASK + (f"  checks:{indented}\n" if checks else "") + extra))
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        data = state if state is not None else {"balances": {"ada": 6.0, "bob": 2.5}, "files": {"note.txt": "hello\n"}}
        return asyncio.run(
            grade(
                scenario, scenario.task("one"),
                opening=Opening(scenario.options, scenario.setups["one"], ["clerk"], 1, scratch),
                state=FinalState("ledger", json.dumps(data).encode(), truncated), answer=answer, actions=list(actions),
            )
        )  # fmt: skip

    return run
