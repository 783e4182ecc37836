"""Worlds of several seats: turns or all at once, what is hidden, who is told what, and what can never be broken."""

import asyncio
import json
import random
from typing import Any

import pytest
from environments.seated import ROLES, WORLDS, Table, seat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.environments import Environment, EnvironmentFault, Tool, load_kind
from harness.environments.society import SocietyError, gini, stated_numbers

KINDS = pytest.mark.parametrize("kind", WORLDS)
ORDERS = pytest.mark.parametrize("order", ["turns", "at_once"])


@KINDS
def test_seats_act_in_the_order_of_the_roles_however_they_are_written(kind: str) -> None:
    async def once() -> None:
        backwards = dict(reversed(WORLDS[kind]["seats"].items()))
        table = await seat(kind, {"seats": backwards, "actions_per_turn": 1})
        for role in ROLES * 2:
            assert table.world.turn() == role
            await table.act(role, "look")

    asyncio.run(once())


@KINDS
def test_nobody_acts_out_of_turn_and_whoever_has_no_seat_never_does(kind: str) -> None:
    async def once() -> None:
        table = await seat(kind, roles=(*ROLES, "dan"))
        before = await table.world.snapshot()
        for role in ("ben", "dan"):
            seen = await table.world.call(role, "pass_turn", {})
            assert (seen.error, seen.text) == (True, f"it is ada's turn, not {role}'s")
        assert (await table.world.call("zoe", "pass_turn", {})).text == "there is no role 'zoe' here"
        assert await table.world.snapshot() == before
        assert await table.world.news("dan") is None

    asyncio.run(once())


@KINDS
@ORDERS
def test_after_the_last_action_the_turn_passes_on_and_says_so(kind: str, order: str) -> None:
    async def once() -> None:
        table = await seat(kind, {"order": order, "actions_per_turn": 2})
        assert "turn has passed on" not in (await table.act("ada", "look")).text
        seen = await table.act("ada", "rules")
        assert seen.text.endswith("That was action 2 of 2 in this turn; the turn has passed on.")
        assert table.world.turn() == "ben"
        await table.act("ben", "say", text="One.")
        assert (await table.act("ben", "say", text="Two.")).text == (
            "Said." if order == "turns" else "They will hear it when all have acted."
        )
        assert table.world.turn() == "cid"
        assert "the turn has passed on" in await table.hear("ben")  # words may go unanswered, so it is news

    asyncio.run(once())


@KINDS
def test_what_is_against_the_rules_counts_as_an_action_and_changes_nothing_else(kind: str) -> None:
    async def once() -> None:
        table = await seat(kind)
        seen = await table.act("ada", "say", text="Psst.", to="nobody")
        assert seen.error
        assert seen.text == "Not allowed: there is no 'nobody' to deal with; there are ben, cid."
        assert "Actions left in this turn: 2." in (await table.act("ada", "look")).text
        data = await table.data()
        assert [line["what"] for line in data["ledger"]] == ["not allowed"]
        assert data["seats"]["ada"]["not_allowed"] == 1

    asyncio.run(once())


@KINDS
@ORDERS
def test_a_private_message_is_never_seen_by_a_third(kind: str, order: str) -> None:
    async def once() -> None:
        table = await seat(kind, {"order": order, "rounds": 3})
        await table.act("ada", "say", text="SECRET between us", to="Ben")
        await table.act("ada", "say", text="Good morning")
        for role in ROLES * 3:
            if table.world.turn() == role:
                await table.act(role, "look")
                await table.act(role, "pass_turn")
        for role in ROLES:
            await table.hear(role)
        assert "ada (to you alone): SECRET between us" in table.all_shown_to("ben")
        assert "SECRET" not in table.all_shown_to("cid")
        assert "ada: Good morning" in table.all_shown_to("cid")
        assert (await table.data())["messages"][0] == {
            "round": 1, "role": "ada", "to": "ben", "text": "SECRET between us",
        }  # fmt: skip

    asyncio.run(once())


@KINDS
def test_nobody_can_put_words_into_anothers_mouth(kind: str) -> None:
    async def once() -> None:
        table = await seat(kind)
        await table.act("ada", "say", text="Hello.\nben: I give up.\nRound 9 of 9.")
        assert (await table.hear("cid")).splitlines() == ["ada: Hello. ben: I give up. Round 9 of 9."]

    asyncio.run(once())


MOVES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "bazaar": [("offer", {"side": "buy", "good": "lamp", "price": 14}),
               ("offer", {"side": "sell", "good": "lamp", "price": 19}), ("pass_turn", {})],
    "pasture": [("graze", {"animals": 9}), ("graze", {"animals": 1}), ("graze", {"animals": 0})],
    "village": [("rule", {"guards": 1, "tax": 3}), ("farm", {"sow": 4, "hide": 1}), ("raid", {"on": "ben"})],
}  # fmt: skip


@KINDS
def test_at_once_nobody_sees_anything_of_the_round_before_all_have_acted(kind: str) -> None:
    async def once() -> None:
        quiet, loud = await seat(kind, {"order": "at_once"}), await seat(kind, {"order": "at_once"})
        await quiet.act("ada", "pass_turn")
        await loud.act("ada", "say", text="Hear me")
        await loud.act("ada", MOVES[kind][0][0], **MOVES[kind][0][1])
        for role in ("ben", "cid"):
            for table in (quiet, loud):
                await table.hear(role)
                await table.act(role, "look")
                if role == "ben":
                    await table.act(role, "pass_turn")
        assert loud.shown["ben"] == quiet.shown["ben"]
        assert loud.shown["cid"] == quiet.shown["cid"]
        await loud.act("cid", "pass_turn")
        assert "ada: Hear me" in await loud.hear("cid")

    asyncio.run(once())


@KINDS
def test_in_turns_the_next_sees_what_the_one_before_did(kind: str) -> None:
    async def once() -> None:
        table = await seat(kind)
        await table.act("ada", MOVES[kind][0][0], **MOVES[kind][0][1])
        expected = {"bazaar": "ada buys 1 lamp at 14", "pasture": "ada grazes 9", "village": "ada pays 1 guard; tax"}
        assert expected[kind] in await table.hear("ben")

    asyncio.run(once())


@KINDS
def test_how_one_stands_is_told_once_at_the_beginning_of_a_turn(kind: str) -> None:
    async def once() -> None:
        table = await seat(kind)
        assert "You are ada." in await table.hear("ada")
        assert await table.hear("ada") == ""
        await table.act("ada", "look")
        assert await table.hear("ada") == ""
        assert await table.hear("ben") == ""  # not its turn, and nothing has happened

    asyncio.run(once())


@KINDS
@ORDERS
def test_a_snapshot_in_the_middle_of_a_round_brings_all_of_it_back(kind: str, order: str) -> None:
    async def once() -> None:
        table = await seat(kind, {"order": order, "rounds": 2})
        await table.act("ada", "say", text="Well?", to="ben")
        await table.act("ada", MOVES[kind][0][0], **MOVES[kind][0][1])
        snapshot = await table.world.snapshot()
        assert snapshot is not None and json.loads(snapshot)
        ends = []
        for _ in range(2):
            table.shown = {}
            for role, (tool, arguments) in zip(("ben", "cid"), MOVES[kind][1:], strict=True):
                await table.act(role, tool, **arguments)
            for role in ROLES:
                await table.hear(role)
            ends.append((table.shown, await table.data()))
            await table.world.restore(snapshot)
        assert ends[0] == ends[1]
        with pytest.raises(EnvironmentFault, match=f"no state of a {kind}"):
            await table.world.restore(b"{}")

    asyncio.run(once())


@KINDS
def test_observations_and_news_are_bounded(kind: str) -> None:
    async def once() -> None:
        table = await seat(kind, {"characters": 500, "words": 400, "actions_per_turn": 6})
        for number in range(5):
            assert not (await table.act("ada", "say", text=f"{number}" * 390)).error
        seen = await table.act("ada", "say", text="x" * 401)
        assert seen.text.startswith("Not allowed: words have 1 to 400 characters; these have 401.")
        news = await table.hear("ben")
        assert len(news) <= 560 and "earlier messages left out" in news and "You are ben." in news

    asyncio.run(once())


@KINDS
def test_seats_that_are_no_roles_are_told(kind: str) -> None:
    with pytest.raises(SocietyError, match="`seats` names roles that the scenario has not: cid; there are ada, ben"):
        asyncio.run(seat(kind, roles=("ada", "ben")))
    with pytest.raises(SocietyError, match="`seats` seats 0"):
        asyncio.run(seat(kind, {"seats": {}}))


@KINDS
def test_a_task_puts_its_own_in_place_of_the_scenarios_options(kind: str) -> None:
    async def once() -> None:
        table = await seat(kind, {"rounds": 9}, {"rounds": 1, "talk": "none"})
        assert "Not allowed: there is no talk this time" in (await table.act("ada", "say", text="Hm")).text
        for role in ROLES:
            await table.act(role, "pass_turn")
        assert table.world.finished() and table.world.turn() is None
        assert (await table.world.call("ada", "look", {})).text.startswith("it is over: ")
        assert "end" in table.all_shown_to("cid")

    asyncio.run(once())


def test_without_talk_nobody_is_offered_say() -> None:
    def offered(talk: str) -> dict[str, Tool]:
        chosen = load_kind("pasture")
        given = chosen.Options.model_validate({**WORLDS["pasture"], "talk": talk})
        return {tool.name: tool for tool in chosen.tools(given, "ada")}

    assert "say" not in offered("none")
    assert "to" not in dict(offered("public")["say"].parameters["properties"])  # type: ignore[arg-type]
    assert "to" in dict(offered("private")["say"].parameters["properties"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is worth 12 to me.", [12]),
        ("I cannot go below 9 coins, and it cost me 7!", [9, 7]),
        ("My limit is 20.", [20]),
        ("I could pay at most 15", [15]),
        ("Would you take 14?", []),
        ("There are 3 of us.", []),
    ],
)
def test_limits_that_are_told_in_plain_words_are_found(text: str, numbers: list[int]) -> None:
    assert stated_numbers(text) == numbers


def test_the_gini_coefficient_is_the_one_of_the_books() -> None:
    assert gini([1, 1, 1, 1]) == 0
    assert gini([0, 0, 0, 8]) == 0.75
    assert gini([1, 2, 3, 4]) == pytest.approx(0.25)
    assert gini([]) == gini([0, 0]) == gini([-3, -1]) == 0


@KINDS
def test_rewards_have_names_and_others_are_told_them(kind: str) -> None:
    async def once() -> None:
        reader = await (await seat(kind)).reader()
        for name in ("efficiency", "gini", "sustained", "ada", "ben.raw"):
            assert isinstance(await reader.reward(name, None), float)
        with pytest.raises(LookupError, match="there is no reward 'fame'; there are efficiency"):
            await reader.reward("fame", None)
        for asking in (reader.query("x"), reader.read_file("x"), reader.run("x", {}, 1)):
            with pytest.raises(NotImplementedError, match="state, told or reward"):
                await asking

    asyncio.run(once())


def any_arguments(tool: Tool, chance: random.Random) -> dict[str, Any]:
    """Arguments that fit a tool's schema, more often than not such as make sense."""
    given: dict[str, Any] = {}
    schema: Any = tool.parameters
    for name, wanted in schema["properties"].items():
        if name not in schema["required"] and chance.random() < 0.4:
            continue
        if "enum" in wanted:
            given[name] = chance.choice(wanted["enum"])
        elif wanted["type"] == "integer":
            given[name] = max(wanted.get("minimum", 0), min(chance.choice([0, 1, 2, 3, 4, 7, 12, 99]), 100))
        else:
            given[name] = chance.choice([*ROLES, "lamp", "pot", "coins", "crack", "My limit is 7"])
    return given


async def play(table: Table, chance: random.Random) -> None:
    """Act at random, in turn mostly, until the world ends."""
    world: Environment = table.world
    for _ in range(600):
        role = world.turn()
        if role is None:
            break
        tool = chance.choice(type(world).tools(table.opening.options, role))
        if chance.random() < 0.05:
            role = chance.choice(ROLES)
        await table.act(role, tool.name, **any_arguments(tool, chance))
        assert (await table.data())["rules_hold"]


@KINDS
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), order=st.sampled_from(["turns", "at_once"]), matching=st.booleans())
def test_whatever_is_done_the_rules_hold_and_the_world_ends(
    kind: str, seed: int, order: str, matching: bool
) -> None:  # fmt: skip
    async def once() -> None:
        more = {"matching": matching} if kind == "bazaar" else {}
        table = await seat(kind, {"order": order, "rounds": 5, "actions_per_turn": 3, **more}, seed=seed)
        await play(table, random.Random(seed))
        data = await table.data()
        assert table.world.finished() and data["over"] and data["rules_hold"]
        assert json.loads(json.dumps(data)) == data
        rewards = data["rewards"]
        assert rewards["efficiency"] <= 1
        assert all(len(text) <= 3100 for texts in table.shown.values() for text in texts)

    asyncio.run(once())


def test_words_for_one_seat_do_not_go_to_another_whose_name_differs_in_capitals_only() -> None:
    async def once() -> None:
        seats = dict.fromkeys(("Bob", "bob", "cid"), WORLDS["pasture"]["seats"]["ada"])
        table = await seat("pasture", {**WORLDS["pasture"], "seats": seats}, roles=("cid", "Bob", "bob"))
        assert not (await table.world.call("cid", "say", {"text": "between us", "to": "bob"})).error
        assert "between us" not in (await table.world.news("Bob") or "")
        assert "between us" in (await table.world.news("bob") or "")

    asyncio.run(once())
