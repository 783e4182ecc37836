"""Who lives in a village, and how its seasons go."""

from __future__ import annotations

import random
from typing import Annotated, Literal

from pydantic import Field

from harness.environments.society.options import Seat, SocietyGame, SocietyOptions
from harness.environments.society.society import SocietyError
from harness.spec.base import Spec

Yield = Annotated[int, Field(ge=0, le=10)]


class Villager(Spec):
    """One seat."""

    plays: Literal["farmer", "lord", "bandit"]
    sacks: int = Field(4, ge=0, le=1000)
    """Grain at the beginning: in the barn, the granary, or the bandit's hut."""


class VillageGame(SocietyGame):
    """What a scenario and its tasks may both say."""

    seats: dict[Seat, Villager] = Field({}, max_length=12)
    """By role; they act in the order of the scenario's roles. One lord at most. A role without a seat takes no part."""
    fields: int = Field(4, ge=1, le=20)
    """Sacks a farmer can sow in a season."""
    harvests: dict[int, Yield] = Field({}, max_length=40)
    """Season, in quotes -> sacks harvested from a sack sown: `{"2": 0}`. Others are drawn from `yields` by the seed."""
    yields: list[Yield] = Field([2, 3, 3], min_length=1, max_length=20)
    forecast: bool = False
    """Whether the rules tell the harvests in advance."""
    work: int = Field(2, ge=0, le=20)
    """Sacks a bandit earns by a season's work."""
    raid: int = Field(6, ge=1, le=50)
    """Most sacks a raid takes; half of them, rounded down, are spoiled."""
    stops: int = Field(3, ge=1, le=50)
    """Sacks fewer that a raid takes for every guard."""
    meal: int = Field(3, ge=0, le=20)
    """What a season in which one has eaten counts, beside the sacks one has at the end."""

    def seated(self) -> list[str]:
        """The seats, in the order in which they act."""
        return list(self.seats)

    def who(self, plays: str) -> list[str]:
        """The seats of a kind."""
        return [seat for seat, villager in self.seats.items() if villager.plays == plays]

    def harvest(self, season: int, seed: int) -> int:
        """Sacks harvested from one sown in a season."""
        if season in self.harvests:
            return self.harvests[season]
        return random.Random(f"{seed} {season} harvest").choice(self.yields)  # noqa: S311 - weather, not a secret


class VillageOptions(VillageGame, SocietyOptions):
    """Options of the kind `village`."""


class VillageSetup(VillageGame):
    """What a task puts in the place of the scenario's options."""


def check(game: VillageGame) -> None:
    """Raises `SocietyError` where the seats make no village."""
    if len(game.who("lord")) > 1:
        raise SocietyError(f"seats: {', '.join(game.who('lord'))} are lords; there is one at most")
    if not game.who("farmer"):
        raise SocietyError("seats: nobody plays farmer, so that there is no grain")
