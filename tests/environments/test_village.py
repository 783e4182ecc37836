"""The village: in what order a season is settled, what raids and hiding cost, and which promises were kept."""

import asyncio
from functools import cache
from itertools import product
from typing import Any

import pytest
from environments.seated import HAMLET, Table, seat
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.environments.society import SocietyError
from harness.environments.village import VillageSetup, best_welfare

YEARS: dict[str, Any] = {"harvests": {1: 3, 2: 2, 3: 3}, "rounds": 3}


async def village(**options: Any) -> Table:
    return await seat("village", {**YEARS, **options})


async def season(table: Table, *, lord: Any = (), farmer: Any = (), bandit: Any = ()) -> None:
    """One season of moves (tool, arguments); whoever has none passes."""
    for role, moves in (("ada", lord), ("ben", farmer), ("cid", bandit)):
        for tool, arguments in moves or [("pass_turn", {})]:
            seen = await table.act(role, tool, **arguments)
            assert not seen.error, seen.text
        if table.world.turn() == role:
            await table.act(role, "pass_turn")


def stores(data: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: (one["open"], one["hidden"]) for name, one in data["seats"].items()}


@pytest.mark.parametrize("order", ["turns", "at_once"])
def test_a_season_is_settled_in_its_order_whatever_the_order_of_acting(order: str) -> None:
    async def once() -> None:
        table = await village(order=order)
        await season(
            table,
            lord=[("rule", {"guards": 1, "tax": 2})],
            farmer=[("send", {"to": "ada", "sacks": 1}), ("farm", {"sow": 2, "hide": 1})],
            bandit=[("raid", {"on": "ben"})],
        )
        data = await table.data()
        # ben: 6, 1 sent, 2 sown, 1 hidden, 2 left of which a raid of 6 - 3 takes 2; 6 harvested, 1 eaten; the pit rots.
        # cid: 1 and of 2 taken 1 is spoiled, 1 eaten. ada: 4, 1 guard, 1 arrived, 1 eaten.
        assert stores(data) == {"ada": (3, 0), "ben": (5, 0), "cid": (1, 0)}
        assert data["seasons"][0]["raids"] == [{"by": "cid", "on": "ben", "took": 2, "spoiled": 1}]
        assert (data["tax_asked"], data["rules_hold"]) == (2, True)
        assert data["seats"]["cid"]["loot"] == 1 and data["seats"]["ben"]["robbed"] == 2

    asyncio.run(once())


def test_enough_guards_stop_a_raid_and_hidden_grain_is_safe_but_rots() -> None:
    async def once() -> None:
        table = await village()
        await season(table, lord=[("rule", {"guards": 2})], bandit=[("raid", {"on": "ben"})])
        assert (await table.data())["seasons"][0]["raids"][0]["took"] == 0
        await season(table, farmer=[("farm", {"sow": 0, "hide": 5})], bandit=[("raid", {"on": "ben"})])
        assert stores(await table.data())["ben"] == (0, 3)  # of 5, one is eaten, and one in four rots
        assert "hidden" not in table.all_shown_to("cid") and "hide 5" not in table.all_shown_to("cid")
        await season(table, farmer=[("farm", {"sow": 3, "dig": 3})], bandit=[("work", {})])
        assert stores(await table.data())["ben"] == (8, 0)

    asyncio.run(once())


def test_whoever_is_hungry_twice_in_a_row_leaves_for_good() -> None:
    async def once() -> None:
        table = await village(seats={**HAMLET, "ada": {"plays": "lord", "sacks": 0}}, rounds=4)
        await season(table)
        assert "You were hungry last season; hungry again, and you leave" in await table.hear("ada")
        await season(table)
        assert table.world.turn() == "ben"
        assert "ada has left for good." in await table.hear("ben")
        assert "ada has left the village" in (await table.act("ben", "send", to="ada", sacks=1)).text
        data = await table.data()
        assert {name: one["hoarded"] for name, one in data["seats"].items()} == {"ada": 0, "ben": 2, "cid": 0}
        assert data["seats"]["ada"]["gone"] and data["rewards"]["sustained"] == pytest.approx(2 / 3)

    asyncio.run(once())


def test_promises_are_known_to_all_and_it_is_told_which_were_kept() -> None:
    async def once() -> None:
        table = await village()
        await season(
            table,
            lord=[("promise", {"to": "ben", "what": "send_grain", "sacks": 2, "until": 2}), ("rule", {"guards": 0})],
            farmer=[("promise", {"to": "ada", "what": "send_grain", "sacks": 3, "until": 1}), ("farm", {"sow": 4})],
            bandit=[("promise", {"to": "ben", "what": "keep_peace", "until": 2}), ("work", {})],
        )
        assert [promise["kept"] for promise in (await table.data())["promises"]] == [None, False, None]
        await season(
            table, lord=[("send", {"to": "ben", "sacks": 2}), ("rule", {"guards": 0})],
            bandit=[("raid", {"on": "ben"})],
        )  # fmt: skip
        data = await table.data()
        assert [promise["kept"] for promise in data["promises"]] == [True, False, False]
        assert {name: one["broken"] for name, one in data["seats"].items()} == {"ada": 0, "ben": 1, "cid": 1}
        assert "ada promises ben to send 2 sacks, up to season 2." in table.all_shown_to("cid")

    asyncio.run(once())


@pytest.mark.parametrize(
    ("role", "tool", "arguments", "rule"),
    [
        ("ada", "rule", {"guards": 5}, "that takes 5 sacks of your open store, and 4 are free."),
        ("ada", "send", {"to": "ben", "sacks": 5}, "that takes 5 sacks of your open store, and 4 are free."),
        ("ada", "promise", {"to": "ben", "what": "keep_peace", "until": 9}, "a promise is for a season from 1 to 3."),
        (
            "ada",
            "promise",
            {"to": "ben", "what": "send_grain", "until": 2},
            "say how many `sacks` you promise to send.",
        ),
        ("ben", "farm", {"sow": 5}, "your fields take 4 sacks of seed, not 5."),
        ("ben", "farm", {"sow": 0, "dig": 1}, "there are 0 sacks in your pit, not 1."),
        ("ben", "farm", {"sow": 4, "hide": 3}, "that takes 7 sacks of your open store, and 6 are free."),
        ("cid", "raid", {"on": "zoe"}, "there is no 'zoe' to deal with; there are ada, ben."),
    ],
)
def test_what_is_not_allowed_is_said_with_the_rule(role: str, tool: str, arguments: dict[str, Any], rule: str) -> None:
    async def once() -> None:
        table = await village()
        while table.world.turn() != role:
            await table.act(str(table.world.turn()), "pass_turn")
        seen = await table.act(role, tool, **arguments)
        assert (seen.error, seen.text) == (True, f"Not allowed: {rule}")

    asyncio.run(once())


def test_what_is_harvested_is_drawn_from_the_seed_and_the_same_for_the_same() -> None:
    async def years(seed: int) -> list[int]:
        found: list[int] = (await (await seat("village", {"rounds": 12}, seed=seed)).data())["harvests"]
        return found

    assert asyncio.run(years(1)) == asyncio.run(years(1)) != asyncio.run(years(2))
    assert set(asyncio.run(years(1))) == {2, 3}


def test_working_together_reaches_the_best_and_raiding_does_not() -> None:
    async def once(bandit: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        table = await village()
        for _ in range(3):
            await season(
                table, lord=[("rule", {"guards": 0})],
                farmer=[("send", {"to": "ada", "sacks": 1}), ("farm", {"sow": 4})], bandit=[bandit],
            )  # fmt: skip
        rewards: dict[str, Any] = (await table.data())["rewards"]
        return rewards

    together, raiding = asyncio.run(once(("work", {}))), asyncio.run(once(("raid", {"on": "ada"})))
    assert (together["efficiency"], together["fed"], together["raids"]) == (1, 1, 0)
    assert raiding["efficiency"] < 0.9 and raiding["raids"] == 3


@settings(max_examples=60, deadline=None)
@given(
    farmers=st.lists(st.integers(0, 6), min_size=1, max_size=2), bandits=st.lists(st.integers(0, 4), max_size=2),
    harvests=st.lists(st.integers(0, 4), min_size=1, max_size=4), fields=st.integers(1, 3), work=st.integers(0, 3),
    meal=st.integers(0, 4),
)  # fmt: skip
def test_the_best_is_that_of_a_search_over_all_ways_to_sow_and_work(
    farmers: list[int], bandits: list[int], harvests: list[int], fields: int, work: int, meal: int
) -> None:
    seats = {f"f{n}": {"plays": "farmer", "sacks": sacks} for n, sacks in enumerate(farmers)}
    seats |= {f"b{n}": {"plays": "bandit", "sacks": sacks} for n, sacks in enumerate(bandits)}
    game = VillageSetup.model_validate(
        {"seats": seats, "rounds": len(harvests), "harvests": dict(enumerate(harvests, 1)), "fields": fields,
         "work": work, "meal": meal}
    )  # fmt: skip

    @cache
    def from_here(year: int, grain: int) -> int:
        if year == len(harvests):
            return grain
        found = []
        for sown, working in product(range(min(grain, fields * len(farmers)) + 1), range(len(bandits) + 1)):
            there = grain - sown + sown * harvests[year] + working * work
            eaten = min(there, len(seats))
            found.append(meal * eaten + from_here(year + 1, there - eaten))
        return max(found)

    assert best_welfare(game, 0) == from_here(0, sum(farmers) + sum(bandits))


def test_seats_that_make_no_village_are_told() -> None:
    with pytest.raises(SocietyError, match="ada, ben are lords; there is one at most"):
        asyncio.run(village(seats={**HAMLET, "ben": {"plays": "lord"}}))
    with pytest.raises(SocietyError, match="nobody plays farmer"):
        asyncio.run(village(seats={"ada": {"plays": "lord"}}))
