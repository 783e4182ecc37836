"""The desk `tickets`: what is to be done in the house, who does it, and what was said about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.mail.letters import next_id
from harness.environments.sqlite import table_text
from harness.environments.sqlite.text import shortened

_LISTED = 200
_MOST = 1000
STATES = ("open", "pending", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
_FIELDS = ("title", "state", "priority", "assignee")


def list_tickets(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Tickets by number, of one state or one assignee where that is asked."""
    state = arguments.get("state")
    who = str(arguments.get("assignee") or "").strip()
    assignee = desk.address(who) if who else None
    rows = desk.ask(
        "SELECT id, title, state, priority, assignee FROM tickets WHERE state = coalesce(?, state) "
        "AND (? IS NULL OR assignee = ?) ORDER BY id LIMIT ?", state, assignee, assignee, _LISTED + 1,
    )  # fmt: skip
    if not rows:
        return Answer("There are no such tickets.", {"rows": 0})
    lines = [(*row[:4], _who(desk, row[4])) for row in rows[:_LISTED]]
    text, shown = table_text(
        ("id", "title", "state", "priority", "assignee"), lines, len(rows) > _LISTED, desk.characters
    )
    return Answer(text, {"rows": shown})


def read_ticket(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """One ticket, with what was said on it and what became of it, in order."""
    number = int(arguments["id"])
    title, body, state, priority, author, assignee, at = _ticket(desk, number)
    later = [
        (str(moment), f"{desk.name(str(who))}: {text}")
        for who, moment, text in desk.ask(
            "SELECT author, at, text FROM comments WHERE ticket = ? ORDER BY at, id", number
        )
    ] + [
        (
            str(moment),
            f"{desk.name(str(who))} set {field} from {_value(desk, field, before)} to {_value(desk, field, after)}",
        )
        for who, moment, field, before, after in desk.ask(
            "SELECT author, at, field, before, after FROM changes WHERE ticket = ? ORDER BY at, id", number
        )
    ]
    parts = [
        f"Ticket {number}: {title}",
        f"State: {state}. Priority: {priority}. Assignee: {_who(desk, assignee)}.",
        f"Opened by {desk.name(str(author))}, {str(at)[:16]}.",
        *([f"\n{str(body).rstrip()}"] if body else []),
        *([""] if later else []),
        *(f"{moment[:16]} {told}" for moment, told in sorted(later, key=lambda one: one[0])),
    ]
    return Answer(shortened("\n".join(parts), desk.characters), {"state": str(state)})


def open_ticket(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Put something to be done into the list."""
    _may(desk, "change")
    title = str(arguments["title"]).strip()
    if not title:
        raise ComplaintError("The ticket needs a title.")
    number = next_id(desk.database, "tickets")
    if number > _MOST * 9:
        raise ComplaintError("There are too many tickets.")
    who = str(arguments.get("assignee") or "").strip()
    values = (title, str(arguments.get("body") or ""), "open", str(arguments.get("priority") or "normal"))
    desk.ask("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
             number, *values, desk.user, desk.address(who) if who else None, desk.now)  # fmt: skip
    return Answer(f"Opened ticket {number} '{title}'.", {"id": number})


def comment_ticket(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Say something on a ticket."""
    _may(desk, "comment")
    number, text = int(arguments["id"]), str(arguments["text"]).strip()
    _ticket(desk, number)
    if not text:
        raise ComplaintError("The comment is empty.")
    if len(desk.ask("SELECT 1 FROM comments")) >= _MOST:
        raise ComplaintError(f"There are too many comments; {_MOST} is the most.")
    values = (next_id(desk.database, "comments"), number, desk.user, desk.now, text)
    desk.ask("INSERT INTO comments VALUES (?, ?, ?, ?, ?, 1)", *values)
    return Answer(f"Your comment is on ticket {number}.", {"id": number})


def update_ticket(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Change what is given of a ticket; what was is kept in its history."""
    _may(desk, "change")
    number = int(arguments["id"])
    _ticket(desk, number)
    given = {field: str(arguments[field]).strip() for field in _FIELDS if field in arguments}
    if not given:
        raise ComplaintError(f"There is nothing to change in this; give {', '.join(_FIELDS)}.")
    if given.get("title") == "":
        raise ComplaintError("The ticket needs a title.")
    done = []
    for field, wanted in given.items():
        value = (desk.address(wanted) if wanted else None) if field == "assignee" else wanted
        before = desk.ask(f"SELECT {field} FROM tickets WHERE id = ?", number)[0][0]  # noqa: S608 - one of ours
        if before == value:
            continue
        desk.ask(f"UPDATE tickets SET {field} = ? WHERE id = ?", value, number)  # noqa: S608
        identity = next_id(desk.database, "changes")
        desk.ask("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)",
                 identity, number, desk.user, desk.now, field, before, value)  # fmt: skip
        done.append(f"{field} {_value(desk, field, value)}")
    if not done:
        return Answer(f"Ticket {number} is like that already.", {"id": number})
    return Answer(f"Ticket {number} now has {', '.join(done)}.", {"id": number})


def _ticket(desk: Desk, number: int) -> tuple[object, ...]:
    found = desk.ask(
        "SELECT title, body, state, priority, author, assignee, at FROM tickets WHERE id = ?", number
    )  # fmt: skip
    if not found:
        raise ComplaintError(f"There is no ticket {number}; list_tickets shows what there is.")
    return found[0]


def _may(desk: Desk, what: str) -> None:
    if desk.rights != "change" and desk.rights != what:
        allowed = "only read tickets" if desk.rights == "read" else "only read tickets and comment on them"
        raise ComplaintError(f"You may {allowed}.")


def _who(desk: Desk, address: object) -> str:
    return "nobody" if address is None else desk.name(str(address))


def _value(desk: Desk, field: object, value: object) -> str:
    return _who(desk, value) if field == "assignee" else f"'{value}'" if field == "title" else str(value)
