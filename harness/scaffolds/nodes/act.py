"""`act`: carries out a role's pending actions, in order.

A tool is called with the arguments as the model sent them, for at most the trial's remaining time. A malformed
or cut-off reply is answered with the reason. `submit` sets the answer and ends the trial: calls after it in the
same reply are not run (the call event still lists them). Once the environment has come to its end, only a
`submit` further on in the same reply still counts. With `words` a reply in plain words is a call of that tool;
else what was said, and what was refused, needs no acting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from harness.environments.protocol import Observation, Tool
from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import boundary
from harness.scaffolds.state import LaneState, Move, Visit, plain_observation, with_messages, with_pending
from harness.scaffolds.writable import writable
from harness.spec.actions import UNUSABLE, Action, call_action, canonical_json
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
            observation = await _carry_out(action, role, at, trial, node.words)
            if observation is not None and (action.kind != "say" or observation.error):
                results.append((action, observation))  # words that were taken need no answer
            if trial.submitted:
                break
            finished = finished or (action.kind in ("tool", "say") and observation is not None and _finished(trial))
        lane = with_pending(lane, role, [])
        if results:
            action, seen = results[-1]
            lane = with_messages(lane, role, trial.protocol.answers(trial.as_shown(role, results)))
            lane = {**lane, "observation": plain_observation(seen, action.name)}
        return Move({at.lane: lane}, [(at.lane, END if trial.submitted or finished else node.next)])

    return visit


async def _carry_out(action: Action, role: str, at: Visit, trial: Acting, words: str | None) -> Observation | None:
    """The observation of one action, recorded; None for actions that leave nothing to observe."""
    started = trial.meter.elapsed
    changes_state = False
    speech = _speech(action, role, trial, words)
    if action.kind in UNUSABLE:
        observation = Observation(action.error, error=True)
    elif action.kind == "submit":
        _submit(action, trial)
        observation = Observation("Submitted.")
    elif action.kind == "tool":
        changes_state = next(tool.changes_state for tool in trial.tools(role) if tool.name == action.name)
        observation = await _call_tool(action, role, trial)
    elif speech is not None:
        changes_state = speech.changes_state
        observation = await _call_tool(call_action("tool", speech.name, {"text": action.text}), role, trial)
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


def _speech(action: Action, role: str, trial: Acting, words: str | None) -> Tool | None:
    """The tool that plain words are a call of, where the role has it and something was said."""
    if words is None or action.kind != "say" or not action.text.strip():
        return None
    return next((tool for tool in trial.tools(role) if tool.name == words), None)


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
