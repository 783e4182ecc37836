"""What the tests of the kind `office` share: a small house, a day's work in it, and what is left at the end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from harness.environments import Observation, Opening
from harness.environments.office import Office, OfficeOptions, OfficeReader, OfficeSetup

HOUSE: dict[str, Any] = {
    "user": "kit@mill.example",
    "now": "2026-03-02 09:00",
    "people": [
        {"name": "Kit Low", "email": "kit@mill.example"},
        {"name": "Ann Reed", "email": "ann@mill.example", "note": "Plays the horn"},
        {"name": "Ben Hale", "email": "ben@mill.example"},
    ],
}
Call = tuple[str, dict[str, Any]]


def opening(
    scratch: Path, roles: tuple[str, ...] = ("worker",), setup: dict[str, Any] | None = None, **options: Any
) -> Opening:
    given = {**HOUSE, **options}
    if "seats" in options:
        del given["user"]
    return Opening(OfficeOptions.model_validate(given), OfficeSetup.model_validate(setup or {}), roles, 3, scratch)


def trial(opening: Opening, work: Callable[[Office], Awaitable[Any]]) -> tuple[Any, dict[str, Any]]:
    """What `work` returns, and the office after it."""

    async def whole() -> tuple[Any, dict[str, Any]]:
        office = await Office.open(opening)
        try:
            found = await work(office)
            state = await office.final_state()
        finally:
            await office.close()
        reader = await Office.read_state(state, opening)
        try:
            return found, await reader.as_data()
        finally:
            await reader.close()

    return asyncio.run(whole())


def day(opening: Opening, *calls: Call, role: str = "worker") -> tuple[list[Observation], dict[str, Any]]:
    """What is observed in a day's work, and the office after it."""

    async def work(office: Office) -> list[Observation]:
        return [await office.call(role, tool, arguments) for tool, arguments in calls]

    return trial(opening, work)


def read(opening: Opening, work: Callable[[OfficeReader], Awaitable[Any]], *calls: Call) -> Any:
    """What `work` finds in the office that is left after some calls."""

    async def whole() -> Any:
        office = await Office.open(opening)
        try:
            for tool, arguments in calls:
                seen = await office.call("worker", tool, arguments)
                assert not seen.error, seen.text
            state = await office.final_state()
        finally:
            await office.close()
        reader = await Office.read_state(state, opening)
        try:
            return await work(reader)
        finally:
            await reader.close()

    return asyncio.run(whole())
