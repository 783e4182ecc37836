"""The grain of a village: where it lies, what each seat plans for a season, and how the season is settled.

A season is settled in this order, whoever was asked first:

1. what is sent (tax, gifts) leaves the stores, farmers dig up, sow and hide, the lord pays the guards;
2. raids take from open stores, where several go for one store in an order drawn by lot;
3. the harvest comes in, work is paid, and what was sent arrives;
4. everyone eats one sack; who cannot goes hungry, and who is hungry two seasons in a row leaves for good;
5. of the sacks that are hidden one in four, rounded up, rots.
"""

from __future__ import annotations

import random
from typing import Literal

from pydantic import BaseModel

from harness.environments.village.options import VillageGame


class Plan(BaseModel):
    """What one seat has decided for the season."""

    sow: int = 0
    hide: int = 0
    dig: int = 0
    guards: int = 0
    tax: int | None = None
    """What the lord asks from now on; None where it says nothing new."""
    works: bool = False
    raids: str | None = None
    sends: list[tuple[str, int]] = []

    @property
    def spends(self) -> int:
        """Sacks that leave the open store."""
        return self.sow + self.hide + self.guards + sum(sacks for _, sacks in self.sends)


class Promise(BaseModel):
    """A promise; it binds nobody."""

    by: str
    to: str
    what: Literal["keep_peace", "send_grain"]
    sacks: int = 0
    made: int
    until: int
    """The last season it is for."""


class Raid(BaseModel):
    """One raid: what was taken, and how much of it was spoiled."""

    by: str
    on: str
    took: int
    spoiled: int


class Season(BaseModel):
    """A season that is over."""

    season: int
    harvest: int
    """Sacks from one sown."""
    plans: dict[str, Plan]
    raids: list[Raid]
    hungry: list[str]
    left: list[str]
    stores: dict[str, int]
    """Sacks everybody had when it was over."""


class Granary(BaseModel):
    """Everybody's grain, in the barns, pits and huts and in the granary that gives the state its name."""

    open: dict[str, int]
    """Seat -> sacks that anybody can see, and a raid can take."""
    hidden: dict[str, int]
    hunger: dict[str, int]
    """Seat -> seasons in a row it has been hungry."""
    meals: dict[str, int]
    gone: list[str] = []
    asked: int = 0
    """Tax the lord asks of each farmer."""
    plans: dict[str, Plan] = {}
    promises: list[Promise] = []
    seasons: list[Season] = []
    made: int = 0
    """Sacks that came into the world: harvests and wages."""
    used: int = 0
    """Sacks that went out of it: sown, eaten, spoiled, rotten, paid to guards."""

    @classmethod
    def begun(cls, game: VillageGame) -> Granary:
        """Before the first season."""
        return cls(
            open={seat: villager.sacks for seat, villager in game.seats.items()},
            hidden=dict.fromkeys(game.seats, 0),
            hunger=dict.fromkeys(game.seats, 0),
            meals=dict.fromkeys(game.seats, 0),
        )

    def plan(self, seat: str) -> Plan:
        """What a seat has decided so far; kept once it is put among the plans."""
        return self.plans.get(seat, Plan()).model_copy(deep=True)

    def free(self, seat: str) -> int:
        """Sacks of the open store that are not spoken for; what is dug up counts."""
        plan = self.plan(seat)
        return self.open[seat] + plan.dig - plan.spends

    def settle(self, game: VillageGame, number: int, harvest: int, lot: random.Random) -> Season:
        """Settle a season."""
        here = [seat for seat in game.seats if seat not in self.gone]
        plans = {seat: self.plan(seat) for seat in here}
        self.asked = next((plan.tax for plan in plans.values() if plan.tax is not None), self.asked)
        self._set_out(plans)
        raids = self._raid(game, plans, lot)
        for seat, plan in plans.items():
            earned = plan.sow * harvest + (game.work if plan.works else 0)
            self.open[seat] += earned
            self.made += earned
            for to, sacks in plan.sends:
                self.open[to] += sacks
        hungry = [seat for seat in here if not self._eats(seat)]
        left = [seat for seat in hungry if self.hunger[seat] >= 2]
        self.gone += left
        for seat in game.seats:
            rotten = -(-self.hidden[seat] // 4)
            self.hidden[seat] -= rotten
            self.used += rotten
        stores = {seat: self.open[seat] + self.hidden[seat] for seat in game.seats}
        season = Season(
            season=number, harvest=harvest, plans=plans, raids=raids, hungry=hungry, left=left, stores=stores
        )  # fmt: skip
        self.seasons.append(season)
        self.plans = {}
        return season

    def _set_out(self, plans: dict[str, Plan]) -> None:
        for seat, plan in plans.items():
            self.open[seat] += plan.dig - plan.spends
            self.hidden[seat] += plan.hide - plan.dig
            self.used += plan.sow + plan.guards

    def _raid(self, game: VillageGame, plans: dict[str, Plan], lot: random.Random) -> list[Raid]:
        guards = sum(plan.guards for plan in plans.values())
        raiders = [seat for seat, plan in plans.items() if plan.raids is not None]
        lot.shuffle(raiders)
        raids = []
        for seat in raiders:
            on = plans[seat].raids or ""
            took = min(self.open[on], max(0, game.raid - game.stops * guards))
            spoiled = took // 2
            self.open[on] -= took
            self.open[seat] += took - spoiled
            self.used += spoiled
            raids.append(Raid(by=seat, on=on, took=took, spoiled=spoiled))
        return raids

    def _eats(self, seat: str) -> bool:
        if self.open[seat]:
            self.open[seat] -= 1
        elif self.hidden[seat]:
            self.hidden[seat] -= 1
        else:
            self.hunger[seat] += 1
            return False
        self.used += 1
        self.meals[seat] += 1
        self.hunger[seat] = 0
        return True
