"""Drift: what came out different on the way back to a moment, event by event.

Both documents are read in the order of steps, which is the same in whatever order parallel replies arrived. What tools
answered, what a role heard, where the scaffold went and what each call was asked with are held against each other, but
not times and receipts. A request that differs only because of what was observed before it is no news, so requests are
reported only while nothing else has drifted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest

from harness.record import (
    CallEvent,
    Drift,
    Event,
    NodeEvent,
    ToolEvent,
    TrialDocument,
    TrialRecord,
    message_hash,
    requested_messages,
)

LONGEST = 4_000
"""Characters kept of each version."""


def drift_before(recorded: TrialDocument, replayed: TrialDocument, step: int | None) -> list[Drift]:
    """What differs before a step (of both), or in the whole of them when None; the first difference comes first.

    The walk ends where the scaffold took another way: from there on nothing corresponds.
    """
    found: list[Drift] = []
    pairs = zip_longest(_events(recorded, step), _events(replayed, step))
    for old, new in pairs:
        if old is None or new is None or _place(old[1]) != _place(new[1]):
            found.append(_other_way(old, new))
            break
        difference = _difference(old, new, recorded, replayed)
        if difference is not None and (difference.what != "request" or not found):
            found.append(difference)
    return found


def drift_of_ending(recorded: TrialRecord, replayed: TrialRecord) -> list[Drift]:
    """What differs in how two trials ended: state, answer, and the world they left."""
    last = max((event.step for event in replayed.document.events), default=1)

    def told(what: str, old: object, new: object) -> list[Drift]:
        if old == new:
            return []
        return [Drift(what="end", step=last, node="end", role=None, recorded=f"{what}: {_short(str(old))}",
                      replayed=f"{what}: {_short(str(new))}")]  # fmt: skip

    def ended(record: TrialRecord) -> str:
        row = record.row
        return " ".join(str(part) for part in (row.state, row.limit, row.fault) if part)

    found = told("state", ended(recorded), ended(replayed))
    found += told("answer", recorded.row.answer, replayed.row.answer)
    if recorded.final_state != replayed.final_state:
        sizes = [None if r.final_state is None else f"{len(r.final_state)} bytes" for r in (recorded, replayed)]
        found.append(Drift(what="end", step=last, node="end", role=None, recorded=f"final state: {sizes[0]}",
                           replayed=f"final state: {sizes[1]}, other content"))  # fmt: skip
    return found


def marked(document: TrialDocument, drifts: list[Drift]) -> TrialDocument:
    """The document with every observation that drifted marked as such (`data.drift`)."""
    steps = {(found.step, found.node) for found in drifts if found.what == "observation"}
    if not steps:
        return document
    events: list[Event] = []
    for event in document.events:
        if isinstance(event, ToolEvent) and (event.step, event.node) in steps:
            event = event.model_copy(update={"data": {**event.data, "drift": True}})
        events.append(event)
    return document.model_copy(update={"events": events})


def _events(document: TrialDocument, step: int | None) -> Iterator[tuple[int, Event]]:
    """(index, event) before a step, in order; failed calls are attempts, not steps of the way."""
    listed = [
        (index, event)
        for index, event in enumerate(document.events)
        if (step is None or event.step < step) and not (isinstance(event, CallEvent) and event.reply is None)
    ]
    return iter(sorted(listed, key=lambda item: (item[1].step, item[0])))


def _place(event: Event) -> tuple[object, ...]:
    kind = event.kind if isinstance(event, NodeEvent) else event.type
    return (event.step, event.node, event.role, event.lane, event.visit, kind)


def _other_way(old: tuple[int, Event] | None, new: tuple[int, Event] | None) -> Drift:
    there = new or old
    assert there is not None  # noqa: S101 - one of two that are zipped is there
    return Drift(
        what="path", step=there[1].step, node=there[1].node, role=there[1].role,
        recorded=None if old is None else _described(old[1]), replayed=None if new is None else _described(new[1]),
    )  # fmt: skip


def _described(event: Event) -> str:
    kind = event.kind if isinstance(event, NodeEvent) else event.type
    return f"step {event.step}: {kind} at node {event.node}, lane {event.lane}, visit {event.visit}"


def _difference(
    old: tuple[int, Event], new: tuple[int, Event], recorded: TrialDocument, replayed: TrialDocument
) -> Drift | None:
    (at, before), (place, after) = old, new
    if isinstance(before, CallEvent) and isinstance(after, CallEvent):
        return _request(before, after, requested_messages(recorded, at), requested_messages(replayed, place))
    if isinstance(before, ToolEvent) and isinstance(after, ToolEvent):
        versions = [_observed(event) for event in (before, after)]
        return None if versions[0] == versions[1] else _drift("observation", after, *versions)
    if isinstance(before, NodeEvent) and isinstance(after, NodeEvent) and before.detail != after.detail:
        what = "observation" if after.kind == "hear" else "path"
        return _drift(what, after, *(json.dumps(event.detail, ensure_ascii=False) for event in (before, after)))
    return None


def _observed(event: ToolEvent) -> str:
    return f"error: {event.observation}" if event.error else event.observation


def _request(
    before: CallEvent, after: CallEvent, asked: list[dict[str, object]], asked_now: list[dict[str, object]]
) -> Drift | None:
    """The first message that differs, else the tools or the response format."""
    for old, new in zip_longest(asked, asked_now):
        if old is None or new is None or message_hash(old) != message_hash(new):
            versions = [None if item is None else json.dumps(item, ensure_ascii=False) for item in (old, new)]
            return _drift("request", after, *versions)
    if before.tools != after.tools or before.response_format != after.response_format:
        return _drift("request", after, "the tools offered then", "the tools offered now")
    return None


def _drift(what: str, event: Event, recorded: str | None, replayed: str | None) -> Drift:
    return Drift.model_validate(
        {"what": what, "step": event.step, "node": event.node, "role": event.role, "recorded": _short(recorded),
         "replayed": _short(replayed)}
    )  # fmt: skip


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST else f"{text[:LONGEST]} ... {len(text) - LONGEST:,} more"
