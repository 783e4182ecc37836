"""The graphs of the scaffolds that sweeps ran, out of the files that their records keep.

What a scaffold allows is what the transition graphs of a comparison are drawn on. A record that keeps no scaffold (an
imported one), or one that this version cannot read, has no graph: then the moves made are all that is known.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from pydantic import ValidationError

from harness.errors import UserError
from harness.record import Store
from harness.record.database import FILE_NAME
from harness.report.plots.graph.drawing import Graph
from harness.spec.loading.graph import targets
from harness.spec.loading.inline import flatten
from harness.spec.reading.yaml_source import UnreadableError, read_yaml
from harness.spec.scaffold import END, ActNode, BranchNode, Scaffold, UseNode

STARTS, ENDS = "(start)", "(end)"
"""How the tables of moves name where a trial begins and ends."""
_SUFFIXES = (".yaml", ".yml")
_DEEPEST = 20


def recorded_graphs(folders: Iterable[Path]) -> dict[str, Graph]:
    """Scaffold -> its graph, for every scaffold whose file the records in these folders keep; the latest of a name."""
    found: dict[str, Graph] = {}
    for folder in folders:
        if (folder / FILE_NAME).is_file():
            kept = _kept(folder)
            for path, spec in kept.items():
                flat = _flat(path, spec, kept)
                if flat is not None:
                    found[spec.name] = graph_of(flat)
    return found


def graph_of(flat: Scaffold) -> Graph:
    """Nodes and edges of a scaffold without `use` nodes; an act node may end the trial, because `submit` does."""
    edges = [(STARTS, flat.start)]
    for name, node in flat.nodes.items():
        edges += [(name, ENDS if target == END else target) for _, target in targets(node)]
        if isinstance(node, BranchNode):
            edges.append((name, node.join))
        if isinstance(node, ActNode):
            edges.append((name, ENDS))
    return Graph([STARTS, *flat.nodes, ENDS], list(dict.fromkeys(edges)), STARTS, ENDS)


def _kept(folder: Path) -> dict[PurePath, Scaffold]:
    """Path -> scaffold of every scaffold file kept; of several versions of a file the last."""
    found: dict[PurePath, Scaffold] = {}
    with Store(folder) as store:
        for path, digest in store.files():
            if path.endswith(_SUFFIXES):
                spec = _parsed(store.file(digest))
                if spec is not None:
                    found[PurePath(path)] = spec
    return found


def _parsed(content: bytes) -> Scaffold | None:
    try:
        root, _ = read_yaml(content)
        data = root.data if root is not None else None
        if not isinstance(data, dict) or data.get("kind") != "scaffold":
            return None
        return Scaffold.model_validate(data)
    except (UnreadableError, ValidationError, UserError):
        return None


def _flat(path: PurePath, spec: Scaffold, kept: Mapping[PurePath, Scaffold], depth: int = 0) -> Scaffold | None:
    """The scaffold with those it uses put in; None where one of them is not kept."""
    used: dict[str, Scaffold] = {}
    for name, node in spec.nodes.items():
        if isinstance(node, UseNode):
            at = _reference(path, node.scaffold, kept)
            inner = None if at is None or depth >= _DEEPEST else _flat(at, kept[at], kept, depth + 1)
            if inner is None:
                return None
            used[name] = inner
    return flatten(spec, used)


def _reference(path: PurePath, reference: str, kept: Mapping[PurePath, Scaffold]) -> PurePath | None:
    """The kept file that a reference means: beside the file that names it, else a shipped one by its name."""
    beside = PurePath(os.path.normpath(path.parent / reference))
    if beside in kept:
        return beside
    return next((at for at in kept if at.stem == reference), None)
