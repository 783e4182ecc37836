"""How the contents of an office come into its tables; what does not fit together is a `ValueError` in plain words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from harness.environments.office.contents import Event, Mail, Repeat, Reply
from harness.environments.office.house import House, person
from harness.environments.office.mail.letters import Box, Letter, data_file, enclosed, next_id, put
from harness.environments.office.sheets import Book, computed, from_csv, from_xlsx
from harness.environments.office.sheets.exchange import from_rows
from harness.environments.office.shelves.papers import Document, Revision, Spreadsheet, Ticket
from harness.environments.office.shelves.workbooks import store
from harness.environments.sqlite import Database


def add_mail(database: Database, mail: Mail, house: House) -> None:
    """Put a mail into the mailboxes it belongs in, or keep it until it arrives."""
    what = f"mail '{mail.subject}'"
    number = _number(database, "mail", mail.id, what) if mail.id or not mail.arrives else None
    if not database.query("SELECT 1 FROM folders WHERE name = ?", (mail.folder,)):
        raise ValueError(f"{what}: there is no folder '{mail.folder}'; name it under `folders`")
    answered = None
    if mail.reply_to is not None:
        found = database.query("SELECT message FROM mail WHERE id = ?", (mail.reply_to,))
        if not found:
            raise ValueError(f"{what}: there is no mail {mail.reply_to} before it")
        answered = int(str(found[0][0]))
    letter = Letter(
        sender=person(database, mail.sender, what),
        name=mail.name or "",
        to=[person(database, who, what) for who in mail.to] or [house.user],
        cc=[person(database, who, what) for who in mail.cc],
        subject=mail.subject,
        body=mail.body,
        html=mail.html,
        at=mail.arrives or mail.at or house.now,
        answers=answered,
        enclosed=[enclosed(one) for one in mail.attachments],
    )
    if mail.arrives:
        if mail.folder != "inbox":
            raise ValueError(f"{what}: mail that arrives comes into the inbox")
        _later(database, mail.arrives, "mail", number, letter.packed())
        return
    message = None
    for owner in owners(house, letter, mail.folder):
        copy = number if message is None and number is not None else next_id(database, "mail")
        message = copy if message is None else message
        box = Box(owner, mail.folder, mail.unread)
        put(database, letter, box, hidden=house.hidden, number=copy, message=message)


def owners(house: House, letter: Letter, folder: str) -> list[str]:
    """Whose mailboxes a letter of the contents is in."""
    if not house.seats:
        return [house.user]
    among = [letter.sender] if folder == "sent" else [*letter.to, *letter.cc]
    return [address for address in dict.fromkeys(among) if address in house.workers] or [house.user]


def add_event(database: Database, event: Event, house: House) -> None:
    """Put an event into the calendar as often as it takes place, or keep it until the invitation arrives."""
    what = f"event '{event.title}'"
    organizer = person(database, event.organizer, what) if event.organizer else house.user
    attendees = [person(database, who, what) for who in event.attendees]
    if event.arrives and event.repeat:
        raise ValueError(f"{what}: an invitation that arrives is for one event; leave out `repeat`")
    series = None
    for position, (start, end) in enumerate(_times(event.start, event.end, event.repeat)):
        number = _number(database, "events", event.id if position == 0 else None, what)
        series = number if event.repeat and series is None else series
        row = [event.title, start, end, event.location, organizer, 0, int(event.private), series]
        if event.arrives:
            _later(database, event.arrives, "events", number, {"row": row, "attendees": attendees})
        else:
            put_event(database, number, row, attendees)


def put_event(database: Database, number: int, row: list[object], attendees: list[str]) -> None:
    """Put one event into the calendar."""
    database.query("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *row))
    for address in attendees:
        database.query("INSERT OR IGNORE INTO attendees VALUES (?, ?)", (number, address))


def _times(start: str, end: str, repeat: Repeat | None) -> Iterator[tuple[str, str]]:
    """Start and end of each time an event takes place. Raises `ValueError` for a day that a month does not have."""
    first, length = datetime.fromisoformat(start), datetime.fromisoformat(end) - datetime.fromisoformat(start)
    moment = first
    for position in range(repeat.times if repeat else 1):
        if repeat and position:
            moment = _next(first, moment, repeat.every, position)
        yield moment.strftime("%Y-%m-%d %H:%M:%S"), (moment + length).strftime("%Y-%m-%d %H:%M:%S")


def _next(first: datetime, before: datetime, every: str, position: int) -> datetime:
    if every == "month":
        years, month = divmod(first.month - 1 + position, 12)
        try:
            return first.replace(year=first.year + years, month=month + 1)
        except ValueError:
            raise ValueError(f"an event on the {first.day}th cannot be repeated every month") from None
    days = 7 if every == "week" else 1
    if every == "weekday" and before.weekday() >= 4:
        days = 7 - before.weekday()
    return before + timedelta(days=days)


def add_ticket(database: Database, ticket: Ticket, house: House) -> None:
    """Put a ticket and what was said on it into the list, or keep it until it is opened."""
    what = f"ticket '{ticket.title}'"
    number = _number(database, "tickets", ticket.id, what)
    row: list[object] = [
        ticket.title, ticket.body, ticket.state, ticket.priority,
        person(database, ticket.by, what) if ticket.by else house.user,
        person(database, ticket.assignee, what) if ticket.assignee else None,
        ticket.arrives or ticket.at or house.now,
    ]  # fmt: skip
    if ticket.arrives:
        _later(database, ticket.arrives, "tickets", number, {"row": row})
    else:
        database.query("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, *row))
    for comment in ticket.comments:
        arrives = comment.arrives or ticket.arrives
        if ticket.arrives and arrives and arrives < ticket.arrives:
            raise ValueError(f"{what}: a comment arrives before the ticket does")
        said: list[object] = [
            number,
            person(database, comment.by, what),
            arrives or comment.at or house.now,
            comment.text,
        ]
        if arrives:
            _later(database, arrives, "comments", None, {"row": said})
        else:
            database.query("INSERT INTO comments VALUES (?, ?, ?, ?, ?, 0)", (next_id(database, "comments"), *said))


def add_document(database: Database, path: str, document: str | Document, house: House) -> None:
    """Put a document with its revisions into the house; one of the same path is replaced."""
    what = f"document '{path}'"
    if isinstance(document, str):
        revisions = [Revision(text=document)]
    elif document.data is not None:
        try:
            revisions = [Revision(text=data_file(document.data).decode("utf-8"))]
        except UnicodeDecodeError:
            raise ValueError(f"{what}: its file is no text") from None
    else:
        revisions = document.revisions or [Revision(text=document.text or "")]
    database.query("DELETE FROM revisions WHERE document = ?", (path,))
    before = ""
    for number, revision in enumerate(revisions, 1):
        at = revision.at or house.now
        if at < before:
            raise ValueError(f"{what}: revision {number} is older than the one before it")
        by = person(database, revision.by, what) if revision.by else house.user
        values = (path, number, by, at, revision.note, revision.text)
        database.query("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, 0)", values)
        before = at


def add_book(database: Database, path: str, spreadsheet: Spreadsheet) -> None:
    """Put a spreadsheet into the house; one of the same path is replaced."""
    try:
        if spreadsheet.data is None:
            book = Book({name: from_rows(rows) for name, rows in spreadsheet.sheets.items()})
        elif spreadsheet.data.lower().endswith(".csv"):
            book = from_csv(data_file(spreadsheet.data).decode("utf-8"))
        else:
            book = from_xlsx(data_file(spreadsheet.data))
        store(database, path, computed(book))
    except ValueError as error:
        raise ValueError(f"spreadsheet '{path}': {error}") from None


def add_reply(database: Database, reply: Reply) -> None:
    """Keep a rule by which somebody answers."""
    what = f"the reply to mail to '{reply.when.to}'"
    to = person(database, reply.when.to, what)
    mail = reply.mail
    letter = Letter(
        sender=person(database, mail.sender, what) if mail.sender else to, name=mail.name or "", to=[], cc=[],
        subject=mail.subject or "", body=mail.body, html=mail.html, at="",
        enclosed=[enclosed(one) for one in mail.attachments],
    )  # fmt: skip
    rule = {
        "to": to, "subject": reply.when.subject_matches, "body": reply.when.body_matches, "after": reply.after,
        "again": mail.subject is None, "letter": letter.packed(),
    }  # fmt: skip
    database.query("INSERT INTO replies (rule, remaining) VALUES (?, ?)", (json.dumps(rule), reply.times))


def _number(database: Database, table: str, wanted: int | None, what: str) -> int:
    if wanted is None:
        return next_id(database, table)
    kept = database.query("SELECT 1 FROM due WHERE what = ? AND number = ?", (table, wanted))
    if kept or database.query(f"SELECT 1 FROM {table} WHERE id = ?", (wanted,)):  # noqa: S608 - a table of our own
        raise ValueError(f"{what}: the id {wanted} is given twice")
    return wanted


def _later(database: Database, at: str, what: str, number: int | None, contents: dict[str, object]) -> None:
    values = (at, what, number, json.dumps(contents))
    database.query("INSERT INTO due (at, what, number, contents) VALUES (?, ?, ?, ?)", values)
