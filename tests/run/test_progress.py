"""What a person sees of a run under way."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from rich.console import Console
from run.workbench import Workbench

from harness.models import Usage
from harness.record import TrialRow
from harness.run import plan_against_record, resolve
from harness.run.events import Called, Started, TrialEnded, TrialStarted
from harness.run.progress import LiveProgress, PlainProgress


def row(**fields: Any) -> TrialRow:
    values: dict[str, Any] = {"model": "good", "passed": None, "fault": None, "error": None} | fields
    return TrialRow.model_construct(**values, trial="t", scenario="stock", task="nail")


def some_events(bench: Workbench) -> list[Any]:
    bench.write("script.yaml", "kind: script\nrules:\n  - {say: hello}\n")
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/script.yaml"}}})
    plan = plan_against_record(resolve(str(bench.folder / "sweep.yaml")), bench.results)
    reply: Any = SimpleNamespace(usage=Usage(10, 20), cost=0.5)
    first, second, third = plan.to_run
    return [
        Started(plan), TrialStarted(first), TrialStarted(second), TrialStarted(third), Called("good", reply),
        TrialEnded(first, row(passed=True), again=False), TrialEnded(second, row(fault="model"), again=False),
    ]  # fmt: skip


def test_the_live_table_has_everything_of_each_model(bench: Workbench) -> None:
    live = LiveProgress()
    events = some_events(bench)
    for event in events:
        live._tally.take(event)
    console = Console(file=io.StringIO(), width=120)
    console.print(live._draw())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    titles, values = (line.split() for line in text.splitlines()[-2:])
    assert titles == ["model", "done", "running", "passed", "faults", "tokens/s", "spent", "left"]
    assert values[:4] == ["good", "2/3", "1", "1/1"]
    assert "1 model" in text
    assert "$0.5000" in values
    assert values[-1] == "0:00"


def test_plain_lines_say_the_same(bench: Workbench) -> None:
    out = io.StringIO()
    plain = PlainProgress(out)
    for event in some_events(bench):
        plain(event)
    summary = plain._summary()
    assert summary.startswith("2/3 trials (good 2/3, 1 running, 1 model faults, ")
    assert "spent $0.5000" in summary
    assert out.getvalue() == "3 trials asked, 0 already recorded, 3 to run\n"
