"""Mail, contacts and files of an office: what the tools do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from harness.environments.office.contents import checked_path
from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.tables import next_id
from harness.environments.sqlite import table_text
from harness.environments.sqlite.text import shortened

_LISTED = 200
"""Mails or files in one listing."""


def list_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """List the mail in a folder, the latest first."""
    folder = _folder(desk, arguments["folder"])
    unread = bool(arguments.get("unread_only", False))
    rows = desk.ask(
        "SELECT id, at, sender, subject, unread FROM mail WHERE folder = ? AND unread >= ? "
        "ORDER BY at DESC, id DESC LIMIT ?", folder, int(unread), _LISTED + 1,
    )  # fmt: skip
    if not rows:
        return Answer(f"There is no {'unread ' if unread else ''}mail in {folder}.", {"rows": 0})
    return _listing(desk, rows)


def search_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Mail of any folder that holds a text, the latest first."""
    text = str(arguments["text"]).strip().lower()
    rows = desk.ask(
        "SELECT id, at, sender, subject, unread FROM mail LEFT JOIN people ON address = sender "
        "WHERE instr(lower(subject || ' ' || body || ' ' || sender || ' ' || coalesce(name, '')), ?) > 0 "
        "ORDER BY at DESC, id DESC LIMIT ?", text, _LISTED + 1,
    )  # fmt: skip
    if not rows:
        return Answer(f"No mail holds '{text[:60]}'.", {"rows": 0})
    return _listing(desk, rows)


def _listing(desk: Desk, rows: list[tuple[object, ...]]) -> Answer:
    lines = [
        (number, str(at)[:16], desk.name(str(sender)), subject, "unread" if unread else "")
        for number, at, sender, subject, unread in rows[:_LISTED]
    ]
    more = len(rows) > _LISTED
    text, shown = table_text(("id", "sent", "from", "subject", "state"), lines, more, desk.characters)
    return Answer(text, {"rows": shown, "truncated": more or shown < len(lines)})


def read_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """One mail in full. It stays unread until it is answered or moved, so that reading changes nothing."""
    number = int(arguments["id"])
    found = desk.ask("SELECT sender, at, folder, subject, body, reply_to FROM mail WHERE id = ?", number)
    if not found:
        raise _no_mail(number)
    sender, at, folder, subject, body, reply_to = found[0]
    to = [str(a) for (a,) in desk.ask("SELECT address FROM recipients WHERE mail = ? ORDER BY rowid", number)]
    head = [
        f"From: {_full(desk, str(sender))}",
        f"To: {', '.join(_full(desk, address) for address in to)}",
        f"Sent: {str(at)[:16]}",
        f"Subject: {subject}",
        *([f"In reply to: {reply_to}"] if reply_to is not None else []),
    ]
    data: dict[str, JsonValue] = {"folder": str(folder), "from": str(sender)}
    return Answer(shortened("\n".join(head) + f"\n\n{str(body).rstrip()}", desk.characters), data)


def send_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Send a mail. Any address will do, but the worker is told when it is not in the contacts."""
    to = desk.addresses(str(arguments["to"]))
    if not to:
        raise ComplaintError("The mail has nobody to go to.")
    answered = arguments.get("reply_to")
    if answered is not None:
        if not desk.ask("SELECT 1 FROM mail WHERE id = ?", answered):
            raise _no_mail(answered)
        desk.ask("UPDATE mail SET unread = 0 WHERE id = ?", answered)
    number = next_id(desk.database, "mail")
    values = (desk.user, str(arguments["subject"]), str(arguments["body"]), desk.now, answered)
    desk.ask("INSERT INTO mail VALUES (?, 'sent', ?, ?, ?, ?, 0, ?, 1)", number, *values)
    for address in to:
        desk.ask("INSERT INTO recipients VALUES (?, ?)", number, address)
    strangers = desk.strangers(to)
    note = f" Note: not in the contacts: {', '.join(strangers)}." if strangers else ""
    return Answer(f"Sent to {desk.names(to)} as mail {number}.{note}", {"id": number, "strangers": list(strangers)})


def move_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Put a mail into another folder; it is dealt with, and so no longer unread."""
    number, folder = int(arguments["id"]), _folder(desk, arguments["folder"])
    found = desk.ask("SELECT folder, subject FROM mail WHERE id = ?", number)
    if not found:
        raise _no_mail(number)
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


def list_files(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """All files with their length."""
    rows = desk.ask("SELECT path, length(content) FROM files ORDER BY path LIMIT ?", _LISTED + 1)
    if not rows:
        return Answer("There are no files.", {"rows": 0})
    more = len(rows) > _LISTED
    text, shown = table_text(("path", "characters"), rows[:_LISTED], more, desk.characters)
    return Answer(text, {"rows": shown})


def read_file(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Show a file in full, as far as an observation goes."""
    path = _path(arguments["path"])
    found = desk.ask("SELECT content FROM files WHERE path = ?", path)
    if not found:
        raise ComplaintError(f"There is no file '{path}'; list_files shows what there is.")
    return Answer(shortened(str(found[0][0]) or "(the file is empty)", desk.characters), {})


def write_file(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Write a file, new or not."""
    path, content = _path(arguments["path"]), str(arguments["content"])
    there = {str(name) for (name,) in desk.ask("SELECT path FROM files")}
    if any(name.startswith(path + "/") or path.startswith(name + "/") for name in there):
        raise ComplaintError(f"'{path}' cannot be both a file and a folder.")
    if len(there) >= 1000 and path not in there:
        raise ComplaintError("There are too many files; 1000 is the most.")
    desk.ask("INSERT OR REPLACE INTO files VALUES (?, ?, 1)", path, content)
    done = "Replaced" if path in there else "Wrote"
    return Answer(f"{done} {path}, {len(content)} characters.", {"replaced": path in there})


def _path(value: object) -> str:
    try:
        return checked_path(str(value))
    except ValueError as error:
        raise ComplaintError(str(error)) from None


def _folder(desk: Desk, value: object) -> str:
    there = [str(name) for (name,) in desk.ask("SELECT name FROM folders ORDER BY rowid")]
    if value not in there:
        raise ComplaintError(f"There is no folder '{str(value)[:60]}'; there are {', '.join(there)}.")
    return str(value)


def _full(desk: Desk, address: str) -> str:
    name = desk.name(address)
    return address if name == address else f"{name} <{address}>"


def _no_mail(number: object) -> ComplaintError:
    return ComplaintError(f"There is no mail {number}; list_mail shows what there is.")
