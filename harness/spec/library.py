"""Where files are found: the shipped `scenarios` folder, references from one file to another, and data files."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from harness.errors import UserError

Findable = Literal["scenario", "scaffold", "sweep"]
_FOLDERS: dict[Findable, str] = {"scenario": "", "scaffold": "scaffolds", "sweep": "sweeps"}
_SUFFIXES = (".yaml", ".yml")


def library() -> Path:
    """The shipped `scenarios` folder: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_scenarios"
    return inside if inside.is_dir() else package.parent / "scenarios"


def shipped(kind: Findable) -> dict[str, Path]:
    """Name -> path of the shipped files of a kind."""
    folder = library() / _FOLDERS[kind]
    found = sorted(path for path in folder.glob("*") if path.suffix in _SUFFIXES and path.is_file())
    return {path.stem: path for path in found if path.name != "models.yaml"}


def find_file(reference: str | Path, kind: Findable, beside: Path) -> Path:
    """The file that `reference` names: a path relative to `beside` (a file or folder), else a shipped name.

    Raises `UserError` with what there is instead.
    """
    text = str(reference)
    folder = beside if beside.is_dir() else beside.parent
    path = folder / text
    if _is(path, Path.is_file):
        return path
    names = shipped(kind)
    if text in names:
        return names[text]
    if text.endswith(_SUFFIXES) or "/" in text or os.sep in text:
        near = [p.name for p in path.parent.glob("*") if p.suffix in _SUFFIXES] if _is(path.parent, Path.is_dir) else []
        what = "is a folder" if _is(path, Path.is_dir) else "there is no such file"
        raise UserError(f"{kind} {text!r}: {what}{did_you_mean(path.name, near)}")
    there = listed(names)
    hint = did_you_mean(text, list(names))
    raise UserError(f"no {kind} {text!r}: neither a file beside this one nor a shipped name (shipped: {there}){hint}")


def _is(path: Path, what: Callable[[Path], bool]) -> bool:
    """The answer of `what`; no for a path that the system does not take, such as one too long."""
    try:
        return what(path)
    except OSError:
        return False


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """` (did you mean x?)` when something close is known, else nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if not close:
        by_case = {name.lower(): name for name in known}
        close = [by_case[word.lower()]] if word.lower() in by_case else []
    return f" (did you mean {close[0]}?)" if close else ""


def listed(names: Iterable[str], most: int = 15) -> str:
    """`a, b, c and 7 more`, or `none`."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more if every else "none"


def shown(path: Path) -> str:
    """`path` as messages print it: relative to the working directory where it lies below it."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(path)


def data_path(reference: str, folder: Path) -> Path:
    """Absolute path of a data file that lies in `folder` or below it. Raises `UserError`."""
    if not reference or reference in (".", "./"):
        raise UserError("a data file needs a name below this folder")
    if Path(reference).is_absolute() or "\\" in reference or "\0" in reference:
        raise UserError(f"{reference!r} must be a path relative to this file, with forward slashes")
    if ".." in Path(reference).parts:
        raise UserError(f"{reference!r} must lie in this file's folder or below it: no `..`")
    path = folder / reference
    if not _is(path, Path.exists):
        near = [p.name for p in path.parent.iterdir()] if _is(path.parent, Path.is_dir) else []
        what = "is a broken link" if _is(path, Path.is_symlink) else "does not exist"
        raise UserError(f"{reference!r} {what}{did_you_mean(path.name, near)}")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{reference!r} leads out of this file's folder through a link: copy the file instead")
    return folder.resolve() / Path(reference)
