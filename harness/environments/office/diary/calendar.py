"""The calendar of an office: what the tools do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.diary.clock import notice
from harness.environments.office.mail.letters import next_id
from harness.environments.sqlite import office_time, table_text

_LISTED = 100
_LONGEST = timedelta(days=31)


def list_events(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Events of the worker, or of someone else, between two days, both of them included."""
    first, last = day(arguments["from"]), day(arguments["to"])
    if last < first:
        raise ComplaintError(f"The last day ({last}) is before the first ({first}).")
    person = str(arguments.get("person") or "").strip()
    who = desk.address(person) if person else desk.user
    rows = desk.ask(
        "SELECT id, starts, ends, title, location, organizer, private FROM events "
        "WHERE cancelled = 0 AND starts < ? AND ends > ? "
        "AND (organizer = ? OR id IN (SELECT event FROM attendees WHERE address = ?)) ORDER BY starts, id LIMIT ?",
        f"{last + timedelta(days=1)} 00:00:00", f"{first} 00:00:00", who, who, _LISTED + 1,
    )  # fmt: skip
    whose = "You have" if who == desk.user else f"{desk.name(who)} has"
    if not rows:
        return Answer(f"{whose} no events from {first} to {last}.", {"rows": 0})
    lines = [
        (number, span(str(starts), str(ends)), "(private)", "", "")
        if private and desk.user not in (organizer, *_attendees(desk, number))
        else (number, span(str(starts), str(ends)), title, location, _company(desk, number, str(organizer), who))
        for number, starts, ends, title, location, organizer, private in rows[:_LISTED]
    ]
    more = len(rows) > _LISTED
    text, shown = table_text(("id", "time", "title", "location", "with"), lines, more, desk.characters)
    return Answer(text, {"rows": shown, "truncated": more or shown < len(lines)})


def create_event(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Put an event into the calendar and invite its attendees; a clash is allowed, and told."""
    title = str(arguments["title"]).strip()
    if not title:
        raise ComplaintError("The event needs a title.")
    start, end = _times(desk, arguments["start"], arguments["end"])
    attendees = [a for a in desk.addresses(str(arguments.get("attendees") or "")) if a != desk.user]
    number = next_id(desk.database, "events")
    location = str(arguments.get("location") or "").strip()
    desk.ask("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, 0, 0, NULL)", number, title, start, end, location, desk.user)
    for address in attendees:
        desk.ask("INSERT INTO attendees VALUES (?, ?)", number, address)
    _tell(desk, number, attendees, "invited")
    invited = f" Invited: {desk.names(attendees)}." if attendees else ""
    return _with_clashes(desk, number, f"Event {number} '{title}' is set for {span(start, end)}.{invited}")


def update_event(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Change what is given of an event and tell its attendees; those who are new are invited."""
    number = int(arguments["id"])
    title, start, end, location = _own_event(desk, number)
    if not set(arguments) - {"id"}:
        raise ComplaintError("There is nothing to change in this; give a title, start, end, attendees or location.")
    if "start" in arguments or "end" in arguments:
        length = datetime.fromisoformat(end) - datetime.fromisoformat(start)
        begin = moment(arguments.get("start", start))
        moved = (datetime.fromisoformat(begin) + length).strftime("%Y-%m-%d %H:%M:%S")
        start, end = _times(desk, begin, arguments.get("end", moved))
    title = str(arguments.get("title", title)).strip() or title
    location = str(arguments.get("location", location)).strip()
    before = _attendees(desk, number)
    after = before
    if "attendees" in arguments:
        after = [address for address in desk.addresses(str(arguments["attendees"])) if address != desk.user]
    desk.ask("UPDATE events SET title = ?, starts = ?, ends = ?, location = ? WHERE id = ?",
             title, start, end, location, number)  # fmt: skip
    desk.ask("DELETE FROM attendees WHERE event = ?", number)
    for address in after:
        desk.ask("INSERT INTO attendees VALUES (?, ?)", number, address)
    _tell(desk, number, [address for address in after if address not in before], "invited")
    _tell(desk, number, [address for address in after if address in before], "changed")
    _tell(desk, number, [address for address in before if address not in after], "cancelled")
    return _with_clashes(desk, number, f"Event {number} '{title}' is now set for {span(start, end)}.")


def cancel_event(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Cancel an event and tell its attendees."""
    number = int(arguments["id"])
    title = _own_event(desk, number)[0]
    attendees = _attendees(desk, number)
    desk.ask("UPDATE events SET cancelled = 1 WHERE id = ?", number)
    _tell(desk, number, attendees, "cancelled")
    told = f" Told: {desk.names(attendees)}." if attendees else ""
    return Answer(f"Event {number} '{title}' is cancelled.{told}", {"id": number})


def _own_event(desk: Desk, number: int) -> tuple[str, str, str, str]:
    """Title, start, end and location of an event that the worker may change. Raises `ComplaintError`."""
    found = desk.ask("SELECT title, starts, ends, location, organizer, cancelled FROM events WHERE id = ?", number)
    if not found:
        raise ComplaintError(f"There is no event {number}; list_events shows what there is.")
    title, start, end, location, organizer, cancelled = found[0]
    if cancelled:
        raise ComplaintError(f"Event {number} is cancelled already.")
    if organizer != desk.user:
        raise ComplaintError(f"Event {number} was called by {desk.name(str(organizer))}; only they can change it.")
    return str(title), str(start), str(end), str(location)


def _attendees(desk: Desk, number: object) -> list[str]:
    return [str(a) for (a,) in desk.ask("SELECT address FROM attendees WHERE event = ? ORDER BY rowid", number)]


def _company(desk: Desk, number: object, organizer: str, who: str) -> str:
    """Those who take part beside `who`, the organiser first."""
    return desk.names([address for address in [organizer, *_attendees(desk, number)] if address != who])


def _tell(desk: Desk, number: int, addresses: Sequence[str], kind: str) -> None:
    for address in addresses:
        identity = next_id(desk.database, "invitations")
        desk.ask("INSERT INTO invitations VALUES (?, ?, ?, ?)", identity, number, address, kind)
        if address in desk.house.seats.values() and address != desk.user:
            title, start, end, organizer = desk.ask(
                "SELECT title, starts, ends, organizer FROM events WHERE id = ?", number
            )[0]
            told = f"event {number} '{title}', {span(str(start), str(end))}, {kind} by {desk.called(str(organizer))}"
            notice(desk.database, [address], told)


def _with_clashes(desk: Desk, number: int, text: str) -> Answer:
    """Add to the answer the other events that those who take part have at the same time."""
    rows = desk.ask(
        "WITH present(event, address) AS (SELECT event, address FROM attendees UNION SELECT id, organizer FROM events) "
        "SELECT other.id, iif(other.private AND other.organizer <> ? AND NOT EXISTS "
        "(SELECT 1 FROM attendees WHERE event = other.id AND address = ?), '(private)', other.title), "
        "other.starts, other.ends, theirs.address "
        "FROM events AS mine JOIN events AS other ON other.id <> mine.id AND other.cancelled = 0 "
        "AND other.starts < mine.ends AND other.ends > mine.starts "
        "JOIN present AS ours ON ours.event = mine.id "
        "JOIN present AS theirs ON theirs.event = other.id AND theirs.address = ours.address "
        "WHERE mine.id = ? ORDER BY other.starts, other.id, theirs.address = ? DESC, theirs.address",
        desk.user, desk.user, number, desk.user,
    )  # fmt: skip
    clashes: dict[int, tuple[str, list[str]]] = {}
    for other, title, starts, ends, address in rows:
        said = f"event {other} '{title}', {span(str(starts), str(ends))}"
        clashes.setdefault(int(str(other)), (said, []))[1].append(str(address))
    told = "; ".join(f"{said} ({desk.names(who)})" for said, who in list(clashes.values())[:10])
    return Answer(
        text + (f" Note: this clashes with {told}." if told else ""), {"id": number, "clashes": list(clashes)}
    )


def _times(desk: Desk, first: object, last: object) -> tuple[str, str]:
    start, end = moment(first), moment(last)
    if end <= start:
        raise ComplaintError(f"The event would end ({end[:16]}) before it starts ({start[:16]}).")
    if start < desk.now:
        raise ComplaintError(f"{start[:16]} has passed; it is {desk.now[:16]} now.")
    if datetime.fromisoformat(end) - datetime.fromisoformat(start) > _LONGEST:
        raise ComplaintError(f"An event lasts {_LONGEST.days} days at most.")
    return start, end


def moment(value: object) -> str:
    """A moment given by the worker. Raises `ComplaintError`."""
    try:
        return office_time(str(value))
    except ValueError as error:
        raise ComplaintError(str(error)) from None


def day(value: object) -> date:
    """A day given by the worker. Raises `ComplaintError`."""
    try:
        found = datetime.fromisoformat(str(value).strip()).date()
        return found if found.year < 9999 else date(9998, 12, 31)
    except ValueError:
        raise ComplaintError(f"'{str(value)[:40]}' is no day; write 2026-01-05.") from None


def span(starts: str, ends: str) -> str:
    """`2026-01-05 09:00-10:00`, or with both days where they differ."""
    return f"{starts[:16]}-{ends[11:16]}" if starts[:10] == ends[:10] else f"{starts[:16]} - {ends[:16]}"
