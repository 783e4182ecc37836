"""Templates: databases as a scenario's scripts build them, with what its roles may do in them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from harness.environments.protocol import EnvironmentFault
from harness.environments.sql.engine import SqlError
from harness.environments.sql.options import Rights, SqlOptions
from harness.environments.sql.postgresql.foundation import moment
from harness.environments.sql.postgresql.server import Server, quoted
from harness.environments.sql.postgresql.statements import held_still, refusal, split
from harness.environments.sqlite import RefusedError, Script

if TYPE_CHECKING:
    import psycopg

SECONDS = 120.0
"""For the scripts of one database."""
_SCHEMAS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname NOT IN ('information_schema', 'moment') AND nspname NOT LIKE 'pg\\_%' ORDER BY 1
"""


@asynccontextmanager
async def built(
    server: Server, scripts: Sequence[Script], options: SqlOptions, roles: Sequence[str]
) -> AsyncIterator[str]:
    """The name of the database that the scripts build, made at its first use and kept while it is in use.

    Raises `EnvironmentFault` with the place of a statement that fails.
    """
    rights = {role: options.rights(role) for role in roles}
    content = repr(([script.sql for script in scripts], options.now, options.bounds, rights))
    key = hashlib.sha256(content.encode(errors="replace")).hexdigest()
    async with server.template(key) as (name, new):
        if new:
            await server.ensure_groups(roles)
            await _build(server, name, scripts, options)
            async with server.superuser(name) as connection:
                for role, right in rights.items():
                    await _grant(connection, server.group(role), right)
                # No dead rows whose room would be used again sooner or later, as it happens.
                await connection.execute("VACUUM (FREEZE)")
        yield name


async def _build(server: Server, name: str, scripts: Sequence[Script], options: SqlOptions) -> None:
    owner = f"{server.prefix}owner"
    async with server.superuser(name) as connection:
        await connection.execute(moment(options.now))
        await connection.execute(
            f"ALTER SCHEMA public OWNER TO {owner}; GRANT ALL ON LANGUAGE plpgsql TO {owner}; "
            f"GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {name} TO {owner}"
        )
    session = await server.connect(name, owner)
    try:
        async with asyncio.timeout(SECONDS):
            await session.run("SELECT pg_catalog.setseed(0.5)")
            for script in scripts:
                for statement in split(script.sql):
                    place = f"{script.label}:{statement.line}"
                    refused = refusal(statement, "build")
                    if refused is not None:
                        raise EnvironmentFault(f"{place}: {refused}")
                    try:
                        await session.run(held_still(statement, options.now[:10], options.now[11:]), rows=0)
                    except RefusedError as error:
                        what = " ".join(str(error).split())
                        raise EnvironmentFault(f"{place}: {server.plain_names(what)}") from None
                if session.in_transaction:
                    raise EnvironmentFault(f"{script.label}: a transaction is left open at its end")
    except TimeoutError:
        raise EnvironmentFault(f"{scripts[0].label}: not done after {SECONDS:g} seconds") from None
    finally:
        await session.close()
    await server.admin(f"REVOKE ALL ON DATABASE {name} FROM {owner}")


async def _grant(connection: psycopg.AsyncConnection, group: str, rights: Rights) -> None:
    """Give a role what the scenario says it may do. Raises `SqlError` where a table is not there."""
    role = quoted(group)
    schemas = [str(name) for (name,) in await (await connection.execute(_SCHEMAS)).fetchall()]
    for schema in map(quoted, schemas):
        await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        if rights.writes:
            await connection.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")
        if rights.tables is None:
            verbs = "SELECT, INSERT, UPDATE, DELETE" if rights.writes else "SELECT"
            await connection.execute(f"GRANT {verbs} ON ALL TABLES IN SCHEMA {schema} TO {role}")
    if rights.tables is None:
        return
    named = [(name, "SELECT") for name in rights.tables.read]
    named += [(name, "SELECT, INSERT, UPDATE, DELETE") for name in rights.tables.write]
    for name, verbs in named:
        schema, _, table = name.rpartition(".")
        place = f"{quoted(schema or 'public')}.{quoted(table)}"
        found = await (await connection.execute("SELECT to_regclass(%s)", [place])).fetchone()
        if found is None or found[0] is None:
            raise SqlError(f"access names tables that the database has not: {name}")
        await connection.execute(f"GRANT {verbs} ON {place} TO {role}")
