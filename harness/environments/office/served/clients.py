"""The office's own clients: the standard library's, on connections that are open already."""

from __future__ import annotations

import contextlib
import http.client
import imaplib
import re
import smtplib
import socket
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from harness.environments.office.served.wire import PASSWORD, SECONDS, Wire
from harness.environments.protocol import EnvironmentFault

_UID = re.compile(rb"\bUID (\d+)")
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
CALENDAR = "/office/house"


class _Smtp(smtplib.SMTP):
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        super().__init__("office", 25, local_hostname="office", timeout=SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._connection


class _Imap(imaplib.IMAP4):
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        super().__init__()

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._connection


def send(wire: Wire, sender: str, to: Sequence[str], message: bytes) -> bytes:
    """Send a message; as the server has taken it. Raises `EnvironmentFault`."""
    client = _Smtp(wire.smtp())
    try:
        options = [] if all(address.isascii() for address in (sender, *to)) else ["SMTPUTF8"]
        refused = client.sendmail(sender, list(to), message, mail_options=options)
        if refused:
            raise EnvironmentFault(f"the mail server refused {', '.join(refused)}")
        client.quit()
    except (smtplib.SMTPException, OSError) as error:
        raise EnvironmentFault(f"the mail server failed: {type(error).__name__}: {error}") from None
    finally:
        client.close()
    return wire.accepted.pop()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What the client raises over a server that fails is the environment's fault."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        raise EnvironmentFault(f"the mailbox failed: {type(error).__name__}: {error}") from None


class Mailbox:
    """One worker's mailboxes over IMAP. Raises `EnvironmentFault` wherever the server does not do as it is told."""

    @_told()
    def __init__(self, wire: Wire, user: str, folders: Sequence[str]) -> None:
        """Log in, and make the folders there are beside the inbox."""
        self._client = _Imap(wire.imap())
        self._folders = tuple(folders)
        self._done("log in", self._client.login(user, PASSWORD))
        for folder in folders:
            if folder != "inbox":
                self._done("make a folder", self._client.create(_quoted(folder)))

    @_told()
    def add(self, folder: str, message: bytes, *, unread: bool) -> None:
        """Deliver a message."""
        flags = "()" if unread else "(\\Seen)"
        self._done("deliver", self._client.append(_quoted(folder), flags, None, message))

    @_told()
    def all(self) -> list[tuple[str, bool, int, bytes]]:
        """Folder, whether unread, UID and bytes of every message."""
        there: list[tuple[str, bool, int, bytes]] = []
        for folder in self._folders:
            count = self._done("open a folder", self._client.select(_quoted(folder), readonly=True))
            if count and count[0] != b"0":
                found = self._done("fetch", self._client.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])"))
                there += [(folder, *one) for one in _messages(found)]
        return there

    @_told()
    def settle(self, before: str, after: str, uid: int, *, unread: bool) -> None:
        """Mark a message, then move it where it belongs."""
        self._done("open a folder", self._client.select(_quoted(before)))
        change = "-FLAGS.SILENT" if unread else "+FLAGS.SILENT"
        self._done("mark", self._client.uid("STORE", str(uid), change, "(\\Seen)"))
        if before != after:
            self._done("move", self._client.uid("MOVE", str(uid), _quoted(after)))

    @_told()
    def empty(self) -> None:
        """Delete everything."""
        for folder in self._folders:
            count = self._done("open a folder", self._client.select(_quoted(folder)))
            if count and count[0] != b"0":
                self._done("mark", self._client.store("1:*", "+FLAGS.SILENT", "(\\Deleted)"))
                self._done("delete", self._client.expunge())

    def _done(self, what: str, answer: tuple[str, Sequence[object]]) -> list[object]:
        if answer[0] != "OK":
            raise EnvironmentFault(f"the mailbox would not {what}: {answer[1]!r:.200}")
        return list(answer[1])

    def close(self) -> None:
        """Hang up; the server notices."""
        self._client.shutdown()


def _quoted(folder: str) -> str:
    return "INBOX" if folder == "inbox" else f'"{folder}"'


def _messages(found: Sequence[object]) -> Iterator[tuple[bool, int, bytes]]:
    """Whether unread, UID and bytes, from what a FETCH came back with."""
    for position, item in enumerate(found):
        if isinstance(item, tuple):
            rest = found[position + 1] if position + 1 < len(found) else b""
            about = item[0] + (rest if isinstance(rest, bytes) else b"")
            uid, flags = _UID.search(about), _FLAGS.search(about)
            if uid is None or flags is None:
                raise EnvironmentFault("the mailbox tells a message without its number")
            yield b"\\Seen" not in flags[1], int(uid[1]), item[1]


class Calendar:
    """The house's calendar over CalDAV. Raises `EnvironmentFault`."""

    def __init__(self, wire: Wire) -> None:
        """Make the calendar."""
        self._wire = wire
        self._request("MKCALENDAR", f"{CALENDAR}/", b"", {201})

    def put(self, name: str, event: str) -> None:
        """Put an event there, new or not."""
        self._request("PUT", f"{CALENDAR}/{quote(name)}.ics", event.encode(), {201, 204})

    def remove(self, name: str) -> None:
        """Take an event away."""
        self._request("DELETE", f"{CALENDAR}/{quote(name)}.ics", b"", {200, 204})

    def all(self) -> str:
        """The whole calendar as iCalendar text."""
        return self._request("GET", f"{CALENDAR}/", b"", {200}).decode()

    def _request(self, method: str, path: str, body: bytes, good: set[int]) -> bytes:
        client = http.client.HTTPConnection("office", timeout=SECONDS)
        client.sock = self._wire.calendar()
        try:
            client.request(method, path, body, {"Content-Type": "text/calendar; charset=utf-8", "Connection": "close"})
            answer = client.getresponse()
            content = answer.read()
        except (http.client.HTTPException, OSError) as error:
            raise EnvironmentFault(f"the calendar server failed: {type(error).__name__}: {error}") from None
        finally:
            client.close()
        if answer.status not in good:
            raise EnvironmentFault(f"the calendar server said {answer.status} to {method}")
        return content
