"""Who sits in a bazaar, with what, and what it is worth to whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from harness.environments.society.options import Seat, SocietyGame, SocietyOptions
from harness.environments.society.society import SocietyError
from harness.spec.base import Spec

COINS = "coins"
Good = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
Coins = Annotated[int, Field(ge=0, le=1_000_000)]
Pieces = Annotated[int, Field(ge=0, le=1000)]
Worth = Coins | Annotated[list[Coins], Field(max_length=1000)]
"""What a piece is worth in coins: each the same, or the first, the second, ... and those beyond the list nothing."""


class Trader(Spec):
    """One seat: what it has, and what things are worth to it."""

    plays: Literal["buyer", "seller", "trader"] = "trader"
    """A buyer only buys, a seller only sells, a trader does both."""
    cash: Coins = 0
    goods: dict[Good, Pieces] = Field({}, max_length=20)
    values: dict[Good, Worth] = Field({}, max_length=20)
    """What it gets for having a piece when the bazaar closes; for a seller, what a piece costs it to part with."""
    lent: dict[Good, str] = Field({}, max_length=20)
    """Goods of which its pieces are only lent to it, and whose they are: another seat, or somebody outside."""
    knows: list[Annotated[str, Field(max_length=400)]] = Field([], max_length=10)
    """Told to this seat alone, whenever it is told how it stands."""


class Fact(Spec):
    """Something true about the goods that not everybody knows."""

    text: str = Field(max_length=400)
    known_to: list[Seat]
    """From the beginning; others learn it from somebody who uses `disclose`, which nobody can do falsely."""
    values: dict[Seat, dict[Good, Worth]] = Field({}, max_length=12)
    """What goods are worth because of it, in place of a seat's `values`, whether the seat knows of it or not. A seat
    that does not know goes on believing in its own."""


class BazaarGame(SocietyGame):
    """What a scenario and its tasks may both say."""

    seats: dict[Seat, Trader] = Field({}, max_length=12)
    """By role; they act in the order of the scenario's roles. A role that has no seat takes no part."""
    facts: dict[Good, Fact] = Field({}, max_length=20)
    """By a short name."""
    matching: bool = False
    """At the end of each round open public offers that meet are carried out, the best first, at the middle price."""
    closes_after: int | None = Field(None, ge=1)
    """The bazaar closes when so many pieces were sold."""

    def seated(self) -> list[str]:
        """The seats, in the order in which they act."""
        return list(self.seats)


class BazaarOptions(BazaarGame, SocietyOptions):
    """Options of the kind `bazaar`."""


class BazaarSetup(BazaarGame):
    """What a task puts in the place of the scenario's options."""


def check(game: BazaarGame) -> None:
    """Raises `SocietyError` where the seats make no bazaar."""
    if COINS in goods_of(game):
        raise SocietyError(f"seats: a good cannot be called {COINS}: that is what it is paid with")
    for name, seat in game.seats.items():
        for good, worth in seat.values.items():
            if isinstance(worth, list) and sorted(worth, reverse=True) != worth:
                raise SocietyError(f"seats.{name}.values.{good}: {worth} rises; a further piece is worth no more")
        if seat.plays == "buyer" and any(seat.goods.values()):
            raise SocietyError(f"seats.{name}: a buyer has goods it could not sell; let it play trader")
        for good, owner in seat.lent.items():
            elsewhere = [other for other, one in game.seats.items() if other != name and one.goods.get(good)]
            if not seat.goods.get(good):
                raise SocietyError(f"seats.{name}.lent: {good} is lent to it, but it has none in `goods`")
            if elsewhere or owner == name:
                raise SocietyError(f"seats.{name}.lent: {good} of {owner}: nobody but {name} may have any of it")
    for name, fact in game.facts.items():
        strangers = sorted({*fact.known_to, *fact.values} - set(game.seats))
        if strangers:
            raise SocietyError(f"facts.{name} names {strangers[0]}, who has no seat")


def goods_of(game: BazaarGame) -> list[str]:
    """All goods there are, by name."""
    return sorted({good for seat in game.seats.values() for good in (*seat.goods, *seat.values)})


def values_for(game: BazaarGame, seat: str, facts: Iterable[str]) -> dict[str, Worth]:
    """What goods are worth to a seat, given these facts."""
    values = dict(game.seats[seat].values)
    for name in facts:
        values |= game.facts[name].values.get(seat, {})
    return values


def worth_of(values: dict[str, Worth], goods: dict[str, int]) -> int:
    """What so many pieces of these goods are worth."""
    return sum(sum(slots(values.get(good, 0), count)) for good, count in goods.items())


def slots(worth: Worth, count: int) -> list[int]:
    """What the first, the second, ... of `count` pieces is worth."""
    if isinstance(worth, int):
        return [worth] * count
    return [*worth[:count], *[0] * (count - len(worth))]
