"""Keys are written nowhere."""

from __future__ import annotations

import asyncio
import copy

import pytest
from models.calling import ask, at, request
from models.openai_server import Answer, MockOpenAI, reply

from harness.models import Accounts, ProviderFault, redact, redact_data
from harness.models.remote import LiteLLMModel
from harness.spec.sweep import Retry

KEY = "very-private-value-0123456789"


@pytest.mark.parametrize("status", [400, 401, 500])
@pytest.mark.parametrize("model", ["openai/m", "anthropic/m", "hosted_vllm/m"])
def test_a_server_that_echoes_the_key(
    server: MockOpenAI, monkeypatch: pytest.MonkeyPatch, status: int, model: str
) -> None:
    monkeypatch.setenv("GATEWAY", KEY)
    server.default = Answer(status=status, echo_authorization=True)
    with pytest.raises(ProviderFault) as caught:
        ask(at(server, model, api_key_env="GATEWAY", retry=Retry(attempts=2)))
    told = repr(caught.value) + str(caught.value) + repr(caught.value.attempts) + repr(caught.value.receipt)
    assert KEY not in told
    assert "[redacted GATEWAY]" in told
    assert KEY in repr(server.seen[0].headers)
    cause: BaseException | None = caught.value
    assert cause is not None
    assert cause.__cause__ is None
    assert cause.__suppress_context__


def test_a_key_that_no_variable_holds(server: MockOpenAI) -> None:
    server.default = Answer(status=400, echo_authorization=True)

    async def main() -> None:
        model = LiteLLMModel(at(server), parameters={}, accounts=Accounts(), key=KEY)
        with pytest.raises(ProviderFault) as caught:
            await model.complete(request())
        assert server.seen[0].headers["Authorization"] == f"Bearer {KEY}"
        assert KEY not in str(caught.value)
        assert "[redacted key]" in str(caught.value)
        await model.close()

    asyncio.run(main())


def test_a_key_is_not_cut_in_half_by_the_length_limit(server: MockOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", KEY)
    server.default = reply(status=400, body={"error": {"message": "x" * 480 + KEY}})
    with pytest.raises(ProviderFault) as caught:
        ask(at(server, api_key_env="GATEWAY"))
    assert KEY[:8] not in str(caught.value)
    assert len(caught.value.attempts[0].message) <= 500


def test_the_environments_secrets_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("A_API_KEY", "MY_TOKEN", "DB_PASSWORD", "CLIENT_SECRET"):
        monkeypatch.setenv(name, f"value-of-{name}")
    monkeypatch.setenv("ORDINARY", "value-of-nothing")
    monkeypatch.setenv("SHORT_KEY", "abc")
    text = (
        " ".join(f"value-of-{n}" for n in ("A_API_KEY", "MY_TOKEN", "DB_PASSWORD", "CLIENT_SECRET", "nothing")) + " abc"
    )
    assert redact(text) == (
        "[redacted A_API_KEY] [redacted MY_TOKEN] [redacted DB_PASSWORD] [redacted CLIENT_SECRET] value-of-nothing abc"
    )


def test_a_secret_within_a_secret_and_other_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONG_KEY", 'abcdefgh/ij"k')
    monkeypatch.setenv("SHORTER_KEY", "abcdefgh")
    assert redact('abcdefgh/ij"k abcdefgh') == "[redacted LONG_KEY] [redacted SHORTER_KEY]"
    assert redact("?k=abcdefgh%2Fij%22k") == "?k=[redacted LONG_KEY]"
    assert redact('{"a": "abcdefgh/ij\\"k"}') == '{"a": "[redacted LONG_KEY]"}'


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc123def456",
        "Authorization: Bearer abcdef123456789",
        "key AIzaSyA1234567890abcdefghijklmnopqrstu is wrong",
        "https://host/v1?key=abcdef12345&x=1",
        "{'api_key': 'abcdef123456'}",
        "gsk_abcdefghijklmnop",
    ],
)
def test_texts_that_look_like_keys(text: str) -> None:
    redacted = redact(text)
    assert "[redacted" in redacted
    assert "abcdef" not in redacted
    assert "abc123" not in redacted


def test_records_lose_the_environments_secrets_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)
    data = {"a": [f"see {KEY}", "sk-task-about-keys-1", 3, None], KEY: True, "t": ("x", KEY)}
    before = copy.deepcopy(data)
    assert redact_data(data) == {
        "a": ["see [redacted SOME_API_KEY]", "sk-task-about-keys-1", 3, None],
        "[redacted SOME_API_KEY]": True,
        "t": ("x", "[redacted SOME_API_KEY]"),
    }
    assert data == before
    clean = {"a": [1, "b"]}
    assert redact_data(clean) is clean
