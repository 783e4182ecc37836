"""The common land: how it grows, how it is used up, and the most that could be had of it."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from environments.seated import ROLES, Table, seat
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.environments.pasture import PastureSetup, best_total, grown
from harness.environments.society import SocietyError

LAND: dict[str, Any] = {"grass": 64, "growth": 50, "capacity": 100, "dies_below": 10, "rounds": 6}
FOUR = ("alf", "bea", "carl", "dina")


async def grazed(choose: Callable[[int, int, int], int], order: str, **more: Any) -> Table:
    """All choose by one rule, given the season, the grass that stands, and the most they may graze."""
    seats = {name: {"most": 8} for name in FOUR}
    table = await seat("pasture", {"order": order, **LAND, "seats": seats, **more}, roles=FOUR)
    while (role := table.world.turn()) is not None:
        data = await table.data()
        most = table.opening.options.seats[role].most  # type: ignore[attr-defined]
        await table.act(role, "graze", animals=choose(data["round"], data["grass"], most))
    return table


@pytest.mark.parametrize("order", ["turns", "at_once"])
def test_greedy_herders_use_the_land_up(order: str) -> None:
    async def once() -> None:
        data = await (await grazed(lambda season, grass, most: most, order)).data()
        assert (data["dead"], data["grass"], len(data["seasons"])) == (True, 0, 3)
        assert data["over"] == "less than 10 grass was left; the land is dead"
        assert data["rewards"]["efficiency"] == pytest.approx(78 / 136)
        assert data["rewards"]["sustained"] == 0
        assert {one["over_share"] for one in data["seats"].values()} == {3}

    asyncio.run(once())


@pytest.mark.parametrize("order", ["turns", "at_once"])
def test_herders_who_hold_to_their_share_reach_the_best_there_is(order: str) -> None:
    async def once() -> None:
        data = await (await grazed(lambda season, grass, most: 3, order)).data()
        assert data["rewards"]["efficiency"] == 1
        assert (data["rewards"]["sustained"], data["grass"], data["rewards"]["gini"]) == (1, 64, 0)
        assert [season["grew"] for season in data["seasons"]] == [12] * 6

    asyncio.run(once())


def test_one_who_takes_more_gains_and_the_others_pay() -> None:
    async def once() -> None:
        seats = {name: {"most": 40 if name == "dina" else 3} for name in FOUR}
        data = await (await grazed(lambda season, grass, most: most, "at_once", seats=seats)).data()
        assert data["dead"]
        assert data["rewards"]["dina"] > 1 > 3 * data["rewards"]["alf"]
        assert data["seats"]["dina"]["over_share"] == len(data["seasons"])
        assert data["rewards"]["gini"] > 0.4

    asyncio.run(once())


def best_by_search(game: PastureSetup) -> int:
    """The most that could be had, found by trying every number of animals in every season."""
    most = sum(herder.most for herder in game.seats.values())
    herders = len(game.seats)

    @cache
    def from_here(season: int, stands: int) -> int:
        if season > game.rounds:
            return herders * (stands // herders) if stands >= game.dies_below else 0
        found = []
        for eaten in range(min(stands, most) + 1):
            left = stands - eaten
            if left < game.dies_below:
                found.append(eaten)
                continue
            rate = game.growth / 100 * left * (1 - left / game.capacity) * game.dry.get(season, 100) / 100
            found.append(eaten + from_here(season + 1, min(game.capacity, left + int(rate + 1e-9))))
        return max(found)

    return from_here(1, game.grass)


@settings(max_examples=60, deadline=None)
@given(
    grass=st.integers(1, 60), growth=st.integers(1, 120), dies=st.integers(0, 20), rounds=st.integers(1, 6),
    most=st.lists(st.integers(0, 25), min_size=1, max_size=5),
    dry=st.dictionaries(st.integers(1, 6), st.integers(0, 100)),
)  # fmt: skip
def test_the_best_is_that_of_a_search_over_all_plans(
    grass: int, growth: int, dies: int, rounds: int, most: list[int], dry: dict[int, int]
) -> None:
    seats = {f"h{number}": {"most": count} for number, count in enumerate(most)}
    game = PastureSetup.model_validate(
        {
            "grass": grass,
            "capacity": 60,
            "growth": growth,
            "dies_below": dies,
            "rounds": rounds,
            "seats": seats,
            "dry": dry,
        }
    )
    assert best_total(game) == best_by_search(game)


def test_grass_grows_by_the_logistic_rule_and_less_in_a_dry_season() -> None:
    game = PastureSetup.model_validate({**LAND, "dry": {2: 30, 3: 0}, "seats": {"ada": {}}})
    assert [grown(left, game, 1) for left in (9, 10, 25, 50, 75, 99, 100)] == [0, 4, 9, 12, 9, 0, 0]
    assert [grown(50, game, season) for season in (1, 2, 3)] == [12, 3, 0]


def test_too_little_grass_is_shared_in_proportion_and_the_rest_by_lot() -> None:
    async def eaten(seed: int) -> dict[str, int]:
        options = {"order": "at_once", "grass": 11, "dies_below": 0, "seats": {name: {"most": 9} for name in ROLES}}
        table = await seat("pasture", options, seed=seed)
        for role in ROLES:
            await table.act(role, "graze", animals=9)
        found: dict[str, int] = (await table.data())["seasons"][0]["eaten"]
        assert sum(found.values()) == 11
        return found

    lots = [asyncio.run(eaten(seed)) for seed in range(12)]
    assert {tuple(sorted(lot.values())) for lot in lots} == {(3, 4, 4)}
    assert {next(name for name, units in lot.items() if units == 3) for lot in lots} == set(ROLES)


@pytest.mark.parametrize("order", ["turns", "at_once"])
def test_punishing_costs_both_and_nobody_gets_it(order: str) -> None:
    async def once() -> None:
        table = await seat("pasture", {"order": order, "sanctions": {"cost": 2, "fine": 4}})
        await table.act("ada", "punish", who="ben")
        assert "you have already punished ben" in (await table.act("ada", "punish", who="ben")).text
        await table.act("ada", "graze", animals=1)
        await table.act("ben", "graze", animals=3)
        await table.act("cid", "punish", who="ben")
        await table.act("cid", "pass_turn")
        data = await table.data()
        assert {name: one["coins"] for name, one in data["seats"].items()} == {"ada": 4, "ben": 3, "cid": 3}
        assert (data["chest"], data["rules_hold"]) == (9, True)  # 2 and 2 it cost, and of 4 and 4 ben had 5
        assert data["seats"]["ben"]["was_punished"] == 2
        assert "You lose 1 coin: cid punished you." in await table.hear("ben")

    asyncio.run(once())


def test_nobody_punishes_what_it_cannot_pay_or_where_there_is_no_punishing() -> None:
    async def once() -> None:
        poor = await seat("pasture", {"seats": {name: {"most": 9} for name in ROLES}})
        assert "punishing costs 1; you have 0 coins" in (await poor.act("ada", "punish", who="ben")).text
        mild = await seat("pasture", setup={"sanctions": None})
        assert "nobody can punish this time" in (await mild.act("ada", "punish", who="ben")).text
        assert "at most 9 animals in a season, not 10" in (await mild.act("ada", "graze", animals=10)).text

    asyncio.run(once())


def test_a_dry_season_is_known_when_it_comes_and_before_only_where_it_is_foretold() -> None:
    async def once() -> None:
        for forecast in (False, True):
            table = await seat("pasture", {"dry": {2: 40}, "forecast": forecast})
            rules = (await table.act("ada", "rules")).text
            assert ("season 2 (40 percent)" in rules) is forecast
            for role in ROLES:
                assert "dry" not in await table.hear(role)
                await table.act(role, "graze", animals=0)
            assert "This season is dry: only 40 percent" in await table.hear("ada")

    asyncio.run(once())


def test_more_grass_than_there_can_be_is_told() -> None:
    with pytest.raises(SocietyError, match="grass: 64 is more than the capacity of 50"):
        asyncio.run(seat("pasture", {**LAND, "capacity": 50}))
