"""One writer for each sweep folder.

The lock is the kernel's (`flock` on `writer.lock`), so it ends with the process that holds it, however that process
ends. The file names the holder, for the message that others get. Readers never ask for it.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from harness.record.errors import RecordError, attributed

LOCK_NAME = "writer.lock"


class WriterLock:
    """Held from the moment it is made until `release`, or the end of the process.

    Raises `RecordError` naming the process that holds the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK_NAME
        self._descriptor: int | None = None
        with attributed(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 40, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                reason = f"{error.strerror}; keep the results on a file system that has file locks"
                raise RecordError(f"{self.path}: {reason}") from error
            who = "this process" if holder == str(os.getpid()) else f"process {holder or 'unknown'}"
            raise RecordError(f"{folder}: {who} is writing here; wait for it to end, or end it") from error
        try:
            with attributed(self.path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except RecordError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others write; may be called twice. The file stays: removing it would race with the next holder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
