r"""A unified diff as a model writes it, read into what it wants done to each file.

Understood: several files; creation and deletion by `/dev/null`; git's extended headers for renaming and modes;
`\ No newline at end of file`. The numbers of lines in a hunk's header need not be right: what stands in the hunk
counts, for models count badly. Everything else must be, and an error names the file and the hunk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_PLACES = re.compile(r"@@(?: .*)?$")
_NOTHING = "/dev/null"


class PatchError(ValueError):
    """A patch that cannot be read or does not fit; the message says which part and why."""


@dataclass
class Hunk:
    """Lines to find and lines to put in their place, each with its end."""

    number: int
    """From 1, within its file."""
    start: int
    """Line of the old file, from 1, where it says it stands; 0 where it does not say."""
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


@dataclass
class FilePatch:
    """What is to become of one file."""

    source: str | None = None
    """None for a file that is created."""
    target: str | None = None
    """None for a file that is deleted."""
    executable: bool | None = None
    """None keeps the mode."""
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.target or self.source or "?"


def read_patch(text: str) -> list[FilePatch]:
    """The files a patch speaks of, in its order. Raises `PatchError`."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    reader = _Reader(lines)
    patches = reader.files()
    if not patches:
        raise PatchError("it holds no file: a patch begins with lines like '--- a/notes.txt' and '+++ b/notes.txt'")
    return patches


class _Reader:
    """Walks over the lines of a patch."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def files(self) -> list[FilePatch]:
        patches: list[FilePatch] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith("diff --git "):
                patches.append(self._with_headers_of_git())
            elif self._is_header(self._at):
                patches.append(self._named(FilePatch()))
            elif line.startswith("@@"):
                raise PatchError("a hunk comes before the names of its file ('--- a/...' and '+++ b/...')")
            else:
                self._at += 1  # words before the patch, as in a mail
        return patches

    def _with_headers_of_git(self) -> FilePatch:
        first = self._lines[self._at]
        patch = FilePatch()
        names = re.fullmatch(r"diff --git a/(.+) b/(.+)", first)
        if names is not None:
            patch.source, patch.target = names[1], names[2]
        self._at += 1
        while self._at < len(self._lines) and not self._lines[self._at].startswith(("diff --git ", "@@")):
            line = self._lines[self._at]
            if self._is_header(self._at):
                return self._named(patch)
            if line.startswith(("rename from ", "copy from ")):
                if line.startswith("copy"):
                    raise PatchError(f"{patch.name}: copies are not understood; create the new file whole")
                patch.source = line.removeprefix("rename from ")
            elif line.startswith("rename to "):
                patch.target = line.removeprefix("rename to ")
            elif line.startswith(("new file mode ", "new mode ")):
                patch.executable = line.endswith("755")
                if line.startswith("new file"):
                    patch.source = None
            elif line.startswith("deleted file mode "):
                patch.target = None
            elif line.startswith(("GIT binary patch", "Binary files ")):
                raise PatchError(f"{patch.name}: patches of binary files are not understood")
            self._at += 1
        if patch.source is None and patch.target is None:
            raise PatchError(f"'{first}' names no file")
        return patch

    def _named(self, patch: FilePatch) -> FilePatch:
        source, target = (_name(self._lines[self._at + step][4:]) for step in (0, 1))
        both = source.startswith("a/") or source == _NOTHING, target.startswith("b/") or target == _NOTHING
        if all(both):
            source, target = source.removeprefix("a/"), target.removeprefix("b/")
        patch.source = None if source == _NOTHING else source
        patch.target = None if target == _NOTHING else target
        if patch.source is None and patch.target is None:
            raise PatchError("a file is /dev/null before and after")
        self._at += 2
        while self._at < len(self._lines) and self._lines[self._at].startswith("@@"):
            patch.hunks.append(self._hunk(patch.name, len(patch.hunks) + 1))
        if not patch.hunks and patch.source is not None and patch.source == patch.target:
            raise PatchError(f"{patch.name}: no hunk follows; a hunk begins with a line like '@@ -3,4 +3,5 @@'")
        return patch

    def _hunk(self, name: str, number: int) -> Hunk:
        header = self._lines[self._at]
        counted = _HUNK.match(header)
        if counted is None and not _PLACES.match(header):
            raise PatchError(f"{name}, hunk {number}: '{header[:80]}' is no header like '@@ -3,4 +3,5 @@'")
        hunk = Hunk(number, int(counted[1]) if counted else 0)
        wanted = (int(counted[2] or 1), int(counted[4] or 1)) if counted else (0, 0)
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            complete = counted is not None and len(hunk.old) >= wanted[0] and len(hunk.new) >= wanted[1]
            if line.startswith(("@@", "diff --git ")) or self._begins_a_file(complete):
                break
            if line.startswith("\\"):
                _without_end(hunk, self._lines[self._at - 1])
            elif line == "" and complete:
                break
            elif line[:1] in ("", " ", "-", "+"):
                _take(hunk, line)
            elif complete:
                break
            else:
                raise PatchError(
                    f"{name}, hunk {number}: '{line[:80]}' begins with none of space, '-' and '+'; "
                    "a line that stays begins with a space"
                )
            self._at += 1
        if not hunk.old and not hunk.new:
            raise PatchError(f"{name}, hunk {number}: it holds no lines")
        return hunk

    def _is_header(self, at: int) -> bool:
        return (
            self._lines[at].startswith("--- ") and at + 1 < len(self._lines) and self._lines[at + 1].startswith("+++ ")
        )

    def _begins_a_file(self, complete: bool) -> bool:
        """Whether this line is a header: a removed line that begins with '-- ' looks like one."""
        after = self._at + 2
        leads_to_a_hunk = after < len(self._lines) and self._lines[after].startswith("@@")
        return self._is_header(self._at) and (complete or leads_to_a_hunk)


def _take(hunk: Hunk, line: str) -> None:
    text = f"{line[1:]}\n"
    if line[:1] != "+":
        hunk.old.append(text)
    if line[:1] != "-":
        hunk.new.append(text)


def _without_end(hunk: Hunk, line: str) -> None:
    """The line before it has no end."""
    if line[:1] != "+" and hunk.old:
        hunk.old[-1] = hunk.old[-1].removesuffix("\n")
    if line[:1] != "-" and hunk.new:
        hunk.new[-1] = hunk.new[-1].removesuffix("\n")


def _name(written: str) -> str:
    name = written.split("\t")[0].rstrip()
    return name[1:-1] if len(name) > 2 and name[0] == name[-1] == '"' else name
