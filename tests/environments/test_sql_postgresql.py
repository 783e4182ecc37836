"""PostgreSQL behind the kind `sql`: the server, own or given, and what SQL from a model may do on it."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from environments.sql_bench import Bench, bench

from harness.environments import EnvironmentFault, FinalState, Services
from harness.environments.sql import SqlDatabase
from harness.environments.sql.postgresql.statements import split


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, postgresql_here: None) -> Iterator[Bench]:
    with bench("postgresql", tmp_path_factory.mktemp("postgresql")) as made:
        yield made


ATTACKS = [
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'x')",
    "COPY orders TO PROGRAM 'id'",
    "COPY orders FROM '/etc/passwd'",
    "COPY orders TO STDOUT",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION pgcrypto",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE LANGUAGE plpython3u",
    "DO $$ BEGIN PERFORM 1; END $$",
    "CREATE TABLE x (a int)",
    "CREATE TEMP TABLE x (a int)",
    "SELECT 1 AS a INTO x",
    "CREATE SCHEMA x",
    "CREATE DATABASE x",
    "CREATE ROLE x",
    "ALTER ROLE clerk SUPERUSER",
    "ALTER ROLE clerk SET work_mem = '1GB'",
    "ALTER TABLE orders RENAME TO x",
    "DROP TABLE orders",
    "TRUNCATE orders",
    "GRANT SELECT ON orders TO auditor",
    "SET statement_timeout = 0",
    "SET ROLE auditor",
    "SET SESSION AUTHORIZATION harness",
    "RESET ALL",
    "DISCARD ALL",
    "BEGIN; SET LOCAL work_mem = '1GB'; COMMIT",
    "SELECT set_config('work_mem', '1GB', false)",
    "SELECT pg_catalog.set_config('work_mem', '1GB', false)",
    "UPDATE pg_settings SET setting = '1' WHERE name = 'work_mem'",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_notify('a', 'b')",
    "LISTEN a",
    "PREPARE p AS SELECT 1",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "LOCK TABLE orders",
    "VACUUM",
    "CHECKPOINT",
    "LOAD 'plpgsql'",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN (ANALYZE) SELECT 1",
    "SELECT * FROM pg_authid",
    "SELECT 'a\0b'",
    "SELECT '\ud800'",
]
OTHERS = [
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM pg_stat_get_activity(NULL)",
    "SELECT * FROM pg_database",
    "SELECT * FROM pg_stat_database",
    "SELECT * FROM pg_locks",
    "SELECT * FROM pg_roles",
    "SELECT * FROM pg_user",
    "SELECT * FROM pg_auth_members",
    "SELECT * FROM pg_shdepend",
    "SELECT * FROM pg_db_role_setting",
    "SELECT pg_tablespace_databases(1663)",
    "SELECT pg_database_size(1)",
    "SELECT database_to_xml(true, true, '')",
    "SELECT query_to_xml('SELECT datname FROM pg_database', true, true, '')",
]
UNSTEADY = [
    "SELECT pg_catalog.now()",
    "SELECT pg_catalog.clock_timestamp()",
    "SELECT txid_current()",
    "SELECT pg_current_xact_id()",
    "SELECT pg_current_snapshot()",
    "SELECT pg_current_wal_lsn()",
    "SELECT pg_backend_pid()",
    "SELECT pg_postmaster_start_time()",
    "SELECT pg_sleep(100)",
]


class TestAttacks:
    @pytest.mark.parametrize("kind", ["attacks", "others", "unsteady"])
    def test_refused(self, shop: Bench, kind: str) -> None:
        given = {"attacks": ATTACKS, "others": OTHERS, "unsteady": UNSTEADY}[kind]
        state, seen = shop.ended(*(("execute", sql) for sql in given))
        assert [sql for sql, one in zip(given, seen, strict=True) if not one.error] == []
        assert not [one.text for one in seen if "root:" in one.text or str(shop.folder) in one.text]
        clean, _ = shop.ended()
        assert shop.data(state) == shop.data(clean)

    def test_privileges_hold_without_the_list_of_statements(self, shop: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """The list of what is allowed is for settings; the server itself refuses the rest."""
        monkeypatch.setattr("harness.environments.sql.postgresql.engine.refusal", lambda *_: None)
        harmless = ("SET ", "RESET", "DISCARD", "BEGIN", "LISTEN", "PREPARE", "EXPLAIN", "ALTER ROLE clerk SET")
        given = [sql for sql in ATTACKS if not sql.startswith(harmless) and sql != "VACUUM"]
        state, seen = shop.ended(*(("execute", sql) for sql in given))
        assert [
            sql for sql, one in zip(given, seen, strict=True)
            if not one.error and not sql.startswith(("DECLARE", "LOCK", "GRANT", "LOAD"))
        ] == []  # fmt: skip
        clean, _ = shop.ended()
        assert shop.data(state) == shop.data(clean)

    def test_a_role_that_reads_only_reads_whatever_its_tool(self, shop: Bench) -> None:
        opening = shop.opening(access={"auditor": "read"})

        async def whole() -> None:
            world = await SqlDatabase.open(opening)
            try:
                engine = world._engine
                for sql in (
                    "INSERT INTO rules VALUES (2, 'x')",
                    "UPDATE rules SET id = 3",
                    "SELECT nextval('orders_id_seq')",
                ):
                    with pytest.raises(ValueError, match="permission denied"):
                        await engine.run("auditor", sql, writing=True)
            finally:
                await world.close()

        shop.run(whole())

    def test_a_role_of_a_trial_connects_to_no_other_database(self, shop: Bench) -> None:
        async def whole() -> None:
            first, second = await SqlDatabase.open(shop.opening()), await SqlDatabase.open(shop.opening())
            one: Any = first._engine
            other: Any = second._engine
            try:
                for database in (other._database, one._server.base, "postgres", "template1"):
                    with pytest.raises(EnvironmentFault, match=r"permission denied|not permitted"):
                        await one._server.connect(database, one._logins["clerk"])
            finally:
                await first.close()
                await second.close()

        shop.run(whole())

    def test_names_of_the_server_are_not_shown(self, shop: Bench) -> None:
        seen = shop.one("query", "SELECT current_user, session_user, current_database(), current_catalog")
        assert seen.text.splitlines()[1] == "clerk | login | database | database"

    def test_a_script_is_no_superuser_either(self, shop: Bench) -> None:
        for sql in (
            "COPY rules FROM PROGRAM 'echo 1'",
            "CREATE TABLE x AS SELECT pg_read_file('/etc/passwd')",
            "CREATE EXTENSION dblink",
            "RESET SESSION AUTHORIZATION",
            "ALTER ROLE clerk SUPERUSER",
        ):
            with pytest.raises(EnvironmentFault, match=r"setup\.sql:1: "):
                shop.one("schema", setup=sql)


class TestBounds:
    """Each of these would take minutes, gigabytes or the whole disk."""

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT count(*) FROM generate_series(1, 100000000000)",
            "SELECT repeat('x', 900000000)",
            "SELECT string_agg(repeat('x', 1000), '') FROM generate_series(1, 1000000)",
            "SELECT g, repeat('x', 1000) FROM generate_series(1, 100000000) g ORDER BY 2, 1 DESC",
            "INSERT INTO rules SELECT g, repeat(md5(g::text), 30) FROM generate_series(1, 100000000) g",
            "SELECT regexp_replace(repeat('a', 1000000), '(a*)*b', '')",
        ],
        ids=lambda sql: sql[:40],
    )
    def test_bombs_end_as_errors(self, shop: Bench, sql: str) -> None:
        started = time.monotonic()
        opening = shop.opening(seconds=3, megabytes=8)
        seen = shop.do(("execute", sql), ("query", "SELECT count(*) FROM rules"), opening=opening)
        assert seen[0].error or "regexp" in sql
        assert seen[1].text == "count\n1"
        assert time.monotonic() - started < 60

    def test_a_database_that_was_full_goes_on(self, shop: Bench) -> None:
        fill = "INSERT INTO rules SELECT g, repeat(md5(g::text), 30) FROM generate_series(1, 3000000) g"
        full, after = shop.do(
            ("execute", fill), ("execute", "INSERT INTO rules VALUES (2, 'x')"), opening=shop.opening(megabytes=4)
        )
        assert "the database is full" in full.text
        assert not after.error


class TestTime:
    def test_words_and_strings_for_now_stand_still(self, shop: Bench) -> None:
        sql = (
            "SELECT now(), CURRENT_TIME, LOCALTIME, localtimestamp(0), 'now'::timestamp, date 'today', "
            "CAST('tomorrow' AS date), age(timestamp '2026-01-01'), now() AS current_date"
        )
        row = shop.one("query", sql, now="2026-03-02 09:00").text.splitlines()[1]
        assert row == (
            "2026-03-02 09:00:00+00 | 09:00:00+00 | 09:00:00 | 2026-03-02 09:00:00 | 2026-03-02 09:00:00 | 2026-03-02 "
            "| 2026-03-03 | 2 mons 1 day | 2026-03-02 09:00:00+00"
        )

    def test_functions_of_a_script_stand_still_too(self, shop: Bench) -> None:
        setup = """
            CREATE FUNCTION day() RETURNS date LANGUAGE sql AS $$ SELECT now()::date $$;
            CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN NEW.rule := NEW.rule || ' ' || now()::date; RETURN NEW; END $$;
            CREATE TRIGGER stamped BEFORE INSERT ON rules FOR EACH ROW EXECUTE FUNCTION stamp();
            CREATE FUNCTION two() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
        """
        sql = "INSERT INTO rules VALUES (two(), 'on') RETURNING id, rule, day()"
        assert shop.one("execute", sql, setup=setup).text.splitlines()[-1] == "2 | on 2026-01-05 | 2026-01-05"


class TestState:
    def test_all_types_come_back_as_they_were(self, shop: Bench) -> None:
        setup = """
            CREATE TYPE mood AS ENUM ('glad', 'sad');
            CREATE SCHEMA old;
            CREATE TABLE old.kinds (
              a bigint, b double precision, c numeric, d boolean, e bytea, f text[], g jsonb, h mood, i timestamptz,
              j interval, "K k" text, twice bigint GENERATED ALWAYS AS (a * 2) STORED
            );
            CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM old.kinds;
            INSERT INTO old.kinds VALUES (
              9007199254740993, 'NaN', 1.50, true, '\\x00ff', ARRAY['a', NULL], '{"a": 1}', 'sad', now(), '1 day',
              E'tab\\t line\\n back\\\\ \\\\N'
            );
            INSERT INTO old.kinds DEFAULT VALUES;
        """
        opening = shop.opening(setup)
        state, _ = shop.ended(opening=opening)
        first, second = shop.data(state)["old.kinds"]
        assert first == {
            "a": 9007199254740993, "b": "NaN", "c": 1.5, "d": True, "e": "00ff", "f": "{a,NULL}", "g": '{"a": 1}',
            "h": "sad", "i": "2026-01-05 09:00:00+00", "j": "1 day", "K k": "tab\t line\n back\\ \\N",
            "twice": 18014398509481986,
        }  # fmt: skip
        assert set(second.values()) == {None}
        asked = shop.asked(state, 'SELECT a, c, d, e, f::text, g, h, "K k", twice, n FROM old.kinds, counted')
        assert asked[0] == [
            9007199254740993, 1.5, True, "00ff", "{a,NULL}", '{"a": 1}', "sad", "tab\t line\n back\\ \\N",
            18014398509481986, 2,
        ]  # fmt: skip

    def test_plain_data_needs_no_server(self, shop: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        state, _ = shop.ended(("execute", "DELETE FROM rules"))

        async def whole() -> dict[str, Any]:
            monkeypatch.setenv("PATH", "")
            opening = shop.opening()
            reader = await SqlDatabase.read_state(state, opening)
            try:
                return await reader.as_data()
            finally:
                await reader.close()

        assert shop.run(whole())["rules"] == []

    def test_a_state_is_asked_on_another_server(self, shop: Bench, tmp_path: Path) -> None:
        state, _ = shop.ended(("execute", "UPDATE orders SET total = 9"))
        with bench("postgresql", tmp_path) as elsewhere:
            assert elsewhere.asked(FinalState("sql", state.data), "SELECT DISTINCT total FROM orders") == [[9]]

    def test_numbering_goes_on_after_a_snapshot_is_restored(self, shop: Bench) -> None:
        async def whole() -> None:
            world = await SqlDatabase.open(shop.opening())
            insert = {"sql": "INSERT INTO orders (total) VALUES (1) RETURNING id"}
            try:
                await world.call("clerk", "execute", insert)
                snapshot = await world.snapshot()
                first = await world.call("clerk", "execute", insert)
                await world.restore(snapshot)
                assert await world.call("clerk", "execute", insert) == first
                assert await world.call("clerk", "execute", insert) != first
            finally:
                await world.close()

        shop.run(whole())


class TestServer:
    def test_a_given_server_is_left_as_it_was(
        self, shop: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from harness.environments.sql.postgresql.cluster import Cluster

        async def whole() -> None:
            import psycopg

            cluster = await Cluster.start()
            names = "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles ORDER BY 1"
            try:
                monkeypatch.setenv("SHOP_SERVER", f"postgresql://harness@/postgres?host={cluster.folder}")
                async with await psycopg.AsyncConnection.connect(cluster.address, autocommit=True) as connection:
                    before = await (await connection.execute(names)).fetchall()
                    # What a killed harness left.
                    await connection.execute("CREATE DATABASE harness_0a1b2c_000001")
                    await connection.execute("CREATE ROLE harness_0a1b2c_clerk")
                    async with Services() as services:
                        opening = shop.opening(server_env="SHOP_SERVER")
                        opening = type(opening)(**{**vars(opening), "services": services})
                        world = await SqlDatabase.open(opening)
                        assert str(world.facts["postgresql"]).endswith("given")
                        seen = await world.call("clerk", "execute", {"sql": "DELETE FROM rules"})
                        assert seen.text == "Done: 1 row changed."
                        shown = await world.call("clerk", "query", {"sql": "SELECT current_user"})
                        assert shown.text == "current_user\nclerk"
                        now = await (await connection.execute(names)).fetchall()
                        assert len(now) > len(before)
                        assert not [name for (name,) in now if name.startswith("harness_0a1b2c")]
                        # Left open on purpose: closing the services drops it all the same.
                    assert await (await connection.execute(names)).fetchall() == before
            finally:
                await cluster.close()

        shop.run(whole())

    def test_a_server_that_is_not_there_is_one_line(self, shop: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(EnvironmentFault, match="SHOP_SERVER is not set"):
            shop.one("schema", server_env="SHOP_SERVER")
        monkeypatch.setenv("SHOP_SERVER", "postgresql://me:hush@127.0.0.1:1/postgres")
        with pytest.raises(EnvironmentFault, match="cannot be reached") as told:
            shop.one("schema", server_env="SHOP_SERVER")
        assert "hush" not in str(told.value)
        assert "\n" not in str(told.value)

    def test_no_server_program_is_one_line_with_the_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from harness.environments.sql.postgresql import programs

        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.setattr(programs, "_FOLDERS", ())
        with pytest.raises(EnvironmentFault, match="apt install postgresql"):
            programs.server_programs()

    def test_nothing_is_left_when_the_run_is_over(self, tmp_path: Path) -> None:
        def clusters() -> set[str]:
            return {path.name for path in Path(tempfile.gettempdir()).glob("harness-pg-*")}

        with bench("postgresql", tmp_path) as shop:
            before = clusters()
            shop.one("schema")
            (folder,) = {name for name in clusters() - before if not name.endswith(".lock")}
        assert not Path(tempfile.gettempdir(), folder).exists()
        assert not Path(tempfile.gettempdir(), f"{folder}.lock").exists()

    def test_what_a_killed_harness_left_is_removed_by_the_next(self, tmp_path: Path, postgresql_here: None) -> None:
        parent = Path(tempfile.gettempdir())
        abandoned = parent / f"harness-pg-abandoned{os.getpid()}"
        abandoned.mkdir()
        (abandoned / "data").write_text("left")
        lock = parent / f"{abandoned.name}.lock"
        lock.touch()
        with bench("postgresql", tmp_path) as shop:
            shop.one("schema")
        assert not abandoned.exists()
        assert not lock.exists()


def test_a_hundred_open_at_once(shop: Bench) -> None:
    async def crowd() -> None:
        worlds = await asyncio.gather(*(SqlDatabase.open(shop.opening()) for _ in range(100)))
        try:
            question = {"sql": "SELECT random(), count(*) FROM orders"}
            seen = await asyncio.gather(*(world.call("clerk", "query", question) for world in worlds))
            assert len({one.text for one in seen}) == 1
        finally:
            await asyncio.gather(*(world.close() for world in worlds))

    shop.run(crowd())


class TestStatements:
    def test_a_script_is_split_where_postgresql_would(self) -> None:
        script = (
            "SELECT ';', E'\\';', $$;$$, $a$ $$;$$ $a$, \";\"; -- a;b\n/* ; /* ; */ ; */ CREATE RULE r AS ON INSERT "
            "TO x DO (SELECT 1; SELECT 2);\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;\nSELECT 3"
        )
        assert [statement.line for statement in split(script)] == [1, 2, 3, 4]

    @pytest.mark.parametrize("sql", ["", " ", ";", "-- x", "/* x */", "/* open"])
    def test_nothing_is_no_statement(self, sql: str) -> None:
        assert split(sql) == []
