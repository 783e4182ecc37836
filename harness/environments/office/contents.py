"""What an office holds at the start, as people write it in YAML: people, mail, events, files.

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
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from harness.environments.protocol import EnvironmentFault
from harness.environments.sqlite import office_time
from harness.spec.base import Spec, UserError

ADDRESS = re.compile(r"[^\s@,;<>\"']+@[^\s@,;<>\"']+\.[^\s@,;<>\"'.]+")
MAX_FILE = 1_000_000
"""Bytes of a file given to an office."""


def checked_address(text: str) -> str:
    """`text` as a mail address in lower case. Raises `ValueError`."""
    address = text.strip().lower()
    if not ADDRESS.fullmatch(address):
        raise ValueError(f"'{text[:60]}' is no mail address")
    return address


def checked_path(text: str) -> str:
    """`text` as the path of an office file, such as `notes/rooms.txt`. Raises `ValueError`."""
    path = text.strip().removeprefix("./")
    parts = path.split("/")
    if not path or len(path) > 200 or any(part in ("", ".", "..") for part in parts) or not path.isprintable():
        raise ValueError(f"'{text[:60]}' is no path; write one such as notes/rooms.txt")
    return path


Address = Annotated[str, AfterValidator(checked_address)]
Moment = Annotated[str, AfterValidator(office_time)]
FilePath = Annotated[str, AfterValidator(checked_path)]
Who = Annotated[str, Field(min_length=1, max_length=200)]
"""A name from `people`, or an address."""


class Person(Spec):
    """Someone in the contacts."""

    name: str = Field(min_length=1, max_length=100)
    email: Address


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


def read_contents(path: Path) -> OfficeContents:
    """Read the contents in a YAML file. Raises `EnvironmentFault` with all that is wrong with it and where."""
    from harness.spec.loading.source import Source

    source = Source(path, [])
    found = source.best(OfficeContents) if source.read() else None
    if found is None or source.problems:
        raise EnvironmentFault("\n".join(str(problem) for problem in source.problems))
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
