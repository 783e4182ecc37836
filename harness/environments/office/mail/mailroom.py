"""The desk `attachments`: forwarding, whole exchanges, and keeping what came with a mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.mail.correspondence import own_mail, post, whole_mail
from harness.environments.office.mail.enclosures import as_text, attachment
from harness.environments.office.mail.letters import Enclosed, Letter
from harness.environments.office.sheets import ExchangeError, computed, from_xlsx
from harness.environments.office.shelves.files import office_path, write_file
from harness.environments.office.shelves.spreadsheets import keep_book
from harness.environments.sqlite.text import shortened


def forward_mail(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Send a mail on as it is, attachments included, below a few words of one's own."""
    number = int(arguments["id"])
    own_mail(desk, number)
    to = desk.addresses(str(arguments["to"]))
    if not to:
        raise ComplaintError("The mail has nobody to go to.")
    sender, name, at, subject, body = desk.ask("SELECT sender, name, at, subject, body FROM mail WHERE id = ?", number)[
        0
    ]
    called = str(name) or desk.called(str(sender))
    head = f"From: {f'{called} <{sender}>' if called != sender else sender}\nSent: {str(at)[:16]}\nSubject: {subject}"
    words = str(arguments.get("body") or "").strip()
    letter = Letter(
        sender=desk.user, name="", to=to, cc=[], subject=f"Fwd: {subject}"[:500], html="", at=desk.now,
        body=f"{words}\n\n" * bool(words) + f"---------- Forwarded mail ----------\n{head}\n\n{body}",
        enclosed=_enclosed(desk, number),
    )  # fmt: skip
    desk.ask("UPDATE mail SET unread = 0 WHERE id = ?", number)
    sent = post(desk, letter)
    strangers = desk.strangers(to)
    note = f" Note: not in the contacts: {', '.join(strangers)}." if strangers else ""
    text = f"Forwarded mail {number} to {desk.names(to)} as mail {sent}.{note}"
    return Answer(text, {"id": sent, "strangers": list(strangers)})


def _enclosed(desk: Desk, number: int) -> list[Enclosed]:
    rows = desk.ask("SELECT name, type, content FROM attachments WHERE mail = ? ORDER BY position", number)
    return [Enclosed(str(name), str(kind), content) for name, kind, content in rows if isinstance(content, bytes)]


def read_thread(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """All mail of the exchange that a mail belongs to, the first one first."""
    number = int(arguments["id"])
    own_mail(desk, number)
    rows = desk.ask(
        "SELECT id FROM mail WHERE owner = ? AND thread = (SELECT thread FROM mail WHERE id = ?) ORDER BY at, id",
        desk.user, number,
    )  # fmt: skip
    numbers = [int(str(found)) for (found,) in rows]
    parts = [f"Mail {found}\n{whole_mail(desk, found)}" for found in numbers]
    return Answer(shortened("\n\n---\n\n".join(parts), desk.characters), {"rows": len(numbers)})


def save_attachment(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Keep an attachment in the office: text as a file, an .xlsx file as a spreadsheet."""
    found = attachment(desk, int(arguments["id"]), str(arguments["name"]))
    path = office_path(arguments["path"])
    if found.name.lower().endswith(".xlsx"):
        try:
            book = computed(from_xlsx(found.content))
        except (ExchangeError, ValueError) as error:
            raise ComplaintError(f"{found.name} cannot be kept: {error}.") from None
        keep_book(desk, path, book)
        return Answer(f"Kept {found.name} as the spreadsheet {path}.", {})
    text = as_text(found)
    if text is None:
        raise ComplaintError(
            f"{found.name} ({found.type}) is no text and cannot be kept here; forward the mail instead."
        )
    write_file(desk, {"path": path, "content": text})
    return Answer(f"Kept {found.name} as the file {path}, {len(text)} characters.", {})
