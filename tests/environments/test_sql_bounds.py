"""The kind `sql`: what SQL from a model may do, and how much of it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from environments.shop import ENDLESS, asked, do, ended, one, shop_openings

from harness.environments import Opening
from harness.environments.sql import SqlDatabase
from harness.environments.sqlite.statements import split, unfolding

LONG = "replace(hex(zeroblob(45000)), '00', 'a')"


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Opening]:
    return shop_openings(tmp_path)


class TestRefusals:
    @pytest.mark.parametrize(
        "sql",
        [
            "ATTACH '{outside}' AS other",
            "VACUUM",
            "VACUUM INTO '{outside}'",
            "SELECT load_extension('{outside}')",
            "PRAGMA writable_schema = 1",
            "PRAGMA max_page_count = 1000000",
            "PRAGMA foreign_keys = OFF",
            "PRAGMA journal_mode = WAL",
            "PRAGMA temp_store_directory = '/'",
            "PRAGMA hard_heap_limit = 1",
            "CREATE TEMP TABLE x (a)",
            "CREATE TEMP VIEW x AS SELECT 1",
            "CREATE TRIGGER x AFTER INSERT ON orders BEGIN DELETE FROM customers; END",
            "CREATE VIRTUAL TABLE x USING fts5(a)",
            "DELETE FROM sqlite_master",
            "SELECT 'a\0b'",
            "SELECT '\ud800'",
            "",
            " ; ;",
            "-- nothing",
        ],
    )
    def test_what_reaches_outside_or_weakens_the_bounds(self, shop: Any, tmp_path: Path, sql: str) -> None:
        outside = tmp_path / "outside.db"
        seen = one(shop(), "execute", sql.replace("{outside}", str(outside)))
        assert seen.error
        assert seen.text.startswith("Error: ")
        assert not outside.exists()

    def test_pragmas_that_tell_are_allowed(self, shop: Any) -> None:
        seen = do(shop(), ("query", "PRAGMA table_info(orders)"), ("query", "SELECT name FROM pragma_table_list"))
        assert not any(one.error for one in seen)

    def test_a_refusal_says_what_was_refused(self, shop: Any) -> None:
        assert (
            one(shop(), "query", "DELETE FROM orders").text
            == "Error: this only reads; DELETE FROM orders is not allowed here"
        )
        assert "PRAGMA journal_mode" in one(shop(), "query", "PRAGMA journal_mode").text


class TestBounds:
    """Each of these would take minutes, gigabytes or the whole disk."""

    @pytest.mark.parametrize(
        "sql",
        [
            f"{ENDLESS} SELECT count(*) FROM c",
            "SELECT zeroblob(1000000000)",
            "SELECT randomblob(1000000000)",
            "SELECT printf('%.*c', 1000000000, 'x')",
            "SELECT format('%.*c', '1e9', 'x')",
            "SELECT printf('%1000000000d', 1)",
            f"SELECT trim({LONG}, {LONG} || 'b')",
            f"SELECT {LONG} " + f"|| rtrim({LONG}, substr({LONG}, 1, 8000) || 'b') " * 100,
            f"{ENDLESS} SELECT group_concat(hex(zeroblob(1000))) FROM c",
            f"{ENDLESS} SELECT json_group_array(x) FROM c",
            "SELECT replace(hex(zeroblob(40000)), '0', hex(zeroblob(40000)))",
            "SELECT " + "(" * 500 + "1" + ")" * 500,
            "SELECT " + " + ".join(["1"] * 2000),
            " UNION ALL ".join(["SELECT 1"] * 400),
            "SELECT " + ", ".join(["1"] * 1000),
            "SELECT '" + "x" * 20_000 + "'",
            "SELECT 1;" * 200,
            "WITH a0 AS (SELECT 1 AS x)"
            + "".join(f", a{n} AS (SELECT p.x FROM a{n - 1} p, a{n - 1} q)" for n in range(1, 31))
            + " SELECT count(*) FROM a30",
            "SELECT count(*) FROM " + ", ".join(f"customers c{n}" for n in range(40)),
        ],
        ids=lambda sql: sql[:40],
    )
    def test_bombs_end_as_errors(self, shop: Any, sql: str) -> None:
        started = time.monotonic()
        assert one(shop(seconds=30), "execute", sql).error
        assert time.monotonic() - started < 45

    def test_the_bounded_functions_work_as_ever(self, shop: Any) -> None:
        sql = (
            "SELECT trim(' x '), trim('xxaxx', 'x'), rtrim(120, 0), ltrim(NULL, 'a'), printf('%05.1f|%-4s|', 2.5, 'a')"
        )
        assert one(shop(), "query", sql).text.splitlines()[1] == "x | a | 12 | NULL | 002.5|a   |"

    def test_temporary_files_are_bounded(self, shop: Any) -> None:
        sql = f"{ENDLESS} SELECT count(*) FROM (SELECT zeroblob(99000) || x AS y FROM c ORDER BY y)"
        seen = one(shop(seconds=60), "query", sql)
        assert seen.error and "stopped" in seen.text

    def test_the_database_cannot_outgrow_its_size(self, shop: Any) -> None:
        opening = shop(megabytes=1)
        state, (full, after) = ended(
            opening,
            f"{ENDLESS} INSERT INTO log SELECT zeroblob(50000) FROM c",
            "INSERT INTO log VALUES ('still works')",
        )
        assert "the database is full" in full.text
        assert not after.error
        assert len(state.data) <= 2**20
        assert asked(opening, state, "SELECT count(*) FROM log") == [[3]]

    def test_time_is_bounded_and_the_statement_leaves_no_trace(self, shop: Any) -> None:
        opening = shop(seconds=0.2)
        state, (slow, after) = ended(
            opening, f"{ENDLESS} INSERT INTO log SELECT x FROM c WHERE x % 1000 = 0", "SELECT 1"
        )
        assert slow.error and "stopped" in slow.text
        assert not after.error
        assert asked(opening, state, "SELECT count(*) FROM log") == [[2]]

    def test_views_cannot_hide_an_unfolding(self, shop: Any) -> None:
        views = ["CREATE VIEW v0 AS SELECT 1 AS x"]
        views += [f"CREATE VIEW v{n} AS SELECT p.x FROM v{n - 1} p, v{n - 1} AS q" for n in range(1, 31)]
        _, seen = ended(shop(), *views, "SELECT count(*) FROM v30")
        assert seen[-1].error

    def test_the_loop_goes_on_while_a_query_runs_and_cancelling_ends_it(self, shop: Any) -> None:
        async def whole() -> None:
            database = await SqlDatabase.open(shop())
            slow = asyncio.create_task(database.call("clerk", "query", {"sql": f"{ENDLESS} SELECT count(*) FROM c"}))
            for _ in range(5):
                await asyncio.sleep(0.01)
            assert not slow.done()
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            assert not (await database.call("clerk", "query", {"sql": "SELECT 1"})).error
            await database.close()

        asyncio.run(whole())

    def test_closing_ends_a_query_that_runs(self, shop: Any) -> None:
        async def whole() -> None:
            database = await SqlDatabase.open(shop())
            slow = asyncio.create_task(database.call("clerk", "query", {"sql": f"{ENDLESS} SELECT count(*) FROM c"}))
            await asyncio.sleep(0.05)
            await database.close()
            assert (await slow).error

        asyncio.run(whole())


class TestStatements:
    def test_a_script_is_split_where_sqlite_would(self) -> None:
        script = (
            "SELECT ';';\n-- a;b\nCREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; SELECT 2; END;\n/* ; */ SELECT 3"
        )
        assert [statement.line for statement in split(script)] == [1, 3, 4]

    @pytest.mark.parametrize("sql", ["", " ", ";", "-- x", "/* x */", "/* open"])
    def test_nothing_is_no_statement(self, sql: str) -> None:
        assert list(split(sql)) == []

    def test_an_ordinary_query_unfolds_little(self) -> None:
        sql = "WITH recent(id) AS MATERIALIZED (SELECT id FROM orders) SELECT * FROM recent a JOIN recent b USING (id)"
        assert unfolding(sql, {}, 100) < 10

    def test_quoted_and_nested_names_count_as_well(self) -> None:
        inner = "".join(f', "a {n}" AS (SELECT * FROM [a {n - 1}] p, `a {n - 1}` q)' for n in range(1, 20))
        assert unfolding(f'SELECT * FROM (WITH "a 0"(x) AS (SELECT 1){inner} SELECT * FROM "A 19")', {}, 1000) == 1000
