"""Killed at any moment, the same command goes on: every trial exactly once, and no process left behind."""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from run.workbench import SCENARIO, SWEEP, Workbench

from harness.record import RecordError

PR_SET_CHILD_SUBREAPER = 36
KILLS = 20
REPEATS = 12

SCRIPT = """
kind: script
rules:
  - visit: 1
    delay: 0.1
    call: {tool: run, arguments: {command: "sleep 1000 & echo started"}}
  - delay: 0.1
    call: {tool: submit, arguments: {answer: done}}
"""


@pytest.fixture
def orphanage() -> Iterator[None]:
    """While it lasts, processes that lose their parent become children of this one, where they can be seen."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def descendants(of: int) -> dict[int, str]:
    """Pid -> command of every living process below `of`; those that have ended are reaped on the way."""
    found = {}
    for child in Path(f"/proc/{of}/task/{of}/children").read_text().split():
        try:
            if of == os.getpid() and os.waitpid(int(child), os.WNOHANG)[0]:
                continue
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z":
                found[int(child)] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            found.update(descendants(int(child)))
        except (FileNotFoundError, ChildProcessError, ProcessLookupError):
            continue
    return found


@pytest.fixture
def long_sweep(bench: Workbench) -> Workbench:
    """Trials of a real sandbox, each with a process in the background, that take about a third of a second."""
    bench.write("script.yaml", SCRIPT)
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/script.yaml"}}})
    task = {"id": "wait", "brief": "Wait.", "checks": [{"kind": "answer", "equals": "done"}]}
    bench.write(
        "stock.yaml",
        {
            **SCENARIO,
            "environment": {"kind": "workspace"},
            "roles": {"smith": {"brief": "You work here."}},
            "tasks": [task, {**task, "id": "wait-again"}],
        },
    )
    bench.write("sweep.yaml", {**SWEEP, "repeats": REPEATS, "concurrency": 2})
    return bench


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)


def test_twenty_kills_lose_and_repeat_nothing(long_sweep: Workbench, orphanage: None) -> None:
    chance = random.Random(4711)
    before = set(descendants(os.getpid()))
    done: set[str] = set()
    killed = 0
    while killed < KILLS:
        process = long_sweep.start("run", "sweep.yaml")
        time.sleep(chance.uniform(0.2, 3.0))
        if process.poll() is None:
            killed += 1
        kill(process)
        if (long_sweep.results / "bench" / "trials.sqlite").exists():
            try:
                rows = long_sweep.rows()
            except RecordError as error:
                assert "no trial is recorded here yet" in str(error)  # killed before it had made its tables
                rows = []
            assert done <= {row.trial for row in rows}
            done = {row.trial for row in rows}
        if len(done) == 2 * REPEATS:
            break

    finished = long_sweep.harness("run", "sweep.yaml")
    assert finished.returncode == 0, finished.stderr

    rows = long_sweep.rows(current=False)
    assert Counter((row.task, row.repeat) for row in rows) == {
        (task, repeat): 1 for task in ("wait", "wait-again") for repeat in range(1, REPEATS + 1)
    }
    assert all(row.passed for row in rows)
    assert nothing_left(before)


def nothing_left(before: set[int], seconds: float = 10.0) -> bool:
    """Wait until no process is left that was not there before; says which are, when some are."""
    until = time.monotonic() + seconds
    left: dict[int, str] = {}
    while time.monotonic() < until:
        left = {pid: command for pid, command in descendants(os.getpid()).items() if pid not in before}
        if not left:
            return True
        time.sleep(0.1)
    pytest.fail(f"left behind: {left}")


def test_ctrl_c_keeps_what_was_paid_for(long_sweep: Workbench, orphanage: None) -> None:
    before = set(descendants(os.getpid()))
    process = long_sweep.start("run", "sweep.yaml")
    long_sweep.wait_for_rows(process, 3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert nothing_left(before)

    cancelled = [row for row in long_sweep.rows() if row.state == "cancelled"]
    again = long_sweep.harness("run", "sweep.yaml", "--json")
    assert again.returncode == 0, again.stderr
    ended = json.loads(again.stdout.splitlines()[-1])
    assert ended["results"] == ended["asked"] == 2 * REPEATS
    for row in cancelled:
        record = long_sweep.record.store.record(row.trial)
        resumed = next(r for r in long_sweep.rows() if (r.cell, r.repeat) == (row.cell, row.repeat))
        assert resumed.attempt == row.attempt + 1
        replies = set(record.document.messages)
        assert replies <= set(long_sweep.record.store.record(resumed.trial).document.messages)


def test_two_runs_of_one_sweep_do_not_write_over_each_other(long_sweep: Workbench) -> None:
    process = long_sweep.start("run", "sweep.yaml")
    while process.poll() is None and not (long_sweep.results / "bench" / "trials.sqlite").exists():
        time.sleep(0.1)
    second = long_sweep.harness("run", "sweep.yaml")
    kill(process)
    assert second.returncode == 2
    assert str(process.pid) in second.stderr
    assert "Traceback" not in second.stderr
