"""The recorder a scaffold is given: adapts what models and environments say to the plain document of the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, cast

from pydantic import JsonValue

from harness.environments import Observation
from harness.models import CallKey, Message, ModelReply, ProviderFault, Usage, redact
from harness.record import DocumentBuilder, TrialDocument
from harness.spec.actions import Action


@dataclass(frozen=True)
class Totals:
    """Sums over the calls of a trial. Unknown is None: one call that did not say makes a sum unknown."""

    turns: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: float | None
    retries: int
    waited: float


class TrialRecorder:
    """Implements `harness.scaffolds.Recorder` over a `DocumentBuilder`."""

    def __init__(self) -> None:
        self._builder = DocumentBuilder()
        self._replies: list[ModelReply] = []
        self._retries = 0
        self._waited = 0.0
        self.provider_fault: str | None = None
        """Kind of the last failure of a provider, e.g. `auth`."""

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
        """One model call; a failed one keeps the receipt and attempts of its fault."""
        receipt = reply.receipt if reply is not None else fault.receipt if fault is not None else None
        taken = cast("dict[str, JsonValue] | None", asdict(receipt) if receipt is not None else None)
        attempts = receipt.attempts if receipt is not None else []
        if fault is not None:
            self.provider_fault = fault.kind
        if fault is not None and fault.attempts:
            attempts = fault.attempts
            taken = {**(taken or {}), "attempts": cast("JsonValue", [asdict(attempt) for attempt in attempts])}
        waited = reply.waited if reply is not None else sum(a.seconds + a.waited for a in attempts)
        self._retries += len(attempts)
        self._waited += waited
        if reply is not None:
            self._replies.append(reply)
        usage = reply.usage if reply is not None else Usage()
        self._builder.call(
            step=step, node=key.node, role=key.role, lane=key.lane, visit=key.visit, model=model,
            messages=messages, tools=tools, response_format=response_format,
            reply=reply.message if reply is not None else None,
            actions=actions,
            started=started,
            finish=reply.finish if reply is not None else None,
            prompt_tokens=usage.prompt,
            completion_tokens=usage.completion,
            cached_tokens=usage.cached,
            reasoning_tokens=usage.reasoning,
            cost=reply.cost if reply is not None else None,
            seconds=reply.seconds if reply is not None else 0.0,
            waited=waited,
            receipt=taken,
            error=redact(error) if error else None,
            replayed=reply is not None and reply.replayed,
        )  # fmt: skip

    def tool(
        self, *, step: int, key: CallKey, action: Action, observation: Observation, changes_state: bool,
        started: float, seconds: float,
    ) -> None:  # fmt: skip
        """One tool call carried out, or one malformed or cut-off reply answered."""
        self._builder.tool(
            step=step, node=key.node, role=key.role, lane=key.lane, visit=key.visit, action=action,
            observation=observation.text, error=observation.error, changes_state=changes_state, started=started,
            seconds=seconds, data=observation.data,
        )  # fmt: skip

    def node(
        self, *, step: int, node: str, kind: Literal["say", "hear", "route", "branch", "join", "python"], lane: str,
        visit: int, role: str | None, started: float, detail: dict[str, JsonValue],
    ) -> None:  # fmt: skip
        """A visit of any other node."""
        self._builder.node(
            step=step, node=node, kind=kind, lane=lane, visit=visit, started=started, role=role, detail=detail
        )

    def document(self, facts: Mapping[str, JsonValue], error_detail: str | None) -> TrialDocument:
        """All that happened."""
        return self._builder.document(facts=dict(facts), error_detail=error_detail)

    def totals(self) -> Totals:
        """Sums over the answered calls, and what all calls cost in waiting."""
        prompts = [reply.usage.prompt for reply in self._replies]
        completions = [reply.usage.completion for reply in self._replies]
        costs = [reply.cost for reply in self._replies]
        return Totals(
            turns=len(self._replies),
            prompt_tokens=None if None in prompts else sum(p for p in prompts if p is not None),
            completion_tokens=None if None in completions else sum(c for c in completions if c is not None),
            cost=None if None in costs else sum(c for c in costs if c is not None),
            retries=self._retries,
            waited=self._waited,
        )
