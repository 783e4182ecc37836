"""The tools that change one file: `write_file` and `edit_file`.

Neither corrupts what it does not mean to change: line ends of a file that has CR LF throughout are kept, a missing
end of the last line stays missing, and a file that is not UTF-8 is edited byte by byte or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.environments.protocol import Observation
from harness.environments.sandbox import Folder
from harness.environments.workspace.contents import READ_BYTES, binary_type, has_crlf, is_utf8, with_crlf


def write_file(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """Put a text in a file's place; over a binary file only once that is removed."""
    content = str(arguments["content"]).encode("utf-8", "replace")
    remark = ""
    before = _content_before(folder, path)
    if before is not None:
        if binary_type(before) is not None or not (is_utf8(before) or len(before) == READ_BYTES):
            text = f"Nothing was written: '{path}' is there and is no UTF-8 text. Remove it first if it is to go."
            return Observation(text, error=True)
        if has_crlf(before) and with_crlf(content) != content:
            content, remark = with_crlf(content), " Its lines end in CR LF, as before."
    folder.write(path, content)
    return Observation(f"Wrote {len(content)} bytes to {path}.{remark}", data={"bytes": len(content)})


def edit_file(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """Replace the one place where a text occurs."""
    old, new = (str(arguments[name]).encode("utf-8", "replace") for name in ("old", "new"))
    if folder.status(path).st_size > READ_BYTES:
        return Observation(f"'{path}' is too large to edit.", error=True)
    content = folder.read(path, READ_BYTES)
    if not is_utf8(content) and not (old.isascii() and new.isascii()):
        text = f"Nothing was changed: '{path}' is no UTF-8 text; only plain ASCII can be replaced in it."
        return Observation(text, error=True)
    if has_crlf(content):
        old, new = with_crlf(old), with_crlf(new)
    found = content.count(old)
    if found != 1:
        reason = "does not occur" if not found else f"occurs {found} times; give more of what stands around it"
        return Observation(f"Nothing was changed: the old text {reason} in {path}.", error=True, data={"found": found})
    folder.write(path, content.replace(old, new))
    return Observation(f"Replaced the text in {path}.", data={"found": 1})


def _content_before(folder: Folder, path: str) -> bytes | None:
    """What a file holds now; None where there is none, or none that may be read: writing says why, or goes on."""
    try:
        return folder.read(path, READ_BYTES)
    except OSError:
        return None
