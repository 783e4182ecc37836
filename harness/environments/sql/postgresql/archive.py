"""A PostgreSQL database as a JSON document: the scripts that build it, and the rows that are in it now.

It is self-contained, and can be read without a server; to be asked in PostgreSQL's dialect it is *loaded*: a copy of
the database that the scripts build, whose rows are replaced. Roles cannot change tables themselves, so the scripts,
with the rows, are all there is; where a script lets them, loading says what is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import orjson
from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault
from harness.environments.sql.postgresql.server import quoted
from harness.environments.sqlite import Script

if TYPE_CHECKING:
    import psycopg

FORMAT = "scaffold-harness postgresql 1"
_WHOLE = {"smallint", "integer", "bigint", "oid"}
_FLOATS = {"real", "double precision"}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_TABLES = """
    SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum),
           array_agg(format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), NULL) ORDER BY a.attnum),
           c.relpages, c.reltuples
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'moment')
    AND n.nspname NOT LIKE 'pg\\_%' GROUP BY 1, 2, c.relpages, c.reltuples ORDER BY 1, 2
"""
_STORED = """
    SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
"""
_SEQUENCES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2
"""
Archive = dict[str, Any]


async def export(connection: psycopg.AsyncConnection, scripts: tuple[Script, ...], now: str, calls: int) -> bytes:
    """The database of a superuser's connection, as it is now."""
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    tables: list[JsonValue] = []
    for schema, name, columns, types, pages, count in await (await connection.execute(_TABLES)).fetchall():
        if columns == [None]:
            continue
        rows = await _rows_of(connection, f"{quoted(schema)}.{quoted(name)}", columns)
        known: JsonValue = [pages, count]  # what the planner goes by, and with it the order of rows nobody ordered
        tables.append(
            {"schema": schema, "name": name, "columns": columns, "types": types, "rows": rows, "known": known}
        )
    sequences: list[JsonValue] = []
    for schema, name in await (await connection.execute(_SEQUENCES)).fetchall():
        value = f"SELECT last_value, is_called FROM {quoted(schema)}.{quoted(name)}"  # noqa: S608 - likewise
        row = await (await connection.execute(value)).fetchone()
        sequences.append([schema, name, *cast(tuple[int, bool], row)])
    await connection.execute("ROLLBACK")
    document = {
        "format": FORMAT, "now": now, "calls": calls, "scripts": [[script.label, script.sql] for script in scripts],
        "tables": tables, "sequences": sequences,
    }  # fmt: skip
    return orjson.dumps(document)


async def _rows_of(connection: psycopg.AsyncConnection, table: str, columns: list[str]) -> str:
    chosen = ", ".join(quoted(column) for column in columns)
    content = bytearray()
    async with connection.cursor() as cursor:
        copy = f"COPY (SELECT {chosen} FROM ONLY {table}) TO STDOUT"  # noqa: S608 - names of the catalog, quoted
        async with cursor.copy(copy) as rows:
            async for part in rows:
                content += part
    return content.decode("utf-8")


def opened(data: bytes) -> Archive:
    """The document of a database. Raises `EnvironmentFault` when it is none."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise EnvironmentFault("the recorded state cannot be opened: this is no PostgreSQL database of the harness")
    return document


def scripts_of(archive: Archive) -> tuple[Script, ...]:
    """The scripts that build the database."""
    return tuple(Script(label, sql) for label, sql in archive["scripts"])


async def load(connection: psycopg.AsyncConnection, archive: Archive) -> None:
    """Replace the rows of a database that the scripts have built. Raises `EnvironmentFault`."""
    import psycopg

    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            names = {f"{quoted(t['schema'])}.{quoted(t['name'])}": t for t in archive["tables"]}
            # A table that is as the scripts leave it stays as it is, down to what the planner knows of it.
            rows = {name: await _rows_of(connection, name, table["columns"]) for name, table in names.items()}
            changed = {name: table for name, table in names.items() if rows[name] != table["rows"]}
            for name, table in changed.items():
                await connection.execute(f"DELETE FROM ONLY {name}")  # noqa: S608 - names of the archive, quoted
                await _fill(connection, name, table)
            for schema, name, last, called in archive["sequences"]:
                place = f"{quoted(schema)}.{quoted(name)}"
                await connection.execute("SELECT setval(%s::regclass, %s, %s)", [place, last, called])
        views = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm'"
        for (view,) in await (await connection.execute(views)).fetchall():
            await connection.execute(f"REFRESH MATERIALIZED VIEW {view}")
        for name, table in changed.items():
            await connection.execute(f"VACUUM (FULL, FREEZE) {name}")
            known = "UPDATE pg_class SET relpages = %s, reltuples = %s WHERE oid = %s::regclass"
            await connection.execute(known, [*table["known"], name])
    except psycopg.Error as error:
        raise EnvironmentFault(
            f"the rows do not fit into the database that the scripts build: {' '.join(str(error).split())[:300]}"
        ) from None


async def _fill(connection: psycopg.AsyncConnection, name: str, table: Archive) -> None:
    if not table["rows"]:
        return
    (stored,) = await (await connection.execute(_STORED, [name])).fetchone() or ([],)
    places = [index for index, column in enumerate(table["columns"]) if column in stored]
    chosen = ", ".join(quoted(table["columns"][index]) for index in places)
    async with connection.cursor() as cursor, cursor.copy(f"COPY {name} ({chosen}) FROM STDIN") as copy:
        if len(places) == len(table["columns"]):
            await copy.write(table["rows"])
            return
        for line in table["rows"].splitlines():
            cells = line.split("\t")
            await copy.write("\t".join(cells[index] for index in places) + "\n")


def as_data(archive: Archive, rows: int | None, text: int | None) -> dict[str, JsonValue]:
    """Table -> rows as mappings, the first `rows` of each, texts cut at `text` characters."""
    tables: dict[str, JsonValue] = {}
    for table in archive["tables"]:
        name = table["name"] if table["schema"] == "public" else f"{table['schema']}.{table['name']}"
        tables[name] = [
            {
                column: plain(cell, kind, text)
                for column, kind, cell in zip(table["columns"], table["types"], cells, strict=True)
            }
            for cells in _rows(table["rows"], rows)
        ]
    return dict(sorted(tables.items()))


def _rows(content: str, limit: int | None) -> Iterator[list[str | None]]:
    """Rows in the text form of COPY."""
    for number, line in enumerate(content.split("\n")[:-1]):
        if number == limit:
            return
        yield [None if cell == "\\N" else _unescaped(cell) for cell in line.split("\t")]


def _unescaped(cell: str) -> str:
    if "\\" not in cell:
        return cell
    parts, at = [], 0
    while (slash := cell.find("\\", at)) >= 0:
        following = cell[slash + 1 : slash + 2]
        parts += [cell[at:slash], _ESCAPES.get(following, following)]
        at = slash + 2
    return "".join([*parts, cell[at:]])


def plain(cell: str | None, kind: str, limit: int | None = None) -> JsonValue:
    """A value as JSON has it, from PostgreSQL's text and the name of its type; what is no number or truth is text."""
    if cell is None:
        return None
    if kind in _WHOLE:
        return int(cell)
    if kind == "boolean":
        return cell in ("t", "true")
    if kind in _FLOATS or kind == "numeric":
        value = float(cell)
        if not math.isfinite(value):
            return cell
        return int(value) if kind == "numeric" and value.is_integer() and abs(value) < 2**53 else value
    return (cell.removeprefix("\\x") if kind == "bytea" else cell)[:limit]
