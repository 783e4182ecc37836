"""What a call cost: the entry's own price, else litellm's local price map, else unknown, which is None and never zero.

With a price of the map, litellm's own reckoning of the response counts (it knows discounts for cached tokens and
steps by length), and a provider that states the cost itself is believed. The map is only read as a table: asking
litellm about a model can make it call the model's server.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.models.protocol import ModelSetupError, Usage
from harness.models.remote.loading import find_provider, load_litellm

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedModel
    from harness.spec.sweep import Price


def map_price(loaded: LoadedModel) -> Price | None:
    """The model's price in litellm's local map; None when it is not there, or the model string cannot be placed."""
    from harness.spec.sweep import Price

    try:
        provider, name = find_provider(loaded)
    except ModelSetupError:
        return None
    table = load_litellm().model_cost
    for key, own in ((loaded.entry.model, True), (f"{provider}/{name}", True), (name, False)):
        found = table.get(key)
        if found is None or not (own or found.get("litellm_provider") == provider):
            continue
        prompt, completion = found.get("input_cost_per_token"), found.get("output_cost_per_token")
        if prompt is not None and completion is not None:
            return Price(prompt=prompt * 1e6, completion=completion * 1e6)
    return None


def cost_of(response: object, usage: Usage, own: Price | None, mapped: Price | None) -> float | None:
    """US dollars of one reply."""
    if own is not None:
        if usage.prompt is None or usage.completion is None:
            return None
        return (usage.prompt * own.prompt + usage.completion * own.completion) / 1e6
    hidden = getattr(response, "_hidden_params", None) or {}
    stated = (hidden.get("additional_headers") or {}).get("llm_provider-x-litellm-response-cost")
    if (cost := _money(stated)) is not None:
        return cost
    if mapped is None or usage.prompt is None:
        return None
    return _money(hidden.get("response_cost"))


def _money(said: object) -> float | None:
    """US dollars, if it is an amount that can be spent: a negative one would enlarge the budget."""
    try:
        amount = float(str(said))
    except ValueError:
        return None
    return amount if math.isfinite(amount) and amount >= 0 else None
