"""A pasture open for one trial: grazing, punishing, and the settling of a season."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from pydantic import BaseModel, JsonValue

from harness.environments.pasture.land import best_total, grown, hay, lasting, shared
from harness.environments.pasture.options import PastureOptions, PastureSetup
from harness.environments.protocol import Tool
from harness.environments.society import (
    COUNT,
    AgainstTheRulesError,
    Course,
    Done,
    Society,
    SocietyError,
    SocietyReader,
    common_tools,
    counted,
    gini,
    ledger,
    move,
    say_tool,
)

GRAZE = move(
    "graze", "Graze so many animals on the common land this season. Ends your turn.",
    {"animals": {**COUNT, "maximum": 100}},
)  # fmt: skip
PUNISH = move(
    "punish", "Punish another herder: costs you coins and it more. Does not end your turn.",
    {"who": {"type": "string", "minLength": 1, "maxLength": 40}},
)  # fmt: skip


class Season(BaseModel):
    """A season that is over."""

    season: int
    stood: int
    """Grass before grazing."""
    animals: dict[str, int]
    eaten: dict[str, int]
    left: int
    grew: int
    punished: list[tuple[str, str]]
    """Who punished whom."""


class Meadow(BaseModel):
    """The land and the herders' purses."""

    grass: int
    coins: dict[str, int]
    chest: int = 0
    """Fines and what punishing cost."""
    animals: dict[str, int] = {}
    """What was chosen for the season that goes on."""
    punishing: list[tuple[str, str]] = []
    seasons: list[Season] = []
    shared_out: int = 0
    """Coins each herder got for the grass that stood at the end."""
    dead: bool = False


class Pasture(Society[PastureOptions, Meadow]):
    """One trial's common land."""

    kind: ClassVar[str] = "pasture"
    Options: ClassVar[type[BaseModel]] = PastureOptions
    Setup: ClassVar[type[BaseModel]] = PastureSetup
    World: ClassVar[type[BaseModel]] = Meadow
    Round: ClassVar[str] = "Season"

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return `graze`, `punish` where the scenario knows it, and what all worlds of several seats offer."""
        chosen = cast(PastureOptions, options)
        punish = [] if chosen.sanctions is None else [PUNISH]
        return [GRAZE, *punish, *common_tools(say_tool(chosen.talk, chosen.words))]

    @classmethod
    def begun(cls, options: PastureOptions, seed: int) -> Meadow:
        """The land as it stands before the first season."""
        if options.grass > options.capacity:
            raise SocietyError(f"grass: {options.grass} is more than the capacity of {options.capacity}")
        return Meadow(grass=options.grass, coins={seat: herder.coins for seat, herder in options.seats.items()})

    def perform(self, role: str, tool: str, arguments: Mapping[str, Any]) -> Done:
        """Choose a number of animals, or whom to punish; both are settled when all have acted."""
        if tool == PUNISH.name:
            return self._punish(role, str(arguments["who"]))
        animals, most = int(arguments["animals"]), self._options.seats[role].most
        if animals > most:
            raise AgainstTheRulesError(f"you may graze at most {most} animals in a season, not {animals}.")
        self._world.animals[role] = animals
        self._decided(role, "graze", f"{role} grazes {animals}.", animals=animals)
        return Done(f"You graze {animals}.", ends_turn=True, data={"animals": animals})

    def _punish(self, role: str, who: str) -> Done:
        sanctions, world = self._options.sanctions, self._world
        if sanctions is None:
            raise AgainstTheRulesError("nobody can punish this time.")
        who = self.other(role, who)
        planned = [pair for pair in world.punishing if pair[0] == role]
        if (role, who) in planned:
            raise AgainstTheRulesError(f"you have already punished {who} this season; once is the most.")
        if world.coins[role] < sanctions.cost * (len(planned) + 1):
            raise AgainstTheRulesError(f"punishing costs {sanctions.cost}; you have {world.coins[role]} coins.")
        world.punishing.append((role, who))
        self._note(role, "punish", f"{role} punishes {who}.", who=who)
        return Done(f"At the end of the season {who} loses {sanctions.fine}, and you {sanctions.cost}.")

    def settle(self) -> None:
        """Punish, graze, let the grass grow; at the end share out what stands."""
        world, course, options = self._world, self._course, self._options
        self._fine()
        animals = {seat: world.animals.get(seat, 0) for seat in course.seats}
        eaten = shared(animals, world.grass, self.chance("grass"))
        stood, left = world.grass, world.grass - sum(eaten.values())
        for seat, units in eaten.items():
            world.coins[seat] += units
        world.dead = left < options.dies_below
        grew = 0 if world.dead else grown(left, options, course.round)
        world.grass = left + grew
        world.seasons.append(
            Season(season=course.round, stood=stood, animals=animals, eaten=eaten, left=left, grew=grew,
                   punished=list(world.punishing))
        )  # fmt: skip
        world.animals, world.punishing = {}, []
        grazed = ", ".join(f"{seat} {count}" for seat, count in animals.items())
        short = "" if eaten == animals else f" There was not enough for all; coins: {_listed(eaten)}."
        course.tell(
            f"Season {course.round}: grazed {grazed}.{short} Of {stood} grass {left} was left and {grew} grew: "
            f"{world.grass} now.", "season",
        )  # fmt: skip
        if world.dead:
            course.over = f"less than {options.dies_below} grass was left; the land is dead"
        elif course.round >= course.rounds:
            self._share_out()

    def _fine(self) -> None:
        """Carry out what was decided about punishing: first all pay what it costs, then the punished lose theirs."""
        sanctions, world = self._options.sanctions, self._world
        if sanctions is None:
            return
        for who, _ in world.punishing:
            world.coins[who] -= sanctions.cost
            world.chest += sanctions.cost
        for who, whom in world.punishing:
            lost = min(sanctions.fine, world.coins[whom])
            world.coins[whom] -= lost
            world.chest += lost
            self._course.tell(f"You lose {counted(lost, 'coin')}: {who} punished you.", "fined", [whom])

    def _share_out(self) -> None:
        world = self._world
        world.shared_out = hay(world.grass, self._options)
        for seat in world.coins:
            world.coins[seat] += world.shared_out
        self._course.tell(f"The grass that stands is shared out: {world.shared_out} coins each.", "shared out")

    def standing(self, role: str) -> str:
        """The land, and the own purse; what others chose in this season is told by the news, where it is open."""
        world, options, course = self._world, self._options, self._course
        if role not in world.coins:
            return "You only look on."
        lines = [
            f"The common land has {world.grass} grass of at most {options.capacity}. You have {world.coins[role]} "
            f"coins and may graze 0 to {options.seats[role].most} animals."
        ]
        percent = options.dry.get(course.round)
        if percent is not None and course.over is None:
            lines.append(f"This season is dry: only {percent} percent of the usual grass will grow.")
        others = {seat: world.coins[seat] for seat in course.seats if seat != role}
        if others and world.seasons:
            lines.append(f"Coins of the others: {_listed(others)}.")
        if role in world.animals:
            lines.append(f"You graze {world.animals[role]} this season.")
        return "\n".join(lines)

    @classmethod
    def rules_text(cls, options: PastureOptions) -> str:
        """The rules of this land."""
        capacity, growth = options.capacity, options.growth
        told = ("Herders choose one after another, and all see it." if options.order == "turns" else
                "Nobody sees what others choose or say before all have chosen.")  # fmt: skip
        mosts = ", ".join(f"{seat} {herder.most}" for seat, herder in options.seats.items())
        lines = [
            f"There are {options.rounds} seasons. In each every herder grazes once, up to: {mosts}. {told}",
            "An animal eats 1 grass and earns its herder 1 coin. If there is too little, it is shared in proportion.",
            f"Then grass grows: with G left, G x {growth}/100 x (1 - G/{capacity}), rounded down; at most {capacity} "
            "stands.",
            f"If less than {options.dies_below} is left after grazing, the land is dead and all is over.",
            "After the last season the grass that stands is shared out: 1 coin for 1 grass, the same for each herder.",
            "Passing grazes none.",
        ]
        if options.tells_share:
            lasts = lasting(options)
            lines.append(
                f"If half of {capacity} is left after grazing, {lasts} grow: so the land feeds {lasts} animals a "
                f"season for ever, {lasts // len(options.seats)} for each herder."
            )
        if options.sanctions is not None:
            cost, fine = counted(options.sanctions.cost, "coin"), options.sanctions.fine
            lines.append(f"Punishing a herder costs you {cost} and it {fine}; both go into a chest and are lost.")
        if options.forecast and options.dry:
            dry = ", ".join(f"season {season} ({percent} percent)" for season, percent in sorted(options.dry.items()))
            lines.append(f"Dry seasons, in which only part of the usual grass grows: {dry}.")
        return "\n".join(lines)

    @classmethod
    def told_of(cls, options: PastureOptions, course: Course, world: Meadow, seed: int) -> SocietyReader:
        """The ledger, the seasons, the purses and the figures."""
        given = rewards(options, world)
        data: dict[str, JsonValue] = {
            **ledger(course),
            "grass": world.grass,
            "dead": world.dead,
            "chest": world.chest,
            "shared_out": world.shared_out,
            "seasons": [season.model_dump(mode="json") for season in world.seasons],
            "share": lasting(options) // len(options.seats),
            "seats": {seat: _account(options, world, course, seat) for seat in course.seats},
            "best_total": best_total(options),
            "rewards": cast(JsonValue, given),
            "rules_hold": holds(options, world),
        }
        return SocietyReader(data, lambda: given)


def rewards(options: PastureOptions, world: Meadow) -> dict[str, float]:
    """Names and what they come to.

    `efficiency`: coins all gained, of the most they could have; `sustained`: grass at the end of that at the
    beginning, at most 1, and 0 where the land is dead; each seat's coins of its even share of the best; `gini`.
    """
    best, herders = best_total(options), len(options.seats)
    gained = {seat: world.coins[seat] - herder.coins for seat, herder in options.seats.items()}
    whole = {
        "efficiency": sum(gained.values()) / best if best else 1.0,
        "coins": float(sum(gained.values())),
        "best": float(best),
        "sustained": 0.0 if world.dead else min(1.0, world.grass / options.grass),
        "seasons": float(len(world.seasons)),
        "gini": gini(list(gained.values())),
    }
    shares = {seat: coins * herders / best if best else 1.0 for seat, coins in gained.items()}
    return whole | shares | {f"{seat}.raw": float(coins) for seat, coins in gained.items()}


def holds(options: PastureOptions, world: Meadow) -> bool:
    """Whether every coin comes from a unit eaten or shared out, and every unit of grass is accounted for."""
    eaten = sum(sum(season.eaten.values()) for season in world.seasons)
    coins = sum(herder.coins for herder in options.seats.values()) + eaten + world.shared_out * len(world.coins)
    grown_in_all = sum(season.grew for season in world.seasons)
    return (
        coins == sum(world.coins.values()) + world.chest
        and world.grass == options.grass - eaten + grown_in_all
        and min(world.coins.values()) >= 0
        and 0 <= world.grass <= options.capacity
    )


def _account(options: PastureOptions, world: Meadow, course: Course, seat: str) -> dict[str, JsonValue]:
    """How one seat ended and how it grazed."""
    share = lasting(options) // len(options.seats)
    grazed = [season.animals[seat] for season in world.seasons]
    return {
        "coins": world.coins[seat],
        "most": options.seats[seat].most,
        "grazed": cast(JsonValue, grazed),
        "eaten": sum(season.eaten[seat] for season in world.seasons),
        "over_share": sum(1 for animals in grazed if animals > share),
        "punished": sum(1 for season in world.seasons for who, _ in season.punished if who == seat),
        "was_punished": sum(1 for season in world.seasons for _, whom in season.punished if whom == seat),
        "messages": len(course.said(seat)),
        "not_allowed": sum(1 for event in course.events if event.role == seat and event.what == "not allowed"),
    }


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{seat} {count}" for seat, count in counts.items())
