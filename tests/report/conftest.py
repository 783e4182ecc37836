"""Records made by hand: sweeps with known outcomes, and a trial written by a hostile model."""

from __future__ import annotations

import hashlib
import random
import shutil

import pytest

from harness.record import AskedRow, CheckResult, DocumentBuilder, Store, TrialRecord, TrialRow
from harness.spec.actions import Action, call_action

MODELS = ("small", "large")
SCAFFOLDS = ("react", "reflect")
SCENARIOS = {"smithy": 4, "refund-desk": 4}
HOSTILE = "\x1b[31mred\x1b[0m \x1b]0;owned\x07 a\rb \u202egnp.exe \x9b2J"


def cell_of(scenario, task, scaffold, model):
    return hashlib.sha256(f"{scenario}/{task}/{scaffold}/{model}".encode()).hexdigest()


def row_of(scenario, task, scaffold, model, repeat, *, passed=True, **fields):
    cell = cell_of(scenario, task, scaffold, model)
    values = {
        "trial": f"{cell[:12]}-{repeat}-1", "cell": cell, "scenario": scenario, "task": task, "family": None,
        "scaffold": scaffold, "models": {"worker": model}, "model": model, "repeat": repeat, "attempt": 1,
        "seed": 7, "scenario_hash": task, "scaffold_hash": scaffold, "models_hash": model, "tools_hash": "t",
        "measures_hash": "m", "state": "completed", "limit": None, "fault": None, "error": None,
        "score": None if passed is None else float(passed), "passed": passed, "answer": "42", "steps": 2, "turns": 2,
        "prompt_tokens": 100, "completion_tokens": 20, "cost": 0.001 if model == "large" else None, "seconds": 1.5,
        "waited": 0.0, "retries": 0, "started": "2026-11-01T00:00:00Z", "sandbox": None, "harness": "0.1.0",
        "measures": {"turns": 2, "malformed": 0, "submitted": True, "share.query": 0.5},
    }  # fmt: skip
    return TrialRow(**(values | fields))


def document_of(model, text="I look.", observation="1 row", dropped=()):
    builder = DocumentBuilder()
    messages = [{"role": "system", "content": "You are a clerk."}, {"role": "user", "content": text}]
    action = call_action("tool", "query", {"sql": "select 1"}, text=text)
    receipt = {
        "asked": {"temperature": 0}, "sent": {} if dropped else {"temperature": 0}, "dropped": list(dropped),
        "tools": "abc", "response_format": None, "model": f"openai/{model}", "resolved": model, "fingerprint": None,
        "attempts": [],
    }  # fmt: skip
    common = {"role": "worker", "lane": "main", "visit": 1}
    builder.call(
        step=1, node="think", model=model, messages=messages, tools=None, response_format=None,
        reply={"role": "assistant", "content": text}, actions=[action], started=0.0, finish="tool_calls",
        prompt_tokens=100, completion_tokens=20, receipt=receipt, seconds=0.5, **common,
    )  # fmt: skip
    builder.tool(
        step=2, node="do", action=action, observation=observation, error=False, changes_state=False, started=0.5,
        seconds=0.1, **common,
    )  # fmt: skip
    bad = Action(kind="malformed", name="qurey", sent="{not json", error="unknown tool 'qurey'", text=text)
    builder.call(
        step=3, node="think", model=model, messages=messages, tools=None, response_format=None,
        reply={"role": "assistant", "content": text}, actions=[bad], started=0.7, receipt=receipt, **common,
    )  # fmt: skip
    return builder.document()


def write_sweep(folder, repeats=2, lose=(), dropped=(), run=1.0):
    """Two models, two scaffolds, two scenarios of four tasks; `large` passes more; `lose` are lost trials by number."""
    chance = random.Random(3)
    cells = [
        (scenario, f"t{n}", scaffold, model)
        for scenario, count in SCENARIOS.items() for n in range(count) for scaffold in SCAFFOLDS for model in MODELS
    ]  # fmt: skip
    with Store(folder, create=True) as store:
        store.write_asked(
            AskedRow(cell_of(*cell), repeat, *cell[:2], None, *cell[2:], models={"worker": cell[3]})
            for cell in cells for repeat in range(1, repeats + 1)
        )  # fmt: skip
        number = 0
        for repeat in range(1, repeats + 1):
            for cell in cells:
                number += 1
                if number > run * len(cells) * repeats:
                    return folder
                fields = {}
                if number in lose:
                    fields = {"state": "fault", "fault": "provider", "error": "429", "passed": None, "cost": None}
                else:
                    fields = {"passed": chance.random() < (0.8 if cell[3] == "large" else 0.4)}
                document = document_of(cell[3], dropped=dropped if cell[3] == "small" else ())
                check = CheckResult(name="answer", kind="answer", weight=1.0, score=float(fields["passed"] or 0))
                store.write(TrialRecord(row=row_of(*cell, repeat, **fields), document=document, checks=[check]))
    return folder


@pytest.fixture(name="write_sweep")
def write_sweep_fixture():
    return write_sweep


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    return write_sweep(tmp_path_factory.mktemp("written") / "first-light", lose=(3, 4, 40), dropped=("temperature",))


@pytest.fixture
def results(tmp_path, written):
    """A results folder with the sweep `first-light`: 64 trials asked, three lost to the provider."""
    shutil.copytree(written, tmp_path / "results" / "first-light")
    return tmp_path / "results"


@pytest.fixture
def hostile_record():
    row = row_of("smithy", HOSTILE, "react", HOSTILE, 1, passed=False, answer=HOSTILE, error=HOSTILE, sandbox=HOSTILE)
    check = CheckResult(name=HOSTILE, kind="answer", weight=1.0, score=0.0, detail=HOSTILE)
    return TrialRecord(row=row, document=document_of("m", HOSTILE, HOSTILE * 3), checks=[check])
