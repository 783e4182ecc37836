"""Parameters that would fail are found at plan time, with their mend; missing keys when a model is built."""

from __future__ import annotations

from typing import Any

import pytest
from models.calling import ask, at, loaded
from models.openai_server import MockOpenAI

from harness.models import Accounts, ModelSetupError, ProviderFault, build_model, check_parameters


@pytest.mark.parametrize(
    ("model", "parameters", "problem"),
    [
        (
            *("anthropic/claude-sonnet-4-5", {"logit_bias": {"1": 2}, "temperature": 0.5}),
            "model 'm': provider anthropic does not take 'logit_bias'; remove it, or list it under drop in models.yaml",
        ),
        ("anthropic/claude-sonnet-4-5", {"seed": 3}, "does not take 'seed'"),
        ("openai/gpt-5", {"temperature": 0.5}, "list it under drop"),
        ("openai/m", {"temprature": 0.5}, "unknown parameter 'temprature' (did you mean temperature?"),
        ("openai/m", {"api_key": "sk-1"}, "keys come from the environment"),
        ("openai/m", {"stream": True}, "calls are never streamed"),
        ("openai/m", {"n": 3}, "a call has one reply"),
        ("openai/m", {"max_retries": 3}, "write `retry` beside `parameters`"),
        ("openai/m", {"mock_response": "hello"}, "'mock_response' steers litellm"),
        ("openai/m", {"fallbacks": ["openai/x"]}, "'fallbacks' steers litellm"),
        ("openai/m", {"cache": {"no-cache": True}}, "'cache' steers litellm"),
        ("no-such-thing", {}, "litellm knows no provider for 'no-such-thing'"),
        ("nobody/m", {}, "litellm knows no provider for 'nobody/m'"),
    ],
)
def test_a_problem_is_one_line_with_its_mend(model: str, parameters: dict[str, Any], problem: str) -> None:
    (line,) = check_parameters(loaded(model), parameters)
    assert problem in line
    assert line.startswith("model 'm': ")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("anthropic/claude-sonnet-4-5", {"temperature": 0.5, "top_k": 5, "max_tokens": 100}),
        ("openai/gpt-5", {"reasoning_effort": "low", "max_tokens": 100, "verbosity": "low"}),
        ("openai/m", {"top_k": 5, "min_p": 0.1, "extra_body": {"guided": 1}, "extra_headers": {"X-Title": "t"}}),
        ("openai/m", {"temperature": None, "tool_choice": "auto"}),
        ("hosted_vllm/m", {"repetition_penalty": 1.1, "seed": 4}),
        ("ollama_chat/m", {"num_ctx": 4096, "temperature": 0}),
        ("azure/m", {"api_version": "2024-10-21", "temperature": 0}),
    ],
)
def test_what_the_provider_takes_is_no_problem(model: str, parameters: dict[str, Any]) -> None:
    assert check_parameters(loaded(model), parameters, needs=("response_format",)) == []


def test_all_problems_are_listed_and_drop_mends_them() -> None:
    parameters: dict[str, Any] = {"logit_bias": {"1": 2}, "presence_penalty": 1, "temperature": 0.5}
    model = "anthropic/claude-sonnet-4-5"
    assert len(check_parameters(loaded(model, parameters={"n": 2}), parameters)) == 3
    assert check_parameters(loaded(model, drop=["logit_bias", "presence_penalty"]), parameters) == []


def test_the_scaffolds_needs_are_checked_too() -> None:
    model = "perplexity/sonar"
    assert any("'tools'" in line for line in check_parameters(loaded(model), {}, needs=("tools",)))
    assert check_parameters(loaded("openai/m"), {}, needs=("tools", "response_format")) == []


def test_a_refused_parameter_that_nobody_checked_fails_the_call_at_once(server: MockOpenAI) -> None:
    with pytest.raises(ProviderFault) as caught:
        ask(at(server, "anthropic/claude-sonnet-4-5", parameters={"logit_bias": {"1": 2}}))
    assert caught.value.kind == "setup"
    assert len(caught.value.attempts) == 1
    assert server.seen == []


class TestKeys:
    def build(self, model: str, **entry: Any) -> None:
        build_model(loaded(model, **entry), parameters={}, accounts=Accounts())

    @pytest.mark.parametrize(
        ("model", "variable"),
        [
            ("openai/gpt-5", "OPENAI_API_KEY"),
            ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
            ("gemini/gemini-2.5-flash", "GEMINI_API_KEY"),
            ("openrouter/a/m", "OPENROUTER_API_KEY"),
        ],
    )
    def test_a_missing_key_names_its_variable(self, model: str, variable: str) -> None:
        with pytest.raises(ModelSetupError, match=variable) as caught:
            self.build(model)
        assert "\n" not in str(caught.value)

    def test_a_missing_named_variable(self) -> None:
        with pytest.raises(ModelSetupError, match=r"MY_GATEWAY_SECRET.*api_key_env"):
            self.build("openai/m", api_key_env="MY_GATEWAY_SECRET", api_base="http://127.0.0.1:1/v1")

    def test_no_key_is_needed_where_none_is_asked_for(self) -> None:
        self.build("ollama_chat/m")
        self.build("hosted_vllm/m", api_base="http://127.0.0.1:1/v1")
        self.build("openai/m", api_base="http://127.0.0.1:1/v1")

    def test_the_named_key_is_the_one_sent(self, server: MockOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-the-usual-one")
        monkeypatch.setenv("MY_GATEWAY", "sk-the-special-one")
        ask(at(server))
        ask(at(server, api_key_env="MY_GATEWAY"))
        sent = [seen.headers["Authorization"] for seen in server.seen]
        assert sent == ["Bearer sk-the-usual-one", "Bearer sk-the-special-one"]

    def test_without_a_key_a_server_of_ones_own_gets_a_dummy(self, server: MockOpenAI) -> None:
        ask(at(server))
        ask(at(server, "anthropic/m"))
        assert server.seen[0].headers["Authorization"] == "Bearer no-key"
