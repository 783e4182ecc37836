"""One numeric user per sandbox, for a harness that runs as root.

The kernel counts processes per user, so two sandboxes must never share one. A user is held by a lock on
a file in a folder that only root may enter; the lock goes with the process that holds it, however that
ends, and is seen by every harness on the machine.
"""

from __future__ import annotations

import fcntl
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from .limits import BrokenSandboxError

_LOCKS = Path("/run/scaffold-harness-users")
_FIRST, _LAST = 60706, 61183
"""A range that Debian and systemd leave to nobody (systemd: Users, Groups, UIDs and GIDs)."""


@dataclass
class User:
    """A numeric user held for one sandbox."""

    uid: int
    _lock: int

    def release(self) -> None:
        """Give the user back; may be called twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def hold_user(locks: Path = _LOCKS) -> User:
    """Hold a user that no other sandbox on this machine has. Only for root.

    Raises `BrokenSandboxError` when all are held or the folder of locks is not root's alone.
    """
    locks.mkdir(mode=0o700, exist_ok=True)
    status = locks.lstat()
    if status.st_uid != 0 or status.st_mode & 0o077 or not locks.is_dir() or locks.is_symlink():
        raise BrokenSandboxError(f"{locks} must be a folder that only root can enter; remove it and try again")
    span = _LAST - _FIRST + 1
    start = os.getpid() % span
    for step in range(span):
        uid = _FIRST + (start + step) % span
        lock = os.open(locks / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        if _is_somebody(uid):
            os.close(lock)
            continue
        return User(uid, lock)
    raise BrokenSandboxError(f"all {span} users for sandboxes are taken; run fewer trials at once")


def _is_somebody(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
