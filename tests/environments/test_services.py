"""What the trials of a run share is started once and closed with the run."""

import asyncio
import subprocess
import sys
from functools import partial

import pytest

from harness.environments import Services


class Bell:
    def __init__(self, log: list[str], name: str = "bell") -> None:
        self.log, self.name = log, name
        log.append(f"start {name}")

    async def close(self) -> None:
        self.log.append(f"close {self.name}")


def test_many_ask_one_is_started_and_the_last_started_is_closed_first() -> None:
    log: list[str] = []

    async def slow(name: str) -> Bell:
        await asyncio.sleep(0)
        return Bell(log, name)

    async def run() -> None:
        async with Services() as services:
            bells = await asyncio.gather(*(services.get("a", lambda: slow("a")) for _ in range(5)))
            assert len({id(bell) for bell in bells}) == 1
            await services.get("b", lambda: slow("b"))
        await services.close()
        with pytest.raises(RuntimeError, match="closed"):
            await services.get("a", lambda: slow("a"))

    asyncio.run(run())
    assert log == ["start a", "start b", "close b", "close a"]


def test_a_start_that_fails_is_tried_again_by_the_next() -> None:
    log: list[str] = []

    async def broken() -> Bell:
        raise OSError("no bell")

    async def sound() -> Bell:
        return Bell(log)

    async def run() -> None:
        async with Services() as services:
            with pytest.raises(OSError, match="no bell"):
                await services.get("a", broken)
            assert await services.get("a", sound)

    asyncio.run(run())
    assert log == ["start bell", "close bell"]


def test_a_cancelled_trial_takes_the_service_from_nobody() -> None:
    log: list[str] = []
    going = asyncio.Event

    async def run() -> None:
        gate = going()

        async def slow() -> Bell:
            await gate.wait()
            return Bell(log)

        async with Services() as services:
            first = asyncio.create_task(services.get("a", slow))
            second = asyncio.create_task(services.get("a", slow))
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.sleep(0)
            gate.set()
            assert isinstance(await second, Bell)
            assert first.cancelled()

    asyncio.run(run())
    assert log == ["start bell", "close bell"]


def test_one_that_cannot_be_closed_keeps_no_other_open() -> None:
    log: list[str] = []

    class Stuck(Bell):
        async def close(self) -> None:
            raise OSError("stuck")

    async def make(kind: type[Bell], name: str) -> Bell:
        return kind(log, name)

    async def run() -> None:
        services = Services()
        await services.get("a", lambda: make(Bell, "a"))
        await services.get("b", lambda: make(Stuck, "b"))
        with pytest.raises(OSError, match="stuck"):
            await services.close()

    asyncio.run(run())
    assert log == ["start a", "start b", "close a"]


def test_a_service_that_died_can_be_forgotten() -> None:
    log: list[str] = []

    async def make() -> Bell:
        return Bell(log)

    async def run() -> None:
        async with Services() as services:
            first = await services.get("a", make)
            services.forget("a")
            assert await services.get("a", make) is not first

    asyncio.run(run())


def test_a_close_that_is_cancelled_closes_the_rest_first() -> None:
    closed: list[str] = []
    begun = asyncio.Event()

    class Slow:
        def __init__(self, name: str) -> None:
            self.name = name

        async def close(self) -> None:
            if self.name == "slow":
                begun.set()
                await asyncio.Event().wait()
            closed.append(self.name)

    async def start(name: str) -> Slow:
        return Slow(name)

    async def once() -> None:
        services = Services()
        for name in ("first", "second", "slow"):
            await services.get(name, partial(start, name))
        closing = asyncio.ensure_future(services.close())
        await begun.wait()
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing

    asyncio.run(once())
    assert closed == ["second", "first"]


@pytest.mark.parametrize(("soft", "hard", "allowed"), [(64, 200, 200), (150, 150, 150)])
def test_as_many_files_may_be_open_as_the_system_allows(soft: int, hard: int, allowed: int) -> None:
    text = (
        "import resource; from harness.environments import allow_open_files; "
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard})); allow_open_files(); "
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(allowed), str(hard)]
