"""One module per node kind: each makes, from the node as written, the function that carries out a visit.

A visit function gets the visit, the lane's state and the trial, and gives back a `Move`. None of them knows LangGraph.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from harness.scaffolds.acting import Acting
from harness.scaffolds.nodes.act import act
from harness.scaffolds.nodes.generate import generate
from harness.scaffolds.nodes.hear import hear
from harness.scaffolds.nodes.lanes import branch, join
from harness.scaffolds.nodes.python import python
from harness.scaffolds.nodes.route import route
from harness.scaffolds.nodes.say import say
from harness.scaffolds.state import LaneState, Move, Visit
from harness.spec.base import UserError
from harness.spec.scaffold import (
    ActNode,
    BranchNode,
    GenerateNode,
    HearNode,
    JoinNode,
    Node,
    PythonNode,
    RouteNode,
    SayNode,
)

Visitor = Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]
"""Carries out one visit; gets all lanes, of which only a join looks at more than its own."""


def visitor(name: str, node: Node, base: Path) -> Visitor:
    """The function that carries out visits of `node`. Raises `UserError` when its python cannot be loaded."""
    if isinstance(node, GenerateNode):
        return generate(node)
    if isinstance(node, ActNode):
        return act(node)
    if isinstance(node, HearNode):
        return hear(node)
    if isinstance(node, SayNode):
        return say(node)
    if isinstance(node, RouteNode):
        return route(node)
    if isinstance(node, BranchNode):
        return branch(name, node)
    if isinstance(node, JoinNode):
        return join(node, base)
    if isinstance(node, PythonNode):
        return python(node, base)
    raise UserError(f"node {name}: `use` must be inlined before a scaffold is compiled")


__all__ = ["Visitor", "visitor"]
