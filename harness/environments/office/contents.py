"""What an office holds at the start, and what comes to it later, as people write it in YAML.

people:
  - {name: Ann Reed, email: ann@mill.example}
mail:
  - from: Ann Reed              # a name from `people`, or any address
    subject: Tuesday
    body: We meet in the oak room.
    at: 2026-03-02 08:15        # the office's own time when left out
events:
  - {title: Team meeting, start: 2026-03-03 10:00, end: 2026-03-03 11:00, attendees: [Ann Reed]}
files:
  notes/rooms.txt: |
    oak room: 12 seats

Mail may bring attachments, be written in HTML, and arrive later; people may answer what they are sent:

mail:
  - from: accounts@m1ll.example
    name: Ann Reed                # as the sender calls himself
    subject: Urgent
    html: <p>Please pay today.</p>
    attachments: [{name: bill.csv, rows: [[item, crowns], [bricks, 180]]}]
    arrives: 2026-03-02 10:15
replies:
  - when: {to: Ann Reed, subject_matches: (?i)key}
    after: 20 minutes
    mail: {body: It hangs behind the door.}
tickets: [{title: Broken lamp, by: Ann Reed, priority: high}]
documents: {rules.md: "1. The door is locked at nine."}
spreadsheets: {rent: {sheets: {March: [[room, crowns], [oak, 40], [sum, "=SUM(B2:B2)"]]}}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from harness.environments.office.shelves.papers import Attachment, Document, Spreadsheet, Ticket
from harness.environments.office.terms import Address, FilePath, Minutes, Moment, Pattern, Who, checked_path
from harness.environments.protocol import EnvironmentFault
from harness.spec.base import DataFile, Spec, UserError

MAX_FILE = 1_000_000
"""Bytes of a file given to an office."""


class Person(Spec):
    """Someone in the contacts."""

    name: str = Field(min_length=1, max_length=100)
    email: Address
    note: str = Field("", max_length=500)
    """Shown by the desk `address_book`."""


class Mail(Spec):
    """A mail that is there at the start."""

    model_config = ConfigDict(populate_by_name=True)

    id: int | None = Field(None, ge=1, le=9999)
    """Counted on from the highest one before it when left out."""
    sender: Who = Field(alias="from")
    to: list[Who] = Field(default_factory=list)
    """The office worker when empty."""
    subject: str = Field("", max_length=500)
    body: str = Field("", max_length=100_000)
    at: Moment | None = None
    """When it was sent; the office's `now` when left out."""
    folder: str = "inbox"
    unread: bool = True
    reply_to: int | None = None
    """Id of the mail it answers."""
    name: str | None = Field(None, max_length=100)
    """What the sender calls himself, where that is not the name in the contacts; anybody can write anything there."""
    cc: list[Who] = Field(default_factory=list)
    html: str = Field("", max_length=200_000)
    """The mail in HTML, in place of `body`; shown as text."""
    attachments: list[Attachment] = Field(default_factory=list, max_length=20)
    arrives: Moment | None = None
    """When it comes, where that is after the office's `now`."""

    @model_validator(mode="after")
    def _one_body(self) -> Mail:
        if self.body and self.html:
            raise ValueError(f"the mail '{self.subject}' has both `body` and `html`; one of them is shown")
        if self.arrives and self.at:
            raise ValueError(f"the mail '{self.subject}' has both `at` and `arrives`; it is sent when it arrives")
        names = [attachment.name for attachment in self.attachments]
        if len(set(names)) < len(names):
            raise ValueError(f"two attachments of the mail '{self.subject}' have the same name")
        return self


class Sent(Spec):
    """Which mail of an office worker is answered: all conditions given must hold."""

    to: Who
    """One of those it goes to."""
    subject_matches: Pattern | None = None
    """A regular expression searched for."""
    body_matches: Pattern | None = None
    """A regular expression searched for."""


class Answering(Spec):
    """The mail that answers."""

    model_config = ConfigDict(populate_by_name=True)

    sender: Who | None = Field(None, alias="from")
    """Whoever was written to when left out."""
    name: str | None = Field(None, max_length=100)
    subject: str | None = Field(None, max_length=500)
    """`Re: ` and the subject answered when left out."""
    body: str = Field("", max_length=100_000)
    html: str = Field("", max_length=200_000)
    attachments: list[Attachment] = Field(default_factory=list, max_length=20)


class Reply(Spec):
    """A correspondent who answers by a rule."""

    when: Sent
    after: Minutes = 0
    """How long it takes: minutes, or a text such as `2 hours`."""
    mail: Answering
    times: int = Field(1, ge=1, le=100)
    """How often at most."""


class Repeat(Spec):
    """How an event is repeated; each time is an event of its own."""

    every: Literal["day", "weekday", "week", "month"] = "week"
    times: int = Field(ge=2, le=200)
    """How often it takes place in all."""


class Event(Spec):
    """An appointment that is there at the start."""

    id: int | None = Field(None, ge=1, le=9999)
    """Counted on from the highest one before it when left out."""
    title: str = Field(min_length=1, max_length=200)
    start: Moment
    end: Moment
    location: str = Field("", max_length=200)
    organizer: Who | None = None
    """The office worker when left out; only the organiser may change an event."""
    attendees: list[Who] = Field(default_factory=list)
    repeat: Repeat | None = None
    private: bool = False
    """Others see that the time is taken, and not with what."""
    arrives: Moment | None = None
    """When the invitation comes, where that is after the office's `now`."""

    @model_validator(mode="after")
    def _ordered(self) -> Event:
        if self.end <= self.start:
            raise ValueError(f"the event '{self.title}' ends before it starts")
        return self


class OfficeContents(Spec):
    """What an office holds, or what a task adds to it."""

    people: list[Person] = Field(default_factory=list)
    mail: list[Mail] = Field(default_factory=list)
    events: list[Event] = Field(default_factory=list)
    files: dict[FilePath, str] = Field(default_factory=dict)
    """Path -> text."""
    tickets: list[Ticket] = Field(default_factory=list)
    documents: dict[FilePath, str | Document] = Field(default_factory=dict)
    """Path -> text, or the document with its history."""
    spreadsheets: dict[FilePath, Spreadsheet] = Field(default_factory=dict)
    """Path -> sheets."""
    replies: list[Reply] = Field(default_factory=list)
    """Correspondents who answer what they are sent; the first rule that fits answers."""


def read_contents(path: Path) -> OfficeContents:
    """Read the contents in a YAML file. Raises `EnvironmentFault` with all that is wrong with it and where."""
    from harness.spec.loading.marked import marked
    from harness.spec.reading.source import Source

    source = Source(path, [])
    found = source.best(OfficeContents) if source.read() else None
    if found is None or source.problems:
        raise EnvironmentFault("\n".join(str(problem) for problem in source.problems))
    for item in marked(found):
        if isinstance(item.mark, DataFile):
            place = ".".join(str(part) for part in item.path)
            raise EnvironmentFault(
                f"{path.name}: {place} names a file, which would not be part of the scenario's identity; "
                "write it into the scenario file itself, or give its text here"
            )
    return found


def read_folder(folder: Path) -> dict[str, str]:
    """Read the text files below a folder (or one file), by path. Raises `EnvironmentFault`."""
    from harness.spec.digests import data_files

    try:
        files = list(data_files(folder)) if folder.is_dir() else [(folder.name, folder)]
    except (UserError, OSError) as error:
        raise EnvironmentFault(f"{folder.name}: cannot be read: {error}") from None
    found = {}
    for name, path in files:
        try:
            if path.stat().st_size > MAX_FILE:
                raise EnvironmentFault(f"{name}: more than {MAX_FILE} bytes; an office file is a short text")
            found[checked_path(name)] = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise EnvironmentFault(f"{name}: cannot be an office file: {error}") from None
    return found
