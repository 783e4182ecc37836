"""The desk `availability`: when others are busy, and answering invitations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.diary.calendar import day, span
from harness.environments.sqlite import table_text

_LISTED = 200


def busy_times(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """When people are taken between two days, both included; not with what."""
    people = desk.addresses(str(arguments["people"]))
    first, last = day(arguments["from"]), day(arguments["to"])
    if last < first:
        raise ComplaintError(f"The last day ({last}) is before the first ({first}).")
    if not people:
        raise ComplaintError("Nobody is named.")
    marks = ",".join("?" * len(people))
    rows = desk.ask(
        "SELECT starts, ends, address FROM (SELECT id, organizer AS address FROM events "  # noqa: S608 - marks only
        f"UNION SELECT event, address FROM attendees) AS present JOIN events ON events.id = present.id "
        f"WHERE cancelled = 0 AND starts < ? AND ends > ? AND address IN ({marks}) "
        "AND NOT EXISTS (SELECT 1 FROM answers WHERE event = events.id AND answers.address = present.address "
        "AND answer = 'declined') ORDER BY starts, ends, address LIMIT ?",
        f"{last + timedelta(days=1)} 00:00:00", f"{first} 00:00:00", *people, _LISTED + 1,
    )  # fmt: skip
    if not rows:
        return Answer(f"Free all the time from {first} to {last}: {desk.names(people)}.", {"rows": 0})
    lines = [(span(str(starts), str(ends)), desk.name(str(who))) for starts, ends, who in rows[:_LISTED]]
    text, shown = table_text(("busy", "who"), lines, len(rows) > _LISTED, desk.characters)
    return Answer(text, {"rows": shown})


def answer_invitation(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Accept or decline an event that somebody else has called."""
    number, answer = int(arguments["id"]), str(arguments["answer"])
    found = desk.ask("SELECT title, organizer, cancelled FROM events WHERE id = ?", number)
    if not found:
        raise ComplaintError(f"There is no event {number}; list_events shows what there is.")
    title, organizer, cancelled = found[0]
    if cancelled:
        raise ComplaintError(f"Event {number} is cancelled.")
    if not desk.ask("SELECT 1 FROM attendees WHERE event = ? AND address = ?", number, desk.user):
        raise ComplaintError(f"You are not invited to event {number}.")
    desk.ask("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", number, desk.user, answer)
    return Answer(f"You have {answer} event {number} '{title}'; {desk.name(str(organizer))} is told.", {"id": number})
