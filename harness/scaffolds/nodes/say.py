"""`say`: puts a templated message into a role's thread.

Calls of that role which are still pending are withdrawn: the model is told they were not run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import boundary
from harness.scaffolds.nodes.generate import withdrawn
from harness.scaffolds.state import LaneState, Move, Visit, with_messages
from harness.spec import render
from harness.spec.scaffold import SayNode


def say(node: SayNode) -> Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]:
    """Visits of a say node."""

    async def visit(at: Visit, lanes: dict[str, LaneState], trial: Acting) -> Move:
        lane = lanes[at.lane]
        role = trial.role(node.role)
        with boundary("scaffold", f"node {at.node}"):
            text = render(node.text, trial.names(lane, role, node.scope))
        lane = with_messages(withdrawn(lane, role, trial), role, [{"role": node.as_, "content": text}])
        trial.context.recorder.node(
            step=at.step, node=at.node, kind="say", lane=at.lane, visit=at.number, role=role, started=at.started,
            detail={"text": text, "as": node.as_},
        )  # fmt: skip
        return Move({at.lane: lane}, [(at.lane, node.next)])

    return visit
