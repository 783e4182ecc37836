"""The tool `apply_patch`: a unified diff of several files, applied as a whole or not at all.

Context must stand in the file letter by letter. A hunk may lie elsewhere than it says only where its lines occur once.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.environments.protocol import Observation
from harness.environments.sandbox import Folder
from harness.environments.workspace.contents import READ_BYTES, has_crlf, lines_of
from harness.environments.workspace.patch_text import FilePatch, Hunk, PatchError, read_patch
from harness.environments.workspace.paths import refusal, relative

_MOST_FILES = 100


@dataclass
class _File:
    """A file in the course of patching; None where there is none."""

    content: bytes | None
    mode: int


def apply_patch(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """Carry out a patch."""
    text = str(arguments["patch"]).encode("utf-8", "replace").decode()
    try:
        patches = read_patch(text)
        if len(patches) > _MOST_FILES:
            raise PatchError(f"it changes {len(patches)} files; at most {_MOST_FILES} at once")
        before: dict[str, _File] = {}
        after: dict[str, _File] = {}
        said = [_patched(folder, patch, before, after) for patch in patches]
    except PatchError as error:
        return Observation(f"Nothing was changed: {error}.", error=True)
    _carry_out(folder, before, after)
    text = "\n".join(said)
    shown = text if len(text) <= characters else f"{text[:characters]}\n[...]"
    return Observation(f"Patched:\n{shown}", data={"files": len(patches)})


def _patched(folder: Folder, patch: FilePatch, before: dict[str, _File], after: dict[str, _File]) -> str:
    """Work one file's patch into `after`; says in a line what it does. Raises `PatchError`."""
    source, target = (relative(name) if name is not None else None for name in (patch.source, patch.target))
    if source is None and target is not None:
        if _look(folder, target, before, after).content is not None:
            raise PatchError(f"{target} is to be created, but it is there already")
        content = _fitted(b"", patch)
        after[target] = _File(content, 0o755 if patch.executable else 0o644)
        return f"created {target}"
    if source is None:
        raise PatchError("a file is /dev/null before and after")
    old = _look(folder, source, before, after)
    if old.content is None:
        raise PatchError(f"{source} is to be changed, but there is no such file")
    content = _fitted(old.content, patch)
    if target is None:
        if content:
            raise PatchError(f"{source} is to be deleted, but the patch leaves lines in it")
        after[source] = _File(None, old.mode)
        return f"deleted {source}"
    mode = old.mode if patch.executable is None else (old.mode | 0o111 if patch.executable else old.mode & ~0o111)
    if target != source:
        if _look(folder, target, before, after).content is not None:
            raise PatchError(f"{source} is to be renamed to {target}, but that is there already")
        after[source] = _File(None, old.mode)
    after[target] = _File(content, mode)
    hunks = f"{len(patch.hunks)} hunk{'s' if len(patch.hunks) != 1 else ''}"
    return f"changed {target} ({hunks})" if target == source else f"renamed {source} to {target} ({hunks})"


def _look(folder: Folder, path: str, before: dict[str, _File], after: dict[str, _File]) -> _File:
    """A file as the patch has left it so far. Raises `PatchError` for one that may not be read."""
    if path in after:
        return after[path]
    try:
        status = folder.status(path)
        if stat.S_ISREG(status.st_mode) and status.st_size > READ_BYTES:
            raise PatchError(f"{path} is too large to patch")
        found = _File(folder.read(path, READ_BYTES), stat.S_IMODE(status.st_mode))
    except FileNotFoundError:
        found = _File(None, 0o644)
    except OSError as error:
        raise PatchError(refusal(error, path).rstrip(".")) from error
    before[path] = found
    return found


def _fitted(content: bytes, patch: FilePatch) -> bytes:
    """The content with all hunks put in. Raises `PatchError` that names the one that does not fit."""
    crlf = has_crlf(content)
    text = content.decode("utf-8", "surrogateescape")  # bytes that are not UTF-8 come back as they were
    lines = lines_of(text.replace("\r\n", "\n") if crlf else text)
    done: list[str] = []
    at = 0
    for hunk in patch.hunks:
        place = _place(lines, hunk, at, len(done) - at, patch.name)
        done += lines[at:place] + hunk.new
        at = place + len(hunk.old)
    text = "".join([*done, *lines[at:]])
    return (text.replace("\n", "\r\n") if crlf else text).encode("utf-8", "surrogateescape")


def _place(lines: list[str], hunk: Hunk, least: int, grown: int, name: str) -> int:
    """Where in `lines` a hunk begins, at or after `least`. Raises `PatchError`."""
    size = len(hunk.old)
    if not size:  # only adds: after the line it names
        place = min(hunk.start, len(lines))
        if place < least:
            raise PatchError(f"{name}, hunk {hunk.number} lies before the hunk above it; hunks go from top to bottom")
        return place
    stated = hunk.start - 1
    if stated >= least and lines[stated : stated + size] == hunk.old:
        return stated
    places = [at for at in range(least, len(lines) - size + 1) if lines[at : at + size] == hunk.old]
    if len(places) == 1:
        return places[0]
    if places:
        shown = ", ".join(str(at + 1) for at in places[:5])
        raise PatchError(
            f"{name}, hunk {hunk.number} fits at lines {shown}: say which by its line number, or give more context"
        )
    raise PatchError(_misfit(lines, hunk, least, name))


def _misfit(lines: list[str], hunk: Hunk, least: int, name: str) -> str:
    """Which line of a hunk is the first that is not in the file where most of it fits."""
    best, matched = max(least, hunk.start - 1, 0), -1
    for at in range(least, len(lines) + 1):
        count = 0
        while count < len(hunk.old) and at + count < len(lines) and lines[at + count] == hunk.old[count]:
            count += 1
        if count > matched:
            best, matched = at, count
    wanted = hunk.old[min(max(matched, 0), len(hunk.old) - 1)]
    there = lines[best + matched].rstrip("\n") if best + matched < len(lines) else None
    if matched <= 0:
        return f"{name}, hunk {hunk.number}: the line {_shown(wanted)} is not in the file where it should be"
    if there is not None and there == wanted.rstrip("\n"):
        return f"{name}, hunk {hunk.number}: the end of line {best + matched + 1} differs (is it the file's last line?)"
    found = f"line {best + matched + 1} of the file is {_shown(there)}" if there is not None else "the file ends there"
    return f"{name}, hunk {hunk.number}: it wants the line {_shown(wanted)}, but {found}"


def _shown(line: str) -> str:
    text = line.rstrip("\n").encode("utf-8", "replace").decode()
    return repr(text if len(text) <= 100 else f"{text[:100]}...")


def _carry_out(folder: Folder, before: Mapping[str, _File], after: Mapping[str, _File]) -> None:
    """Write all files; when one cannot be written, put back those that were. Raises `OSError`."""
    done: list[str] = []
    try:
        for path, file in sorted(after.items(), key=lambda item: item[1].content is None):
            done.append(path)
            _put(folder, path, file)
    except OSError:
        for path in reversed(done):
            with contextlib.suppress(OSError):
                _put(folder, path, before.get(path, _File(None, 0)))
        raise


def _put(folder: Folder, path: str, file: _File) -> None:
    if file.content is None:
        with contextlib.suppress(FileNotFoundError):
            folder.remove(path)
    else:
        folder.write(path, file.content, file.mode)
