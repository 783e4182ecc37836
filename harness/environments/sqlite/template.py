"""Databases built from scripts: built once in a process, then copied for each trial."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from harness.environments.protocol import EnvironmentFault
from harness.environments.sqlite.database import Database, RefusedError
from harness.environments.sqlite.guard import Bounds, trusted

KEPT = 32
"""Images kept in a process."""


@dataclass(frozen=True)
class Script:
    """SQL that builds a database, or adds to one."""

    label: str
    """Where it stands, for messages."""
    sql: str


_images: OrderedDict[str, bytes] = OrderedDict()
_lock = threading.Lock()


def build_image(scripts: Sequence[Script], bounds: Bounds, now: str) -> bytes:
    """Return the image of a database on which `scripts` were run in order; blocking.

    Raises `EnvironmentFault` with the place of a statement that fails.
    """
    key = hashlib.sha256(repr(([script.sql for script in scripts], bounds, now)).encode(errors="replace")).hexdigest()
    with _lock:
        if key in _images:
            _images.move_to_end(key)
            return _images[key]
    image = _build(scripts, bounds, now)
    with _lock:
        _images[key] = image
        while len(_images) > KEPT:
            _images.popitem(last=False)
    return image


def _build(scripts: Sequence[Script], bounds: Bounds, now: str) -> bytes:
    database = Database(b"", trusted(bounds), now=now, seed=0)
    try:
        # A database nothing was ever written to has no image.
        database.query("PRAGMA user_version = 1")
        database.query("PRAGMA user_version = 0")
        for script in scripts:
            if script.sql.strip():
                _run(database, script)
        return database.image()
    finally:
        database.close()


def _run(database: Database, script: Script) -> None:
    try:
        database.run(script.sql, "build")
    except RefusedError as error:
        raise EnvironmentFault(f"{script.label}:{error.line}: {error}") from None
