"""Sets everything up in `.venv` from a fresh checkout, with nothing but the standard library.

    python3 -m harness.setup               # set up only
    python3 -m harness.setup first-light   # set up, then run the sweep scenarios/sweeps/first-light.yaml
    python3 -m harness.setup test [ARGS]   # set up, then run the tests (pytest ARGS)

What is installed is what the lock file `.ci/requirements.txt` pins by hash. A second call finds the work done.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / ".ci" / "requirements.txt"
VENV = ROOT / ".venv"
STAMP = VENV / "set-up-from"
WHOLE_SUITE = ["-n", "auto", "--dist", "loadfile", "--cov=harness", "--cov-report=term:skip-covered"]
"""Several processes, a file of tests in each; named arguments take the place of these."""


def main(arguments: list[str]) -> int:  # noqa: RET503 - execve does not return
    """Set up, then become what was asked for; returns an exit code when there is nothing more to do."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is run before anything has checked
        return _refuse(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    if not LOCK.is_file():
        return _refuse(f"{LOCK} is missing: run this from a checkout (an installed harness needs no setting up)")
    what, *rest = arguments or ["nothing"]
    if what in ("-h", "--help"):
        print(__doc__)
        return 0
    if what not in ("nothing", "first-light", "test"):
        return _refuse(f"unknown word {what!r}; say first-light, test, or nothing at all")
    try:
        _set_up()
    except subprocess.CalledProcessError as error:
        return _refuse(f"`{' '.join(map(str, error.cmd))}` failed with exit code {error.returncode}; see above")
    if what == "nothing":
        print("Ready: source .venv/bin/activate, then harness --help")
        return 0
    environment = os.environ | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    if what == "test":
        subprocess.run([VENV / "bin" / "harness", "models", "pull", "smollm2-135m"], cwd=ROOT, check=True)
        command = [str(VENV / "bin" / "python"), "-m", "pytest", *(rest or WHOLE_SUITE)]
    else:
        command = [str(VENV / "bin" / "harness"), "run", what, *rest]
    os.chdir(ROOT)
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


def _set_up() -> None:
    wanted = hashlib.sha256(
        LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()
    ).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    began = time.monotonic()
    print(f"Setting up {VENV} (1.7 GB, once) ...", flush=True)
    _make_venv()
    python = str(VENV / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(LOCK)], check=True)
    subprocess.run([*pip, "--no-build-isolation", "--editable", str(ROOT)], check=True)
    # On all cores, where pip would use one; files that are templates and not Python are no failure.
    subprocess.run([python, "-m", "compileall", "-qq", "-j", "0", VENV / "lib", ROOT / "harness"], check=False)
    STAMP.write_text(wanted)
    print(f"Set up in {time.monotonic() - began:.0f} s.", flush=True)


def _make_venv() -> None:
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode == 0:
        return
    if "ensurepip" in made.stdout + made.stderr:
        install = ["apt-get", "install", "-y", "-qq", f"python3.{sys.version_info[1]}-venv"]
        if os.geteuid() != 0:
            sys.exit(_refuse(f"this Python cannot make virtual environments; mend it with: sudo {' '.join(install)}"))
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(install, check=True)
    subprocess.run(command, check=True)


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
