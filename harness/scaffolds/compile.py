"""A flat scaffold compiled to one LangGraph state graph, which serves all trials of a sweep at once.

Every node of every lane is one LangGraph node, but for routes of the main lane: they are conditional edges, and
are decided in the same superstep as the node before them, which saves a third of the supersteps of a plain loop.
(In lanes they stay nodes, so that steps are numbered the same in whatever order replies arrive.) Where to go
next is a node's own decision, sent along with its update. The trial itself travels as the run's context. Lanes
that run at the same time write to their own part of the state, and a join waits until the last has arrived.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from harness.scaffolds.acting import Acting
from harness.scaffolds.lanes import Lane, graph_name, lanes_of, targets
from harness.scaffolds.nodes import Visitor, visitor
from harness.scaffolds.nodes.lanes import all_arrived, lane_names
from harness.scaffolds.state import LaneState, Move, merge_lanes
from harness.spec.scaffold import END, BranchNode, GenerateNode, JoinNode, RouteNode, Scaffold

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import Command


class GraphState(TypedDict):
    """The state of the compiled graph."""

    lanes: Annotated[dict[str, LaneState], merge_lanes]


@dataclass(frozen=True)
class RunContext:
    """What LangGraph carries to the nodes of one run."""

    trial: Acting


@dataclass(frozen=True)
class CompiledScaffold:
    """A scaffold ready to run; holds nothing of any trial."""

    flat: Scaffold
    graph: CompiledStateGraph[Any, Any, Any, Any]


def compile_scaffold(flat: Scaffold, base: Path) -> CompiledScaffold:
    """Compile a scaffold without `use` nodes; python paths are relative to `base`.

    Raises `UserError` when the graph cannot be run or its python cannot be loaded.
    """
    from langgraph.graph import START, StateGraph

    lanes = lanes_of(flat)
    visitors = {name: visitor(name, node, base) for name, node in flat.nodes.items()}
    graph = StateGraph(GraphState, context_schema=RunContext)
    for lane in lanes:
        for name in sorted(lane.nodes):
            if name == flat.start or not _is_edge(flat, lane, name):
                walk = _walk(flat, lane, name, visitors)
                graph.add_node(graph_name(lane.name, name), walk, destinations=_destinations(flat, lane, name))
    graph.add_edge(START, flat.start)
    return CompiledScaffold(flat, graph.compile(name=flat.name))


def _walk(
    flat: Scaffold, lane: Lane, name: str, visitors: Mapping[str, Visitor]
) -> Callable[..., Awaitable[Command[Any]]]:  # fmt: skip
    """What LangGraph calls for one node of one lane: the visit, and those of the routes right after it."""
    from langgraph.runtime import Runtime
    from langgraph.types import Command

    joins = isinstance(flat.nodes[name], JoinNode)

    async def walk(state: GraphState, runtime: Runtime[RunContext]) -> Command[Any]:
        lanes, trial = state["lanes"], runtime.context.trial
        if joins and not all_arrived(lane.name, lanes):
            return Command()
        move = await _visit(flat, lane, name, visitors, lanes, trial)
        changed = dict(move.lanes)
        while (ahead := _route_ahead(flat, lane, move)) is not None:
            move = await _visit(flat, lane, ahead, visitors, merge_lanes(lanes, changed), trial)
            changed.update(move.lanes)
        return _command(lane, Move(changed, move.to))

    walk.__annotations__ = {"state": GraphState, "runtime": Runtime, "return": Command}
    return walk


async def _visit(
    flat: Scaffold, lane: Lane, name: str, visitors: Mapping[str, Visitor], lanes: dict[str, LaneState], trial: Acting
) -> Move:
    """One visit, counted by the trial and by the lane."""
    at = trial.visit(name, lane.name, isinstance(flat.nodes[name], GenerateNode))
    here = lanes[lane.name]
    counted: LaneState = {**here, "visits": {**here["visits"], name: here["visits"].get(name, 0) + 1}}
    return await visitors[name](at, {**lanes, lane.name: counted}, trial)


def _route_ahead(flat: Scaffold, lane: Lane, move: Move) -> str | None:
    """The route a move leads to, if it is decided right away."""
    if len(move.to) != 1 or move.to[0][0] != lane.name:
        return None
    node = move.to[0][1]
    return node if _is_edge(flat, lane, node) else None


def _is_edge(flat: Scaffold, lane: Lane, node: str) -> bool:
    """Whether a node is decided together with the one before it."""
    return lane.parent is None and isinstance(flat.nodes.get(node), RouteNode)


def _command(lane: Lane, move: Move) -> Command[Any]:
    """A move in LangGraph's terms; going to the lane's join marks it as arrived there."""
    from langgraph.types import Command

    lanes = dict(move.lanes)
    here = lanes.get(lane.name)
    if here is not None and lane.parent is not None and (lane.name, lane.join) in move.to:
        lanes[lane.name] = {**here, "arrived": True}
    goto = [_graph_target(lane, *to) for to in move.to]
    return Command(update={"lanes": lanes}, goto=goto if len(goto) > 1 else goto[0])


def _destinations(flat: Scaffold, lane: Lane, name: str) -> tuple[str, ...]:
    """Where a node of a lane, and the routes after it, may lead, as LangGraph node names."""
    node = flat.nodes[name]
    if isinstance(node, BranchNode):
        return tuple(graph_name(copy, node.to) for copy in lane_names(lane.name, name, node.copies))
    ahead, found, passed = targets(node), [], set()
    while ahead:
        target = ahead.pop(0)
        if not _is_edge(flat, lane, target):
            found.append(_graph_target(lane, lane.name, target))
        elif target not in passed:
            passed.add(target)
            ahead.extend(targets(flat.nodes[target]))
    return tuple(dict.fromkeys(found))


def _graph_target(lane: Lane, name: str, node: str) -> str:
    """LangGraph's name for a node that a lane leads to; the join belongs to the lane's parent."""
    from langgraph.graph import END as GRAPH_END

    if node == END:
        return GRAPH_END
    if name == lane.name and node == lane.join and lane.parent is not None:
        return graph_name(lane.parent, node)
    return graph_name(name, node)
