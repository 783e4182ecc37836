"""A sweep against a real HTTP server that misbehaves: every trial ends in the right state on the right account."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from models.openai_server import (
    Answer,
    MockOpenAI,
    Seen,
    calls,
    cut_short,
    dropped,
    failing,
    no_choices,
    rate_limited,
    slow,
)
from run.workbench import Workbench, new_bench

from harness.record import CallEvent, TrialRow
from harness.run import SweepOutcome

STOCK = {"nail": "500", "hammer": "7", "anvil": "1"}


def good(seen: Seen) -> Answer:
    """Looks once, then submits what is right."""
    asked = re.search(r"How many of (\w+)", json.dumps(seen.body["messages"]))
    assert asked is not None
    if not any(message["role"] == "tool" for message in seen.body["messages"]):
        return calls(("query", json.dumps({"sql": f"select stock from goods where name = '{asked[1]}'"})))
    return calls(("submit", json.dumps({"answer": STOCK[asked[1]]})))


def first(trouble: Answer, times: int = 1) -> Callable[[Seen, int], Answer]:
    """Trouble for the first `times` requests of a model, then good answers."""
    return lambda seen, earlier: trouble if earlier < times else good(seen)


def always(answer: Answer) -> Callable[[Seen, int], Answer]:
    return lambda seen, earlier: answer


BEHAVIOURS: dict[str, Callable[[Seen, int], Answer]] = {
    "good": lambda seen, earlier: good(seen),
    "limited": first(rate_limited(retry_after=0.3), times=2),
    "flaky": first(failing(500)),
    "dropping": first(dropped("middle")),
    "hanging-up": first(dropped("before")),
    "truncating": first(cut_short()),
    "empty": first(no_choices()),
    "late": first(slow(30)),
    "down": always(failing(500)),
    "keyless": always(failing(401, "no such key")),
    "broke": always(rate_limited(code="insufficient_quota")),
    "wordy": always(calls(("query", '{"sql": "select 1'))),
    "endless": always(calls(("query", '{"sql": "select 1"}'))),
    "asleep": always(slow(60)),
}


KEY = "sk-mock-4711-secret"


@pytest.fixture
def troubled(bench: Workbench, server: MockOpenAI, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """One model for each behaviour, one task, one sweep."""
    monkeypatch.setenv("MOCK_API_KEY", KEY)
    return trouble(bench, server)


def trouble(bench: Workbench, server: MockOpenAI) -> Workbench:
    seen_of: Counter[str] = Counter()

    def answer(seen: Seen) -> Answer:
        name = seen.body["model"]
        earlier = seen_of[name]
        seen_of[name] += 1
        return BEHAVIOURS[name](seen, earlier)

    server.default = answer
    entries: dict[str, Any] = {
        name: {
            "model": f"openai/{name}",
            "api_base": server.url,
            "api_key_env": "MOCK_API_KEY",
            "timeout": 4.0 if name == "late" else 50.0,
            "retry": {"attempts": 4, "seconds": 20, "same_error": 3},
            "account": name,
        }
        for name in BEHAVIOURS
    }
    bench.write("models.yaml", {"kind": "models", "models": entries})
    bench.change("sweep.yaml", models=list(BEHAVIOURS), tasks=["hammer"], limits={"turns": 6, "seconds": 12})
    return bench


@dataclass(frozen=True)
class Ran:
    """The sweep after it has run, and what the server saw."""

    bench: Workbench
    outcome: SweepOutcome
    requests: Counter[str]

    def row(self, model: str) -> TrialRow:
        return next(row for row in self.bench.rows() if row.model == model)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with pytest.MonkeyPatch.context() as monkeypatch, MockOpenAI() as server:
        monkeypatch.setenv("MOCK_API_KEY", KEY)
        bench = trouble(new_bench(tmp_path_factory.mktemp("trouble")), server)
        outcome = bench.run()
        yield Ran(bench, outcome, Counter(seen.body["model"] for seen in server.seen))


def test_every_trial_ends_in_the_right_state_on_the_right_account(ran: Ran) -> None:
    def ending(name: str) -> tuple[str, str | None, str | None, bool | None]:
        row = ran.row(name)
        return row.state, row.limit, row.fault, row.passed

    for name in ("good", "limited", "flaky", "dropping", "hanging-up", "truncating", "empty", "late"):
        assert ending(name) == ("completed", None, None, True), (name, ran.row(name).error)
    for name in ("down", "keyless", "broke"):
        assert ending(name) == ("fault", None, "provider", None), name
    assert ending("wordy") == ("fault", None, "model", False)
    assert ending("endless") == ("limit", "turns", None, False)
    assert ending("asleep") == ("limit", "seconds", None, False)

    assert ran.outcome.exit_code == 1
    assert ran.outcome.missing == {"provider": 3}
    assert ran.outcome.results == len(BEHAVIOURS) - 3


def test_numbers_of_attempts_are_in_the_record(ran: Ran) -> None:
    every = ran.bench.rows(current=False)
    for name in BEHAVIOURS:
        tried = [row for row in every if row.model == name]
        if name != "asleep":  # a call cut off by the trial's clock leaves neither reply nor retry
            assert sum(row.turns + row.retries for row in tried) == ran.requests[name], name
    assert ran.row("limited").retries == 2
    assert ran.row("flaky").retries == 1
    assert [row.attempt for row in every if row.model == "down"] == [1, 2]
    assert all(row.retries == 3 for row in every if row.model == "down")
    assert [row.retries for row in every if row.model in ("keyless", "broke")] == [1, 1]


def test_time_in_retries_is_not_on_the_trials_clock(ran: Ran) -> None:
    row = ran.row("limited")
    assert row.waited >= 0.6
    assert row.seconds < row.waited + 3


def test_a_receipt_says_what_happened_on_the_way(ran: Ran) -> None:
    document = ran.bench.record.store.record(ran.row("limited").trial).document
    call = next(event for event in document.events if isinstance(event, CallEvent))
    assert call.receipt is not None
    assert [attempt["error"] for attempt in call.receipt["attempts"]] == ["rate_limit"] * 2  # type: ignore
    assert call.receipt["resolved"] == "limited"


def test_no_key_is_written_anywhere(troubled: Workbench, server: MockOpenAI) -> None:
    BEHAVIOURS["echoing"] = always(failing(403, "no", echo_authorization=True))
    try:
        entry = {**troubled.written["models.yaml"]["models"]["good"], "model": "openai/echoing"}
        troubled.write("models.yaml", {"kind": "models", "models": {"echoing": entry}})
        troubled.change("sweep.yaml", models=["echoing"])
        troubled.run()
    finally:
        del BEHAVIOURS["echoing"]
    assert server.seen
    assert any("sk-mock-4711-secret" in value for value in server.seen[0].headers.values())
    row = troubled.rows()[0]
    assert row.fault == "provider"
    record = troubled.record.store.record(row.trial)
    assert "sk-mock-4711" not in record.model_dump_json(exclude={"final_state"})
    for path in troubled.results.rglob("*"):
        if path.is_file():
            assert b"sk-mock-4711" not in path.read_bytes(), path


def test_a_model_whose_provider_only_fails_is_given_up(troubled: Workbench, server: MockOpenAI) -> None:
    troubled.change("sweep.yaml", models=["keyless", "good"], tasks=["hammer"], repeats=12, concurrency=2, attempts=1)
    outcome = troubled.run()
    requests = Counter(seen.body["model"] for seen in server.seen)
    assert requests["keyless"] < 12
    assert outcome.missing["not run"] > 0
    assert sum(row.model == "good" and bool(row.passed) for row in troubled.rows()) == 12
