"""What every model is to the rest of the harness: messages in, one reply out, and a receipt.

Backends: litellm (all its providers), embedded local models, the scripted model, replay. None of them
raises anything but the exceptions named here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import JsonValue

from harness.spec.base import UserError

Message = dict[str, Any]
"""A message in OpenAI chat format."""


@dataclass(frozen=True)
class CallKey:
    """Which call of a trial this is, whatever the order of arrival; replay finds recorded replies by it."""

    node: str
    role: str
    lane: str
    """`main`, or the lane of a branch, e.g. `vote.2`."""
    visit: int
    """How often this lane has visited the node, from 1."""


@dataclass(frozen=True)
class ModelRequest:
    """One call."""

    key: CallKey
    messages: list[Message]
    tools: list[dict[str, JsonValue]] | None
    """OpenAI tool schemas, for the `native` protocol only."""
    response_format: dict[str, JsonValue] | None
    """`{"type": "json_schema", ...}`, for the `json` protocol only."""
    parameters: dict[str, JsonValue]
    """Asked for by sweep and scaffold, over the model's own."""
    seed: int
    """Of the trial; backends that take a seed are sent one derived from it and the key."""
    seconds_left: float | None = None
    """On the trial's clock; an attempt is cut off there with `TimeExceeded`."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, None where the provider did not say."""

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True)
class Attempt:
    """One try at a call that did not succeed."""

    error: str
    """Kind: `rate_limit`, `timeout`, `connection`, `server`, `truncated`, `overloaded`, ..."""
    status: int | None
    message: str
    """Redacted, at most 500 characters."""
    seconds: float
    """Of the attempt itself."""
    waited: float
    """Before the next one."""


@dataclass(frozen=True)
class Receipt:
    """What was really sent, and to what it resolved."""

    asked: dict[str, JsonValue]
    """Parameters asked for by models file, sweep and scaffold together."""
    sent: dict[str, JsonValue]
    """Parameters in the request as it went out (never a key or header)."""
    dropped: list[str]
    """Asked for, not sent, by name in the models file."""
    tools: str | None
    """Hash of the tool schemas as sent."""
    response_format: str | None
    """Hash of the response format as sent."""
    model: str
    """The litellm string asked for."""
    resolved: str | None
    """The model the provider says answered."""
    fingerprint: str | None
    """The provider's own version mark, where it gives one."""
    attempts: list[Attempt] = field(default_factory=list)
    """Failed ones before the reply."""
    translated: list[str] = field(default_factory=list)
    """What was changed in or left out of messages that another model had written, a line each."""


@dataclass(frozen=True)
class ModelReply:
    """One reply."""

    message: Message
    """The assistant message: `content`, `tool_calls` (arguments as the raw string sent), `refusal`, reasoning."""
    finish: Literal["stop", "tool_calls", "length", "content_filter"] | str
    usage: Usage
    cost: float | None
    """US dollars; None when the price is unknown."""
    receipt: Receipt
    seconds: float
    """Of the attempt that succeeded."""
    waited: float
    """Of failed attempts, the pauses after them, and queueing for a free place; not on the trial's clock."""
    replayed: bool = False
    """Taken from the record, not asked for: the way back to a moment of it."""


class ProviderFault(Exception):
    """The provider failed for good, after the retries it deserved."""

    def __init__(self, kind: str, message: str, attempts: list[Attempt], receipt: Receipt | None = None) -> None:
        self.kind = kind
        self.attempts = attempts
        self.receipt = receipt
        super().__init__(message)


class _CallEnded(Exception):
    """A call that ended the trial by one of its limits; failed attempts before that are kept."""

    def __init__(self, message: str, attempts: list[Attempt] | None = None, *, waited: float = 0.0) -> None:
        self.attempts = attempts or []
        self.waited = waited
        """As `ModelReply.waited`: not on the trial's clock."""
        super().__init__(message)


class ContextExceeded(_CallEnded):
    """The thread no longer fits the model's context: the trial ends in state limit (context)."""


class TimeExceeded(_CallEnded):
    """The trial's own time ran out during an attempt: the trial ends in state limit (seconds)."""


class ModelSetupError(UserError):
    """The model cannot be used at all (no key, parameter not taken, no such local model): one line, with the mend."""


class Model(Protocol):
    """One interchangeable model, shared by all trials of a sweep."""

    name: str
    """Short name."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        """One reply. Raises the exceptions of this module; lets cancellation through."""
        ...

    async def close(self) -> None:
        """End child processes and connections."""
        ...
