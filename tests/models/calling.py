"""Short ways to build a model against the mock server and to call it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from models.openai_server import MockOpenAI

from harness.models import Accounts, CallKey, ModelReply, ModelRequest
from harness.models.remote import LiteLLMModel
from harness.spec.resolved import LoadedModel
from harness.spec.sweep import ModelEntry

T = TypeVar("T")
KEY = CallKey(node="ask", role="agent", lane="main", visit=1)
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "look",
            "description": "Looks.",
            "parameters": {
                "type": "object",
                "properties": {"at": {"type": "string"}},
                "required": ["at"],
                "additionalProperties": False,
            },
        },
    }
]
FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "action",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"at": {"type": "string"}},
            "required": ["at"],
            "additionalProperties": False,
        },
    },
}


def loaded(model: str = "openai/mock", name: str = "m", **entry: Any) -> LoadedModel:
    """A models file's entry, as loaded."""
    return LoadedModel(name=name, entry=ModelEntry(model=model, **entry), path=Path("models.yaml"), digest="0")


def at(server: MockOpenAI, model: str = "openai/mock", **entry: Any) -> LoadedModel:
    """An entry that points at the mock server."""
    base = server.root if model.startswith(("anthropic/", "ollama")) else server.url
    return loaded(model, **{"api_base": base, **entry})


def request(**changes: Any) -> ModelRequest:
    """A call without anything special."""
    given: dict[str, Any] = {
        "key": KEY,
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        "tools": None,
        "response_format": None,
        "parameters": {},
        "seed": 7,
    }
    return ModelRequest(**{**given, **changes})


def with_model(
    entry: LoadedModel,
    use: Callable[[LiteLLMModel], Awaitable[T]],
    *,
    parameters: dict[str, Any] | None = None,
    accounts: Accounts | None = None,
    backoff: float = 0.005,
) -> T:
    """Builds the model, uses it in a loop of its own, closes it."""

    async def main() -> T:
        model = LiteLLMModel(entry, parameters=parameters or {}, accounts=accounts or Accounts(), _backoff=backoff)
        try:
            return await use(model)
        finally:
            await model.close()

    return asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition, 10 s at most."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


def ask(entry: LoadedModel, ask_for: ModelRequest | None = None, **options: Any) -> ModelReply:
    """One call."""
    return with_model(entry, lambda model: model.complete(ask_for or request()), **options)
