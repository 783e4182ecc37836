"""The tools that look: `list_files` and `read_file`."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from typing import Any

from harness.environments.protocol import Observation
from harness.environments.sandbox import Folder
from harness.environments.workspace.changes import is_gits_own
from harness.environments.workspace.contents import (
    READ_BYTES,
    binary_type,
    has_crlf,
    hexadecimal,
    lines_of,
)
from harness.environments.workspace.paths import printable

_MOST_ENTRIES = 200
_HEX_BYTES = 256
_ON_BYTES = "It is not shown as text; its bytes can be looked at in hexadecimal."


def list_files(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """Files, folders and links below a folder; what lies in a repository's `.git` only when asked for."""
    lines: list[str] = []
    seen = 0
    for entry in folder.walk(path):
        if is_gits_own(entry.path) and not entry.path.endswith(".git") and not is_gits_own(path):
            continue
        seen += 1
        if len(lines) >= _MOST_ENTRIES or sum(map(len, lines)) > characters:
            continue
        kind = entry.status.st_mode
        name = printable(entry.path)
        if stat.S_ISDIR(kind):
            lines.append(f"{name}/")
        elif entry.link is not None:
            lines.append(f"{name} -> {printable(entry.link)}")
        else:
            lines.append(f"{name} ({entry.status.st_size} bytes)")
    left_out = seen - len(lines)
    if left_out:
        lines.append(f"[... {left_out} more left out ...]")
    text = "\n".join(lines) or "There are no files."
    return Observation(text, data={"entries": seen, "truncated": left_out > 0})


def read_file(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """Lines of a text file; of a binary one its size and type, and its bytes in hexadecimal where asked for."""
    if "hex" in arguments:
        return _in_hexadecimal(folder, path, int(arguments["hex"]))
    content = folder.read(path, READ_BYTES)
    kind = binary_type(content)
    if kind is not None:
        size = folder.status(path).st_size
        text = f"'{path}' is a binary file of {size} bytes ({kind}). {_ON_BYTES}"
        return Observation(text, error=True, data={"size": size, "type": kind})
    crlf = has_crlf(content)
    text = content.decode("utf-8", "replace")
    lines = lines_of(text.replace("\r\n", "\n") if crlf else text)
    start = int(arguments.get("start", 1))
    end = min(_last_line(arguments, start, len(lines)), len(lines))
    if start > max(len(lines), 1) or (end < start and lines):
        return Observation(f"'{path}' has {len(lines)} lines; there is no line {start}-{end}.", error=True)
    shown, truncated = _fitting("".join(lines[start - 1 : end]), start, len(lines), characters)
    remarks = ["[the lines end in CR LF]"] if crlf else []
    if foreign := text.count("\ufffd") - content.count("\ufffd".encode()):
        remarks.append(f"[{foreign} bytes are not UTF-8 and are shown as \ufffd]")
    if remarks:
        shown = "\n".join([shown.rstrip("\n"), *remarks])
    return Observation(shown or "The file is empty.", data={"lines": len(lines), "truncated": truncated})


def _last_line(arguments: Mapping[str, Any], start: int, count: int) -> int:
    if "lines" in arguments:
        return start + int(arguments["lines"]) - 1
    return int(arguments.get("end", count))


def _fitting(text: str, start: int, count: int, characters: int) -> tuple[str, bool]:
    """The text, cut to what may be shown, with the way on; and whether it was cut."""
    if len(text) <= characters:
        return text, False
    whole_lines = text.rfind("\n", 0, characters) + 1
    text = text[: whole_lines or characters]
    following = start + text.count("\n")
    way_on = f"read on with start={following}" if whole_lines else f"line {following} is too long to show"
    return f"{text.rstrip(chr(10))}\n[... the file has {count} lines; {way_on} ...]", True


def _in_hexadecimal(folder: Folder, path: str, start: int) -> Observation:
    content = folder.read(path, _HEX_BYTES, start)
    size = folder.status(path).st_size
    if not content:
        return Observation(f"'{path}' has {size} bytes; there is no byte {start}.", error=True, data={"size": size})
    text = hexadecimal(content, start)
    after = start + len(content)
    if after < size:
        text += f"\n[... the file has {size} bytes; go on with hex={after} ...]"
    return Observation(text, data={"size": size, "truncated": after < size})
