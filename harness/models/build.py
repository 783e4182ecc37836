"""From an entry of the models file to a model: the prefix of the model string says which backend.

`local/...` is an embedded model, `scripted/...` a scripted one, everything else goes through litellm. Backends
are imported when the first model of theirs is built.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from harness.models.accounts import Accounts
from harness.models.protocol import Model

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedModel
    from harness.spec.sweep import Price

Need = Literal["tools", "response_format"]
"""What a scaffold's action protocol asks of a provider: `native` needs tools, `json` a response format."""


def build_model(loaded: LoadedModel, *, parameters: dict[str, JsonValue], accounts: Accounts) -> Model:
    """The model of an entry; `parameters` are the sweep's. Raises `ModelSetupError` when it cannot be used at all."""
    match backend_of(loaded.entry.model):
        case "local":
            from harness.models.local import LocalModel

            return LocalModel(loaded, parameters=parameters, accounts=accounts)
        case "scripted":
            from harness.models.scripted import ScriptedModel

            return ScriptedModel(loaded, parameters=parameters)
        case _:
            from harness.models.remote import LiteLLMModel

            return LiteLLMModel(loaded, parameters=parameters, accounts=accounts)


def check_parameters(loaded: LoadedModel, parameters: dict[str, JsonValue], needs: Collection[Need] = ()) -> list[str]:
    """What is wrong with sending these parameters (the sweep's and scaffold's, over the entry's own) to this model.

    One line per problem, with its mend; nothing is sent. `needs` are the scaffold's.
    """
    match backend_of(loaded.entry.model):
        case "local":
            from harness.models.local import check_local

            return check_local(loaded, parameters, needs)
        case "scripted":
            from harness.models.scripted import check_script

            return check_script(loaded)
        case _:
            from harness.models.remote import check_parameters as check

            return check(loaded, parameters, needs)


def price_of(loaded: LoadedModel) -> Price | None:
    """US dollars per million tokens: the entry's own, zero for what runs here, else litellm's map; None is unknown."""
    if loaded.entry.price is not None:
        return loaded.entry.price
    if backend_of(loaded.entry.model) != "litellm":
        from harness.spec.sweep import Price

        return Price(prompt=0.0, completion=0.0)
    from harness.models.remote import map_price

    return map_price(loaded)


def is_local(loaded: LoadedModel) -> bool:
    """Whether the model is an embedded one, so that its trials share this machine's cores."""
    return backend_of(loaded.entry.model) == "local"


def backend_of(model: str) -> Literal["local", "scripted", "litellm"]:
    """Which backend a model string names."""
    match model.partition("/")[0]:
        case "local":
            return "local"
        case "scripted":
            return "scripted"
        case _:
            return "litellm"
