"""What an adapter asks its package once and keeps: the tools and tasks it brings, which no trial changes.

`tools` and `own_tasks` of a kind are asked for often and must be quick, and importing somebody else's package takes
seconds; so the answers are kept on disk, under a name made from the packages, the script and the question.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from pathlib import Path

from pydantic import JsonValue

from harness.adapters.worker import Program, ask_once, this_python
from harness.environments.packages import NotInstalledError, Packages, packages_folder, python
from harness.environments.protocol import EnvironmentFault
from harness.errors import UserError

_FOLDER = "answers"
"""Beside the folders of the packages."""


class BrokenPackageError(EnvironmentFault, UserError):
    """A package is installed and does not answer; one line."""


def program_of(name: str, packages: Packages, script: Path) -> Program:
    """How an adapter's worker is run: by this Python where the pins are installed in it, else by that of its packages.

    Raises `NotInstalledError` where they are nowhere, with the command that installs them.
    """
    return Program(name, this_python(packages.pip) or python(packages), script)


def known(name: str, packages: Packages, script: Path, call: str, **given: JsonValue) -> JsonValue:
    """What a function of the script answers, asked for when it is not kept yet.

    The answer is shared and must not be changed. Raises `NotInstalledError`, and `EnvironmentFault` when it fails.
    """
    return _known(name, packages, script, call, json.dumps(given, sort_keys=True))


@functools.lru_cache(maxsize=64)
def _known(name: str, packages: Packages, script: Path, call: str, given: str) -> JsonValue:
    served = b"".join(path.read_bytes() for path in sorted(script.parent.glob("*.py")))
    question = json.dumps([packages.pip, call, given]).encode() + served
    kept = packages_folder() / _FOLDER / f"{name}-{hashlib.sha256(question).hexdigest()[:24]}.json"
    try:
        answer: JsonValue = json.loads(kept.read_bytes())
    except (OSError, ValueError):  # not there yet, or the writing was cut short
        try:
            answer = ask_once(program_of(name, packages, script), call, **json.loads(given))
        except NotInstalledError:
            raise
        except EnvironmentFault as fault:
            raise BrokenPackageError(str(fault)) from fault
        _keep(kept, answer)
    return answer


def _keep(path: Path, answer: JsonValue) -> None:
    """Write whole or not at all; where the cache cannot be written, the next process asks again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(answer, file)
        Path(name).replace(path)
    except OSError:
        return
