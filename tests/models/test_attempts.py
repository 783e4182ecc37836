"""What is tried again, how often, how long; the requests the server saw are the attempts on the books."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from models.calling import ask, at, request, until, with_model
from models.openai_server import (
    Answer,
    MockOpenAI,
    cut_short,
    dropped,
    failing,
    no_choices,
    rate_limited,
    reply,
    slow,
)

from harness.models import Accounts, ContextExceeded, ModelReply, ProviderFault, TimeExceeded
from harness.spec.sweep import Retry


def kinds(outcome: ModelReply | ProviderFault) -> list[str]:
    attempts = outcome.receipt.attempts if isinstance(outcome, ModelReply) else outcome.attempts
    return [attempt.error for attempt in attempts]


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (rate_limited(0), "rate_limit", 429),
        (rate_limited(), "rate_limit", 429),
        (failing(500), "server", 500),
        (failing(502), "server", 502),
        (failing(503), "overloaded", 503),
        (failing(529), "overloaded", 529),
        (failing(408), "timeout", 408),
        (dropped("before"), "connection", None),
        (dropped("middle"), "truncated", None),
        (cut_short(), "truncated", 200),
        (no_choices(), "truncated", 200),
        (reply(body=b""), "truncated", 200),
        (reply(body=b"<html>busy</html>", headers={"Content-Type": "text/html"}), "truncated", 200),
        (reply(body=b"null"), "truncated", 200),
        (reply(body={"choices": [{"index": 0}]}), "truncated", 200),
        (reply(body={"error": {"message": "upstream is down", "code": 502}}), "server", 502),
    ],
)
def test_a_passing_failure_is_tried_again(server: MockOpenAI, answer: Answer, kind: str, status: int | None) -> None:
    server.then(answer, reply("there"))
    got = ask(at(server))
    assert got.message["content"] == "there"
    assert kinds(got) == [kind]
    assert len(server.seen) == 2
    if not (kind == "truncated" and status == 200):
        assert got.receipt.attempts[0].status == status


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failing(401, "bad key"), "auth"),
        (failing(403, "not yours"), "auth"),
        (failing(400, "bad"), "bad_request"),
        (failing(422, "bad"), "bad_request"),
        (failing(413, "large"), "bad_request"),
        (failing(404, "no such model"), "not_found"),
        (failing(402, "pay first"), "quota"),
        (rate_limited(0, code="insufficient_quota"), "quota"),
    ],
)
def test_a_lasting_failure_is_not_tried_again(server: MockOpenAI, answer: Answer, kind: str) -> None:
    server.then(answer)
    with pytest.raises(ProviderFault) as caught:
        ask(at(server))
    assert caught.value.kind == kind
    assert kinds(caught.value) == [kind]
    assert len(server.seen) == 1
    assert caught.value.receipt is not None
    assert caught.value.receipt.model == "openai/mock"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", ["openai/m", "hosted_vllm/m", "openrouter/a/m", "anthropic/m", "ollama_chat/m"])
def test_every_route_tells_failures_apart(server: MockOpenAI, model: str) -> None:
    server.then(rate_limited(0), failing(500), dropped("middle"), dropped("before"), cut_short(), reply("there"))
    got = ask(at(server, model))
    assert kinds(got) == ["rate_limit", "server", "truncated", "connection", "truncated"]
    assert got.message["content"] == "there"
    assert sum(count for path, count in server.paths().items() if not path.endswith("/show")) == 6
    server.reset()
    server.then(failing(401, "bad key"))
    with pytest.raises(ProviderFault) as caught:
        ask(at(server, model))
    assert caught.value.kind == "auth"
    server.then(failing(400, "This model's maximum context length is 4096 tokens", code="context_length_exceeded"))
    with pytest.raises(ContextExceeded):
        ask(at(server, model))


@pytest.mark.parametrize(
    ("model", "header"),
    [
        *(("openai/m", header) for header in ("seconds", "milliseconds", "date")),
        *((model, "milliseconds") for model in ("hosted_vllm/m", "openrouter/a/m", "anthropic/m", "ollama_chat/m")),
    ],
)
def test_retry_after_is_honoured(server: MockOpenAI, model: str, header: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    headers = {
        "seconds": {"Retry-After": "0.15"},
        "milliseconds": {"retry-after-ms": "150", "Retry-After": "9"},
        "date": {"Retry-After": date},
    }[header]
    server.then(failing(429, headers=headers), reply())
    got = ask(at(server, model), backoff=60.0)
    assert (server.seen[1].at - server.seen[0].at) >= (0.15 if header != "date" else 0.5)
    assert got.receipt.attempts[0].waited == pytest.approx(0.15 if header != "date" else 1.5, abs=0.6)
    assert got.waited >= got.receipt.attempts[0].waited


def test_the_number_of_attempts_is_bounded(server: MockOpenAI) -> None:
    server.default = rate_limited(0)
    with pytest.raises(ProviderFault) as caught:
        ask(at(server, retry=Retry(attempts=5, same_error=2)))
    assert caught.value.kind == "rate_limit"
    assert len(caught.value.attempts) == len(server.seen) == 5


def test_the_same_error_again_and_again_ends_the_retries(server: MockOpenAI) -> None:
    server.default = failing(500)
    with pytest.raises(ProviderFault, match="server 500 after 3 attempts"):
        ask(at(server, retry=Retry(attempts=50, same_error=3)))
    assert len(server.seen) == 3
    server.reset()
    server.then(failing(500), failing(500), failing(502), failing(500), failing(500), reply())
    assert len(kinds(ask(at(server, retry=Retry(attempts=50, same_error=3))))) == 5


def test_a_pause_longer_than_allowed_ends_the_retries(server: MockOpenAI) -> None:
    server.default = rate_limited(3600)
    begun = time.monotonic()
    accounts = Accounts()
    with pytest.raises(ProviderFault) as caught:
        ask(at(server, retry=Retry(seconds=5)), accounts=accounts)
    assert len(caught.value.attempts) == 1
    with pytest.raises(ProviderFault, match=r"wait 3[56].. s") as caught:
        ask(at(server, retry=Retry(seconds=5)), accounts=accounts)
    assert caught.value.attempts == []
    assert len(server.seen) == 1
    assert time.monotonic() - begun < 5


def test_a_late_reply_is_a_timeout_and_tried_again(server: MockOpenAI) -> None:
    server.then(slow(5.0), reply("there"))
    got = ask(at(server, timeout=0.2))
    assert kinds(got) == ["timeout"]
    assert got.waited >= 0.2
    assert got.seconds < got.waited + 5


def test_a_reply_that_never_ends_is_a_timeout_though_never_silent(server: MockOpenAI) -> None:
    server.default = reply("x" * 4000, drip=0.02)
    begun = time.monotonic()
    with pytest.raises(ProviderFault) as caught:
        ask(at(server, timeout=0.3, retry=Retry(attempts=2)))
    assert caught.value.kind == "timeout"
    assert time.monotonic() - begun < 5


def test_the_trials_own_time_ends_the_attempt(server: MockOpenAI) -> None:
    server.then(rate_limited(0), slow(30.0))
    with pytest.raises(TimeExceeded) as caught:
        ask(at(server), request(seconds_left=2.0))  # enough for the first attempt on a machine that is busy
    assert len(server.seen) == 2
    assert [attempt.error for attempt in caught.value.attempts] == ["rate_limit"]


def test_no_time_left_sends_nothing(server: MockOpenAI) -> None:
    with pytest.raises(TimeExceeded):
        ask(at(server), request(seconds_left=0.0))
    assert server.seen == []


def test_nobody_listens() -> None:
    with MockOpenAI() as server:
        entry = at(server, retry=Retry(attempts=2))
    with pytest.raises(ProviderFault) as caught:
        ask(entry)
    assert kinds(caught.value) == ["connection", "connection"]


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "the request exceeds the available context size, try increasing it",
    ],
)
def test_a_thread_too_long_is_a_limit_of_the_trial(server: MockOpenAI, text: str) -> None:
    server.default = failing(400, text)
    with pytest.raises(ContextExceeded):
        ask(at(server))
    assert len(server.seen) == 1


def test_a_filtered_prompt_is_an_answer(server: MockOpenAI) -> None:
    server.default = failing(400, "The response was filtered: content management policy", code="content_filter")
    got = ask(at(server))
    assert got.finish == "content_filter"
    assert got.message["content"] is None
    assert "filtered" in got.message["refusal"]
    assert got.usage.prompt is None
    assert got.cost is None


def test_cancelling_a_call_frees_its_place(server: MockOpenAI) -> None:
    import asyncio

    from harness.models.remote import LiteLLMModel

    server.default = slow(30.0)
    accounts = Accounts()

    async def use(model: LiteLLMModel) -> None:
        calls = [asyncio.create_task(model.complete(request())) for _ in range(6)]
        await until(lambda: len(server.seen) == 2)
        for call in calls:
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        server.default = reply("after")
        assert (await model.complete(request())).message["content"] == "after"

    with_model(at(server, concurrency=2), use, accounts=accounts)
    assert accounts.all()[0].running == 0


def test_a_shared_pause_holds_for_every_call_of_the_account(server: MockOpenAI) -> None:
    import asyncio

    from harness.models.remote import LiteLLMModel

    server.then(rate_limited(0.3))
    accounts = Accounts()

    async def use(model: LiteLLMModel) -> list[ModelReply]:
        first = asyncio.create_task(model.complete(request()))
        await until(lambda: accounts.all()[0].pause_left > 0)
        return await asyncio.gather(first, *(model.complete(request()) for _ in range(3)))

    replies = with_model(at(server), use, accounts=accounts)
    assert len(server.seen) == 5
    assert min(seen.at for seen in server.seen[1:]) - server.seen[0].at >= 0.29
    assert all(got.waited > 0.1 for got in replies)
    assert [len(got.receipt.attempts) for got in replies] == [1, 0, 0, 0]


def test_litellm_prints_nothing(server: MockOpenAI, capfd: pytest.CaptureFixture[str]) -> None:
    server.then(failing(500), cut_short(), reply(finish="odd"), failing(400))
    ask(at(server))
    with pytest.raises(ProviderFault):
        ask(at(server))
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
