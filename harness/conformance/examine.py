"""Takes the tasks of a scenario through the promises of the protocol, one after another."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from harness.conformance.case import Case, case_of_task
from harness.conformance.promises import PROMISES, BrokenPromiseError, NotOfferedError, Promise
from harness.environments import EnvironmentFault, allow_open_files
from harness.errors import UserError
from harness.spec.resolved import LoadedScenario

SECONDS = 600.0
"""For one promise of one task."""


@dataclass(frozen=True)
class Finding:
    """What was found about one promise of one task."""

    case: str
    """The scenario and the task, as `SCENARIO/TASK`."""
    promise: str
    outcome: Literal["kept", "broken", "not offered"]
    detail: str
    """What was seen, or why it is not offered; empty when kept."""
    seconds: float
    """Wall time it took to look."""

    def as_data(self) -> dict[str, object]:
        """All of it as plain data."""
        return asdict(self)


def looked_at(scenario: LoadedScenario) -> Iterator[tuple[str, Promise]]:
    """(task, promise) of all that concerns a scenario: heavy promises for the task with the longest solution only."""
    tasks = [task for task in scenario.spec.tasks if task.solution]
    if not tasks:
        return
    fullest = max(tasks, key=lambda task: len(task.solution)).id
    for task in tasks:
        for promise in PROMISES:
            if promise.per_task or task.id == fullest:
                yield task.id, promise


async def examine(
    scenario: LoadedScenario, *, many: int = 20, on_each: Callable[[Finding], None] | None = None
) -> list[Finding]:
    """Look at every promise for every task that has a solution. `many` worlds are opened at once where many are."""
    found = []
    for task, promise in looked_at(scenario):
        finding = await look(case_of_task(scenario, task), promise, many=many)
        found.append(finding)
        if on_each is not None:
            on_each(finding)
    return found


def examine_all(
    scenarios: Iterable[LoadedScenario], *, many: int = 20, on_each: Callable[[Finding], None] | None = None
) -> list[Finding]:
    """`examine` for several scenarios, one after another, so that what one leaves behind is not put on another."""

    async def all_of_them() -> list[Finding]:
        return [found for scenario in scenarios for found in await examine(scenario, many=many, on_each=on_each)]

    return asyncio.run(all_of_them())


async def look(case: Case, promise: Promise, *, many: int) -> Finding:
    """Look at one promise of one case."""
    allow_open_files()
    began = time.monotonic()
    outcome: Literal["kept", "broken", "not offered"] = "broken"
    with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # a server of the scenario may run as somebody else
        try:
            async with asyncio.timeout(SECONDS):
                await promise.keeps(case, Path(folder), many)
            outcome, detail = "kept", ""
        except NotOfferedError as reason:
            outcome, detail = "not offered", str(reason)
        except (BrokenPromiseError, EnvironmentFault, UserError) as error:
            detail = " ".join(str(error).split())
        except TimeoutError:
            detail = f"not done after {SECONDS:g} s"
        except Exception as error:  # noqa: BLE001 - the boundary: whatever an environment raises breaks the promise
            detail = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return Finding(case.name, promise.name, outcome, detail[:1000], time.monotonic() - began)
