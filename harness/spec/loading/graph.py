"""The graph of a scaffold: where edges lead, what is reached, what ends, and what lanes may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.spec.library import did_you_mean, listed
from harness.spec.reading.source import Source
from harness.spec.scaffold import (
    END,
    ActNode,
    BranchNode,
    GenerateNode,
    HearNode,
    JoinNode,
    Node,
    RouteNode,
    Scaffold,
    UseNode,
)

Place = tuple[Any, ...]


def targets(node: Node) -> list[tuple[Place, str]]:
    """(path inside the node, target) of every edge it has."""
    if isinstance(node, RouteNode):
        return [(("cases", i, "to"), case.to) for i, case in enumerate(node.cases)] + [(("otherwise",), node.otherwise)]
    if isinstance(node, BranchNode):
        return [(("to",), node.to)]
    return [(("next",), node.next)]


def check_edges(source: Source, spec: Scaffold) -> bool:
    """Whether every edge leads somewhere."""
    known = source.keys("nodes")
    before = len(source.problems)
    for name in spec.nodes:
        if name == END:
            source.problem(
                ("nodes", name), "`end` names the end of the trial: call this node something else", on_key=True
            )
        elif "." in name:
            message = f"a dot in the name of node {name!r}: dots are kept for the nodes of used scaffolds"
            source.problem(("nodes", name), message, on_key=True)
    _known_node(source, ("start",), spec.start, known, end=False)
    for name, node in spec.nodes.items():
        for path, target in targets(node):
            _known_node(source, ("nodes", name, *path), target, known, end=not isinstance(node, BranchNode))
        if isinstance(node, BranchNode) and _known_node(source, ("nodes", name, "join"), node.join, known, end=False):
            partner = spec.nodes.get(node.join)
            if partner is not None and not isinstance(partner, JoinNode):
                message = f"node {node.join!r} is of kind {partner.kind}; a join is wanted here"
                source.problem(("nodes", name, "join"), message)
    return len(source.problems) == before


def _known_node(source: Source, at: Place, target: str, known: list[str], *, end: bool) -> bool:
    if target in known or (end and target == END):
        return True
    there = [*known, END] if end else known
    what = f"unknown node {target!r}" if target != END else "a branch cannot lead to `end`" if not end else ""
    what = "a scaffold cannot start at its end" if at == ("start",) and target == END else what
    source.problem(at, f"{what}; there are {listed(there)}{did_you_mean(target, there)}")
    return False


def check_flow(source: Source, spec: Scaffold) -> None:
    """Every node is reached, from every node the trial can end, and no loop goes on without a model call."""
    edges = {name: [target for _, target in targets(node)] for name, node in spec.nodes.items()}
    for name, node in spec.nodes.items():
        if isinstance(node, BranchNode):
            edges[name].append(node.join)
    reached = _reach(edges, [spec.start])
    for name in spec.nodes:
        if name not in reached:
            source.problem(("nodes", name), f"node {name!r} is never reached", on_key=True)
    ending = {name for name, node in spec.nodes.items() if isinstance(node, ActNode | UseNode)} | {END}
    for name in spec.nodes:
        if name in reached and not _reach(edges, [name]) & ending:
            message = f"from node {name!r} the trial can never end: no way leads to `end` or to an act node"
            source.problem(("nodes", name), message, on_key=True)
    _silent_loops(source, spec, edges)


def _silent_loops(source: Source, spec: Scaffold, edges: Mapping[str, list[str]]) -> None:
    """A loop that calls no model uses up no turn; with no route in it, it goes round for ever."""
    told: set[str] = set()
    for name in spec.nodes:
        trail: list[str] = []
        here: str = name
        while here in spec.nodes and here not in trail and here not in told:
            if isinstance(spec.nodes[here], GenerateNode | RouteNode | UseNode | BranchNode):
                break
            trail.append(here)
            here = edges[here][0]
        else:
            if here in trail:
                loop = trail[trail.index(here) :]
                told.update(loop)
                message = f"nodes {', '.join(loop)} form a loop without a model call that nothing leaves"
                source.problem(("nodes", loop[0]), message, on_key=True)


def check_lanes(source: Source, flat: Scaffold) -> None:
    """Lanes run from their branch to its join: no act, no other branch, no end, no way in from outside."""
    edges = {name: [target for _, target in targets(node)] for name, node in flat.nodes.items()}
    owners: dict[str, list[str]] = {}
    for name, node in flat.nodes.items():
        if isinstance(node, BranchNode):
            owners.setdefault(node.join, []).append(name)
            _lane(source, flat, name, node, edges)
    for name, node in flat.nodes.items():
        if not isinstance(node, JoinNode):
            continue
        branches = owners.get(name, [])
        if not branches:
            _at_node(source, name, f"no branch leads to join {name!r}")
        elif len(branches) > 1:
            _at_node(source, name, f"join {name!r} belongs to several branches: {', '.join(branches)}")


def _lane(source: Source, flat: Scaffold, name: str, branch: BranchNode, edges: Mapping[str, list[str]]) -> None:
    before = len(source.problems)
    going_on = {key: edges[key] for key, node in flat.nodes.items() if not isinstance(node, _NOT_IN_LANES)}
    lane = _reach(going_on, [branch.to])
    for inner in sorted(lane - {branch.join}):
        node = flat.nodes.get(inner)
        where = f"in a lane of branch {name!r}"
        if node is None:
            _at_node(source, name, f"a lane of branch {name!r} can reach `end`: lanes end at the join {branch.join!r}")
        elif isinstance(node, ActNode):
            _at_node(source, inner, f"act node {inner!r} stands {where}: only after the join may tools run")
        elif isinstance(node, HearNode):
            _at_node(source, inner, f"hear node {inner!r} stands {where}: what there is to hear is told once")
        elif isinstance(node, BranchNode):
            _at_node(source, inner, f"branch {inner!r} stands {where}: lanes do not branch again")
        elif isinstance(node, JoinNode):
            _at_node(source, inner, f"join {inner!r} stands {where}, whose join is {branch.join!r}")
    if len(source.problems) > before:
        return
    if branch.join not in lane:
        _at_node(source, name, f"the lanes of branch {name!r} never reach its join {branch.join!r}")
    for outer, leads in edges.items():
        for target in sorted(set(leads) & lane) if outer not in lane - {branch.join} and outer != name else []:
            message = f"node {outer!r} leads to {target!r} inside the lanes of branch {name!r}, past the branch"
            _at_node(source, outer, message)


_NOT_IN_LANES = (ActNode, HearNode, BranchNode, JoinNode)


def _at_node(source: Source, flat_name: str, message: str) -> None:
    source.problem(("nodes", flat_name.split(".", 1)[0]), message, on_key=True)


def _reach(edges: Mapping[str, Iterable[str]], start: list[str]) -> set[str]:
    """Everything that can be reached from `start`, itself included."""
    seen: set[str] = set()
    to_run = list(start)
    while to_run:
        name = to_run.pop()
        if name not in seen:
            seen.add(name)
            to_run += edges.get(name, [])
    return seen
