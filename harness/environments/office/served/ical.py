"""Appointments as iCalendar (RFC 5545), and back. Times are local and float, as in the office."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vobject.base import Component  # type: ignore[import-untyped]

_STATES = {"accepted": "ACCEPTED", "declined": "DECLINED", "tentative": "TENTATIVE"}
_STAMP = "%Y%m%dT%H%M%S"
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029]")
"""Characters that no calendar holds."""


@dataclass(frozen=True)
class Appointment:
    """A row of `events`, who is invited, and what they have answered."""

    number: int
    title: str
    starts: str
    ends: str
    location: str
    organizer: str
    cancelled: bool
    private: bool
    attendees: Sequence[str]
    answers: dict[str, str]


def plain(text: str) -> str:
    """A text as a calendar can hold it."""
    return _UNSEEN.sub(" ", text)


def as_ical(event: Appointment) -> str:
    """The event in a calendar of its own."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//office//EN", "BEGIN:VEVENT",
        f"UID:{event.number}@office.invalid", "DTSTAMP:20000101T000000Z",
        f"DTSTART:{_stamp(event.starts)}", f"DTEND:{_stamp(event.ends)}",
        f"SUMMARY:{_escaped(event.title)}", f"LOCATION:{_escaped(event.location)}",
        f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}",
        f"CLASS:{'PRIVATE' if event.private else 'PUBLIC'}", f"ORGANIZER:mailto:{event.organizer}",
        *(f"ATTENDEE;PARTSTAT={_STATES.get(event.answers.get(who, ''), 'NEEDS-ACTION')}:mailto:{who}"
          for who in event.attendees),
        "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def appointments(calendar: str) -> list[Appointment]:
    """All events of a calendar by number. Raises `ValueError` where one cannot be read."""
    import vobject  # type: ignore[import-untyped]

    found = [_read(event) for whole in vobject.readComponents(calendar) for event in whole.contents.get("vevent", [])]
    return sorted(found, key=lambda event: event.number)


def _read(event: Component) -> Appointment:
    states = {state: answer for answer, state in _STATES.items()}
    guests = event.contents.get("attendee", [])
    answers = {_who(guest.value): states.get(guest.params.get("PARTSTAT", [""])[0], "") for guest in guests}
    return Appointment(
        number=int(event.uid.value.partition("@")[0]),
        title=event.summary.value,
        starts=_moment(event.dtstart.value),
        ends=_moment(event.dtend.value),
        location=event.location.value,
        organizer=_who(event.organizer.value),
        cancelled=event.status.value == "CANCELLED",
        private=event.contents["class"][0].value == "PRIVATE",
        attendees=[_who(guest.value) for guest in guests],
        answers={who: answer for who, answer in answers.items() if answer},
    )


def _stamp(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime(_STAMP)


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S")


def _who(value: str) -> str:
    return value.removeprefix("mailto:")


def _escaped(text: str) -> str:
    text = plain(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 bytes, each but the first after a blank."""
    pieces, piece = [], ""
    for character in line:
        if len((piece + character).encode()) > 73:
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join((*pieces, piece))
