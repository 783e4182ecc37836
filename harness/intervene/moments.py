"""Moments of recorded trials: what is behind one, and what the model was asked there.

The answered calls of a trial are put in the order of their steps, which does not depend on the order in which replies
arrive in parallel lanes. Moment k has the first k of them behind it; the call that follows is what is frozen there.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import UserError
from harness.models import CallKey
from harness.record import CallEvent, TrialDocument
from harness.run.metering import PaidReply, paid_replies
from harness.spec import prefix_digests


@dataclass(frozen=True)
class Moment:
    """One moment of a recorded trial."""

    trial: str
    at: int
    """k: answered calls behind it."""
    of: int
    """Answered calls of the trial in all."""
    following: int | None
    """Index (in the document's events) of the call that follows; None at the end."""
    key: CallKey | None
    """Of the call that follows."""
    step: int | None
    """Of the call that follows."""

    @property
    def name(self) -> str:
        """`<trial>@<k>`."""
        return f"{self.trial}@{self.at}"


def answered_calls(document: TrialDocument) -> list[tuple[int, CallEvent]]:
    """(index in the events, call) of every answered call, in the order of steps."""
    calls = [
        (index, event)
        for index, event in enumerate(document.events)
        if isinstance(event, CallEvent) and event.reply is not None
    ]
    return sorted(calls, key=lambda item: (item[1].step, item[0]))


def call_key(event: CallEvent) -> CallKey:
    """What identifies a recorded call."""
    return CallKey(node=event.node, role=event.role, lane=event.lane, visit=event.visit)


def moment(trial: str, document: TrialDocument, at: int) -> Moment:
    """Moment `at` of a trial. Raises `UserError` when it has no such moment."""
    calls = answered_calls(document)
    if not 0 <= at <= len(calls):
        raise UserError(f"trial {trial} has {len(calls)} answered calls: its moments are 0 to {len(calls)}, not {at}")
    if at == len(calls):
        return Moment(trial, at, len(calls), None, None, None)
    index, event = calls[at]
    return Moment(trial, at, len(calls), index, call_key(event), event.step)


def moments(trial: str, document: TrialDocument) -> list[Moment]:
    """Every moment at which a model was asked, in order."""
    return [moment(trial, document, at) for at in range(len(answered_calls(document)))]


def unanswered_calls(document: TrialDocument) -> set[CallKey]:
    """Calls that were under way when the trial ended: another lane came to the end first."""
    return {
        call_key(event)
        for event in document.events
        if isinstance(event, CallEvent) and event.reply is None and event.error == "cancelled"
    }


def replies_behind(document: TrialDocument, at: int) -> dict[CallKey, PaidReply]:
    """The first `at` replies, by the key of their call."""
    every = paid_replies(document)
    return {call_key(event): every[call_key(event)] for _, event in answered_calls(document)[:at]}


def digests_behind(document: TrialDocument) -> list[str]:
    """Of what is behind each moment, the end too: the replies, by key, and nothing of names, clocks or receipts."""
    return prefix_digests(
        {"key": [event.node, event.role, event.lane, event.visit], "reply": event.reply, "finish": event.finish}
        for _, event in answered_calls(document)
    )
