"""The tools of the desks that every office has: mail, calendar, contacts and files, as offered to a model."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from harness.environments.protocol import Tool


def text(about: str = "", longest: int = 200, shortest: int = 1) -> JsonValue:
    """The schema of a text."""
    said: dict[str, JsonValue] = {"description": about} if about else {}
    return {"type": "string", "minLength": shortest, "maxLength": longest, **said}


def number(about: str) -> JsonValue:
    """The schema of a number that something has."""
    return {"type": "integer", "minimum": 1, "maximum": 9999, "description": about}


def tool(
    name: str, about: str, properties: dict[str, JsonValue], required: Sequence[str] = (), *, changes: bool = False
) -> Tool:  # fmt: skip
    """A tool with a closed schema."""
    schema: dict[str, JsonValue] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return Tool(name, about, schema, changes_state=changes)


WHO = "names or addresses, separated by commas"
TIME = "YYYY-MM-DD HH:MM"
DAY = "YYYY-MM-DD"
PATHS = "paths of things in the office, separated by commas"


def mail_tools(folders: Sequence[str], *, enclosing: bool = False) -> list[Tool]:
    """The desk `mail`; `enclosing` adds copies and attachments to what is sent."""
    more: dict[str, JsonValue] = {}
    if enclosing:
        more = {"cc": text(WHO, 500, 0), "attachments": text(PATHS, 1000, 0)}
    folder: JsonValue = {"type": "string", "enum": list(folders)}
    return [
        tool("list_mail", "List the mail in a folder.",
              {"folder": folder, "unread_only": {"type": "boolean"}}, ["folder"]),
        tool("read_mail", "Read one mail.", {"id": number("of the mail")}, ["id"]),
        tool("search_mail", "Find mail that holds a text.", {"text": text()}, ["text"]),
        tool("send_mail", "Send a mail, or answer one (reply_to).",
              {"to": text(WHO, 500), "subject": text(shortest=0), "body": text(longest=5000, shortest=0),
               "reply_to": number("id of the mail answered"), **more}, ["to", "subject", "body"], changes=True),
        tool("move_mail", "Move a mail to another folder.",
              {"id": number("of the mail"), "folder": folder}, ["id", "folder"], changes=True),
    ]  # fmt: skip


def calendar_tools() -> list[Tool]:
    """The desk `calendar`."""
    return [
        tool("list_events", "List your events, or those of someone else (person), day by day.",
              {"from": text(DAY, 20), "to": text(DAY, 20), "person": text("name or address")}, ["from", "to"]),
        tool("create_event", "Put an event into the calendar; attendees are invited.",
              {"title": text(), "start": text(TIME, 20), "end": text(TIME, 20), "attendees": text(WHO, 500, 0),
               "location": text(shortest=0)}, ["title", "start", "end"], changes=True),
        tool("update_event", "Change an event; attendees are told.",
              {"id": number("of the event"), "title": text(), "start": text(TIME, 20), "end": text(TIME, 20),
               "attendees": text(WHO, 500, 0), "location": text(shortest=0)}, ["id"], changes=True),
        tool("cancel_event", "Cancel an event; attendees are told.", {"id": number("of the event")}, ["id"],
              changes=True),
    ]  # fmt: skip


def file_tools() -> list[Tool]:
    """The desk `files`."""
    return [
        tool("list_files", "List the files.", {}),
        tool("read_file", "Read a file.", {"path": text()}, ["path"]),
        tool("write_file", "Write a file, replacing what was there.",
              {"path": text(), "content": text(longest=20_000, shortest=0)}, ["path", "content"], changes=True),
    ]  # fmt: skip


FIND_CONTACT = tool("find_contact", "Find someone's address.", {"name": text("or part of it")}, ["name"])
