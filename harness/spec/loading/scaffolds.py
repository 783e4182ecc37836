"""Loading a scaffold: what it uses inlined, its graph, roles and templates checked, its digest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.spec.base import Problem, PythonSource, SpecError
from harness.spec.digests import digest
from harness.spec.library import find_file
from harness.spec.loading.inline import flatten
from harness.spec.loading.marked import Marked, replace_marked
from harness.spec.loading.scenarios import absolute_python, content
from harness.spec.loading.source import Source
from harness.spec.resolved import LoadedScaffold
from harness.spec.scaffold import Scaffold, UseNode

MAX_NODES = 500
"""Nodes of a flat scaffold."""


def load_scaffold(path: str | Path) -> LoadedScaffold:
    """The scaffold in the file at `path`. Raises `SpecError` with all its problems."""
    problems: list[Problem] = []
    loaded = read_scaffold(Path(path), problems)
    if loaded is None or problems:
        raise SpecError(problems)
    return loaded


def read_scaffold(path: Path, problems: list[Problem], using: tuple[Path, ...] = ()) -> LoadedScaffold | None:
    """Like `load_scaffold`, adding to `problems`; `using` are the files on the way to this one."""
    before = len(problems)
    source = Source(path.absolute(), problems)
    if not source.read() or not source.is_a("scaffold"):
        return None
    spec = source.validated(Scaffold)
    if spec is None:
        return None
    used = {
        name: _used(source, name, node, (*using, source.path))
        for name, node in spec.nodes.items()
        if isinstance(node, UseNode)
    }
    settled = replace_marked(spec, lambda item: _python(source, item))
    if len(problems) > before:
        return None
    flat = flatten(settled, {name: inner.flat for name, inner in used.items() if inner is not None})
    return LoadedScaffold(spec, flat, source.path, _digest(flat))


def _used(source: Source, name: str, node: UseNode, using: tuple[Path, ...]) -> LoadedScaffold | None:
    at = ("nodes", name, "scaffold")
    try:
        path = find_file(node.scaffold, "scaffold", source.path).resolve()
    except UserError as error:
        source.problem(at, str(error))
        return None
    files = [file.resolve() for file in using]
    if path in files:
        chain = " uses ".join(file.name for file in [*files[files.index(path) :], path])
        source.problem(at, f"scaffolds use each other in a circle: {chain}")
        return None
    return read_scaffold(path, source.problems, using)


def _python(source: Source, item: Marked) -> str:
    if not isinstance(item.mark, PythonSource):
        return item.value
    result: str | None = source.attempt(item.path, lambda: absolute_python(item.value, source.folder))
    return item.value if result is None else result


def _digest(flat: Scaffold) -> str:
    whole: dict[str, Any] = content(flat)
    whole.pop("summary", None)
    whole.pop("name", None)
    return digest(whole)
