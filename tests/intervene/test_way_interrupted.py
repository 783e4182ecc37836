"""An intervention that is killed or interrupted loses nothing, doubles nothing, and pays nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from intervene.fickle import LOOK, Ledger, calls

from harness.record import RecordError, Results, TrialRow

DRIVER = """
import sys
from pathlib import Path
from intervene.fickle import carried
from run.workbench import Workbench
from harness.intervene.carrying import Continued
from harness.intervene.origin import open_origin

bench = Workbench(Path(sys.argv[1]))
with open_origin(bench.results / "bench") as origin:
    outcome, _ = carried(
        bench, origin, origin.rows[0], 2, Continued(origin), name="again", model="ben", repeats=4, same_chance=False,
        concurrency=2,
    )
print(outcome.ran, outcome.results, outcome.cost)
"""
PRICE = {"prompt": 0.0, "completion": 1e6}
"""A dollar for each word."""


def prepared(ledger: Ledger) -> TrialRow:
    """A trial of `ann`, to be gone on with by `ben`, who takes 0.2 s for each of three calls."""
    ledger.scripts(
        ann=calls("one", LOOK, "two"), ben=calls("one", LOOK, "three", LOOK, delay=0.2, usage={"completion": 1})
    )
    models = {name: {"model": f"scripted/{name}.yaml", "price": PRICE} for name in ("ann", "ben")}
    ledger.bench.write("models.yaml", {"kind": "models", "models": models})
    ledger.bench.change("sweep.yaml", models=["ann"])
    return ledger.recorded()


def started(ledger: Ledger) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, str(ledger.bench.folder)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip


def ended(ledger: Ledger) -> tuple[int, int, float]:
    """Carried out to the end: trials run, results, and what was paid."""
    out, err = started(ledger).communicate(timeout=60)
    assert out, err
    ran, results, cost = out.split()
    return int(ran), int(results), float(cost)


def wait_until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def rows(ledger: Ledger, current: bool = True) -> list[TrialRow]:
    try:
        return Results(ledger.bench.results / "again").store.rows(current=current)
    except RecordError:  # not begun yet
        return []


def test_killed_on_the_way(ledger: Ledger) -> None:
    prepared(ledger)
    process = started(ledger)
    wait_until(lambda: len(rows(ledger)) >= 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {row.trial: row for row in rows(ledger)}
    assert 2 <= len(before) < 4
    assert ended(ledger)[:2] == (4 - len(before), 4)
    after = rows(ledger, current=False)
    assert len(after) == len({(row.cell, row.repeat) for row in after}) == 4
    kept = {row.trial: row.started for row in after if row.trial in before}
    assert kept == {trial: row.started for trial, row in before.items()}
    assert Results(ledger.bench.results / "again").drift.empty
    assert ended(ledger) == (0, 4, 0.0)


def test_interrupted_after_paid_replies(ledger: Ledger) -> None:
    """Of each trial that was under way a reply was paid for: it is given again, and only the others are asked for."""
    prepared(ledger)
    process = started(ledger)
    wait_until(
        lambda: "(snapshot)" in (log := ledger_log(ledger)) and log[log.index("(snapshot)") :].count("note") == 2
    )
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    cancelled = [row for row in rows(ledger) if row.state == "cancelled"]
    assert len(cancelled) == 2, err
    folder = ledger.bench.results / "again"
    paid = 0
    for row in cancelled:
        events = Results(folder).store.record(row.trial).document.events
        found = [event for event in events if event.type == "call" and event.reply is not None]
        assert [event.replayed for event in found] == [True, True, *[False] * (len(found) - 2)]
        paid += len(found) - 2
    assert paid >= 2
    _, results, cost = ended(ledger)
    assert (results, cost) == (4, 4 * 3 - paid)
    assert float(out.split()[2]) == paid
    assert {row.state for row in rows(ledger)} == {"completed"}
    assert len({Results(folder).store.record(row.trial).final_state for row in rows(ledger)}) == 1
    assert Results(folder).drift.empty


def ledger_log(ledger: Ledger) -> list[str]:
    path = ledger.bench.folder / "log"
    return path.read_text().splitlines() if path.exists() else []
