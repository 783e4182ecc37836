"""The course of a world of several seats: rounds and turns, what happened, and who has been told of it.

Part of the state: a snapshot keeps all of it. What a seat does in a round of the order `at_once` is sealed: nobody
else is told before the round is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

END_OF_ROUNDS = "the rounds are over"


class AgainstTheRulesError(ValueError):
    """What a seat may not do; the message names the rule and is meant for the seat."""


class Event(BaseModel):
    """One thing that happened."""

    model_config = ConfigDict(frozen=True)

    round: int
    role: str | None
    """Who did it; None for what the world did."""
    what: str
    text: str
    """What is told of it."""
    to: list[str] | None = None
    """Who may know; None for all."""
    data: dict[str, JsonValue] = {}
    """Facts for checks and measures; never told."""

    def known_to(self, role: str) -> bool:
        """Whether a seat other than the one that did it is told."""
        return self.role != role and (self.to is None or role in self.to)

    def as_data(self) -> dict[str, JsonValue]:
        """One line of the ledger."""
        to: JsonValue = None if self.to is None else list(self.to)
        return {"round": self.round, "role": self.role, "what": self.what, "to": to, "text": self.text, **self.data}


class Course(BaseModel):
    """Where a world stands in its rounds."""

    seats: list[str]
    rounds: int
    order: Literal["turns", "at_once"]
    round: int = 1
    waiting: list[str]
    """Seats that have still to act in this round, the next first."""
    acted: int = 0
    """Actions of the turn so far."""
    turns: int = 1
    """Number of the present turn, from the beginning."""
    passed: list[str] = []
    """Seats that passed of their own will in this round."""
    events: list[Event] = []
    sealed: list[Event] = []
    """What the seats did in this round, where it is hidden until the round is over."""
    told: dict[str, int] = {}
    """Seat -> how many of the events it has been told, or need not be."""
    greeted: dict[str, int] = {}
    """Seat -> the last turn at whose beginning it was told how it stands."""
    over: str | None = None
    """Why it is over; None while it goes on."""

    @property
    def turn(self) -> str | None:
        """Whose turn it is."""
        return self.waiting[0] if self.waiting and self.over is None else None

    def note(self, event: Event) -> None:
        """Write down what happened."""
        hidden = self.order == "at_once" and event.role is not None
        (self.sealed if hidden else self.events).append(event)

    def tell(self, text: str, what: str, to: list[str] | None = None, **data: JsonValue) -> None:
        """Write down what the world did."""
        self.note(Event(round=self.round, role=None, what=what, text=text, to=to, data=data))

    def pass_on(self) -> bool:
        """The next seat's turn; True when none is left in this round."""
        self.waiting = self.waiting[1:]
        self.acted = 0
        self.turns += 1
        return not self.waiting

    def unseal(self) -> None:
        """What was hidden is so no longer."""
        self.events += self.sealed
        self.sealed = []

    def next_round(self, seats: Sequence[str]) -> None:
        """Begin another round with these seats; over when there is none, or nobody to act in it."""
        if self.over is None and self.round >= self.rounds:
            self.over = END_OF_ROUNDS
        elif self.over is None and not seats:
            self.over = "nobody is left"
        if self.over is None:
            self.round += 1
            self.waiting = list(seats)
            self.passed = []
        else:
            self.waiting = []

    def untold(self, role: str) -> list[str]:
        """What a seat has not been told yet; it counts as told from now on."""
        new = [event.text for event in self.events[self.told.get(role, 0) :] if event.known_to(role)]
        self.told[role] = len(self.events)
        return new

    def greet(self, role: str) -> bool:
        """Whether a seat is at the beginning of a turn and was not told yet how it stands; it counts as told."""
        if self.turn != role or self.greeted.get(role) == self.turns:
            return False
        self.greeted[role] = self.turns
        return True

    def said(self, role: str) -> list[Event]:
        """What a seat said, sealed or not."""
        return [event for event in [*self.events, *self.sealed] if event.what == "say" and event.role == role]
