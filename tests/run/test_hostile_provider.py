"""What a hostile provider says, or a brief that breaks, spoils its own trial and nothing else."""

from __future__ import annotations

import pytest
from models.openai_server import MockOpenAI, calls
from run.workbench import Workbench

KEY = "hush-4711-abcdefgh"


def one_model(bench: Workbench, server: MockOpenAI) -> None:
    entry = {"model": "openai/m", "api_base": server.url, "api_key_env": "MY_CREDENTIAL"}
    bench.write("models.yaml", {"kind": "models", "models": {"m": entry}})
    bench.change("sweep.yaml", models=["m"], tasks=["hammer"])


def test_a_key_that_a_provider_says_back_is_not_recorded(
    bench: Workbench, server: MockOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_CREDENTIAL", KEY)
    server.default = calls(("submit", f'{{"answer": "your key is {KEY}"}}'), text=f"{KEY}!")
    one_model(bench, server)
    bench.run()
    (row,) = bench.rows()
    assert row.answer == "your key is [redacted MY_CREDENTIAL]"
    record = bench.record.store.record(row.trial)
    assert "[redacted MY_CREDENTIAL]!" in repr(record)
    assert KEY not in repr(record)
    assert all(KEY.encode() not in path.read_bytes() for path in bench.results.rglob("*") if path.is_file())


def test_token_counts_of_any_size_are_survived(
    bench: Workbench, server: MockOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_CREDENTIAL", KEY)
    server.default = calls(
        ("submit", '{"answer": "7"}'), usage={"prompt_tokens": 10**30, "completion_tokens": -1, "total_tokens": 1}
    )
    one_model(bench, server)
    assert bench.run().results == 1
    (row,) = bench.rows()
    assert (row.passed, row.prompt_tokens, row.completion_tokens) == (True, None, None)


def test_a_brief_that_cannot_be_rendered_is_a_fault_of_its_trials(bench: Workbench) -> None:
    bench.write("good.yaml", "kind: script\nrules: [{call: {tool: submit, arguments: {answer: '7'}}}]\n")
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/good.yaml"}}})
    bench.change("stock.yaml", roles={"clerk": {"brief": "{{ 1 // (task | length - 6) }}"}})
    outcome = bench.run()
    assert outcome.results == 2
    (row,) = [row for row in bench.rows() if row.task == "hammer"]
    assert (row.state, row.fault) == ("fault", "harness")
    assert row.error is not None
    assert "ZeroDivisionError" in row.error
