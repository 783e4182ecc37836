"""What the tests of the adapters share."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from harness.adapters.worker import this_python
from harness.environments.packages import Packages, installed

T = TypeVar("T")


def needs(packages: Packages, kind: str) -> pytest.MarkDecorator:
    """Skips what needs a package that is not installed."""
    there = this_python(packages.pip) is not None or installed(packages)
    return pytest.mark.skipif(not there, reason=f"{packages.pip[0]} is not installed: harness install {kind}")


def run_bounded(work: Awaitable[T], minutes: float = 10) -> T:
    """What the work comes to, within a time."""

    async def bounded() -> T:
        async with asyncio.timeout(60 * minutes):
            return await work

    return asyncio.run(bounded())
