"""Files of an office: what the tools do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.terms import checked_path
from harness.environments.sqlite import table_text
from harness.environments.sqlite.text import shortened

_LISTED = 200
"""Files in one listing."""


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
    path = office_path(arguments["path"])
    found = desk.ask("SELECT content FROM files WHERE path = ?", path)
    if not found:
        raise ComplaintError(f"There is no file '{path}'; list_files shows what there is.")
    return Answer(shortened(str(found[0][0]) or "(the file is empty)", desk.characters), {})


def write_file(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Write a file, new or not."""
    path, content = office_path(arguments["path"]), str(arguments["content"])
    there = {str(name) for (name,) in desk.ask("SELECT path FROM files")}
    if any(name.startswith(path + "/") or path.startswith(name + "/") for name in there):
        raise ComplaintError(f"'{path}' cannot be both a file and a folder.")
    if len(there) >= 1000 and path not in there:
        raise ComplaintError("There are too many files; 1000 is the most.")
    desk.ask("INSERT OR REPLACE INTO files VALUES (?, ?, 1)", path, content)
    done = "Replaced" if path in there else "Wrote"
    return Answer(f"{done} {path}, {len(content)} characters.", {"replaced": path in there})


def office_path(value: object) -> str:
    """A path given by the worker. Raises `ComplaintError`."""
    try:
        return checked_path(str(value))
    except ValueError as error:
        raise ComplaintError(str(error)) from None
