"""The state of a bazaar and its law: offers, sales and gifts. Coins and goods change hands; none is made or lost.

Whatever breaks a rule raises `AgainstTheRulesError` before anything has changed.
"""

from __future__ import annotations

import random
from typing import Literal

from pydantic import BaseModel

from harness.environments.bazaar.options import COINS
from harness.environments.society.course import AgainstTheRulesError

MOST_OPEN = 12
"""Open offers of one seat."""


class Offer(BaseModel):
    """An offer to sell or to buy pieces of one good."""

    number: int
    round: int
    by: str
    side: Literal["sell", "buy"]
    good: str
    count: int
    """Pieces still to be had."""
    price: int
    """Coins a piece."""
    to: str | None = None
    """The only seat that sees it and may take it; None for all."""
    answers: int | None = None
    """The offer it is a counter-offer to."""
    state: Literal["open", "taken", "refused", "withdrawn", "replaced", "void"] = "open"

    def text(self, reader: str) -> str:
        """The offer as a seat is told of it."""
        who = "you" if reader == self.by else self.by
        do = f"{self.side}{'' if who == 'you' else 's'}"
        whom = "" if self.to is None else f", to {'you' if reader == self.to else self.to} alone"
        return f"#{self.number}: {who} {do} {self.count} {self.good} at {self.price} coins each{whom}"


class Sale(BaseModel):
    """Pieces that changed hands for coins."""

    round: int
    seller: str
    buyer: str
    good: str
    count: int
    price: int
    offer: int
    lent: bool = False
    """The seller sold what was only lent to it."""


class Market(BaseModel):
    """Who has what, and what lies open."""

    plays: dict[str, Literal["buyer", "seller", "trader"]]
    cash: dict[str, int]
    goods: dict[str, dict[str, int]]
    """Seat -> good -> pieces in its hands."""
    lent: dict[str, str] = {}
    """Good -> whose it is, as long as its pieces have not come back to that seat."""
    known: dict[str, list[str]] = {}
    """Seat -> facts it knows."""
    offers: list[Offer] = []
    sales: list[Sale] = []

    def held(self, seat: str, good: str) -> int:
        """Pieces in a seat's hands."""
        return self.goods[seat].get(good, 0)

    def open_to(self, seat: str) -> list[Offer]:
        """Open offers that a seat sees, its own among them."""
        return [offer for offer in self.offers if offer.state == "open" and seat in (offer.by, offer.to or seat)]

    def find(self, seat: str, number: int) -> Offer:
        """An open offer that a seat sees."""
        found = next((offer for offer in self.open_to(seat) if offer.number == number), None)
        if found is None:
            numbers = ", ".join(f"#{offer.number}" for offer in self.open_to(seat)) or "none"
            raise AgainstTheRulesError(f"no offer #{number} is open to you; open are: {numbers}.")
        return found

    def offer(
        self, seat: str, side: str, good: str, count: int, price: int, to: str | None, at: int,
        answers: Offer | None = None,
    ) -> Offer:  # fmt: skip
        """Make an offer; it takes the place of the seat's open one for the same good, side and addressee."""
        if side not in ("sell", "buy"):
            raise AgainstTheRulesError("an offer is to sell or to buy.")
        if count < 1:
            raise AgainstTheRulesError("an offer is for one piece or more.")
        if side == "sell":
            self._can_sell(seat, good, count)
        else:
            self._can_buy(seat, good, count * price)
        stale = [
            offer for offer in self.offers
            if offer.state == "open" and (offer.by, offer.side, offer.good, offer.to) == (seat, side, good, to)
        ]  # fmt: skip
        mine = sum(1 for offer in self.offers if offer.state == "open" and offer.by == seat)
        if mine - len(stale) >= MOST_OPEN:
            raise AgainstTheRulesError(f"you have {mine} open offers, the most there may be; withdraw one.")
        for offer in stale:
            offer.state = "replaced"
        made = Offer(
            number=len(self.offers) + 1, round=at, by=seat, side="sell" if side == "sell" else "buy", good=good,
            count=count, price=price, to=to, answers=None if answers is None else answers.number,
        )  # fmt: skip
        self.offers.append(made)
        return made

    def counter(self, seat: str, number: int, price: int, at: int) -> Offer:
        """Answer another's offer with a price of one's own, to that seat alone."""
        old = self.find(seat, number)
        if old.by == seat:
            raise AgainstTheRulesError(f"#{number} is your own offer; make a new one to change it.")
        side = "buy" if old.side == "sell" else "sell"
        made = self.offer(seat, side, old.good, old.count, price, old.by, at, old)
        if old.to is not None:
            old.state = "refused"
        return made

    def accept(self, seat: str, number: int, at: int) -> Sale:
        """Take all of another's offer: goods and coins change hands at once."""
        offer = self.find(seat, number)
        if offer.by == seat:
            raise AgainstTheRulesError(f"#{number} is your own offer.")
        seller, buyer = (offer.by, seat) if offer.side == "sell" else (seat, offer.by)
        if seat == seller:
            self._can_sell(seat, offer.good, offer.count)
        else:
            self._can_buy(seat, offer.good, offer.count * offer.price)
        return self._sell(seller, buyer, offer, offer.count, offer.price, at)

    def refuse(self, seat: str, number: int) -> Offer:
        """Turn down an offer that was made to oneself alone."""
        offer = self.find(seat, number)
        if offer.to != seat:
            raise AgainstTheRulesError(f"#{number} is not made to you alone; leave it, or counter it.")
        offer.state = "refused"
        return offer

    def withdraw(self, seat: str, number: int) -> Offer:
        """Take back an offer of one's own."""
        offer = self.find(seat, number)
        if offer.by != seat:
            raise AgainstTheRulesError(f"#{number} is not yours to withdraw.")
        offer.state = "withdrawn"
        return offer

    def give(self, seat: str, to: str, what: str, count: int) -> None:
        """A gift of goods or coins; what was lent and comes to its owner is lent no longer."""
        if count < 1:
            raise AgainstTheRulesError("a gift is one piece or coin, or more.")
        if what == COINS:
            if self.cash[seat] < count:
                raise AgainstTheRulesError(f"nobody pays what he has not: you have {self.cash[seat]} coins.")
            self.cash[seat] -= count
            self.cash[to] += count
            self._void()
            return
        if self.held(seat, what) < count:
            raise AgainstTheRulesError(f"nobody gives what he has not: you have {self.held(seat, what)} {what}.")
        self._move(seat, to, what, count)
        self._void()

    def disclose(self, seat: str, fact: str, to: list[str]) -> list[str]:
        """Make a fact known; returns those who did not know it."""
        if fact not in self.known.get(seat, []):
            mine = ", ".join(self.known.get(seat, [])) or "none"
            raise AgainstTheRulesError(f"you know of no fact '{fact}'; yours to disclose: {mine}.")
        new = [other for other in to if fact not in self.known.get(other, [])]
        for other in new:
            self.known[other] = [*self.known.get(other, []), fact]
        return new

    def match(self, at: int, chance: random.Random) -> list[Sale]:
        """Carry out public offers that meet, piece by piece: the highest to buy with the lowest to sell, halfway.

        Offers of one price stand in the order that chance gives; a middle price is rounded down.
        """
        public = [offer for offer in self.offers if offer.state == "open" and offer.to is None]
        chance.shuffle(public)
        sales = []
        for good in sorted({offer.good for offer in public}):
            bids = sorted((o for o in public if o.good == good and o.side == "buy"), key=lambda o: -o.price)
            asks = sorted((o for o in public if o.good == good and o.side == "sell"), key=lambda o: o.price)
            while bids and asks and bids[0].price >= asks[0].price:
                bid, ask = bids[0], asks[0]
                price = (bid.price + ask.price) // 2
                if bid.by == ask.by:
                    bids.pop(0)
                    continue
                sales.append(self._matched(bid, ask, price, at))
                bids, asks = [o for o in bids if o.state == "open"], [o for o in asks if o.state == "open"]
        return sales

    def _matched(self, bid: Offer, ask: Offer, price: int, at: int) -> Sale:
        bid.count -= 1  # before coins change hands, so that the bid is held to what is left of it
        if not bid.count:
            bid.state = "taken"
        return self._sell(ask.by, bid.by, ask, 1, price, at)

    def _can_sell(self, seat: str, good: str, count: int) -> None:
        if self.plays[seat] == "buyer":
            raise AgainstTheRulesError("you are a buyer: you only buy.")
        if self.held(seat, good) < count:
            raise AgainstTheRulesError(f"nobody sells what he has not: you have {self.held(seat, good)} {good}.")

    def _can_buy(self, seat: str, good: str, coins: int) -> None:
        if self.plays[seat] == "seller":
            raise AgainstTheRulesError("you are a seller: you only sell.")
        if not any(good in goods for goods in self.goods.values()):
            raise AgainstTheRulesError(f"there is no {good} in this bazaar.")
        if self.cash[seat] < coins:
            raise AgainstTheRulesError(f"nobody pays what he has not: you have {self.cash[seat]} coins, not {coins}.")

    def _sell(self, seller: str, buyer: str, offer: Offer, count: int, price: int, at: int) -> Sale:
        sale = Sale(
            round=at, seller=seller, buyer=buyer, good=offer.good, count=count, price=price, offer=offer.number,
            lent=offer.good in self.lent,
        )  # fmt: skip
        offer.count -= count
        if not offer.count:
            offer.state = "taken"
        self.cash[buyer] -= count * price
        self.cash[seller] += count * price
        self._move(seller, buyer, offer.good, count)
        self.sales.append(sale)
        self._void()
        return sale

    def _void(self) -> None:
        """Offers that can no longer be kept fall away."""
        for offer in self.offers:
            if offer.state == "open" and (
                self.held(offer.by, offer.good) < offer.count if offer.side == "sell"
                else self.cash[offer.by] < offer.count * offer.price
            ):  # fmt: skip
                offer.state = "void"

    def _move(self, giver: str, taker: str, good: str, count: int) -> None:
        self.goods[giver][good] -= count
        self.goods[taker][good] = self.held(taker, good) + count
        owner = self.lent.get(good)
        if owner is not None and all(not goods.get(good) for seat, goods in self.goods.items() if seat != owner):
            del self.lent[good]
