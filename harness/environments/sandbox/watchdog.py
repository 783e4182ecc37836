"""How much a tree of processes uses, read from /proc; a reading costs some tens of microseconds a process."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .limits import MIB, Limits

_STATUS = re.compile(r"^(RssAnon|RssShmem|Threads):\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Usage:
    """One reading."""

    processes: int
    threads: int
    memory_bytes: int
    """Resident, without pages of files."""


def tree(root: int) -> list[int]:
    """Return the process and all its descendants; those that end meanwhile are left out."""
    found: list[int] = []
    ahead = [root]
    while ahead:
        process = ahead.pop()
        found.append(process)
        try:
            for task in Path(f"/proc/{process}/task").iterdir():
                ahead += map(int, (task / "children").read_text().split())
        except (OSError, ValueError):
            continue
    return found


def measure(root: int) -> Usage:
    """Add up what the tree below `root` uses."""
    processes = tree(root)
    threads = memory = 0
    for process in processes:
        try:
            said = dict(_STATUS.findall(Path(f"/proc/{process}/status").read_text()))
        except OSError:
            continue
        threads += int(said.get("Threads", 1))
        memory += 1024 * (int(said.get("RssAnon", 0)) + int(said.get("RssShmem", 0)))
    return Usage(len(processes), threads, memory)


def overrun(limits: Limits, usage: Usage, workspace: os.statvfs_result, others: list[os.statvfs_result]) -> str | None:
    """Say which limit is passed, in words for the one who passed it; None while all is well.

    `others` are the memory file systems beside the workspace; what lies in them counts as memory.
    """
    memory = usage.memory_bytes + sum((fs.f_blocks - fs.f_bfree) * fs.f_frsize for fs in others)
    if memory > limits.memory_bytes:
        return f"more than {limits.memory_bytes // MIB} MB of memory was used"
    if usage.threads > limits.processes + 8:  # the kernel stops it first, except where it does not count
        return f"more than {limits.processes} processes were started"
    if any(fs.f_files - fs.f_ffree > limits.files for fs in (workspace, *others)):
        return f"more than {limits.files} files were made"
    return None
