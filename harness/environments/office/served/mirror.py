"""The servers kept up to date with the tables of an office, and read in their place."""

from __future__ import annotations

import contextlib
import importlib.metadata
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.environments.office.desk import Desk
from harness.environments.office.mail.letters import Box, Enclosed, Letter, put
from harness.environments.office.served import mime
from harness.environments.office.served.clients import Calendar, Mailbox, send
from harness.environments.office.served.ical import Appointment, appointments, as_ical, plain
from harness.environments.office.served.wire import Wire
from harness.environments.office.tables import blank
from harness.environments.protocol import EnvironmentFault
from harness.environments.sqlite import Database
from harness.errors import UserError

READING = frozenset(
    {"list_mail", "read_mail", "search_mail", "read_thread", "open_attachment", "list_events", "busy_times"}
)
"""Tools that read what the servers hold."""
_PACKAGES = ("aiosmtpd", "pymap", "radicale")


class ServedError(UserError, EnvironmentFault):
    """The servers are not installed."""


class Served:
    """The servers of one office. Used on the office's own thread; `close` from anywhere."""

    def __init__(self, database: Database, users: Sequence[str], folder: Path) -> None:
        """Start the servers and fill them. Raises `EnvironmentFault`, and `ServedError` where one is not installed."""
        versions()
        self._folders = [str(name) for (name,) in database.query("SELECT name FROM folders ORDER BY rowid")]
        self._folder = folder
        self._wire = Wire(users, folder)
        self._boxes: dict[str, Mailbox] = {}
        try:
            for user in users:
                self._boxes[user] = Mailbox(self._wire, user, self._folders)
            self._calendar = Calendar(self._wire)
            self._mail: dict[int, tuple[str, str, bool]] = {}
            self._events: dict[int, Appointment] = {}
            self.bring_up_to_date(database)
        except BaseException:
            self.close()
            raise

    def holds(self, tool: str) -> bool:
        """Whether a tool reads what the servers hold."""
        return tool in READING

    def carry(self, letter: Letter) -> Letter:
        """Send a letter; as it came out at the other end."""
        to = list(dict.fromkeys((*letter.to, *letter.cc)))
        taken, _ = mime.as_letter(send(self._wire, letter.sender, to, mime.as_message(letter, None, {})))
        return taken

    def bring_up_to_date(self, database: Database) -> None:
        """Deliver, mark and move mail, and write events, until the servers hold what the tables do."""
        rows = database.query("SELECT id, owner, folder, unread FROM mail ORDER BY id")
        wanted = {int(str(n)): (str(owner), str(folder), bool(unread)) for n, owner, folder, unread in rows}
        if not self._mail.keys() <= wanted.keys():
            self._clear()
        changed = {n for n in wanted.keys() & self._mail.keys() if wanted[n] != self._mail[n]}
        if changed:
            self._settle(wanted, changed)
        for number in sorted(wanted.keys() - self._mail.keys()):
            owner, folder, unread = wanted[number]
            self._boxes[owner].add(folder, _message(database, number), unread=unread)
        self._mail = wanted
        events = {event.number: event for event in _events(database)}
        for number in self._events.keys() - events.keys():
            self._calendar.remove(str(number))
        for number, event in events.items():
            if self._events.get(number) != event:
                self._calendar.put(str(number), as_ical(event))
        self._events = events

    def _settle(self, wanted: dict[int, tuple[str, str, bool]], changed: set[int]) -> None:
        for owner, box in self._boxes.items():
            there = [(folder, uid, _number(data)) for folder, _, uid, data in box.all()]
            for folder, uid, number in there:
                if number in changed:
                    box.settle(folder, wanted[number][1], uid, unread=wanted[number][2])
            if not all(wanted[n][0] != owner or n in {number for *_, number in there} for n in changed):
                raise EnvironmentFault("the mailbox has lost a message")

    def _clear(self) -> None:
        for box in self._boxes.values():
            box.empty()
        self._mail = {}

    def start_over(self, database: Database) -> None:
        """Throw everything away and fill the servers again, after the tables went back to a snapshot."""
        self._clear()
        self.bring_up_to_date(database)

    @contextlib.contextmanager
    def view(self, desk: Desk) -> Iterator[Desk]:
        """A desk with a worker's mail and the calendar as the servers tell them, and contacts as in the house."""
        database = blank(desk.house)
        try:
            for table in ("clock", "people", "folders", "office"):
                for row in desk.ask(f"SELECT * FROM {table}"):  # noqa: S608 - one of ours
                    marks = ",".join("?" * len(row))
                    database.query(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608
            self._read_mail(database, desk)
            self._read_events(database)
            yield replace(desk, database=database)
        finally:
            database.close()

    def _read_mail(self, database: Database, desk: Desk) -> None:
        found = []
        for folder, unread, _, data in self._boxes[desk.user].all():
            letter, whole = mime.as_letter(data)
            found.append((_number(data), folder, unread, letter, whole))
        for number, folder, unread, letter, whole in sorted(found, key=lambda one: one[0]):
            answered = str(whole["X-Office-Answers"])
            sent = whole["X-Office-Sent"] == "1"
            box = Box(desk.user, folder, unread, sent, int(answered) if answered.isdigit() else None)
            message = mime.number(whole["Message-ID"]) or number
            put(database, letter, box, hidden=sent or desk.house.hidden, number=number, message=message)
            thread = int(str(whole["X-Office-Thread"]))
            database.query("UPDATE mail SET thread = ?, reply_to = ? WHERE id = ?", (thread, box.reply_to, number))

    def _read_events(self, database: Database) -> None:
        for event in self._appointments():
            row = (event.number, event.title, event.starts, event.ends, event.location, event.organizer,
                   int(event.cancelled), int(event.private))  # fmt: skip
            database.query("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", row)
            for who in event.attendees:
                database.query("INSERT INTO attendees VALUES (?, ?)", (event.number, who))
            for who, answer in event.answers.items():
                database.query("INSERT INTO answers VALUES (?, ?, ?)", (event.number, who, answer))

    def _appointments(self) -> list[Appointment]:
        try:
            return appointments(self._calendar.all())
        except ValueError as error:
            raise EnvironmentFault(f"the calendar server told what is no calendar: {error}") from None

    def check(self, database: Database) -> None:
        """Raises `EnvironmentFault` where the servers do not hold what the tables do."""
        there = {
            _number(data): (owner, folder, unread, data)
            for owner, box in self._boxes.items()
            for folder, unread, _, data in box.all()
        }
        for number, (owner, folder, unread) in self._mail.items():
            if there.pop(number, None) != (owner, folder, unread, _message(database, number)):
                raise EnvironmentFault(f"mail {number} is not in the mailbox as it is in the office")
        if there:
            raise EnvironmentFault(f"the mailbox holds what the office does not: mail {min(there)}")
        wanted = [
            replace(event, title=plain(event.title), location=plain(event.location), answers=dict(event.answers))
            for event in _events(database)
        ]
        if self._appointments() != wanted:
            raise EnvironmentFault("the calendar server does not hold what the office's calendar does")

    def close(self) -> None:
        """End the servers; may be called twice."""
        for box in self._boxes.values():
            with contextlib.suppress(OSError):
                box.close()
        self._wire.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def versions() -> str:
    """The servers with their versions. Raises `ServedError` where one is not installed."""
    try:
        return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    except importlib.metadata.PackageNotFoundError as error:
        raise ServedError(
            f"`served: true` needs {error.name}, which is not installed; install it with: "
            'pip install "scaffold-harness[mail]"'
        ) from None


def _number(data: bytes) -> int:
    return int(str(mime.as_letter(data)[1]["X-Office-Id"]))


def _message(database: Database, number: int) -> bytes:
    """A mail of the tables as its owner's server holds it."""
    sender, name, subject, body, html, at, message, thread, reply_to, sent_now = database.query(
        "SELECT sender, name, subject, body, html, at, message, thread, reply_to, sent_now FROM mail WHERE id = ?",
        (number,),
    )[0]
    to, cc = (
        [str(who) for (who,) in database.query(f"SELECT address FROM {table} WHERE mail = ? ORDER BY rowid", (number,))]  # noqa: S608
        for table in ("recipients", "copies")
    )
    files = database.query("SELECT name, type, content FROM attachments WHERE mail = ? ORDER BY position", (number,))
    letter = Letter(
        sender=str(sender), name=str(name), to=to, cc=cc, subject=str(subject), html=str(html), at=str(at),
        body="" if html else str(body),
        enclosed=[Enclosed(str(n), str(kind), content) for n, kind, content in files if isinstance(content, bytes)],
    )  # fmt: skip
    more = {"Id": number, "Thread": thread, "Answers": reply_to or "", "Sent": sent_now}
    return mime.as_message(letter, int(str(message)), more)


def _events(database: Database) -> list[Appointment]:
    rows = database.query(
        "SELECT id, title, starts, ends, location, organizer, cancelled, private FROM events ORDER BY id"
    )
    guests: dict[object, list[str]] = {}
    for event, who in database.query("SELECT event, address FROM attendees ORDER BY rowid"):
        guests.setdefault(event, []).append(str(who))
    answers: dict[object, dict[str, str]] = {}
    for event, who, answer in database.query("SELECT event, address, answer FROM answers"):
        answers.setdefault(event, {})[str(who)] = str(answer)
    return [
        Appointment(int(str(n)), str(title), str(starts), str(ends), str(location), str(organizer), bool(cancelled),
                    bool(private), guests.get(n, []), answers.get(n, {}))
        for n, title, starts, ends, location, organizer, cancelled, private in rows
    ]  # fmt: skip
