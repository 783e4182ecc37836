"""One trial's PostgreSQL database, and a recorded one opened for checks.

A role's privileges are real ones of the server: a role that reads has SELECT, one that writes also INSERT, UPDATE and
DELETE, on all tables or on those named. Neither owns anything, so tables are not made or changed in a trial.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, cast

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault, FinalState, Opening, StateReader
from harness.environments.sql.engine import SqlEngine, World, schema_text
from harness.environments.sql.options import SqlOptions
from harness.environments.sql.postgresql import archive
from harness.environments.sql.postgresql.building import built
from harness.environments.sql.postgresql.server import Server, quoted
from harness.environments.sql.postgresql.session import Answer, Session, StoppedError
from harness.environments.sql.postgresql.statements import Statement, held_still, refusal, split
from harness.environments.sqlite import Bounds, RefusedError, Result, Script
from harness.environments.sqlite.reader import READING, ROWS_AS_DATA, TEXT_AS_DATA

if TYPE_CHECKING:
    import psycopg

WATCHED_SECONDS = 0.05
"""Between two looks at the size of a database that a statement is changing."""
_BOOLEAN = 16
_KINDS = {16: "boolean", 17: "bytea", 20: "bigint", 21: "smallint", 23: "integer", 26: "oid", 700: "real",
          701: "double precision", 1700: "numeric"}  # fmt: skip
_SCHEMA = """
    SELECT c.relkind IN ('v', 'm'), CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname,
           a.attname, format_type(a.atttypid, a.atttypmod),
           (SELECT f.confrelid::regclass || '.' || (SELECT attname FROM pg_attribute
                   WHERE attrelid = f.confrelid AND attnum = f.confkey[array_position(f.conkey, a.attnum)])
            FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f' AND a.attnum = ANY (f.conkey)
            ORDER BY f.conname LIMIT 1)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'moment') AND n.nspname NOT LIKE 'pg\\_%'
    AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
    ORDER BY 2, a.attnum
"""


class PostgresqlEngine(SqlEngine):
    """One trial's PostgreSQL database."""

    def __init__(self, server: Server, options: SqlOptions, scripts: tuple[Script, ...], opening: Opening) -> None:
        """Make nothing yet."""
        self._server, self._options, self._scripts = server, options, scripts
        self._roles, self._seed = tuple(opening.roles), opening.seed
        self._database = server.new_name()
        self._logins = {role: f"{self._database}_{number}_" for number, role in enumerate(self._roles)}
        self._sessions: dict[str, Session] = {}
        self._holding: psycopg.AsyncConnection | None = None
        self._changing_calls = 0
        self._most_bytes = 0
        self._busy = asyncio.Lock()
        self._running: asyncio.Task[Result] | None = None
        self._made = False

    @classmethod
    async def open(cls, world: World) -> Self:
        """Open a copy of the database in its first state. Raises `EnvironmentFault` when the scripts do not run."""
        server = await Server.of(world.opening.services, world.options.server_env)
        engine = cls(server, world.options, world.scripts, world.opening)
        try:
            for login in engine._logins.values():
                await server.login(login, connections=2)
            await engine._make(None)
        except BaseException:
            await engine.close()
            raise
        return engine

    async def _make(self, rows: archive.Archive | None) -> None:
        """Make the database, with these rows in place of its own."""
        server, name = self._server, self._database
        self._made = True
        async with built(server, self._scripts, self._options, self._roles) as template:
            await server.copy(template, name)
        groups = [(login, server.group(role)) for role, login in self._logins.items()]
        await server.admin(
            *(f"GRANT {quoted(group)} TO {login}" for login, group in groups),
            f"GRANT CONNECT ON DATABASE {name} TO {', '.join(self._logins.values())}",
        )
        if rows is not None:
            async with server.superuser(name) as connection:
                await archive.load(connection, rows)
        self._holding = await server.hold(name)
        self._most_bytes = await self._size() + self._options.megabytes * 2**20

    async def _size(self) -> int:
        ((size,),) = await self._server.admin(f"SELECT pg_database_size('{self._database}')")
        return int(str(size))

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the version of PostgreSQL, and whose server it is."""
        return {"postgresql": self._server.facts}

    async def run(self, role: str, sql: str, *, writing: bool) -> Result:
        """Run SQL for a role. Raises `RefusedError`."""
        async with self._busy:
            if not self._made:
                raise EnvironmentFault("the database is closed")
            chance = _chance(self._seed, self._changing_calls, sql)
            self._changing_calls += writing
            self._running = asyncio.ensure_future(self._watched(role, sql, chance, writing))
            try:
                return await asyncio.shield(self._running)
            except RefusedError as error:
                raise RefusedError(self._server.plain_names(str(error)), error.line) from None
            except asyncio.CancelledError:
                if not (current := asyncio.current_task()) or not current.cancelling():
                    raise RefusedError("stopped") from None
                self._running.cancel()
                await asyncio.wait([self._running])
                raise
            finally:
                self._running = None

    async def _watched(self, role: str, sql: str, chance: float, writing: bool) -> Result:
        session = await self._session(role)
        work = asyncio.ensure_future(
            run_call(session, sql, "write" if writing else "read", self._options.bounds, chance, self._options.now)
        )
        full = False
        try:
            while writing and not work.done():
                await asyncio.wait([work], timeout=WATCHED_SECONDS)
                if not work.done() and await self._size() > self._most_bytes:
                    full = True
                    work.cancel()
                    await asyncio.wait([work])
            result = await work
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait([work])
            if not full:
                raise
            await self._tidy()
            raise RefusedError("the database is full") from None
        return Result(
            result.columns,
            [tuple(self._server.plain_names(v) if isinstance(v, str) else v for v in row) for row in result.rows],
            result.more, result.changed, result.statements,
        )  # fmt: skip

    async def _tidy(self) -> None:
        """Give back the room that a cancelled statement took."""
        async with self._server.superuser(self._database) as connection:
            await connection.execute("VACUUM")

    async def _session(self, role: str) -> Session:
        session = self._sessions.get(role)
        if session is None or session.closed:
            settings = {"role": self._server.group(role), "statement_timeout": f"{self._options.seconds + 20:.0f}s"}
            session = await self._server.connect(self._database, self._logins[role], **settings)
            self._sessions[role] = session
        return session

    async def schema(self, role: str) -> str:
        """Return the tables that the role may see."""
        async with self._busy:
            if not self._made:
                raise EnvironmentFault("the database is closed")
            answer = await (await self._session(role)).run(_SCHEMA)
        tables: dict[str, tuple[bool, str, list[tuple[str, str, str]]]] = {}
        for cells in answer.rows:
            view, name, column, kind, target = ("" if cell is None else cell.decode() for cell in cells)
            entry = tables.setdefault(name, (view == "t", name, []))
            entry[2].append((column, kind, f" -> {target}" if target else ""))
        return schema_text(list(tables.values()))

    async def snapshot(self) -> bytes:
        """Return the database as bytes, and where the random numbers stand."""
        async with self._busy:
            return await self._export()

    async def _export(self) -> bytes:
        if not self._made:
            raise EnvironmentFault("the database is closed")
        async with self._server.superuser(self._database) as connection:
            return await archive.export(connection, self._scripts, self._options.now, self._changing_calls)

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot. Raises `EnvironmentFault` when it is none."""
        rows = archive.opened(snapshot)
        async with self._busy:
            await self._disconnect()
            await self._server.drop([self._database])
            await self._make(rows)
            self._changing_calls = int(rows["calls"])

    async def final(self) -> bytes:
        """Return the database as bytes. A call still running is cancelled, and so leaves no trace."""
        if self._running is not None:
            self._running.cancel()
        return await self.snapshot()

    @classmethod
    async def read(cls, state: FinalState, opening: Opening) -> PostgresqlReader:
        """Open a recorded database for checks. Raises `EnvironmentFault` when it is none."""
        return PostgresqlReader(state.kind, archive.opened(state.data), opening)

    async def _disconnect(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        if self._holding is not None:
            await self._holding.close()
            self._holding = None

    async def close(self) -> None:
        """Drop the database and its login roles; may be called twice."""
        if self._running is not None:
            self._running.cancel()
        async with self._busy:
            await self._disconnect()
            if self._made or self._logins:
                logins, self._logins, self._made = list(self._logins.values()), {}, False
                await self._server.drop([self._database], logins)


class PostgresqlReader(StateReader):
    """Answers checks about a database; one of kind `sql` in PostgreSQL's dialect, on a server."""

    def __init__(self, kind: str, rows: archive.Archive, opening: Opening) -> None:
        """Take over a document."""
        self._kind, self._archive, self._opening = kind, rows, opening
        self._place: tuple[Server, str, Session] | None = None
        self._busy = asyncio.Lock()

    async def query(self, sql: str) -> list[list[JsonValue]]:
        """Rows of a read-only query; bytes as hexadecimal text. Raises `ValueError` with the database's message."""
        async with self._busy:
            session = await self._session()
            chance = _chance(self._opening.seed, 0, sql)
            result = await run_call(session, sql, "read", READING, chance, self._archive["now"], plainly=True)
        if result.more:
            raise RefusedError(f"more than {len(result.rows)} rows")
        return cast(list[list[JsonValue]], [list(row) for row in result.rows])

    async def _session(self) -> Session:
        """The server's copy of the database, made at the first question."""
        if self._place is None:
            options = cast(SqlOptions, self._opening.options)
            server = await Server.of(self._opening.services, options.server_env)
            name, scripts = server.new_name(), archive.scripts_of(self._archive)
            try:
                world = options.model_copy(update={"now": self._archive["now"]})
                async with built(server, scripts, world, tuple(self._opening.roles)) as template:
                    await server.copy(template, name)
                async with server.superuser(name) as connection:
                    await archive.load(connection, self._archive)
                await server.admin(f"GRANT CONNECT ON DATABASE {name} TO {server.prefix}owner")
                self._place = server, name, await server.connect(name, f"{server.prefix}owner")
            except BaseException:
                await server.drop([name])
                raise
        return self._place[2]

    async def as_data(self) -> dict[str, JsonValue]:
        """Table -> rows as mappings, the first 1,000 of each table, with long texts cut."""
        return archive.as_data(self._archive, ROWS_AS_DATA, TEXT_AS_DATA)

    async def in_full(self) -> dict[str, JsonValue]:
        """The same with all rows and whole texts."""
        return archive.as_data(self._archive, None, None)

    async def read_file(self, path: str) -> str | None:
        """There are no files in a database."""
        raise NotImplementedError(f"a {self._kind} environment has no files; use a check of kind sql or state")

    async def close(self) -> None:
        """Drop the server's copy; may be called twice."""
        place, self._place = self._place, None
        if place is not None:
            server, name, session = place
            await session.close()
            await server.drop([name])


def _chance(seed: int, calls: int, sql: str) -> float:
    """A seed in [-1, 1) for PostgreSQL's random numbers in one call, the first after `calls` that could change it."""
    text = f"{seed} {calls} {sql}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") / 2**31 - 1


async def run_call(
    session: Session, sql: str, mode: str, bounds: Bounds, chance: float, now: str, *, plainly: bool = False
) -> Result:
    """Run SQL from outside in a call that stands alone. Raises `RefusedError`."""
    statements = _taken_apart(sql, mode, bounds)
    await session.run(f"SELECT pg_catalog.setseed({chance!r})")
    reading = mode == "read"
    if reading:
        await session.run("BEGIN TRANSACTION READ ONLY")
    answer, changed, done = Answer(), None, 0
    deadline = asyncio.get_running_loop().time() + bounds.seconds
    try:
        for statement in statements:
            left = max(0.01, deadline - asyncio.get_running_loop().time())
            text = held_still(statement, now[:10], now[11:])
            one = await session.bounded(text, bounds.rows, bounds.result_bytes, left, whole=not reading)
            done += 1
            if one.changed is not None:
                changed = (changed or 0) + one.changed
            answer = one if one.columns else answer
    except (RefusedError, StoppedError) as error:
        stopped = f"stopped after {bounds.seconds:g} seconds; ask for less at once"
        reason = stopped if isinstance(error, StoppedError) else str(error)
        open_before = not session.closed and session.in_transaction and not reading
        raise RefusedError(reason + aftermath(done, len(statements), open_before)) from None
    finally:
        left_open = not session.closed and session.in_transaction
        with contextlib.suppress(RefusedError):
            if left_open:
                await session.run("ROLLBACK")
            if not session.closed and not reading:
                await session.run("DISCARD SEQUENCES")
    if left_open and not reading:
        raise RefusedError(
            "a transaction was left open, so it was rolled back and nothing in it was kept; "
            "BEGIN and COMMIT belong in one call"
        )
    return Result(tuple(answer.columns), _values(answer, plainly), answer.more, changed, len(statements))


def _taken_apart(sql: str, mode: str, bounds: Bounds) -> Sequence[Statement]:
    if len(sql) > bounds.sql_length:
        raise RefusedError(f"too long: {len(sql)} characters; {bounds.sql_length} is the most")
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise RefusedError("this holds characters that are no text") from None
    if "\0" in sql:
        raise RefusedError("this holds characters that are no text")
    statements = split(sql)
    if not statements:
        raise RefusedError("there is no statement in this")
    most = 1 if mode == "read" else bounds.statements
    if len(statements) > most:
        raise RefusedError(f"too many statements; {most} at once is the most")
    for statement in statements:
        refused = refusal(statement, mode)
        if refused is not None:
            raise RefusedError(refused)
    return statements


def _values(answer: Answer, plainly: bool) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for cells in answer.rows:
        texts = [None if cell is None else cell.decode("utf-8", "replace") for cell in cells]
        if plainly:
            rows.append(tuple(archive.plain(t, _KINDS.get(k, "")) for t, k in zip(texts, answer.types, strict=True)))
        else:
            truths = {"t": "true", "f": "false"}
            rows.append(
                tuple(
                    truths.get(text or "", text) if kind == _BOOLEAN else text
                    for text, kind in zip(texts, answer.types, strict=True)
                )
            )
    return rows


def aftermath(done: int, of: int, rolled_back: bool) -> str:
    """What became of the statements before the one that failed, `done` in number."""
    if rolled_back:
        return " (the open transaction was rolled back)"
    if of == 1:
        return ""
    before = "" if done == 0 else f"; the {done} before it {'was' if done == 1 else 'were'} carried out"
    return f" (statement {done + 1} of {of}{before})"
