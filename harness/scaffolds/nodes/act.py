"""`act`: carries out a role's pending actions, in order.

A tool is called with the arguments as the model sent them, for at most the trial's remaining time. A malformed
or cut-off reply is answered with the reason. `submit` sets the answer and ends the trial: calls after it in the
same reply are not run (the call event still lists them). Once the environment has come to its end, only a
`submit` further on in the same reply still counts. What was said or refused needs no acting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from harness.environments.protocol import Observation
from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import boundary
from harness.scaffolds.state import LaneState, Move, Visit, plain_observation, with_messages, with_pending
from harness.scaffolds.writable import writable
from harness.spec.actions import UNUSABLE, Action, canonical_json
from harness.spec.scaffold import END, ActNode


def act(node: ActNode) -> Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]:
    """Visits of an act node."""

    async def visit(at: Visit, lanes: dict[str, LaneState], trial: Acting) -> Move:
        lane = lanes[at.lane]
        role = trial.role(node.role)
        trial.meter.check()
        results: list[tuple[Action, Observation]] = []
        finished = False
        for action in lane["pending"].get(role, []):
            if finished and action.kind != "submit":
                continue
            observation = await _carry_out(action, role, at, trial)
            if observation is not None:
                results.append((action, observation))
            if trial.submitted:
                break
            finished = finished or (action.kind == "tool" and _finished(trial))
        lane = with_pending(lane, role, [])
        if results:
            action, seen = results[-1]
            lane = with_messages(lane, role, trial.protocol.answers(results))
            lane = {**lane, "observation": plain_observation(seen, action.name)}
        return Move({at.lane: lane}, [(at.lane, END if trial.submitted or finished else node.next)])

    return visit


async def _carry_out(action: Action, role: str, at: Visit, trial: Acting) -> Observation | None:
    """The observation of one action, recorded; None for actions that leave nothing to observe."""
    started = trial.meter.elapsed
    changes_state = False
    if action.kind in UNUSABLE:
        observation = Observation(action.error, error=True)
    elif action.kind == "submit":
        _submit(action, trial)
        observation = Observation("Submitted.")
    elif action.kind == "tool":
        changes_state = next(tool.changes_state for tool in trial.tools(role) if tool.name == action.name)
        observation = await _call_tool(action, role, trial)
    else:
        return None
    timed_out = observation.data.get("out_of_time") is True
    trial.context.recorder.tool(
        step=at.step, key=at.key(role), action=action, observation=observation, changes_state=changes_state,
        started=started, seconds=trial.meter.elapsed - started,
    )  # fmt: skip
    if timed_out:
        raise trial.meter.out_of_time()
    return observation


async def _call_tool(action: Action, role: str, trial: Acting) -> Observation:
    """What the environment answers; a call the trial's time ran out on says so in `data`."""
    environment, seat = trial.context.environment, trial.context.seats[role]
    clock = asyncio.timeout(trial.meter.seconds_left)
    with boundary("environment", f"tool {action.name}"):
        try:
            async with clock:
                seen = await environment.call(seat, action.name, dict(action.as_sent))
                return replace(seen, text=writable(seen.text), data=writable(seen.data))
        except TimeoutError:
            if not clock.expired():
                raise
    return Observation("the trial's time ran out", error=True, data={"out_of_time": True})


def _submit(action: Action, trial: Acting) -> None:
    answer = action.as_sent.get("answer")
    trial.answer = answer if isinstance(answer, str) else canonical_json(answer)
    trial.submitted = True


def _finished(trial: Acting) -> bool:
    with boundary("environment", "whether it is finished"):
        return trial.context.environment.finished()
