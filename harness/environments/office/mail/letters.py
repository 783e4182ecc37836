"""Letters between the tables: how a mail, an appointment or a ticket is put into an office, now or when it arrives."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.environments.office.mail.html import html_text, seen
from harness.environments.office.sheets import Book, as_csv, as_xlsx, computed
from harness.environments.office.sheets.exchange import from_rows
from harness.environments.office.shelves.papers import Attachment
from harness.environments.sqlite import Database

MAX_ATTACHMENT = 1_000_000
"""Bytes of one attachment."""
_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".html": "text/html",
    ".ics": "text/calendar",
    ".json": "application/json",
    ".yaml": "application/yaml",
}


@dataclass(frozen=True)
class Enclosed:
    """A file that goes with a mail."""

    name: str
    type: str
    content: bytes


def enclosed(attachment: Attachment) -> Enclosed:
    """An attachment with its content. Raises `ValueError` in plain words."""
    if attachment.rows is not None:
        book = computed(Book({"Sheet1": from_rows(attachment.rows)}))
        as_text = attachment.name.lower().endswith(".csv")
        content = as_csv(book.sheets["Sheet1"]).encode() if as_text else as_xlsx(book)
    elif attachment.data is not None:
        content = data_file(attachment.data)
    else:
        content = (attachment.text or "").encode()
    return Enclosed(attachment.name, attachment.type or media_type(attachment.name), content)


def data_file(path: str) -> bytes:
    """A file beside the scenario. Raises `ValueError` in plain words."""
    try:
        if Path(path).stat().st_size > MAX_ATTACHMENT:
            raise ValueError(f"{Path(path).name} has more than {MAX_ATTACHMENT} bytes")
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{Path(path).name} cannot be read: {error.strerror}") from None


def media_type(name: str) -> str:
    """The media type of a file by the end of its name; the same on every machine for what an office has."""
    end = Path(name).suffix.lower()
    return _TYPES.get(end) or mimetypes.types_map.get(end) or "application/octet-stream"


@dataclass(frozen=True)
class Letter:
    """A mail on its way."""

    sender: str
    name: str
    """What the sender calls himself; empty where nothing is said."""
    to: Sequence[str]
    cc: Sequence[str]
    subject: str
    body: str
    html: str
    at: str
    answers: int | None = None
    """The `message` it answers."""
    enclosed: Sequence[Enclosed] = field(default_factory=list)

    def shown(self, *, hidden: bool) -> str:
        """The text as the reader is shown it."""
        if self.html:
            return html_text(self.html, hidden=hidden)
        return self.body if hidden else seen(self.body)

    def packed(self) -> dict[str, object]:
        """The letter as plain data, to be kept until it arrives."""
        files = [
            {"name": one.name, "type": one.type, "content": base64.b64encode(one.content).decode()}
            for one in self.enclosed
        ]
        return {**asdict(self), "to": list(self.to), "cc": list(self.cc), "enclosed": files}

    @classmethod
    def unpacked(cls, data: dict[str, object]) -> Letter:
        """What `packed` made. Raises `ValueError` where it did not."""
        files = data["enclosed"]
        if not isinstance(files, list):
            raise ValueError("this is no letter")
        try:
            found = [Enclosed(one["name"], one["type"], base64.b64decode(one["content"])) for one in files]
        except (KeyError, TypeError, binascii.Error):
            raise ValueError("this is no letter") from None
        return cls(**{**data, "enclosed": found})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Box:
    """Where a copy of a letter is put."""

    owner: str
    folder: str = "inbox"
    unread: bool = True
    sent_now: bool = False
    reply_to: int | None = None
    """The mail there that it answers; found by the letter's `answers` when None."""


def put(database: Database, letter: Letter, box: Box, *, hidden: bool, number: int, message: int) -> None:
    """Put one copy of a letter into a mailbox as mail `number`; copies of one letter share `message`."""
    body = letter.shown(hidden=hidden)
    thread = database.query("SELECT thread FROM mail WHERE message = ? LIMIT 1", (letter.answers,))
    own = database.query(
        "SELECT id FROM mail WHERE message = ? AND owner = ? ORDER BY id LIMIT 1", (letter.answers, box.owner)
    )
    reply_to = box.reply_to or (own[0][0] if own else None)
    database.query(
        "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, box.folder, letter.sender, letter.subject, body, letter.at, int(box.unread),
         reply_to, int(box.sent_now), box.owner, message,
         thread[0][0] if thread else message, letter.html, letter.name),
    )  # fmt: skip
    for address in letter.to:
        database.query("INSERT OR IGNORE INTO recipients VALUES (?, ?)", (number, address))
    for address in letter.cc:
        database.query("INSERT OR IGNORE INTO copies VALUES (?, ?)", (number, address))
    for position, one in enumerate(letter.enclosed, 1):
        database.query("INSERT INTO attachments VALUES (?, ?, ?, ?, ?)",
                       (number, position, one.name, one.type, one.content))  # fmt: skip


def next_id(database: Database, table: str) -> int:
    """One more than the highest id, passing over those that mail yet to arrive will have."""
    number = int(str(database.query(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")[0][0]))  # noqa: S608
    kept = {kept for (kept,) in database.query("SELECT number FROM due WHERE what = ?", (table,))}
    while number in kept:
        number += 1
    return number
