"""Checking files and folders without running anything: what `harness check` does."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UserError
from harness.spec.base import Problem, SpecError
from harness.spec.digests import digest
from harness.spec.library import did_you_mean, shown
from harness.spec.loading.models import read_models
from harness.spec.loading.scaffolds import read_scaffold
from harness.spec.loading.scenarios import read_scenario
from harness.spec.loading.sweeps import read_sweep
from harness.spec.reading.source import KINDS, Source
from harness.spec.resolved import Catalog

_KIND_LINE = re.compile(rb"^kind:[ \t]*[\"']?([A-Za-z0-9_-]+)[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)


@dataclass(frozen=True)
class CheckedFile:
    """A file in which nothing is wrong."""

    path: str
    kind: str
    name: str
    digest: str


@dataclass
class CheckReport:
    """What came of a run of checking."""

    files: list[CheckedFile] = field(default_factory=list)
    """Files without a problem."""
    problems: list[Problem] = field(default_factory=list)
    """By file and place, each once."""
    checked: int = 0
    """Files looked at."""


def check(
    paths: Iterable[str | Path], catalog: Catalog, further: Mapping[str, Callable[[Path], object]] | None = None
) -> CheckReport:
    """Check files, and all files of ours in folders, data folders of scenarios left out.

    `further` are kinds of file that other rooms read, by what reads them and raises `SpecError`. Raises `UserError`
    for a path that is not there.
    """
    report = CheckReport()
    data: set[Path] = set()
    others = further or {}
    for path, named in _files(paths, (*KINDS, *others)):
        if not named and any(path.resolve().is_relative_to(folder) for folder in data):
            continue
        report.checked += 1
        found: list[Problem] = []
        checked = _check_one(path, catalog, found, data, others)
        if checked is not None and not found:
            report.files.append(checked)
        report.problems += found
    report.problems = sorted(set(report.problems))
    return report


def _check_one(
    path: Path,
    catalog: Catalog,
    problems: list[Problem],
    data: set[Path],
    others: Mapping[str, Callable[[Path], object]],
) -> CheckedFile | None:
    source = Source(path, [])
    if not source.read():
        problems += source.problems
        return None
    kind = source.kind()
    if kind == "scenario":
        scenario = read_scenario(path, catalog, problems, data)
        return CheckedFile(shown(path), kind, scenario.spec.name, scenario.digest) if scenario is not None else None
    if kind == "scaffold":
        scaffold = read_scaffold(path, problems)
        return CheckedFile(shown(path), kind, scaffold.spec.name, scaffold.digest) if scaffold is not None else None
    if kind == "sweep":
        sweep = read_sweep(path, catalog, problems)
        return CheckedFile(shown(path), kind, sweep.spec.name, digest(sweep.spec)) if sweep is not None else None
    if kind == "models":
        models = read_models(path, problems)
        whole = {name: model.digest for name, model in models.items()} if models else {}
        return CheckedFile(shown(path), kind, path.stem, digest(whole)) if models is not None else None
    if isinstance(kind, str) and kind in others:
        try:
            others[kind](path)
        except SpecError as error:
            problems += error.problems
            return None
        return CheckedFile(shown(path), kind, path.stem, hashlib.sha256(path.read_bytes()).hexdigest())
    known = (*KINDS, *others)
    kinds = ", ".join(known)
    if not isinstance(source.root.data, dict):
        source.problem((), f"a file of the harness is a mapping with a `kind`: one of {kinds}")
    elif isinstance(kind, str):
        source.problem(("kind",), f"unknown kind {kind!r}; there are {kinds}{did_you_mean(kind, known)}")
    else:
        what = "key 'kind' is missing:" if kind is None else "`kind` should be"
        source.problem(("kind",), f"{what} one of {kinds}")
    problems += source.problems
    return None


def _files(paths: Iterable[str | Path], kinds: Sequence[str]) -> Iterator[tuple[Path, bool]]:
    """(file, whether it was named itself), a folder's own files before those further down."""
    seen: set[Path] = set()
    for named in map(Path, paths):
        if not named.exists():
            raise UserError(f"{named}: there is no such file or folder")
        for path in _below(named, kinds) if named.is_dir() else [named]:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path, path == named


def _below(folder: Path, kinds: Sequence[str]) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith((".yaml", ".yml")) and not name.startswith(".") and _is_ours(Path(parent, name), kinds):
                yield Path(parent, name)


def _is_ours(path: Path, known: Sequence[str]) -> bool:
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        with path.open("rb") as stream:
            start = stream.read(65536)
    except OSError:
        return False
    kinds = [match.decode() for match in _KIND_LINE.findall(start)]
    return any(difflib.get_close_matches(kind, known, n=1, cutoff=0.8) for kind in kinds)
