"""Known prices give costs; unknown ones give None, never zero; nothing is asked of the network."""

from __future__ import annotations

import pytest
from models.calling import ask, at, loaded
from models.openai_server import MockOpenAI, reply

from harness.models import price_of

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


def test_the_entrys_own_price_counts_first(server: MockOpenAI) -> None:
    server.default = reply(usage=USAGE)
    entry = at(server, "openai/gpt-4o", price={"prompt": 2.0, "completion": 10.0})
    assert ask(entry).cost == pytest.approx((1000 * 2 + 100 * 10) / 1e6)
    price = price_of(entry)
    assert price is not None
    assert (price.prompt, price.completion) == (2.0, 10.0)


@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "mistral/mistral-small-latest"])
def test_the_local_price_map(server: MockOpenAI, model: str) -> None:
    server.default = reply(usage=USAGE)
    entry = at(server, model)
    price = price_of(entry)
    assert price is not None
    assert price.prompt > 0
    assert ask(entry).cost == pytest.approx((1000 * price.prompt + 100 * price.completion) / 1e6)


def test_cached_tokens_are_cheaper_where_the_map_says_so(server: MockOpenAI) -> None:
    entry = at(server, "openai/gpt-4o")
    server.default = reply(usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 800}})
    cached = ask(entry).cost
    server.default = reply(usage=USAGE)
    whole = ask(entry).cost
    assert cached is not None
    assert whole is not None
    assert 0 < cached < whole


@pytest.mark.parametrize("model", ["openai/mock", "hosted_vllm/m", "ollama_chat/nobody-knows", "openrouter/a/m"])
def test_an_unknown_price_is_unknown(server: MockOpenAI, model: str) -> None:
    server.default = reply(usage=USAGE)
    assert price_of(at(server, model)) is None
    assert ask(at(server, model)).cost is None


def test_a_cost_the_provider_states_is_believed(server: MockOpenAI) -> None:
    server.default = reply(usage={**USAGE, "cost": 0.0125})
    assert ask(at(server, "openrouter/a/m")).cost == 0.0125


@pytest.mark.parametrize("stated", ["-100", "nan", "inf", "free"])
def test_a_cost_that_cannot_be_is_not_believed(server: MockOpenAI, stated: str) -> None:
    server.default = reply(usage=USAGE, headers={"x-litellm-response-cost": stated})
    assert ask(at(server, "openai/m")).cost is None


def test_what_runs_here_costs_nothing_unless_the_entry_says_so() -> None:
    for model in ("local/smollm2-135m", "scripted/x.yaml"):
        free, paid = price_of(loaded(model)), price_of(loaded(model, price={"prompt": 1, "completion": 2}))
        assert free is not None
        assert (free.prompt, free.completion) == (0.0, 0.0)
        assert paid is not None
        assert (paid.prompt, paid.completion) == (1.0, 2.0)
    assert price_of(loaded("no such provider")) is None
