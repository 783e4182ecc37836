"""A PostgreSQL server and what the trials of a run have on it: templates, databases, roles.

On it live, all with the run's prefix: a *base* without a scenario; for each script a *template* made from the base; for
each trial a copy of a template, with login roles of its own that can connect to nothing else. A scenario's roles are
roles of the server that cannot log in; what they may do is part of the template, and a login role is a member of one.
Scripts run as the *owner*, who is no superuser either.

The server is the run's own (`cluster.py`), or one that is given by a URL; on that, what a killed harness left is
dropped by the next, as each run holds a lock of the server's while it lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

from harness.environments.protocol import EnvironmentFault
from harness.environments.services import Services
from harness.environments.sql.engine import SqlError
from harness.environments.sql.postgresql.cluster import Cluster
from harness.environments.sql.postgresql.foundation import FOUNDATION, SEARCH_PATH
from harness.environments.sql.postgresql.session import Session

if TYPE_CHECKING:
    import psycopg

KEPT = 24
"""Templates kept in a run."""
AT_ONCE = 4
"""Databases made or dropped at the same time."""
_RUN = re.compile(r"harness_[0-9a-f]{6}_")
_FIXED = {
    "TimeZone": "UTC", "DateStyle": "ISO,MDY", "IntervalStyle": "postgres", "bytea_output": "hex",
    "client_encoding": "UTF8", "search_path": SEARCH_PATH, "default_transaction_isolation": "read\\ committed",
    "extra_float_digits": "1", "client_min_messages": "error",
}  # fmt: skip
"""Settings of every connection."""


class Server:
    """A server in use by one run (`harness.environments.services.Service`)."""

    def __init__(self, address: str, cluster: Cluster | None, version: int) -> None:
        """Take over a server of which `address` names a superuser."""
        self._address, self._cluster = address, cluster
        self.version = version
        """As PostgreSQL counts: 150018."""
        self.prefix = f"harness_{secrets.token_hex(3)}_"
        self._number = 0
        self._idle: list[psycopg.AsyncConnection] = []
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._holding: psycopg.AsyncConnection | None = None
        self._templates: OrderedDict[str, str] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}
        self._in_use: dict[str, int] = {}
        self._groups: set[str] = set()
        self._passwords: dict[str, str] = {}
        self._dropping = asyncio.Lock()

    @classmethod
    async def of(cls, services: Services, server_env: str | None) -> Server:
        """The server of a run. Raises `SqlError` and `EnvironmentFault`."""
        return await services.get(("sql", "postgresql", server_env), lambda: cls.start(server_env))

    @classmethod
    async def start(cls, server_env: str | None = None) -> Self:
        """Start a server, or take the one whose URL is in an environment variable."""
        if server_env is None:
            cluster = await Cluster.start()
            return await cls._begun(cluster.address, cluster)
        address = os.environ.get(server_env, "")
        if not address:
            raise SqlError(
                f"server_env: the environment variable {server_env} is not set; "
                f"set it to the URL of a server: {server_env}=postgresql://user:password@host/postgres"
            )
        return await cls._begun(address, None)

    @classmethod
    async def _begun(cls, address: str, cluster: Cluster | None) -> Self:
        import psycopg

        try:
            connection = await psycopg.AsyncConnection.connect(address, autocommit=True, connect_timeout=15)
        except psycopg.Error as error:
            if cluster is not None:
                await cluster.close()
            what = " ".join(str(error).split())
            raise SqlError(f"the PostgreSQL server cannot be reached: {_without_secrets(what, address)}") from None
        server = cls(address, cluster, connection.info.server_version)
        server._idle.append(connection)
        try:
            await server._found()
        except BaseException:
            await server.close()
            raise
        return server

    async def _found(self) -> None:
        """Make the base. Raises `SqlError` where the server is not to be used."""
        if self.version < 130000:
            raise SqlError(
                f"the PostgreSQL server is of version {self.version // 10000}; 13 is the oldest that will do"
            )
        ((superuser,),) = await self.admin("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not superuser:
            raise SqlError("the user of the PostgreSQL server is no superuser; take a server for trials alone, and its")
        if self._cluster is None:
            self._holding = await self._connect(None)
            await self._holding.execute("SELECT pg_advisory_lock(hashtext(%s))", [self.prefix])
            await self._drop_abandoned()
        else:
            await self.admin("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
        await self.login(f"{self.prefix}owner", connections=-1)
        await self.admin(
            f"CREATE DATABASE {self.base} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
            + self._strategy("wal_log")
        )
        await self.admin(f"REVOKE ALL ON DATABASE {self.base} FROM PUBLIC")
        async with self.superuser(self.base) as session:
            await session.execute(FOUNDATION)

    @property
    def base(self) -> str:
        """A database without a scenario."""
        return f"{self.prefix}base00"

    @property
    def facts(self) -> str:
        """The version, and whose server it is."""
        version = f"{self.version // 10000}.{self.version % 10000}"
        return f"{version}, started by the harness" if self._cluster is not None else f"{version}, given"

    def _strategy(self, name: str) -> str:
        return f" STRATEGY {name}" if self.version >= 150000 else ""

    def new_name(self) -> str:
        """A name for a database; all are of one length."""
        self._number += 1
        return f"{self.prefix}{self._number:06d}"

    async def _connect(self, database: str | None, user: str | None = None, **settings: str) -> psycopg.AsyncConnection:
        import psycopg
        from psycopg.conninfo import make_conninfo

        chosen = {key: value for key, value in (("dbname", database), ("user", user)) if value is not None}
        if user is not None and user in self._passwords:
            chosen["password"] = self._passwords[user]
        options = " ".join(f"-c {name}={value}" for name, value in {**_FIXED, **settings}.items())
        address = make_conninfo(self._address, **chosen, options=options, application_name="harness")
        try:
            return await psycopg.AsyncConnection.connect(
                address, autocommit=True, connect_timeout=60, prepare_threshold=None
            )
        except psycopg.Error as error:
            what = " ".join(str(error).split())
            raise EnvironmentFault(f"no connection to the database: {_without_secrets(what, self._address)}") from None

    async def connect(self, database: str, user: str, **settings: str) -> Session:
        """A connection for somebody who is no superuser."""
        return Session(await self._connect(database, user, **settings))

    @asynccontextmanager
    async def superuser(self, database: str) -> AsyncIterator[psycopg.AsyncConnection]:
        """A superuser's connection to one database, closed at the end."""
        connection = await self._connect(database)
        try:
            yield connection
        finally:
            await connection.close()

    async def hold(self, database: str) -> psycopg.AsyncConnection:
        """Keep all that is deleted from now on in its place, until the connection is closed.

        PostgreSQL puts new rows where dead ones were, as soon as no transaction of the whole server can see them; which
        rows come first would then depend on what other trials do at that moment.
        """
        connection = await self._connect(database)
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await connection.execute("SELECT 1")
        return connection

    async def admin(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as the superuser, one by one; returns the rows of the last. Raises `EnvironmentFault`."""
        import psycopg

        async with self._slots:
            connection = self._idle.pop() if self._idle else await self._connect(None)
            try:
                cursor = None
                for statement in statements:
                    cursor = await connection.execute(statement)
                rows = await cursor.fetchall() if cursor is not None and cursor.description else []
            except psycopg.Error as error:
                await connection.close()
                raise EnvironmentFault(f"the PostgreSQL server refused: {' '.join(str(error).split())}") from None
            except BaseException:
                await connection.close()
                raise
            self._idle.append(connection)
            return rows

    async def login(self, name: str, connections: int) -> None:
        """Make a role that can log in, and do nothing else yet."""
        password = ""
        if self._cluster is None:
            self._passwords[name] = secrets.token_urlsafe(24)
            password = f" PASSWORD '{self._passwords[name]}'"
        await self.admin(
            f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS "
            f"CONNECTION LIMIT {connections}{password}"
        )

    def group(self, role: str) -> str:
        """Name on the server of a scenario's role: its own, except on a server that others use too."""
        taken = role in ("public", "none") or role.startswith(("pg_", "harness"))
        name = self.prefix + role if taken or self._cluster is None else role
        if len(name.encode()) > 63:
            raise SqlError(f"role {role}: its name is too long for PostgreSQL; 63 bytes is the most")
        return name

    async def ensure_groups(self, roles: Sequence[str]) -> None:
        """Make the scenario's roles, where they are not there."""
        for role in roles:
            name = self.group(role)
            async with self._locks.setdefault(f"group {name}", asyncio.Lock()):
                if name not in self._groups:
                    await self.admin(f"CREATE ROLE {quoted(name)} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
                    self._groups.add(name)

    @asynccontextmanager
    async def template(self, key: str) -> AsyncIterator[tuple[str, bool]]:
        """The database of a key, kept while it is in use, and whether it is new and to be filled.

        Whoever finds it new has it alone; the others wait. One that could not be filled is dropped.
        """
        async with self._locks.setdefault(key, asyncio.Lock()):
            new = key not in self._templates
            name = self._templates.get(key) or self.new_name()
            self._in_use[name] = self._in_use.get(name, 0) + 1
            if not new:
                self._templates.move_to_end(key)
            else:
                try:
                    await self.copy(self.base, name)
                    yield name, True
                except BaseException:
                    self._in_use.pop(name)
                    await self.drop([name])
                    raise
                self._templates[key] = name
        try:
            if not new:
                yield name, False
        finally:
            self._in_use[name] -= 1
        await self._drop_surplus()

    async def _drop_surplus(self) -> None:
        async with self._dropping:
            surplus = [key for key, name in self._templates.items() if not self._in_use.get(name)]
            for key in surplus[: max(0, len(self._templates) - KEPT)]:
                await self.drop([self._templates.pop(key)])

    async def copy(self, source: str, name: str) -> None:
        """Make a database as a copy, to which nobody but the superuser can connect."""
        await self.admin(
            f"CREATE DATABASE {name} TEMPLATE {source}" + self._strategy("file_copy"),
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        )

    async def drop(self, databases: Sequence[str], logins: Sequence[str] = ()) -> None:
        """Drop databases, whoever is connected, and login roles; what is not there is no error."""
        await self.admin(
            *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in databases),
            *(f"DROP ROLE IF EXISTS {name}" for name in logins),
        )
        for name in logins:
            self._passwords.pop(name, None)

    def plain_names(self, text: str) -> str:
        """`text` with names that belong to this run put as the scenario knows them."""
        if self.prefix not in text:
            return text
        text = re.sub(rf"{self.prefix}\d{{6}}(?!\d)(?:_\d+_)?", lambda found: _plain(found[0]), text)
        return text.replace(self.prefix, "")

    async def _drop_abandoned(self) -> None:
        """On a given server: drop what runs left that are over."""
        found = await self.admin(
            "SELECT datname, true FROM pg_database WHERE datname LIKE 'harness\\_%' UNION ALL "
            "SELECT rolname, false FROM pg_roles WHERE rolname LIKE 'harness\\_%' ORDER BY 2 DESC"
        )
        runs = {match[0] for name, _ in found if (match := _RUN.match(str(name)))} - {self.prefix}
        for run in sorted(runs):
            ((free,),) = await self.admin(f"SELECT pg_try_advisory_xact_lock(hashtext('{run}'))")
            if free:
                await self._drop_run(run, found)

    async def _drop_run(self, run: str, found: Sequence[tuple[object, ...]]) -> None:
        for name, is_database in found:
            if str(name).startswith(run):
                what = "DATABASE IF EXISTS {} WITH (FORCE)" if is_database else "ROLE IF EXISTS {}"
                # Somebody else may be dropping the same at this moment.
                with contextlib.suppress(EnvironmentFault):
                    await self.admin("DROP " + what.format(quoted(str(name))))

    async def close(self) -> None:
        """Drop what was made, or stop the server that was started; may be called twice."""
        try:
            if self._cluster is None:
                rows = await self.admin(
                    "SELECT datname, true FROM pg_database WHERE datname LIKE 'harness\\_%' UNION ALL "
                    "SELECT rolname, false FROM pg_roles WHERE rolname LIKE 'harness\\_%' ORDER BY 2 DESC"
                )
                await self._drop_run(self.prefix, rows)
        finally:
            for connection in (*self._idle, *([self._holding] if self._holding else [])):
                await connection.close()
            self._idle.clear()
            if self._cluster is not None:
                await self._cluster.close()


def _plain(name: str) -> str:
    return "login" if name.endswith("_") else "database"


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def _without_secrets(text: str, address: str) -> str:
    """What is said of an address, without the address."""
    found = re.search(r"://[^:/@]*:([^@/]+)@", address) or re.search(r"password=(\S+)", address)
    return text.replace(found[1], "...") if found else text
