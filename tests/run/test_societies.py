"""Whole trials of the worlds of several seats under the shipped scaffold `turns`: a model of its own in every seat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from run.workbench import Workbench

from harness.record import TrialRow

SCRIPTS = {
    "sharing": "rules:\n  - {call: {tool: graze, arguments: {animals: 3}}}\n",
    "greedy": "rules:\n  - {call: {tool: graze, arguments: {animals: 8}}}\n",
    "talker": "rules:\n  - {say: We should graze less. I graze none.}\n",
    "buyer": """rules:
  - {visit: 1, say: I have seen better lamps.}
  - {visit: 2, call: {tool: offer, arguments: {side: buy, good: lamp, price: 14}}}
  - {call: {tool: accept, arguments: {offer: 2}}}
""",
    "seller": """rules:
  - {when: "'Offer #1' in last", call: {tool: counter, arguments: {offer: 1, price: 18}}}
  - {call: {tool: pass_turn}}
""",
}


@pytest.fixture
def table(bench: Workbench) -> Workbench:
    for name, rules in SCRIPTS.items():
        bench.write(f"{name}.yaml", f"kind: script\n{rules}")
    models = {name: {"model": f"scripted/{name}.yaml"} for name in SCRIPTS}
    bench.write("models.yaml", {"kind": "models", "models": models})
    return bench


def world(kind: str, order: str, seats: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kind": "scenario",
        "name": kind,
        "summary": "One world, several seats.",
        "environment": {"kind": kind, "order": order, "seats": seats, **more},
        "roles": {
            name: {"brief": "You are {{ role }}.", "tools": None} for name in seats
        },
        "tasks": [{"id": "all", "brief": "Do as you like.", "checks": [{"kind": "reward", "of": "efficiency"}]}],
        "measures": {"gini": {"kind": "reward", "of": "gini"}, "over": {"kind": "expression", "value": "state.over"}},
    }  # fmt: skip


def only(bench: Workbench) -> TrialRow:
    (row,) = bench.rows()
    return row


@pytest.mark.parametrize("order", ["turns", "at_once"])
def test_every_seat_of_a_pasture_is_played_by_its_own_model(table: Workbench, order: str) -> None:
    seats = {name: {"most": 8} for name in ("alf", "bea", "carl", "dina")}
    table.write("pasture.yaml", world("pasture", order, seats, rounds=6, grass=64, growth=50))
    table.change(
        "sweep.yaml", scenarios=["pasture.yaml"], scaffolds=["turns"], models=["sharing"], limits={"turns": 200},
        roles={"carl": ["sharing", "greedy"], "dina": ["sharing", "talker"]},
    )  # fmt: skip
    assert table.run().results == 4
    found = {(row.models["carl"], row.models["dina"]): row for row in table.rows()}
    assert {row.state for row in found.values()} == {"completed"}
    scores = {seats: row.score for seats, row in found.items()}
    assert scores["sharing", "sharing"] == 1.0
    assert 0.85 < (scores["greedy", "sharing"] or 0) < 1.0  # 17 animals a season, where 12 would be best
    assert 0.85 < (scores["sharing", "talker"] or 0) < 1.0  # and 9
    assert {row.measures["over"] for row in found.values()} == {"the rounds are over"}
    # A seat that only talks uses its actions up, and the world goes on: 6 seasons of 4 words, and of 3 moves.
    assert found["sharing", "talker"].turns == 6 * (4 + 3)


@pytest.mark.parametrize("order", ["turns", "at_once"])
def test_a_bargain_is_struck_between_two_models(table: Workbench, order: str) -> None:
    seats = {
        "nell": {"plays": "buyer", "cash": 30, "values": {"lamp": 22}},
        "otto": {"plays": "seller", "goods": {"lamp": 1}, "values": {"lamp": 12}},
    }
    table.write("bazaar.yaml", world("bazaar", order, seats, rounds=4, closes_after=1))
    table.change(
        "sweep.yaml", scenarios=["bazaar.yaml"], scaffolds=["turns"], models=["buyer"], limits={"turns": 60},
        roles={"nell": "buyer", "otto": "seller"},
    )  # fmt: skip
    assert table.run().results == 1
    row = only(table)
    assert (row.state, row.score, row.measures["over"]) == ("completed", 1.0, "1 sold, and the bazaar closes")
    document = table.record.store.record(row.trial).document
    told = json.dumps([dict(message) for message in document.messages.values()])
    assert "nell: I have seen better lamps." in told
    assert {call.role: call.model for call in document.events if hasattr(call, "model")} == {
        "nell": "buyer", "otto": "seller",
    }  # fmt: skip


def test_a_recorded_trial_is_the_way_back(table: Workbench) -> None:
    seats = {name: {"most": 8} for name in ("alf", "bea", "carl")}
    table.write("pasture.yaml", world("pasture", "at_once", seats, rounds=3))
    table.change("sweep.yaml", scenarios=["pasture.yaml"], scaffolds=["turns"], models=["greedy"], repeats=2)
    table.run()
    first, second = ([event["observation"] for event in _tools(table, row)] for row in table.rows())
    assert first == second and first  # no chance in it: both repeats see the same


def _tools(bench: Workbench, row: TrialRow) -> list[dict[str, Any]]:
    document = bench.record.store.record(row.trial).document
    return [event.model_dump() for event in document.events if type(event).__name__ == "ToolEvent"]
