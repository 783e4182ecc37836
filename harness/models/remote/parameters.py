"""Which parameters go to a model: merged, dropped by name, checked before anything runs.

Entry < sweep < call: the later one wins, and a value of null takes a parameter away. Nothing is dropped silently:
what the provider does not take is a problem at plan time, or is named under `drop` in the models file.

**Seeds.** A provider that takes `seed` is sent one derived from the trial's seed and the call's key, so repeats
differ and trials pair across models; to one that takes none, none is sent and its receipts show none. A `seed`
among the parameters is sent as it is, with every call; `seed: null` or `drop: [seed]` sends none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from harness.models.protocol import ModelRequest, ModelSetupError
from harness.models.remote.loading import find_provider, load_litellm
from harness.models.seeds import call_seed

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedModel
    from harness.spec.sweep import ModelEntry

_ELSEWHERE = {
    "model": "it is the entry's `model`",
    "messages": "the scaffold makes the messages",
    "tools": "the scaffold's protocol offers the tools",
    "functions": "the scaffold's protocol offers the tools",
    "function_call": "the scaffold's protocol offers the tools; `tool_choice` steers them",
    "response_format": "the scaffold's protocol asks for it",
    "stream": "calls are never streamed",
    "stream_options": "calls are never streamed",
    "n": "a call has one reply; use repeats, or a branch node",
    "timeout": "write `timeout` beside `parameters`",
    "request_timeout": "write `timeout` beside `parameters`",
    "max_retries": "write `retry` beside `parameters`",
    "num_retries": "write `retry` beside `parameters`",
    "api_base": "write `api_base` beside `parameters`",
    "base_url": "write `api_base` beside `parameters`",
    "api_key": "keys come from the environment; write `api_key_env` beside `parameters`",
    "drop_params": "list what is not to be sent under `drop`",
    "additional_drop_params": "list what is not to be sent under `drop`",
}
"""Parameters that are not the model's, and where what they would do belongs."""
_ADDRESSING = frozenset(
    {
        *("api_version", "organization", "base_model", "deployment_id", "region_name", "aws_region_name"),
        *("vertex_project", "vertex_location", "vertex_ai_project", "vertex_ai_location"),
        *("extra_body", "extra_headers", "allowed_openai_params"),
    }
)
"""litellm's own that say where or how a call goes; these may be given."""
_WITH_TOOLS_ONLY = ("tool_choice", "parallel_tool_calls")
_UNSEEN: dict[str, Any] = {
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}],
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "action", "strict": True, "schema": {"type": "object", "properties": {}}},
    },
}


@dataclass(frozen=True)
class Prepared:
    """The arguments of one call, and what became of those asked for."""

    asked: dict[str, JsonValue]
    arguments: dict[str, Any]
    dropped: list[str]


def prepare(
    entry: ModelEntry, parameters: Mapping[str, JsonValue], request: ModelRequest, *, takes_seed: bool
) -> Prepared:
    """Merges entry, sweep and call, adds tools, response format and seed, and drops by name."""
    asked = {**entry.parameters, **parameters, **request.parameters}
    arguments: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if request.tools:
        arguments["tools"] = request.tools
    else:
        for name in _WITH_TOOLS_ONLY:
            arguments.pop(name, None)
    if request.response_format is not None:
        arguments["response_format"] = request.response_format
    if takes_seed and "seed" not in asked:
        arguments["seed"] = call_seed(request.seed, request.key)
    dropped = [name for name in entry.drop if arguments.pop(name, None) is not None]
    return Prepared(_recordable(asked), arguments, dropped)


def check_parameters(
    loaded: LoadedModel, parameters: Mapping[str, JsonValue], needs: Collection[str] = ()
) -> list[str]:
    """Problems that sending these parameters would meet, one line each, without sending anything."""
    try:
        provider, name = find_provider(loaded)
    except ModelSetupError as problem:
        return [str(problem)]
    entry = loaded.entry
    given = {k: v for k, v in {**entry.parameters, **parameters}.items() if v is not None and k not in entry.drop}
    problems = [problem for problem in map(_misplaced, given) if problem]
    given = {k: v for k, v in given.items() if not _misplaced(k)}
    given |= {need: _UNSEEN[need] for need in needs if need not in entry.drop}
    if not needs or "tools" not in needs:
        given = {k: v for k, v in given.items() if k not in _WITH_TOOLS_ONLY}
    singly = [refusal for key, value in given.items() if (refusal := _refusal(provider, name, {key: value}))]
    together = None if singly else _refusal(provider, name, given)
    problems += singly or ([together] if together else [])
    return [f"model '{loaded.name}': {problem}" for problem in problems]


def takes_seed(provider: str, name: str) -> bool:
    """Whether the provider takes `seed` for this model, as litellm knows it."""
    supported = load_litellm().get_supported_openai_params(model=name, custom_llm_provider=provider)
    return "seed" in (supported or ())


@cache
def _litellms_own() -> frozenset[str]:
    load_litellm()
    from litellm.types.utils import all_litellm_params

    return frozenset(all_litellm_params) - _ADDRESSING


def _misplaced(name: str) -> str | None:
    if name in _ELSEWHERE:
        return f"'{name}' is no parameter of a model; {_ELSEWHERE[name]}"
    if name in _litellms_own() or name.startswith("mock_"):
        return f"'{name}' steers litellm and not the model; remove it"
    known = _known_names()
    if name not in known and (near := get_close_matches(name, known, n=1, cutoff=0.88)):
        return f"unknown parameter '{name}' (did you mean {near[0]}? to send it as it is, put it into extra_body)"
    return None


@cache
def _known_names() -> frozenset[str]:
    load_litellm()
    from litellm.constants import DEFAULT_CHAT_COMPLETION_PARAM_VALUES

    return frozenset(DEFAULT_CHAT_COMPLETION_PARAM_VALUES) | _ADDRESSING


def _refusal(provider: str, name: str, parameters: dict[str, Any]) -> str | None:
    """What litellm says against sending these parameters to this model, with the mend; None when it sends them."""
    litellm = load_litellm()
    passed = {k: v for k, v in parameters.items() if k not in _ADDRESSING or k == "allowed_openai_params"}
    try:
        litellm.get_optional_params(model=name, custom_llm_provider=provider, **passed)
    except litellm.exceptions.UnsupportedParamsError as error:
        names = ", ".join(f"'{key}'" for key in parameters)
        said = str(error).removeprefix("litellm.UnsupportedParamsError: ").splitlines()[0]
        if said.startswith(f"{provider} does not support parameters"):
            return f"provider {provider} does not take {names}; remove it, or list it under drop in models.yaml"
        return f"{said[:200].rstrip('.')}; change it, or list it under drop in models.yaml"
    except (litellm.exceptions.BadRequestError, ValueError, TypeError, KeyError, AttributeError) as error:
        names = ", ".join(f"'{key}'" for key in parameters)
        return f"provider {provider} cannot be sent {names}: {' '.join(str(error).split())[:200]}"
    return None


def _recordable(asked: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """As asked, but of headers only the names: their values may be keys."""
    headers = asked.get("extra_headers")
    if not isinstance(headers, dict):
        return asked
    names: list[JsonValue] = [*sorted(headers)]
    return {**asked, "extra_headers": names}
