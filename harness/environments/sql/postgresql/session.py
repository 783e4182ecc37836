"""One connection, on which statements are run one by one, with bounds on rows and time.

Each statement goes by itself in the extended protocol, so that text taken apart wrongly is refused by the server and
never run; rows come one by one, so that a large result is not held.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.environments.protocol import EnvironmentFault
from harness.environments.sqlite import RefusedError

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGresult

GRACE_SECONDS = 5.0
"""How long a statement that was cancelled may take to end."""
Cells = list[bytes | None]
_COPYING = (3, 4, 8)
"""States of a result in which data are copied, in or out (`libpq-fe.h`)."""


@dataclass
class Answer:
    """What one statement came to; values as PostgreSQL writes them."""

    columns: list[str] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    """Object identifiers of the columns' types."""
    rows: list[Cells] = field(default_factory=list)
    more: bool = False
    command: str = ""
    """The command's tag, such as `INSERT 0 3`."""

    @property
    def changed(self) -> int | None:
        """Rows inserted, updated or deleted; None when it is no statement of that kind."""
        parts = self.command.split()
        return int(parts[-1]) if parts[:1] and parts[0] in ("INSERT", "UPDATE", "DELETE", "MERGE") else None


class StoppedError(Exception):
    """A statement took too long; the connection goes on."""


class Session:
    """A connection of one role to one database."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        """Take over an open connection that is in autocommit."""
        self._connection = connection
        self._pg = connection.pgconn

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self._pg.backend_pid

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, or failed and not yet ended."""
        from psycopg.pq import TransactionStatus

        return self._pg.transaction_status != TransactionStatus.IDLE

    async def run(self, sql: str, rows: int = 1_000_000, size: int = 2**62, *, whole: bool = True) -> Answer:
        """Run one statement; keeps the first `rows` rows and about `size` bytes, ends it after them unless `whole`.

        Raises `RefusedError` with the server's message, `EnvironmentFault` when the connection is lost. Cancelling
        the caller cancels the statement.
        """
        from psycopg import OperationalError

        answer, left, error = Answer(), size, None
        try:
            self._pg.send_query_params(sql.encode(), None)
            self._pg.set_single_row_mode()
            while (result := await self._next()) is not None:
                error = error or _failure(result)
                if result.status in _COPYING:
                    await self.close()  # what would follow is another protocol
                    raise RefusedError("COPY is not possible here")
                if result.ntuples or result.nfields:
                    answer.columns = [(result.fname(i) or b"").decode(errors="replace") for i in range(result.nfields)]
                    answer.types = [result.ftype(i) for i in range(result.nfields)]
                if result.command_status:
                    answer.command = result.command_status.decode(errors="replace")
                for row in range(result.ntuples):
                    if len(answer.rows) == rows or (left < 0 and answer.rows):
                        if not answer.more and not whole:
                            await self._cancel()
                        answer.more = True
                        break
                    cells = [result.get_value(row, column) for column in range(result.nfields)]
                    left -= sum(8 if cell is None else len(cell) for cell in cells)
                    answer.rows.append(cells)
        except OperationalError as lost:
            raise EnvironmentFault(f"the connection to the database is lost: {' '.join(str(lost).split())}") from None
        except asyncio.CancelledError:
            await self._drain()
            raise
        if error is not None and not answer.more:
            raise error
        return answer

    async def bounded(self, sql: str, rows: int, size: int, seconds: float, *, whole: bool) -> Answer:
        """The same within `seconds`. Raises `StoppedError` beyond."""
        try:
            async with asyncio.timeout(seconds):
                return await self.run(sql, rows, size, whole=whole)
        except TimeoutError:
            raise StoppedError from None

    async def _next(self) -> PGresult | None:
        while self._pg.flush() == 1:
            await _writable(self._pg.socket)
        while self._pg.is_busy():
            await _readable(self._pg.socket)
            self._pg.consume_input()
        return self._pg.get_result()

    async def _cancel(self) -> None:
        import psycopg

        with contextlib.suppress(psycopg.Error):
            await self._connection.cancel_safe(timeout=GRACE_SECONDS)

    async def _drain(self) -> None:
        """Cancel what runs and read it to its end; the connection is closed where that does not come."""
        import psycopg

        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await self._cancel()
                while await self._next() is not None:
                    pass
        except (TimeoutError, psycopg.Error):
            await self.close()

    @property
    def closed(self) -> bool:
        """Whether it is closed or broken."""
        return self._connection.closed

    async def close(self) -> None:
        """May be called twice."""
        await self._connection.close()


def _failure(result: PGresult) -> RefusedError | None:
    from psycopg.pq import DiagnosticField as Field
    from psycopg.pq import ExecStatus

    if result.status != ExecStatus.FATAL_ERROR:
        return None
    state, primary, detail, hint = (
        (result.error_field(name) or b"").decode(errors="replace")
        for name in (Field.SQLSTATE, Field.MESSAGE_PRIMARY, Field.MESSAGE_DETAIL, Field.MESSAGE_HINT)
    )
    plainer = {
        "53200": "this needs too much memory; ask for less at once",
        "53400": "this needs too much temporary space; ask for less at once",
        "57014": "stopped: this takes too long; ask for less at once",
    }
    parts = [plainer.get(state, primary)]
    if state not in plainer:
        parts += [part for part in (detail, hint) if part]
    return RefusedError("\n".join(parts))


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(descriptor, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
