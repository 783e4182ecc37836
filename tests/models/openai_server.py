"""A real HTTP server on loopback that speaks the OpenAI chat protocol and misbehaves on order.

    with MockOpenAI() as server:
        server.then(rate_limited(retry_after=0), reply("hello"))
        ...                                     # point a model at server.url
        assert len(server.seen) == 2

Each request takes the next scripted answer; when none is left, `server.default` answers: an `Answer`, or a
function from `Seen` to one. The server runs in a thread with a loop of its own, so it serves synchronous tests,
asynchronous ones and child processes alike. It also answers at Anthropic's (`/v1/messages`) and Ollama's
(`/api/chat`) addresses, in their formats. As a program: `python tests/models/openai_server.py --port 8123`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web


@dataclass(frozen=True)
class Answer:
    """What one request gets."""

    text: str | None = "ok"
    tool_calls: Sequence[tuple[str, str]] = ()
    """(name, arguments as the raw string)."""
    finish: str | None = None
    usage: dict[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    )
    model: str | None = None
    """The model said to have answered; the one asked for when None."""
    fingerprint: str | None = "fp_mock"
    message: dict[str, Any] = field(default_factory=dict)
    """Further fields of the message, e.g. `refusal`, `reasoning_content`."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    """Sent instead of a chat completion: bytes raw, anything else as JSON."""
    delay: float = 0.0
    """Seconds before the first byte."""
    hang_up: Literal["before", "middle", None] = None
    """Break the connection before any byte, or in the middle of the body."""
    drip: float = 0.0
    """Seconds between single bytes of the body: never silent, never done."""
    echo_authorization: bool = False
    """Put the request's keys into the body, as careless servers do."""


@dataclass(frozen=True)
class Seen:
    """A request as it came in."""

    index: int
    """From 0, over all requests."""
    path: str
    headers: Mapping[str, str]
    """Found in any spelling."""
    body: dict[str, Any]
    at: float
    """`time.monotonic()`."""


def reply(text: str | None = "ok", **changes: Any) -> Answer:
    """A good answer."""
    return Answer(text=text, **changes)


def calls(*tool_calls: tuple[str, str], text: str | None = None, **changes: Any) -> Answer:
    """An answer with tool calls; arguments go out as the raw string given, valid JSON or not."""
    return Answer(text=text, tool_calls=tool_calls, **changes)


def failing(
    status: int, message: str = "it failed", *, code: str | None = None, kind: str = "error", **changes: Any
) -> Answer:
    """An error in OpenAI's format."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Answer(status=status, body=body, **changes)


def rate_limited(
    retry_after: float | str | None = None, *, code: str = "rate_limit_exceeded", **changes: Any
) -> Answer:
    """A 429; `insufficient_quota` as `code` is the kind no waiting mends."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return failing(429, "Rate limit reached", code=code, kind=code, headers=headers, **changes)


def slow(seconds: float, **changes: Any) -> Answer:
    """A good answer, late."""
    return Answer(delay=seconds, **changes)


def dropped(where: Literal["before", "middle"] = "middle", **changes: Any) -> Answer:
    """A connection that breaks."""
    return Answer(hang_up=where, **changes)


def cut_short() -> Answer:
    """A whole HTTP response whose JSON stops in the middle."""
    return Answer(body=b'{"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"index": 0, "mess')


def no_choices() -> Answer:
    """A chat completion without any choice."""
    return Answer(body={"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "mock", "choices": []})


class MockOpenAI:
    """The server; see the module's docstring."""

    def __init__(self, default: Answer | Callable[[Seen], Answer] | None = None, port: int = 0) -> None:
        self.default: Answer | Callable[[Seen], Answer] = default or Answer()
        self.seen: list[Seen] = []
        self.at_once = 0
        """Most requests in progress at the same time so far."""
        self._script: deque[Answer] = deque()
        self._open = 0
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    @property
    def root(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The api_base of an OpenAI client."""
        return f"{self.root}/v1"

    def then(self, *answers: Answer) -> None:
        """Scripts the next answers, in order of arrival."""
        self._script.extend(answers)

    def bodies(self) -> list[dict[str, Any]]:
        """The requests' bodies, in order of arrival."""
        return [seen.body for seen in self.seen]

    def paths(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(seen.path for seen in self.seen)

    def reset(self) -> None:
        """Forgets requests and script."""
        self.seen.clear()
        self._script.clear()
        self.at_once = 0

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the mock server did not start")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/{path:.*}", self._handle)
        app.router.add_get("/stats", self._stats)
        return app

    async def _stats(self, request: web.Request) -> web.Response:
        return web.json_response({"requests": len(self.seen), "at_once": self.at_once})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        seen = Seen(len(self.seen), request.path, request.headers.copy(), body, time.monotonic())
        self.seen.append(seen)
        self._open += 1
        self.at_once = max(self.at_once, self._open)
        try:
            default = self.default
            answer = self._script.popleft() if self._script else default(seen) if callable(default) else default
            return await self._answer(request, seen, answer)
        finally:
            self._open -= 1

    async def _answer(self, request: web.Request, seen: Seen, answer: Answer) -> web.StreamResponse:
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.hang_up == "before":
            request.transport.abort()  # type: ignore[union-attr]
            return web.Response()
        content = _content(seen, answer)
        headers = {"Content-Type": "application/json", **answer.headers}
        if not answer.hang_up and not answer.drip:
            return web.Response(status=answer.status, body=content, headers=headers)
        response = web.StreamResponse(status=answer.status, headers={**headers, "Content-Length": str(len(content))})
        await response.prepare(request)
        if answer.hang_up:
            await response.write(content[: len(content) // 2])
            await asyncio.sleep(0.01)
            request.transport.close()  # type: ignore[union-attr]
            return response
        for place in range(len(content)):
            await response.write(content[place : place + 1])
            await asyncio.sleep(answer.drip)
        return response


def _content(seen: Seen, answer: Answer) -> bytes:
    if answer.echo_authorization:
        keys = {k: v for k, v in seen.headers.items() if k.lower() in ("authorization", "x-api-key")}
        answer = replace(answer, body={"error": {"message": f"cannot serve you with {keys}", "headers": keys}})
    if isinstance(answer.body, bytes):
        return answer.body
    if answer.body is not None:
        return json.dumps(answer.body).encode()
    if seen.path.endswith("/messages"):
        return json.dumps(_anthropic(seen, answer)).encode()
    if seen.path.endswith("/api/chat"):
        return json.dumps(_ollama(seen, answer)).encode()
    return json.dumps(_openai(seen, answer)).encode()


def _openai(seen: Seen, answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, **answer.message}
    if answer.tool_calls:
        message["tool_calls"] = [
            {"id": f"call_{seen.index}_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for n, (name, arguments) in enumerate(answer.tool_calls)
        ]
    finish = answer.finish or ("tool_calls" if answer.tool_calls else "stop")
    body = {
        "id": f"chatcmpl-{seen.index}",
        "object": "chat.completion",
        "created": 1700000000,
        "model": answer.model or seen.body.get("model", "mock"),
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
    }
    if answer.fingerprint:
        body["system_fingerprint"] = answer.fingerprint
    if answer.usage is not None:
        body["usage"] = answer.usage
    return body


def _anthropic(seen: Seen, answer: Answer) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": answer.text}] if answer.text else []
    content += [
        {"type": "tool_use", "id": f"toolu_{seen.index}_{n}", "name": name, "input": json.loads(arguments)}
        for n, (name, arguments) in enumerate(answer.tool_calls)
    ]
    usage = answer.usage or {}
    return {
        "id": f"msg_{seen.index}",
        "type": "message",
        "role": "assistant",
        "model": answer.model or seen.body["model"],
        "content": content,
        "stop_reason": answer.finish or ("tool_use" if answer.tool_calls else "end_turn"),
        "stop_sequence": None,
        "usage": {"input_tokens": usage.get("prompt_tokens", 0), "output_tokens": usage.get("completion_tokens", 0)},
    }


def _ollama(seen: Seen, answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or ""}
    if answer.tool_calls:
        message["tool_calls"] = [
            {"function": {"name": name, "arguments": json.loads(arguments)}} for name, arguments in answer.tool_calls
        ]
    usage = answer.usage or {}
    return {
        "model": answer.model or seen.body["model"],
        "created_at": "2026-01-01T00:00:00Z",
        "message": message,
        "done": True,
        "done_reason": answer.finish or "stop",
        "prompt_eval_count": usage.get("prompt_tokens", 0),
        "eval_count": usage.get("completion_tokens", 0),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--query", action="store_true", help="call the tool query where there are tools")
    arguments = parser.parse_args()
    spoken = Answer(delay=arguments.delay)
    called = calls(("query", '{"sql": "select stock from goods"}'), delay=arguments.delay)

    def either(seen: Seen) -> Answer:
        return called if arguments.query and seen.body.get("tools") else spoken

    with MockOpenAI(either, port=arguments.port) as mock:
        print(mock.url, flush=True)
        threading.Event().wait()
