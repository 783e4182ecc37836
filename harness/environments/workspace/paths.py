"""Paths as a model writes them, and what is said when one is refused."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType

from harness.environments.protocol import Observation
from harness.environments.sandbox import WORKSPACE

_REFUSALS: Mapping[int, str] = MappingProxyType(
    {
        errno.ENOENT: "There is no file '{path}'.",
        errno.ENOTDIR: "'{path}' leads through a file, not a folder.",
        errno.EISDIR: "'{path}' is a folder.",
        errno.ELOOP: "'{path}' leads through a symbolic link; links are not followed here.",
        errno.EXDEV: "'{path}' lies outside the workspace.",
        errno.EMLINK: "'{path}' is a file with several names (hard links); it is not touched here.",
        errno.ENXIO: "'{path}' is not an ordinary file.",
        errno.EACCES: "'{path}' may not be read or written.",
        errno.EPERM: "'{path}' may not be read or written.",
        errno.ENOSPC: "The disk is full.",
        errno.EDQUOT: "The disk is full.",
        errno.ENAMETOOLONG: "The path is too long.",
        errno.EINVAL: "'{path}' is not a valid path.",
    }
)


def relative(path: str) -> str:
    """Return a path as relative to the workspace, one file always the same; one that lies elsewhere as it is."""
    if path == WORKSPACE or path.startswith(WORKSPACE + "/"):
        path = path[len(WORKSPACE) :].lstrip("/")
    elif path.startswith("/"):
        return path
    return "/".join(part for part in path.split("/") if part not in ("", ".")) or "."


def printable(name: str) -> str:
    """A file's name as text that any store takes."""
    return name.encode("utf-8", "replace").decode("utf-8", "replace")


def refusal(error: OSError, path: str) -> str:
    """Why a path was refused, in plain words."""
    words = _REFUSALS.get(error.errno or 0, "'{path}': " + (error.strerror or "it failed"))
    return words.format(path=printable(path))


def refused(error: OSError, path: str) -> Observation:
    """The same as what a tool call came back with."""
    return Observation(refusal(error, path), error=True, data={"errno": errno.errorcode.get(error.errno or 0, "")})
