"""Packages that environments need and the harness does not: each set in a folder of its own, apart from the harness.

    PACKAGES = Packages(pip=("mcp-server-git==2026.10.19",))
    program(PACKAGES, "mcp-server-git")

Nothing is installed while something is run: what is missing is one line with the command that installs it
(`harness install`). A folder is put in its place whole, so a half-made one is never taken for one; two processes that
install the same wait for each other. The folders lie in `$HARNESS_PACKAGES_DIR`, or in the user's cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from harness.environments.protocol import EnvironmentFault
from harness.errors import UserError

_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?==v?\d[0-9A-Za-z.!+_-]*")
_NPM_PIN = re.compile(r"(@[a-z0-9_][a-z0-9._-]*/)?[a-z0-9_][a-z0-9._-]*@\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")
"""One version and nothing beside it: no range, mark, path, address or option that pip or npm would follow."""
_UNREACHABLE = (
    "Failed to establish a new connection",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "ENETUNREACH",
)
"""What pip and npm say of a network that is not there."""
_LIST = "packages.json"
"""What a folder holds, written last before it is put in its place."""


class NotInstalledError(EnvironmentFault, UserError):
    """Packages are not here; the message says in one line how to install them."""


@dataclass(frozen=True)
class Packages:
    """What is to be installed together, every name with its exact version."""

    pip: tuple[str, ...] = ()
    """Such as `mcp-server-git==2026.10.19`."""
    npm: tuple[str, ...] = ()
    """Such as `@modelcontextprotocol/server-memory@2026.8.31`."""

    def __post_init__(self) -> None:
        for pins, form, example in ((self.pip, _PIN, "NAME==1.2.3"), (self.npm, _NPM_PIN, "NAME@1.2.3")):
            for pin in pins:
                if not form.fullmatch(pin):
                    raise UserError(f"package {pin!r} is not pinned to one version; write {example}")
        if not self.pip and not self.npm:
            raise UserError("no packages are named")

    def __str__(self) -> str:
        return ", ".join((*self.pip, *self.npm))


def packages_folder() -> Path:
    """Where all sets of packages lie."""
    chosen = os.environ.get("HARNESS_PACKAGES_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("scaffold-harness", appauthor=False)) / "packages"


def place(packages: Packages) -> Path:
    """The folder of a set, there or not: named after the first package and all that decides what is in it."""
    python = f"{sys.implementation.cache_tag}-{os.uname().machine}" if packages.pip else ""
    content = json.dumps([sorted(packages.pip), sorted(packages.npm), python])
    first = re.split(r"==|(?<=.)@", (*packages.pip, *packages.npm)[0])[0]
    name = re.sub(r"[^A-Za-z0-9]+", "-", first).strip("-")
    return packages_folder() / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def installed(packages: Packages) -> bool:
    """Whether the set is there."""
    return (place(packages) / _LIST).is_file()


def program(packages: Packages, name: str) -> Path:
    """A program of the set. Raises `NotInstalledError`, and `UserError` when the set has no such program."""
    folder = _there(packages)
    if name in ("", ".", "..") or "/" in name:
        raise UserError(f"{packages}: {name!r} is a path; a program of the set goes by its name")
    for candidate in (folder / "venv" / "bin" / name, folder / "node_modules" / ".bin" / name):
        if candidate.is_file():
            return candidate
    raise UserError(f"{packages}: there is no program {name!r} in this; there are {', '.join(_programs(folder)[:20])}")


def python(packages: Packages) -> Path:
    """The Python that the set's Python packages are installed in. Raises `NotInstalledError`."""
    return _there(packages) / "venv" / "bin" / "python"


def install(packages: Packages, say: Callable[[str], None]) -> Path:
    """Install the set unless it is there, and return its folder. `say` is told of each step.

    Raises `UserError` with the last words of pip or npm when that fails.
    """
    target = place(packages)
    if installed(packages):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{target.parent} cannot be made: {error.strerror}; set HARNESS_PACKAGES_DIR") from error
    lock = target.with_name(f".{target.name}.lock")
    with _locked(lock, lambda: say(f"another process installs {packages}: waiting")) as held:
        if installed(packages):
            return target
        shutil.rmtree(target, ignore_errors=True)  # of a process that was killed between two renames
        for old in target.parent.glob(f".{target.name}.*.making"):
            shutil.rmtree(old, ignore_errors=True)  # of one killed earlier: the lock is ours, so nobody is at it
        making = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".making"))
        try:
            making.chmod(0o755)
            if packages.pip:
                say(f"installing {', '.join(packages.pip)} (pip)")
                # At its final path: a virtual environment knows where it is. The list makes it count.
                making.rename(target)
                making = target
                _pip_install(making / "venv", packages, held)
            if packages.npm:
                say(f"installing {', '.join(packages.npm)} (npm)")
                if shutil.which("npm") is None:
                    raise UserError(f"{packages}: npm is needed for this; install it with: apt-get install npm")
                npm = ["npm", "install", "--prefix", str(making), "--ignore-scripts", "--no-audit", "--no-fund"]
                _run([*npm, "--silent", "--no-progress", "--", *packages.npm], packages, held)
            unfinished = making / f".{_LIST}"
            unfinished.write_text(json.dumps(asdict(packages), indent=1))
            unfinished.rename(making / _LIST)
            if making != target:
                making.rename(target)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
    say(f"installed in {target}")
    return target


def all_installed() -> list[tuple[Packages, Path]]:
    """Every set that is there, with its folder."""
    found = []
    for path in sorted(packages_folder().glob(f"*/{_LIST}")):
        with contextlib.suppress(OSError, ValueError, TypeError, UserError):
            listed = json.loads(path.read_text())
            found.append((Packages(tuple(listed["pip"]), tuple(listed["npm"])), path.parent))
    return found


def _there(packages: Packages) -> Path:
    if not installed(packages):
        pins = " ".join((*packages.pip, *packages.npm))
        raise NotInstalledError(f"{packages} is not installed; install it with: harness install {pins}")
    return place(packages)


def _programs(folder: Path) -> list[str]:
    places = (folder / "venv" / "bin", folder / "node_modules" / ".bin")
    return sorted(path.name for place in places if place.is_dir() for path in place.iterdir())


def _pip_install(venv: Path, packages: Packages, held: int) -> None:
    make, pip = [sys.executable, "-m", "venv", str(venv)], [str(venv / "bin" / "python"), "-m", "pip"]
    if find_spec("pip") is not None:  # our own pip can work on another environment, which then needs none: 10 s less
        make, pip = [*make, "--without-pip"], [sys.executable, "-m", "pip", "--python", pip[0]]
    _run(make, packages, held)
    _run([*pip, "install", "--quiet", "--disable-pip-version-check", "--no-input", "--", *packages.pip], packages, held)


def _run(command: Sequence[str], packages: Packages, lock: int) -> None:
    """Run pip or npm; it holds the lock too, so that nobody builds where it still writes after this process is gone."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, umask=0o022,
            pass_fds=(lock,), env=_environment(),
        )  # fmt: skip
    except OSError as error:
        raise UserError(f"{packages}: {command[0]} does not run: {error.strerror}") from error
    if done.returncode:
        said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        last = " / ".join(said[-3:])[:500]
        away = any(sign in line for line in said for sign in _UNREACHABLE)
        why = "the registry of packages cannot be reached; is this machine offline? " if away else ""
        raise UserError(f"{packages} could not be installed: {why}{last or f'exit code {done.returncode}'}")


def _environment() -> dict[str, str]:
    """What pip and npm get: this environment without what belongs to the Python that the harness runs in."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@contextlib.contextmanager
def _locked(path: Path, on_wait: Callable[[], None]) -> Iterator[int]:
    """One process at a time; the lock, which this is the descriptor of, is given up by whoever ends, however."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
