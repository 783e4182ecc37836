"""File access from the host into a folder that untrusted processes fill: no link is ever followed.

Every path is resolved by the kernel with openat2 below an open folder; symbolic links, magic links, other
mounts and `..` beyond the folder are refused there, without a moment between check and use. What is
opened must be a regular file with one name; opening never blocks.

A folder can carry the numeric user it belongs to. Then the calling thread takes on that user's file
rights for the operation (`setfsuid`), so that nothing is read or written that the sandbox's own
processes could not. Call such methods in a worker thread: the switch clears a thread's parent-death signal.

Methods raise `OSError` with the errno of the refusal: ELOOP for a link, EXDEV for a way out, EISDIR,
EMLINK for a file of several names, ENXIO for anything that is neither file nor folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_OPENAT2 = 437
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_RESOLVE = _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH
_DEEPEST = 64
"""Folders below each other that a walk goes down."""

_LIBC = ctypes.PyDLL(None, use_errno=True)
"""Holds the interpreter's lock through its calls: all are short, and none blocks."""


@dataclass(frozen=True)
class Entry:
    """One name found by a walk."""

    path: str
    """Relative, with `/`; bytes that are not UTF-8 as surrogates."""
    status: os.stat_result
    link: str | None = None
    """Where a symbolic link points."""


class Folder:
    """An open folder below which paths are resolved; owns its descriptor."""

    def __init__(self, descriptor: int, owner: int | None = None) -> None:
        """Take over `descriptor`. `owner` is the user whose rights are used, None for the caller's own."""
        self._descriptor = descriptor
        self._owner = owner

    def close(self) -> None:
        """Close the descriptor; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def space(self) -> os.statvfs_result:
        """Return how much the file system of the folder holds and has left."""
        return os.fstatvfs(self._descriptor)

    def read(self, path: str, limit: int, start: int = 0) -> bytes:
        """Read at most `limit` bytes of a file, from byte `start` on."""
        with self.as_owner(), _closing(self._open_file(path, os.O_RDONLY)) as file:
            if start:
                os.lseek(file, start, os.SEEK_SET)
            return _read(file, limit)

    def status(self, path: str) -> os.stat_result:
        """Return the status of what is at a path; a symbolic link at its end is not followed."""
        with self.as_owner():
            parent, name = _split(path)
            if name == ".":
                return os.fstat(self._descriptor)
            with _closing(self._resolve(parent, os.O_PATH | os.O_DIRECTORY)) as folder:
                return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def write(self, path: str, content: bytes, mode: int | None = None, time: float | None = None) -> None:
        """Put a file in place as a whole, making folders on the way; an existing file keeps its mode.

        The file appears under its name only when it is complete, so a full disk loses nothing.
        """
        with self.as_owner():
            parent, name = _split(path)
            with _closing(self._make_folders(parent)) as folder:
                if mode is None:
                    mode = _mode_to_replace(folder, name)
                temporary = f".{os.getpid()}-{os.urandom(6).hex()}.part"
                try:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                    with _closing(os.open(temporary, flags, 0o600, dir_fd=folder)) as file:
                        _write(file, content)
                        os.fchmod(file, mode & 0o777)
                        if time is not None:
                            os.utime(file, (time, time))
                    os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                except OSError:
                    with contextlib.suppress(OSError):
                        os.unlink(temporary, dir_fd=folder)
                    raise

    def remove(self, path: str) -> None:
        """Remove a regular file; of a file of several names, this one."""
        with self.as_owner():
            parent, name = _split(path)
            with _closing(self._resolve(parent, os.O_PATH | os.O_DIRECTORY)) as folder:
                kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
                if not stat.S_ISREG(kind):
                    refusal = errno.EISDIR if stat.S_ISDIR(kind) else errno.ENXIO
                    raise OSError(refusal, os.strerror(refusal), path)
                os.unlink(name, dir_fd=folder)

    def make_folder(self, path: str, mode: int = 0o755) -> None:
        """Make a folder and those above it; one that is there stays."""
        with self.as_owner(), _closing(self._make_folders(path)) as folder:
            if mode != 0o755:
                Path(f"/proc/self/fd/{folder}").chmod(mode & 0o777)

    def open_folder(self, path: str) -> int:
        """Open a folder, making what is missing on the way; returns a descriptor that the caller closes."""
        with self.as_owner():
            return self._make_folders(path)

    def date_folders(self, time: float) -> None:
        """Date every folder, this one too, as `write` dates files."""
        below = [entry.path for entry in self.walk() if stat.S_ISDIR(entry.status.st_mode)]
        for path in (".", *below):
            with self.as_owner(), _closing(self._resolve(path, os.O_RDONLY | os.O_DIRECTORY)) as folder:
                os.utime(folder, (time, time))

    def make_link(self, path: str, target: str) -> None:
        """Make a symbolic link, whose target is not looked at."""
        with self.as_owner():
            parent, name = _split(path)
            with _closing(self._make_folders(parent)) as folder:
                os.symlink(target, name, dir_fd=folder)

    def clear_the_way(self, path: str) -> None:
        """Remove every symbolic link and special file that a path would lead through or replace."""
        with self.as_owner():
            parts = _parts(path)
            for depth in range(1, len(parts) + 1):
                above = "/".join(parts[: depth - 1]) or "."
                try:
                    with _closing(self._resolve(above, os.O_PATH | os.O_DIRECTORY)) as folder:
                        kind = os.stat(parts[depth - 1], dir_fd=folder, follow_symlinks=False).st_mode
                        last = depth == len(parts)
                        if not (stat.S_ISDIR(kind) or (last and stat.S_ISREG(kind))):
                            os.unlink(parts[depth - 1], dir_fd=folder)
                except FileNotFoundError:
                    return

    def walk(self, start: str = ".") -> Iterator[Entry]:
        """Yield everything below a folder, sorted by name level by level, folders before their content.

        Folders that cannot be read, or lie too deep, are yielded and not entered.
        """
        with self.as_owner():
            top = self._resolve(start, os.O_RDONLY | os.O_DIRECTORY)
        prefix = "/".join(_parts(start))
        yield from self._walk(top, prefix, 0)

    def open_beneath(self, path: str) -> int:
        """Open a file, of several names too, for packing; made readable to its owner where it is not.

        Returns a descriptor that the caller closes.
        """
        with self.as_owner():
            try:
                return self._open_file(path, os.O_RDONLY, one_name=False)
            except PermissionError:
                self._grant(path, 0o600)
                return self._open_file(path, os.O_RDONLY, one_name=False)

    def _walk(self, folder: int, prefix: str, depth: int) -> Iterator[Entry]:
        with _closing(folder):
            with self.as_owner():
                names = sorted(os.listdir(folder))
            for name in names:
                path = f"{prefix}/{name}" if prefix else name
                inner = None
                with self.as_owner():
                    try:
                        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                        link = os.readlink(name, dir_fd=folder) if stat.S_ISLNK(status.st_mode) else None
                        if stat.S_ISDIR(status.st_mode) and depth < _DEEPEST:
                            inner = self._enter(folder, name)
                    except OSError:
                        continue  # gone or changed since it was listed
                yield Entry(path, status, link)
                if inner is not None:
                    yield from self._walk(inner, path, depth + 1)

    def _enter(self, folder: int, name: str) -> int | None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(name, flags, dir_fd=folder)
        except PermissionError:
            handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            with _closing(handle), contextlib.suppress(OSError):
                Path(f"/proc/self/fd/{handle}").chmod(0o700)
                return os.open(name, flags, dir_fd=folder)
            return None

    def _grant(self, path: str, mode: int) -> None:
        with _closing(self._resolve(path, os.O_PATH | os.O_NOFOLLOW)) as handle:
            if stat.S_ISREG(os.fstat(handle).st_mode):
                Path(f"/proc/self/fd/{handle}").chmod(mode)

    def _open_file(self, path: str, flags: int, *, one_name: bool = True) -> int:
        file = self._resolve(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
        status = os.fstat(file)
        refusal = None
        if stat.S_ISDIR(status.st_mode):
            refusal = errno.EISDIR
        elif not stat.S_ISREG(status.st_mode):
            refusal = errno.ENXIO
        elif one_name and status.st_nlink != 1:
            refusal = errno.EMLINK
        if refusal is not None:
            os.close(file)
            raise OSError(refusal, os.strerror(refusal), path)
        return file

    def _make_folders(self, path: str) -> int:
        """Open a folder, making what is missing on the way."""
        at = self._resolve(".", os.O_PATH | os.O_DIRECTORY)
        for part in _parts(path):
            with contextlib.suppress(FileExistsError):
                try:
                    os.mkdir(part, 0o755, dir_fd=at)
                except FileExistsError:
                    raise
                except OSError:
                    os.close(at)
                    raise
            with _closing(at):
                at = _openat2(at, part, os.O_PATH | os.O_DIRECTORY)
        return at

    def _resolve(self, path: str, flags: int) -> int:
        return _openat2(self._descriptor, "/".join(_parts(path)) or ".", flags)

    @contextlib.contextmanager
    def as_owner(self) -> Iterator[None]:
        """Give this thread the owner's file rights, once for many operations; nothing may be awaited inside."""
        if self._owner is None or os.geteuid() != 0 or _LIBC.setfsuid(-1) == self._owner:
            yield
            return
        _LIBC.setfsgid(self._owner)
        _LIBC.setfsuid(self._owner)
        try:
            if _LIBC.setfsuid(-1) != self._owner:
                raise OSError(errno.EPERM, "cannot take on the sandbox user's file rights")
            yield
        finally:
            _LIBC.setfsuid(0)
            _LIBC.setfsgid(os.getegid())


class Placing:
    """Puts many new files below a folder that nobody else writes to meanwhile: each parent is opened once in a row."""

    def __init__(self, folder: Folder) -> None:
        """Open nothing yet."""
        self._folder = folder
        self._parent: str | None = None
        self._descriptor = -1

    def place(self, path: str, content: bytes, mode: int, time: float) -> None:
        """Put a file in place; where something is already, as `Folder.write` does."""
        parent, _, name = path.rpartition("/")
        plain = not path.startswith("/") and name not in ("", ".", "..") and "\0" not in name
        if not (plain and self._created(parent, name, content, mode, time)):
            self._folder.write(path, content, mode, time)

    def _created(self, parent: str, name: str, content: bytes, mode: int, time: float) -> bool:
        if parent != self._parent:
            self.close()
            self._descriptor, self._parent = self._folder.open_folder(parent or "."), parent
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._folder.as_owner():
            try:
                file = os.open(name, flags, 0o600, dir_fd=self._descriptor)
            except FileExistsError:
                return False
            try:
                with _closing(file):
                    _write(file, content)
                    os.fchmod(file, mode & 0o777)
                    os.utime(file, (time, time))
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=self._descriptor)
                raise
        return True

    def close(self) -> None:
        """Close the parent that is open."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._parent = -1, None

    def __enter__(self) -> Placing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_supported() -> bool:
    """Say whether the kernel has openat2 (Linux 5.6 or newer, not filtered away)."""
    with _closing(os.open("/", os.O_PATH | os.O_CLOEXEC)) as root:
        try:
            os.close(_openat2(root, ".", os.O_PATH))
        except OSError:
            return False
    return True


def _openat2(folder: int, path: str, flags: int) -> int:
    how = struct.pack("=QQQ", flags | os.O_CLOEXEC, 0, _RESOLVE)
    name = os.fsencode(path)
    for _ in range(16):  # EAGAIN: a rename elsewhere made the kernel unsure; it asks to be asked again
        result = _LIBC.syscall(_OPENAT2, folder, name, how, len(how))
        if result >= 0:
            return int(result)
        error = ctypes.get_errno()
        if error not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(error, os.strerror(error), path)


def _parts(path: str) -> list[str]:
    """Split a relative path. Raises `OSError` for an absolute path, `..` or NUL."""
    if path.startswith("/"):
        raise OSError(errno.EXDEV, "the path must be relative", path)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise OSError(errno.EXDEV, "the path must not hold '..'", path)
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        raise OSError(errno.EINVAL, "the path is not valid text", ascii(path)) from None
    if b"\0" in encoded:
        raise OSError(errno.EINVAL, "a path cannot hold a NUL byte", path)
    return parts


def _split(path: str) -> tuple[str, str]:
    parts = _parts(path)
    return ("/".join(parts[:-1]) or ".", parts[-1]) if parts else (".", ".")


def _mode_to_replace(folder: int, name: str) -> int:
    if name == ".":
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return 0o644
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), name)
    return stat.S_IMODE(status.st_mode)


def _read(file: int, limit: int) -> bytes:
    chunks: list[bytes] = []
    left = limit
    while left > 0 and (chunk := os.read(file, min(left, 1 << 20))):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def _write(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
