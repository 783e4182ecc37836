"""Options that all worlds of several seats have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field

from harness.spec.base import Spec

Talk = Literal["none", "public", "private"]
"""Nobody may talk; all hear what is said; or words may also be meant for one seat alone."""
Seat = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)]
"""A role of the scenario."""

MOST_SEATS = 12
MOST_ROUNDS = 40


class SocietyGame(Spec):
    """What a scenario and its tasks may both say of any such world."""

    rounds: int = Field(6, ge=1, le=MOST_ROUNDS)
    """The world ends after so many, if not before."""
    talk: Talk = "private"
    """Whether words may be said, and to one alone."""

    def seated(self) -> list[str]:
        """The seats, in the order in which they act."""
        raise NotImplementedError


class SocietyOptions(SocietyGame):
    """How the seats act, whatever the world."""

    order: Literal["turns", "at_once"] = "turns"
    """`turns`: one after another, in the order of `seats`, each seeing what the one before did. `at_once`: nobody
    sees what the others do or say before all have acted; then the round is settled."""
    actions_per_turn: int = Field(4, ge=1, le=10)
    """Calls a seat has in one turn; looking and failing count. After the last of them the turn passes on by itself, so
    that a world goes on whoever sits in it."""
    characters: int = Field(3000, ge=500, le=20_000)
    """Length of one observation, and of the news told at once."""
    words: int = Field(400, ge=20, le=2000)
    """Longest thing that can be said, in characters."""


Options = TypeVar("Options", bound=SocietyOptions)


def settled(options: Options, setup: BaseModel, roles: Sequence[str]) -> Options:
    """The options with what the task's set-up says in their place, and the seats in the order of the roles.

    The order in which keys are written is no part of what a scenario is; that of its roles is.
    """
    given = options.model_copy(update={name: getattr(setup, name) for name in setup.model_fields_set})
    seats = getattr(given, "seats")  # noqa: B009 - every kind has them, each of its own sort
    order = [*(role for role in roles if role in seats), *sorted(set(seats) - set(roles))]
    return given.model_copy(update={"seats": {role: seats[role] for role in order}})
