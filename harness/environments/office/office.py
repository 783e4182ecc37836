"""An office for one trial: one worker's mailbox, the calendar, contacts and files.

    environment:
      kind: office
      user: kit@mill.example
      now: 2026-03-02 09:00
      contents: steward/office.yaml      # people, mail, events, files; also possible right here
      folders: [newsletters]

The clock stands still at `now`. Ids count on from the highest there is. Mail may go to any address; the
worker is told when it is not in the contacts. Events may clash; the worker is told with whom.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import BaseModel, Field, JsonValue

from harness.environments.office import calendar, correspondence
from harness.environments.office.contents import Address, Moment, OfficeContents, read_contents, read_folder
from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.offers import offered
from harness.environments.office.state import OfficeReader
from harness.environments.office.tables import FOLDERS, build
from harness.environments.protocol import EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.environments.sqlite import Database, RefusedError, Worker
from harness.environments.sqlite.clock import DEFAULT_NOW
from harness.spec.base import DataFolder, DataPath

FolderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_ -]*$", max_length=40)]

_WORK: Mapping[str, Callable[[Desk, Mapping[str, Any]], Answer]] = {
    "list_mail": correspondence.list_mail,
    "read_mail": correspondence.read_mail,
    "search_mail": correspondence.search_mail,
    "send_mail": correspondence.send_mail,
    "move_mail": correspondence.move_mail,
    "list_events": calendar.list_events,
    "create_event": calendar.create_event,
    "update_event": calendar.update_event,
    "cancel_event": calendar.cancel_event,
    "list_files": correspondence.list_files,
    "read_file": correspondence.read_file,
    "write_file": correspondence.write_file,
    "find_contact": correspondence.find_contact,
}


class OfficeOptions(OfficeContents):
    """Options of the kind `office`: what is written here is added to `contents`."""

    user: Address
    """The office worker's own address."""
    now: Moment = DEFAULT_NOW
    """Date and time on the office's clock; local time."""
    contents: DataPath | None = None
    """A YAML file with `people`, `mail`, `events` and `files`."""
    folder: DataFolder | None = None
    """A folder of text files, by their paths in it."""
    folders: list[FolderName] = Field(default_factory=list)
    """Mail folders beside inbox, sent, archive and trash."""
    characters: int = Field(4000, ge=200, le=100_000)
    """Length of one observation."""


class OfficeSetup(OfficeContents):
    """What a task adds."""

    contents: DataPath | None = None
    """A YAML file with `people`, `mail`, `events` and `files`."""


class Office:
    """One trial's office (`harness.environments.protocol.Environment`)."""

    kind: ClassVar[str] = "office"
    Options: ClassVar[type[BaseModel]] = OfficeOptions
    Setup: ClassVar[type[BaseModel]] = OfficeSetup

    def __init__(self, roles: tuple[str, ...], desk: Desk) -> None:
        """Take over a furnished desk."""
        self._roles = roles
        self._desk = desk
        self._worker = Worker("office", desk.database.interrupt)

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return all tools, the same for every role."""
        return offered(list(dict.fromkeys((*FOLDERS, *cast(OfficeOptions, options).folders))))

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Furnish an office. Raises `EnvironmentFault` with what is wrong with the contents."""
        options, setup = cast(OfficeOptions, opening.options), cast(OfficeSetup, opening.setup)
        building = Worker("office being furnished", lambda: None)
        try:
            database = await building.call(lambda: _furnish(options, setup, opening.seed))
        finally:
            await building.close(lambda: None)
        return cls(tuple(opening.roles), Desk(database, options.user, options.now, options.characters))

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the version of SQLite."""
        return {"sqlite": sqlite3.sqlite_version}

    def turn(self) -> str | None:
        """Return None: roles act at any time."""
        return None

    def finished(self) -> bool:
        """Return False: an office never ends by itself."""
        return False

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Use a tool; what the worker got wrong comes back as an error, and has changed nothing."""
        if role not in self._roles:
            return Observation(f"There is no role '{role}' here.", error=True)
        if tool not in _WORK:
            return Observation(f"There is no tool '{tool}'; there are {', '.join(_WORK)}.", error=True)
        try:
            answer = await self._worker.call(lambda: self._at_once(tool, arguments))
        except (ComplaintError, RefusedError) as error:
            return Observation(f"Error: {error}", error=True)
        except KeyError as error:
            return Observation(f"Error: {tool} needs {error}.", error=True)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            return Observation(f"Error: this cannot be done: {error}", error=True)
        return Observation(answer.text, data=answer.data)

    def _at_once(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        self._desk.ask("BEGIN")
        done = False
        try:
            answer = _WORK[tool](self._desk, arguments)
            done = True
        finally:
            self._desk.ask("COMMIT" if done else "ROLLBACK")
        return answer

    async def snapshot(self) -> bytes:
        """Return the office as bytes."""
        return await self._worker.call(self._desk.database.snapshot)

    async def restore(self, snapshot: bytes) -> None:
        """Go back to a snapshot. Raises `EnvironmentFault` when it is none."""
        try:
            await self._worker.call(lambda: self._desk.database.restore(snapshot))
        except RefusedError as error:
            raise EnvironmentFault(f"the snapshot cannot be restored: {error}") from None

    async def final_state(self) -> FinalState:
        """Return the office as the bytes of a database file."""
        return FinalState(self.kind, await self._worker.call(self._desk.database.image))

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> OfficeReader:
        """Open a recorded office for checks."""
        return OfficeReader(state, now=cast(OfficeOptions, opening.options).now, seed=opening.seed)

    async def close(self) -> None:
        """End the thread and free the memory; may be called twice."""
        await self._worker.close(self._desk.database.close)


def _furnish(options: OfficeOptions, setup: OfficeSetup, seed: int) -> Database:
    parts: list[OfficeContents] = [options, setup]
    if setup.contents is not None:
        parts.insert(1, read_contents(Path(setup.contents)))
    if options.contents is not None:
        parts.insert(0, read_contents(Path(options.contents)))
    if options.folder is not None:
        parts.insert(0, OfficeContents(files=read_folder(Path(options.folder))))
    return build(parts, options.user, options.now, options.folders, seed)
