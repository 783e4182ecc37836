"""Replay answers from the record, by call key, and says so when the scaffold took another way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from models.calling import KEY, request

from harness.models import CallKey, Model, ModelReply, ProviderFault, Receipt, ReplayModel, Usage

RECORDED = ModelReply(
    message={"role": "assistant", "content": "as before"},
    finish="stop",
    usage=Usage(3, 2),
    cost=0.01,
    receipt=Receipt({}, {}, [], None, None, "openai/m", "m", None),
    seconds=1.5,
    waited=9.0,
)


def test_the_recorded_reply_comes_back_without_its_waiting() -> None:
    model: Model = ReplayModel("m", {KEY: RECORDED})
    assert asyncio.run(model.complete(request())) == replace(RECORDED, waited=0.0)


def test_a_call_that_was_not_recorded() -> None:
    model = ReplayModel("m", {KEY: RECORDED})
    with pytest.raises(ProviderFault, match=r"node ask, role agent, lane vote\.2, visit 1") as caught:
        asyncio.run(model.complete(request(key=CallKey("ask", "agent", "vote.2", 1))))
    assert caught.value.kind == "replay"
