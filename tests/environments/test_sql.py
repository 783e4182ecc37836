"""The kind `sql`: what is seen, what is changed, and what is left at the end."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from environments.shop import ENDLESS, asked, do, ended, one, shop_openings

from harness.environments import EnvironmentFault, FinalState, Opening
from harness.environments.sql import SqlDatabase


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Opening]:
    return shop_openings(tmp_path)


class TestReading:
    def test_rows_come_under_their_header_with_null_and_blobs_shown(self, shop: Any) -> None:
        seen = one(
            shop(), "query", "SELECT id, name, NULL AS missing, x'00ff' AS raw, 'a' || char(10) || 'b' FROM customers"
        )
        assert seen.text.splitlines()[0].startswith("id | name | missing | raw | ")
        assert seen.text.splitlines()[1] == "1 | Ann; O'Neill | NULL | x'00ff' | a\\nb"
        assert seen.data == {"statements": 1, "rows": 2, "truncated": False}

    def test_no_rows_are_said_to_be_none(self, shop: Any) -> None:
        assert one(shop(), "query", "SELECT id FROM customers WHERE id = 9").text == "id\n(no rows)"

    def test_table_functions_and_text_search_work_from_the_first_call(self, shop: Any) -> None:
        opening = shop("CREATE VIRTUAL TABLE notes USING fts5(text); INSERT INTO notes VALUES ('a green door')")
        for sql in ("SELECT value FROM json_each('[7]')", "SELECT rowid FROM notes WHERE notes MATCH 'green'"):
            assert not one(opening, "query", sql).error

    def test_an_error_of_the_database_is_shown_as_an_error(self, shop: Any) -> None:
        seen = one(shop(), "query", "SELECT nme FROM customers")
        assert seen.error
        assert "no such column: nme" in seen.text

    def test_rows_beyond_the_limit_are_not_fetched(self, shop: Any) -> None:
        seen = one(shop(rows=3), "query", f"{ENDLESS} SELECT x FROM c")
        assert seen.text.splitlines() == ["x", "1", "2", "3", "(only the first 3 rows shown; ask for less at once)"]
        assert seen.data["truncated"] is True

    def test_an_observation_keeps_to_its_length(self, shop: Any) -> None:
        seen = one(shop(characters=300), "query", f"{ENDLESS} SELECT x, hex(zeroblob(20)) FROM c")
        assert len(seen.text) < 400
        assert seen.data["truncated"] is True
        wide = one(shop(characters=300), "query", "SELECT hex(zeroblob(20000)) AS wide")
        assert len(wide.text) < 600

    def test_the_schema_is_a_line_a_table(self, shop: Any) -> None:
        assert one(shop(), "schema").text.splitlines() == [
            "customers(id INTEGER, name TEXT)",
            "log(what TEXT)",
            "orders(id INTEGER, customer_id INTEGER -> customers.id, total REAL, at TEXT)",
            "view sums(customer_id INTEGER, total)",
        ]

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE orders SET total = 0",
            "INSERT INTO orders (total) VALUES (1)",
            "DELETE FROM orders",
            "WITH x AS (SELECT 1) DELETE FROM orders",
            "DROP TABLE orders",
            "CREATE TABLE x (a)",
            "BEGIN",
            "SAVEPOINT s",
            "EXPLAIN DELETE FROM orders",
            "ALTER TABLE orders RENAME TO x",
            "ALTER TABLE orders ADD COLUMN x",
            "CREATE INDEX i ON orders (total)",
            "REINDEX",
            "UPDATE sqlite_master SET sql = ''",
            "SELECT 1; DELETE FROM orders",
            "ANALYZE",
        ],
    )
    def test_a_query_cannot_change_anything(self, shop: Any, sql: str) -> None:
        async def whole() -> None:
            database = await SqlDatabase.open(shop())
            before = await database.snapshot()
            assert (await database.call("clerk", "query", {"sql": sql})).error
            assert await database.snapshot() == before
            await database.close()

        asyncio.run(whole())

    def test_a_statement_allowed_to_execute_is_still_refused_to_query(self, shop: Any) -> None:
        sql = "UPDATE orders SET total = 1"
        assert [seen.error for seen in do(shop(), ("execute", sql), ("query", sql))] == [False, True]


class TestChanging:
    def test_changes_are_counted_and_returned_rows_shown(self, shop: Any) -> None:
        first, second, third = do(
            shop(),
            ("execute", "UPDATE orders SET total = total + 1"),
            ("execute", "INSERT INTO orders (customer_id, total) VALUES (1, 3) RETURNING id"),
            ("execute", "CREATE TABLE notes (text)"),
        )
        assert first.text == "Done: 2 rows changed."
        assert first.data["changed"] == 2
        assert second.text == "Done: 1 row changed.\nid\n3"
        assert third.text == "Done."

    def test_all_rows_are_changed_when_only_some_are_shown(self, shop: Any) -> None:
        state, _ = ended(shop(rows=2), f"{ENDLESS} INSERT INTO log SELECT x FROM c LIMIT 20 RETURNING what")
        assert asked(shop(), state, "SELECT count(*) FROM log") == [[22]]

    def test_several_statements_run_in_order_up_to_the_first_that_fails(self, shop: Any) -> None:
        opening = shop()
        state, (seen,) = ended(
            opening, "UPDATE orders SET total = 1; UPDATE nope SET x = 1; UPDATE orders SET total = 2"
        )
        assert seen.error
        assert "no such table: nope (statement 2 of 3; the 1 before it was carried out)" in seen.text
        assert asked(opening, state, "SELECT DISTINCT total FROM orders") == [[1.0]]

    def test_foreign_keys_and_triggers_of_the_script_hold(self, shop: Any) -> None:
        opening = shop()
        state, seen = ended(
            opening, "INSERT INTO orders (customer_id) VALUES (77)", "INSERT INTO orders (total) VALUES (1)"
        )
        assert [one.error for one in seen] == [True, False]
        assert asked(opening, state, "SELECT what FROM log ORDER BY rowid DESC LIMIT 1") == [["order 3"]]

    def test_columns_and_tables_can_be_renamed(self, shop: Any) -> None:
        _, seen = ended(
            shop(), "ALTER TABLE orders RENAME COLUMN at TO ordered", "ALTER TABLE customers RENAME TO people",
            "SELECT ordered FROM orders JOIN people ON people.id = customer_id",
        )  # fmt: skip
        assert not any(one.error for one in seen)

    def test_a_role_that_reads_is_not_offered_execute(self, shop: Any) -> None:
        opening = shop(access={"auditor": "read"})
        names = [tool.name for tool in SqlDatabase.tools(opening.options, "auditor")]
        assert names == ["schema", "query"]
        assert one(opening, "execute", "DELETE FROM orders", role="auditor").error
        assert not one(opening, "execute", "DELETE FROM orders", role="clerk").error

    def test_access_for_a_role_that_is_not_there_does_not_open(self, shop: Any) -> None:
        with pytest.raises(EnvironmentFault, match="audtor"):
            one(shop(access={"audtor": "read"}), "schema")


class TestTransactions:
    def test_begin_and_commit_in_one_call_hold(self, shop: Any) -> None:
        opening = shop()
        state, (seen,) = ended(opening, "BEGIN; UPDATE orders SET total = 7; COMMIT")
        assert not seen.error
        assert asked(opening, state, "SELECT DISTINCT total FROM orders") == [[7.0]]

    def test_rollback_takes_back(self, shop: Any) -> None:
        opening = shop()
        state, _ = ended(opening, "BEGIN; UPDATE orders SET total = 7; ROLLBACK")
        assert asked(opening, state, "SELECT total FROM orders") == [[10.5], [20.0]]

    @pytest.mark.parametrize("opener", ["BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT s"])
    def test_a_transaction_left_open_is_an_error_and_keeps_nothing(self, shop: Any, opener: str) -> None:
        opening = shop()
        state, (left, committed) = ended(opening, f"{opener}; UPDATE orders SET total = 7", "COMMIT")
        assert left.error and "left open" in left.text
        assert committed.error
        assert asked(opening, state, "SELECT total FROM orders") == [[10.5], [20.0]]

    def test_a_failure_inside_a_transaction_takes_all_of_it_back(self, shop: Any) -> None:
        opening = shop()
        state, (seen,) = ended(opening, "BEGIN; UPDATE orders SET total = 7; SELECT nothing; COMMIT")
        assert seen.error and "rolled back" in seen.text
        assert asked(opening, state, "SELECT total FROM orders") == [[10.5], [20.0]]


class TestRepeatability:
    def test_time_stands_still(self, shop: Any) -> None:
        sql = (
            "SELECT datetime('now'), date('now', '+1 day'), CURRENT_TIMESTAMP, CURRENT_DATE, CURRENT_TIME, "
            "strftime('%Y-%m'), time(), unixepoch('now'), date('2020-02-28', '+2 days'), date('NOW')"
        )
        row = one(shop(now="2026-03-02 09:00"), "query", sql).text.splitlines()[1]
        assert row == (
            "2026-03-02 09:00:00 | 2026-03-03 | 2026-03-02 09:00:00 | 2026-03-02 | 09:00:00 | 2026-03 | 09:00:00 | "
            "1772442000 | 2020-03-01 | 2026-03-02"
        )

    def test_defaults_take_the_time_too(self, shop: Any) -> None:
        opening = shop(now="2026-03-02 09:00")
        state, _ = ended(opening, "INSERT INTO orders (total) VALUES (1)")
        assert asked(opening, state, "SELECT DISTINCT at FROM orders") == [["2026-03-02 09:00:00"]]

    def test_chance_comes_from_the_seed_and_moves_on_with_changes_only(self, shop: Any) -> None:
        question = ("query", "SELECT random(), hex(randomblob(8))")
        first, again, _, later = do(shop(seed=1), question, question, ("execute", "DELETE FROM log"), question)
        assert first == again != later
        assert one(shop(seed=1), *question) == first != one(shop(seed=2), *question)

    def test_a_clock_that_is_none_is_refused(self, shop: Any) -> None:
        with pytest.raises(ValueError, match="no date and time"):
            shop(now="tomorrow")


class TestBuilding:
    def test_the_setup_of_a_task_is_its_own(self, shop: Any) -> None:
        sql = "SELECT count(*) AS n FROM customers"
        assert one(shop("INSERT INTO customers VALUES (3, 'Cy')"), "query", sql).text == "n\n3"
        assert one(shop(), "query", sql).text == "n\n2"

    def test_a_script_that_fails_is_told_with_its_line(self, tmp_path: Path, shop: Any) -> None:
        script = tmp_path / "wrong.sql"
        script.write_text("CREATE TABLE t (a);\n\n-- next\nINSRT INTO t VALUES (1);\n")
        with pytest.raises(EnvironmentFault, match=r"wrong\.sql:4: near \"INSRT"):
            one(shop(database=str(script)), "schema")

    def test_a_changed_script_is_built_again(self, tmp_path: Path, shop: Any) -> None:
        script = tmp_path / "changing.sql"
        script.write_text("CREATE TABLE t (a)")
        assert one(shop(database=str(script)), "schema").text == "t(a)"
        script.write_text("CREATE TABLE t (b)")
        assert one(shop(database=str(script)), "schema").text == "t(b)"

    def test_a_script_cannot_reach_outside(self, tmp_path: Path, shop: Any) -> None:
        outside = tmp_path / "outside.db"
        for sql in (f"ATTACH '{outside}' AS x", f"VACUUM INTO '{outside}'"):
            with pytest.raises(EnvironmentFault, match="ATTACH or VACUUM"):
                one(shop(setup=sql), "schema")
        assert not outside.exists()

    def test_an_empty_script_is_an_empty_database(self, tmp_path: Path, shop: Any) -> None:
        script = tmp_path / "empty.sql"
        script.write_text("-- nothing yet\n")
        assert one(shop(database=str(script)), "schema").text == "(no tables)"


class TestFinalState:
    def test_it_answers_queries_and_gives_plain_data(self, shop: Any) -> None:
        async def whole() -> None:
            opening = shop()
            state, _ = await asyncio.to_thread(ended, opening, "INSERT INTO log VALUES (x'00ff')")
            reader = await SqlDatabase.read_state(state, opening)
            data = await reader.as_data()
            assert data["customers"] == [{"id": 1, "name": "Ann; O'Neill"}, {"id": 2, "name": "Bob"}]
            assert data["log"][-1] == {"what": "00ff"}
            assert list(data) == ["customers", "log", "orders"]
            with pytest.raises(ValueError, match="no such table"):
                await reader.query("SELECT * FROM nope")
            with pytest.raises(ValueError, match="only reads"):
                await reader.query("DELETE FROM log")
            with pytest.raises(ValueError, match="more than"):
                await reader.query(f"{ENDLESS} SELECT x FROM c")
            for refused in (reader.read_file("x"), reader.run("ls", {}, 1.0)):
                with pytest.raises(NotImplementedError, match="sql environment"):
                    await refused
            await reader.close()

        asyncio.run(whole())

    def test_bytes_that_are_no_database_are_a_fault(self, shop: Any) -> None:
        with pytest.raises(EnvironmentFault):
            asked(shop(), FinalState("sql", b"not a database at all" * 100), "SELECT 1")

    def test_a_snapshot_that_is_none_is_a_fault_and_changes_nothing(self, shop: Any) -> None:
        async def whole() -> None:
            database = await SqlDatabase.open(shop())
            before = await database.snapshot()
            with pytest.raises(EnvironmentFault):
                await database.restore(b"12345678" + b"not a database" * 100)
            assert await database.snapshot() == before
            await database.close()

        asyncio.run(whole())
