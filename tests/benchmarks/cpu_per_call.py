"""CPU time of one model call, three ways, against a mock server in a process of its own.

    python tests/benchmarks/cpu_per_call.py [--calls 400] [--rounds 5] [--at-once 16]

Rounds are interleaved and medians printed, with the ratio to bare `litellm.acompletion`, so that a noisy machine
moves all three alike:

- litellm: `litellm.acompletion`, nothing else;
- model: our backend around it (account, retries, receipt, cost);
- trial: whole trials of the react loop over a SQLite environment, recorded and graded, divided by their calls.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["BENCH_API_KEY"] = "sk-bench-000000"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from run.workbench import SCAFFOLD, SCENARIO, SHOP, SWEEP, Workbench

from harness.models import Accounts, CallKey, ModelRequest, build_model
from harness.run import RunEvent, resolve, run_session
from harness.run.progress import PlainProgress

MESSAGES = [
    {"role": "system", "content": "You keep the stock. " * 20},
    {"role": "user", "content": "How many nails are there? " * 10},
]


async def many(call: Callable[[int], Awaitable[object]], calls: int, at_once: int) -> float:
    """CPU milliseconds of this process per call."""
    places = asyncio.Semaphore(at_once)

    async def one(number: int) -> None:
        async with places:
            await call(number)

    began = time.process_time()
    await asyncio.gather(*(one(number) for number in range(calls)))
    return (time.process_time() - began) * 1000 / calls


def bench_litellm(url: str, calls: int, at_once: int) -> float:
    import litellm

    async def call(number: int) -> object:
        return await litellm.acompletion(
            model="openai/mock", messages=MESSAGES, api_base=url, api_key="sk-bench-000000", temperature=0.5,
            seed=number, num_retries=0, max_retries=0, timeout=60,
        )  # fmt: skip

    return asyncio.run(many(call, calls, at_once))


def bench_model(bench: Workbench, calls: int, at_once: int) -> float:
    loaded = resolve(str(bench.folder / "sweep.yaml")).models["good"]

    async def run() -> float:
        model = build_model(loaded, parameters={"temperature": 0.5}, accounts=Accounts())

        async def call(number: int) -> object:
            key = CallKey(node="think", role="agent", lane="main", visit=number)
            return await model.complete(ModelRequest(key, MESSAGES, None, None, {}, seed=number))

        found = await many(call, calls, at_once)
        await model.close()
        return found

    return asyncio.run(run())


class Silent(PlainProgress):
    def __call__(self, event: RunEvent) -> None:
        pass


def bench_trials(bench: Workbench, calls: int, number: int) -> tuple[float, float]:
    """CPU milliseconds per call, and trials per minute of wall time."""
    turns = 10
    repeats = max(1, calls // turns // 3)
    bench.change("sweep.yaml", name=f"round-{number}", repeats=repeats, limits={"turns": turns})
    cpu, wall = time.process_time(), time.monotonic()
    outcome = run_session(resolve(str(bench.folder / "sweep.yaml")), bench.results, Silent)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    assert outcome.results == 3 * repeats, outcome
    return cpu * 1000 / (3 * repeats * turns), outcome.results * 60 / wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=16)
    arguments = parser.parse_args()
    program = Path(__file__).resolve().parent.parent / "models" / "openai_server.py"
    port = 18123
    server = subprocess.Popen(
        [sys.executable, str(program), "--port", str(port), "--query"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    try:
        with tempfile.TemporaryDirectory() as folder:
            bench = Workbench(Path(folder))
            bench.write("shop.sql", SHOP)
            bench.write("stock.yaml", SCENARIO)
            bench.write("loop.yaml", SCAFFOLD)
            entry = {"model": "openai/mock", "api_base": url, "api_key_env": "BENCH_API_KEY", "concurrency": 64}
            bench.write("models.yaml", {"kind": "models", "models": {"good": entry}})
            bench.write("sweep.yaml", {**SWEEP, "concurrency": arguments.at_once, "parameters": {"temperature": 0.5}})
            bench_litellm(url, 20, 4)
            found: dict[str, list[float]] = {"litellm": [], "model": [], "trial": []}
            rates = []
            for number in range(arguments.rounds):
                found["litellm"].append(bench_litellm(url, arguments.calls, arguments.at_once))
                found["model"].append(bench_model(bench, arguments.calls, arguments.at_once))
                cpu, rate = bench_trials(bench, arguments.calls, number)
                found["trial"].append(cpu)
                rates.append(rate)
    finally:
        server.kill()
    for name, values in found.items():
        ratios = [value / base for value, base in zip(values, found["litellm"], strict=True)]
        print(f"{name:8} {statistics.median(values):7.2f} ms CPU a call, x {statistics.median(ratios):.2f} of litellm")
    print(f"trials of 10 calls: {statistics.median(rates):.0f} a minute on this machine")


if __name__ == "__main__":
    main()
