"""From an entry `local/...` to what is served and how it is called, and what is wrong with it before anything runs.

Three parameters are the server's and are not sent with calls: `n_ctx` (tokens a thread may have), `n_parallel`
(calls generated at once) and `n_threads` (all cores this process may use, when absent). All others are llama.cpp's
(`temperature`, `top_k`, `min_p`, ...) and go out with every call.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from harness.models.local.catalogue import CatalogueModel
from harness.models.local.server import cores
from harness.models.local.source import Source, context_of, source_of
from harness.models.protocol import ModelSetupError

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedModel

ACCOUNT = "local"
"""All local models share one account: they share the cores of one machine.

Two of them at work at once are no slower than one after the other (SmolLM2 and Qwen2.5-Coder-0.5B on two cores: 400
tokens in 12-14 s together, 20-21 s apart), so the account bounds calls, and does not take turns between models.
"""
SERVER_PARAMETERS = ("n_ctx", "n_parallel", "n_threads")
DEFAULT_PARALLEL = 4
DEFAULT_MAX_TOKENS = 256
"""Small models ramble; a reply without a bound can take minutes."""
DEFAULT_TIMEOUT = 600.0
"""Seconds for one attempt: a long prompt on a busy machine takes longer than any hosted model."""
LOOPBACK = "http://127.0.0.1"


@dataclass(frozen=True)
class Means:
    """What the server is given."""

    n_ctx: int
    n_parallel: int
    n_threads: int


def check_local(
    loaded: LoadedModel,
    parameters: Mapping[str, JsonValue],
    needs: Collection[Literal["tools", "response_format"]] = (),
) -> list[str]:
    """Problems that can be told before anything is downloaded or started, one line each."""
    try:
        require_engine(loaded.name)
        source = usable_source(loaded)
        means_of(loaded, parameters, source)
    except ModelSetupError as problem:
        return [str(problem)]
    if isinstance(source, Path) and not source.is_file():
        return [f"model '{loaded.name}': there is no file {source}"]
    from harness.models.remote import check_parameters

    return check_parameters(as_remote(loaded, f"{LOOPBACK}/v1"), sent_parameters(parameters), needs)


def require_engine(name: str) -> None:
    """Raises `ModelSetupError` when the engine is not installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelSetupError(
            f"model '{name}': local models need the [local] extra: pip install 'scaffold-harness[local]'"
        )


def usable_source(loaded: LoadedModel) -> Source:
    """Where the weights come from. Raises `ModelSetupError`, for a model that cannot chat too."""
    source = source_of(loaded)
    if isinstance(source, CatalogueModel) and not source.chat:
        raise ModelSetupError(
            f"model '{loaded.name}': {source.name} is a base model without a chat template and cannot follow a thread; "
            "take another of the catalogue (harness models)"
        )
    return source


def means_of(loaded: LoadedModel, parameters: Mapping[str, JsonValue], source: Source) -> Means:
    """The server's share of the parameters. Raises `ModelSetupError`."""
    given = {**loaded.entry.parameters, **parameters}
    values = {"n_ctx": context_of(source), "n_parallel": DEFAULT_PARALLEL, "n_threads": cores()}
    for name in SERVER_PARAMETERS:
        value = given.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ModelSetupError(f"model '{loaded.name}': {name} is a whole number from 1 up, not {value!r}")
        values[name] = value
    return Means(**values)


def sent_parameters(parameters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What goes out with calls: all but the server's."""
    return {name: value for name, value in parameters.items() if name not in SERVER_PARAMETERS}


def as_remote(loaded: LoadedModel, api_base: str, n_parallel: int | None = None) -> LoadedModel:
    """The entry as litellm sees it: an OpenAI-compatible server on this machine that costs nothing."""
    from dataclasses import replace

    from harness.spec.sweep import Price

    entry = loaded.entry
    source = loaded.entry.model.rpartition("/")[2]
    changed: dict[str, object] = {
        "model": f"openai/{source.rpartition(':')[2]}",
        "api_base": api_base,
        "api_key_env": None,
        "account": entry.account or ACCOUNT,
        "concurrency": entry.concurrency or n_parallel,
        "parameters": {"max_tokens": DEFAULT_MAX_TOKENS} | sent_parameters(entry.parameters),
        "price": entry.price or Price(prompt=0.0, completion=0.0),
    }
    if "timeout" not in entry.model_fields_set:
        changed["timeout"] = DEFAULT_TIMEOUT
    return replace(loaded, entry=entry.model_copy(update=changed))
