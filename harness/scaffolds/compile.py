"""A flat scaffold compiled to one LangGraph state graph, which serves all trials of a sweep at once.

Every node of every lane is one LangGraph node; where to go next is the node's own decision, sent along with
its update. The trial itself travels as the run's context. Lanes that run at the same time write to their own
part of the state, and a join waits until the last of its lanes has arrived.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from harness.scaffolds.acting import Acting
from harness.scaffolds.lanes import Lane, graph_name, lanes_of, targets
from harness.scaffolds.nodes import Visitor, visitor
from harness.scaffolds.nodes.lanes import all_arrived, lane_names
from harness.scaffolds.state import END, LaneState, Move, merge_lanes
from harness.spec.scaffold import BranchNode, GenerateNode, JoinNode, Node, Scaffold

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
            node = flat.nodes[name]
            function = _node_function(lane, name, node, visitors[name])
            graph.add_node(graph_name(lane.name, name), function, destinations=_destinations(lane, name, node))
    graph.add_edge(START, flat.start)
    return CompiledScaffold(flat, graph.compile(name=flat.name))


def _node_function(lane: Lane, name: str, node: Node, visit: Visitor) -> Callable[..., Awaitable[Command[Any]]]:
    """What LangGraph calls for one node of one lane."""
    from langgraph.runtime import Runtime
    from langgraph.types import Command

    calls_model, joins = isinstance(node, GenerateNode), isinstance(node, JoinNode)

    async def step(state: GraphState, runtime: Runtime[RunContext]) -> Command[Any]:
        lanes, trial = state["lanes"], runtime.context.trial
        if joins and not all_arrived(lane.name, lanes):
            return Command()
        at = trial.visit(name, lane.name, calls_model)
        here = lanes[lane.name]
        counted: LaneState = {**here, "visits": {**here["visits"], name: here["visits"].get(name, 0) + 1}}
        move = await visit(at, {**lanes, lane.name: counted}, trial)
        return _command(lane, move)

    step.__annotations__ = {"state": GraphState, "runtime": Runtime, "return": Command}
    return step


def _command(lane: Lane, move: Move) -> Command[Any]:
    """A move in LangGraph's terms; going to the lane's join marks it as arrived there."""
    from langgraph.graph import END as GRAPH_END
    from langgraph.types import Command

    lanes = dict(move.lanes)
    goto: list[str] = []
    for name, node in move.to:
        if node == END:
            goto.append(GRAPH_END)
        elif name == lane.name and node == lane.join:
            here = lanes[name]
            if here is not None and lane.parent is not None:
                lanes[name] = {**here, "arrived": True}
                goto.append(graph_name(lane.parent, node))
        else:
            goto.append(graph_name(name, node))
    return Command(update={"lanes": lanes}, goto=goto if len(goto) > 1 else goto[0])


def _destinations(lane: Lane, name: str, node: Node) -> tuple[str, ...]:
    """Where a node of a lane may lead, as LangGraph node names."""
    from langgraph.graph import END as GRAPH_END

    if isinstance(node, BranchNode):
        return tuple(graph_name(copy, node.to) for copy in lane_names(lane.name, name, node.copies))
    return tuple(
        GRAPH_END
        if target == END
        else graph_name(lane.parent, target)
        if target == lane.join and lane.parent is not None
        else graph_name(lane.name, target)
        for target in targets(node)
    )
