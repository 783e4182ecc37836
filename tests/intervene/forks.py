"""Two scripted models whose chance is their own, and their forks in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from run.workbench import Workbench, new_bench

from harness.intervene.forking import Wishes, fork_at, fork_from
from harness.intervene.origin import open_origin
from harness.intervene.planning import carry_out_asked
from harness.intervene.states import select_states
from harness.record import Results, TrialDocument, TrialRecord
from harness.run import SweepOutcome
from harness.run.progress import PlainProgress

CLOCKS: dict[str, Any] = {"started": 0, "seconds": 0, "waited": 0, "replayed": False}

COUNTS: dict[str, Any] = {
    "kind": "script",
    "rules": [
        {"visit": 1, "call": {"tool": "query", "arguments": {"sql": "select * from goods"}}},
        {
            "visit": 2,
            "choose": [
                {"call": {"tool": "query", "arguments": {"sql": f"select {n}, name from goods"}}} for n in range(4)
            ],
        },
        {
            "choose": [
                {"call": {"tool": "submit", "arguments": {"answer": "500"}}},
                {"call": {"tool": "submit", "arguments": {"answer": "7"}}},
            ]
        },
    ],
}


def models(**entries: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "models", "models": entries}


def counting_bench(folder: Path) -> Workbench:
    """Two scripted models with one script, whose chance is their own, over three tasks."""
    made = new_bench(folder)
    made.write("counts.yaml", COUNTS)
    made.write(
        "models.yaml",
        models(ann={"model": "scripted/counts.yaml"}, ben={"model": "scripted/counts.yaml", "variant": "b"}),
    )
    made.change("sweep.yaml", models=["ann", "ben"], repeats=1)
    return made


def forked(bench: Workbench, name: str = "bench-fork") -> Results:
    return Results(bench.results / name)


def fork(bench: Workbench, trial: str, at: int, *onto: str, sweep: str = "bench", **wishes: Any) -> SweepOutcome:
    """Fork in this process."""

    given = {"models": onto, "repeats": 1, "budget": 1.0, **wishes}
    with open_origin(bench.results / sweep) as origin:
        return carry_out_asked(fork_at(origin, trial, at, Wishes(**given)), bench.results, PlainProgress)


def fork_all(bench: Workbench, states: str = "every:1", sweep: str = "bench", **wishes: Any) -> SweepOutcome:

    given = {"models": (), "repeats": 1, "budget": 1.0, **wishes}
    with open_origin(bench.results / sweep) as origin:
        chosen = select_states(origin, states, bench.results)
        asked = fork_from(origin, chosen.moments, Wishes(**given), {"states": states}, chosen.notes, chosen.makers)
        return carry_out_asked(asked, bench.results, PlainProgress)


def timeless(document: TrialDocument) -> str:
    """The document as JSON, without clocks and the mark of what was replayed."""
    events = [
        event.model_copy(update={name: value for name, value in CLOCKS.items() if name in type(event).model_fields})
        for event in document.events
    ]
    return document.model_copy(update={"events": events}).model_dump_json()


def assert_same_to_the_byte(first: TrialRecord, second: TrialRecord) -> None:
    assert timeless(first.document) == timeless(second.document)
    assert first.final_state == second.final_state
    assert (first.row.score, first.row.passed, first.row.answer) == (
        second.row.score,
        second.row.passed,
        second.row.answer,
    )
    assert first.checks == second.checks
