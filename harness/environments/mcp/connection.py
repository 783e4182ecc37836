"""One session with one MCP server, open from the first call of a trial to its last.

The SDK's client has to be entered and left by the same task; a task of its own does that, and calls come from
wherever the trial runs. The server may ask for nothing of the client's: no model, no person, no folders.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from harness.environments.protocol import EnvironmentFault

if TYPE_CHECKING:
    import httpx2
    import mcp_types
    from mcp import Client
    from mcp.client._transport import TransportStreams

_LONGEST_MESSAGE = 16 << 20
_CLOSE_SECONDS = 5.0
_LEAVING_SECONDS = 1.0
_PAGES = 100
_NOBODY = "nobody is here to answer what the server asked for in the midst of the call"


class RefusedError(Exception):
    """The server, or its protocol, said no to one call; the session goes on."""


class Connection:
    """A session; `open` begins it."""

    def __init__(self, transport: AbstractAsyncContextManager[TransportStreams], ended: asyncio.Event) -> None:
        """Prepare; nothing is sent yet. The transport sets `ended` when it sees that the server has ended."""
        self._transport = transport
        self._ended = ended
        self._stop = asyncio.Event()
        self._lost: str | None = None
        self._client: Client | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._serving: asyncio.Task[None] | None = None

    async def open(self, seconds: float) -> None:
        """Agree on a protocol with the server. Raises `EnvironmentFault`."""
        self._serving = asyncio.create_task(self._serve())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise EnvironmentFault(f"the MCP server did not answer within {seconds:g} seconds") from None

    @property
    def about(self) -> dict[str, str]:
        """What the server is called and which protocol is spoken."""
        client = self._open()
        info = client.server_info
        name = f"{info.name} {info.version}".strip() if info is not None else "unnamed"
        return {"server": name[:200], "protocol": client.protocol_version}

    @property
    def gone(self) -> bool:
        """Whether the server's side has ended."""
        return self._ended.is_set()

    async def tools(self, seconds: float) -> dict[str, mcp_types.Tool]:
        """Everything the server offers, by name. Raises `EnvironmentFault`."""
        from mcp.shared.exceptions import MCPError
        from pydantic import ValidationError

        client = self._open()
        found: dict[str, mcp_types.Tool] = {}
        cursor: str | None = None
        try:
            async with asyncio.timeout(seconds):
                for _ in range(_PAGES):
                    page = await client.list_tools(cursor=cursor)
                    found |= {tool.name: tool for tool in page.tools}
                    cursor = page.next_cursor
                    if not cursor:
                        break
        except (MCPError, ValidationError, RuntimeError) as error:
            raise EnvironmentFault(f"the MCP server does not tell its tools: {_line(error)}") from error
        except TimeoutError:
            raise EnvironmentFault(f"the MCP server did not tell its tools within {seconds:g} seconds") from None
        return found

    async def call(self, name: str, arguments: dict[str, Any], seconds: float) -> mcp_types.CallToolResult:
        """Call a tool.

        Raises `RefusedError` with a line for the model, and `EnvironmentFault` when the server is gone.
        """
        from mcp.client import InputRequiredRoundsExceededError
        from mcp.shared.exceptions import MCPError
        from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT
        from pydantic import ValidationError

        client = self._open()
        late = RefusedError(f"The server did not answer within {seconds:g} seconds.")
        try:
            async with asyncio.timeout(seconds + 5):  # the SDK's own limit also tells the server to stop
                return await client.call_tool(name, arguments, read_timeout_seconds=seconds)
        except MCPError as error:
            if error.code == REQUEST_TIMEOUT:
                raise late from error
            if error.code == CONNECTION_CLOSED:
                await asyncio.sleep(0)  # let the task that serves see its end
                raise EnvironmentFault(f"the MCP server is gone: {self._lost or _line(error)}") from error
            raise RefusedError(f"The server refused this call: {_line(error)}") from error
        except InputRequiredRoundsExceededError as error:
            raise RefusedError(f"The server did not do this: {_NOBODY}.") from error
        except (ValidationError, RuntimeError) as error:
            if self._lost is not None:
                raise EnvironmentFault(f"the MCP server is gone: {self._lost}") from error
            raise RefusedError(f"The server's answer does not fit what it says of this tool: {_line(error)}") from error
        except TimeoutError as error:
            raise late from error

    async def close(self) -> None:
        """End the session; may be called twice."""
        if self._serving is None:
            return
        self._stop.set()
        done, _ = await asyncio.wait({self._serving}, timeout=_CLOSE_SECONDS)
        if not done:
            self._serving.cancel()
            await asyncio.wait({self._serving})
        self._lost = self._lost or "the session is closed"
        self._client = None
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()  # looked at, so that nobody complains that it was not

    def _open(self) -> Client:
        if self._client is None:
            raise EnvironmentFault(f"the MCP server is gone: {self._lost or 'the session is not open'}")
        return self._client

    async def _serve(self) -> None:
        """Hold the client open until it is to stop; say how it was lost otherwise."""
        from mcp import Client

        try:
            async with Client(self._transport, mode="auto", cache=None) as client:
                self._client = client
                self._ready.set_result(None)
                await self._stop.wait()
        except BaseException as error:  # a transport may raise anything, in groups; whoever waits is told
            self._lost = _line(error)
            if not self._ready.done():
                self._ready.set_exception(EnvironmentFault(f"the MCP server does not open a session: {self._lost}"))
            if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | SystemExit):
                raise
        finally:
            self._client = None


@contextlib.asynccontextmanager
async def over_pipes(reading: int, writing: int, ended: asyncio.Event) -> AsyncIterator[TransportStreams]:
    """The transport of a server whose output can be read from `reading`, and whose input is `writing`.

    Both are closed at the end, the server's input first, so that it has a moment to put its house in order. Lines that
    are no messages are passed over; the session ends, and `ended` is set, with the server's output.
    """
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LONGEST_MESSAGE)
    incoming, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", buffering=0)
    )  # fmt: skip
    outgoing, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(writing, "wb", buffering=0)
    )  # fmt: skip
    writer = asyncio.StreamWriter(outgoing, protocol, None, loop)
    to_session, from_server = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    to_server, from_session = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, ValueError, OSError):
            async with to_session:
                while line := await reader.readline():  # a line that is too long is a ValueError, and the end
                    with contextlib.suppress(ValueError):
                        message = SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
                        await to_session.send(message)
        ended.set()

    async def write() -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
            async with from_session:
                async for sent in from_session:
                    writer.write(sent.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                    await writer.drain()
        await to_session.aclose()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            tasks.start_soon(write)
            try:
                yield from_server, to_server
            finally:
                tasks.cancel_scope.cancel()
    finally:
        outgoing.abort()
        with anyio.move_on_after(_LEAVING_SECONDS, shield=True):
            while await reader.read(_LONGEST_MESSAGE):
                continue
        incoming.close()
        for stream in (to_session, from_server, to_server, from_session):
            stream.close()


@contextlib.asynccontextmanager
async def over_http(url: str, headers: dict[str, str]) -> AsyncIterator[TransportStreams]:
    """The transport of a server with an address."""
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    http: httpx2.AsyncClient
    async with (
        create_mcp_http_client(headers=headers) as http,
        streamable_http_client(url, http_client=http) as streams,
    ):
        yield streams


def _line(error: BaseException) -> str:
    """An error of the SDK in one line; the first of a group."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    said = " ".join(str(error).split())
    return (said or type(error).__name__)[:300]
