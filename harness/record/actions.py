"""The actions of a recorded trial, in the order they were taken: what checks, measures and comparisons look at.

Taken are: every call carried out by an `act` node (tool, submit), every malformed or cut-off reply, and what was
said or refused. Actions of a branch's lanes that were not gone on with are thoughts, not actions, and left out. (A
probe of a moment in a lane holds that one call and no branch: its actions are what was asked for, and stay.)
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import orjson
from pydantic import JsonValue

from harness.record.schema import CallEvent, Event, ToolEvent, TrialDocument
from harness.spec.actions import Action


class RecordedAction(TypedDict):
    """One action with what came of it, as plain data."""

    kind: str
    name: str
    arguments: dict[str, JsonValue]
    text: str
    role: str
    """Of the scaffold."""
    node: str
    """That carried the action out; that chose it, where nothing was to be carried out."""
    step: int
    error: bool
    """The observation was an error, or the reply malformed or cut off."""
    observation: str | None
    """None where nothing was carried out."""
    changes_state: bool
    """Carried out with a tool that may change the state."""
    data: dict[str, JsonValue]
    """Facts of the observation: exit code, rows, ..."""


_exactly = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode
_EXPONENT = re.compile(r"[0-9]e[-+0-9]|0\.0000")


def encode(value: Any) -> str:  # noqa: ANN401 - plain data of any shape
    """Canonical JSON of what is in normal form already, as the arguments in a record are.

    orjson writes the same text a good deal faster, but for very small and large numbers and lone surrogates.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return _exactly(value)
    return _exactly(value) if _EXPONENT.search(text) else text


@dataclass(slots=True)
class Taken:
    """One action taken, with what tables say of it beyond the entry."""

    entry: RecordedAction
    canonical: str
    """Arguments as canonical JSON."""
    tokens: float | None
    """Its share of the completion tokens of the call that chose it."""
    replayed: bool = False
    """Chosen by a reply that was taken from the record: part of the way back to a moment."""


@dataclass(slots=True)
class _Open:
    """A choice that was not carried out yet."""

    role: str
    lane: str
    call_id: str | None
    taken: Taken


def recorded_actions(document: TrialDocument) -> list[RecordedAction]:
    """The actions of a trial, in order."""
    return [taken.entry for taken in taken_actions(plain_event(event) for event in document.events)]


def taken_actions(events: Iterable[Mapping[str, Any]], encode: Callable[[Any], str] = encode) -> list[Taken]:
    """The actions among the events of a document, given as plain data: the one place that says what was taken."""
    taken: list[Taken] = []
    open_choices: list[_Open] = []
    branched: set[str] = set()
    replayed = False
    for event in events:
        if event["type"] == "call":
            tokens, chosen = event["completion_tokens"], event["actions"]
            replayed = event.get("replayed", False)
            for action in chosen:
                share = None if tokens is None else tokens / len(chosen)
                found = Taken(_entry(event, action), encode(action["arguments"]), share, replayed)
                taken.append(found)
                open_choices.append(_Open(event["role"], event["lane"], action["call_id"], found))
        elif event["type"] == "tool":
            carried_out = _carried_out(event)
            canonical = encode(carried_out["arguments"])
            match = _chosen_by(open_choices, event, canonical)
            if match is None:
                taken.append(Taken(carried_out, canonical, None, replayed))
            else:
                match.taken.entry.update(carried_out)
                open_choices.remove(match)
        elif event["kind"] == "branch":
            branched.update(event["detail"].get("lanes") or ())
        elif event["kind"] == "join":
            _drop_lost_lanes(taken, open_choices, str(event["detail"].get("winner")))
    lost = {id(choice.taken) for choice in open_choices if choice.lane in branched}
    return [found for found in taken if id(found) not in lost] if lost else taken


def plain_event(event: Event) -> dict[str, Any]:
    """What `taken_actions` looks at of an event."""
    if isinstance(event, CallEvent):
        actions = [_plain_action(action) for action in event.actions]
        return {
            "type": "call", "step": event.step, "node": event.node, "role": event.role, "lane": event.lane,
            "actions": actions, "completion_tokens": event.completion_tokens, "replayed": event.replayed,
        }  # fmt: skip
    if isinstance(event, ToolEvent):
        return {
            "type": "tool", "step": event.step, "node": event.node, "role": event.role, "lane": event.lane,
            "action": _plain_action(event.action), "observation": event.observation, "error": event.error,
            "changes_state": event.changes_state, "data": event.data,
        }  # fmt: skip
    return {"type": "node", "kind": event.kind, "detail": event.detail}


def _plain_action(action: Action) -> dict[str, Any]:
    return {
        "kind": action.kind, "name": action.name, "arguments": action.arguments, "text": action.text,
        "call_id": action.call_id,
    }  # fmt: skip


def _chosen_by(open_choices: list[_Open], event: Mapping[str, Any], canonical: str) -> _Open | None:
    """The latest call's choice that `event` carries out; the first of equal ones of that call."""
    action, role = event["action"], event["role"]
    same = [
        choice
        for choice in open_choices
        if choice.role == role
        and choice.taken.canonical == canonical
        and choice.taken.entry["kind"] == action["kind"]
        and _named(choice.taken.entry) == _named(action)
    ]
    by_id = [choice for choice in same if choice.call_id == action["call_id"]] or same
    newest = max((choice.taken.entry["step"] for choice in by_id), default=None)
    return next((choice for choice in by_id if choice.taken.entry["step"] == newest), None)


def _named(action: Mapping[str, Any]) -> str:
    """The name as it is part of the canonical key: one that only says the kind again does not count."""
    return "" if action["name"] == action["kind"] else action["name"]


def _drop_lost_lanes(taken: list[Taken], open_choices: list[_Open], winner: str) -> None:
    """At a join the winner's open actions become main's; the other lanes' are dropped."""
    branch = winner.rpartition(".")[0]
    for position, choice in reversed(list(enumerate(open_choices))):
        if choice.lane == winner:
            choice.lane = "main"
        elif choice.lane.rpartition(".")[0] and choice.lane.rpartition(".")[0] == branch:
            del open_choices[position]
            del taken[next(i for i, other in enumerate(taken) if other is choice.taken)]


def _entry(event: Mapping[str, Any], action: Mapping[str, Any]) -> RecordedAction:
    failed = action["kind"] in ("malformed", "cut_off")
    return RecordedAction(
        kind=action["kind"], name=action["name"], arguments=action["arguments"], text=action["text"],
        role=event["role"], node=event["node"], step=event["step"], error=failed, observation=None,
        changes_state=False, data={},
    )  # fmt: skip


def _carried_out(event: Mapping[str, Any]) -> RecordedAction:
    action = event["action"]
    return RecordedAction(
        kind=action["kind"], name=action["name"], arguments=action["arguments"], text=action["text"],
        role=event["role"], node=event["node"], step=event["step"], error=event["error"],
        observation=event["observation"], changes_state=event["changes_state"] and action["kind"] == "tool",
        data=event["data"],
    )  # fmt: skip


def hashed_key(kind: str, name: str, arguments: str) -> int:
    """64 bits of the BLAKE2b of the canonical action key (`harness.spec.actions.Action.key`), from its parts.

    `arguments` is canonical JSON.
    """
    words = [kind]
    if name and name != kind:
        words.append(name)
    if arguments not in ("{}", ""):
        words.append(arguments)
    digest = hashlib.blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
