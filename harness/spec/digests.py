"""Content hashes: what makes two files the same experiment.

A digest is the SHA-256 of canonical JSON: keys sorted, no white space, everything else exactly as it is
(unlike the canonical form of an action, white space inside strings counts: it is part of a prompt).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel


def digest(value: object) -> str:
    """SHA-256, 64 hex digits, of plain data; pydantic models count without what equals their defaults.

    Raises `TypeError` or `ValueError` for what JSON cannot say.
    """
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def prefix_digests(values: Iterable[object]) -> list[str]:
    """Digests of the first 0, 1, 2, ... of these values, each as `digest` of a list of them, all in one pass.

    Raises `TypeError` or `ValueError` for what JSON cannot say.
    """
    running = hashlib.sha256(b"[")
    found = [hashlib.sha256(b"[]").hexdigest()]
    for place, value in enumerate(values):
        running.update(b"," if place else b"")
        running.update(_canonical(value).encode())
        closed = running.copy()
        closed.update(b"]")
        found.append(closed.hexdigest())
    return found


def trial_seed(scenario: str, task: str, repeat: int) -> int:
    """Seed of a trial, in [0, 2**31): the same for all models and scaffolds, so that trials pair up."""
    text = json.dumps([scenario, task, repeat], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def data_digest(path: Path, *, named: bool = False) -> str:
    """Hash of a data file or folder by content.

    A file counts by content and suffix, and by its name where `named`; a folder by the relative path,
    content and executable bit of every file in it.
    """
    if path.is_dir():
        return digest([[relative, _file_hash(file), _executable(file)] for relative, file in data_files(path)])
    name = path.name if named else path.suffix.lower()
    return digest([name, _file_hash(path), *([_executable(path)] if named else [])])


def data_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files below a data folder as (relative POSIX path, path), sorted; byte code left behind by Python is no data.

    Links to folders are named and not followed.
    """
    found = []
    for parent, folders, files in os.walk(folder):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = [name for name in folders if name != "__pycache__" and name not in linked]
        found += [Path(parent, name) for name in (*files, *linked) if not name.endswith(".pyc")]
    yield from sorted((path.relative_to(folder).as_posix(), path) for path in found)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    raise TypeError(f"{type(value).__name__} is no plain data")


def _executable(path: Path) -> bool:
    return os.access(path, os.X_OK)


def _file_hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
