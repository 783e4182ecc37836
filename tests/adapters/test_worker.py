"""One warm process serves the trials of a run, tells them apart, and never outlives the harness."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.worker import Program, Worker, ask_once, this_python, worker_of
from harness.environments import EnvironmentFault, Services

SCRIPT = Path(__file__).with_name("worker_script.py")
PROGRAM = Program("counter", Path(sys.executable), SCRIPT)


def run(work: Awaitable[Any]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(120):
            return await work

    return asyncio.run(bounded())


def workers(script: Path) -> list[int]:
    """Processes that run a script, zombies left out."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if str(script).encode() in (place / "cmdline").read_bytes():
                    found.append(int(place.name))
            except OSError:
                continue
    return found


def test_many_trials_are_served_by_one_process_and_told_apart() -> None:
    async def crowd() -> None:
        async with Services() as services:
            first = await worker_of(services, PROGRAM)
            assert await worker_of(services, PROGRAM) is first
            asked = [first.ask("count", trial=str(n % 10)) for n in range(200)]
            counts = await asyncio.gather(*asked)
            assert sorted(counts) == sorted(list(range(1, 21)) * 10)

    run(crowd())


def test_what_a_function_raises_is_a_fault_and_the_worker_goes_on() -> None:
    async def once() -> None:
        async with Services() as services:
            worker = await worker_of(services, PROGRAM)
            with pytest.raises(EnvironmentFault, match="counter: fail failed: ValueError: no such thing"):
                await worker.ask("fail")
            with pytest.raises(EnvironmentFault, match="no function '_say'"):
                await worker.ask("_say")
            assert await worker.ask("count", trial="a") == 1
            assert worker.alive

    run(once())


def test_a_worker_that_dies_fails_those_who_wait_with_its_last_words_and_the_next_trial_gets_another() -> None:
    async def once() -> None:
        async with Services() as services:
            worker = await worker_of(services, PROGRAM)
            await worker.ask("count", trial="a")
            asked = [worker.ask("die", words="the disk is full"), worker.ask("count", trial="a")]
            for fault in await asyncio.gather(*asked, return_exceptions=True):
                assert isinstance(fault, EnvironmentFault)
                assert "the worker died" in str(fault) and "the disk is full" in str(fault)
                assert "\n" not in str(fault)
            with pytest.raises(EnvironmentFault, match="the disk is full"):
                await worker.ask("count", trial="a")
            others = await asyncio.gather(*(worker_of(services, PROGRAM) for _ in range(5)))
            assert others[0] is not worker and all(other is others[0] for other in others)
            assert await others[0].ask("count", trial="a") == 1

    run(once())


def test_a_request_over_its_time_ends_the_worker() -> None:
    async def once() -> None:
        async with Services() as services:
            worker = await worker_of(services, PROGRAM)
            with pytest.raises(EnvironmentFault, match=r"counter: wait was not done after 0\.2 s"):
                await worker.ask("wait", seconds=0.2, duration=600)
            assert not worker.alive

    run(once())


def test_an_answer_that_is_long_comes_whole() -> None:
    async def once() -> None:
        async with Services() as services:
            answer = await (await worker_of(services, PROGRAM)).ask("long", characters=3_000_000)
            assert answer == "x" * 3_000_000

    run(once())


def test_a_script_that_does_not_load_is_one_line_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import no_such_package\n")
    broken = Program("broken", Path(sys.executable), tmp_path / "script.py")

    async def once() -> None:
        async with Services() as services:
            with pytest.raises(EnvironmentFault, match=r"broken: the worker died.*no_such_package") as fault:
                await worker_of(services, broken)
            assert "\n" not in str(fault.value)

    run(once())
    with pytest.raises(EnvironmentFault, match=r"broken does not start, or not answer.*no_such_package"):
        ask_once(broken, "count")


def test_one_answer_can_be_had_without_a_run() -> None:
    assert ask_once(PROGRAM, "count", trial="a") == 1
    with pytest.raises(EnvironmentFault, match="no such thing"):
        ask_once(PROGRAM, "fail")


def test_a_worker_sees_no_keys_and_behind_walls_no_network_no_home_and_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    seen = ask_once(PROGRAM, "look")
    assert isinstance(seen, dict)
    assert "OPENAI_API_KEY" not in seen["variables"]
    if PROGRAM.walls.startswith("none"):
        pytest.skip("no bubblewrap works here: apt-get install bubblewrap")
    assert seen["network"] == "Connection refused"  # by a network of its own, in which nobody listens
    assert seen["disk"] == "Read-only file system"


def test_closing_leaves_no_process_and_no_open_file(tmp_path: Path) -> None:
    script = tmp_path / "worker_script.py"
    script.write_text(SCRIPT.read_text())
    program = Program("counter", Path(sys.executable), script)

    async def once() -> None:
        async with Services() as services:
            await (await worker_of(services, PROGRAM)).ask("count", trial="a")
        before = len(os.listdir("/proc/self/fd"))
        async with Services() as services:
            worker = await worker_of(services, program)
            await worker.ask("count", trial="a")
            assert workers(script)
        await worker.close()
        for _ in range(200):
            if not workers(script) and len(os.listdir("/proc/self/fd")) <= before:
                return
            await asyncio.sleep(0.02)
        raise AssertionError((workers(script), before, os.listdir("/proc/self/fd")))

    run(once())


@pytest.mark.parametrize("busy", [False, True])
def test_a_killed_harness_leaves_no_worker_behind(tmp_path: Path, busy: bool) -> None:
    script = tmp_path / "worker_script.py"
    script.write_text(SCRIPT.read_text())
    code = f"""
        import asyncio, sys
        from pathlib import Path
        from harness.adapters.worker import Program, worker_of
        from harness.environments import Services

        async def main():
            async with Services() as services:
                worker = await worker_of(services, Program("counter", Path(sys.executable), Path({str(script)!r})))
                await worker.ask("count", trial="a")
                print("up", flush=True)
                await worker.ask("wait" if {busy} else "count", **({{"duration": 600}} if {busy} else {{"trial": "b"}}))
                await asyncio.sleep(600)

        asyncio.run(main())
    """
    harness = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    try:
        assert harness.stdout is not None and harness.stdout.readline() == "up\n"
        assert workers(script)
        harness.send_signal(signal.SIGKILL)
        harness.wait()
        assert harness.stdout.close() is None

        deadline = time.monotonic() + 60
        while workers(script) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not workers(script)
    finally:
        harness.kill()


def test_this_python_is_taken_where_the_pins_are_installed_in_it() -> None:
    from importlib.metadata import version

    assert this_python([f"pydantic=={version('pydantic')}"]) == Path(sys.executable)
    assert this_python([f"pydantic=={version('pydantic')}", "no-such-thing==1.0"]) is None
    assert this_python(["pydantic==0.0.1"]) is None


def test_a_trial_that_is_cancelled_does_not_disturb_the_others() -> None:
    async def once() -> None:
        async with Services() as services:
            worker: Worker = await worker_of(services, PROGRAM)
            waiting = asyncio.create_task(worker.ask("wait", duration=0.3))
            await asyncio.sleep(0)
            waiting.cancel()
            assert await worker.ask("count", trial="a") == 1
            assert worker.alive

    run(once())


@pytest.mark.parametrize("line", ["5", "[]", "no JSON", '{"id": []}', '{"no": "id"}', "null", "[" * 100_000])
def test_a_worker_that_says_what_is_no_answer_is_ended_at_once(line: str) -> None:
    async def once() -> None:
        async with Services() as services:
            worker = await worker_of(services, PROGRAM)
            with pytest.raises(EnvironmentFault, match="counter: the worker died"):
                await worker.ask("junk", line=line)
            assert not worker.alive
            assert await (await worker_of(services, PROGRAM)).ask("count", trial="a") == 1

    run(once())


def test_a_worker_that_says_it_is_ready_twice_goes_on() -> None:
    async def once() -> None:
        async with Services() as services:
            worker = await worker_of(services, PROGRAM)
            asked = asyncio.ensure_future(worker.ask("junk", line='{"ready": true}\n{"id": 1, "result": "mine"}'))
            assert await asked == "mine"
            assert worker.alive

    run(once())


def test_a_line_without_end_on_standard_error_holds_no_worker_up() -> None:
    async def once() -> None:
        async with Services() as services:
            worker = await worker_of(services, PROGRAM)
            assert await worker.ask("babble", characters=80_000_000) == "said"

    run(once())


def test_an_answer_that_is_no_json_and_a_python_that_is_not_there_are_faults_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="junk was answered with what is no JSON"):
        ask_once(PROGRAM, "junk", line="no JSON")
    with pytest.raises(EnvironmentFault, match="counter does not start"):
        ask_once(Program("counter", tmp_path / "no-python", SCRIPT), "count", trial="a")
