"""Looks for what a closed world left behind: processes, threads, open files and sockets, files on disk.

While looking, this process takes in the orphans of its children (PR_SET_CHILD_SUBREAPER), so that one which put
itself in the background is seen too, and temporary files go into a folder of their own.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECONDS = 5.0
"""How long what is ending may take to be gone."""
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Inventory:
    """What there is at one moment."""

    processes: dict[int, str]
    """Descendants of this process that run, by pid, with their names."""
    threads: frozenset[str]
    files: dict[int, str]
    """Open file descriptors of this process and what they are."""
    temporary: frozenset[str]
    """Entries of the folder for temporary files."""

    def more_than(self, before: Inventory) -> list[str]:
        """What is here and was not there before, each in a few words."""
        found = [f"process {name}" for pid, name in sorted(self.processes.items()) if pid not in before.processes]
        found += [f"thread {name}" for name in sorted(self.threads - before.threads)]
        new = [what for number, what in sorted(self.files.items()) if before.files.get(number) != what]
        if len(self.files) > len(before.files):
            found += [f"open {what}" for what in new]
        return found + [f"temporary file {name}" for name in sorted(self.temporary - before.temporary)]


def take_inventory() -> Inventory:
    """Look now."""
    temporary = Path(tempfile.gettempdir())
    return Inventory(
        processes=_descendants(),
        # asyncio's own pool belongs to the loop and stays.
        threads=frozenset(f"{t.name} ({t.ident})" for t in threading.enumerate() if not t.name.startswith("asyncio_")),
        files=_open_files(),
        temporary=frozenset(path.name for path in temporary.iterdir()),
    )


async def leftovers(before: Inventory) -> list[str]:
    """What there is more than before, once what is ending has had its time."""
    waited = 0.0
    while (found := take_inventory().more_than(before)) and waited < SECONDS:
        await asyncio.sleep(0.05)
        waited += 0.05
    return found


@contextmanager
def under_watch() -> Iterator[None]:
    """Orphans come to this process, and temporary files to a folder of their own, which is gone afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Short, because sockets of Unix have paths of at most 107 characters.
    folder = tempfile.mkdtemp(prefix="hc-")
    # Whoever a server of the scenario runs as must be able to come in.
    Path(folder).chmod(0o755)
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = folder
    os.environ["TMPDIR"] = folder
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        tempfile.tempdir = before
        if variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = variable
        shutil.rmtree(folder, ignore_errors=True)


def _descendants() -> dict[int, str]:
    parents: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue  # gone meanwhile
            name, _, rest = text.partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            if state != "Z":  # one that has ended, and that nobody has asked after
                parents[int(entry.name)] = (int(parent), name)
    own, found = os.getpid(), dict[int, str]()
    for pid, (_, name) in parents.items():
        above, steps = pid, 0
        while above in parents and above != own and steps < len(parents):
            above, steps = parents[above][0], steps + 1
        if above == own and pid != own:
            found[pid] = name
    return found


def _open_files() -> dict[int, str]:
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[int(entry.name)] = str(entry.readlink())
        except OSError:
            continue  # that of the listing itself
    return found
