"""What another model wrote, sent through litellm to servers that refuse what the real ones refuse."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from intervene.forks import fork
from models.calling import TOOLS, ask, at, loaded, request
from models.openai_server import Answer, MockOpenAI, Seen, calls, failing
from run.workbench import new_bench

from harness.environments import Observation
from harness.intervene.translation import Translation
from harness.models import Message, ModelReply, ModelRequest, ProviderFault, Receipt, Usage
from harness.record import Results
from harness.report import print_trajectory
from harness.scaffolds.protocols.native import NativeProtocol
from harness.spec.resolved import LoadedModel
from harness.spec.scaffold import Protocol

NATIVE = NativeProtocol(Protocol(kind="native"))
OPENING: list[Message] = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "Look around."}]
SIGNED = [{"type": "thinking", "thinking": "Let me look.", "signature": "c2lnbmVk"}]
SEALED = [{"type": "redacted_thinking", "data": "c2VhbGVk"}]


def said(maker: str, *ids: str, text: str | None = "Looking.", **fields: Any) -> ModelReply:
    """A reply of a model with calls of these ids."""
    made = [{"name": "look", "arguments": json.dumps({"at": f"place {n}"})} for n in range(len(ids))]
    called = [{"id": name, "type": "function", "function": call} for name, call in zip(ids, made, strict=True)]
    message: Message = {"role": "assistant", "content": text, **fields, "tool_calls": called}
    return ModelReply(
        message, "tool_calls", Usage(), None, Receipt({}, {}, [], None, None, maker, None, None), 0.1, 0.0
    )


CLAUDE = said("anthropic/claude-opus-4-5", "toolu_01A", thinking_blocks=SIGNED, reasoning_content="Let me look.")
SEALED_CLAUDE = said("anthropic/claude-opus-4-5", "toolu_01B", thinking_blocks=SEALED)
GEMINI = said("gemini/gemini-3-pro-preview", f"call_abc__thought__{'QUJD' * 30}", f"call_def__thought__{'REVG' * 30}")
GPT = said("openai/gpt-5.1", "call_" + "a1B2" * 6, reasoning_details=[{"type": "reasoning.encrypted", "data": "eA=="}])
MISTRAL = said("mistral/mistral-large-latest", "Ab3dE6gH9")
DEEPSEEK = said("deepseek/deepseek-reasoner", "call_0", "call_1", reasoning_content="Hm.")
NAMELESS = said("openai/some-server", "", "", text=None)
EVERYBODY = [CLAUDE, SEALED_CLAUDE, GEMINI, GPT, MISTRAL, DEEPSEEK, NAMELESS]


def thread(*replies: ModelReply) -> list[Message]:
    """The thread as a scaffold holds it after these replies."""
    messages = list(OPENING)
    for reply in replies:
        actions = NATIVE.parse(reply, [])
        messages.append(NATIVE.thread_message(reply, actions))
        messages += NATIVE.answers([(action, Observation("A door.")) for action in actions])
    return messages


def asked(*replies: ModelReply) -> ModelRequest:
    return request(messages=thread(*replies), tools=TOOLS)


def paired(messages: list[Message]) -> None:
    """Every call has its answer right after it, and no id comes twice."""
    seen: set[str] = set()
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting
        waiting = [call["id"] for call in message.get("tool_calls") or []]
        assert len(set(waiting)) == len(waiting)
        assert seen.isdisjoint(waiting)
        seen |= set(waiting)
    assert not waiting


def refusal(body: dict[str, Any], form: str, longest: int, fields: set[str]) -> str | None:
    """What an OpenAI-like server says against the messages: ids, their pairs, and fields it does not know."""
    waiting: list[str] = []
    for n, message in enumerate(body["messages"]):
        if unknown := set(message) - fields:
            return f"messages[{n}]: extra fields not permitted: {sorted(unknown)}"
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return f"messages[{n}]: tool_call_id {message['tool_call_id']} answers no call"
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            return f"messages[{n}]: calls without an answer: {waiting}"
        waiting = [call["id"] for call in message.get("tool_calls") or []]
        for name in waiting:
            if not re.fullmatch(form, name) or len(name) > longest:
                return f"messages[{n}]: id {name} must match {form}, at most {longest} long"
    return None


COMMON = {"role", "content", "tool_calls", "tool_call_id", "name"}


def strict_openai(seen: Seen) -> Answer:
    why = refusal(seen.body, r".+", 40, COMMON)
    return failing(400, why) if why else calls(("look", '{"at": "here"}'))


def strict_mistral(seen: Seen) -> Answer:
    why = refusal(seen.body, r"[a-zA-Z0-9]{9}", 9, COMMON)
    return failing(400, f"Tool call id was wrong: {why}") if why else calls(("look", '{"at": "here"}'))


def strict_deepseek(seen: Seen) -> Answer:
    why = refusal(seen.body, r".+", 64, COMMON | {"reasoning_content"})
    bare = [m for m in seen.body["messages"] if m["role"] == "assistant" and not m.get("reasoning_content")]
    why = why or ("The reasoning_content in the thinking mode must be passed back to the API." if bare else None)
    return failing(400, why) if why else calls(("look", '{"at": "here"}'))


def strict_anthropic(own: set[str]) -> Callable[[Seen], Answer]:
    """A server that knows the signatures `own` of its model."""

    def answer(seen: Seen) -> Answer:
        waiting: list[str] = []
        used: set[str] = set()
        for n, message in enumerate(seen.body["messages"]):
            for m, block in enumerate(message["content"] if isinstance(message["content"], list) else []):
                where = f"messages.{n}.content.{m}"
                signature = block.get("signature") or block.get("data")
                if block["type"] in ("thinking", "redacted_thinking") and signature not in own:
                    return failing(400, f"{where}: Invalid `signature` in `thinking` block", kind="invalid_request")
                if block["type"] == "tool_use":
                    if not re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]):
                        return failing(400, f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
                    if block["id"] in used:
                        return failing(400, f"{where}: `tool_use` ids must be unique")
                    used.add(block["id"])
                    waiting.append(block["id"])
                if block["type"] == "tool_result":
                    if block["tool_use_id"] not in waiting:
                        return failing(400, f"{where}: unexpected `tool_use_id` found in `tool_result` blocks")
                    waiting.remove(block["tool_use_id"])
        return calls(("look", '{"at": "here"}'))

    return answer


def strict_gemini(own: set[str]) -> Callable[[Seen], Answer]:
    def answer(seen: Seen) -> Answer:
        for content in seen.body["contents"]:
            made = [part for part in content["parts"] if "functionCall" in part or "function_call" in part]
            signatures = [part.get("thoughtSignature") for part in made]
            if made and not signatures[0]:
                return failing(400, "Function call is missing a thought_signature in functionCall parts.")
            if wrong := [s for s in signatures if s and s not in own and s != SKIPPED]:
                return failing(400, f"Corrupted thought signature: {wrong[0][:20]}")
        part = {"functionCall": {"name": "look", "args": {"at": "here"}}, "thoughtSignature": "QUJD"}
        usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
        content = {"role": "model", "parts": [part]}
        return Answer(body={"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage})

    return answer


FREE = {"prompt": 0, "completion": 0}
SKIPPED = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""`skip_thought_signature_validator`, which Google documents for calls that another model made."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockOpenAI]:
    for provider in ("OPENAI", "ANTHROPIC", "GEMINI", "MISTRAL", "DEEPSEEK"):
        monkeypatch.setenv(f"{provider}_API_KEY", "key-of-a-test")
    with MockOpenAI() as server:
        yield server


def onward(server: MockOpenAI, model: str, strict: Callable[[Seen], Answer], *replies: ModelReply) -> ModelReply:
    """Ask a model to go on after these replies, translated, over the wire."""
    server.default = strict
    base = f"{server.root}/v1beta/{model.replace('gemini/', 'models/')}" if model.startswith("gemini/") else None
    entry = at(server, model, **({"api_base": base} if base else {}))
    translated, changes = Translation.of(replies).towards(entry)(asked(*replies))
    paired(translated.messages)
    assert changes
    return ask(entry, translated)


STRICT: dict[str, Callable[[Seen], Answer]] = {
    "openai/gpt-5.1": strict_openai,
    "mistral/mistral-large-latest": strict_mistral,
    "deepseek/deepseek-reasoner": strict_deepseek,
    "anthropic/claude-sonnet-4-5": strict_anthropic(set()),
    "gemini/gemini-3-flash-preview": strict_gemini(set()),
}


@pytest.mark.parametrize("model", STRICT)
def test_what_anybody_wrote_can_be_gone_on_with_by_everybody(server: MockOpenAI, model: str) -> None:
    reply = onward(server, model, STRICT[model], *EVERYBODY)
    assert reply.message["tool_calls"][0]["function"]["name"] == "look"


@pytest.mark.parametrize(
    ("model", "reply"),
    [
        ("anthropic/claude-sonnet-4-5", CLAUDE), ("anthropic/claude-sonnet-4-5", SEALED_CLAUDE),
        ("mistral/mistral-large-latest", GPT), ("gemini/gemini-3-flash-preview", GEMINI),
    ],
)  # fmt: skip
def test_the_servers_of_these_tests_refuse_what_is_not_translated(
    server: MockOpenAI, model: str, reply: ModelReply
) -> None:
    server.default = STRICT[model]
    base = f"{server.root}/v1beta/{model.replace('gemini/', 'models/')}" if model.startswith("gemini/") else None
    entry = at(server, model, retry={"attempts": 1}, **({"api_base": base} if base else {}))
    with pytest.raises(ProviderFault, match="bad_request"):
        ask(entry, asked(reply))


def test_the_model_that_had_played_takes_back_all_of_its_own(server: MockOpenAI) -> None:
    server.default = strict_anthropic({"c2lnbmVk", "c2VhbGVk"})
    entry = at(server, "anthropic/claude-opus-4-5")
    before = asked(CLAUDE, SEALED_CLAUDE)
    translated, changes = Translation.of([CLAUDE, SEALED_CLAUDE]).towards(entry)(before)
    assert (translated, changes) == (before, [])
    ask(entry, translated)
    (sent,) = server.bodies()
    kinds = [
        block["type"] for message in sent["messages"] for block in message["content"] if message["role"] == "assistant"
    ]
    assert kinds[:3] == ["thinking", "text", "tool_use"]
    assert "redacted_thinking" in kinds


@pytest.mark.parametrize("reply", EVERYBODY[:-1], ids=lambda reply: reply.receipt.model)
def test_a_sham_changes_nothing(reply: ModelReply) -> None:
    before = asked(reply)
    kept = copy.deepcopy(before.messages)
    translated, changes = Translation.of([reply]).towards(loaded(reply.receipt.model))(before)
    assert translated is before
    assert changes == []
    assert before.messages == kept


def test_the_receipt_says_what_was_changed() -> None:
    towards = Translation.of(EVERYBODY).towards(loaded("mistral/mistral-small-latest"))
    _, changes = towards(asked(CLAUDE, GEMINI, MISTRAL))
    assert changes == [
        "message 2: thinking_blocks, reasoning_content left out",
        "message 2: 1 call id made anew",
        "message 4: 2 thought signatures left out of call ids",
        "message 4: 2 call ids made anew",
    ]


def test_reasoning_in_plain_text_is_taken_back_within_a_provider() -> None:
    towards = Translation.of([DEEPSEEK]).towards(loaded("deepseek/deepseek-chat"))
    translated, changes = towards(asked(DEEPSEEK))
    assert translated.messages[2]["reasoning_content"] == "Hm."
    assert changes == []
    _, changes = Translation.of([CLAUDE]).towards(loaded("anthropic/claude-sonnet-4-5"))(asked(CLAUDE))
    assert changes == ["message 2: thinking_blocks, reasoning_content left out"]


def test_own_messages_stay_and_ids_are_never_the_same_twice() -> None:
    """Servers that give no ids get `call_0` from the thread, message after message, whoever wrote it."""
    own = said("anthropic/claude-opus-4-5", "call_0", thinking_blocks=SIGNED)
    theirs = said("openai/some-server", "", text="Looking.")
    towards = Translation.of([theirs, theirs]).towards(loaded("anthropic/claude-opus-4-5"))
    before = asked(theirs, theirs, own, own)
    translated, changes = towards(before)
    paired(translated.messages)
    assert [m.get("thinking_blocks") for m in translated.messages if m["role"] == "assistant"] == [
        None, None, SIGNED, SIGNED,
    ]  # fmt: skip
    assert translated.messages[6]["tool_calls"][0]["id"] == "call_0"
    assert changes[-1] == "message 8: 1 call id made anew"


def test_what_is_before_a_message_alone_says_what_becomes_of_it() -> None:
    """So that reasoning bound to the messages before it still is, however the thread grows."""
    own = said("anthropic/claude-opus-4-5", "toolu_9", thinking_blocks=SIGNED)
    towards = Translation.of(EVERYBODY).towards(loaded("anthropic/claude-opus-4-1"))
    short, _ = towards(asked(*EVERYBODY))
    long, _ = towards(asked(*EVERYBODY, own, own, own))
    assert long.messages[: len(short.messages)] == short.messages
    again, _ = Translation.of(EVERYBODY).towards(loaded("anthropic/claude-opus-4-1"))(asked(*EVERYBODY))
    assert again.messages == short.messages


def test_the_same_words_of_both_are_told_apart_by_their_order() -> None:
    theirs, own = said("openai/gpt-5.1", "call_7"), said("openai/some-server", "call_7")
    towards = Translation.of([theirs]).towards(loaded("mistral/mistral-small-latest"))
    translated, changes = towards(asked(theirs, own))
    paired(translated.messages)
    assert len(changes) == 2  # the first by its maker, the second because the id does not fit


def test_parts_and_marks_of_other_providers_are_left_out() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Looking.", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]
    reply = said("mistral/magistral-medium-latest", "Ab3dE6gH9")
    reply.message["content"] = parts
    translated, changes = Translation.of([reply]).towards(loaded("openai/gpt-5.1"))(asked(reply))
    assert translated.messages[2]["content"] == "Looking."
    assert changes[0] == "message 2: content of type thinking, content of type image_url left out"


def test_a_thread_without_calls_is_left_alone() -> None:
    before = request()
    assert Translation.of([CLAUDE]).towards(loaded("openai/gpt-5.1"))(before) == (before, [])


def test_scripted_models_take_what_scripted_models_wrote() -> None:
    first = said("scripted/counts.yaml", "call_think_1_0")
    entry: LoadedModel = loaded("scripted/other.yaml")
    assert Translation.of([first]).towards(entry)(asked(first))[1] == []


def claude_and_others(seen: Seen) -> Answer:
    """One server for both: Anthropic's thinks and signs, Mistral's takes its own ids only."""
    if not seen.path.endswith("/messages"):
        refused = strict_mistral(seen)
        done = any(m["role"] == "tool" and "hammer" in m["content"] for m in seen.body["messages"])
        return refused if refused.status != 200 else calls(("submit", '{"answer": "7"}' if done else '{"answer": "?"}'))
    place = sum(message["role"] == "assistant" for message in seen.body["messages"])
    refused = strict_anthropic({f"signature {n}" for n in range(place)})(seen)
    if refused.status != 200:
        return refused
    name, given = ("query", {"sql": "select * from goods"}) if place < 2 else ("submit", {"answer": "7"})
    return Answer(body={
        "id": f"msg_{place}", "type": "message", "role": "assistant", "model": "claude-opus-4-5", "stop_sequence": None,
        "stop_reason": "tool_use", "usage": {"input_tokens": 5, "output_tokens": 5},
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": f"signature {place}"},
            {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": given},
        ],
    })  # fmt: skip


def test_a_fork_goes_on_over_the_wire_and_its_receipts_say_what_was_translated(
    server: MockOpenAI, tmp_path: Path
) -> None:
    server.default = claude_and_others
    bench = new_bench(tmp_path)
    entries = {
        "claude": {"model": "anthropic/claude-opus-4-5", "api_base": server.root, "parameters": {"max_tokens": 2000}},
        "mistral": {"model": "mistral/mistral-large-latest", "api_base": server.url, "price": FREE},
    }
    entries["claude"]["price"] = FREE
    bench.write("models.yaml", {"kind": "models", "models": entries})
    bench.change("sweep.yaml", models=["claude"], tasks=["hammer"])
    bench.run()
    (row,) = bench.rows()
    assert row.passed, row.error
    for place, model in ((2, "mistral"), (0, "mistral"), (2, "claude")):
        fork(bench, row.trial, place, model)
    results = Results(bench.results / "bench-fork")
    assert results.drift.empty
    assert results.trials["state"].eq("completed").all(), results.trials["error"].tolist()
    translated = {}
    for found in results.store.rows():
        record = results.store.record(found.trial)
        receipts = [event.receipt for event in record.document.events if event.type == "call" and not event.replayed]
        assert record.lineage is not None
        translated[record.lineage.at, record.row.model] = [receipt["translated"] for receipt in receipts if receipt]
    assert translated[2, "claude"] == [[]]
    assert translated[0, "mistral"] == [[]]
    assert translated[2, "mistral"] == [
        [text for n in (2, 4) for text in (
            f"message {n}: reasoning_content, thinking_blocks left out", f"message {n}: 1 call id made anew",
        )]
    ]  # fmt: skip
    child = next(row for row in results.store.rows() if row.model == "mistral" and row.passed)
    shown = io.StringIO()
    print_trajectory(results.store.record(child.trial), "bench-fork", stream=shown)
    assert "translated: message 2: " in shown.getvalue()
