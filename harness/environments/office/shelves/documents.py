"""The desk `documents`: texts that people write together, of which every change is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.shelves.files import office_path
from harness.environments.sqlite import table_text

_LISTED = 200
_MOST = 500
"""Documents, and revisions of one."""
MAX_LENGTH = 200_000


def list_documents(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """All documents, with who changed them last."""
    rows = desk.ask(
        "SELECT document, number, at, author, length(content) FROM revisions AS r WHERE number = "
        "(SELECT max(number) FROM revisions WHERE document = r.document) ORDER BY document LIMIT ?", _LISTED + 1,
    )  # fmt: skip
    if not rows:
        return Answer("There are no documents.", {"rows": 0})
    lines = [(path, number, str(at)[:16], desk.name(str(who)), size) for path, number, at, who, size in rows[:_LISTED]]
    head = ("path", "revision", "changed", "by", "characters")
    text, shown = table_text(head, lines, len(rows) > _LISTED, desk.characters)
    return Answer(text, {"rows": shown})


def read_document(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """A document as it is, or as it was in an earlier revision, from a line on."""
    path = office_path(arguments["path"])
    latest = _latest(desk, path)
    number = int(arguments.get("revision") or latest)
    found = desk.ask("SELECT content FROM revisions WHERE document = ? AND number = ?", path, number)
    if not found:
        raise ComplaintError(f"{path} has no revision {number}; the latest is {latest}.")
    lines = str(found[0][0]).splitlines()
    first = int(arguments.get("from_line") or 1)
    if first > max(1, len(lines)):
        raise ComplaintError(f"{path} has {len(lines)} lines.")
    return Answer(_page(lines, first, desk.characters) or "(the document is empty)", {"revision": number})


def _page(lines: list[str], first: int, characters: int) -> str:
    """Whole lines while there is room, and where to read on."""
    shown: list[str] = []
    left = characters
    for line in lines[first - 1 :]:
        if len(line) + 1 > left and shown:
            break
        shown.append(
            line if len(line) <= characters else f"{line[:characters]}... (cut: {len(line)} characters in all)"
        )
        left -= len(line) + 1
    rest = len(lines) - (first - 1) - len(shown)
    more = f"\n({rest} more {'line' if rest == 1 else 'lines'}; read on from_line {first + len(shown)})" if rest else ""
    return "\n".join(shown) + more


def document_history(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """The revisions of a document, the latest first."""
    path = office_path(arguments["path"])
    _latest(desk, path)
    rows = desk.ask(
        "SELECT number, at, author, note, length(content) FROM revisions WHERE document = ? ORDER BY number DESC", path
    )
    lines = [(number, str(at)[:16], desk.name(str(who)), note, size) for number, at, who, note, size in rows]
    text, shown = table_text(("revision", "at", "by", "note", "characters"), lines, False, desk.characters)
    return Answer(text, {"rows": shown})


def create_document(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Begin a document."""
    path = office_path(arguments["path"])
    if desk.ask("SELECT 1 FROM revisions WHERE document = ?", path):
        raise ComplaintError(f"There is a document '{path}' already; use append_to_document or replace_in_document.")
    if len(desk.ask("SELECT DISTINCT document FROM revisions")) >= _MOST:
        raise ComplaintError(f"There are too many documents; {_MOST} is the most.")
    text = str(arguments["text"])
    _keep(desk, path, 1, text, "begun")
    return Answer(f"Began {path}, {len(text)} characters.", {"revision": 1})


def append_to_document(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Add to the end of a document, on a line of its own."""
    path, text = office_path(arguments["path"]), str(arguments["text"])
    number = _latest(desk, path)
    before = _content(desk, path, number)
    gap = "" if not before or before.endswith("\n") else "\n"
    _keep(desk, path, number + 1, f"{before}{gap}{text}", "added to the end")
    return Answer(f"Added {len(text)} characters to {path}; it is revision {number + 1} now.", {"revision": number + 1})


def replace_in_document(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Put other words in the place of a passage that is in the document once."""
    path, passage = office_path(arguments["path"]), str(arguments["passage"])
    number = _latest(desk, path)
    before = _content(desk, path, number)
    count = before.count(passage)
    if count != 1:
        found = "not in" if count == 0 else f"{count} times in"
        raise ComplaintError(
            f"The passage is {found} {path}; give words that are in it once, exactly as written there."
        )
    _keep(desk, path, number + 1, before.replace(passage, str(arguments["text"])), "replaced a passage")
    return Answer(f"Replaced the passage in {path}; it is revision {number + 1} now.", {"revision": number + 1})


def _latest(desk: Desk, path: str) -> int:
    found = desk.ask("SELECT max(number) FROM revisions WHERE document = ?", path)[0][0]
    if found is None:
        raise ComplaintError(f"There is no document '{path}'; list_documents shows what there is.")
    return int(str(found))


def _content(desk: Desk, path: str, number: int) -> str:
    return str(desk.ask("SELECT content FROM revisions WHERE document = ? AND number = ?", path, number)[0][0])


def _keep(desk: Desk, path: str, number: int, text: str, note: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ComplaintError(f"A document has {MAX_LENGTH} characters at most; this would have {len(text)}.")
    if number > _MOST:
        raise ComplaintError(f"{path} has been changed too often; {_MOST} revisions is the most.")
    desk.ask("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, 1)", path, number, desk.user, desk.now, note, text)
