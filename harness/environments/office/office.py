"""An office for one trial: mailbox, calendar, contacts and files, and further desks where a scenario asks for them.

    environment:
      kind: office
      user: kit@mill.example
      now: 2026-03-02 09:00
      contents: steward/office.yaml      # people, mail, events, files; also possible right here
      folders: [newsletters]
      desks: [mail, attachments, calendar, contacts, files, tickets, documents, spreadsheets, clock]
      minutes_per_call: 5

Ids count on from the highest there is. Mail may go to any address; the worker is told when it is not in the
contacts. Events may clash; the worker is told with whom. The clock stands still at `now` unless calls take time or
the worker waits; what arrives by then is told with the observation, or as news, once.

Several roles share one desk, or have one each:

      seats: {clerk: Kit Low, head: ann@mill.example}     # in place of `user`

Then each has a mailbox of its own, mail between them is a copy in each, and calendar, contacts, files, tickets,
documents and spreadsheets are the house's.

With `served: true` mail and calendar go through real servers (`harness.environments.office.served`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, cast

from pydantic import BaseModel, Field, JsonValue, model_validator

from harness.environments.office.contents import OfficeContents, read_contents, read_folder
from harness.environments.office.desk import Answer, ComplaintError, Desk, Rights
from harness.environments.office.desks import NEEDS, USUAL, WORK, DeskName, offered
from harness.environments.office.diary.clock import deliver, later, tidings
from harness.environments.office.house import House
from harness.environments.office.state import OfficeReader
from harness.environments.office.tables import FOLDERS, build
from harness.environments.office.terms import Address, Moment, Who, checked_address
from harness.environments.protocol import Environment, EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.environments.sqlite import Database, RefusedError, Worker
from harness.environments.sqlite.clock import DEFAULT_NOW
from harness.spec.base import DataFolder, DataPath

if TYPE_CHECKING:
    from harness.environments.office.served import Served

FolderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_ -]*$", max_length=40)]
_WEEK = 7 * 24 * 60


class OfficeOptions(OfficeContents):
    """Options of the kind `office`: what is written here is added to `contents`."""

    user: Address | None = None
    """The office worker's own address; with `seats`, left out."""
    now: Moment = DEFAULT_NOW
    """Date and time on the office's clock when the trial starts; local time."""
    contents: DataPath | None = None
    """A YAML file with `people`, `mail`, `events` and whatever else an office holds."""
    folder: DataFolder | None = None
    """A folder of text files, by their paths in it."""
    folders: list[FolderName] = Field(default_factory=list)
    """Mail folders beside inbox, sent, archive and trash."""
    characters: int = Field(4000, ge=200, le=100_000)
    """Length of one observation."""
    desks: list[DeskName] = Field(default_factory=lambda: list(USUAL), min_length=1)
    """What the office worker has tools for."""
    seats: dict[str, Who] = Field(default_factory=dict)
    """Role -> who it is, by name or address, where roles have mailboxes of their own."""
    rights: dict[str, Rights] = Field(default_factory=dict)
    """Role -> what it may do with tickets: `read`, `comment` or `change`; `change` where nothing is said."""
    minutes_per_call: int = Field(0, ge=0, le=24 * 60)
    """How far the clock goes on with every call that is carried out."""
    closes: Moment | None = None
    """Nobody waits beyond this moment; a week after `now` when left out."""
    served: bool = False
    """Whether mail goes by SMTP, is read by IMAP, and the calendar by CalDAV, from servers of the trial's own (extra
    `[mail]`). What is observed is the same."""
    hidden_text: bool = True
    """Whether mail is shown with what a reader would not see in it, such as white writing: programs that hand mail
    to a model mostly do; a mail client does not."""

    @model_validator(mode="after")
    def _fits(self) -> OfficeOptions:
        if (self.user is None) == (not self.seats):
            raise ValueError("an office needs one of `user` (one desk) and `seats` (a desk for each role)")
        for desk, needed in NEEDS.items():
            if desk in self.desks and needed not in self.desks:
                raise ValueError(f"the desk `{desk}` adds to the desk `{needed}`, which is not among `desks`")
        if self.closes is not None and self.closes < self.now:
            raise ValueError("`closes` is before `now`")
        return self


class OfficeSetup(OfficeContents):
    """What a task adds."""

    contents: DataPath | None = None
    """A YAML file with `people`, `mail`, `events` and whatever else an office holds."""


class Office(Environment):
    """One trial's office."""

    kind: ClassVar[str] = "office"
    Options: ClassVar[type[BaseModel]] = OfficeOptions
    Setup: ClassVar[type[BaseModel]] = OfficeSetup

    def __init__(
        self, database: Database, desks: Mapping[str, Desk], options: OfficeOptions, served: Served | None
    ) -> None:
        """Take over a furnished office; `desks` by role."""
        self._database = database
        self._served = served
        self._desks = desks
        self._options = options
        self._timed = bool(options.minutes_per_call) or "clock" in options.desks
        self._worker = Worker("office", database.interrupt)

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the tools of the desks there are; a role may do less with tickets than another."""
        chosen = cast(OfficeOptions, options)
        folders = list(dict.fromkeys((*FOLDERS, *chosen.folders)))
        rights = chosen.rights.get(role, "change")
        return offered(chosen.desks, folders, rights, passing=bool(chosen.minutes_per_call))

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Furnish an office. Raises `EnvironmentFault` with what is wrong with the contents."""
        options, setup = cast(OfficeOptions, opening.options), cast(OfficeSetup, opening.setup)
        strangers = [role for role in (*options.seats, *options.rights) if role not in opening.roles]
        missing = [role for role in opening.roles if options.seats and role not in options.seats]
        if strangers or missing:
            raise EnvironmentFault(
                f"`seats` and `rights` name roles of the scenario: there is no role {strangers[0]!r}" if strangers
                else f"the role {missing[0]!r} has no seat; name it under `seats`"
            )  # fmt: skip
        building = Worker("office being furnished", lambda: None)
        try:
            database, house = await building.call(lambda: _furnish(options, setup, opening.seed))
            served = await building.call(lambda: _serve(options, house, database, opening.scratch))
        finally:
            await building.close(lambda: None)
        desks = {
            role: Desk(
                database, house, house.seats.get(role, house.user), options.characters,
                options.rights.get(role, "change"), served.carry if served else None,
            )
            for role in opening.roles
        }  # fmt: skip
        return cls(database, desks, options, served)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the version of SQLite, and of the servers where there are any."""
        facts: dict[str, JsonValue] = {"sqlite": sqlite3.sqlite_version}
        if self._served is not None:
            from harness.environments.office.served.mirror import versions

            facts["servers"] = versions()
        return facts

    async def news(self, role: str) -> str | None:
        """What has arrived for a role that it has not been told with an observation."""
        if role not in self._desks:
            return None
        desk = self._desks[role]
        found = await self._worker.call(lambda: tidings(desk.database, desk.user))
        return f"New: {'; '.join(found)}." if found else None

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Use a tool; what the worker got wrong comes back as an error, and has changed nothing."""
        if role not in self._desks:
            return Observation(f"There is no role '{role}' here.", error=True)
        names = [one.name for one in self.tools(self._options, role)]
        if tool not in names:
            return Observation(f"There is no tool '{tool}'; there are {', '.join(names)}.", error=True)
        try:
            answer = await self._worker.call(lambda: self._at_once(self._desks[role], tool, arguments))
        except (ComplaintError, RefusedError) as error:
            return Observation(f"Error: {error}", error=True)
        except KeyError as error:
            return Observation(f"Error: {tool} needs {error}.", error=True)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            return Observation(f"Error: this cannot be done: {error}", error=True)
        return Observation(answer.text, data=answer.data)

    def _at_once(self, desk: Desk, tool: str, arguments: Mapping[str, Any]) -> Answer:
        desk.ask("BEGIN")
        done = False
        try:
            answer = self._work(desk, tool, arguments)
            if self._timed:
                answer = self._time_passes(desk, answer)
            done = True
        finally:
            desk.ask("COMMIT" if done else "ROLLBACK")
        if self._served is not None:
            self._served.bring_up_to_date(self._database)
        return answer

    def _work(self, desk: Desk, tool: str, arguments: Mapping[str, Any]) -> Answer:
        if self._served is None or not self._served.holds(tool):
            return WORK[tool](desk, arguments)
        with self._served.view(desk) as view:
            return WORK[tool](view, arguments)

    def _time_passes(self, desk: Desk, answer: Answer) -> Answer:
        """Let a call take its time, and tell the hour and what has arrived."""
        minutes = 0 if answer.data.get("waited") else self._options.minutes_per_call
        deliver(desk.database, desk.house, later(desk.now, minutes))
        arrived = tidings(desk.database, desk.user)
        told = f"\n[{desk.now[:16]}{'; new: ' if arrived else ''}{'; '.join(arrived)}]"
        return Answer(answer.text + told, {**answer.data, "now": desk.now, "arrived": len(arrived)})

    async def snapshot(self) -> bytes:
        """Return the office as bytes."""
        return await self._worker.call(self._database.snapshot)

    async def restore(self, snapshot: bytes) -> None:
        """Go back to a snapshot. Raises `EnvironmentFault` when it is none."""
        try:
            await self._worker.call(lambda: self._go_back(snapshot))
        except RefusedError as error:
            raise EnvironmentFault(f"the snapshot cannot be restored: {error}") from None

    def _go_back(self, snapshot: bytes) -> None:
        self._database.restore(snapshot)
        if self._served is not None:
            self._served.start_over(self._database)

    async def final_state(self) -> FinalState:
        """Return the office as a database file. Raises `EnvironmentFault` where its servers hold other things."""
        return FinalState(self.kind, await self._worker.call(self._ended))

    def _ended(self) -> bytes:
        if self._served is not None:
            self._served.check(self._database)
        return self._database.image()

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> OfficeReader:
        """Open a recorded office for checks."""
        options = cast(OfficeOptions, opening.options)
        more = "attachments" in options.desks or bool(options.seats)
        return OfficeReader(state, now=options.now, seed=opening.seed, whole_mail=more)

    async def close(self) -> None:
        """End the thread and free the memory; may be called twice."""
        await self._worker.close(self._end)

    def _end(self) -> None:
        if self._served is not None:
            self._served.close()
        self._database.close()


def _serve(options: OfficeOptions, house: House, database: Database, scratch: Path) -> Served | None:
    """Start the servers where they are asked for; the database is closed where they do not start."""
    if not options.served:
        return None
    from harness.environments.office.served import Served

    try:
        return Served(database, house.workers, scratch / "servers")
    except BaseException:
        database.close()
        raise


def _furnish(options: OfficeOptions, setup: OfficeSetup, seed: int) -> tuple[Database, House]:
    parts: list[OfficeContents] = [options, setup]
    if setup.contents is not None:
        parts.insert(1, read_contents(Path(setup.contents)))
    if options.contents is not None:
        parts.insert(0, read_contents(Path(options.contents)))
    if options.folder is not None:
        parts.insert(0, OfficeContents(files=read_folder(Path(options.folder))))
    seats = _seats(options, parts)
    user = options.user or next(iter(seats.values()))
    closes = options.closes or later(options.now, _WEEK)
    house = House(user, options.now, closes, hidden=options.hidden_text, seats=seats)
    return build(parts, house, options.folders, seed), house


def _seats(options: OfficeOptions, parts: list[OfficeContents]) -> dict[str, str]:
    """Role -> address. Raises `EnvironmentFault` for a name that is not among the people."""
    people = {person.name.lower(): person.email for part in parts for person in part.people}
    found = {}
    for role, who in options.seats.items():
        try:
            found[role] = checked_address(who) if "@" in who else people[who.strip().lower()]
        except KeyError:
            raise EnvironmentFault(f"the seat of {role}: nobody called '{who}' is among the people") from None
        except ValueError as error:
            raise EnvironmentFault(f"the seat of {role}: {error}") from None
    return found
