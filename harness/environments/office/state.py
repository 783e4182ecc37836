"""The final state of an office, opened for checks."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from harness.environments.office.contents import checked_path
from harness.environments.sqlite import SqliteReader


class OfficeReader(SqliteReader):
    """Queries over the tables (see `harness.environments.office.tables`), files, and the whole as plain data."""

    async def read_file(self, path: str) -> str | None:
        """Content of an office file; None when it is not there."""
        try:
            wanted = checked_path(path)
        except ValueError:
            return None
        found = await self.rows("SELECT content FROM files WHERE path = ?", (wanted,))
        return str(found[0][0]) if found else None

    async def as_data(self) -> dict[str, JsonValue]:
        """Return `mail` (from the start), `sent` (in it), `events`, `invitations`, `files`, `people`, `user`, `now`.

        Long texts are cut, and of each table the first 1,000 rows are taken.
        """
        tables: Any = await super().as_data()
        mail = [_mail(row, tables["recipients"]) for row in tables["mail"]]
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
        }


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
