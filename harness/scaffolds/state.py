"""What flows through the graph: plain dicts, one per lane, never changed in place.

A node gets its lane's state and gives back a new one; what did not change is shared. Messages are never
edited, so copying a lane for a branch copies no thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from harness.environments.protocol import Observation
from harness.models.protocol import CallKey, Message
from harness.spec.actions import Action

MAIN = "main"


class LaneState(TypedDict):
    """One lane."""

    threads: dict[str, list[Message]]
    """Scaffold role -> its thread."""
    variables: dict[str, Any]
    pending: dict[str, list[Action]]
    """Scaffold role -> actions of its last reply that were not acted on yet."""
    last: dict[str, Any]
    """The last action, as templates see it."""
    observation: dict[str, Any]
    """The last observation, as templates see it."""
    visits: dict[str, int]
    malformed: dict[str, int]
    """Scaffold role -> unusable replies in a row."""
    replied: dict[str, int]
    """Scaffold role -> length of its thread right after its last reply."""
    key: str
    """Canonical string of the last action; empty before any. What a vote counts."""
    said: str | None
    """Text of the last `say` action of a seat; an inner voice answers nobody outside."""
    open: list[str]
    """Lanes branched off and not joined yet."""
    arrived: bool
    """At the join, waiting for the others."""


NO_ACTION: dict[str, Any] = {"kind": "", "name": "", "arguments": {}, "text": "", "error": ""}
NO_OBSERVATION: dict[str, Any] = {"text": "", "error": False, "tool": ""}


@dataclass(frozen=True)
class Visit:
    """One visit of one node in one lane."""

    step: int
    """Over all nodes and lanes of the trial, from 1."""
    node: str
    lane: str
    number: int
    """How often this lane has come to this node in the whole trial, from 1."""
    started: float
    """Wall seconds since the trial began."""

    def key(self, role: str) -> CallKey:
        """What identifies a call made here."""
        return CallKey(node=self.node, role=role, lane=self.lane, visit=self.number)


@dataclass(frozen=True)
class Move:
    """What a visit leads to."""

    lanes: Mapping[str, LaneState | None]
    """Lanes that changed; None ends a lane."""
    to: Sequence[tuple[str, str]]
    """(lane, node) to go on at; `end` as a node ends the trial."""


def new_lane(threads: dict[str, list[Message]], variables: dict[str, Any]) -> LaneState:
    """The main lane before its first node."""
    return LaneState(
        threads=threads, variables=variables, pending={}, last=NO_ACTION, observation=NO_OBSERVATION, visits={},
        malformed={}, replied={}, key="", said=None, open=[], arrived=False,
    )  # fmt: skip


def branched(lane: LaneState) -> LaneState:
    """A lane's copy for a branch: the same threads and variables, visits counted afresh."""
    return {**lane, "visits": {}, "open": [], "arrived": False}


def merge_lanes(old: dict[str, LaneState], new: Mapping[str, LaneState | None]) -> dict[str, LaneState]:
    """The reducer: lanes replace their older selves, a lane that is None ends."""
    merged = {**old, **new}
    return {name: lane for name, lane in merged.items() if lane is not None}


def with_messages(lane: LaneState, role: str, messages: Sequence[Message]) -> LaneState:
    """`lane` with messages added to a role's thread."""
    if not messages:
        return lane
    return {**lane, "threads": {**lane["threads"], role: [*lane["threads"][role], *messages]}}


def with_pending(lane: LaneState, role: str, actions: list[Action]) -> LaneState:
    """`lane` with these actions of a role pending."""
    return {**lane, "pending": {**lane["pending"], role: actions}}


def plain_action(action: Action) -> dict[str, Any]:
    """An action as templates and user functions see it."""
    return action.model_dump(include={"kind", "name", "arguments", "text", "error"})


def plain_observation(observation: Observation, tool: str) -> dict[str, Any]:
    """An observation as templates and user functions see it."""
    return {"text": observation.text, "error": observation.error, "tool": tool}


def plain_lane(lane: LaneState) -> dict[str, Any]:
    """A lane as user functions see it; their own copy, so that nothing they do to it comes back."""
    import copy

    return copy.deepcopy(
        {
            "threads": lane["threads"],
            "variables": lane["variables"],
            "last": lane["last"],
            "observation": lane["observation"],
            "visits": lane["visits"],
            "said": lane["said"],
        }
    )
