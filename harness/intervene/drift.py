"""Drift: what came out different on the way back to a moment, event by event.

Both documents are read in the order of steps, which is the same in whatever order parallel replies arrived. What tools
answered, what a role heard, where the scaffold went and what each call was asked with are held against each other, but
not times and receipts. What differs only because of what was observed before it is no news, so requests, texts and
variables are reported only while nothing else has drifted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest

from harness.intervene.moments import Moment
from harness.record import (
    CallEvent,
    Drift,
    Event,
    NodeEvent,
    ToolEvent,
    TrialDocument,
    TrialRecord,
    TrialRow,
    message_hash,
    requested_messages,
)

LONGEST = 4_000
"""Characters kept of each version."""
_WHAT = {"hear": "observation", "say": "request"}
"""What a difference between two visits of such a node is; of all others it is the path."""


def drift_before(
    recorded: TrialDocument,
    replayed: TrialDocument,
    step: int | None,
    *,
    beyond: bool = False,
    unfinished: bool = False,
) -> list[Drift]:
    """What differs before a step (of both), or in the whole of them when None; the first difference comes first.

    What the call at that step is asked with counts as before it. With `beyond` it is no drift that the replayed trial
    goes on where the record ends, with `unfinished` none that it ends earlier. The walk ends where the scaffold took
    another way: from there on nothing corresponds.
    """
    found: list[Drift] = []
    for old, new in zip_longest(_events(recorded, step), _events(replayed, step)):
        if (old is None and beyond) or (new is None and unfinished):
            return found
        if old is None or new is None or _place(old[1]) != _place(new[1]):
            return [*found, _other_way(old, new)]
        found += _news(old, new, recorded, replayed, found)
    if step is not None:
        here, there = _call_at(recorded, step), _call_at(replayed, step)
        if here is not None and there is not None and _place(here[1]) == _place(there[1]):
            found += _news(here, there, recorded, replayed, found)
        elif here is not None and not unfinished:
            found.append(_other_way(here, there))
    return found


def drift_on_the_way(recorded: TrialDocument, replayed: TrialRecord, there: Moment) -> list[Drift]:
    """What differs up to a moment in a trial that went on from it.

    One that was cut off on the way, by a signal or a failure of others, is compared as far as it came.
    """
    row = replayed.row
    unfinished = row.state == "cancelled" or row.fault in ("provider", "environment", "harness")
    return drift_before(recorded, replayed.document, there.step, beyond=there.step is None, unfinished=unfinished)


def drift_of_ending(
    recorded: TrialRecord, replayed: TrialRecord, *, state: str | None = None, score: float | None = None
) -> list[Drift]:
    """What differs in how two trials ended: state, answer, the world they left, and the score.

    `state` says how the worlds differ, None where they are the same; `score` is what the replayed trial is given,
    which is compared where the recorded one has a score.
    """
    last = max((event.step for event in replayed.document.events), default=1)

    def told(what: str, old: object, new: object) -> list[Drift]:
        if old == new:
            return []
        return [Drift(what="end", step=last, node="end", role=None, recorded=f"{what}: {_short(str(old))}",
                      replayed=f"{what}: {_short(str(new))}")]  # fmt: skip

    found = told("state", _ended(recorded.row), _ended(replayed.row))
    found += told("answer", recorded.row.answer, replayed.row.answer)
    if state is not None:
        size = "none was kept" if recorded.final_state is None else f"{len(recorded.final_state)} bytes"
        found += told("final state", size, state)
    if recorded.row.score is not None:
        found += told("score", recorded.row.score, score)
    return found


def _ended(row: TrialRow) -> str:
    return " ".join(str(part) for part in (row.state, row.limit, row.fault) if part)


def marked(document: TrialDocument, drifts: list[Drift]) -> TrialDocument:
    """The document with every observation that drifted marked as such (`drift` in its `data` or `detail`)."""
    places = {(found.step, found.node, found.replayed) for found in drifts if found.what == "observation"}
    if not places:
        return document
    events: list[Event] = []
    for event in document.events:
        if isinstance(event, ToolEvent) and (event.step, event.node, _short(_observed(event))) in places:
            event = event.model_copy(update={"data": {**event.data, "drift": True}})
        elif isinstance(event, NodeEvent) and (event.step, event.node, _short(_detail(event))) in places:
            event = event.model_copy(update={"detail": {**event.detail, "drift": True}})
        events.append(event)
    return document.model_copy(update={"events": events})


def _events(document: TrialDocument, step: int | None) -> Iterator[tuple[int, Event]]:
    """(index, event) before a step, in order."""
    listed = [
        (index, event)
        for index, event in enumerate(document.events)
        if (step is None or event.step < step) and not _came_to_nothing(event)
    ]
    return iter(sorted(listed, key=lambda item: (item[1].step, item[0])))


def _came_to_nothing(event: Event) -> bool:
    """A call that was not answered, or a tool that was cut off by the trial's clock."""
    if isinstance(event, ToolEvent):
        return event.data.get("out_of_time") is True
    return isinstance(event, CallEvent) and event.reply is None


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


def _call_at(document: TrialDocument, step: int) -> tuple[int, Event] | None:
    """The call at a step, answered or not."""
    calls = ((at, event) for at, event in enumerate(document.events) if isinstance(event, CallEvent))
    return next(((at, event) for at, event in calls if event.step == step), None)


def _news(
    old: tuple[int, Event], new: tuple[int, Event], recorded: TrialDocument, replayed: TrialDocument,
    before: list[Drift],
) -> list[Drift]:  # fmt: skip
    """How two events of one place differ, but for what only follows from what differed before them."""
    (at, one), (place, other) = old, new
    if isinstance(one, ToolEvent) and isinstance(other, ToolEvent):
        return _drift("observation", other, _observed(one), _observed(other))
    if isinstance(one, NodeEvent) and isinstance(other, NodeEvent):
        own = one.kind in ("hear", "route")
        return _drift(_WHAT.get(one.kind, "path"), other, _detail(one), _detail(other)) if own or not before else []
    if isinstance(one, CallEvent) and isinstance(other, CallEvent) and not before:
        return _request(one, other, requested_messages(recorded, at), requested_messages(replayed, place))
    return []


def _observed(event: ToolEvent) -> str:
    return f"error: {event.observation}" if event.error else event.observation


def _detail(event: NodeEvent) -> str:
    """What a visit came to; a mark of drift is no part of it."""
    told = {name: value for name, value in event.detail.items() if name != "drift"}
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _request(
    before: CallEvent, after: CallEvent, asked: list[dict[str, object]], asked_now: list[dict[str, object]]
) -> list[Drift]:
    """The first message that differs, else the tools or the response format."""
    for old, new in zip_longest(asked, asked_now):
        if old is None or new is None or (old != new and message_hash(old) != message_hash(new)):
            return _drift("request", after, *(_as_text(item) for item in (old, new)))
    if before.tools != after.tools or before.response_format != after.response_format:
        return _drift("request", after, "the tools offered then", "the tools offered now")
    return []


def _as_text(message: dict[str, object] | None) -> str | None:
    return None if message is None else json.dumps(message, ensure_ascii=False)


def _drift(what: str, event: Event, recorded: str | None, replayed: str | None) -> list[Drift]:
    if recorded == replayed:
        return []
    return [
        Drift.model_validate(
            {"what": what, "step": event.step, "node": event.node, "role": event.role, "recorded": _short(recorded),
             "replayed": _short(replayed)}
        )
    ]  # fmt: skip


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST else f"{text[:LONGEST]} ... {len(text) - LONGEST:,} more"
