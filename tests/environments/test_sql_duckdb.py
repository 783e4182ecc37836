"""DuckDB behind the kind `sql`: what SQL from a model may do, and how much of it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from environments.sql_bench import Bench, bench

from harness.environments import EnvironmentFault
from harness.environments.sql import SqlDatabase


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, duckdb_here: None) -> Iterator[Bench]:
    with bench("duckdb", tmp_path_factory.mktemp("duckdb")) as made:
        yield made


class TestAttacks:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM read_blob('/etc/passwd')",
            "FROM '/etc/passwd'",
            "SELECT * FROM glob('/*')",
            "COPY orders TO '{outside}'",
            "COPY orders FROM '/etc/passwd'",
            "EXPORT DATABASE '{outside}'",
            "IMPORT DATABASE '/etc'",
            "ATTACH '{outside}'",
            "ATTACH ':memory:' AS other",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SELECT getenv('HOME')",
            "SET enable_external_access = true",
            "SET threads = 8",
            "SET memory_limit = '10GB'",
            "RESET memory_limit",
            "PRAGMA threads = 8",
            "PRAGMA enable_profiling",
            "CALL force_checkpoint()",
            "CREATE TEMP TABLE x (a INTEGER)",
            "CREATE MACRO m() AS 1",
            "CREATE /* TABLE */ MACRO m() AS 1",
            "CREATE /* /* */ TABLE */ MACRO m() AS 1",
            "DROP MACRO now",
            "CREATE SECRET (TYPE s3)",
            "PREPARE p AS SELECT 1",
            "USE system",
            "VACUUM",
            "SELECT * FROM enable_logging()",
            "SELECT * FROM duckdb_secrets()",
            "SELECT * FROM query('DROP TABLE orders')",
            "SELECT 'a\0b'",
            "SELECT '\ud800'",
        ],
    )
    def test_what_reaches_outside_or_weakens_the_bounds_is_refused(self, shop: Bench, tmp_path: Path, sql: str) -> None:
        outside = tmp_path / "outside"
        seen = shop.one("execute", sql.replace("{outside}", str(outside)))
        assert seen.error
        assert "root:" not in seen.text
        assert not outside.exists()

    def test_no_path_of_this_machine_is_told(self, shop: Bench) -> None:
        questions = (
            "SELECT * FROM duckdb_databases()",
            "SELECT * FROM duckdb_settings()",
            "SELECT * FROM duckdb_extensions()",
            "PRAGMA database_list",
        )
        for sql in questions:
            assert str(shop.folder) not in shop.one("query", sql, rows=1000, characters=100_000).text

    def test_a_variable_of_python_is_no_table(self, shop: Bench) -> None:
        assert shop.one("query", "SELECT * FROM request").error


class TestBounds:
    """Each of these would take minutes or gigabytes; after it, the database is as it was and goes on."""

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT count(*) FROM range(100000000000) a, range(1000000) b",
            "SELECT lpad('x', 2000000000, 'y')",
            "SELECT levenshtein(repeat('a', 100000), repeat('b', 100000))",
            "SELECT list_sort(range(50000000))",
            "SELECT range(1000000000)",
            "SELECT string_agg(repeat('x', 1000), '') FROM range(10000000)",
            "SELECT pg_sleep(100)",
            "CREATE TABLE z AS SELECT hash(i) AS a, hash(i + 1) AS b FROM range(100000000) t(i)",
            "INSERT INTO rules SELECT i, repeat(md5(i::TEXT), 20) FROM range(100000000) t(i)",
        ],
        ids=lambda sql: sql[:40],
    )
    def test_bombs_end_as_errors(self, shop: Bench, sql: str) -> None:
        started = time.monotonic()
        change = ("execute", "UPDATE orders SET total = 77")
        opening = shop.opening(seconds=1, megabytes=16)
        seen = shop.do(change, ("execute", sql), ("query", "SELECT DISTINCT total FROM orders"), opening=opening)
        assert [one.error for one in seen] == [False, True, False]
        assert seen[2].text == "total\n77.00"
        assert time.monotonic() - started < 45

    def test_a_large_result_is_not_handed_out(self, shop: Bench) -> None:
        seen = shop.one("query", "SELECT repeat('x', 1000000) FROM range(1000)")
        assert len(seen.text) < 5000

    def test_what_a_killed_statement_followed_is_kept(self, shop: Bench) -> None:
        sql = "UPDATE orders SET total = 5; SELECT levenshtein(repeat('a', 100000), repeat('b', 100000))"
        state, (seen,) = shop.ended(("execute", sql), opening=shop.opening(seconds=0.2))
        assert seen.error
        assert shop.asked(state, "SELECT DISTINCT total FROM orders") == [[5]]


class TestKinds:
    def test_values_of_all_kinds_are_shown(self, shop: Bench) -> None:
        sql = (
            "SELECT [1, NULL] AS l, {'a': true} AS s, DATE '2026-01-05' AS d, 1.50 AS n, 'x'::BLOB AS b, "
            "INTERVAL 1 DAY AS i"
        )
        assert (
            shop.one("query", sql).text
            == "l | s | d | n | b | i\n[1, NULL] | {a: true} | 2026-01-05 | 1.50 | x'78' | 1 day, 0:00:00"
        )

    def test_tables_of_other_schemas_are_in_the_state_under_both_names(self, shop: Bench) -> None:
        state, _ = shop.ended(("execute", "CREATE SCHEMA old; CREATE TABLE old.orders AS SELECT 1 AS n"))
        assert shop.data(state)["old.orders"] == [{"n": 1}]

    def test_a_clock_elsewhere_is_that_of_the_time_zone(self, shop: Bench) -> None:
        sql = "SELECT (TIMESTAMPTZ '2026-03-29 00:30:00+00') AT TIME ZONE 'Europe/Berlin' AS a"
        assert shop.one("query", sql).text == "a\n2026-03-29 01:30:00"


def test_a_cell_that_dies_is_started_again_on_what_it_had_committed(shop: Bench) -> None:
    async def whole() -> None:
        world = await SqlDatabase.open(shop.opening())
        try:
            await world.call("clerk", "execute", {"sql": "UPDATE orders SET total = 4"})
            signal.pidfd_send_signal(world._engine._cell._process, signal.SIGKILL)  # type: ignore[attr-defined]
            await world.call("clerk", "query", {"sql": "SELECT 1"})
            seen = await world.call("clerk", "query", {"sql": "SELECT DISTINCT total FROM orders"})
            assert seen.text == "total\n4.00"
        finally:
            await world.close()

    shop.run(whole())


def test_a_hundred_open_at_once(shop: Bench) -> None:
    async def crowd() -> None:
        openings = [shop.opening() for _ in range(100)]
        worlds = await asyncio.gather(*(SqlDatabase.open(opening) for opening in openings))
        try:
            seen = await asyncio.gather(*(world.call("clerk", "query", {"sql": "SELECT random()"}) for world in worlds))
            assert len({one.text for one in seen}) == 1
        finally:
            await asyncio.gather(*(world.close() for world in worlds))
        assert [path for opening in openings for path in opening.scratch.iterdir()] == []

    shop.run(crowd())


def test_server_env_is_for_postgresql_only(shop: Bench) -> None:
    with pytest.raises(EnvironmentFault, match="server_env"):
        shop.one("schema", server_env="ANY")


KILLED = """
import asyncio, sys
from pathlib import Path
from environments.sql_bench import bench
from harness.environments.sql import SqlDatabase

async def whole(shop):
    world = await SqlDatabase.open(shop.opening(seconds=300))
    slow = asyncio.create_task(world.call("clerk", "query", {"sql": sys.argv[3]}))
    await asyncio.sleep(0.3)
    print("open", flush=True)
    await slow

with bench(sys.argv[1], Path(sys.argv[2])) as shop:
    shop.run(whole(shop))
"""


def descendants(pid: int) -> set[int]:
    found = {pid}
    while True:
        more = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text()
                except OSError:
                    continue
                if int(stat.rpartition(")")[2].split()[1]) in found:
                    more.add(int(entry.name))
        if more <= found:
            return found - {pid}
        found |= more


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_a_killed_harness_leaves_no_process(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(f"{engine}_here")
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    tests = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, engine, str(tmp_path), endless], stdout=subprocess.PIPE, env=environment
    ) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == b"open\n"
        left = descendants(harness.pid)
        assert len(left) >= 2
        harness.kill()
    deadline = time.monotonic() + 30
    while any(alive(pid) for pid in left) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in left if alive(pid)]
