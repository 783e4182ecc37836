"""One trial's DuckDB database, and a recorded one opened for checks.

A database travels as the bytes of its file, which later versions of DuckDB read too. DuckDB knows no users: a role that
only reads is held to it by the kind of its statements and a transaction that only reads; rights on single tables are
refused, because nothing in the engine could keep them.

What cannot be held still: `txid_current()` and the numbers of queries and connections.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self, cast

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault, FinalState, Opening, StateReader
from harness.environments.sql.duckdb.nursery import KEPT, Cell, CellGoneError, Nursery
from harness.environments.sql.engine import SqlEngine, SqlError, World, schema_text
from harness.environments.sql.options import SqlOptions
from harness.environments.sqlite import Bounds, RefusedError, Result, Script
from harness.environments.sqlite.guard import trusted
from harness.environments.sqlite.reader import READING, ROWS_AS_DATA, TEXT_AS_DATA

WORKING_MB = 96
"""Memory for what a statement needs beside the database."""
SPARE_BYTES = 4 * 2**20
"""Of a file beyond the size of the database: a DuckDB file is hardly ever full."""
GONE = "this needs too much memory or space; ask for less at once (what ran before it in this call was carried out)"


class DuckdbEngine(SqlEngine):
    """One trial's DuckDB database."""

    def __init__(self, options: SqlOptions, seed: int, cell: Cell, version: str) -> None:
        """Take over an open database."""
        self._options, self._seed, self._cell, self._version = options, seed, cell, version
        self._changing_calls = 0

    @classmethod
    async def open(cls, world: World) -> Self:
        """Open a copy of the database in its first state. Raises `EnvironmentFault` when the scripts do not run."""
        options, opening = world.options, world.opening
        single = [role for role in options.access if options.rights(role).tables is not None]
        if single:
            raise SqlError(
                f"access of {single[0]}: DuckDB has no rights on single tables; write read or write, "
                "or take engine sqlite or postgresql"
            )
        nursery = await Nursery.of(opening.services)
        image = await _built(nursery, world)
        cell = _cell(nursery, opening.scratch, options.now, options.megabytes)
        try:
            await cell.load(image)
            answer, _ = await cell.ask({"do": "version"}, 60)
        except (EnvironmentFault, CellGoneError) as error:
            await cell.close()
            raise EnvironmentFault(f"the DuckDB database did not open: {error}") from None
        return cls(options, opening.seed, cell, str(answer["version"]))

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the version of DuckDB."""
        return {"duckdb": self._version}

    async def run(self, role: str, sql: str, *, writing: bool) -> Result:
        """Run SQL. Raises `RefusedError`."""
        chance = _chance(self._seed, self._changing_calls, sql)
        self._changing_calls += writing
        return await _run(self._cell, sql, "write" if writing else "read", self._options.bounds, chance)

    async def schema(self, role: str) -> str:
        """Return the tables."""
        answer, _ = await self._asked({"do": "tables"})
        tables = [
            (bool(view), name if schema == "main" else f"{schema}.{name}", [tuple(column) for column in columns])
            for view, schema, name, columns in cast(list[tuple[bool, str, str, list[list[str]]]], answer["tables"])
        ]
        return schema_text(cast(Sequence[tuple[bool, str, Sequence[tuple[str, str, str]]]], tables))

    async def snapshot(self) -> bytes:
        """Return the database as bytes, and where the random numbers stand."""
        return self._changing_calls.to_bytes(8, "big") + (await self._asked({"do": "image"}))[1]

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot. Raises `EnvironmentFault` when it is none, and changes nothing then."""
        _, before = await self._asked({"do": "image"})
        try:
            await self._cell.load(snapshot[8:])
            await self._asked({"do": "version"})
        except EnvironmentFault:
            await self._cell.load(before)
            raise
        self._changing_calls = int.from_bytes(snapshot[:8], "big")

    async def final(self) -> bytes:
        """Return the database as bytes. A call still running is ended, and so leaves no trace."""
        await self._cell.interrupt()
        return (await self._asked({"do": "image"}))[1]

    async def _asked(self, request: dict[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
        try:
            return await self._cell.ask(request, 60)
        except CellGoneError as error:
            raise EnvironmentFault(f"the DuckDB database is gone: {error}") from None

    @classmethod
    async def read(cls, state: FinalState, opening: Opening) -> DuckdbReader:
        """Open a recorded database for checks. Raises `EnvironmentFault` when it is none."""
        options = cast(SqlOptions, opening.options)
        cell = _cell(await Nursery.of(opening.services), opening.scratch, options.now, 1024)
        reader = DuckdbReader(state.kind, cell, opening.seed)
        try:
            await cell.load(state.data)
            await cell.ask({"do": "version"}, 60)
        except (EnvironmentFault, CellGoneError) as error:
            await cell.close()
            raise EnvironmentFault(f"the recorded state cannot be opened: {error}") from None
        return reader

    async def close(self) -> None:
        """End the process and remove its folder; may be called twice."""
        await self._cell.close()


class DuckdbReader(StateReader):
    """Answers checks about a database, in DuckDB's dialect."""

    def __init__(self, kind: str, cell: Cell, seed: int) -> None:
        """Take over an open database."""
        self._kind, self._cell, self._seed = kind, cell, seed

    async def query(self, sql: str) -> list[list[JsonValue]]:
        """Rows of a read-only query; blobs as hexadecimal text. Raises `ValueError` with the database's message."""
        result = await _run(self._cell, sql, "read", READING, _chance(self._seed, 0, sql), plain=True)
        if result.more:
            raise RefusedError(f"more than {len(result.rows)} rows")
        return cast(list[list[JsonValue]], [list(row) for row in result.rows])

    async def as_data(self) -> dict[str, JsonValue]:
        """Table -> rows as mappings, the first 1,000 of each table, with long texts cut."""
        return await self._data(ROWS_AS_DATA, TEXT_AS_DATA)

    async def in_full(self) -> dict[str, JsonValue]:
        """The same with all rows and whole texts."""
        return await self._data(None, None)

    async def _data(self, rows: int | None, text: int | None) -> dict[str, JsonValue]:
        import orjson

        try:
            _, content = await self._cell.ask({"do": "data", "rows": rows, "text": text}, 120)
        except CellGoneError as error:
            raise EnvironmentFault(f"the recorded state cannot be read: the process was {error}") from None
        return cast(dict[str, JsonValue], orjson.loads(content))

    async def read_file(self, path: str) -> str | None:
        """There are no files in a database."""
        raise NotImplementedError(f"a {self._kind} environment has no files; use a check of kind sql or state")

    async def close(self) -> None:
        """End the process and remove its folder; may be called twice."""
        await self._cell.close()


def _cell(nursery: Nursery, scratch: Path, now: str, megabytes: int) -> Cell:
    return Cell(nursery, scratch, now, megabytes + WORKING_MB, megabytes * 2**20 + SPARE_BYTES)


def _chance(seed: int, calls: int, sql: str) -> float:
    """A seed in [0, 1) for DuckDB's random numbers in one call, the first after `calls` that could change something."""
    text = f"{seed} {calls} {sql}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") / 2**32


async def _run(cell: Cell, sql: str, mode: str, bounds: Bounds, chance: float, *, plain: bool = False) -> Result:
    if len(sql) > bounds.sql_length:
        raise RefusedError(f"too long: {len(sql)} characters; {bounds.sql_length} is the most")
    if "\0" in sql or not _is_text(sql):
        raise RefusedError("this holds characters that are no text")
    request: dict[str, JsonValue] = {
        "do": "run", "sql": sql, "mode": mode, "chance": chance, "rows": bounds.rows, "bytes": bounds.result_bytes,
        "seconds": bounds.seconds, "statements": bounds.statements, "plain": plain,
    }  # fmt: skip
    try:
        answer, _ = await cell.ask(request, bounds.seconds)
    except CellGoneError as gone:
        stopped = f"stopped after {bounds.seconds:g} seconds; ask for less at once"
        raise RefusedError(stopped if gone.killed else GONE) from None
    columns, rows = cast(list[str], answer["columns"]), cast(list[list[object]], answer["rows"])
    changed = cast("int | None", answer["changed"])
    return Result(
        tuple(columns), [tuple(row) for row in rows], bool(answer["more"]), changed, int(str(answer["statements"]))
    )


def _is_text(sql: str) -> bool:
    try:
        sql.encode()
    except UnicodeEncodeError:
        return False
    return True


async def _built(nursery: Nursery, world: World) -> bytes:
    """The image of a database on which the scripts were run. Raises `EnvironmentFault` with the place that fails."""
    options = world.options
    key = hashlib.sha256(
        repr(([script.sql for script in world.scripts], options.now, options.megabytes)).encode(errors="replace")
    ).hexdigest()
    async with nursery.building(key):
        if key in nursery.images:
            nursery.images.move_to_end(key)
            return nursery.images[key]
        cell = _cell(nursery, world.opening.scratch, options.now, options.megabytes)
        try:
            await cell.load(b"")
            for script in world.scripts:
                if script.sql.strip():
                    await _build(cell, script, options.bounds)
            _, image = await cell.ask({"do": "image"}, 60)
        except CellGoneError as error:
            raise EnvironmentFault(f"{world.scripts[0].label}: the database could not be built: {error}") from None
        finally:
            await cell.close()
        nursery.images[key] = image
        while len(nursery.images) > KEPT:
            nursery.images.popitem(last=False)
        return image


async def _build(cell: Cell, script: Script, bounds: Bounds) -> None:
    try:
        await _run(cell, script.sql, "build", trusted(bounds), 0.5)
    except RefusedError as error:
        raise EnvironmentFault(f"{script.label}:{error.line}: {error}") from None
