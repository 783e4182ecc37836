"""What one trial hands to a compiled scaffold, and what it gets back.

A compiled scaffold holds nothing of a trial: one compilation serves every trial of a sweep at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import JsonValue

from harness.environments.protocol import Environment, Observation, Tool
from harness.models.protocol import CallKey, Message, Model, ModelReply, ProviderFault
from harness.spec.actions import Action
from harness.spec.limits import TrialLimits


class Recorder(Protocol):
    """Takes down what happens, in order. Never raises, never waits."""

    def call(
        self,
        *,
        step: int,
        key: CallKey,
        model: str,
        messages: list[Message],
        tools: list[dict[str, JsonValue]] | None,
        response_format: dict[str, JsonValue] | None,
        reply: ModelReply | None,
        actions: list[Action],
        started: float,
        fault: ProviderFault | None = None,
        error: str | None = None,
    ) -> None:
        """One model call, answered or failed. `tools` are those offered, whatever the protocol."""
        ...

    def tool(
        self, *, step: int, key: CallKey, action: Action, observation: Observation, changes_state: bool,
        started: float, seconds: float,
    ) -> None:  # fmt: skip
        """One tool call carried out, or one malformed or cut-off reply answered."""
        ...

    def node(
        self, *, step: int, node: str, kind: Literal["say", "hear", "route", "branch", "join", "python"], lane: str,
        visit: int, role: str | None, started: float, detail: dict[str, JsonValue],
    ) -> None:  # fmt: skip
        """A visit of any other node."""
        ...


@dataclass(frozen=True)
class TrialContext:
    """Everything of one trial that the nodes need."""

    environment: Environment
    models: Mapping[str, Model]
    """Scaffold role -> model; every role is there."""
    seats: Mapping[str, str]
    """Scaffold role -> scenario role, for roles with a seat."""
    tools: Mapping[str, list[Tool]]
    """Scenario role -> tools offered to it, `submit` included."""
    briefs: Mapping[str, str]
    """Scenario role -> its system text, rendered."""
    opening: Mapping[str, str]
    """Scenario role -> its first user message, rendered; a seat without one starts with its brief alone."""
    input: Mapping[str, JsonValue]
    task: str
    limits: TrialLimits
    parameters: Mapping[str, JsonValue]
    """Asked for by the sweep."""
    seed: int
    recorder: Recorder


@dataclass(frozen=True)
class Outcome:
    """How the acting ended; grading comes later."""

    state: Literal["completed", "limit", "fault"]
    limit: Literal["turns", "tokens", "seconds", "cost", "context"] | None = None
    fault: Literal["model", "scaffold", "environment", "provider", "harness"] | None = None
    error: str | None = None
    """One line."""
    error_detail: str | None = None
    answer: str | None = None
    """What was submitted, or said last where the graph ended without a submission."""
    steps: int = 0
    seconds: float = 0.0
    """On the trial's clock: wall time without `waited`."""
    waited: float = 0.0
