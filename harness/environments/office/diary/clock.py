"""Time in an office: the clock moves by rule, and what is due arrives when the clock reaches it.

Nothing here looks at the clock on the wall. What arrives leaves a notice, told to the worker once: with the next
observation of a call that moved the clock, or as news.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from harness.environments.office.furnishing import owners, put_event
from harness.environments.office.house import House
from harness.environments.office.mail.letters import Box, Letter, next_id, put
from harness.environments.sqlite import Database

_TOLD = 20
"""Notices in one telling."""


def now(database: Database) -> str:
    """What the clock shows."""
    return str(database.query("SELECT now FROM clock")[0][0])


def later(moment: str, minutes: int) -> str:
    """`minutes` after a moment; the end of time where that is beyond it."""
    try:
        return (datetime.fromisoformat(moment) + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return "9999-12-31 23:59:59"


def deliver(database: Database, house: House, until: str) -> None:
    """Let the clock go on to `until`; what is due by then arrives in order."""
    while True:
        found = database.query(
            "SELECT id, what, number, contents FROM due WHERE at <= ? ORDER BY at, id LIMIT 1", (until,)
        )
        if not found:
            break
        number, what, wanted, contents = found[0]
        database.query("DELETE FROM due WHERE id = ?", (number,))
        _arrive(database, house, str(what), None if wanted is None else int(str(wanted)), str(contents))
    database.query("UPDATE clock SET now = max(now, ?)", (until,))


def _arrive(database: Database, house: House, what: str, wanted: int | None, contents: str) -> None:
    data = json.loads(contents)
    if what == "mail":
        _mail_arrives(database, house, Letter.unpacked(data), wanted)
        return
    number = next_id(database, what) if wanted is None else wanted
    if what == "events":
        put_event(database, number, data["row"], data["attendees"])
        title, start, end, _, organizer = data["row"][:5]
        said = f"invitation from {_name(database, organizer)} to event {number} '{title}', {start[:16]}-{end[11:16]}"
        notice(database, [who for who in data["attendees"] if who in house.workers] or [house.user], said)
    elif what == "tickets":
        database.query("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, *data["row"]))
        author = _name(database, data["row"][4])
        notice(database, house.workers, f"ticket {number} '{data['row'][0]}' from {author}")
    else:
        database.query("INSERT INTO comments VALUES (?, ?, ?, ?, ?, 0)", (number, *data["row"]))
        ticket, author = data["row"][:2]
        notice(database, house.workers, f"comment on ticket {ticket} from {_name(database, author)}")


def _mail_arrives(database: Database, house: House, letter: Letter, wanted: int | None) -> None:
    message = None
    for owner in owners(house, letter, "inbox"):
        number = wanted if message is None and wanted is not None else next_id(database, "mail")
        message = number if message is None else message
        put(database, letter, Box(owner), hidden=house.hidden, number=number, message=message)
        tell_of_mail(database, owner, number)


def tell_of_mail(database: Database, owner: str, number: int) -> None:
    """Leave a notice of new mail."""
    sender, name, subject = database.query("SELECT sender, name, subject FROM mail WHERE id = ?", (number,))[0]
    notice(database, [owner], f"mail {number} from {name or _name(database, str(sender))}: {subject}")


def _name(database: Database, address: str) -> str:
    found = database.query("SELECT name FROM people WHERE address = ?", (address,))
    return str(found[0][0]) if found else address


def notice(database: Database, addresses: Sequence[str], text: str) -> None:
    """Leave word for workers."""
    for address in addresses:
        database.query("INSERT INTO notices (address, text, told) VALUES (?, ?, 0)", (address, text))


def tidings(database: Database, address: str) -> list[str]:
    """What a worker has not been told yet; told by asking."""
    found = [str(text) for (text,) in database.query(
        "SELECT text FROM notices WHERE address = ? AND told = 0 ORDER BY id", (address,)
    )]  # fmt: skip
    if found:
        database.query("UPDATE notices SET told = 1 WHERE address = ?", (address,))
    left = len(found) - _TOLD
    return found[:_TOLD] + ([f"and {left} more"] if left > 0 else [])


def answered(database: Database, letter: Letter, message: int) -> None:
    """Let the correspondents who answer a letter do so, each by the first rule that fits, when their time has come."""
    done: set[str] = set()
    for number, text in database.query("SELECT id, rule FROM replies WHERE remaining > 0 ORDER BY id"):
        rule = json.loads(str(text))
        if rule["to"] in done or rule["to"] not in (*letter.to, *letter.cc):
            continue
        if not all(
            pattern is None or re.search(pattern, searched)
            for pattern, searched in ((rule["subject"], letter.subject), (rule["body"], letter.body))
        ):
            continue
        done.add(rule["to"])
        at = later(letter.at, rule["after"])
        subject = re.sub(r"(?i)^(re: )*", "Re: ", letter.subject, count=1) if rule["again"] else None
        answer = Letter.unpacked(rule["letter"])
        answer = replace(
            answer, to=[letter.sender], at=at, answers=message, subject=answer.subject if subject is None else subject
        )
        database.query("UPDATE replies SET remaining = remaining - 1 WHERE id = ?", (number,))
        values = (at, "mail", None, json.dumps(answer.packed()))
        database.query("INSERT INTO due (at, what, number, contents) VALUES (?, ?, ?, ?)", values)
