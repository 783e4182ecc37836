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
from harness.environments.workspace.file_tools.patch_text import FilePatch, Hunk, PatchError, read_patch
from harness.environments.workspace.paths import refusal, relative

_MOST_FILES = 100
_MOST_LOOKS = 1_000_000
"""Lines that are looked at, in a patch, for hunks that do not lie where they say."""


@dataclass
class _File:
    """A file in the course of patching; None where there is none."""

    content: bytes | None
    mode: int


@dataclass
class _Looks:
    """How many lines may still be looked at: a patch of many hunks on a long file must come to an end."""

    left: int


def apply_patch(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """Carry out a patch."""
    text = str(arguments["patch"]).encode("utf-8", "replace").decode()
    try:
        patches = read_patch(text)
        if len(patches) > _MOST_FILES:
            raise PatchError(f"it changes {len(patches)} files; at most {_MOST_FILES} at once")
        before: dict[str, _File] = {}
        after: dict[str, _File] = {}
        looks = _Looks(_MOST_LOOKS)
        said = [_patched(folder, patch, before, after, looks) for patch in patches]
    except PatchError as error:
        return Observation(f"Nothing was changed: {error}.", error=True)
    _carry_out(folder, before, after)
    text = "\n".join(said)
    shown = text if len(text) <= characters else f"{text[:characters]}\n[...]"
    return Observation(f"Patched:\n{shown}", data={"files": len(patches)})


def _patched(
    folder: Folder, patch: FilePatch, before: dict[str, _File], after: dict[str, _File], looks: _Looks
) -> str:  # fmt: skip
    """Work one file's patch into `after`; says in a line what it does. Raises `PatchError`."""
    source, target = (relative(name) if name is not None else None for name in (patch.source, patch.target))
    if source is None and target is not None:
        if _look(folder, target, before, after).content is not None:
            raise PatchError(f"{target} is to be created, but it is there already")
        content = _fitted(b"", patch, looks)
        after[target] = _File(content, 0o755 if patch.executable else 0o644)
        return f"created {target}"
    if source is None:
        raise PatchError("a file is /dev/null before and after")
    old = _look(folder, source, before, after)
    if old.content is None:
        raise PatchError(f"{source} is to be changed, but there is no such file")
    content = _fitted(old.content, patch, looks)
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


def _fitted(content: bytes, patch: FilePatch, looks: _Looks) -> bytes:
    """The content with all hunks put in. Raises `PatchError` that names the one that does not fit."""
    crlf = has_crlf(content)
    text = content.decode("utf-8", "surrogateescape")  # bytes that are not UTF-8 come back as they were
    lines = lines_of(text.replace("\r\n", "\n") if crlf else text)
    done: list[str] = []
    at = 0
    for hunk in patch.hunks:
        place = _place(lines, hunk, at, patch.name, looks)
        done += lines[at:place] + hunk.new
        at = place + len(hunk.old)
    text = "".join([*done, *lines[at:]])
    return (text.replace("\n", "\r\n") if crlf else text).encode("utf-8", "surrogateescape")


def _place(lines: list[str], hunk: Hunk, least: int, name: str, looks: _Looks) -> int:
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
    looks.left -= len(lines) - least + size
    if looks.left < 0:
        raise PatchError(f"{name}, hunk {hunk.number} is not where it says, and the file is too long to look for it")
    fitting = _fitting_from(lines, hunk.old, least)
    places = [least + at for at, count in enumerate(fitting) if count == size]
    if len(places) == 1:
        return places[0]
    if places:
        shown = ", ".join(str(at + 1) for at in places[:5])
        raise PatchError(
            f"{name}, hunk {hunk.number} fits at lines {shown}: say which by its line number, or give more context"
        )
    raise PatchError(_misfit(lines, hunk, least, name, fitting))


def _fitting_from(lines: list[str], old: list[str], least: int) -> list[int]:
    """For every place in `lines` from `least` on, how many lines of `old` stand there.

    The Z algorithm (Gusfield 1997), linear in both: a hunk of many like lines on a file of many such would take hours.
    """
    text: list[str | None] = [*old, None, *lines[least:]]
    size = len(text)
    reach = [0] * size
    left = right = 0
    for at in range(1, size):
        count = min(right - at, reach[at - left]) if at < right else 0
        while at + count < size and text[count] == text[at + count]:
            count += 1
        reach[at] = count
        if at + count > right:
            left, right = at, at + count
    return reach[len(old) + 1 :]


def _misfit(lines: list[str], hunk: Hunk, least: int, name: str, fitting: list[int]) -> str:
    """Which line of a hunk is the first that is not in the file where most of it fits."""
    matched = max(fitting, default=0)
    best = least + fitting.index(matched) if fitting else max(least, hunk.start - 1, 0)
    wanted = hunk.old[min(matched, len(hunk.old) - 1)]
    there = lines[best + matched].rstrip("\n") if best + matched < len(lines) else None
    if not matched:
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
