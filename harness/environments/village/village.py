"""A village open for one trial: what farmers, lord and bandits may do, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from pydantic import BaseModel, JsonValue

from harness.environments.protocol import Tool
from harness.environments.society import (
    COUNT,
    AgainstTheRulesError,
    Course,
    Done,
    Society,
    SocietyReader,
    common_tools,
    counted,
    ledger,
    move,
    say_tool,
)
from harness.environments.village.accounts import account, best_welfare, holds, promises, rewards
from harness.environments.village.grain import Granary, Plan, Promise, Season
from harness.environments.village.options import VillageOptions, VillageSetup, check

_NAME: dict[str, JsonValue] = {"type": "string", "minLength": 1, "maxLength": 40}

FARM = move(
    "farm", "For farmers: sow sacks of your barn; hide others in a pit no raid finds, or dig them up. Ends your turn.",
    {"sow": COUNT, "hide": COUNT, "dig": COUNT}, optional=("hide", "dig"),
)  # fmt: skip
RULE = move(
    "rule", "For the lord: pay guards, one sack each, and say what tax you ask of each farmer. Ends your turn.",
    {"guards": COUNT, "tax": COUNT}, optional=("tax",),
)  # fmt: skip
WORK = move("work", "For bandits: work this season for a wage in sacks. Ends your turn.", {})
RAID = move("raid", "For bandits: raid the open store of a farmer or the lord. Ends your turn.", {"on": _NAME})
SEND = move(
    "send", "Send sacks of your open store to another: tax, tribute, relief. Does not end your turn.",
    {"to": _NAME, "sacks": {**COUNT, "minimum": 1}},
)  # fmt: skip
PROMISE = move(
    "promise", "Promise another, before all, to keep_peace (not raid it) or to send_grain (so many sacks in all), up "
    "to the end of a season. Binds nobody. Does not end your turn.",
    {
        "to": _NAME,
        "what": {"type": "string", "enum": ["keep_peace", "send_grain"]},
        "until": {**COUNT, "minimum": 1, "description": "Number of the season."},
        "sacks": COUNT,
    },
    optional=("sacks",),
)  # fmt: skip
FOR = {FARM.name: "farmer", RULE.name: "lord", WORK.name: "bandit", RAID.name: "bandit"}
MOST_PROMISES = 40


class Village(Society[VillageOptions, Granary]):
    """One trial's village."""

    kind: ClassVar[str] = "village"
    Options: ClassVar[type[BaseModel]] = VillageOptions
    Setup: ClassVar[type[BaseModel]] = VillageSetup
    World: ClassVar[type[BaseModel]] = Granary
    Round: ClassVar[str] = "Season"

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the moves of what a role plays (of all, where only a task's set-up says), and the common tools."""
        chosen = cast(VillageOptions, options)
        villager = chosen.seats.get(role)
        own = [t for t in (FARM, RULE, WORK, RAID) if villager is None or FOR[t.name] == villager.plays]
        return [*own, SEND, PROMISE, *common_tools(say_tool(chosen.talk, chosen.words))]

    @classmethod
    def begun(cls, options: VillageOptions, seed: int) -> Granary:
        """The stores before the first season."""
        check(options)
        return Granary.begun(options)

    def perform(self, role: str, tool: str, arguments: Mapping[str, Any]) -> Done:
        """Decide something for the season; it is settled when all have acted."""
        plays = self._options.seats[role].plays
        if FOR.get(tool, plays) != plays:
            raise AgainstTheRulesError(f"only a {FOR[tool]} can {tool}; you are a {plays}.")
        moves: dict[str, Callable[[str, Mapping[str, Any]], Done]] = {
            FARM.name: self._farm, RULE.name: self._rule, WORK.name: self._work, RAID.name: self._raids,
            SEND.name: self._send, PROMISE.name: self._promise,
        }  # fmt: skip
        return moves[tool](role, arguments)

    def _farm(self, role: str, arguments: Mapping[str, Any]) -> Done:
        world, fields = self._world, self._options.fields
        sow, hide, dig = (int(arguments.get(name, 0)) for name in ("sow", "hide", "dig"))
        if sow > fields:
            raise AgainstTheRulesError(f"your fields take {fields} sacks of seed, not {sow}.")
        if dig > world.hidden[role]:
            raise AgainstTheRulesError(f"there are {world.hidden[role]} sacks in your pit, not {dig}.")
        self._spend(role, sow + hide - dig)
        plan = world.plan(role)
        world.plans[role] = plan.model_copy(update={"sow": sow, "hide": hide, "dig": dig})
        self._decided(role, "farm", f"{role} sows {sow}.", sow=sow, hide=hide, dig=dig)
        return Done(f"You sow {sow}, hide {hide}, dig up {dig}.", ends_turn=True)

    def _rule(self, role: str, arguments: Mapping[str, Any]) -> Done:
        guards, tax = int(arguments["guards"]), arguments.get("tax")
        self._spend(role, guards)
        plan = self._world.plan(role)
        # The tax is asked once the season is settled: nobody may see it before.
        self._world.plans[role] = plan.model_copy(update={"guards": guards, "tax": None if tax is None else int(tax)})
        asked = "" if tax is None else f"; tax asked of each farmer from now on: {int(tax)}"
        self._note(role, "rule", f"{role} pays {counted(guards, 'guard')}{asked}.", guards=guards, tax=tax)
        return Done(f"You pay {counted(guards, 'guard')}{asked}.", ends_turn=True)

    def _work(self, role: str, arguments: Mapping[str, Any]) -> Done:
        self._world.plans[role] = self._world.plan(role).model_copy(update={"works": True})
        self._decided(role, "work", f"{role} works this season.")
        return Done(f"You work, for {self._options.work} sacks at the end of the season.", ends_turn=True)

    def _raids(self, role: str, arguments: Mapping[str, Any]) -> Done:
        on = self._neighbour(role, str(arguments["on"]))
        if self._options.seats[on].plays == "bandit":
            raise AgainstTheRulesError("a raid is on a farmer or the lord; bandits have no open store to raid.")
        self._world.plans[role] = self._world.plan(role).model_copy(update={"raids": on})
        self._decided(role, "raid", f"{role} raids {on}.", on=on)
        return Done(f"You raid {on}.", ends_turn=True)

    def _send(self, role: str, arguments: Mapping[str, Any]) -> Done:
        to, sacks = self._neighbour(role, str(arguments["to"])), int(arguments["sacks"])
        if sacks < 1:
            raise AgainstTheRulesError("what is sent is one sack or more.")
        self._spend(role, sacks)
        plan = self._world.plan(role)
        plan.sends.append((to, sacks))
        self._world.plans[role] = plan
        self._decided(role, "send", f"{role} sends {to} {counted(sacks, 'sack')}.", whom=to, sacks=sacks)
        return Done(f"Sent to {to}: {counted(sacks, 'sack')}, there at the end of the season.")

    def _promise(self, role: str, arguments: Mapping[str, Any]) -> Done:
        to, what = self._neighbour(role, str(arguments["to"])), str(arguments["what"])
        course, sacks, until = self._course, int(arguments.get("sacks", 0)), int(arguments["until"])
        if not course.round <= until <= course.rounds:
            raise AgainstTheRulesError(f"a promise is for a season from {course.round} to {course.rounds}.")
        if what == "send_grain" and sacks < 1:
            raise AgainstTheRulesError("say how many `sacks` you promise to send.")
        if sum(1 for promise in self._world.promises if promise.by == role) >= MOST_PROMISES:
            raise AgainstTheRulesError(f"{MOST_PROMISES} promises are enough.")
        made = Promise(
            by=role, to=to, what="send_grain" if what == "send_grain" else "keep_peace", sacks=sacks,
            made=course.round, until=until,
        )  # fmt: skip
        self._world.promises.append(made)
        deed = f"to send {counted(sacks, 'sack')}" if what == "send_grain" else "not to raid it"
        self._note(role, "promise", f"{role} promises {to} {deed}, up to season {until}.", promise=what, whom=to)
        return Done(f"Promised to {to}, up to season {until}.")

    def _neighbour(self, role: str, name: str) -> str:
        name = self.other(role, name)
        if name in self._world.gone:
            raise AgainstTheRulesError(f"{name} has left the village.")
        return name

    def _spend(self, role: str, sacks: int) -> None:
        free = self._world.free(role)
        if sacks > free:
            raise AgainstTheRulesError(f"that takes {sacks} sacks of your open store, and {free} are free.")

    def present(self) -> list[str]:
        """Those who have not left."""
        return [seat for seat in self._course.seats if seat not in self._world.gone]

    def settle(self) -> None:
        """Settle the season and tell how it went."""
        number = self._course.round
        harvest = self._options.harvest(number, self._seed)
        season = self._world.settle(self._options, number, harvest, self.chance("raids"))
        self._course.tell(_told(season), "season")

    def standing(self, role: str) -> str:
        """The own stores, what can be seen of the others', the tax asked, and what is already decided."""
        world, options = self._world, self._options
        if role not in world.open:
            return "You only look on."
        if role in world.gone:
            return "You have left the village."
        plays = options.seats[role].plays
        hidden = f" and {world.hidden[role]} hidden" if plays == "farmer" else ""
        lines = [f"You are a {plays} with {counted(world.open[role], 'sack')}{hidden}."]
        if world.hunger[role]:
            lines.append("You were hungry last season; hungry again, and you leave for good.")
        others = [f"{seat} ({options.seats[seat].plays}) {world.open[seat]}" for seat in self.present() if seat != role]
        lines.append(f"Sacks in the open stores of the others: {', '.join(others) or 'nobody is left'}.")
        if options.who("lord"):
            lines.append(f"Tax asked of each farmer: {world.asked}.")
        plan = world.plan(role)
        if plan.sends:
            lines.append("You have sent " + ", ".join(f"{sacks} to {to}" for to, sacks in plan.sends) + ".")
        return "\n".join(lines)

    @classmethod
    def rules_text(cls, options: VillageOptions) -> str:
        """The rules of this village."""
        told = ("All see at once what each decides." if options.order == "turns" else
                "Nobody sees what others decide or say before all have decided.")  # fmt: skip
        lines = [
            f"There are {options.rounds} seasons; in each everyone decides once. {told} Then the season is settled, in "
            "this order:",
            f"1. What is sent sets out; farmers sow (at most {options.fields} sacks each), hide, dig up; guards are "
            "paid, 1 sack each.",
            f"2. A raid takes up to {options.raid} sacks of an open store, {options.stops} fewer for every guard there "
            "is in the village; half of what it takes, rounded down, is spoiled. Hidden sacks are safe.",
            f"3. The harvest comes in, work pays {options.work} sacks, and what was sent arrives.",
            "4. Everyone eats 1 sack, of the open store first. Hungry two seasons in a row, one leaves for good.",
            "5. Of hidden sacks one in four, rounded up, rots.",
            f"In the end a season in which you ate counts {options.meal}, and a sack you have counts 1.",
            "Hiding is not seen. Promises and the tax bind nobody. Passing decides nothing more.",
        ]
        if options.forecast and options.harvests:
            known = ", ".join(f"season {season}: {sacks}" for season, sacks in sorted(options.harvests.items()))
            lines.append(f"Sacks harvested from one sown, as the almanac has it: {known}.")
        drawn = sorted(set(options.yields))
        if len(options.harvests) < options.rounds:
            lines.append(f"A sack sown brings {_either(drawn)} sacks in a common year.")
        return "\n".join(lines)

    @classmethod
    def told_of(cls, options: VillageOptions, course: Course, world: Granary, seed: int) -> SocietyReader:
        """The ledger, the seasons, the stores and the figures."""
        given = rewards(options, world, seed)
        data: dict[str, JsonValue] = {
            **ledger(course),
            "seats": {seat: account(options, world, course, seat) for seat in course.seats},
            "seasons": [season.model_dump(mode="json") for season in world.seasons],
            "harvests": [options.harvest(season, seed) for season in range(1, options.rounds + 1)],
            "promises": cast(JsonValue, promises(world)),
            "tax_asked": world.asked,
            "best_welfare": best_welfare(options, seed),
            "rewards": cast(JsonValue, given),
            "rules_hold": holds(options, world),
        }
        return SocietyReader(data, lambda: given)


def _told(season: Season) -> str:
    """A season as all are told of it; who hid what is not."""
    parts = [f"Season {season.season}: a sack sown brought {season.harvest}."]
    for seat, plan in season.plans.items():
        parts += _deeds(seat, plan)
    for raid in season.raids:
        parts.append(
            f"{raid.by} raided {raid.on} and took {counted(raid.took, 'sack')}, {raid.spoiled} of them spoiled."
        )
    if season.hungry:
        parts.append(f"Hungry: {', '.join(season.hungry)}.")
    parts += [f"{seat} has left for good." for seat in season.left]
    return " ".join(parts)


def _deeds(seat: str, plan: Plan) -> list[str]:
    parts = [f"{seat} sent {to} {sacks}." for to, sacks in plan.sends]
    if plan.sow:
        parts.append(f"{seat} sowed {plan.sow}.")
    if plan.guards:
        parts.append(f"{seat} paid {counted(plan.guards, 'guard')}.")
    if plan.works:
        parts.append(f"{seat} worked.")
    return parts


def _either(numbers: list[int]) -> str:
    """`2`, `2 or 3`, `2, 3 or 4`."""
    words = [str(number) for number in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
