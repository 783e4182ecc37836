"""The one place that imports litellm, and what it says about a model string: provider, key, account.

litellm works at import: it would download its price map and other tables, read a `.env` file and print hints beside
every error. Environment variables it looks at (only those the user has not set) and one switch of its own turn
that off; nothing else of litellm is changed anywhere in the harness.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from harness.models.protocol import ModelSetupError

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedModel

_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "CRITICAL",
}
"""No downloads; no `.env`; warnings meant for litellm's proxy kept off the progress display."""
NO_KEY = "no-key"
"""Sent to a server of one's own (`api_base`) when there is no key: clients insist on one, such servers do not look."""


@cache
def load_litellm() -> ModuleType:
    """Litellm, imported on first use (2 s of CPU, more without byte code)."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import litellm

    litellm.suppress_debug_info = True
    return litellm


@cache
def load_client() -> None:
    """What litellm would import during the first call (a second of CPU), so that no trial's clock pays for it."""
    load_litellm()
    import_module("openai.resources")
    import_module("tenacity.asyncio")


@dataclass(frozen=True)
class Route:
    """Where litellm sends the calls of a model."""

    provider: str
    name: str
    """The model as the provider calls it."""
    key: str | None
    """To hand to litellm; None when litellm finds the provider's own variable by itself."""
    key_variables: tuple[str, ...]
    """Environment variables the key comes from."""
    account: str


def find_provider(loaded: LoadedModel) -> tuple[str, str]:
    """(provider, model as the provider calls it). Raises `ModelSetupError` for a string litellm cannot place."""
    litellm = load_litellm()
    entry = loaded.entry
    try:
        name, provider, _, _ = litellm.get_llm_provider(model=entry.model, api_base=entry.api_base)
    except litellm.exceptions.BadRequestError:
        raise ModelSetupError(
            f"model '{loaded.name}': litellm knows no provider for '{entry.model}'; write provider/model, "
            f"for an OpenAI-compatible server openai/{entry.model} with api_base"
        ) from None
    return provider, name


def find_route(loaded: LoadedModel) -> Route:
    """Provider, key and account of a model. Raises `ModelSetupError` when the provider or its key is not there."""
    provider, name = find_provider(loaded)
    entry = loaded.entry
    account = entry.account or f"{provider} {entry.api_base or ''}".strip()
    if entry.api_key_env is not None:
        key = os.environ.get(entry.api_key_env)
        if not key:
            raise ModelSetupError(
                f"model '{loaded.name}': the environment variable {entry.api_key_env} (its api_key_env) is not set; "
                f"export {entry.api_key_env}=... or change api_key_env in {loaded.path.name}"
            )
        return Route(provider, name, key, (entry.api_key_env,), account)
    missing = _missing_keys(entry.model)
    if missing and entry.api_base is None:
        raise ModelSetupError(
            f"model '{loaded.name}': no key for {provider}: {' or '.join(missing)} is not set; export it, "
            f"or name another variable with api_key_env in {loaded.path.name}"
        )
    return Route(provider, name, NO_KEY if missing else None, missing, account)


def _missing_keys(model: str) -> tuple[str, ...]:
    """Names of the key variables of the provider, none of which is set; empty when one is, or none is needed.

    Cloud credentials (AWS, Google) have ways of their own besides variables, so they are not asked for here.
    """
    report = load_litellm().validate_environment(model=model)
    if report["keys_in_environment"]:
        return ()
    names = (name for name in report["missing_keys"] if name.endswith(("_API_KEY", "_TOKEN")))
    return tuple(sorted(name for name in names if not name.startswith(("AWS_", "GOOGLE_APPLICATION"))))
