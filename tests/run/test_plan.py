"""What `harness plan` says of money before any is spent."""

from __future__ import annotations

import json

from run.workbench import Workbench

from harness.run import plan_against_record, resolve, unheld_costs

MODELS = {
    "good": {"model": "scripted/script.yaml"},
    "local": {"model": "local/smollm2-135m"},
    "priced": {"model": "openai/unheard-of", "price": {"prompt": 1, "completion": 2}},
    "unpriced": {"model": "openai/unheard-of-too"},
}


def planned(bench: Workbench) -> dict[str, object]:
    said = bench.harness("plan", "sweep.yaml", "--json")
    assert said.returncode == 0, said.stderr
    shape: dict[str, object] = json.loads(said.stdout)
    return shape


def test_what_runs_here_is_free_and_what_is_unknown_is_unknown(bench: Workbench) -> None:
    bench.write("script.yaml", "kind: script\nrules:\n  - {say: hello}\n")
    bench.write("models.yaml", {"kind": "models", "models": MODELS})
    bench.change("sweep.yaml", models=list(MODELS))
    plan = planned(bench)
    costs = {model["model"]: model["cost"] for model in plan["models"]}  # type: ignore[attr-defined]
    assert (costs["good"], costs["local"], costs["unpriced"]) == (0.0, 0.0, None)
    assert costs["priced"] > 0
    assert plan["notes"] == []


def test_a_cost_limit_that_cannot_hold_is_told(bench: Workbench) -> None:
    bench.write("script.yaml", "kind: script\nrules:\n  - {say: hello}\n")
    bench.write("models.yaml", {"kind": "models", "models": MODELS})
    for bound in ({"budget": {"cost": 1.0}}, {"limits": {"cost": 0.5, "turns": 3}}):
        bench.change("sweep.yaml", models=list(MODELS), **bound)
        notes = unheld_costs(plan_against_record(resolve(str(bench.folder / "sweep.yaml")), bench.results))
        assert len(notes) == 1
        assert notes[0].startswith("model unpriced: its price is unknown")
