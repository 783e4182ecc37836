"""Which nodes each lane holds: every branch gets a copy of its part of the graph per lane.

The main lane holds the scaffold's own nodes under their own names; the copy of node `draft` in lane `vote.2`
is `vote.2/draft`. The shape is checked on the way, so that a lane can neither end the trial, nor act, nor
miss its join.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.scaffolds.nodes.lanes import lane_names
from harness.scaffolds.state import MAIN
from harness.spec.base import UserError
from harness.spec.scaffold import END, ActNode, BranchNode, HearNode, JoinNode, Node, RouteNode, Scaffold

MOST_NODES = 2_000
"""Of a compiled graph, lanes included."""


@dataclass(frozen=True)
class Lane:
    """One lane of the compiled graph."""

    name: str
    nodes: frozenset[str]
    """Scaffold nodes it holds."""
    join: str | None
    """Where it ends; None for the main lane."""
    parent: str | None


def targets(node: Node) -> list[str]:
    """Where a node may lead within its own lane, in the order written; a branch leads to its join."""
    if isinstance(node, RouteNode):
        return list(dict.fromkeys([*(case.to for case in node.cases), node.otherwise]))
    if isinstance(node, BranchNode):
        return [node.join]
    return [node.next]


def lanes_of(flat: Scaffold) -> list[Lane]:
    """All lanes, each after its parent. Raises `UserError` for a graph that cannot be run."""
    _check_targets(flat)
    lanes = list(_lanes(flat, Lane(MAIN, _reachable(flat, flat.start, None), None, None)))
    count = sum(len(lane.nodes) for lane in lanes)
    if count > MOST_NODES:
        raise UserError(
            f"scaffold {flat.name}: its branches make {count} nodes, more than {MOST_NODES}; use fewer copies"
        )
    return lanes


def graph_name(lane: str, node: str) -> str:
    """Name of a lane's copy of a node in the compiled graph."""
    return node if lane == MAIN else f"{lane}/{node}"


def _lanes(flat: Scaffold, lane: Lane) -> Iterator[Lane]:
    yield lane
    for name in sorted(lane.nodes):
        node = flat.nodes[name]
        if not isinstance(node, BranchNode):
            continue
        nodes = _reachable(flat, node.to, node.join)
        _check_lane(flat, name, node, nodes)
        for copy in lane_names(lane.name, name, node.copies):
            yield from _lanes(flat, Lane(copy, nodes, node.join, lane.name))


def _reachable(flat: Scaffold, start: str, join: str | None) -> frozenset[str]:
    """Nodes of one lane from `start` on, its join left out."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name in seen or name in (join, END):
            continue
        seen.add(name)
        ahead.extend(targets(flat.nodes[name]))
    return frozenset(seen)


def _check_targets(flat: Scaffold) -> None:
    names = set(flat.nodes)
    if flat.start not in names:
        raise UserError(f"scaffold {flat.name}: no node {flat.start!r} to start at")
    joins = {node.join for node in flat.nodes.values() if isinstance(node, BranchNode)}
    for name, node in flat.nodes.items():
        ahead = [*targets(node), node.to] if isinstance(node, BranchNode) else targets(node)
        for target in ahead:
            if target != END and target not in names:
                raise UserError(f"scaffold {flat.name}, node {name}: no node {target!r} to go to")
        if isinstance(node, BranchNode) and not isinstance(flat.nodes.get(node.join), JoinNode):
            raise UserError(f"scaffold {flat.name}, node {name}: its join {node.join!r} is no join node")
        if isinstance(node, JoinNode) and name not in joins:
            raise UserError(f"scaffold {flat.name}, node {name}: no branch names this join")


def _check_lane(flat: Scaffold, name: str, node: BranchNode, nodes: frozenset[str]) -> None:
    where = f"scaffold {flat.name}, branch {name}"
    leads = {inner: targets(flat.nodes[inner]) for inner in nodes}
    if name in nodes:
        raise UserError(f"{where}: its lanes lead back to it before they reach {node.join!r}")
    if any(END in ahead for ahead in leads.values()):
        raise UserError(f"{where}: its lanes can reach `end` before {node.join!r}")
    acting = sorted(inner for inner in nodes if isinstance(flat.nodes[inner], ActNode | HearNode))
    if acting:
        raise UserError(f"{where}: its lanes may not act or hear, as node {acting[0]} does; do so after {node.join!r}")
    other = sorted(
        inner
        for inner in nodes
        if isinstance(flat.nodes[inner], JoinNode)
        and not any(isinstance(flat.nodes[n], BranchNode) and inner in leads[n] for n in nodes)
    )
    if other:
        raise UserError(f"{where}: its lanes can reach the join {other[0]!r} of another branch")
    if not any(node.join in ahead for ahead in leads.values()):
        raise UserError(f"{where}: its lanes never reach {node.join!r}")
