"""The tools of a workspace: their schemas, and the file tools as functions over the open folder.

Written so that a very small model can use them: few arguments, short results, errors in plain words.
Paths are relative to the workspace; `/workspace/...` is understood as the same. No link is followed.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import JsonValue

from harness.environments.protocol import Observation, Tool
from harness.environments.sandbox import WORKSPACE, Folder

_LONGEST_PATH = 300
_MOST_LINES = 1_000_000
_READ_BYTES = 4 << 20
_MOST_ENTRIES = 200
_MOST_HITS = 50
_LONGEST_HIT = 200

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

FILE_TOOLS = (LIST_FILES, READ_FILE, WRITE_FILE, EDIT_FILE, SEARCH)

_REFUSALS: Mapping[int, str] = MappingProxyType(
    {
        errno.ENOENT: "There is no file '{path}'.",
        errno.ENOTDIR: "'{path}' leads through a file, not a folder.",
        errno.EISDIR: "'{path}' is a folder.",
        errno.ELOOP: "'{path}' leads through a symbolic link; links are not followed here.",
        errno.EXDEV: "'{path}' lies outside the workspace.",
        errno.EMLINK: "'{path}' is a file with several names (hard links); it is not touched here.",
        errno.ENXIO: "'{path}' is not an ordinary file.",
        errno.EACCES: "'{path}' may not be read or written.",
        errno.EPERM: "'{path}' may not be read or written.",
        errno.ENOSPC: "The disk is full.",
        errno.EDQUOT: "The disk is full.",
        errno.ENAMETOOLONG: "The path is too long.",
        errno.EINVAL: "'{path}' is not a valid path.",
    }
)


def call_file_tool(folder: Folder, tool: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """Carry out one of `FILE_TOOLS` in at most about `characters` characters. Raises `KeyError` for another name."""
    carry_out = _CARRY_OUT[tool]
    path = str(arguments.get("path", arguments.get("folder", ".")))
    try:
        return carry_out(folder, relative(path), arguments, characters)
    except OSError as error:
        words = _REFUSALS.get(error.errno or 0, "'{path}': " + (error.strerror or "it failed"))
        text = words.format(path=path.encode("utf-8", "replace").decode())
        return Observation(text, error=True, data={"errno": errno.errorcode.get(error.errno or 0, "")})


def relative(path: str) -> str:
    """Return a path as relative to the workspace; one that lies elsewhere is returned as it is."""
    if path == WORKSPACE or path.startswith(WORKSPACE + "/"):
        return path[len(WORKSPACE) :].strip("/") or "."
    return path


def _list_files(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    lines: list[str] = []
    seen = 0
    for entry in folder.walk(path):
        seen += 1
        if len(lines) >= _MOST_ENTRIES or sum(map(len, lines)) > characters:
            continue
        kind = entry.status.st_mode
        name = _printable(entry.path)
        if stat.S_ISDIR(kind):
            lines.append(f"{name}/")
        elif entry.link is not None:
            lines.append(f"{name} -> {_printable(entry.link)}")
        else:
            lines.append(f"{name} ({entry.status.st_size} bytes)")
    left_out = seen - len(lines)
    if left_out:
        lines.append(f"[... {left_out} more left out ...]")
    text = "\n".join(lines) or "There are no files."
    return Observation(text, data={"entries": seen, "truncated": left_out > 0})


def _read_file(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    content = folder.read(path, _READ_BYTES)
    if b"\0" in content[:8192]:
        size = folder.status(path).st_size
        return Observation(f"'{path}' is a binary file of {size} bytes.", error=True, data={"size": size})
    lines = content.decode("utf-8", "replace").splitlines(keepends=True)
    start = int(arguments.get("start", 1))
    end = min(int(arguments.get("end", len(lines))), len(lines))
    if start > max(len(lines), 1) or (end < start and lines):
        return Observation(f"'{path}' has {len(lines)} lines; there is no line {start}-{end}.", error=True)
    text = "".join(lines[start - 1 : end])
    truncated = len(text) > characters
    if truncated:
        whole_lines = text.rfind("\n", 0, characters) + 1
        text = text[: whole_lines or characters]
        following = start + text.count("\n")
        way_on = f"read on with start={following}" if whole_lines else f"line {following} is too long to show"
        text = f"{text.rstrip(chr(10))}\n[... the file has {len(lines)} lines; {way_on} ...]"
    return Observation(text or "The file is empty.", data={"lines": len(lines), "truncated": truncated})


def _write_file(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    content = str(arguments["content"]).encode("utf-8", "replace")
    folder.write(path, content)
    return Observation(f"Wrote {len(content)} bytes to {path}.", data={"bytes": len(content)})


def _edit_file(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    old, new = (str(arguments[name]).encode("utf-8", "replace") for name in ("old", "new"))
    if folder.status(path).st_size > _READ_BYTES:
        return Observation(f"'{path}' is too large to edit.", error=True)
    content = folder.read(path, _READ_BYTES)
    found = content.count(old)
    if found != 1:
        reason = "does not occur" if not found else f"occurs {found} times; give more of what stands around it"
        return Observation(f"Nothing was changed: the old text {reason} in {path}.", error=True, data={"found": found})
    folder.write(path, content.replace(old, new))
    return Observation(f"Replaced the text in {path}.", data={"found": 1})


def _search(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    wanted = str(arguments["text"])
    lines: list[str] = []
    hits = 0
    for entry in folder.walk(path):
        if not stat.S_ISREG(entry.status.st_mode):
            continue
        try:
            content = folder.read(entry.path, _READ_BYTES)
        except OSError:
            continue  # unreadable, or gone meanwhile: it has no lines to show
        if b"\0" in content[:8192]:
            continue
        text = content.decode("utf-8", "replace")
        if wanted not in text:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if wanted in line:
                hits += 1
                if hits <= _MOST_HITS and sum(map(len, lines)) <= characters:
                    lines.append(f"{_printable(entry.path)}:{number}: {line.strip()[:_LONGEST_HIT]}")
    if hits > len(lines):
        lines.append(f"[... {hits - len(lines)} more left out ...]")
    return Observation("\n".join(lines) or "No line contains it.", data={"hits": hits})


_CARRY_OUT = {
    LIST_FILES.name: _list_files,
    READ_FILE.name: _read_file,
    WRITE_FILE.name: _write_file,
    EDIT_FILE.name: _edit_file,
    SEARCH.name: _search,
}


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8", "replace")
