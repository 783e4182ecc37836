"""A receipt says what the server was really sent, on every route."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from models.calling import FORMAT, KEY, TOOLS, ask, at, request
from models.openai_server import MockOpenAI, calls, reply

from harness.models import CallKey, ModelReply, call_seed
from harness.models.remote.receipts import hash_json

CONVERSATION: list[dict[str, Any]] = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "look"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "a"}'}}],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "nothing"},
]


def body_without(server: MockOpenAI, *names: str) -> dict[str, Any]:
    bodies = [seen.body for seen in server.seen if not seen.path.endswith("/show")]
    return {name: value for name, value in bodies[-1].items() if name not in ("model", "messages", "system", *names)}


@pytest.mark.parametrize(
    "model",
    [
        *("openai/m", "openai/gpt-5", "hosted_vllm/m", "openrouter/a/m", "mistral/mistral-small-latest"),
        *("deepseek/deepseek-chat", "anthropic/claude-sonnet-4-5", "ollama_chat/m"),
    ],
)
def test_sent_is_what_the_server_saw(server: MockOpenAI, model: str) -> None:
    server.default = calls(("look", '{"at": "b"}'), text="I look")
    entry = at(server, model, parameters={"max_tokens": 50, "top_k": 7})
    tools, messages = copy.deepcopy(TOOLS), copy.deepcopy(CONVERSATION)
    got = ask(entry, request(messages=messages, tools=tools, parameters={"tool_choice": "auto"}))
    assert got.receipt.sent == body_without(server, "tools")
    assert got.receipt.tools == hash_json(server.seen[0].body["tools"])
    assert got.receipt.response_format is None
    assert got.receipt.asked == {"max_tokens": 50, "top_k": 7, "tool_choice": "auto"}
    assert got.finish == "tool_calls"
    assert [c["function"]["name"] for c in got.message["tool_calls"]] == ["look"]
    assert got.message["tool_calls"][0]["function"]["arguments"].replace(" ", "") == '{"at":"b"}'
    assert got.message["content"] == "I look"
    assert (tools, messages) == (TOOLS, CONVERSATION), "litellm's routes may not write into the trial's data"


@pytest.mark.parametrize(
    ("model", "field"),
    [
        *(("openai/m", "response_format"), ("hosted_vllm/m", "response_format"), ("ollama_chat/m", "format")),
        *(("openrouter/a/m", "response_format"), ("anthropic/claude-sonnet-4-5", "output_format")),
    ],
)
def test_the_response_format_is_hashed_as_sent(server: MockOpenAI, model: str, field: str) -> None:
    server.default = reply('{"at": "b"}')
    asked = copy.deepcopy(FORMAT)
    got = ask(at(server, model, parameters={"max_tokens": 9}), request(response_format=asked))
    body = next(seen.body for seen in server.seen if not seen.path.endswith("/show"))
    assert got.receipt.response_format == hash_json(body[field])
    assert got.receipt.sent == body_without(server, field)
    assert got.receipt.tools is None
    assert asked == FORMAT
    assert got.message["content"] == '{"at": "b"}'


def test_parameters_merge_entry_under_sweep_under_call(server: MockOpenAI) -> None:
    entry = at(server, parameters={"temperature": 0.1, "top_p": 0.2, "max_tokens": 5, "stop": ["x"]})
    got = ask(entry, request(parameters={"top_p": 0.4, "stop": None}), parameters={"temperature": 0.3, "top_p": 0.3})
    seed = call_seed(7, KEY)
    assert got.receipt.sent == {"temperature": 0.3, "top_p": 0.4, "max_tokens": 5, "seed": seed}
    assert got.receipt.asked == {"temperature": 0.3, "top_p": 0.4, "max_tokens": 5, "stop": None}


def test_what_is_dropped_by_name_is_on_the_receipt(server: MockOpenAI) -> None:
    entry = at(server, parameters={"temperature": 0.1}, drop=["temperature", "seed", "response_format", "top_k"])
    got = ask(entry, request(response_format=FORMAT))
    assert got.receipt.dropped == ["temperature", "seed", "response_format"]
    assert got.receipt.sent == {}
    assert got.receipt.asked == {"temperature": 0.1}
    assert got.receipt.response_format is None
    assert set(server.seen[0].body) == {"model", "messages"}


def test_extra_body_is_seen_where_it_lands(server: MockOpenAI) -> None:
    got = ask(at(server, parameters={"extra_body": {"guided": True}, "min_p": 0.1}))
    assert server.seen[0].body["guided"] is True
    assert got.receipt.sent == body_without(server)


def test_headers_are_named_but_not_recorded(server: MockOpenAI) -> None:
    got = ask(at(server, parameters={"extra_headers": {"X-Title": "secret-of-mine"}}))
    assert server.seen[0].headers["X-Title"] == "secret-of-mine"
    assert got.receipt.asked == {"extra_headers": ["X-Title"]}
    assert "secret-of-mine" not in repr(got)


def test_tool_choice_goes_with_tools_only(server: MockOpenAI) -> None:
    got = ask(at(server, parameters={"tool_choice": "required"}))
    assert "tool_choice" not in server.seen[0].body
    assert "tool_choice" not in got.receipt.sent


class TestSeeds:
    def seeds(self, server: MockOpenAI) -> list[int]:
        return [body["seed"] for body in server.bodies()]

    def test_repeats_and_calls_differ_and_models_pair(self, server: MockOpenAI) -> None:
        second = CallKey(KEY.node, KEY.role, KEY.lane, 2)
        for model, ask_for in (
            ("openai/a", request()),
            ("hosted_vllm/b", request()),
            ("openai/a", request(seed=8)),
            ("openai/a", request(key=second)),
        ):
            ask(at(server, model), ask_for)
        first, paired, repeat, visit = self.seeds(server)
        assert first == paired == call_seed(7, KEY)
        assert len({first, repeat, visit}) == 3
        assert all(0 <= seed < 2**31 for seed in (first, repeat, visit))

    def test_a_retry_keeps_the_seed(self, server: MockOpenAI) -> None:
        from models.openai_server import failing

        server.then(failing(500), reply())
        ask(at(server))
        assert len(set(self.seeds(server))) == 1

    def test_the_same_seed_may_give_the_same_reply(self, server: MockOpenAI) -> None:
        server.default = lambda seen: reply(f"drawn {seen.body['seed'] % 1000}")
        texts = [ask(at(server), request(seed=seed)).message["content"] for seed in (1, 1, 2)]
        assert texts[0] == texts[1] != texts[2]

    def test_an_explicit_seed_is_sent_as_it_is(self, server: MockOpenAI) -> None:
        assert ask(at(server, parameters={"seed": 3})).receipt.sent["seed"] == 3

    def test_none_is_sent_where_none_is_wanted_or_taken(self, server: MockOpenAI) -> None:
        assert "seed" not in ask(at(server, parameters={"seed": None})).receipt.sent
        got = ask(at(server, "anthropic/claude-sonnet-4-5"))
        assert "seed" not in got.receipt.sent
        assert "seed" not in server.seen[-1].body

    def test_other_names_and_places_of_the_seed(self, server: MockOpenAI) -> None:
        assert ask(at(server, "mistral/mistral-small-latest")).receipt.sent["random_seed"] == call_seed(7, KEY)
        options = ask(at(server, "ollama_chat/m")).receipt.sent["options"]
        assert isinstance(options, dict)
        assert options["seed"] == call_seed(7, KEY)


def test_what_litellm_adds_by_itself_shows(server: MockOpenAI) -> None:
    got = ask(at(server, "anthropic/claude-sonnet-4-5"))
    assert got.receipt.asked == {}
    assert got.receipt.sent["max_tokens"] == server.seen[0].body["max_tokens"]


@pytest.mark.parametrize(
    ("model", "resolved"), [("openai/m", "m-2026"), ("ollama_chat/m", "m"), ("anthropic/m", "m-2026")]
)
def test_resolved_model_and_fingerprint(server: MockOpenAI, model: str, resolved: str) -> None:
    server.default = reply(model="m-2026", fingerprint="fp_1")
    got: ModelReply = ask(at(server, model))
    assert got.receipt.model == model
    assert got.receipt.resolved == resolved
    if model == "openai/m":
        assert got.receipt.fingerprint == "fp_1"
