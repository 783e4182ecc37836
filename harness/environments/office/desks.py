"""The desks of an office: which tools each has, and what each tool does.

A scenario names its desks; today's set is `mail`, `calendar`, `files` and `contacts`. The order of tools is that of
this page, whatever the order in which desks are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import JsonValue

from harness.environments.office import address_book, tickets
from harness.environments.office.desk import Answer, Desk, Rights
from harness.environments.office.diary import availability, calendar, waiting
from harness.environments.office.mail import correspondence, enclosures, mailroom
from harness.environments.office.offers import (
    DAY,
    FIND_CONTACT,
    WHO,
    calendar_tools,
    file_tools,
    mail_tools,
    number,
    text,
    tool,
)
from harness.environments.office.shelves import documents, files, spreadsheets
from harness.environments.protocol import Tool

DeskName = Literal[
    "mail", "attachments", "calendar", "availability", "files", "contacts", "address_book", "tickets", "documents",
    "spreadsheets", "clock",
]  # fmt: skip
USUAL: tuple[DeskName, ...] = ("mail", "calendar", "contacts", "files")
NEEDS: Mapping[DeskName, DeskName] = {"attachments": "mail", "availability": "calendar", "address_book": "contacts"}
"""Desks that add to another one."""
_LINES = 500
_COLUMNS = 50

WORK: Mapping[str, Callable[[Desk, Mapping[str, Any]], Answer]] = {
    "list_mail": correspondence.list_mail,
    "read_mail": correspondence.read_mail,
    "search_mail": correspondence.search_mail,
    "send_mail": correspondence.send_mail,
    "move_mail": correspondence.move_mail,
    "read_thread": mailroom.read_thread,
    "forward_mail": mailroom.forward_mail,
    "open_attachment": enclosures.open_attachment,
    "save_attachment": mailroom.save_attachment,
    "list_events": calendar.list_events,
    "create_event": calendar.create_event,
    "update_event": calendar.update_event,
    "cancel_event": calendar.cancel_event,
    "busy_times": availability.busy_times,
    "answer_invitation": availability.answer_invitation,
    "list_files": files.list_files,
    "read_file": files.read_file,
    "write_file": files.write_file,
    "find_contact": correspondence.find_contact,
    "search_contacts": address_book.search_contacts,
    "add_contact": address_book.add_contact,
    "update_contact": address_book.update_contact,
    "list_tickets": tickets.list_tickets,
    "read_ticket": tickets.read_ticket,
    "open_ticket": tickets.open_ticket,
    "comment_ticket": tickets.comment_ticket,
    "update_ticket": tickets.update_ticket,
    "list_documents": documents.list_documents,
    "read_document": documents.read_document,
    "document_history": documents.document_history,
    "create_document": documents.create_document,
    "append_to_document": documents.append_to_document,
    "replace_in_document": documents.replace_in_document,
    "list_spreadsheets": spreadsheets.list_spreadsheets,
    "read_cells": spreadsheets.read_cells,
    "set_cell": spreadsheets.set_cell,
    "set_rows": spreadsheets.set_rows,
    "create_spreadsheet": spreadsheets.create_spreadsheet,
    "wait": waiting.wait,
}


def offered(desks: Sequence[str], folders: Sequence[str], rights: Rights, *, passing: bool) -> list[Tool]:
    """The tools of these desks. `passing` says that each call takes time, and so changes the state."""
    found: list[Tool] = []
    if "mail" in desks:
        found += mail_tools(folders, enclosing="attachments" in desks)
    if "attachments" in desks:
        found += _attachment_tools()
    if "calendar" in desks:
        found += calendar_tools()
    if "availability" in desks:
        found += _availability_tools()
    if "files" in desks:
        found += file_tools()
    if "contacts" in desks:
        found.append(FIND_CONTACT)
    if "address_book" in desks:
        found += _address_tools()
    if "tickets" in desks:
        found += _ticket_tools(rights)
    if "documents" in desks:
        found += _document_tools()
    if "spreadsheets" in desks:
        found += _spreadsheet_tools()
    if "clock" in desks:
        found.append(tool("wait", "Let time pass. You are told what arrives meanwhile.",
                          {"until": text("HH:MM, or YYYY-MM-DD HH:MM", 20)}, ["until"], changes=True))  # fmt: skip
    return [replace(one, changes_state=True) for one in found] if passing else found


def _attachment_tools() -> list[Tool]:
    mail, name = number("of the mail"), text("of the attachment")
    return [
        tool("read_thread", "Read all mail of the exchange that a mail belongs to.", {"id": mail}, ["id"]),
        tool("forward_mail", "Send a mail on, with its attachments.",
             {"id": mail, "to": text(WHO, 500), "body": text("your own words above it", 5000, 0)}, ["id", "to"],
             changes=True),
        tool("open_attachment", "Show an attachment of a mail.",
             {"id": mail, "name": name, "sheet": text("of a spreadsheet", 31)}, ["id", "name"]),
        tool("save_attachment", "Keep an attachment in the office.",
             {"id": mail, "name": name, "path": text("where to keep it")}, ["id", "name", "path"], changes=True),
    ]  # fmt: skip


def _availability_tools() -> list[Tool]:
    answer: JsonValue = {"type": "string", "enum": ["accepted", "declined", "tentative"]}
    return [
        tool("busy_times", "See when people are busy, day by day.",
             {"people": text(WHO, 500), "from": text(DAY, 20), "to": text(DAY, 20)}, ["people", "from", "to"]),
        tool("answer_invitation", "Accept or decline an event of someone else.",
             {"id": number("of the event"), "answer": answer}, ["id", "answer"], changes=True),
    ]  # fmt: skip


def _address_tools() -> list[Tool]:
    note = text(longest=500, shortest=0)
    return [
        tool("search_contacts", "Find contacts by name, address or note.", {"text": text()}, ["text"]),
        tool("add_contact", "Add a contact.",
             {"name": text(longest=100), "email": text(), "note": note}, ["name", "email"], changes=True),
        tool("update_contact", "Change a contact.",
             {"who": text("name or address as it is now"), "name": text(longest=100), "email": text(), "note": note},
             ["who"], changes=True),
    ]  # fmt: skip


def _ticket_tools(rights: Rights) -> list[Tool]:
    state: JsonValue = {"type": "string", "enum": list(tickets.STATES)}
    priority: JsonValue = {"type": "string", "enum": list(tickets.PRIORITIES)}
    who, ticket = text("name or address", shortest=0), number("of the ticket")
    found = [
        tool("list_tickets", "List tickets.", {"state": state, "assignee": who}),
        tool("read_ticket", "Read a ticket with its comments and history.", {"id": ticket}, ["id"]),
    ]
    if rights == "change":
        found.append(
            tool("open_ticket", "Open a ticket.",
                 {"title": text(), "body": text(longest=5000, shortest=0), "priority": priority, "assignee": who},
                 ["title"], changes=True)
        )  # fmt: skip
    if rights != "read":
        found.append(
            tool("comment_ticket", "Comment on a ticket.", {"id": ticket, "text": text(longest=5000)}, ["id", "text"],
                 changes=True)
        )  # fmt: skip
    if rights == "change":
        found.append(
            tool("update_ticket", "Change a ticket.",
                 {"id": ticket, "title": text(), "state": state, "priority": priority, "assignee": who}, ["id"],
                 changes=True)
        )  # fmt: skip
    return found


def _document_tools() -> list[Tool]:
    path, words = text("of the document"), text(longest=20_000, shortest=0)
    line: JsonValue = {"type": "integer", "minimum": 1, "maximum": 200_000}
    return [
        tool("list_documents", "List the documents.", {}),
        tool("read_document", "Read a document, or an earlier revision of it.",
             {"path": path, "revision": number("1 is the first"), "from_line": line}, ["path"]),
        tool("document_history", "List the revisions of a document.", {"path": path}, ["path"]),
        tool("create_document", "Begin a document.", {"path": path, "text": words}, ["path", "text"], changes=True),
        tool("append_to_document", "Add to the end of a document.", {"path": path, "text": words}, ["path", "text"],
             changes=True),
        tool("replace_in_document", "Replace a passage that is in a document once.",
             {"path": path, "passage": text(longest=5000), "text": words}, ["path", "passage", "text"], changes=True),
    ]  # fmt: skip


def _spreadsheet_tools() -> list[Tool]:
    book, sheet, cell = text("its path"), text("its name; the first when left out", 31), text("such as B4", 10)
    value = text("a number, a text, or a formula such as =SUM(B2:B9)", 2000, 0)
    row: JsonValue = {"type": "array", "items": text(longest=2000, shortest=0), "maxItems": _COLUMNS}
    return [
        tool("list_spreadsheets", "List the spreadsheets and their sheets.", {}),
        tool("read_cells", "Read the cells of a sheet.",
             {"spreadsheet": book, "sheet": sheet, "range": text("such as A1:C9", 20),
              "formulas": {"type": "boolean", "description": "show formulas, not what they come to"}},
             ["spreadsheet"]),
        tool("set_cell", "Write into one cell.", {"spreadsheet": book, "sheet": sheet, "cell": cell, "value": value},
             ["spreadsheet", "cell", "value"], changes=True),
        tool("set_rows", "Write rows of cells, from one cell to the right and down.",
             {"spreadsheet": book, "sheet": sheet, "cell": cell,
              "rows": {"type": "array", "items": row, "maxItems": _LINES}},
             ["spreadsheet", "cell", "rows"], changes=True),
        tool("create_spreadsheet", "Begin a spreadsheet, or add a sheet to one.",
             {"spreadsheet": book, "sheet": sheet}, ["spreadsheet"], changes=True),
    ]  # fmt: skip
