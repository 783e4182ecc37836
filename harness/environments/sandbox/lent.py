"""What of this machine a sandbox is lent beside its workspace: folders to read, and open pipes.

A program that serves the trial from inside (an MCP server) lives in folders of the host: its packages, and the
interpreter they are installed for. They are shown read-only at their own paths. The user that root drops to may
not get at them there (an interpreter below `/root`); root then binds them to a place that everybody can reach, in a
mount namespace of this sandbox alone, before it drops the user.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .limits import NoSandboxError

_WINDOW = "/run/scaffold-harness-users"
"""Any folder would do that root has and nobody else needs: what is mounted over it is seen in there alone."""
_OWN = ("/workspace", "/proc", "/dev", "/etc")
_BIND = (
    'set -e; at=$1; shift; mount -t tmpfs -o mode=755,size=64k none "$at"; number=0; '
    'while [ "$1" != -- ]; do if [ -d "$1" ]; then mkdir "$at/$number"; else : > "$at/$number"; fi; '
    'mount --bind "$1" "$at/$number"; number=$((number + 1)); shift; done; shift; exec "$@"'
)


@dataclass(frozen=True)
class Lent:
    """Nothing, unless said."""

    folders: Mapping[str, Path] = field(default_factory=dict)
    """Path inside -> folder or file of this machine, shown read-only. Those below `/usr` are seen anyhow."""
    descriptors: tuple[int, ...] = ()
    """Open in the sandbox's first shell, as `LENT` and the numbers that follow; not in a shell that replaces it."""

    def __post_init__(self) -> None:
        for inside in self.folders:
            path = PurePosixPath(inside)
            if not path.is_absolute() or ".." in path.parts or any(path.is_relative_to(own) for own in _OWN):
                raise ValueError(f"{inside} cannot be lent to a sandbox")

    @property
    def roots(self) -> set[str]:
        """What these folders add to `/`."""
        return {PurePosixPath(inside).parts[1] for inside in self.folders}

    def options(self, *, dropped: bool) -> list[str]:
        """Return bwrap's options that show the folders; `dropped` says that root drops its user first."""
        chosen = []
        for number, (inside, source) in enumerate(self.folders.items()):
            at = f"{_WINDOW}/{number}" if dropped and not self._reachable else str(source)
            chosen += ["--ro-bind", at, inside]
        return chosen

    def around(self, line: Sequence[str]) -> list[str]:
        """The command line that root runs, with what makes the folders reachable before it where that is needed."""
        if self._reachable:
            return list(line)
        unshare = shutil.which("unshare")
        if unshare is None:
            raise NoSandboxError("the sandbox needs `unshare` when run as root: run `apt-get install util-linux`")
        sources = [str(source) for source in self.folders.values()]
        begin = [unshare, "--mount", "--propagation", "private", "--", "/bin/sh", "-c", _BIND, "sh", _WINDOW]
        return [*begin, *sources, "--", *line]

    @property
    def _reachable(self) -> bool:
        return all(_is_for_everybody(source) for source in self.folders.values())


def _is_for_everybody(path: Path) -> bool:
    """Whether any user can enter and read a folder; not whether all in it can be read."""
    try:
        real = Path(os.path.realpath(path))
        seen = [(real, stat.S_IROTH | stat.S_IXOTH), *((parent, stat.S_IXOTH) for parent in real.parents)]
        return all(place.stat().st_mode & wanted == wanted for place, wanted in seen)
    except OSError:
        return False
