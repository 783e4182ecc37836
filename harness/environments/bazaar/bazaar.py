"""A bazaar open for one trial: the moves, what each seat is told, and how a round of sealed moves is settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from pydantic import BaseModel, JsonValue

from harness.environments.bazaar.accounts import account, best_gain, holds, rewards
from harness.environments.bazaar.market import Market, Offer, Sale
from harness.environments.bazaar.options import (
    COINS,
    BazaarOptions,
    BazaarSetup,
    check,
    goods_of,
    values_for,
)
from harness.environments.protocol import Tool
from harness.environments.society import (
    COUNT,
    AgainstTheRulesError,
    Course,
    Done,
    Event,
    Society,
    SocietyReader,
    common_tools,
    ledger,
    move,
    say_tool,
)

_NAME: dict[str, JsonValue] = {"type": "string", "minLength": 1, "maxLength": 40}
_NUMBER: dict[str, JsonValue] = {**COUNT, "description": "Number of the offer."}
_TO: dict[str, JsonValue] = {**_NAME, "description": "The only one to see it; all see it when left out."}

ACCEPT = move("accept", "Take all of an open offer of another's. Ends your turn.", {"offer": _NUMBER})
COUNTER = move(
    "counter", "Answer another's offer with your own price for the same pieces. Ends your turn.",
    {"offer": _NUMBER, "price": {**COUNT, "description": "Coins for each piece."}},
)  # fmt: skip
OFFER = move(
    "offer", "Offer to sell or to buy. Ends your turn.",
    {
        "side": {"type": "string", "enum": ["sell", "buy"]},
        "good": _NAME,
        "price": {**COUNT, "description": "Coins for each piece."},
        "count": {**COUNT, "minimum": 1, "description": "Pieces; 1 when left out."},
        "to": _TO,
    },
    optional=("count", "to"),
)  # fmt: skip
REFUSE = move("refuse", "Turn down an offer made to you alone. Does not end your turn.", {"offer": _NUMBER})
WITHDRAW = move("withdraw", "Take back an open offer of yours. Does not end your turn.", {"offer": _NUMBER})
GIVE = move(
    "give", "Give pieces away, or coins, for nothing. Does not end your turn.",
    {"to": _NAME, "good": {**_NAME, "description": f"A good, or {COINS}."}, "count": {**COUNT, "minimum": 1}},
)  # fmt: skip
DISCLOSE = move(
    "disclose", "Show others a fact you know, by its name. Does not end your turn.",
    {"fact": _NAME, "to": _TO}, optional=("to",),
)  # fmt: skip
MOVES = [OFFER, ACCEPT, COUNTER, REFUSE, WITHDRAW, GIVE, DISCLOSE]


class Bazaar(Society[BazaarOptions, Market]):
    """One trial's bazaar."""

    kind: ClassVar[str] = "bazaar"
    Options: ClassVar[type[BaseModel]] = BazaarOptions
    Setup: ClassVar[type[BaseModel]] = BazaarSetup
    World: ClassVar[type[BaseModel]] = Market

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the moves of a bargain and what all worlds of several seats offer."""
        chosen = cast(BazaarOptions, options)
        return [*MOVES, *common_tools(say_tool(chosen.talk, chosen.words))]

    @classmethod
    def begun(cls, options: BazaarOptions, seed: int) -> Market:
        """Goods and coins as the options lay them out."""
        check(options)
        lent = {good: owner for seat in options.seats.values() for good, owner in seat.lent.items()}
        return Market(
            plays={name: seat.plays for name, seat in options.seats.items()},
            cash={name: seat.cash for name, seat in options.seats.items()},
            goods={name: dict(seat.goods) for name, seat in options.seats.items()},
            lent=lent,
            known={
                name: [f for f, fact in sorted(options.facts.items()) if name in fact.known_to]
                for name in options.seats
            },
        )

    def perform(self, role: str, tool: str, arguments: Mapping[str, Any]) -> Done:
        """Carry a move out, or seal it until all have acted."""
        ends = tool in (OFFER.name, ACCEPT.name, COUNTER.name)
        if self._course.order == "turns":
            return Done(self._carry_out(self._world, role, tool, arguments), ends_turn=ends)
        beside = self._world.model_copy(deep=True)  # what it would come to if nobody else did anything
        for plan in self._planned(role):
            self._carry_out(beside, role, plan["tool"], plan["arguments"], tell=False)
        self._carry_out(beside, role, tool, arguments, tell=False)
        plan = {"tool": tool, "arguments": {k: v for k, v in arguments.items() if isinstance(v, str | int)}}
        self._note(role, "sealed", "", [role], **plan)
        return Done("Sealed; it is carried out when all have acted.", ends_turn=ends)

    def _planned(self, role: str) -> list[dict[str, Any]]:
        return [event.data for event in self._course.sealed if event.role == role and event.what == "sealed"]

    def settle(self) -> None:
        """Carry out what is sealed, seat by seat as the seed has it; then match offers; close when all is sold."""
        course, options = self._course, self._options
        if course.order == "at_once":
            seats = list(course.seats)
            self.chance("order").shuffle(seats)
            plans = [e for e in course.events if e.round == course.round and e.what == "sealed"]
            course.events = [event for event in course.events if event not in plans]
            for plan in sorted(plans, key=lambda event: seats.index(str(event.role))):
                self._carry_out_sealed(str(plan.role), plan.data)
        if options.matching:
            for sale in self._world.match(course.round, self.chance("match")):
                self._tell_sale(sale, "offers that met")
        sold = sum(sale.count for sale in self._world.sales)
        if options.closes_after is not None and sold >= options.closes_after:
            course.over = f"{sold} sold, and the bazaar closes"
        elif len(course.passed) == len(course.seats):
            course.over = "nobody made a move"

    def _carry_out_sealed(self, role: str, plan: Mapping[str, Any]) -> None:
        try:
            done = self._carry_out(self._world, role, str(plan["tool"]), plan["arguments"])
        except AgainstTheRulesError as rule:
            done = f"Your {plan['tool']} came to nothing: {rule}"
        self._course.tell(done, "settled", [role])

    def _carry_out(
        self, market: Market, role: str, tool: str, given: Mapping[str, Any], *, tell: bool = True
    ) -> str:  # fmt: skip
        """Make a move in a market, this one or another that is only thought of. Raises `AgainstTheRulesError`."""
        at = self._course.round
        to = None if given.get("to") is None else self.other(role, str(given["to"]))
        said: tuple[str, str, list[str] | None, dict[str, JsonValue]]
        if tool in (OFFER.name, COUNTER.name):
            if tool == OFFER.name:
                good, count = str(given["good"]), int(given.get("count", 1))
                made = market.offer(role, str(given["side"]), good, count, int(given["price"]), to, at)
            else:
                made = market.counter(role, int(given["offer"]), int(given["price"]), at)
            reader = made.to or "others"
            hears = None if made.to is None else [made.to]
            said = (f"Offered. {made.text(role)}.", f"Offer {made.text(reader)}.", hears, made.model_dump(mode="json"))
        elif tool == ACCEPT.name:
            sale = market.accept(role, int(given["offer"]), at)
            if tell:
                self._tell_sale(sale, f"offer #{sale.offer}", role)
            return f"Accepted: {_sold(sale)}."
        elif tool == REFUSE.name:
            old = market.refuse(role, int(given["offer"]))
            said = (f"Refused #{old.number}.", f"{role} refused your offer #{old.number}.", [old.by], _of(old))
        elif tool == WITHDRAW.name:
            old = market.withdraw(role, int(given["offer"]))
            hears = None if old.to is None else [old.to]
            said = (f"Withdrawn: #{old.number}.", f"{role} withdrew offer #{old.number}.", hears, _of(old))
        elif tool == GIVE.name:
            said = self._give(market, role, given, to)
        else:
            said = self._disclose(market, role, str(given["fact"]), to)
        observation, news, hears, data = said
        if tell:
            self._record(role, tool, news, hears, data)
        return observation

    def _record(self, role: str, tool: str, news: str, to: list[str] | None, data: dict[str, JsonValue]) -> None:
        """Into the ledger; what was sealed is settled by then and no longer hidden."""
        kept = {name: value for name, value in data.items() if name not in ("round", "to", "text", "role", "what")}
        self._course.events.append(
            Event(round=self._course.round, role=role, what=tool, text=news, to=to, data=kept)
        )  # fmt: skip

    def _give(
        self, market: Market, role: str, given: Mapping[str, Any], to: str | None
    ) -> tuple[str, str, list[str] | None, dict[str, JsonValue]]:
        good, count = str(given["good"]), int(given["count"])
        taker = self.other(role, str(to))
        back = market.lent.get(good) == taker
        market.give(role, taker, good, count)
        data: dict[str, JsonValue] = {"good": good, "count": count, "gave_back": back, "given_to": taker}
        return f"Given: {count} {good} to {taker}.", f"{role} gave you {count} {good}.", [taker], data

    def _disclose(
        self, market: Market, role: str, fact: str, to: str | None
    ) -> tuple[str, str, list[str] | None, dict[str, JsonValue]]:
        hearers = [to] if to else [seat for seat in self._course.seats if seat != role]
        market.disclose(role, fact, hearers)
        text = self._options.facts[fact].text
        news = f"{role} shows {'you' if to else 'all'} that it is so: {text}"
        return f"Shown to {', '.join(hearers)}: {text}", news, [to] if to else None, {"fact": fact}

    def _tell_sale(self, sale: Sale, how: str, taker: str | None = None) -> None:
        """All see a sale; the one that took an offer has its own observation of it."""
        event = Event(
            round=self._course.round, role=taker, what="sale", text=f"Sold, by {how}: {_sold(sale)}.",
            data={"sale": sale.model_dump(mode="json")},
        )  # fmt: skip
        self._course.events.append(event)

    def standing(self, role: str) -> str:
        """What a seat has, what it knows, what it holds things to be worth, and the offers it sees."""
        market, options = self._world, self._options
        if role not in market.plays:
            return "You only look on."
        lines = [f"You are a {market.plays[role]}. You have {_account(market, role)}."]
        values = values_for(options, role, market.known[role])
        worths = [f"{good} {_worth(values[good])}" for good in goods_of(options) if good in values]
        lines.append(f"Worth to you, in coins a piece: {'; '.join(worths) or 'nothing of what there is here'}.")
        for good, owner in sorted(market.lent.items()):
            if market.held(role, good):
                lines.append(f"The {good} in your hands is lent to you; it belongs to {owner}.")
            elif owner == role:
                holder = next(seat for seat, goods in market.goods.items() if goods.get(good))
                lines.append(f"Your {good} is lent to {holder}.")
        lines += options.seats[role].knows
        lines += [f"Fact '{fact}', which you know: {options.facts[fact].text}" for fact in market.known[role]]
        shown = [offer.text(role) for offer in market.open_to(role)]
        return "\n".join([*lines, "Open offers: " + ("; ".join(shown) or "none") + "."])

    @classmethod
    def rules_text(cls, options: BazaarOptions) -> str:
        """The rules of this bazaar."""
        hidden = "nobody sees what others do or say before all have acted; then moves are carried out in an order drawn"
        lines = [
            f"The bazaar has {options.rounds} rounds; each seat acts once in each, with up to "
            f"{options.actions_per_turn} actions; "
            + ("one after another." if options.order == "turns" else f"{hidden} by lot."),
            "An offer, a counter-offer, an acceptance or passing ends your turn; after your last action it passes on.",
            "Nobody sells what he has not or pays what he has not, at the time of the offer and of the sale.",
            "An offer stays open until it is taken, withdrawn, refused, or replaced by another of yours for the same "
            "good, side and addressee; one that can no longer be kept falls away. Taking it takes all of it.",
            "You gain what things are worth to you less what you pay, or what you are paid less what they are worth.",
            "Goods that are lent belong to their owner: when the bazaar closes they go back, whoever has them then; a "
            "buyer of lent goods has lost his coins.",
            "A fact shown with `disclose` is true. Words need not be.",
            "It closes when the rounds are over, or when nobody makes a move in a round.",
        ]
        if options.closes_after is not None:
            lines.append(f"It closes at the end of the round in which {options.closes_after} in all were sold.")
        if options.matching:
            lines.append("After each round, public offers that meet are carried out halfway, the best prices first; of "
                         "equal ones those the lot has first.")  # fmt: skip
        return "\n".join(lines)

    @classmethod
    def told_of(cls, options: BazaarOptions, course: Course, world: Market, seed: int) -> SocietyReader:
        """The ledger, the accounts and the figures."""
        data: dict[str, JsonValue] = {
            **ledger(course),
            "seats": {seat: account(options, world, course, seat) for seat in course.seats},
            "sales": [sale.model_dump(mode="json") for sale in world.sales],
            "offers": [offer.model_dump(mode="json") for offer in world.offers],
            "known": cast(JsonValue, world.known),
            "still_lent": cast(JsonValue, world.lent),
            "best_gain": best_gain(options),
            "rewards": cast(JsonValue, rewards(options, world)),
            "rules_hold": holds(options, world),
        }
        return SocietyReader(data, lambda: rewards(options, world))


def _of(offer: Offer) -> dict[str, JsonValue]:
    return {"number": offer.number, "good": offer.good, "price": offer.price}


def _sold(sale: Sale) -> str:
    total = "" if sale.count == 1 else f", {sale.count * sale.price} in all"
    return f"{sale.buyer} buys {sale.count} {sale.good} of {sale.seller} at {sale.price} coins each{total}"


def _account(market: Market, role: str) -> str:
    parts = [f"{market.cash[role]} coins"]
    parts += [f"{count} {good}" for good, count in sorted(market.goods[role].items()) if count]
    return ", ".join(parts) if len(parts) > 1 else f"{parts[0]} and no goods"


def _worth(worth: int | list[int]) -> str:
    if isinstance(worth, int):
        return str(worth)
    listed = ", ".join(map(str, worth[:10])) + (", ..." if len(worth) > 10 else "")
    return f"{listed} (the first, the second, ...; a further one nothing)"
