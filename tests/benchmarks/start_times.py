"""CPU and wall time from start to end of commands that should feel instant, beside bare Python.

    python tests/benchmarks/start_times.py [--rounds 11]

Rounds are interleaved; medians, and the medians of the differences to bare Python in the same round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "harness --help": [sys.executable, "-m", "harness", "--help"],
    "harness check scenarios": [sys.executable, "-m", "harness", "check", "scenarios"],
}


def once(command: list[str]) -> tuple[float, float]:
    """CPU and wall milliseconds of one run."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu * 1000, wall * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    for command in COMMANDS.values():
        once(command)
    found = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            found[name].append(once(command))
    bare = found["python -c pass"]
    for name, runs in found.items():
        cpu, wall = (statistics.median(values) for values in zip(*runs, strict=True))
        more = statistics.median(run[0] - base[0] for run, base in zip(runs, bare, strict=True))
        print(f"{name:24} {cpu:6.0f} ms CPU ({more:+.0f} beside bare Python), {wall:6.0f} ms wall")


if __name__ == "__main__":
    main()
