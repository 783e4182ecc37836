"""`route`: edges with conditions; the first that holds is taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import boundary
from harness.scaffolds.state import LaneState, Move, Visit
from harness.spec import evaluate
from harness.spec.scaffold import RouteNode


def route(node: RouteNode) -> Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]:
    """Visits of a route node. Conditions see `role` as the empty text: a route has none."""

    async def visit(at: Visit, lanes: dict[str, LaneState], trial: Acting) -> Move:
        lane = lanes[at.lane]
        names = trial.names(lane, "", node.scope)
        to = node.otherwise
        for number, case in enumerate(node.cases, start=1):
            with boundary("scaffold", f"node {at.node}, case {number}"):
                holds = bool(evaluate(case.when, names))
            if holds:
                to = case.to
                break
        trial.context.recorder.node(
            step=at.step, node=at.node, kind="route", lane=at.lane, visit=at.number, role=None, started=at.started,
            detail={"to": to},
        )  # fmt: skip
        return Move({at.lane: lane}, [(at.lane, to)])

    return visit
