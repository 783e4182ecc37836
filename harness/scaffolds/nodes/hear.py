"""`hear`: asks the environment what has reached a role, and puts it into the role's thread.

Nothing new leaves the thread as it is. What is heard is part of the record, as an observation is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import boundary
from harness.scaffolds.nodes.generate import withdrawn
from harness.scaffolds.state import LaneState, Move, Visit, with_messages
from harness.scaffolds.writable import writable
from harness.spec.scaffold import HearNode


def hear(node: HearNode) -> Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]:
    """Visits of a hear node."""

    async def visit(at: Visit, lanes: dict[str, LaneState], trial: Acting) -> Move:
        lane = lanes[at.lane]
        role = trial.role(node.role)
        trial.meter.check()
        text = await _news(role, trial)
        if text is not None:
            lane = with_messages(withdrawn(lane, role, trial), role, [{"role": "user", "content": text}])
        trial.context.recorder.node(
            step=at.step, node=at.node, kind="hear", lane=at.lane, visit=at.number, role=role, started=at.started,
            detail={"text": text},
        )  # fmt: skip
        return Move({at.lane: lane}, [(at.lane, node.next)])

    return visit


async def _news(role: str, trial: Acting) -> str | None:
    seat = trial.context.seats.get(role)
    if seat is None:
        return None
    clock = asyncio.timeout(trial.meter.seconds_left)
    with boundary("environment", "what there is to hear"):
        try:
            async with clock:
                told = await trial.context.environment.news(seat)
        except TimeoutError:
            if not clock.expired():
                raise
            raise trial.meter.out_of_time() from None
    return None if told is None else writable(told)
