"""A small sweep on disk that the tests of the run room edit, run and kill."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from harness.record import RecordError, Results, Store, TrialRow
from harness.run import SweepOutcome, resolve, run_session
from harness.run.progress import PlainProgress

SHOP = """
create table goods (name text primary key, price integer, stock integer);
insert into goods values ('nail', 2, 500), ('hammer', 30, 7), ('anvil', 400, 1);
"""

SCENARIO: dict[str, Any] = {
    "kind": "scenario",
    "name": "stock",
    "summary": "Counting goods.",
    "environment": {"kind": "sql", "database": "shop.sql"},
    "roles": {"clerk": {"brief": "You keep the stock.", "tools": ["query", "execute", "submit"]}},
    "tasks": [
        {
            "id": name,
            "brief": "How many of {{ input.good }} are there? Submit the number.",
            "input": {"good": name},
            "solution": [{"tool": "submit", "arguments": {"answer": str(count)}}],
            "checks": [{"kind": "answer", "number": count}],
        }
        for name, count in (("nail", 500), ("hammer", 7), ("anvil", 1))
    ],
}

SCAFFOLD: dict[str, Any] = {
    "kind": "scaffold",
    "name": "loop",
    "summary": "Call, act, again.",
    "protocol": {"kind": "native"},
    "start": "think",
    "nodes": {
        "think": {"kind": "generate", "next": "act"},
        "act": {"kind": "act", "next": "think"},
    },
}

SWEEP: dict[str, Any] = {
    "kind": "sweep",
    "name": "bench",
    "scenarios": ["stock.yaml"],
    "scaffolds": ["loop.yaml"],
    "models": ["good"],
    "limits": {"turns": 6},
}


@dataclass
class Workbench:
    """The folder, and what is done with it."""

    folder: Path
    written: dict[str, Any] = field(default_factory=dict)

    def write(self, name: str, content: dict[str, Any] | str) -> None:
        """Write a YAML file (or any text)."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        path.write_text(dedent(text))
        self.written[name] = content

    def change(self, file: str, /, **changes: Any) -> None:
        """Replace top-level keys of a file written before."""
        self.write(file, {**self.written[file], **changes})

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def record(self) -> Results:
        return Results(self.results / "bench", attempts=True)

    def rows(self, current: bool = True) -> list[TrialRow]:
        return self.record.store.rows(current=current)

    def run(self) -> SweepOutcome:
        """Run the sweep in this process."""
        return run_session(resolve(str(self.folder / "sweep.yaml")), self.results, PlainProgress)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "harness", *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `harness` in a process and a session of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"COLUMNS": "120"},
        )

    def wait_for_rows(self, process: subprocess.Popen[str], count: int, name: str = "bench") -> None:
        """Wait until `count` trials of results/NAME are recorded, or the process has ended; fails after a minute."""
        until = time.monotonic() + 60
        while process.poll() is None and _rows_at_hand(self.results / name) < count:
            assert time.monotonic() < until, f"fewer than {count} trials of {name} after a minute"
            time.sleep(0.05)

    def harness(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `harness` to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _rows_at_hand(folder: Path) -> int:
    """Trials recorded so far; 0 while there is no file, and while the process that made it has made no tables."""
    try:
        with Store(folder) as store:
            return len(store.rows())
    except RecordError:
        return 0


def new_bench(folder: Path) -> Workbench:
    """A bench with the stock scenario, the loop scaffold and a sweep; its model is for the test to write."""
    bench = Workbench(folder)
    bench.write("shop.sql", SHOP)
    bench.write("stock.yaml", SCENARIO)
    bench.write("loop.yaml", SCAFFOLD)
    bench.write("sweep.yaml", SWEEP)
    return bench
