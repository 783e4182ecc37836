"""The land, the herders, and what they may do to one another."""

from __future__ import annotations

from pydantic import Field

from harness.environments.society.options import Seat, SocietyGame, SocietyOptions
from harness.spec.base import Spec


class Herder(Spec):
    """One seat."""

    most: int = Field(8, ge=0, le=100)
    """Animals it may graze in a season; one seat may be allowed more than the others."""
    coins: int = Field(0, ge=0, le=10_000)
    """What it begins with."""


class Sanctions(Spec):
    """Herders may punish one another, at a cost to themselves (Ostrom, Walker and Gardner 1992)."""

    cost: int = Field(1, ge=0, le=100)
    """Coins it costs to punish once."""
    fine: int = Field(4, ge=1, le=100)
    """Coins the punished loses, as far as it has them. Both go into the village chest and are nobody's."""


class PastureGame(SocietyGame):
    """What a scenario and its tasks may both say."""

    seats: dict[Seat, Herder] = Field({}, max_length=12)
    """By role; they act in the order of the scenario's roles. A role that has no seat takes no part."""
    capacity: int = Field(100, ge=10, le=300)
    """The most grass there can be."""
    grass: int = Field(60, ge=1, le=300)
    """Grass at the beginning; no more than the capacity."""
    growth: int = Field(48, ge=1, le=200)
    """Rate of growth, in percent a season."""
    dies_below: int = Field(10, ge=0, le=300)
    """If less is left after grazing, nothing grows again, and all is over."""
    sanctions: Sanctions | None = None
    """When absent, nobody can punish."""
    dry: dict[int, int] = Field({}, max_length=40)
    """Season, in quotes -> percent of its growth that comes: `{"3": 40}`; known when the season begins."""
    forecast: bool = False
    """Whether the rules tell the dry seasons in advance."""
    tells_share: bool = False
    """Whether the rules say how many animals the land can feed for ever, and how many that is for each."""

    def seated(self) -> list[str]:
        """The seats, in the order in which they act."""
        return list(self.seats)


class PastureOptions(PastureGame, SocietyOptions):
    """Options of the kind `pasture`."""


class PastureSetup(PastureGame):
    """What a task puts in the place of the scenario's options."""
