"""The final state of an office, opened for checks."""

from __future__ import annotations

import base64
from typing import Any

from pydantic import JsonValue

from harness.environments.office.mail.enclosures import as_text
from harness.environments.office.mail.letters import Enclosed
from harness.environments.office.sheets import Book, as_csv, as_xlsx
from harness.environments.office.shelves.workbooks import load
from harness.environments.office.terms import checked_path
from harness.environments.protocol import FinalState, StateReader
from harness.environments.sqlite import SqliteReader
from harness.environments.sqlite.reader import ROWS_AS_DATA, TEXT_AS_DATA

_Tables = dict[str, list[dict[str, Any]]]
_MOST_BYTES = 200_000
"""Of one binary attachment handed to state expressions; of a larger one the content is left out."""


class OfficeReader(SqliteReader, StateReader):
    """Queries over the tables (see `harness.environments.office.tables`), files, and the whole as plain data."""

    def __init__(self, state: FinalState, *, now: str, seed: int, whole_mail: bool) -> None:
        """`whole_mail` says whether mail is given with owner, copies and attachments."""
        super().__init__(state, now=now, seed=seed)
        self._whole_mail = whole_mail

    async def read_file(self, path: str) -> str | None:
        """Content of an office file or document, or the first sheet of a spreadsheet as comma-separated values.

        None when it is not there.
        """
        try:
            wanted = checked_path(path)
        except ValueError:
            return None
        found = await self.rows("SELECT content FROM files WHERE path = ?", (wanted,)) or await self.rows(
            "SELECT content FROM revisions WHERE document = ? ORDER BY number DESC LIMIT 1", (wanted,)
        )
        if found:
            return str(found[0][0])
        book = await self.book(wanted)
        return as_csv(next(iter(book.sheets.values()))) if book else None

    async def book(self, path: str) -> Book | None:
        """A spreadsheet; None when it is not there."""
        return await self._worker.call(lambda: load(self._database, path))

    async def xlsx(self, path: str) -> bytes | None:
        """A spreadsheet as a real .xlsx file; None when it is not there."""
        book = await self.book(path)
        return None if book is None else as_xlsx(book)

    async def as_data(self) -> dict[str, JsonValue]:
        """Return `mail` (held or received), `sent` (in the trial), `events`, `files`, `people`, and so on.

        That is `invitations`, `answers`, `tickets`, `documents` (path -> text and revisions), `spreadsheets`
        (path -> sheet -> cell -> value), `formulas` (likewise), `user`, `now` (when it started) and `clock` (when it
        ended). With the desk `attachments`, or seats, mail also has `owner`, `cc` and `attachments`; a binary one with
        its content in `base64`. Long texts are cut, and of each table the first 1,000 rows are taken.
        """
        tables: Any = await super().as_data()
        mail = [_mail(row, tables["recipients"]) for row in tables["mail"]]
        if self._whole_mail:
            files = await self._files()
            mail = [one | _enclosed(row, tables, files) for one, row in zip(mail, tables["mail"], strict=True)]
        return {
            "user": tables["office"][0]["user"],
            "now": tables["office"][0]["now"],
            "mail": [{k: v for k, v in row.items() if k != "sent_now"} for row in mail if not row["sent_now"]],
            "sent": [{k: v for k, v in row.items() if k != "sent_now"} for row in mail if row["sent_now"]],
            "events": [_event(row, tables["attendees"]) for row in tables["events"]],
            "invitations": [
                {"event": r["event"], "to": r["address"], "kind": r["kind"]} for r in tables["invitations"]
            ],
            "files": {row["path"]: row["content"] for row in tables["files"]},
            "people": {row["address"]: row["name"] for row in tables["people"]},
            "notes": {row["address"]: row["note"] for row in tables["people"] if row["note"]},
            "clock": tables["clock"][0]["now"],
            "answers": tables["answers"],
            "tickets": [_ticket(row, tables) for row in tables["tickets"]],
            "documents": _documents(tables["revisions"]),
            "spreadsheets": _sheets(tables, "value"),
            "formulas": _sheets(tables, "formula"),
        }

    async def _files(self) -> dict[int, list[JsonValue]]:
        """Mail -> its attachments."""
        rows = await self.rows(
            "SELECT mail, name, type, content FROM attachments ORDER BY mail, position LIMIT ?",
            (ROWS_AS_DATA if self._bounded else -1,),
        )
        found: dict[int, list[JsonValue]] = {}
        for mail, name, kind, content in rows:
            file = _file(str(name), str(kind), content if isinstance(content, bytes) else b"", self._bounded)
            found.setdefault(int(str(mail)), []).append(file)
        return found


def _enclosed(row: dict[str, Any], tables: _Tables, files: dict[int, list[JsonValue]]) -> dict[str, JsonValue]:
    copies = [copy["address"] for copy in tables["copies"] if copy["mail"] == row["id"]]
    return {"owner": row["owner"], "cc": copies, "attachments": files.get(row["id"], [])}


def _file(name: str, kind: str, content: bytes, bounded: bool) -> dict[str, JsonValue]:
    text = as_text(Enclosed(name, kind, content))
    if text is not None:
        return {"name": name, "type": kind, "text": text[:TEXT_AS_DATA] if bounded else text}
    if bounded and len(content) > _MOST_BYTES:
        return {"name": name, "type": kind, "bytes": len(content)}
    return {"name": name, "type": kind, "base64": base64.b64encode(content).decode()}


def _ticket(row: dict[str, Any], tables: _Tables) -> dict[str, Any]:
    return {
        **{("by" if key == "author" else key): value for key, value in row.items()},
        "comments": [
            {"by": c["author"], "at": c["at"], "text": c["text"], "written_now": bool(c["written_now"])}
            for c in tables["comments"]
            if c["ticket"] == row["id"]
        ],
        "history": [
            {"by": c["author"], "at": c["at"], "field": c["field"], "before": c["before"], "after": c["after"]}
            for c in tables["changes"]
            if c["ticket"] == row["id"]
        ],
    }


def _documents(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: (row["document"], row["number"])):
        entry = found.setdefault(row["document"], {"text": "", "revisions": []})
        entry["text"] = row["content"]
        entry["revisions"].append({"by": row["author"], "at": row["at"], "written_now": bool(row["written_now"])})
    return found


def _sheets(tables: _Tables, what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in sorted(tables["sheets"], key=lambda row: (row["book"], row["position"])):
        found.setdefault(row["book"], {})[row["sheet"]] = {}
    for row in tables["cells"]:
        if row[what] is not None:
            found[row["book"]][row["sheet"]][row["cell"]] = row[what]
    return found


def _mail(row: dict[str, Any], recipients: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "folder": row["folder"],
        "from": row["sender"],
        "to": [r["address"] for r in recipients if r["mail"] == row["id"]],
        "subject": row["subject"],
        "body": row["body"],
        "at": row["at"],
        "unread": bool(row["unread"]),
        "reply_to": row["reply_to"],
        "sent_now": row["sent_now"],
    }


def _event(row: dict[str, Any], attendees: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"],
        "start": row["starts"],
        "end": row["ends"],
        "location": row["location"],
        "organizer": row["organizer"],
        "attendees": [a["address"] for a in attendees if a["event"] == row["id"]],
        "cancelled": bool(row["cancelled"]),
    }
