"""Where weights are kept, locks between processes, and digests that are not computed twice.

The folder is `$HARNESS_MODELS_DIR`, or `models` in the user's cache folder. A file is in its place only when it is
whole: it is written elsewhere in the folder and renamed after its digest was found right.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

CHUNK = 1 << 20


def models_folder() -> Path:
    """Where weights are kept; the folder need not exist yet."""
    chosen = os.environ.get("HARNESS_MODELS_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("scaffold-harness", appauthor=False)) / "models"


@contextlib.contextmanager
def exclusive(name: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock `name` of the models folder; it falls with the process that holds it.

    `waiting` is called once when another process has it.
    """
    import fcntl

    folder = models_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def file_sha256(path: Path, interrupted: Callable[[], bool] = lambda: False) -> str:
    """SHA-256 of a file's content, in hex. Raises `OSError`, and `InterruptedError` when `interrupted()` comes true."""
    seen = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            seen.update(chunk)
            if interrupted():
                raise InterruptedError(f"reading {path} was interrupted")
    return seen.hexdigest()


def remembered_sha256(path: Path) -> str:
    """SHA-256 of a file, computed once and again when its size or time of change is another. Raises `OSError`."""
    path = path.resolve()
    status = path.stat()
    facts = {"path": str(path), "size": status.st_size, "changed_ns": status.st_mtime_ns}
    note = models_folder() / "digests" / f"{hashlib.sha256(str(path).encode()).hexdigest()[:24]}.json"
    try:
        known = json.loads(note.read_text("utf-8"))
        if isinstance(known, dict) and {key: known.get(key) for key in facts} == facts:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError):
        pass  # nothing remembered, or nothing that can be read: compute it
    digest = file_sha256(path)
    remember_sha256(path, digest)
    return digest


def remember_sha256(path: Path, digest: str) -> None:
    """Note the digest of a file just read or written whole; a folder that takes no notes is no error."""
    path = path.resolve()
    status = path.stat()
    facts = {"path": str(path), "size": status.st_size, "changed_ns": status.st_mtime_ns, "sha256": digest}
    folder = models_folder() / "digests"
    note = folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:24]}.json"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        part = note.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(facts), "utf-8")
        part.replace(note)
