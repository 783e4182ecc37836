"""The tool `search`: a text in the plain toolset, a regular expression and a glob in the full one.

An expression that backtracks is stopped by `regex` itself; a search reads a bounded number of bytes.
"""

from __future__ import annotations

import fnmatch
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.environments.protocol import Observation
from harness.environments.sandbox import Folder
from harness.environments.workspace.changes import is_gits_own
from harness.environments.workspace.contents import READ_BYTES, binary_type
from harness.environments.workspace.paths import printable

_MOST_HITS = 50
_LONGEST_HIT = 200
_ALL_BYTES = 64 << 20
_SECONDS = 3.0
"""For all files together."""
_CALLS_ITSELF = re.compile(r"(?<!\\)\(\?(?:R\)|[+-]?\d+\)|&|P>)")
"""What `regex` knows beyond Python's own: on the empty text such a pattern fills a gigabyte."""
_CHECKED = 10_000
"""Lines after which the clock is looked at."""


def search(folder: Folder, path: str, arguments: Mapping[str, Any], characters: int) -> Observation:
    """The lines that hold a text or match a pattern, each with its file and number."""
    deadline = time.monotonic() + _SECONDS
    try:
        if "pattern" not in arguments:
            wanted = str(arguments["text"])
            return _found(folder, path, "*", lambda line: wanted in line, characters, deadline)
        return _matching(folder, path, arguments, characters, deadline)
    except TimeoutError:
        what = "use a simpler pattern, or look in one folder" if "pattern" in arguments else "look in one folder"
        return Observation(f"The search was not done after {_SECONDS:g} seconds; {what}.", error=True)


def _matching(
    folder: Folder, path: str, arguments: Mapping[str, Any], characters: int, deadline: float
) -> Observation:  # fmt: skip
    import regex

    if _CALLS_ITSELF.search(str(arguments["pattern"])):
        return Observation("The pattern is no regular expression: a group cannot call a group.", error=True)
    try:
        compiled = regex.compile(str(arguments["pattern"]), regex.VERSION0)

        def matches(line: str) -> bool:
            left = max(deadline - time.monotonic(), 0.001)
            return compiled.search(line, timeout=left, concurrent=True) is not None

        return _found(folder, path, str(arguments.get("glob", "*")), matches, characters, deadline)
    except regex.error as error:
        return Observation(f"The pattern is no regular expression: {error}.", error=True)
    except (MemoryError, RecursionError):
        return Observation("The pattern needs too much memory; use a simpler one.", error=True)


def _found(
    folder: Folder, path: str, glob: str, matches: Callable[[str], bool], characters: int, deadline: float
) -> Observation:  # fmt: skip
    """Raises `TimeoutError` after the deadline."""
    lines: list[str] = []
    hits = looked = 0
    for name, text in _texts(folder, path, glob):
        for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
            looked += 1
            if looked % _CHECKED == 0 and time.monotonic() > deadline:
                raise TimeoutError
            if matches(line):
                hits += 1
                if hits <= _MOST_HITS and sum(map(len, lines)) <= characters:
                    lines.append(f"{printable(name)}:{number}: {line.strip()[:_LONGEST_HIT]}")
    if hits > len(lines):
        lines.append(f"[... {hits - len(lines)} more left out ...]")
    return Observation("\n".join(lines) or "No line contains it.", data={"hits": hits})


def _texts(folder: Folder, path: str, glob: str) -> Iterator[tuple[str, str]]:
    """Name and content of every text file that the glob takes, by its path or its last name."""
    left = _ALL_BYTES
    for entry in folder.walk(path):
        if not stat.S_ISREG(entry.status.st_mode) or (is_gits_own(entry.path) and not is_gits_own(path)):
            continue
        if not (fnmatch.fnmatchcase(entry.path, glob) or fnmatch.fnmatchcase(entry.path.rpartition("/")[2], glob)):
            continue
        try:
            content = folder.read(entry.path, min(READ_BYTES, left))
        except OSError:
            continue  # unreadable, or gone meanwhile: it has no lines to show
        left -= len(content)
        if binary_type(content) is None:
            yield entry.path, content.decode("utf-8", "replace")
