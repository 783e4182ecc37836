"""The servers of one office in one thread, and the connections to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler

from harness.environments.protocol import EnvironmentFault

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session
    from pymap.backend.dict import Login
    from pymap.imap import IMAPServer

SECONDS = 20.0
"""How long one exchange with a server may take."""
PASSWORD = "office"  # noqa: S105 - the server can be reached by nobody but its own client
LARGEST = 40_000_000
"""Bytes of one message; attachments grow by a third on their way."""


class Wire:
    """SMTP, IMAP and CalDAV servers of one trial. Used from one thread at a time; closed by whoever opened it."""

    def __init__(self, users: Sequence[str], folder: Path) -> None:
        """`users` have mailboxes; `folder` is an empty one for the calendar. Raises `EnvironmentFault`."""
        self.accepted: list[bytes] = []
        """Messages taken by the SMTP server, the latest last."""
        self._users, self._folder = tuple(users), folder
        self._tasks: list[asyncio.Task[None]] = []
        self._transports: list[asyncio.BaseTransport] = []
        self._sockets: list[socket.socket] = []
        self._failure: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="harness-office-servers", daemon=True)
        self._thread.start()
        if not self._started.wait(60) or self._failure is not None:
            self.close()
            raise EnvironmentFault(f"the servers of the office did not start: {self._failure or 'too slow'}")

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - told by whoever waits for the start
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._imap = await _imap_server(self._users)
        self._calendar = _calendar_server(self._folder)
        self._started.set()
        await self._end.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in self._transports:
            transport.close()
        await asyncio.sleep(0)

    def imap(self) -> socket.socket:
        """A new connection to the IMAP server."""
        return self._connect(self._accept_imap)

    def smtp(self) -> socket.socket:
        """A new connection to the SMTP server."""
        return self._connect(self._accept_smtp)

    def calendar(self) -> socket.socket:
        """A new connection to the CalDAV server, for one request; it is answered once the request is written."""
        ours, theirs = self._pair()
        self._loop.call_soon_threadsafe(self._answer, theirs)
        return ours

    def _connect(self, accept: Callable[[socket.socket], Coroutine[object, object, None]]) -> socket.socket:
        ours, theirs = self._pair()
        asyncio.run_coroutine_threadsafe(accept(theirs), self._loop).result(SECONDS)
        return ours

    def _pair(self) -> tuple[socket.socket, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.settimeout(SECONDS)
        self._sockets.append(ours)
        return ours, theirs

    async def _accept_imap(self, theirs: socket.socket) -> None:
        from proxyprotocol.sock import SocketInfoLocal

        reader, writer = await asyncio.open_connection(sock=theirs, limit=LARGEST)
        self._tasks.append(asyncio.create_task(self._imap(reader, writer, SocketInfoLocal(writer))))

    async def _accept_smtp(self, theirs: socket.socket) -> None:
        from aiosmtpd.smtp import SMTP

        transport, _ = await self._loop.connect_accepted_socket(
            lambda: SMTP(self, hostname="office", loop=self._loop, enable_SMTPUTF8=True, data_size_limit=LARGEST),
            theirs,
        )
        self._transports.append(transport)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Take a message (the name is aiosmtpd's)."""
        content = envelope.content
        self.accepted.append(content if isinstance(content, bytes) else str(content).encode())
        return "250 OK"

    def _answer(self, theirs: socket.socket) -> None:
        """Answer one request; the loop waits, as there is one client only."""
        theirs.settimeout(SECONDS)
        with theirs, contextlib.suppress(OSError):
            _Request(theirs, ("office", 0), SimpleNamespace(base_environ=_ENVIRON, get_app=lambda: self._calendar))  # type: ignore[arg-type]

    def close(self) -> None:
        """End the servers; may be called twice."""
        for ours in self._sockets:
            ours.close()
        self._sockets.clear()
        if self._thread.is_alive() and hasattr(self, "_end"):
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(SECONDS)


_ENVIRON = {
    "SERVER_NAME": "office", "SERVER_PORT": "0", "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_HOST": "", "SCRIPT_NAME": "",
    "CONTENT_LENGTH": "", "REMOTE_USER": "office",
}  # fmt: skip


class _Request(WSGIRequestHandler):
    """One request to the calendar, without a word on the screen."""

    timeout = SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def address_string(self) -> str:
        """There is no address."""
        return "office"


async def _imap_server(users: Sequence[str]) -> IMAPServer:
    from pymap.backend.dict import Config, Login
    from pymap.concurrent import Subsystem
    from pymap.imap import IMAPServer

    class Quiet(Config):
        """Without a pool of threads, which nobody would close."""

        @classmethod
        def _get_cpu_subsystem(cls) -> Subsystem:
            return Subsystem.for_asyncio()

    arguments = Namespace(
        host=None, port=None, debug=False, cert=None, key=None, tls=False, passlib_cfg=None, inherited_sockets=None,
        proxy_protocol=None, demo_data=False, demo_user="", demo_password="",
    )  # fmt: skip
    config = Quiet.from_args(arguments, admin_key=b"office", bad_command_limit=None)
    config.apply_context()
    login = Login(config)
    for user in users:
        await _add_user(login, user)
    return IMAPServer(login, config)


async def _add_user(login: Login, user: str) -> None:
    from pymap.backend.dict import Identity
    from pymap.user import Passwords, UserMetadata

    hashed = await Passwords(login.config).hash_password(PASSWORD)
    await Identity(user, login, None, frozenset({"admin"})).set(UserMetadata(login.config, user, password=hashed))


def _calendar_server(folder: Path) -> Callable[..., object]:
    from radicale import config
    from radicale.app import Application

    (folder / "collection-root").mkdir(parents=True)
    configuration = config.load()
    configuration.update(
        {
            "storage": {"filesystem_folder": str(folder), "_filesystem_fsync": "False"},
            "auth": {"type": "remote_user", "delay": "0"},
            "rights": {"type": "owner_only"},
            "web": {"type": "none"},
        },
        "office",
        privileged=True,
    )
    found: Callable[..., object] = Application(configuration)
    return found
