"""The tools of a workspace: their schemas, and the file tools as functions over the open folder.

Written so that a very small model can use them: few arguments, short results, errors in plain words.
Paths are relative to the workspace; `/workspace/...` is understood as the same. No link is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import JsonValue

from harness.environments.protocol import Observation, Tool
from harness.environments.sandbox import Folder
from harness.environments.workspace.file_tools.editing import edit_file, write_file
from harness.environments.workspace.file_tools.patching import apply_patch
from harness.environments.workspace.file_tools.reading import list_files, read_file
from harness.environments.workspace.file_tools.searching import search
from harness.environments.workspace.paths import refused, relative

_LONGEST_PATH = 300
_MOST_LINES = 1_000_000
_MOST_BYTES = 1 << 34

_PATH: dict[str, JsonValue] = {
    "type": "string",
    "description": "Path of the file, for example notes/to_run.txt",
    "minLength": 1,
    "maxLength": _LONGEST_PATH,
}
_FOLDER: dict[str, JsonValue] = {
    "type": "string",
    "description": "Folder to look in; the whole workspace when left out.",
    "maxLength": _LONGEST_PATH,
}


def _tool(
    name: str, description: str, changes: bool, required: dict[str, JsonValue], optional: dict[str, JsonValue]
) -> Tool:
    parameters: dict[str, JsonValue] = {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }
    return Tool(name, description, parameters, changes)


def _line(description: str) -> dict[str, JsonValue]:
    return {"type": "integer", "description": description, "minimum": 1, "maximum": _MOST_LINES}


def _text(description: str, longest: int, shortest: int = 0) -> dict[str, JsonValue]:
    return {"type": "string", "description": description, "minLength": shortest, "maxLength": longest}


RUN = _tool(
    "run",
    "Run a bash command in the workspace and return what it prints. The shell stays: folder and variables are kept.",
    True,
    {"command": _text("The command, for example: ls -l", 8000, 1)},
    {},
)
LIST_FILES = _tool("list_files", "List the files of the workspace with their sizes.", False, {}, {"folder": _FOLDER})
READ_FILE = _tool(
    "read_file",
    "Read a text file.",
    False,
    {"path": _PATH},
    {"start": _line("First line to show, from 1."), "end": _line("Last line to show.")},
)
WRITE_FILE = _tool(
    "write_file",
    "Write a text file as a whole; what was in it before is lost.",
    True,
    {"path": _PATH, "content": _text("The whole new content.", 32000)},
    {},
)
EDIT_FILE = _tool(
    "edit_file",
    "Replace one piece of text in a file. The old text must occur exactly once.",
    True,
    {
        "path": _PATH,
        "old": _text("The text to replace, exactly as it stands in the file.", 8000, 1),
        "new": _text("The text to put in its place.", 8000),
    },
    {},
)
SEARCH = _tool(
    "search",
    "Find the lines of files that contain a text.",
    False,
    {"text": _text("The text to look for, letter by letter.", 500, 1)},
    {"folder": _FOLDER},
)
READ_ANY = _tool(
    "read_file",
    "Read lines of a text file, or bytes of a binary file in hexadecimal.",
    False,
    {"path": _PATH},
    {
        "start": _line("First line to show, from 1."),
        "lines": _line("How many lines to show; to the end when left out."),
        "hex": {
            "type": "integer",
            "description": "Show 256 bytes in hexadecimal, from this byte on, in place of text.",
            "minimum": 0,
            "maximum": _MOST_BYTES,
        },
    },
)
SEARCH_PATTERN = _tool(
    "search",
    "Find the lines of files that match a regular expression.",
    False,
    {"pattern": _text("A regular expression as in Python, for example: def \\w+_price", 500, 1)},
    {"folder": _FOLDER, "glob": _text("Look only in files of such a name or path, for example *.py", 200, 1)},
)
APPLY_PATCH = _tool(
    "apply_patch",
    "Change files by a unified diff, several at once. Context lines must stand in the file as given. "
    "To create a file, let it be /dev/null before; to delete one, /dev/null after; to rename one, use the lines "
    "'diff --git a/old b/new', 'rename from old' and 'rename to new'. All of it is applied, or nothing.",
    True,
    {"patch": _text("The unified diff.", 64000, 1)},
    {},
)

_PLAIN = (LIST_FILES, READ_FILE, WRITE_FILE, EDIT_FILE, SEARCH)
_FULL = (LIST_FILES, READ_ANY, WRITE_FILE, EDIT_FILE, APPLY_PATCH, SEARCH_PATTERN)


def file_tools(toolset: Literal["plain", "full"]) -> tuple[Tool, ...]:
    """The tools for files: few and simple for the smallest models, or all there are."""
    return _FULL if toolset == "full" else _PLAIN


_CarryOut = Callable[[Folder, str, Mapping[str, Any], int], Observation]
_CARRY_OUT: Mapping[str, _CarryOut] = MappingProxyType(
    {
        LIST_FILES.name: list_files,
        READ_FILE.name: read_file,
        WRITE_FILE.name: write_file,
        EDIT_FILE.name: edit_file,
        SEARCH.name: search,
        APPLY_PATCH.name: apply_patch,
    }
)


def call_file_tool(folder: Folder, tool: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """Carry out a file tool in at most about `characters` characters. Raises `KeyError` for another name."""
    carry_out = _CARRY_OUT[tool]
    path = str(arguments.get("path", arguments.get("folder", ".")))
    try:
        return carry_out(folder, relative(path), arguments, characters)
    except OSError as error:
        return refused(error, path)
