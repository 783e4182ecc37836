"""What one sandbox may use, and the two ways in which a sandbox can fail its user."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds on everything inside one sandbox together, unless a line says otherwise."""

    memory_bytes: int = 512 * MIB
    """Resident memory of all processes plus what lies in memory file systems outside the workspace."""
    disk_bytes: int = 64 * MIB
    """The workspace; `/tmp` has as much again."""
    files: int = 20_000
    """Inodes in the workspace, and as many in `/tmp`."""
    processes: int = 128
    """Processes and threads."""
    open_files: int = 256
    """Per process."""
    address_space: bool = True
    """Whether each process may reserve no more than twice the memory; not for programs that reserve far more than
    they use, such as Node.js. What all use together is bounded either way."""


class NoSandboxError(Exception):
    """No sandbox can be had on this machine; the message says in one line how to mend that."""


class BrokenSandboxError(Exception):
    """A sandbox did not come up, or did not do what it must; one line."""
