"""The bazaar: what may be bought and sold, who knows what, and what a bargain came to."""

import asyncio
from typing import Any

import pytest
from environments.seated import LAMP, Table, seat
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.environments.bazaar import BazaarSetup, best_gain
from harness.environments.society import SocietyError

PAIR = {name: LAMP[name] for name in ("ada", "ben")}
TWO = ("ada", "ben")
BUY: dict[str, Any] = {"side": "buy", "good": "lamp"}
SELL: dict[str, Any] = {"side": "sell", "good": "lamp"}


async def pair(**options: Any) -> Table:
    return await seat("bazaar", {"seats": PAIR, "facts": {}, **options}, roles=TWO)


def test_a_bargain_by_offer_counter_offer_and_acceptance_moves_coins_and_goods_and_nothing_else() -> None:
    async def once() -> None:
        table = await pair(closes_after=1)
        await table.act("ada", "offer", **BUY, price=14)
        assert (await table.act("ben", "counter", offer=1, price=20)).text == (
            "Offered. #2: you sell 1 lamp at 20 coins each, to ada alone."
        )
        await table.act("ada", "counter", offer=2, price=17)
        await table.act("ben", "accept", offer=3)
        assert table.world.finished()
        data = await table.data()
        ada, ben = data["seats"]["ada"], data["seats"]["ben"]
        assert (ada["cash"], ada["goods"], ada["surplus"]) == (13, {"lamp": 1}, 5)
        assert (ben["cash"], ben["goods"], ben["surplus"]) == (17, {}, 5)
        assert [offer["state"] for offer in data["offers"]] == ["void", "refused", "taken"]
        assert data["rewards"] == {
            "efficiency": 1, "gain": 10, "best_gain": 10, "gini": 0, "sustained": 1,
            "ada": 0.5, "ben": 0.5, "ada.raw": 5, "ben.raw": 5,
        }  # fmt: skip

    asyncio.run(once())


def test_how_each_bargained_is_told() -> None:
    async def once() -> None:
        table = await pair()
        await table.act("ada", "say", text="It is worth 15 to me, no more.")
        await table.act("ada", "offer", **BUY, price=10)
        await table.act("ben", "say", text="It cost me 12.")
        await table.act("ben", "offer", **SELL, price=24)
        await table.act("ada", "offer", **BUY, price=13)
        await table.act("ben", "offer", **SELL, price=20)
        await table.act("ada", "offer", **BUY, price=18)
        await table.act("ben", "accept", offer=5)
        seats = (await table.data())["seats"]
        ada, ben = seats["ada"], seats["ben"]
        assert (ada["first_price"], ada["first_distance"], ada["concession"], ada["offers"]) == (10, 12, 4, 3)
        assert (ben["first_price"], ben["first_distance"], ben["concession"], ben["offers"]) == (24, 12, 4, 2)
        assert (ada["claims"], ada["lies"]) == ([15], 1)
        assert (ben["claims"], ben["lies"]) == ([12], 0)
        assert (ada["losing_trades"], ben["losing_trades"]) == (0, 0)

    asyncio.run(once())


@pytest.mark.parametrize(
    ("role", "tool", "arguments", "rule"),
    [
        ("ada", "offer", {**BUY, "price": 31}, "nobody pays what he has not: you have 30 coins, not 31."),
        ("ada", "offer", {**SELL, "price": 1}, "you are a buyer: you only buy."),
        ("ada", "offer", {"side": "buy", "good": "moon", "price": 1}, "there is no moon in this bazaar."),
        ("ada", "accept", {"offer": 7}, "no offer #7 is open to you; open are: none."),
        ("ada", "give", {"to": "ben", "good": "coins", "count": 31}, "nobody pays what he has not: you have 30 coins."),
        ("ada", "give", {"to": "ben", "good": "lamp", "count": 1}, "nobody gives what he has not: you have 0 lamp."),
        ("ada", "disclose", {"fact": "crack"}, "you know of no fact 'crack'; yours to disclose: none."),
        ("ben", "offer", {**SELL, "price": 1, "count": 2}, "nobody sells what he has not: you have 1 lamp."),
        ("ben", "offer", {**BUY, "price": 1}, "you are a seller: you only sell."),
        ("ben", "refuse", {"offer": 1}, "#1 is not made to you alone; leave it, or counter it."),
        ("ben", "withdraw", {"offer": 1}, "#1 is not yours to withdraw."),
    ],
)
@pytest.mark.parametrize("order", ["turns", "at_once"])
def test_what_is_not_allowed_is_said_with_the_rule(
    role: str, tool: str, arguments: dict[str, Any], rule: str, order: str
) -> None:
    async def once() -> None:
        table = await pair(order=order)
        if role == "ben":
            await table.act("ada", "offer", **BUY, price=5)
            if order == "at_once":
                await table.act("ben", "look")
                await table.act("ben", "pass_turn")
                await table.act("ada", "pass_turn")
        before = await table.data()
        seen = await table.act(role, tool, **arguments)
        assert (seen.error, seen.text) == (True, f"Not allowed: {rule}")
        after = await table.data()
        assert [after[key] for key in ("seats", "offers", "sales")] == [
            {**before["seats"], role: {**before["seats"][role], "not_allowed": after["seats"][role]["not_allowed"]}},
            before["offers"], before["sales"],
        ]  # fmt: skip

    asyncio.run(once())


def test_an_offer_to_one_alone_is_seen_by_nobody_else() -> None:
    async def once() -> None:
        table = await seat("bazaar", {"facts": {}})
        await table.act("ada", "offer", **BUY, price=13, to="ben")
        await table.act("ben", "counter", offer=1, price=19)
        await table.act("cid", "look")
        seen = await table.act("cid", "accept", offer=2)
        assert seen.text.endswith("no offer #2 is open to you; open are: none.")
        assert "13" not in table.all_shown_to("cid") and "19" not in table.all_shown_to("cid")

    asyncio.run(once())


def test_an_offer_that_can_no_longer_be_kept_falls_away() -> None:
    async def once() -> None:
        table = await seat("bazaar", {"facts": {}})
        await table.act("ada", "offer", **BUY, price=20)
        await table.act("ben", "offer", **SELL, price=25)
        await table.act("cid", "offer", side="sell", good="pot", price=28)
        await table.act("ada", "accept", offer=3)  # 2 coins are left
        states = {offer["number"]: offer["state"] for offer in (await table.data())["offers"]}
        assert states == {1: "void", 2: "open", 3: "taken"}

    asyncio.run(once())


def test_at_once_the_lot_decides_who_gets_the_last_piece_and_not_who_was_asked_first() -> None:
    async def winner(seed: int, order: tuple[str, ...]) -> tuple[str, str]:
        seats = {
            "ben": {"plays": "seller", "goods": {"lamp": 1}, "values": {"lamp": 1}},
            "ada": {"plays": "buyer", "cash": 30, "values": {"lamp": 22}},
            "cid": {"plays": "buyer", "cash": 30, "values": {"lamp": 22}},
        }
        table = await seat("bazaar", {"order": "at_once", "seats": seats, "facts": {}}, roles=order, seed=seed)
        for _ in range(3):
            if (role := table.world.turn()) == "ben":
                await table.act("ben", "offer", **SELL, price=9)
            else:
                await table.act(str(role), "look")
                await table.act(str(role), "pass_turn")
        for _ in range(3):
            if (role := table.world.turn()) == "ben":
                await table.act("ben", "pass_turn")
            else:
                await table.act(str(role), "accept", offer=1)
        (sale,) = (await table.data())["sales"]
        loser = ({"ada", "cid"} - {sale["buyer"]}).pop()
        return sale["buyer"], await table.hear(loser)

    found = {seed: asyncio.run(winner(seed, ("ben", "ada", "cid"))) for seed in range(12)}
    assert {buyer for buyer, _ in found.values()} == {"ada", "cid"}
    assert all("Your accept came to nothing: no offer #1 is open" in news for _, news in found.values())
    turned = {asyncio.run(winner(seed, ("cid", "ada", "ben")))[0] for seed in range(12)}
    assert turned == {"ada", "cid"}


def test_public_offers_that_meet_are_carried_out_halfway_the_best_first() -> None:
    async def once() -> None:
        seats = {
            "ada": {"plays": "buyer", "cash": 50, "values": {"pot": [20, 9]}},
            "ben": {"plays": "buyer", "cash": 50, "values": {"pot": [12]}},
            "cid": {"plays": "seller", "goods": {"pot": 3}, "values": {"pot": [15, 8, 4]}},
        }
        table = await seat("bazaar", {"order": "at_once", "matching": True, "seats": seats, "facts": {}})
        await table.act("ada", "offer", side="buy", good="pot", price=15)
        await table.act("ben", "offer", side="buy", good="pot", price=11)
        await table.act("cid", "offer", side="sell", good="pot", price=10, count=3)
        data = await table.data()
        assert [(sale["buyer"], sale["price"]) for sale in data["sales"]] == [("ada", 12), ("ben", 10)]
        assert data["rewards"]["efficiency"] == 1
        assert data["offers"][2]["count"] == 1 and data["offers"][2]["state"] == "open"

    asyncio.run(once())


def test_a_fact_changes_what_a_thing_is_truly_worth_and_is_believed_once_it_is_shown() -> None:
    async def once() -> None:
        table = await seat("bazaar")
        assert "lamp 22" in await table.hear("ada")
        await table.act("ada", "pass_turn")
        assert "Fact 'crack', which you know: The lamp is cracked." in await table.hear("ben")
        await table.act("ben", "disclose", fact="crack", to="ada")
        await table.act("ben", "offer", **SELL, price=13, to="ada")
        await table.act("cid", "look")
        await table.act("cid", "pass_turn")
        heard = await table.hear("ada")
        assert "ben shows you that it is so: The lamp is cracked." in heard and "lamp 3" in heard
        assert "crack" not in table.all_shown_to("cid")
        await table.act("ada", "accept", offer=1)
        data = await table.data()
        assert data["known"] == {"ada": ["crack"], "ben": ["crack"], "cid": []}
        assert data["seats"]["ben"]["disclosed"] == ["crack"]
        assert (data["seats"]["ada"]["surplus"], data["seats"]["ada"]["losing_trades"]) == (-10, 1)
        assert data["rewards"]["sustained"] == 0

    asyncio.run(once())


def lent() -> dict[str, Any]:
    return {
        "facts": {},
        "seats": {
            "ada": {"plays": "buyer", "cash": 50, "values": {"lantern": 30}},
            "ben": {"goods": {"lantern": 1}, "lent": {"lantern": "cid"}},
            "cid": {"values": {"lantern": 10}},
        },
    }


def test_what_is_lent_goes_back_to_its_owner_even_when_it_was_sold() -> None:
    async def once() -> None:
        table = await seat("bazaar", lent())
        await table.act("ada", "offer", side="buy", good="lantern", price=20)
        assert "The lantern in your hands is lent to you; it belongs to cid." in await table.hear("ben")
        await table.act("ben", "accept", offer=1)
        assert "Your lantern is lent to ada." in await table.hear("cid")
        data = await table.data()
        assert data["seats"]["ben"]["sold_lent"] == 1
        assert {name: one["surplus"] for name, one in data["seats"].items()} == {"ada": -20, "ben": 20, "cid": 0}
        assert (data["rewards"]["efficiency"], data["rules_hold"]) == (0, True)

    asyncio.run(once())


def test_what_is_given_back_is_its_owners_to_sell() -> None:
    async def once() -> None:
        table = await seat("bazaar", lent())
        await table.act("ada", "offer", side="buy", good="lantern", price=20)
        await table.act("ben", "give", to="cid", good="lantern", count=1)
        await table.act("ben", "pass_turn")
        await table.act("cid", "accept", offer=1)
        data = await table.data()
        assert (data["rewards"]["efficiency"], data["still_lent"]) == (1, {})
        assert data["seats"]["ben"]["sold_lent"] == 0

    asyncio.run(once())


def test_seats_that_make_no_bazaar_are_told() -> None:
    def told(**seat_of_ada: Any) -> str:
        with pytest.raises(SocietyError) as error:
            asyncio.run(pair(seats={**PAIR, "ada": seat_of_ada}))
        return str(error.value)

    assert "rises; a further piece is worth no more" in told(values={"lamp": [1, 2]})
    assert "a buyer has goods it could not sell" in told(plays="buyer", goods={"lamp": 1})
    assert "lamp is lent to it, but it has none" in told(lent={"lamp": "ben"})
    assert "nobody but ada may have any of it" in told(goods={"lamp": 1}, lent={"lamp": "zoe"})
    with pytest.raises(SocietyError, match=r"facts\.x names zoe, who has no seat"):
        asyncio.run(pair(facts={"x": {"text": "x", "known_to": ["zoe"]}}))


WORTHS = st.lists(st.integers(0, 30), max_size=4).map(lambda worths: sorted(worths, reverse=True)) | st.integers(0, 30)
SEATS = st.fixed_dictionaries(
    {"plays": st.sampled_from(["seller", "trader"]), "cash": st.just(99),
     "goods": st.dictionaries(st.sampled_from(["oats", "hay"]), st.integers(0, 3)),
     "values": st.dictionaries(st.sampled_from(["oats", "hay"]), WORTHS)}
)  # fmt: skip


def assigned(game: BazaarSetup) -> int:
    """The best worth of all pieces, each put in one place of one seat: an assignment problem."""
    import numpy
    from scipy.optimize import linear_sum_assignment

    total = 0
    for good in ("oats", "hay"):
        pieces = [name for name, trader in game.seats.items() for _ in range(trader.goods.get(good, 0))]
        places: list[tuple[str, int, int]] = []
        for name, trader in game.seats.items():
            worth = trader.values.get(good, 0)
            for number in range(len(pieces)):
                one = worth if isinstance(worth, int) else (worth[number] if number < len(worth) else 0)
                places.append((name, number, one))
        if not pieces:
            continue
        gain = numpy.zeros((len(pieces), len(places)))
        for row, owner in enumerate(pieces):
            for column, (name, number, one) in enumerate(places):
                trader = game.seats[name]
                barred = trader.plays == "seller" and (name != owner or number >= trader.goods.get(good, 0))
                gain[row, column] = -1000 if barred else one
        rows, columns = linear_sum_assignment(gain, maximize=True)
        total += int(gain[rows, columns].sum())
    return total


@settings(max_examples=150, deadline=None)
@given(seats=st.dictionaries(st.sampled_from(["ada", "ben", "cid", "dora"]), SEATS, min_size=1))
def test_the_best_allocation_is_that_of_the_assignment_problem(seats: dict[str, Any]) -> None:
    game = BazaarSetup.model_validate({"seats": seats})
    before = 0
    for trader in game.seats.values():
        for good, count in trader.goods.items():
            worth = trader.values.get(good, 0)
            before += worth * count if isinstance(worth, int) else sum(worth[:count])
    assert best_gain(game) == assigned(game) - before


def test_no_good_is_called_as_the_money_is() -> None:
    async def once() -> None:
        seats = {"ada": {"cash": 5}, "ben": {"goods": {"coins": 3}}}
        with pytest.raises(SocietyError, match="a good cannot be called coins"):
            await pair(seats=seats)

    asyncio.run(once())
