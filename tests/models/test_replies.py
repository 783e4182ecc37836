"""Replies are plain data in one shape, and malformed ones are passed on as what they are."""

from __future__ import annotations

import json

import pytest
from models.calling import TOOLS, ask, at, request
from models.openai_server import MockOpenAI, calls, reply


def test_text(server: MockOpenAI) -> None:
    got = ask(at(server))
    assert got.message == {"role": "assistant", "content": "ok"}
    assert got.finish == "stop"
    assert got.receipt.attempts == []
    assert got.seconds > 0
    assert got.waited < 1


@pytest.mark.parametrize("arguments", ['{"at": "b"', "", "not json", "[1]", '{"at": NaN}', "null"])
@pytest.mark.parametrize("model", ["openai/m", "hosted_vllm/m"])
def test_malformed_arguments_pass_as_the_raw_string(server: MockOpenAI, arguments: str, model: str) -> None:
    server.default = calls(("look", arguments), ("nowhere", "{}"))
    got = ask(at(server, model), request(tools=TOOLS))
    assert [c["function"] for c in got.message["tool_calls"]] == [
        {"name": "look", "arguments": arguments},
        {"name": "nowhere", "arguments": "{}"},
    ]
    assert got.message["tool_calls"][0]["id"] == "call_0_0"
    assert got.finish == "tool_calls"
    assert len(server.seen) == 1
    json.dumps(got.message)


@pytest.mark.parametrize("arguments", ['{"at":' + "9" * 50_000 + "}", '{"at":' + "[" * 100_000 + "]" * 100_000 + "}"])
def test_arguments_that_litellm_cannot_read_are_the_models_and_not_the_providers(
    server: MockOpenAI, arguments: str
) -> None:
    server.default = calls(("look", arguments), ("nowhere", "{}"))
    got = ask(at(server), request(tools=TOOLS))
    assert [c["function"] for c in got.message["tool_calls"]] == [
        {"name": "look", "arguments": arguments[:4000]},
        {"name": "nowhere", "arguments": "{}"},
    ]
    assert got.finish == "tool_calls"
    assert got.usage.prompt == 12
    assert got.receipt.attempts == []
    assert len(server.seen) == 1


def test_finish_is_told_in_one_vocabulary(server: MockOpenAI) -> None:
    server.then(reply("cut", finish="length"), reply(None, finish="content_filter"), reply("x", finish="stop"))
    server.then(calls(("look", "{}"), finish="stop"))
    entry = at(server)
    assert [ask(entry).finish for _ in range(4)] == ["length", "content_filter", "stop", "tool_calls"]
    server.then(reply("cut", finish="max_tokens"), reply("x", finish="stop_sequence"))
    entry = at(server, "anthropic/m")
    assert [ask(entry).finish for _ in range(2)] == ["length", "stop"]


def test_refusal_and_reasoning_are_kept(server: MockOpenAI) -> None:
    server.then(reply(None, message={"refusal": "I will not"}), reply("so", message={"reasoning_content": "because"}))
    assert ask(at(server)).message == {"role": "assistant", "content": None, "refusal": "I will not"}
    assert ask(at(server)).message == {"role": "assistant", "content": "so", "reasoning_content": "because"}


def test_an_empty_reply_is_a_reply(server: MockOpenAI) -> None:
    server.then(reply(""), reply(None))
    assert ask(at(server)).message["content"] == ""
    assert ask(at(server)).message["content"] is None
    assert len(server.seen) == 2


def test_usage_with_details(server: MockOpenAI) -> None:
    server.default = reply(
        usage={
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 60},
            "completion_tokens_details": {"reasoning_tokens": 8},
        }
    )
    usage = ask(at(server)).usage
    assert (usage.prompt, usage.completion, usage.cached, usage.reasoning) == (100, 20, 60, 8)


def test_usage_nobody_gave_is_unknown_and_not_zero(server: MockOpenAI) -> None:
    server.default = reply(usage=None)
    got = ask(at(server, price={"prompt": 1, "completion": 1}))
    assert (got.usage.prompt, got.usage.completion) == (None, None)
    assert got.cost is None


@pytest.mark.parametrize("count", [-5, 10**30])
def test_usage_that_cannot_be_is_unknown(server: MockOpenAI, count: int) -> None:
    server.default = reply(usage={"prompt_tokens": count, "completion_tokens": count, "total_tokens": count})
    got = ask(at(server, price={"prompt": 1, "completion": 1}))
    assert (got.usage.prompt, got.usage.completion, got.cost) == (None, None, None)
