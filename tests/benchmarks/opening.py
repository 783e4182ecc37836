"""What opening, acting in and closing a world costs: one at a time, and many at once.

    python tests/benchmarks/opening.py [SCENARIO ...] [--rounds 7] [--many 100]

For each scenario the task with the longest solution. `first` is the first world of a run, which starts what all
share (a database server, a browser, a worker process); `open` and `close` are medians over rounds that interleave
the scenarios; `many` opens that many worlds at once, holds them all open, does the gold solution in each, and closes
them. CPU counts this process and those of its children that have ended, the services among them; memory is what
this process and all below it came to hold more while the many were open (resident, shared pages counted once each).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import resource
import statistics
import tempfile
import time
from pathlib import Path

from harness.conformance import Bench, Case, case_of_task
from harness.conformance.leftovers import _descendants
from harness.environments import CATALOG, Services
from harness.spec import find_file, library, load_scenario


def fullest(path: Path) -> Case:
    scenario = load_scenario(path, CATALOG)
    return case_of_task(scenario, max(scenario.spec.tasks, key=lambda task: len(task.solution)).id)


def cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def resident_mb() -> float:
    """Proportional set size of this process and all below it, in MB."""
    total = 0
    for pid in ["self", *map(str, _descendants())]:
        try:
            for line in Path("/proc", pid, "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue  # ended meanwhile, or not ours to read
    return total / 1024


async def one(bench: Bench) -> tuple[float, float, float]:
    """Wall milliseconds of opening, acting and closing."""
    marks = [time.perf_counter()]
    world = await bench.open()
    marks.append(time.perf_counter())
    await bench.act(world)
    marks.append(time.perf_counter())
    await world.close()
    marks.append(time.perf_counter())
    return tuple((b - a) * 1000 for a, b in itertools.pairwise(marks))


async def crowd(bench: Bench, many: int) -> tuple[float, float]:
    """Wall seconds, and MB more while all were open."""
    before, began = resident_mb(), time.perf_counter()
    worlds = await asyncio.gather(*(bench.open() for _ in range(many)))
    try:
        await asyncio.gather(*(bench.act(world) for world in worlds))
        held = resident_mb() - before
    finally:
        await asyncio.gather(*(world.close() for world in worlds))
    return time.perf_counter() - began, held


async def measure(cases: list[Case], rounds: int, many: int) -> None:
    print(f"{'scenario':24} {'first':>8} {'open':>8} {'act':>8} {'close':>8}   {many} at once: wall, CPU, memory")
    with tempfile.TemporaryDirectory() as folder:
        async with Services() as services:
            benches = {}
            for case in cases:
                place = Path(folder, case.name.replace("/", "."))
                place.mkdir()
                benches[case.name] = Bench(case, place, services)
            first = {name: (await one(bench))[0] for name, bench in benches.items()}
            found = {name: [] for name in benches}
            for _ in range(rounds):
                for name, bench in benches.items():
                    found[name].append(await one(bench))
        for name, runs in found.items():
            opened, acted, closed = (statistics.median(values) for values in zip(*runs, strict=True))
            used = cpu()
            async with Services() as services:
                bench = Bench(benches[name].case, Path(tempfile.mkdtemp(dir=folder)), services)
                wall, held = await crowd(bench, many)
            used = cpu() - used
            print(
                f"{name.split('/')[0]:24} {first[name]:5.0f} ms {opened:5.1f} ms {acted:5.1f} ms {closed:5.1f} ms   "
                f"{wall:6.2f} s {used:6.2f} s {held:6.0f} MB",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help="all that ship when none is named")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--many", type=int, default=100)
    told = parser.parse_args()
    paths = [find_file(name, "scenario", Path.cwd()) for name in told.scenarios]
    if not paths:
        paths = [p for p in sorted(library().glob("*.yaml")) if "\nkind: scenario\n" in p.read_text()]
    asyncio.run(measure([fullest(path) for path in paths], told.rounds, told.many))


if __name__ == "__main__":
    main()
