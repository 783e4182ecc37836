"""`generate`: one model call; the reply joins the role's thread and becomes its pending actions.

A request always ends with something to answer: `Begin.` is put after a thread that holds only system
messages, `Go on.` after the model's own last reply. Calls still pending from an earlier reply are withdrawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from pydantic import JsonValue

from harness.models.protocol import (
    ContextExceeded,
    Message,
    ModelReply,
    ModelRequest,
    ModelSetupError,
    ProviderFault,
    TimeExceeded,
)
from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import blame, one_line, reached
from harness.scaffolds.protocols import Offer
from harness.scaffolds.state import MAIN, LaneState, Move, Visit, plain_action, with_messages, with_pending
from harness.scaffolds.writable import writable
from harness.spec.actions import UNUSABLE, Action
from harness.spec.scaffold import GenerateNode

BEGIN = "Begin."
GO_ON = "Go on."


def generate(node: GenerateNode) -> Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]:
    """Visits of a generate node."""

    async def visit(at: Visit, lanes: dict[str, LaneState], trial: Acting) -> Move:
        role = trial.role(node.role)
        lane = _ready(withdrawn(lanes[at.lane], role, trial), role)
        thread = lane["threads"][role]
        offer = trial.offer(role, node.tools, thread)
        call = _Call(at, role, thread, offer, _parameters(node, offer, trial))
        reply = await _complete(call, trial)
        reply = replace(reply, message=writable(reply.message))
        actions = trial.protocol.parse(reply, offer.tools)
        call.record(trial, reply=reply, actions=actions)
        trial.meter.replied(at.lane, reply)
        after = _after(lane, role, reply, actions, trial)
        if node.save is not None:
            text = "\n".join(action.text for action in actions if action.text)
            after = {**after, "variables": {**after["variables"], node.save: text}}
        if at.lane == MAIN:
            check_malformed(after, role, actions[-1].error, trial)
        return Move({at.lane: after}, [(at.lane, node.next)])

    return visit


def withdrawn(lane: LaneState, role: str, trial: Acting) -> LaneState:
    """`lane` with a role's pending calls taken back, and answered as not run where the protocol needs that."""
    pending = lane["pending"].get(role)
    if not pending:
        return lane
    return with_pending(with_messages(lane, role, trial.protocol.withdrawals(pending)), role, [])


def check_malformed(lane: LaneState, role: str, reason: str, trial: Acting) -> None:
    """End the trial as the model's fault when a role has been unusable too often in a row."""
    count, limit = lane["malformed"].get(role, 0), trial.flat.protocol.malformed_limit
    if count >= limit:
        raise blame("model", f"{count} malformed or cut-off replies of {role} in a row; the last: {reason}")


@dataclass(frozen=True)
class _Call:
    at: Visit
    role: str
    messages: list[Message]
    offer: Offer
    parameters: dict[str, JsonValue]

    def request(self, trial: Acting) -> ModelRequest:
        return ModelRequest(
            key=self.at.key(self.role),
            messages=self.messages,
            tools=self.offer.request_tools,
            response_format=self.offer.response_format,
            parameters=self.parameters,
            seed=trial.context.seed,
            seconds_left=trial.meter.seconds_left,
        )

    def record(
        self, trial: Acting, *, reply: ModelReply | None = None, actions: list[Action] | None = None,
        fault: ProviderFault | None = None, error: str | None = None,
    ) -> None:  # fmt: skip
        trial.context.recorder.call(
            step=self.at.step,
            key=self.at.key(self.role),
            model=trial.context.models[self.role].name,
            messages=self.messages,
            tools=self.offer.schemas,
            response_format=self.offer.response_format,
            reply=reply,
            actions=actions or [],
            started=self.at.started,
            fault=fault,
            error=error,
        )


async def _complete(call: _Call, trial: Acting) -> ModelReply:
    """The reply. Raises `TrialEnd` for whatever kept it from coming, after recording that."""
    trial.meter.begin_turn()
    try:
        return await trial.context.models[call.role].complete(call.request(trial))
    except ProviderFault as fault:
        call.record(trial, fault=fault, error=one_line(f"{fault.kind}: {fault}"))
        trial.meter.wait(call.at.lane, sum(tried.seconds + tried.waited for tried in fault.attempts))
        raise blame("provider", f"{fault.kind}: {fault}") from fault
    except (ContextExceeded, TimeExceeded) as ended:
        limit = "context" if isinstance(ended, ContextExceeded) else "seconds"
        tried = ProviderFault(limit, str(ended), ended.attempts) if ended.attempts else None
        call.record(trial, fault=tried, error=one_line(f"limit of {limit}: {ended}"))
        trial.meter.wait(call.at.lane, ended.waited)
        if limit == "seconds":
            raise trial.meter.out_of_time() from ended
        raise reached("context", f"the thread of {call.role} no longer fits the model's context") from ended
    except ModelSetupError as error:
        call.record(trial, error=one_line(str(error)))
        raise blame("provider", str(error)) from error
    except asyncio.CancelledError:
        call.record(trial, error="cancelled")
        raise


def _ready(lane: LaneState, role: str) -> LaneState:
    """`lane` with a thread that ends in something to answer."""
    thread = lane["threads"][role]
    if all(message["role"] == "system" for message in thread):
        return with_messages(lane, role, [{"role": "user", "content": BEGIN}])
    if lane["replied"].get(role) == len(thread):
        return with_messages(lane, role, [{"role": "user", "content": GO_ON}])
    return lane


def _parameters(node: GenerateNode, offer: Offer, trial: Acting) -> dict[str, JsonValue]:
    parameters = {**trial.context.parameters, **offer.parameters}
    if node.max_tokens is not None:
        asked = parameters.get("max_tokens")
        parameters["max_tokens"] = min(node.max_tokens, asked) if isinstance(asked, int) else node.max_tokens
    return parameters


def _after(lane: LaneState, role: str, reply: ModelReply, actions: list[Action], trial: Acting) -> LaneState:
    """The lane with the reply in it."""
    unusable = all(action.kind in UNUSABLE for action in actions)
    last = actions[-1]
    lane = with_messages(lane, role, [trial.protocol.thread_message(reply, actions)])
    return {
        **lane,
        "replied": {**lane["replied"], role: len(lane["threads"][role])},
        "pending": {**lane["pending"], role: actions},
        "malformed": {**lane["malformed"], role: lane["malformed"].get(role, 0) + 1 if unusable else 0},
        "last": plain_action(last),
        "key": " ; ".join(action.key for action in actions),
        "said": last.text if last.kind == "say" and trial.flat.roles[role].seat else lane["said"],
    }
