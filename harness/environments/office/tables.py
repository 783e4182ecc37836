"""The tables of an office. Checks may query all of them.

| table | columns |
|---|---|
| `office` | `user` (the worker's address), `now` (when the trial started) |
| `clock` | `now` (what the clock shows) |
| `people` | `address`, `name`, `note` |
| `folders` | `name` |
| `mail` | `id`, `folder`, `sender`, `subject`, `body` (as shown), `at`, `unread`, `reply_to`, `sent_now` (1: sent in the trial), `owner` (whose mailbox), `message` (the same in all copies of a mail), `thread` (the first `message` of the exchange), `html`, `name` (as the sender calls himself) |
| `recipients` | `mail`, `address` |
| `copies` | `mail`, `address` (those in Cc) |
| `attachments` | `mail`, `position`, `name`, `type`, `content` |
| `events` | `id`, `title`, `starts`, `ends`, `location`, `organizer`, `cancelled`, `private`, `series` (the first event of a repeated one) |
| `attendees` | `event`, `address` |
| `answers` | `event`, `address`, `answer` (accepted, declined, tentative) |
| `invitations` | `id`, `event`, `address`, `kind` (invited, changed, cancelled): what the calendar told attendees |
| `files` | `path`, `content`, `written_now` (1: written in the trial) |
| `tickets` | `id`, `title`, `body`, `state`, `priority`, `author`, `assignee`, `at` |
| `comments` | `id`, `ticket`, `author`, `at`, `text`, `written_now` |
| `changes` | `id`, `ticket`, `author`, `at`, `field`, `before`, `after`: what became of tickets in the trial |
| `revisions` | `document`, `number`, `author`, `at`, `note`, `content`, `written_now`: documents, the highest number is how they are |
| `sheets` | `book`, `sheet`, `position` |
| `cells` | `book`, `sheet`, `cell`, `row`, `col`, `formula`, `value`: `value` is what a formula comes to; truth values as the texts TRUE and FALSE |
| `due` | `id`, `at`, `what`, `number`, `contents`: what has yet to arrive |
| `replies` | `id`, `rule`, `remaining`: correspondents who answer |
| `notices` | `id`, `address`, `text`, `told` (1: the worker has been told) |

Times are local, `YYYY-MM-DD HH:MM:SS`; addresses in lower case.
"""  # noqa: E501 - a table

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from harness.environments.office.contents import OfficeContents
from harness.environments.office.diary.clock import deliver
from harness.environments.office.furnishing import (
    add_book,
    add_document,
    add_event,
    add_mail,
    add_reply,
    add_ticket,
)
from harness.environments.office.house import House
from harness.environments.office.mail.letters import next_id
from harness.environments.protocol import EnvironmentFault
from harness.environments.sqlite import Bounds, Database

FOLDERS = ("inbox", "sent", "archive", "trash")
"""There in every office."""
BOUNDS = Bounds(value_bytes=4_000_000, database_bytes=256 * 2**20)

_TABLES = (
    "CREATE TABLE office (user TEXT NOT NULL, now TEXT NOT NULL)",
    "CREATE TABLE clock (now TEXT NOT NULL)",
    "CREATE TABLE people (address TEXT PRIMARY KEY, name TEXT NOT NULL, note TEXT NOT NULL)",
    "CREATE TABLE folders (name TEXT PRIMARY KEY)",
    "CREATE TABLE mail (id INTEGER PRIMARY KEY, folder TEXT NOT NULL REFERENCES folders, sender TEXT NOT NULL, "
    "subject TEXT NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL, unread INTEGER NOT NULL, reply_to INTEGER, "
    "sent_now INTEGER NOT NULL, owner TEXT NOT NULL, message INTEGER NOT NULL, thread INTEGER NOT NULL, "
    "html TEXT NOT NULL, name TEXT NOT NULL)",
    "CREATE TABLE recipients (mail INTEGER NOT NULL REFERENCES mail, address TEXT NOT NULL, UNIQUE (mail, address))",
    "CREATE TABLE copies (mail INTEGER NOT NULL REFERENCES mail, address TEXT NOT NULL, UNIQUE (mail, address))",
    "CREATE TABLE attachments (mail INTEGER NOT NULL REFERENCES mail, position INTEGER NOT NULL, name TEXT NOT NULL, "
    "type TEXT NOT NULL, content BLOB NOT NULL, UNIQUE (mail, position))",
    "CREATE TABLE events (id INTEGER PRIMARY KEY, title TEXT NOT NULL, starts TEXT NOT NULL, ends TEXT NOT NULL, "
    "location TEXT NOT NULL, organizer TEXT NOT NULL, cancelled INTEGER NOT NULL, private INTEGER NOT NULL, "
    "series INTEGER)",
    "CREATE TABLE attendees (event INTEGER NOT NULL REFERENCES events, address TEXT NOT NULL, UNIQUE (event, address))",
    "CREATE TABLE answers (event INTEGER NOT NULL REFERENCES events, address TEXT NOT NULL, answer TEXT NOT NULL, "
    "UNIQUE (event, address))",
    "CREATE TABLE invitations (id INTEGER PRIMARY KEY, event INTEGER NOT NULL REFERENCES events, "
    "address TEXT NOT NULL, kind TEXT NOT NULL)",
    "CREATE TABLE files (path TEXT PRIMARY KEY, content TEXT NOT NULL, written_now INTEGER NOT NULL)",
    "CREATE TABLE tickets (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, "
    "priority TEXT NOT NULL, author TEXT NOT NULL, assignee TEXT, at TEXT NOT NULL)",
    "CREATE TABLE comments (id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets, author TEXT NOT NULL, "
    "at TEXT NOT NULL, text TEXT NOT NULL, written_now INTEGER NOT NULL)",
    "CREATE TABLE changes (id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets, author TEXT NOT NULL, "
    "at TEXT NOT NULL, field TEXT NOT NULL, before TEXT, after TEXT)",
    "CREATE TABLE revisions (document TEXT NOT NULL, number INTEGER NOT NULL, author TEXT NOT NULL, at TEXT NOT NULL, "
    "note TEXT NOT NULL, content TEXT NOT NULL, written_now INTEGER NOT NULL, PRIMARY KEY (document, number))",
    "CREATE TABLE sheets (book TEXT NOT NULL, sheet TEXT NOT NULL, position INTEGER NOT NULL, "
    "PRIMARY KEY (book, sheet))",
    "CREATE TABLE cells (book TEXT NOT NULL, sheet TEXT NOT NULL, cell TEXT NOT NULL, row INTEGER NOT NULL, "
    "col INTEGER NOT NULL, formula TEXT, value, PRIMARY KEY (book, sheet, row, col)) WITHOUT ROWID",
    "CREATE TABLE due (id INTEGER PRIMARY KEY, at TEXT NOT NULL, what TEXT NOT NULL, number INTEGER, "
    "contents TEXT NOT NULL)",
    "CREATE TABLE replies (id INTEGER PRIMARY KEY, rule TEXT NOT NULL, remaining INTEGER NOT NULL)",
    "CREATE TABLE notices (id INTEGER PRIMARY KEY, address TEXT NOT NULL, text TEXT NOT NULL, told INTEGER NOT NULL)",
)

__all__ = ["BOUNDS", "FOLDERS", "blank", "build", "next_id"]


def build(parts: Sequence[OfficeContents], house: House, folders: Sequence[str], seed: int) -> Database:
    """Make a database with the contents of all `parts`, in order. Raises `EnvironmentFault` in plain words."""
    database = blank(house, seed)
    database.query("BEGIN")
    try:
        database.query("INSERT INTO office VALUES (?, ?)", (house.user, house.now))
        database.query("INSERT INTO clock VALUES (?)", (house.now,))
        for folder in dict.fromkeys((*FOLDERS, *folders)):
            database.query("INSERT INTO folders VALUES (?)", (folder,))
        for person in (person for part in parts for person in part.people):
            database.query("INSERT OR REPLACE INTO people VALUES (?, ?, ?)", (person.email, person.name, person.note))
        for part in parts:
            _furnish(database, part, house)
        deliver(database, house, house.now)
        database.query("UPDATE notices SET told = 1")  # what was there at the start is no news
    except ValueError as error:
        database.close()
        raise EnvironmentFault(str(error)) from None
    database.query("COMMIT")
    return database


def blank(house: House, seed: int = 0) -> Database:
    """An office with nothing in it."""
    return Database(_empty(), BOUNDS, now=house.now, seed=seed)


@cache
def _empty() -> bytes:
    """An office with nothing in it; small pages, as most tables hold little."""
    database = Database(b"", BOUNDS, now="2026-01-05 09:00:00", seed=0)
    try:
        database.query("PRAGMA page_size = 1024")
        for table in _TABLES:
            database.query(table)
        return database.image()
    finally:
        database.close()


def _furnish(database: Database, part: OfficeContents, house: House) -> None:
    for mail in part.mail:
        add_mail(database, mail, house)
    for event in part.events:
        add_event(database, event, house)
    for path, content in part.files.items():
        database.query("INSERT OR REPLACE INTO files VALUES (?, ?, 0)", (path, content))
    for ticket in part.tickets:
        add_ticket(database, ticket, house)
    for path, document in part.documents.items():
        add_document(database, path, document, house)
    for path, book in part.spreadsheets.items():
        add_book(database, path, book)
    for reply in part.replies:
        add_reply(database, reply)
