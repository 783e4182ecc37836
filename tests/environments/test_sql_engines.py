"""The kind `sql` on each engine: the same tools, observations and promises."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from environments.sql_bench import ENDLESS, Bench, bench

from harness.environments import EnvironmentFault, FinalState
from harness.environments.sql import SqlDatabase

ENGINES = ("sqlite", "duckdb", "postgresql")


@pytest.fixture(scope="module", params=ENGINES)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if request.param != "sqlite":
        request.getfixturevalue(f"{request.param}_here")
    with bench(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


class TestReading:
    def test_rows_come_under_their_header(self, shop: Bench) -> None:
        seen = shop.one("query", "SELECT id, name, NULL AS missing FROM customers ORDER BY id")
        assert seen.text == "id | name | missing\n1 | Ann; O'Neill | NULL\n2 | Bob | NULL"
        assert seen.data == {"statements": 1, "rows": 2, "truncated": False}

    def test_no_rows_are_said_to_be_none(self, shop: Bench) -> None:
        assert shop.one("query", "SELECT id FROM customers WHERE id = 9").text == "id\n(no rows)"

    def test_rows_beyond_the_limit_are_not_shown(self, shop: Bench) -> None:
        seen = shop.one("query", f"{ENDLESS} SELECT x FROM c LIMIT 100000", rows=3)
        assert seen.text.splitlines() == ["x", "1", "2", "3", "(only the first 3 rows shown; ask for less at once)"]

    def test_an_observation_keeps_to_its_length(self, shop: Bench) -> None:
        seen = shop.one("query", f"{ENDLESS} SELECT x, 'a long text' FROM c LIMIT 1000", characters=300)
        assert len(seen.text) < 400
        assert seen.data["truncated"] is True

    def test_an_error_of_the_database_is_shown_as_an_error(self, shop: Bench) -> None:
        seen = shop.one("query", "SELECT nme FROM customers")
        assert seen.error
        assert "nme" in seen.text

    def test_the_schema_is_a_line_a_table(self, shop: Bench) -> None:
        lines = shop.one("schema").text.splitlines()
        assert [line.split("(")[0] for line in lines] == ["customers", "orders", "rules", "view sums"]
        assert "customer_id INTEGER -> customers.id" in lines[1].replace("integer", "INTEGER")

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE orders SET total = 0",
            "INSERT INTO rules VALUES (2, 'x')",
            "DELETE FROM orders",
            "WITH x AS (SELECT 1) DELETE FROM orders",
            "DROP TABLE rules",
            "CREATE TABLE x (a INTEGER)",
            "ALTER TABLE rules RENAME TO x",
            "BEGIN",
            "SELECT 1; DELETE FROM orders",
            "EXPLAIN ANALYZE DELETE FROM orders",
            "",
            "-- nothing",
        ],
    )
    def test_a_query_cannot_change_anything(self, shop: Bench, sql: str) -> None:
        async def whole() -> None:
            world = await SqlDatabase.open(shop.opening())
            before = await world.snapshot()
            assert (await world.call("clerk", "query", {"sql": sql})).error
            assert await world.snapshot() == before
            await world.close()

        shop.run(whole())


class TestChanging:
    def test_changes_are_counted_and_returned_rows_shown(self, shop: Bench) -> None:
        first, second = shop.do(
            ("execute", "UPDATE orders SET total = total + 1"),
            ("execute", "INSERT INTO orders (id, customer_id, total) VALUES (7, 1, 3) RETURNING id, placed"),
        )
        assert first.text == "Done: 2 rows changed."
        assert second.text == "Done: 1 row changed.\nid | placed\n7 | 2026-01-05"

    def test_all_rows_are_changed_when_only_some_are_shown(self, shop: Bench) -> None:
        rows = " UNION ALL ".join(f"SELECT {n}, 'x'" for n in range(20))
        sql = f"INSERT INTO rules {rows} RETURNING id"
        state, (seen,) = shop.ended(("execute", sql), opening=shop.opening(rows=2))
        assert seen.data["changed"] == 20
        assert seen.data["rows"] == 2
        assert shop.asked(state, "SELECT count(*) FROM rules") == [[21]]

    def test_several_statements_run_in_order_up_to_the_first_that_fails(self, shop: Bench) -> None:
        sql = "UPDATE orders SET total = 1; UPDATE nope SET x = 1; UPDATE orders SET total = 2"
        state, (seen,) = shop.ended(("execute", sql))
        assert "(statement 2 of 3; the 1 before it was carried out)" in seen.text
        assert shop.asked(state, "SELECT DISTINCT total FROM orders") == [[1]]

    def test_keys_that_refer_to_others_hold(self, shop: Bench) -> None:
        assert shop.one("execute", "INSERT INTO orders (id, customer_id) VALUES (8, 77)").error

    def test_begin_and_commit_in_one_call_hold(self, shop: Bench) -> None:
        state, (seen,) = shop.ended(("execute", "BEGIN; UPDATE orders SET total = 7; COMMIT"))
        assert not seen.error
        assert shop.asked(state, "SELECT DISTINCT total FROM orders") == [[7]]

    def test_a_transaction_left_open_is_an_error_and_keeps_nothing(self, shop: Bench) -> None:
        state, (seen, after) = shop.ended(("execute", "BEGIN; UPDATE orders SET total = 7"), ("query", "SELECT 1"))
        assert seen.error and "left open" in seen.text
        assert not after.error
        assert shop.asked(state, "SELECT total FROM orders ORDER BY id") == [[10.5], [20]]

    def test_a_failure_inside_a_transaction_takes_all_of_it_back(self, shop: Bench) -> None:
        state, (seen,) = shop.ended(("execute", "BEGIN; UPDATE orders SET total = 7; SELECT nothing; COMMIT"))
        assert seen.error and "rolled back" in seen.text
        assert shop.asked(state, "SELECT total FROM orders ORDER BY id") == [[10.5], [20]]


class TestRepeatability:
    def test_time_stands_still(self, shop: Bench) -> None:
        sql = "SELECT CURRENT_DATE, CURRENT_TIMESTAMP"
        row = shop.one("query", sql, now="2026-03-02 09:30").text.splitlines()[1]
        assert row.startswith("2026-03-02 | 2026-03-02 09:30:00")

    def test_defaults_take_the_time_too(self, shop: Bench) -> None:
        insert = ("execute", "INSERT INTO orders (id, total) VALUES (9, 1)")
        state, _ = shop.ended(insert, opening=shop.opening(now="2026-03-02 09:00"))
        assert shop.asked(state, "SELECT placed FROM orders WHERE id = 9") == [["2026-03-02"]]

    def test_chance_comes_from_the_seed_and_moves_on_with_changes_only(self, shop: Bench) -> None:
        question = ("query", "SELECT random()")
        first, again, _, later = shop.do(question, question, ("execute", "DELETE FROM rules"), question)
        assert first == again != later
        assert shop.one(*question, seed=1) == shop.one(*question, seed=1) != shop.one(*question, seed=2)

    def test_rows_without_an_order_come_in_the_same_after_the_same_changes(self, shop: Bench) -> None:
        rows = " UNION ALL ".join(f"SELECT {n}, 'rule {n}'" for n in range(100, 140))
        calls = [("execute", f"INSERT INTO rules {rows}")]
        calls += [("execute", f"UPDATE rules SET rule = rule || '{n}' WHERE id % 7 = {n}") for n in range(7)]
        calls += [("execute", "DELETE FROM rules WHERE id % 5 = 0"), ("query", "SELECT * FROM rules")]
        assert shop.do(*calls) == shop.do(*calls)


class TestRoles:
    def test_a_role_that_reads_is_not_offered_execute(self, shop: Bench) -> None:
        opening = shop.opening(access={"auditor": "read"})
        assert [tool.name for tool in SqlDatabase.tools(opening.options, "auditor")] == ["schema", "query"]
        seen = shop.do(("execute", "DELETE FROM rules"), ("query", "SELECT 1"), role="auditor", opening=opening)
        assert [one.error for one in seen] == [True, False]

    def test_access_for_a_role_that_is_not_there_does_not_open(self, shop: Bench) -> None:
        with pytest.raises(EnvironmentFault, match="audtor"):
            shop.one("schema", access={"audtor": "read"})

    def test_rights_on_single_tables(self, shop: Bench) -> None:
        access = {"clerk": {"write": ["orders"], "read": ["sums"]}}
        if shop.engine == "duckdb":
            with pytest.raises(EnvironmentFault, match="no rights on single tables"):
                shop.one("schema", access=access)
            return
        may = [
            "SELECT * FROM orders",
            "SELECT * FROM sums",
            "WITH x AS (SELECT id FROM orders) SELECT count(*) FROM x",
            "UPDATE orders SET total = 1",
            "INSERT INTO orders (id) VALUES (9) RETURNING id",
            "BEGIN; DELETE FROM orders; COMMIT",
        ]
        may_not = [
            "SELECT * FROM rules",
            "SELECT count(*) FROM customers",
            "WITH sums AS (SELECT * FROM rules) SELECT * FROM sums",
            "WITH orders AS (SELECT * FROM rules) SELECT * FROM orders",
            "SELECT * FROM (SELECT * FROM rules) AS sums",
            "SELECT (SELECT max(rule) FROM rules) FROM orders",
            "INSERT INTO orders (id, customer_id) SELECT id + 20, length(name) FROM customers",
            "UPDATE rules SET rule = 'all'",
            "DELETE FROM customers",
            "UPDATE orders SET total = (SELECT max(id) FROM rules)",
            "CREATE TABLE x (a INTEGER)",
            "DROP TABLE orders",
            "ALTER TABLE orders RENAME TO x",
        ]
        calls = [("execute", sql) for sql in (*may, *may_not)]
        seen = shop.do(*calls, opening=shop.opening(access=access))
        assert [one.error for one in seen] == [False] * len(may) + [True] * len(may_not)
        assert shop.one("schema", access=access).text.count("\n") == 1

    def test_rights_on_a_table_that_is_not_there_do_not_open(self, shop: Bench) -> None:
        if shop.engine == "duckdb":
            pytest.skip("DuckDB has no rights on single tables")
        with pytest.raises(EnvironmentFault, match="nowhere"):
            shop.one("schema", access={"clerk": {"read": ["nowhere"]}})


class TestBuilding:
    def test_the_setup_of_a_task_is_its_own(self, shop: Bench) -> None:
        sql = "SELECT count(*) AS n FROM customers"
        assert shop.one("query", sql, setup="INSERT INTO customers VALUES (3, 'Cy')").text == "n\n3"
        assert shop.one("query", sql).text == "n\n2"

    def test_a_script_that_fails_is_told_with_its_line(self, shop: Bench) -> None:
        script = shop.folder / "wrong.sql"
        script.write_text("CREATE TABLE t (a INTEGER);\n\n-- next\nINSRT INTO t VALUES (1);\n")
        with pytest.raises(EnvironmentFault, match=r"wrong\.sql:4: .*INSRT"):
            shop.one("schema", database=str(script))

    def test_an_empty_script_is_an_empty_database(self, shop: Bench) -> None:
        script = shop.folder / "empty.sql"
        script.write_text("-- nothing yet\n")
        assert shop.one("schema", database=str(script)).text == "(no tables)"


class TestFinalState:
    def test_it_gives_plain_data_of_the_same_shape(self, shop: Bench) -> None:
        state, _ = shop.ended(("execute", "UPDATE orders SET total = 3.25 WHERE id = 2"))
        data = shop.data(state)
        assert data["customers"] == [{"id": 1, "name": "Ann; O'Neill"}, {"id": 2, "name": "Bob"}]
        assert sorted(data["orders"], key=lambda row: row["id"])[1] == {
            "id": 2, "customer_id": 2, "total": 3.25, "placed": "2026-01-05",
        }  # fmt: skip
        assert list(data) == ["customers", "orders", "rules"]

    def test_it_answers_queries_and_refuses_changes(self, shop: Bench) -> None:
        state, _ = shop.ended()
        assert shop.asked(state, "SELECT sum(total) FROM orders") == [[30.5]]
        for sql in ("SELECT * FROM nope", "DELETE FROM rules", f"{ENDLESS} SELECT x FROM c LIMIT 20000"):
            with pytest.raises(ValueError, match=r"\w"):
                shop.asked(state, sql)

    def test_bytes_that_are_no_database_are_a_fault(self, shop: Bench) -> None:
        for data in (b"not a database at all" * 1000, b"{}"):
            with pytest.raises(EnvironmentFault):
                shop.asked(FinalState("sql", data), "SELECT 1")

    def test_a_snapshot_that_is_none_is_a_fault_and_changes_nothing(self, shop: Bench) -> None:
        async def whole() -> None:
            world = await SqlDatabase.open(shop.opening())
            before = await world.snapshot()
            with pytest.raises(EnvironmentFault):
                await world.restore(b"12345678" + b"not a database" * 1000)
            assert await world.snapshot() == before
            await world.close()

        shop.run(whole())


def test_closing_ends_a_query_that_runs(shop: Bench) -> None:
    import asyncio

    async def whole() -> None:
        world = await SqlDatabase.open(shop.opening(seconds=100))
        slow = asyncio.create_task(world.call("clerk", "query", {"sql": f"{ENDLESS} SELECT count(*) FROM c"}))
        await asyncio.sleep(0.1)
        await world.close()
        try:
            assert (await slow).error
        except EnvironmentFault as fault:
            assert "closed" in str(fault)  # it had not begun

    shop.run(whole())


def test_cancelling_ends_a_query_and_the_next_is_answered(shop: Bench) -> None:
    import asyncio

    async def whole() -> None:
        world = await SqlDatabase.open(shop.opening(seconds=100))
        assert not (await world.call("clerk", "query", {"sql": "SELECT 1"})).error
        slow = asyncio.create_task(world.call("clerk", "query", {"sql": f"{ENDLESS} SELECT count(*) FROM c"}))
        await asyncio.sleep(0.1)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert not (await world.call("clerk", "query", {"sql": "SELECT 1"})).error
        await world.close()

    shop.run(whole())


def test_a_missing_package_is_one_line_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    real = find_spec
    monkeypatch.setattr(
        "harness.environments.sql.engine.find_spec", lambda name: None if name == "duckdb" else real(name)
    )
    with bench("duckdb", tmp_path) as shop, pytest.raises(EnvironmentFault) as told:
        shop.one("schema")
    assert "pip install 'scaffold-harness[duckdb]'" in str(told.value)
    assert "\n" not in str(told.value)
