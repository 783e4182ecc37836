"""A folder as a tar archive and back, without trusting a name, a link or a kind of file on either way.

An archive holds regular files, folders and symbolic links (as links), sorted, owned by user 0; without
times it depends on names, modes and contents alone. Sockets, pipes and devices are left out; a file of
several names becomes several files. Unpacking takes archives from anywhere: nothing is written outside.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from .beneath import Entry, Folder, Placing

STEADY_TIME = 1_767_225_600
"""2026-01-01T00:00:00Z: what initial files are dated, so that listings come out the same everywhere."""


@dataclass(frozen=True)
class Archive:
    """A folder, packed."""

    data: bytes
    truncated: bool
    """Something did not fit and was left out."""


def pack(folder: Folder, limit: int, *, times: bool = False, names: list[str] | None = None) -> Archive:
    """Pack a folder into at most `limit` bytes of content and headers.

    `times` keeps modification times (whole seconds); with `names` only those files right in it are packed.
    """
    buffer = io.BytesIO()
    truncated = False
    left = limit
    tar = tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape")  # noqa: SIM115
    with folder.as_owner(), tar:
        for entry in folder.walk() if names is None else _named(folder, names):
            header = _header(entry, times)
            if header is None:
                continue
            content = None
            if header.isreg():
                if entry.status.st_size > left:
                    truncated = True
                    continue
                content = _content(folder, entry.path, left)
                if content is None:
                    truncated = True
                    continue
                header.size = len(content)
            left -= header.size + tarfile.BLOCKSIZE
            if left < 0:
                return Archive(_finished(tar, buffer), True)
            tar.addfile(header, None if content is None else io.BytesIO(content))
    return Archive(buffer.getvalue(), truncated)


def unpack(folder: Folder, data: bytes, *, time: int | None = None) -> None:
    """Write an archive's files, folders and links below `folder`.

    `time` dates every file (seconds since 1970); without it the archive's own times are kept. Raises
    `ValueError` for what is no archive, and `OSError` when a name leads out or the disk is full.
    """
    with folder.as_owner():
        _unpack(folder, data, time)


def _unpack(folder: Folder, data: bytes, time: int | None) -> None:
    modes: list[tuple[str, int]] = []
    with Placing(folder) as placing:
        for header, content in entries(data):
            if header.isdir():
                folder.make_folder(header.name)
                modes.append((header.name, header.mode))
            elif header.issym():
                folder.clear_the_way(header.name)
                folder.make_link(header.name, header.linkname)
            else:
                placing.place(header.name, content, header.mode, _sane_time(header) if time is None else time)
    for path, mode in reversed(modes):
        if mode & 0o777 != 0o755:
            folder.make_folder(path, mode)


def entries(data: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield header and content of every file, folder and symbolic link. Raises `ValueError` for bad data."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:", errors="surrogateescape") as tar:
            for header in tar:
                if header.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and header.sparse is None:
                    content = data[header.offset_data : header.offset_data + header.size]
                    if len(content) != header.size:
                        raise tarfile.ReadError(f"{header.name} is cut off")
                    yield header, content
                elif header.isdir() or header.issym():
                    yield header, b""
    except tarfile.TarError as error:
        raise ValueError(f"not a workspace archive: {error}") from error


def _sane_time(header: tarfile.TarInfo) -> int:
    """Return a member's time as a file system takes it; an archive from elsewhere may say anything."""
    return int(min(max(header.mtime, 0), 1 << 33))


def _named(folder: Folder, names: list[str]) -> Iterator[Entry]:
    for name in names:
        yield Entry(name, folder.status(name))


def _header(entry: Entry, times: bool) -> tarfile.TarInfo | None:
    kind = entry.status.st_mode
    header = tarfile.TarInfo(entry.path)
    header.mode = stat.S_IMODE(kind) & 0o777
    header.mtime = int(entry.status.st_mtime) if times else 0
    if stat.S_ISDIR(kind):
        header.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(kind):
        header.type = tarfile.SYMTYPE
        header.linkname = entry.link or ""
        header.mode = 0o777
    elif not stat.S_ISREG(kind):
        return None
    return header


def _content(folder: Folder, path: str, limit: int) -> bytes | None:
    """Return a file's whole content, or None when it cannot be read or outgrows `limit`."""
    try:
        file = folder.open_beneath(path)
    except OSError:
        return None
    with os.fdopen(file, "rb") as stream:
        content = stream.read(limit + 1)
    return content if len(content) <= limit else None


def _finished(tar: tarfile.TarFile, buffer: io.BytesIO) -> bytes:
    tar.close()
    return buffer.getvalue()
