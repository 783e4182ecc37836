"""What is written down about a trial: one header row, and one document of events.

The header holds everything result tables need. The document holds everything else, whole: each message
once, by hash, and the events in the order they happened. From the document and the YAML files as they
were, any moment of the trial can be rebuilt.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from harness.record.lineage import Drift, Lineage
from harness.spec.actions import Action

State = Literal["completed", "limit", "fault", "cancelled"]
Party = Literal["model", "scaffold", "environment", "provider", "grader", "harness"]
RESULT_STATES: frozenset[str] = frozenset({"completed", "limit"})
"""States that are results, whatever came of the task."""
RESULT_PARTIES: frozenset[str] = frozenset({"model"})
"""Faults that are results: they count, and are not tried again."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CallEvent(_Row):
    """One model call."""

    type: Literal["call"] = "call"
    step: int
    node: str
    role: str
    lane: str
    visit: int
    model: str
    """Short name."""
    base: int | None
    """Index (in `events`) of the earlier call whose messages this one's begin with, if any."""
    keep: int
    """How many messages of the base call's request are kept."""
    add: list[str]
    """Hashes of the messages that follow them."""
    tools: str | None
    """Hash of the tool schemas offered (in `schemas`), whatever the protocol."""
    response_format: str | None
    reply: str | None
    """Hash of the reply message; None when the call failed."""
    finish: str | None
    actions: list[Action]
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None
    started: float
    """Seconds since the trial began."""
    seconds: float
    waited: float
    receipt: dict[str, JsonValue] | None
    error: str | None = None
    replayed: bool = False
    """The reply was not asked for but taken from the record, on the way back to a moment of it."""


class ToolEvent(_Row):
    """One tool call carried out, or one malformed call answered."""

    type: Literal["tool"] = "tool"
    step: int
    node: str
    role: str
    lane: str
    visit: int
    action: Action
    observation: str
    """As the model was shown it."""
    error: bool
    changes_state: bool
    data: dict[str, JsonValue] = {}
    started: float
    seconds: float


class NodeEvent(_Row):
    """A visit of any other node."""

    type: Literal["node"] = "node"
    step: int
    node: str
    kind: Literal["say", "hear", "route", "branch", "join", "python"]
    lane: str
    visit: int
    role: str | None = None
    started: float
    detail: dict[str, JsonValue] = {}
    """`text` (say, hear), `to` (route), `lanes` (branch), `votes` and `winner` (join), `changed` (python)."""


Event = Annotated[CallEvent | ToolEvent | NodeEvent, Field(discriminator="type")]


class TrialDocument(_Row):
    """Everything that happened."""

    version: Literal[1] = 1
    messages: dict[str, dict[str, Any]]
    schemas: dict[str, JsonValue]
    """Tool schemas and response formats, by hash."""
    events: list[Event]
    facts: dict[str, JsonValue] = {}
    """Of the environment's opening."""
    error_detail: str | None = None
    """Traceback or provider message behind a fault, redacted."""


class CheckResult(_Row):
    """What one check said."""

    name: str
    kind: str
    weight: float
    score: float | None
    """In [0, 1]; None when it could not be run (then `error` says why)."""
    detail: str = ""
    """What was expected and found, in a line."""
    error: str | None = None


class TrialRow(_Row):
    """The header: one row of the `trials` table. Unknown is None, never zero."""

    trial: str
    """`<cell, 12 hex digits>-<repeat>-<attempt>`."""
    cell: str
    """SHA-256 of all that identifies the cell."""
    scenario: str
    task: str
    family: str | None
    scaffold: str
    models: dict[str, str]
    """Role of the scaffold -> short name."""
    model: str
    """Short name in the sweep's `models`, the one crossed with everything."""
    repeat: int
    """From 1."""
    attempt: int
    """From 1; the highest counts."""
    seed: int
    scenario_hash: str
    scaffold_hash: str
    models_hash: str
    tools_hash: str
    measures_hash: str
    state: State
    limit: str | None
    """`turns`, `tokens`, `seconds`, `cost` or `context`."""
    fault: Party | None
    error: str | None
    """One line."""
    score: float | None = None
    passed: bool | None = None
    answer: str | None = None
    steps: int
    turns: int
    """Model calls."""
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: float | None
    seconds: float
    """On the trial's clock."""
    waited: float
    """In provider retries and queues."""
    retries: int
    """Failed attempts at model calls."""
    started: str
    """ISO 8601, UTC."""
    sandbox: str | None
    harness: str
    """Version."""
    measures: dict[str, JsonValue] = {}
    """Built in and declared."""
    situation_hash: str | None = None
    """SHA-256 of what the trial was asked to do, checks and measures left out: where it is equal, a trial may be
    graded with other checks. None where it was not written down."""
    graded: str | None = None
    """When it was last graded, ISO 8601, UTC."""
    graded_with: str | None = None
    """`scenario_hash` of the scenario whose checks graded it: another one after `harness regrade`."""

    @property
    def is_result(self) -> bool:
        """Whether the trial counts as a result, or is missing."""
        return self.state in RESULT_STATES or (self.state == "fault" and self.fault in RESULT_PARTIES)


class TrialRecord(_Row):
    """A trial, whole."""

    row: TrialRow
    document: TrialDocument
    checks: list[CheckResult] = []
    final_state: bytes | None = None
    """`FinalState.data`, to grade from."""
    final_state_truncated: bool = False
    drift: list[Drift] = []
    """What came out different from the record on the way to the moment that the trial set out from."""
    lineage: Lineage | None = None
    """Where it set out from, when not from the beginning of an ordinary sweep's task; kept with its cell."""
