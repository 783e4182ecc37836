"""Where PostgreSQL's programs are on this machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from harness.environments.sql.engine import SqlError

_FOLDERS = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt")
"""Where distributions put each version into a folder of its own."""


def server_programs() -> Path:
    """The folder with `initdb` and `postgres`: that in PATH, else the newest there is.

    Raises `SqlError` with what installs them.
    """
    for program in (shutil.which("postgres"), *sorted(_versions(), key=_version, reverse=True)):
        if program is not None:
            folder = Path(os.path.realpath(program)).parent
            if (folder / "initdb").exists():
                return folder
    raise SqlError(
        "engine postgresql finds no server program (initdb, postgres) in PATH or /usr/lib/postgresql; "
        "get it with: apt install postgresql, or name a running server with server_env"
    )


def _versions() -> list[str]:
    return [str(path) for folder in _FOLDERS for path in Path(folder).glob("*/bin/postgres")]


def _version(program: str) -> int:
    found = re.search(r"(\d+)/bin", program)
    return int(found[1]) if found else 0
