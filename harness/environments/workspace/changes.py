"""What a trial changed against the files it began with: paths, and a bounded diff of the texts among them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pydantic import JsonValue

_DIFF_CHARACTERS = 64_000
_LONGEST_LINES = 2_000
"""Of a file of which a diff is made; the time for one grows with the square of them."""


def is_gits_own(path: str) -> bool:
    """Whether a path belongs to a repository's own files."""
    return ".git" in path.split("/")


def changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, JsonValue]:
    """`added`, `changed` and `deleted` paths, and `diff`, a unified diff of at most some 64,000 characters.

    Contents alone count, not modes or times; git's own files are left out.
    """
    old, new = ({path: text for path, text in side.items() if not is_gits_own(path)} for side in (before, after))
    added = sorted(new.keys() - old.keys())
    deleted = sorted(old.keys() - new.keys())
    changed = sorted(path for path in old.keys() & new.keys() if old[path] != new[path])
    parts: list[str] = []
    left, left_out = _DIFF_CHARACTERS, 0
    for path in sorted([*added, *deleted, *changed]):
        part = _diff(path, old.get(path), new.get(path))
        if len(part) > left:
            left_out += 1
            continue
        parts.append(part)
        left -= len(part)
    if left_out:
        parts.append(f"[... the changes of {left_out} more left out ...]\n")
    return {"added": [*added], "changed": [*changed], "deleted": [*deleted], "diff": "".join(parts)}


def _diff(path: str, before: bytes | None, after: bytes | None) -> str:
    name = path.encode("utf-8", "replace").decode()
    source, target = (name if side is not None else "/dev/null" for side in (before, after))
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        return f"{source} and {target}: no text, or too long for a diff\n"
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(old, new, source, target)
    )


def _lines(content: bytes | None) -> list[str] | None:
    if content is None:
        return []
    if b"\0" in content or len(content) > _DIFF_CHARACTERS:
        return None
    try:
        lines = content.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return None
    return lines if len(lines) <= _LONGEST_LINES else None
