"""Ends what a killed harness left half started.

bwrap forks into the new namespaces and lets the child wait until its ids are mapped; only then does the child ask
to die with its parent. Killed in these milliseconds, harness and outer bwrap are gone, and the child waits for ever,
before anything of the trial has run in it. The next harness that opens a sandbox ends such children here.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
from pathlib import Path

_MARK = b"__mark"
"""Stands in the script that every shell of a sandbox is started with."""


@functools.cache
def end_orphans() -> list[int]:
    """Kill sandboxes whose outer bwrap is gone, once in the life of this process; returns their process ids."""
    ended = []
    for entry in Path("/proc").iterdir():
        # Processes come and go while they are looked at, and those of others cannot be read.
        with contextlib.suppress(OSError, ValueError, StopIteration):
            if entry.name.isdecimal() and _is_orphan(entry):
                os.kill(int(entry.name), signal.SIGKILL)
                ended.append(int(entry.name))
    return ended


def _is_orphan(process: Path) -> bool:
    """The first process of a sandbox of ours whose parent is no bwrap."""
    if not _is_bwrap(process) or _MARK not in (process / "cmdline").read_bytes():
        return False
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    in_a_namespace_of_its_own = len(status["NSpid"].split()) > 1
    return in_a_namespace_of_its_own and not _is_bwrap(Path("/proc") / status["PPid"])


def _is_bwrap(process: Path) -> bool:
    return (process / "comm").read_text().strip() == "bwrap"
