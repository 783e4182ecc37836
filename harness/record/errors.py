"""What can go wrong with a record, in one line that says where and how to mend it."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.spec.base import UserError


class RecordError(UserError):
    """The record of a sweep cannot be read or written."""


_BY_NAME = {
    "SQLITE_FULL": "the disk is full; nothing half-written is left, free some space and run the same command again",
    "SQLITE_READONLY": "it is read-only; make the folder writable, or copy it to one that is",
    "SQLITE_CANTOPEN": "it cannot be opened; look at the permissions of the folder",
    "SQLITE_PERM": "it may not be opened; look at the permissions of the folder",
    "SQLITE_AUTH": "it may not be opened; look at the permissions of the folder",
    "SQLITE_NOTADB": "it is not a record of this harness; restore it from a copy, or move it away and run again",
    "SQLITE_CORRUPT": "it is damaged; restore it from a copy, or save what can be read with `sqlite3 FILE .recover`",
    "SQLITE_BUSY": "another process holds it; wait for that process, or end it",
    "SQLITE_LOCKED": "another process holds it; wait for that process, or end it",
    "SQLITE_IOERR": "the disk cannot be read or written",
    "SQLITE_TOOBIG": "one trial is too large to be recorded (2 GB is the limit)",
}


@contextmanager
def attributed(path: Path, doing: str = "") -> Iterator[None]:
    """Turn what SQLite and the file system raise about `path` into a `RecordError`; `doing` says what was lost."""
    prefix = f"{path}: {doing + ': ' if doing else ''}"
    try:
        yield
    except sqlite3.Error as error:
        raise RecordError(prefix + _reason(error)) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise RecordError(prefix + (_BY_NAME["SQLITE_FULL"] if full else (error.strerror or str(error)))) from error


def _reason(error: sqlite3.Error) -> str:
    name = str(getattr(error, "sqlite_errorname", ""))
    primary = "_".join(name.split("_")[:2])
    known = _BY_NAME.get(name) or _BY_NAME.get(primary)
    if known is None:
        return f"{error} ({name})" if name else str(error)
    return f"{known} ({error})"
