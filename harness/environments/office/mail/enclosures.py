"""Attachments: how they are opened and kept, and how things of the office are enclosed in a mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.mail.html import html_text, seen
from harness.environments.office.mail.letters import Enclosed, media_type
from harness.environments.office.sheets import Book, ExchangeError, as_xlsx, computed, from_csv, from_xlsx
from harness.environments.office.sheets.text import sheet_text
from harness.environments.office.shelves.workbooks import load
from harness.environments.office.terms import checked_path
from harness.environments.sqlite.text import shortened

MOST = 10
"""Attachments of one mail."""
_TEXTS = ("application/json", "application/yaml", "application/xml")


def open_attachment(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Show an attachment: text as it is, sheets as rows; of anything else it is told what it is."""
    found = attachment(desk, int(arguments["id"]), str(arguments["name"]))
    told = f"{found.name} ({found.type}, {len(found.content)} bytes)"
    book = as_book(found)
    if book is not None:
        return Answer(_book_text(book, str(arguments.get("sheet") or ""), desk.characters), {"type": found.type})
    text = as_text(found)
    if text is None:
        return Answer(f"{told} is no text and cannot be shown here.", {"type": found.type, "binary": True})
    if found.type == "text/html":
        text = html_text(text, hidden=desk.house.hidden)
    elif not desk.house.hidden:
        text = seen(text)
    return Answer(shortened(text or "(the attachment is empty)", desk.characters), {"type": found.type})


def attachment(desk: Desk, mail: int, name: str) -> Enclosed:
    """An attachment of a mail in the worker's mailbox. Raises `ComplaintError`."""
    rows = desk.ask(
        "SELECT attachments.name, type, content FROM attachments JOIN mail ON mail.id = attachments.mail "
        "WHERE mail = ? AND owner = ? ORDER BY position", mail, desk.user,
    )  # fmt: skip
    there = [Enclosed(str(found), str(kind), content) for found, kind, content in rows if isinstance(content, bytes)]
    chosen = [one for one in there if one.name.lower() == name.strip().lower()]
    if not chosen:
        names = ", ".join(one.name for one in there) or "none"
        raise ComplaintError(f"Mail {mail} has no attachment '{name[:60]}'; it has {names}.")
    return chosen[0]


def as_text(found: Enclosed) -> str | None:
    """The content where it is text; None where it is not."""
    if not (found.type.startswith("text/") or found.type in _TEXTS or found.type == "application/octet-stream"):
        return None
    try:
        text = found.content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.replace("\r\n", "\n")


def as_book(found: Enclosed) -> Book | None:
    """The content where it is a spreadsheet; None where it is not, or cannot be read as one."""
    try:
        if found.name.lower().endswith(".xlsx"):
            return computed(from_xlsx(found.content))
        if found.name.lower().endswith(".csv"):
            return computed(from_csv(found.content.decode("utf-8")))
    except (ExchangeError, ValueError):
        return None
    return None


def _book_text(book: Book, sheet: str, characters: int) -> str:
    names = {name.lower(): name for name in book.sheets}
    if not names:
        return "There is no sheet in it."
    if sheet and sheet.lower() not in names:
        raise ComplaintError(f"There is no sheet '{sheet[:60]}'; there are {', '.join(book.sheets)}.")
    name = names[sheet.lower()] if sheet else next(iter(book.sheets))
    several = f"Sheet '{name}' of {', '.join(book.sheets)}.\n" if len(names) > 1 else ""
    return several + sheet_text(book.sheets[name], None, characters - len(several), formulas=False)[0]


def files_to_enclose(desk: Desk, paths: str) -> list[Enclosed]:
    """Files, documents and spreadsheets of the office by their paths, as attachments. Raises `ComplaintError`."""
    wanted = [path.strip() for path in paths.split(",") if path.strip()]
    if len(wanted) > MOST:
        raise ComplaintError(f"A mail has {MOST} attachments at most.")
    found = [_to_enclose(desk, path) for path in dict.fromkeys(wanted)]
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise ComplaintError("Two attachments have the same name.")
    return found


def _to_enclose(desk: Desk, given: str) -> Enclosed:
    try:
        path = checked_path(given)
    except ValueError as error:
        raise ComplaintError(str(error)) from None
    name = path.rpartition("/")[2]
    rows = desk.ask("SELECT content FROM files WHERE path = ?", path) or desk.ask(
        "SELECT content FROM revisions WHERE document = ? ORDER BY number DESC LIMIT 1", path
    )
    if rows:
        return Enclosed(name, media_type(name), str(rows[0][0]).encode("utf-8", "replace"))
    book = load(desk.database, path) or load(desk.database, path.removesuffix(".xlsx"))
    if book is None:
        raise ComplaintError(f"There is nothing called '{path}' in the office to attach.")
    name = name if name.lower().endswith(".xlsx") else f"{name}.xlsx"
    return Enclosed(name, media_type(name), as_xlsx(book))
