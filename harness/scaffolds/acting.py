"""One trial while it acts: its context, its meter, and what nodes of all kinds need of them.

The only mutable thing in the room. LangGraph carries it to the nodes as the run's context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.environments.protocol import Observation, Tool
from harness.models.protocol import Message
from harness.scaffolds.context import Outcome, TrialContext
from harness.scaffolds.faults import blame, boundary
from harness.scaffolds.meter import Meter
from harness.scaffolds.protocols import ActionProtocol, Offer, protocol_for
from harness.scaffolds.state import LaneState, Visit
from harness.spec import in_scope, render
from harness.spec.actions import Action
from harness.spec.scaffold import TURN, Scaffold

IDLE_STEPS = 1_000
"""Node visits in a row without a model call after which a scaffold is going in circles."""
STEPS_WITHOUT_LIMIT = 10_000
STEPS_PER_TURN = 50


class Acting:
    """A trial in progress."""

    def __init__(self, flat: Scaffold, context: TrialContext) -> None:
        self.flat = flat
        self.context = context
        self.protocol: ActionProtocol = protocol_for(flat.protocol)
        self.meter = Meter(context.limits)
        self.steps = 0
        self.answer: str | None = None
        self.submitted = False
        self._idle = 0
        self._visits: dict[tuple[str, str], int] = {}
        self._offers: dict[tuple[str, ...], Offer] = {}
        self._scaffold_roles = {seat: role for role, seat in context.seats.items()}
        self._tools = {role: self._tools_of(role) for role in flat.roles}

    @property
    def most_steps(self) -> int:
        """Supersteps the graph may take."""
        turns = self.context.limits.turns
        return STEPS_WITHOUT_LIMIT if turns is None else max(STEPS_PER_TURN * (turns + 2), IDLE_STEPS + 10)

    def visit(self, node: str, lane: str, calls_model: bool) -> Visit:
        """Begin a visit. Raises `TrialEnd` when the scaffold goes in circles without asking a model."""
        self.steps += 1
        self._idle = 0 if calls_model else self._idle + 1
        if self._idle > IDLE_STEPS:
            raise blame("scaffold", f"node {node}: {IDLE_STEPS} steps without a model call, a loop that has no way out")
        number = self._visits[lane, node] = self._visits.get((lane, node), 0) + 1
        return Visit(self.steps, node, lane, number, self.meter.elapsed)

    def role(self, name: str) -> str:
        """The scaffold role a node means; `@turn` is the seat whose turn it is."""
        if name != TURN:
            return name
        with boundary("environment", "whose turn it is"):
            seat = self.context.environment.turn()
        if seat is None and len(self._scaffold_roles) == 1:
            return next(iter(self._scaffold_roles.values()))
        if seat is None:
            raise blame("scaffold", f"{TURN}: this environment does not say whose turn it is; name a role")
        if seat not in self._scaffold_roles:
            raise blame(
                "scaffold", f"{TURN}: it is the turn of {seat!r}, which no role of this scaffold has as its seat"
            )
        return self._scaffold_roles[seat]

    def tools(self, role: str, wanted: bool | Sequence[str] = True) -> list[Tool]:
        """The tools of a role that a node offers; an inner voice has none."""
        known = self._tools[role]
        if isinstance(wanted, bool):
            return known if wanted else []
        return [tool for tool in known if tool.name in wanted]

    def offer(self, role: str, wanted: bool | Sequence[str], thread: Sequence[Message]) -> Offer:
        """What a model call of `role` offers."""
        tools = self.tools(role, wanted)
        if not tools:
            return self.protocol.offer(tools, self._tools[role], thread)
        key = (role, *(tool.name for tool in tools))
        if key not in self._offers:
            self._offers[key] = self.protocol.offer(tools, self._tools[role], thread)
        return self._offers[key]

    def as_shown(
        self, role: str, results: Sequence[tuple[Action, Observation]]
    ) -> Sequence[tuple[Action, Observation]]:
        """Actions with what came of them, under the names that the model knows the tools by."""
        shown = {tool.name: tool.shown for tool in self._tools[role] if tool.shown is not None}
        return (
            [
                (action.model_copy(update={"name": shown[action.name]}), seen)
                if action.kind == "tool" and action.name in shown
                else (action, seen)
                for action, seen in results
            ]
            if shown
            else results
        )

    def names(self, lane: LaneState, role: str, scope: str) -> dict[str, Any]:
        """What templates and conditions of a node of this scope see."""
        return {
            **in_scope(scope, lane["variables"]),
            "input": self.context.input,
            "task": self.context.task,
            "opening": self._opening(role),
            "role": role,
            "last": lane["last"],
            "observation": lane["observation"],
            "turns": self.meter.turns,
            "visits": in_scope(scope, {**dict.fromkeys(self.flat.nodes, 0), **lane["visits"]}),
        }

    def threads(self) -> dict[str, list[Message]]:
        """Every role's thread before the first node: a system message, and the opening of a seat that has one."""
        return {role: self._thread(role) for role in self.flat.roles}

    def outcome(self, end: dict[str, Any]) -> Outcome:
        """How the trial ended, with what it used."""
        meter = self.meter
        return Outcome(**end, answer=self.answer, steps=self.steps, seconds=meter.seconds, waited=meter.waited)

    def _tools_of(self, role: str) -> list[Tool]:
        seat = self.context.seats.get(role) if self.flat.roles[role].seat else None
        return list(self.context.tools.get(seat, [])) if seat is not None else []

    def _opening(self, role: str) -> str:
        seat = self.context.seats.get(role) or next(iter(self.context.seats.values()), "")
        return self.context.opening.get(seat, "")

    def _thread(self, role: str) -> list[Message]:
        spec, context = self.flat.roles[role], self.context
        seat = context.seats.get(role) if spec.seat else None
        parts = [context.briefs.get(seat, "")] if seat is not None else []
        if spec.brief is not None:
            names = {"input": context.input, "task": context.task, "role": role}
            with boundary("scaffold", f"brief of {role}"):
                parts.append(render(spec.brief, names))
        parts.append(self.protocol.system_text(self._tools[role]))
        text = "\n\n".join(part.strip() for part in parts if part.strip())
        thread: list[Message] = [{"role": "system", "content": text or f"You are {role}."}]
        opening = context.opening.get(seat) if seat is not None else None
        return [*thread, {"role": "user", "content": opening}] if opening else thread
