"""Mail and contacts of an office: what the tools do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.diary.clock import answered, tell_of_mail
from harness.environments.office.mail.enclosures import files_to_enclose
from harness.environments.office.mail.letters import Box, Letter, next_id, put
from harness.environments.sqlite import table_text
from harness.environments.sqlite.text import shortened

_LISTED = 200
"""Mails or files in one listing."""


def list_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """List the mail in a folder, the latest first."""
    folder = _folder(desk, arguments["folder"])
    unread = bool(arguments.get("unread_only", False))
    rows = desk.ask(
        "SELECT id, at, sender, name, subject, unread FROM mail WHERE owner = ? AND folder = ? AND unread >= ? "
        "ORDER BY at DESC, id DESC LIMIT ?", desk.user, folder, int(unread), _LISTED + 1,
    )  # fmt: skip
    if not rows:
        return Answer(f"There is no {'unread ' if unread else ''}mail in {folder}.", {"rows": 0})
    return _listing(desk, rows)


def search_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Mail of any folder that holds a text, the latest first."""
    text = str(arguments["text"]).strip().lower()
    rows = desk.ask(
        "SELECT id, at, sender, mail.name, subject, unread FROM mail LEFT JOIN people ON address = sender "
        "WHERE owner = ? AND instr(lower(subject || ' ' || body || ' ' || sender || ' ' || mail.name || ' ' "
        "|| coalesce(people.name, '')), ?) > 0 ORDER BY at DESC, id DESC LIMIT ?", desk.user, text, _LISTED + 1,
    )  # fmt: skip
    if not rows:
        return Answer(f"No mail holds '{text[:60]}'.", {"rows": 0})
    return _listing(desk, rows)


def _listing(desk: Desk, rows: list[tuple[object, ...]]) -> Answer:
    lines = [
        (number, str(at)[:16], desk.sender(str(sender), str(name)), subject, "unread" if unread else "")
        for number, at, sender, name, subject, unread in rows[:_LISTED]
    ]
    more = len(rows) > _LISTED
    text, shown = table_text(("id", "sent", "from", "subject", "state"), lines, more, desk.characters)
    return Answer(text, {"rows": shown, "truncated": more or shown < len(lines)})


def read_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """One mail in full. It stays unread until it is answered or moved, so that reading changes nothing."""
    number = int(arguments["id"])
    own_mail(desk, number)
    folder, sender = desk.ask("SELECT folder, sender FROM mail WHERE id = ?", number)[0]
    data: dict[str, JsonValue] = {"folder": str(folder), "from": str(sender)}
    return Answer(shortened(whole_mail(desk, number), desk.characters), data)


def whole_mail(desk: Desk, number: int) -> str:
    """The head of a mail, what is enclosed, and its text."""
    sender, name, at, subject, body, reply_to = desk.ask(
        "SELECT sender, name, at, subject, body, reply_to FROM mail WHERE id = ?", number
    )[0]
    to = [str(a) for (a,) in desk.ask("SELECT address FROM recipients WHERE mail = ? ORDER BY rowid", number)]
    cc = [str(a) for (a,) in desk.ask("SELECT address FROM copies WHERE mail = ? ORDER BY rowid", number)]
    files = desk.ask("SELECT name, type, length(content) FROM attachments WHERE mail = ? ORDER BY position", number)
    enclosed = [f"{name} ({kind}, {size} bytes)" for name, kind, size in files]
    head = [
        f"From: {f'{name} <{sender}>' if name else _full(desk, str(sender))}",
        f"To: {', '.join(_full(desk, address) for address in to)}",
        *([f"Cc: {', '.join(_full(desk, address) for address in cc)}"] if cc else []),
        f"Sent: {str(at)[:16]}",
        f"Subject: {subject}",
        *([f"In reply to: {reply_to}"] if reply_to is not None else []),
        *([f"Attachments: {', '.join(enclosed)}"] if enclosed else []),
    ]
    return "\n".join(head) + f"\n\n{str(body).rstrip()}"


def own_mail(desk: Desk, number: int) -> int:
    """The `message` of a mail in the worker's mailbox. Raises `ComplaintError` when it is not there."""
    found = desk.ask("SELECT message FROM mail WHERE id = ? AND owner = ?", number, desk.user)
    if not found:
        raise ComplaintError(f"There is no mail {number}; list_mail shows what there is.")
    return int(str(found[0][0]))


def send_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Send a mail. Any address will do, but the worker is told when it is not in the contacts."""
    to = desk.addresses(str(arguments["to"]))
    if not to:
        raise ComplaintError("The mail has nobody to go to.")
    cc = [address for address in desk.addresses(str(arguments.get("cc") or "")) if address not in to]
    answered = arguments.get("reply_to")
    message = None
    if answered is not None:
        message = own_mail(desk, int(answered))
        desk.ask("UPDATE mail SET unread = 0 WHERE id = ?", answered)
    enclosed = files_to_enclose(desk, str(arguments.get("attachments") or ""))
    letter = Letter(
        sender=desk.user, name="", to=to, cc=cc, subject=str(arguments["subject"]), body=str(arguments["body"]),
        html="", at=desk.now, answers=message, enclosed=enclosed,
    )  # fmt: skip
    number = post(desk, letter, answered)
    strangers = desk.strangers([*to, *cc])
    note = f" Note: not in the contacts: {', '.join(strangers)}." if strangers else ""
    copied = f", with a copy to {desk.names(cc)}" if cc else ""
    files = f", with {', '.join(one.name for one in enclosed)}" if enclosed else ""
    text = f"Sent to {desk.names(to)}{copied}{files} as mail {number}.{note}"
    return Answer(text, {"id": number, "strangers": list(strangers)})


def post(desk: Desk, letter: Letter, reply_to: int | None = None) -> int:
    """Send a letter on its way: to the worker's own folder, to those who have mailboxes here, to whoever answers."""
    if desk.carrier is not None:
        letter = desk.carrier(letter)
    number = next_id(desk.database, "mail")
    own = Box(desk.user, "sent", unread=False, sent_now=True, reply_to=reply_to)
    put(desk.database, letter, own, hidden=True, number=number, message=number)
    for address in dict.fromkeys((*letter.to, *letter.cc)):
        if address in desk.house.seats.values():
            copy = next_id(desk.database, "mail")
            put(desk.database, letter, Box(address), hidden=desk.house.hidden, number=copy, message=number)
            tell_of_mail(desk.database, address, copy)
    answered(desk.database, letter, number)
    return number


def move_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Put a mail into another folder; it is dealt with, and so no longer unread."""
    number, folder = int(arguments["id"]), _folder(desk, arguments["folder"])
    own_mail(desk, number)
    found = desk.ask("SELECT folder, subject FROM mail WHERE id = ?", number)
    desk.ask("UPDATE mail SET folder = ?, unread = 0 WHERE id = ?", folder, number)
    return Answer(f"Moved mail {number} '{found[0][1]}' from {found[0][0]} to {folder}.", {"from": str(found[0][0])})


def find_contact(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """People whose name or address holds a text."""
    text = str(arguments["name"]).strip().lower()
    rows = desk.ask(
        "SELECT name, address FROM people WHERE instr(lower(name || ' ' || address), ?) > 0 ORDER BY name", text
    )
    if not rows:
        return Answer(f"Nobody called '{text[:60]}' is in the contacts.", {"rows": 0})
    listing, shown = table_text(("name", "address"), rows, False, desk.characters)
    return Answer(listing, {"rows": shown})


def _folder(desk: Desk, value: object) -> str:
    there = [str(name) for (name,) in desk.ask("SELECT name FROM folders ORDER BY rowid")]
    if value not in there:
        raise ComplaintError(f"There is no folder '{str(value)[:60]}'; there are {', '.join(there)}.")
    return str(value)


def _full(desk: Desk, address: str) -> str:
    name = desk.name(address)
    return address if name == address else f"{name} <{address}>"
