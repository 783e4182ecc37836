"""The tools of an office worker, as offered to a model."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from harness.environments.protocol import Tool


def offered(folders: Sequence[str]) -> list[Tool]:
    """All tools, for an office with these mail folders."""
    return [*_mail_tools(folders), *_calendar_tools(), *_file_tools(), _FIND_CONTACT]


def _text(about: str = "", longest: int = 200, shortest: int = 1) -> JsonValue:
    said: dict[str, JsonValue] = {"description": about} if about else {}
    return {"type": "string", "minLength": shortest, "maxLength": longest, **said}


def _number(about: str) -> JsonValue:
    return {"type": "integer", "minimum": 1, "maximum": 9999, "description": about}


def _tool(
    name: str, about: str, properties: dict[str, JsonValue], required: Sequence[str] = (), *, changes: bool = False
) -> Tool:  # fmt: skip
    schema: dict[str, JsonValue] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return Tool(name, about, schema, changes_state=changes)


_WHO = "names or addresses, separated by commas"
_TIME = "YYYY-MM-DD HH:MM"
_DAY = "YYYY-MM-DD"


def _mail_tools(folders: Sequence[str]) -> list[Tool]:
    folder: JsonValue = {"type": "string", "enum": list(folders)}
    return [
        _tool("list_mail", "List the mail in a folder.",
              {"folder": folder, "unread_only": {"type": "boolean"}}, ["folder"]),
        _tool("read_mail", "Read one mail.", {"id": _number("of the mail")}, ["id"]),
        _tool("search_mail", "Find mail that holds a text.", {"text": _text()}, ["text"]),
        _tool("send_mail", "Send a mail, or answer one (reply_to).",
              {"to": _text(_WHO, 500), "subject": _text(shortest=0), "body": _text(longest=5000, shortest=0),
               "reply_to": _number("id of the mail answered")}, ["to", "subject", "body"], changes=True),
        _tool("move_mail", "Move a mail to another folder.",
              {"id": _number("of the mail"), "folder": folder}, ["id", "folder"], changes=True),
    ]  # fmt: skip


def _calendar_tools() -> list[Tool]:
    return [
        _tool("list_events", "List your events, or those of someone else (person), day by day.",
              {"from": _text(_DAY, 20), "to": _text(_DAY, 20), "person": _text("name or address")}, ["from", "to"]),
        _tool("create_event", "Put an event into the calendar; attendees are invited.",
              {"title": _text(), "start": _text(_TIME, 20), "end": _text(_TIME, 20), "attendees": _text(_WHO, 500, 0),
               "location": _text(shortest=0)}, ["title", "start", "end"], changes=True),
        _tool("update_event", "Change an event; attendees are told.",
              {"id": _number("of the event"), "title": _text(), "start": _text(_TIME, 20), "end": _text(_TIME, 20),
               "attendees": _text(_WHO, 500, 0), "location": _text(shortest=0)}, ["id"], changes=True),
        _tool("cancel_event", "Cancel an event; attendees are told.", {"id": _number("of the event")}, ["id"],
              changes=True),
    ]  # fmt: skip


def _file_tools() -> list[Tool]:
    return [
        _tool("list_files", "List the files.", {}),
        _tool("read_file", "Read a file.", {"path": _text()}, ["path"]),
        _tool("write_file", "Write a file, replacing what was there.",
              {"path": _text(), "content": _text(longest=20_000, shortest=0)}, ["path", "content"], changes=True),
    ]  # fmt: skip


_FIND_CONTACT = _tool("find_contact", "Find someone's address.", {"name": _text("or part of it")}, ["name"])
