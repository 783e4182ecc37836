"""A world of several seats, open for one trial: who may act now, what comes of it, and who hears of it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from pydantic import BaseModel, JsonValue, ValidationError

from harness.environments.protocol import Environment, EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.environments.society.course import AgainstTheRulesError, Course, Event
from harness.environments.society.options import MOST_SEATS, SocietyOptions, settled
from harness.environments.society.reader import SocietyReader
from harness.environments.society.tools import LOOK, PASS, RULES
from harness.errors import UserError


class SocietyError(UserError, EnvironmentFault):
    """Options that make no world: for the scenario's author to mend."""


@dataclass(frozen=True)
class Done:
    """What came of an action."""

    text: str
    ends_turn: bool = False
    data: dict[str, JsonValue] = field(default_factory=dict)


O = TypeVar("O", bound=SocietyOptions)  # noqa: E741 - options
W = TypeVar("W", bound=BaseModel)


class Society(Environment, Generic[O, W]):
    """One trial's world. A kind gives it a state (`World`) and moves, and says how a round is settled."""

    World: ClassVar[type[BaseModel]]
    """The state of the kind, beside the course."""
    Round: ClassVar[str] = "Round"
    """What a round is called."""

    def __init__(self, opening: Opening, options: O, course: Course, world: W) -> None:
        """Take over a world as it begins. `options` are those of the scenario with the task's set-up in their place."""
        self._offering = opening.options  # what is offered is the scenario's to say, whatever a task makes of it
        self._options = options
        self._roles = tuple(opening.roles)
        self._seed = opening.seed
        self._course = course
        self._world = world
        self._closed = False

    # What a kind brings.

    @classmethod
    def begun(cls, options: O, seed: int) -> W:
        """The state at the beginning. Raises `SocietyError` where the options make no world."""
        raise NotImplementedError

    def perform(self, role: str, tool: str, arguments: Mapping[str, Any]) -> Done:
        """Make a move. Raises `AgainstTheRulesError`, and changes nothing then."""
        raise NotImplementedError

    def passed(self, role: str) -> None:
        """What it comes to when a seat makes no move in its turn."""

    def settle(self) -> None:
        """Settle a round in which all have acted; sets the course's `over` where the world has come to its end."""

    def present(self) -> list[str]:
        """The seats that act in the next round."""
        return self._course.seats

    def standing(self, role: str) -> str:
        """What a seat may know of the world as it is."""
        raise NotImplementedError

    @classmethod
    def rules_text(cls, options: O) -> str:
        """The rules in full."""
        raise NotImplementedError

    @classmethod
    def told_of(cls, options: O, course: Course, world: W, seed: int) -> SocietyReader:
        """The final state opened for checks."""
        raise NotImplementedError

    # What all of them have.

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Seat the roles. Raises `SocietyError` where options and roles do not fit."""
        options = settled(cast(O, opening.options), opening.setup, opening.roles)
        seats = options.seated()
        if not 1 <= len(seats) <= MOST_SEATS:
            raise SocietyError(f"`seats` seats {len(seats)}; there must be 1 to {MOST_SEATS}, each a role's name")
        strangers = [seat for seat in seats if seat not in opening.roles]
        if strangers:
            raise SocietyError(
                f"`seats` names roles that the scenario has not: {', '.join(strangers)}; "
                f"there are {', '.join(opening.roles)}"
            )
        course = Course(seats=seats, rounds=options.rounds, order=options.order, waiting=list(seats))
        return cls(opening, options, course, cls.begun(options, opening.seed))

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the order of acting, and how many are seated."""
        return {"order": self._course.order, "seats": len(self._course.seats)}

    def turn(self) -> str | None:
        """Whose turn it is; None once it is over."""
        return self._course.turn

    def finished(self) -> bool:
        """Whether the world has come to its end."""
        return self._course.over is not None

    async def news(self, role: str) -> str | None:
        """What happened since it was last told; at the beginning of its turn also how it stands."""
        lines = self._course.untold(role)
        if self._course.greet(role):
            lines.append(self._heading(role) + "\n" + self.standing(role))
        if not lines:
            return None
        text, left_out = "\n".join(lines), 0
        while len(text) > self._options.characters and len(lines) > 1:
            left_out += 1
            lines = lines[1:]
            text = f"({left_out} earlier messages left out)\n" + "\n".join(lines)
        return self._bounded(text)

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Act in one's turn. What is against the rules is an error observation with the rule, and counts."""
        if self._closed:
            raise EnvironmentFault("this world is closed")
        problem = self._refused(role, tool)
        if problem is not None:
            return Observation(problem, error=True)
        course, error = self._course, False
        course.acted += 1
        try:
            done = self._act(role, tool, arguments)
        except AgainstTheRulesError as rule:
            done, error = Done(f"Not allowed: {rule}"), True
            self._note(role, "not allowed", done.text, [role], tool=tool)
        text, now = done.text, course.round
        if done.ends_turn:
            self._pass_on()
        elif course.acted >= self._options.actions_per_turn:
            note = f"That was action {course.acted} of {course.acted} in this turn; the turn has passed on."
            self._passes(role, forced=True)
            if tool == "say":  # words that were taken may go unanswered, so the note waits for the next news
                course.tell(note, "note", [role])
            else:
                text += f"\n{note}"
            self._pass_on()
        data: dict[str, JsonValue] = {"round": now, **done.data}
        if course.over is not None:
            text += f"\nThis was the end: {course.over}."
        return Observation(self._bounded(text), error=error, data=data)

    def _refused(self, role: str, tool: str) -> str | None:
        """Why a role may not act now; nothing that counts as an action."""
        if role not in self._roles:
            return f"there is no role '{role}' here"
        offered = [offer.name for offer in type(self).tools(self._offering, role)]
        if tool not in offered:
            return f"there is no tool '{tool}'; there are {', '.join(offered)}"
        if self._course.over is not None:
            return f"it is over: {self._course.over}"
        if self._course.turn != role:
            return f"it is {self._course.turn}'s turn, not {role}'s"
        return None

    def _act(self, role: str, tool: str, arguments: Mapping[str, Any]) -> Done:
        if tool == LOOK.name:
            return Done(f"{self._heading(role)}\n{self.standing(role)}")
        if tool == RULES.name:
            self._note(role, "rules", f"{role} read the rules.", [role])
            return Done(self.rules_text(self._options))
        if tool == PASS.name:
            self._passes(role)
            return Done("You passed.", ends_turn=True)
        if tool == "say":
            return self._say(role, arguments)
        return self.perform(role, tool, arguments)

    def _say(self, role: str, arguments: Mapping[str, Any]) -> Done:
        talk, text, to = self._options.talk, str(arguments.get("text", "")).strip(), None
        if talk == "none":
            raise AgainstTheRulesError("there is no talk this time; act instead.")
        if not text or len(text) > self._options.words:
            raise AgainstTheRulesError(f"words have 1 to {self._options.words} characters; these have {len(text)}.")
        if arguments.get("to") is not None and talk == "private":
            to = self.other(role, str(arguments["to"]))
        line = " ".join(text.split())  # in one line, so that nobody can put words into another's mouth
        told = f"{role} (to you alone): {line}" if to else f"{role}: {line}"
        self._note(role, "say", told, [to] if to else None, words=text)
        return Done("Said." if self._course.order == "turns" else "They will hear it when all have acted.")

    def other(self, role: str, name: str) -> str:
        """Another seat by its name. Raises `AgainstTheRulesError`."""
        others = [seat for seat in self._course.seats if seat != role]
        if name not in others:
            name = next((seat for seat in others if seat.lower() == name.strip().lower()), name)
        if name not in others:
            raise AgainstTheRulesError(f"there is no '{name}' to deal with; there are {', '.join(others)}.")
        return name

    def _note(self, role: str, what: str, text: str, to: list[str] | None = None, **data: JsonValue) -> None:
        self._course.note(Event(round=self._course.round, role=role, what=what, text=text, to=to, data=data))

    def _decided(self, role: str, what: str, text: str, **data: JsonValue) -> None:
        """Write down what was decided in the open; what is sealed is told with the round, and not twice."""
        self._note(role, what, text, [role] if self._course.order == "at_once" else None, **data)

    def _passes(self, role: str, *, forced: bool = False) -> None:
        if not forced:  # who only talked until its actions were used up has not given up
            self._course.passed.append(role)
        self._note(role, "pass", f"{role} made no move.", forced=forced)
        self.passed(role)

    def _pass_on(self) -> None:
        """The next one's turn; a round in which all have acted is settled, and the next begins."""
        if not self._course.pass_on():
            return
        self._course.unseal()
        self.settle()
        self._course.next_round(self.present())

    def chance(self, purpose: str) -> random.Random:
        """The chance of this round: from the seed and what it is for alone, so that nobody gains by being first."""
        return random.Random(f"{self._seed} {self._course.round} {purpose}")  # noqa: S311 - a game's, not a secret

    def _heading(self, role: str) -> str:
        course = self._course
        if role not in course.seats:
            return "You take no part this time."
        if course.over is not None:
            return f"It is over: {course.over}."
        left = max(0, self._options.actions_per_turn - course.acted)
        return f"{self.Round} {course.round} of {course.rounds}. You are {role}. Actions left in this turn: {left}."

    def _bounded(self, text: str) -> str:
        most = self._options.characters
        if len(text) <= most:
            return text
        return f"{text[: most - 60]}\n({len(text) - most + 60} characters left out)"

    # How it is kept.

    def _packed(self) -> bytes:
        kept = {"course": self._course.model_dump(mode="json"), "world": self._world.model_dump(mode="json")}
        return json.dumps(kept, ensure_ascii=True).encode()

    @classmethod
    def _unpacked(cls, data: bytes) -> tuple[Course, W]:
        try:
            kept = json.loads(data)
            return Course.model_validate(kept["course"]), cast(W, cls.World.model_validate(kept["world"]))
        except (ValueError, KeyError, TypeError, ValidationError, RecursionError) as error:
            raise EnvironmentFault(f"this is no state of a {cls.kind}: {' '.join(str(error).split())[:200]}") from None

    async def snapshot(self) -> bytes:
        """Return all of it, who was told what included."""
        return self._packed()

    async def restore(self, snapshot: bytes) -> None:
        """Go back to a snapshot. Raises `EnvironmentFault` when it is none."""
        self._course, self._world = self._unpacked(snapshot)

    async def final_state(self) -> FinalState:
        """Return all of it; what is sealed in a round that never ended has not happened."""
        return FinalState(self.kind, self._packed())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> SocietyReader:
        """Open a recorded state for checks."""
        course, world = cls._unpacked(state.data)
        options = settled(cast(O, opening.options), opening.setup, opening.roles)
        return cls.told_of(options, course, world, opening.seed)

    async def close(self) -> None:
        """Nothing is open; after this nothing can be done."""
        self._closed = True


def ledger(course: Course) -> dict[str, JsonValue]:
    """What all kinds tell of the course: the ledger, the words, and how far it went."""
    events = [event.as_data() for event in course.events]
    messages: list[JsonValue] = [
        {"round": event.round, "role": event.role, "to": event.to[0] if event.to else None,
         "text": event.data["words"]}
        for event in course.events if event.what == "say"
    ]  # fmt: skip
    return {
        "round": course.round,
        "rounds": course.rounds,
        "order": course.order,
        "over": course.over,
        "waiting_for": course.turn,
        "ledger": cast(JsonValue, events),
        "messages": messages,
        "unsettled": cast(JsonValue, [event.as_data() for event in course.sealed]),
    }


def common_tools(say: list[Tool]) -> list[Tool]:
    """What every seat has beside its kind's moves."""
    return [*say, PASS, LOOK, RULES]
