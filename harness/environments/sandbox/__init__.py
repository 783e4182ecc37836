"""The sandbox: shell and files that untrusted commands may do anything in, and nothing outside of.

Stands on the standard library alone. `open_session` is the way in; `Session` lasts as long as a trial.
Built on bubblewrap with every wall named in `process`, `bubblewrap` and `seccomp`; what is read from
outside goes through `beneath`. Known gap: kernel memory behind sockets and pipes, and shared memory that
no process maps any more, is bounded only by the number of processes and descriptors.
"""

from .archive import STEADY_TIME, Archive, entries, pack, unpack
from .beneath import Entry, Folder
from .bubblewrap import WORKSPACE
from .lent import Lent
from .limits import MIB, BrokenSandboxError, Limits, NoSandboxError
from .output import HeadAndTail, Output
from .session import CommandResult, Session, open_session
from .shell import COMMAND_BYTES, LENT

__all__ = [
    "COMMAND_BYTES",
    "LENT",
    "MIB",
    "STEADY_TIME",
    "WORKSPACE",
    "Archive",
    "BrokenSandboxError",
    "CommandResult",
    "Entry",
    "Folder",
    "HeadAndTail",
    "Lent",
    "Limits",
    "NoSandboxError",
    "Output",
    "Session",
    "entries",
    "open_session",
    "pack",
    "unpack",
]
