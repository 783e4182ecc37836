from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.record import CheckResult, DocumentBuilder, TrialRecord, TrialRow
from harness.spec.actions import Action


def make_row(number: int = 1, repeat: int = 1, attempt: int = 1, **changes: Any) -> TrialRow:
    cell = f"{number:012x}" + "0" * 52
    values: dict[str, Any] = {
        "trial": f"{cell[:12]}-{repeat}-{attempt}", "cell": cell, "scenario": "desk", "task": "one", "family": None,
        "scaffold": "react", "models": {"agent": "small"}, "model": "small", "repeat": repeat, "attempt": attempt,
        "seed": 7, "scenario_hash": "a" * 64, "scaffold_hash": "b" * 64, "models_hash": "c" * 64,
        "tools_hash": "d" * 64, "measures_hash": "e" * 64, "state": "completed", "limit": None, "fault": None,
        "error": None, "answer": "42", "steps": 3, "turns": 1, "prompt_tokens": 10, "completion_tokens": 5,
        "cost": None, "seconds": 1.5, "waited": 0.0, "retries": 0, "started": "2026-01-01T00:00:00.000+00:00",
        "sandbox": None, "harness": "0.1.0", "measures": {},
    }  # fmt: skip
    return TrialRow(**(values | changes))


def make_record(
    number: int = 1, repeat: int = 1, attempt: int = 1, *, final_state: bytes | None = b"state", **changes: Any
):
    builder = DocumentBuilder()
    thread = [{"role": "system", "content": "You are a clerk."}, {"role": "user", "content": f"Task {number}"}]
    action = Action(kind="tool", name="query", arguments={"sql": "select 1"}, call_id="c1")
    reply = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}
    builder.call(
        step=1, node="think", role="agent", lane="main", visit=1, model="small", messages=thread, tools=None,
        response_format=None, reply=reply, actions=[action], started=0.0, prompt_tokens=10, completion_tokens=5,
        receipt={"model": "openai/small", "resolved": "small-2", "attempts": [{"error": "rate_limit"}],
                 "dropped": ["k"]},
    )  # fmt: skip
    builder.tool(
        step=2, node="act", role="agent", lane="main", visit=1, action=action, observation="1", error=False,
        changes_state=False, started=0.1, seconds=0.01, data={"rows": 1},
    )  # fmt: skip
    builder.node(step=3, node="choose", kind="route", lane="main", visit=1, started=0.2, detail={"to": "end"})
    check = CheckResult(name="answer", kind="answer", weight=1.0, score=1.0)
    row = make_row(number, repeat, attempt, **changes)
    return TrialRecord(row=row, document=builder.document(), checks=[check], final_state=final_state)


@pytest.fixture
def record() -> Callable[..., TrialRecord]:
    return make_record


@pytest.fixture
def row() -> Callable[..., TrialRow]:
    return make_row
