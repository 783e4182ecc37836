"""The tables of an office, and how they are filled. Checks may query all of them.

| table | columns |
|---|---|
| `office` | `user` (the worker's address), `now` |
| `people` | `address`, `name` |
| `folders` | `name` |
| `mail` | `id`, `folder`, `sender`, `subject`, `body`, `at`, `unread`, `reply_to`, `sent_now` (1: sent in the trial) |
| `recipients` | `mail`, `address` |
| `events` | `id`, `title`, `starts`, `ends`, `location`, `organizer`, `cancelled` |
| `attendees` | `event`, `address` |
| `invitations` | `id`, `event`, `address`, `kind` (invited, changed, cancelled): what the calendar told attendees |
| `files` | `path`, `content`, `written_now` (1: written in the trial) |

Times are local, `YYYY-MM-DD HH:MM:SS`; addresses in lower case.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.environments.office.contents import Event, Mail, OfficeContents, checked_address
from harness.environments.protocol import EnvironmentFault
from harness.environments.sqlite import Bounds, Database

FOLDERS = ("inbox", "sent", "archive", "trash")
"""There in every office."""
BOUNDS = Bounds(value_bytes=4_000_000, database_bytes=256 * 2**20)

_TABLES = (
    "CREATE TABLE office (user TEXT NOT NULL, now TEXT NOT NULL)",
    "CREATE TABLE people (address TEXT PRIMARY KEY, name TEXT NOT NULL)",
    "CREATE TABLE folders (name TEXT PRIMARY KEY)",
    "CREATE TABLE mail (id INTEGER PRIMARY KEY, folder TEXT NOT NULL REFERENCES folders, sender TEXT NOT NULL, "
    "subject TEXT NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL, unread INTEGER NOT NULL, reply_to INTEGER, "
    "sent_now INTEGER NOT NULL)",
    "CREATE TABLE recipients (mail INTEGER NOT NULL REFERENCES mail, address TEXT NOT NULL, UNIQUE (mail, address))",
    "CREATE TABLE events (id INTEGER PRIMARY KEY, title TEXT NOT NULL, starts TEXT NOT NULL, ends TEXT NOT NULL, "
    "location TEXT NOT NULL, organizer TEXT NOT NULL, cancelled INTEGER NOT NULL)",
    "CREATE TABLE attendees (event INTEGER NOT NULL REFERENCES events, address TEXT NOT NULL, UNIQUE (event, address))",
    "CREATE TABLE invitations (id INTEGER PRIMARY KEY, event INTEGER NOT NULL REFERENCES events, "
    "address TEXT NOT NULL, kind TEXT NOT NULL)",
    "CREATE TABLE files (path TEXT PRIMARY KEY, content TEXT NOT NULL, written_now INTEGER NOT NULL)",
)


def build(parts: Sequence[OfficeContents], user: str, now: str, folders: Sequence[str], seed: int) -> Database:
    """Make a database with the contents of all `parts`, in order. Raises `EnvironmentFault` in plain words."""
    database = Database(b"", BOUNDS, now=now, seed=seed)
    for table in _TABLES:
        database.query(table)
    database.query("BEGIN")
    try:
        database.query("INSERT INTO office VALUES (?, ?)", (user, now))
        for folder in dict.fromkeys((*FOLDERS, *folders)):
            database.query("INSERT INTO folders VALUES (?)", (folder,))
        for person in (person for part in parts for person in part.people):
            database.query("INSERT OR REPLACE INTO people VALUES (?, ?)", (person.email, person.name))
        for part in parts:
            for mail in part.mail:
                _add_mail(database, mail, user, now)
            for event in part.events:
                _add_event(database, event, user)
            for path, content in part.files.items():
                database.query("INSERT OR REPLACE INTO files VALUES (?, ?, 0)", (path, content))
    except ValueError as error:
        database.close()
        raise EnvironmentFault(str(error)) from None
    database.query("COMMIT")
    return database


def _add_mail(database: Database, mail: Mail, user: str, now: str) -> None:
    what = f"mail '{mail.subject}'"
    number = _number(database, "mail", mail.id, what)
    if not database.query("SELECT 1 FROM folders WHERE name = ?", (mail.folder,)):
        raise ValueError(f"{what}: there is no folder '{mail.folder}'; name it under `folders`")
    if mail.reply_to is not None and not database.query("SELECT 1 FROM mail WHERE id = ?", (mail.reply_to,)):
        raise ValueError(f"{what}: there is no mail {mail.reply_to} before it")
    values = (number, mail.folder, _address(database, mail.sender, what), mail.subject, mail.body, mail.at or now)
    database.query("INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", (*values, int(mail.unread), mail.reply_to))
    for address in [_address(database, who, what) for who in mail.to] or [user]:
        database.query("INSERT OR IGNORE INTO recipients VALUES (?, ?)", (number, address))


def _add_event(database: Database, event: Event, user: str) -> None:
    what = f"event '{event.title}'"
    number = _number(database, "events", event.id, what)
    organizer = _address(database, event.organizer, what) if event.organizer else user
    values = (number, event.title, event.start, event.end, event.location, organizer)
    database.query("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, 0)", values)
    for address in (_address(database, who, what) for who in event.attendees):
        database.query("INSERT OR IGNORE INTO attendees VALUES (?, ?)", (number, address))


def _number(database: Database, table: str, wanted: int | None, what: str) -> int:
    if wanted is None:
        return next_id(database, table)
    if database.query(f"SELECT 1 FROM {table} WHERE id = ?", (wanted,)):  # noqa: S608 - a table of our own
        raise ValueError(f"{what}: the id {wanted} is given twice")
    return wanted


def next_id(database: Database, table: str) -> int:
    """One more than the highest id in `mail`, `events` or `invitations`."""
    return int(str(database.query(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")[0][0]))  # noqa: S608


def _address(database: Database, who: str, what: str) -> str:
    if "@" in who:
        return checked_address(who)
    found = database.query("SELECT address FROM people WHERE lower(name) = lower(?)", (who.strip(),))
    if len(found) != 1:
        raise ValueError(f"{what}: {'nobody' if not found else 'more than one'} called '{who}' is among the people")
    return str(found[0][0])
