"""The files a sweep stands on, as they are when it runs: what the record keeps of them, and what is too large for it.

Kept are the YAML files, the scaffolds they use, scripts of models, Python sources that they point at, and every data
file, hidden tests included. From these and a recorded trial, any moment of the trial can be rebuilt on another machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from harness.environments import CATALOG
from harness.spec import DataFile, data_files, find_file
from harness.spec.base import PythonSource
from harness.spec.loading.marked import marked
from harness.spec.python_source import source_file
from harness.spec.resolved import LoadedScenario, ResolvedSweep
from harness.spec.scaffold import Scaffold, UseNode

LARGEST_FILE = 8 * 2**20
"""Bytes; a larger file is left out of the record. Its hash is part of the cell all the same."""
LARGEST_TOTAL = 128 * 2**20
"""Bytes of all kept files together; data files that come after it is reached are left out."""


@dataclass(frozen=True)
class SourceFiles:
    """What of a sweep's files is kept."""

    kept: dict[Path, bytes]
    """Absolute path -> content."""
    left_out: dict[Path, int]
    """Absolute path -> bytes of what is too large."""

    @property
    def note(self) -> str | None:
        """What to tell of what is left out, in a line."""
        if not self.left_out:
            return None
        names = [f"{path.name} ({size / 2**20:.1f} MiB)" for path, size in self.left_out.items()]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return (
            f"too large to be kept in the record (it holds their hashes): {', '.join(names[:3])}{more}; "
            "keep them beside it, or these trials cannot be rebuilt"
        )


def source_files(
    sweep: ResolvedSweep, largest_file: int = LARGEST_FILE, largest_total: int = LARGEST_TOTAL
) -> SourceFiles:
    """Read every file of a sweep, the YAML files first, within these bounds (bytes)."""
    kept: dict[Path, bytes] = {}
    left_out: dict[Path, int] = {}
    total = 0
    for path in dict.fromkeys([*_written(sweep), *_pointed_at(sweep)]):
        size = path.stat().st_size
        if size > largest_file or total + size > largest_total:
            left_out[path] = size
        else:
            kept[path] = path.read_bytes()
            total += size
    return SourceFiles(kept, left_out)


def _written(sweep: ResolvedSweep) -> Iterator[Path]:
    """The YAML files."""
    yield sweep.path
    yield from (scenario.path for scenario in sweep.scenarios)
    for scaffold in sweep.scaffolds:
        yield from _with_used(scaffold.spec, scaffold.path)
    for model in sweep.models.values():
        yield model.path
        if model.entry.script is not None:
            yield Path(model.entry.script)


def _with_used(spec: Scaffold, path: Path) -> Iterator[Path]:
    """A scaffold's file and those of the scaffolds it uses, at any depth."""
    from harness.spec import load_scaffold

    yield path
    for node in spec.nodes.values():
        if isinstance(node, UseNode):
            inner = load_scaffold(find_file(node.scaffold, "scaffold", path))
            yield from _with_used(inner.spec, inner.path)


def _pointed_at(sweep: ResolvedSweep) -> Iterator[Path]:
    """Python sources and data files of scenarios and scaffolds."""
    for scenario in sweep.scenarios:
        yield from _of_scenario(scenario)
    for scaffold in sweep.scaffolds:
        yield from _files_of(scaffold.flat)


def _of_scenario(scenario: LoadedScenario) -> Iterator[Path]:
    python = CATALOG.source_of(scenario.spec.environment.kind)
    if python is not None:
        yield source_file(python, scenario.path.parent)[0]
    for model in (scenario.spec, scenario.options, *scenario.setups.values()):
        yield from _files_of(model)


def _files_of(model: BaseModel) -> Iterator[Path]:
    """The files of every marked field; Python references and data paths are absolute by now."""
    for item in marked(model):
        if isinstance(item.mark, PythonSource) and ":" in item.value:
            yield source_file(item.value, Path("/"))[0]
        elif isinstance(item.mark, DataFile):
            path = Path(item.value)
            yield from (file for _, file in data_files(path)) if path.is_dir() else (path,)
