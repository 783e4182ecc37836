"""Sweeps to probe, and probing them in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from run.workbench import Workbench, new_bench

from harness.intervene.origin import open_origin
from harness.intervene.planning import carry_out_asked, plan_recorded
from harness.intervene.probing import Wishes, probe_states
from harness.intervene.states import Selected, select_states
from harness.record import Results
from harness.run import SweepOutcome
from harness.run.progress import PlainProgress

STAGES: dict[str, Any] = {
    "kind": "scaffold",
    "name": "stages",
    "summary": "A plan in words, a look, a check, then the end.",
    "protocol": {"kind": "native"},
    "start": "plan",
    "nodes": {
        "plan": {"kind": "generate", "tools": False, "next": "look"},
        "look": {"kind": "generate", "next": "act"},
        "act": {"kind": "act", "next": "check"},
        "check": {"kind": "generate", "next": "do"},
        "do": {"kind": "act", "next": "end"},
    },
}
"""Three nodes at which the model is asked, one after the other."""


def query(sql: str, weight: int = 1) -> dict[str, Any]:
    return {"weight": weight, "call": {"tool": "query", "arguments": {"sql": sql}}}


def stages(*, plan: int = 1, look: int = 1, check: int = 1) -> dict[str, Any]:
    """A script for `STAGES` that draws what it does at each node; the numbers are weights of the first choice."""
    return {
        "kind": "script",
        "rules": [
            {"node": "plan", "choose": [{"weight": plan, "say": "Look first."}, {"weight": 1, "say": "Guess."}]},
            {"node": "look", "choose": [query("select 1", look), query("select name from goods"), query("select 2")]},
            {"choose": [query("select 3", check), query("select stock from goods"), query("select 4")]},
        ],
    }


def stages_bench(folder: Path, tasks: int = 8, **scripts: dict[str, Any]) -> Workbench:
    """A sweep over `STAGES` of models with these scripts, each with a chance of its own."""
    bench = new_bench(folder)
    bench.write("loop.yaml", STAGES)
    entries = {}
    for name, script in scripts.items():
        bench.write(f"{name}.yaml", script)
        entries[name] = {"model": f"scripted/{name}.yaml", "variant": name}
    bench.write("models.yaml", {"kind": "models", "models": entries})
    one = bench.written["stock.yaml"]["tasks"][0]
    bench.change("stock.yaml", tasks=[{**one, "id": f"task-{n}"} for n in range(tasks)])
    bench.change("sweep.yaml", models=list(scripts), repeats=1)
    return bench


def selected(bench: Workbench, states: str = "every:1", sweep: str = "bench", **wishes: Any) -> Selected:
    with open_origin(bench.results / sweep) as origin:
        return select_states(origin, states, bench.results, **wishes)


def probe(
    bench: Workbench, states: str = "every:1", sweep: str = "bench", most: int | None = None, **wishes: Any
) -> SweepOutcome:
    """Probe in this process; every model of the sweep, five times, unless told otherwise."""
    given = {"models": (), "repeats": 5, "budget": 1.0, **wishes}
    with open_origin(bench.results / sweep) as origin:
        chosen = select_states(origin, states, bench.results, most=most)
        asked = probe_states(origin, chosen, Wishes(**given), {"states": states})
        plan_recorded(asked, bench.results)
        return carry_out_asked(asked, bench.results, PlainProgress)


def probed(bench: Workbench, name: str = "bench-probe") -> Results:
    return Results(bench.results / name)
