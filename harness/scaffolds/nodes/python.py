"""`python`: a user's function of the lane, whose result becomes scaffold variables.

It runs in a thread of its own, so that a slow one holds up no other trial, for at most `LONGEST` seconds and
never past the trial's time. Whatever goes wrong in it is the scaffold's fault.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import blame, boundary
from harness.scaffolds.protocols.strict_json import plain_json
from harness.scaffolds.state import LaneState, Move, Visit, plain_lane
from harness.spec import in_scope, load_python, out_of_scope
from harness.spec.scaffold import PythonNode

LONGEST = 60.0
"""Seconds one call may take."""


def python(node: PythonNode, base: Path) -> Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]:
    """Visits of a python node. Raises `UserError` when the function cannot be loaded."""
    function = load_python(node.function, base)

    async def visit(at: Visit, lanes: dict[str, LaneState], trial: Acting) -> Move:
        lane = lanes[at.lane]
        returned = await call_user(function, user_state(lane, trial, node.scope), at.node, trial)
        changed = _variables(returned, lane, at.node, node.scope)
        trial.context.recorder.node(
            step=at.step, node=at.node, kind="python", lane=at.lane, visit=at.number, role=None, started=at.started,
            detail={"changed": changed},
        )  # fmt: skip
        return Move({at.lane: {**lane, "variables": {**lane["variables"], **changed}}}, [(at.lane, node.next)])

    return visit


def user_state(lane: LaneState, trial: Acting, scope: str) -> dict[str, Any]:
    """What a user's function is given: plain data of its own, variables and visits as its scope knows them."""
    plain = plain_lane(lane)
    return {
        **plain,
        "variables": in_scope(scope, plain["variables"]),
        "visits": in_scope(scope, plain["visits"]),
        "input": dict(trial.context.input),
        "task": trial.context.task,
        "turns": trial.meter.turns,
    }


async def call_user(function: Callable[..., object], argument: object, node: str, trial: Acting) -> object:
    """What `function(argument)` returns, called in a thread. Raises `TrialEnd`."""
    left = trial.meter.seconds_left
    clock = asyncio.timeout(LONGEST if left is None else min(left, LONGEST))
    with boundary("scaffold", f"node {node}"):
        try:
            async with clock:
                return await _in_thread(function, argument)
        except TimeoutError:
            if not clock.expired():
                raise
    if left is not None and left <= LONGEST:
        raise trial.meter.out_of_time()
    raise blame("scaffold", f"node {node}: its function took longer than {LONGEST:g} seconds")


async def _in_thread(function: Callable[..., object], argument: object) -> object:
    """Run in a daemon thread: one that hangs neither blocks the pool of others nor the end of the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()

    def settle(result: object, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def work() -> None:
        result, failure = None, None
        try:
            result = function(argument)
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who attributes it
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name="scaffold-python", daemon=True).start()
    return await done


def _variables(returned: object, lane: LaneState, node: str, scope: str) -> dict[str, JsonValue]:
    """The variables to set. Raises `TrialEnd` when the function returned anything else."""
    if returned is None:
        return {}
    if not isinstance(returned, dict):
        raise blame("scaffold", f"node {node}: its function must return a dict, not {type(returned).__name__}")
    unknown = sorted(str(name) for name in returned if name not in in_scope(scope, lane["variables"]))
    if unknown:
        raise blame(
            "scaffold", f"node {node}: its function returned {unknown[0]!r}, which is no variable of the scaffold"
        )
    try:
        return out_of_scope(scope, {name: plain_json(value) for name, value in returned.items()})
    except ValueError as error:
        raise blame("scaffold", f"node {node}: what its function returned is no JSON: {error}") from None
