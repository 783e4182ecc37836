"""A sweep over a game of two seats under the shipped scaffold `turns`, each seat with a model of its own."""

from __future__ import annotations

import pytest
from run.workbench import Workbench

from harness.record import NodeEvent
from harness.run import plan_against_record, resolve
from harness.spec import SpecError

GAME = {
    "kind": "scenario",
    "name": "total",
    "summary": "Who reaches the total?",
    "environment": {"kind": "environments.number_game:NumberGame", "target": 6},
    "roles": {
        "odd": {"brief": "You play first.", "tools": ["look", "add"]},
        "even": {"brief": "You play second.", "tools": ["look", "add"], "opening": "Wait for your turn, {{ role }}."},
    },
    "tasks": [
        {"id": "six", "brief": "Reach 6.", "setup": {"start": 0},
         "checks": [{"kind": "state", "expression": "state.winner == 'odd'"}]}
    ],
}  # fmt: skip


def script(amount: int) -> str:
    return f"kind: script\nrules:\n  - {{call: {{tool: add, arguments: {{amount: {amount}}}}}}}\n"


@pytest.fixture
def table(bench: Workbench) -> Workbench:
    bench.write("bold.yaml", script(3))
    bench.write("meek.yaml", script(1))
    models = {name: {"model": f"scripted/{name}.yaml"} for name in ("bold", "meek")}
    bench.write("models.yaml", {"kind": "models", "models": models})
    bench.write("total.yaml", GAME)
    bench.change("sweep.yaml", scenarios=["total.yaml"], scaffolds=["turns"], models=["bold"])
    return bench


def test_every_seat_has_its_own_model_and_thread(table: Workbench) -> None:
    table.change("sweep.yaml", roles={"odd": ["bold", "meek"], "even": ["bold", "meek"]}, limits={"turns": 20})
    assert table.run().results == 4
    rows = {(row.models["odd"], row.models["even"]): row for row in table.rows()}
    won = {seats: row.score for seats, row in rows.items()}
    # 3+3 ends with even; 3+1+3 with odd; 1+3+1+3 with even (7 >= 6); 1+1+1+1+1+1 with even.
    assert won == {("bold", "bold"): 0.0, ("bold", "meek"): 1.0, ("meek", "bold"): 0.0, ("meek", "meek"): 0.0}
    assert {row.state for row in rows.values()} == {"completed"}
    record = table.record.store.record(rows["bold", "meek"].trial)
    heard = [event.role for event in record.document.events if isinstance(event, NodeEvent) and event.kind == "hear"]
    assert heard == ["odd", "even", "odd"]
    assert {call.role: call.model for call in record.document.events if hasattr(call, "model")} == {
        "odd": "bold", "even": "meek",
    }  # fmt: skip


def test_a_seat_held_fixed_is_crossed_with_nothing(table: Workbench) -> None:
    table.change("sweep.yaml", models=["bold", "meek"], roles={"even": "meek"})
    plan = plan_against_record(resolve(str(table.folder / "sweep.yaml")), table.results)
    assert [dict(cell.seats) for cell in plan.cells] == [{"odd": "odd", "even": "even"}] * 2
    seated = [{role: loaded.name for role, loaded in cell.models.items()} for cell in plan.cells]
    assert seated == [{"odd": "bold", "even": "meek"}, {"odd": "meek", "even": "meek"}]


def test_a_seat_that_is_not_there_is_told(table: Workbench) -> None:
    table.change("sweep.yaml", roles={"evn": "meek"})
    with pytest.raises(SpecError, match=r"unknown role 'evn'; the scaffolds have even, odd .did you mean even"):
        resolve(str(table.folder / "sweep.yaml"))


def test_an_opening_of_its_own_takes_the_place_of_the_brief(table: Workbench) -> None:
    table.run()
    record = table.record.store.record(table.rows()[0].trial)
    first = {message["content"] for message in record.document.messages.values() if message.get("role") == "user"}
    assert "Wait for your turn, even." in first
    assert "Reach 6." in first


def test_roles_take_turns_as_written_and_their_order_is_part_of_what_a_trial_is(table: Workbench) -> None:
    table.run()
    first = table.rows()[0]
    table.change("total.yaml", roles=dict(reversed(GAME["roles"].items())))
    table.run()
    (second,) = (row for row in table.rows() if row.cell != first.cell)
    assert second.situation_hash != first.situation_hash
    calls = table.record.store.record(second.trial).document.events
    assert next(event.role for event in calls if isinstance(event, NodeEvent)) == "even"
