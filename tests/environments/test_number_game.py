"""Turns and endings of an environment with several roles, found by dotted path like any of one's own."""

import asyncio
from pathlib import Path

from environments.number_game import GameOptions, GameSetup, NumberGame

from harness.environments import Opening, load_kind


def opening(scratch: Path, seed: int = 1) -> Opening:
    return Opening(GameOptions(target=6), GameSetup(start=0), ("odd", "even"), seed, scratch)


def test_it_is_found_by_its_dotted_path() -> None:
    assert load_kind("environments.number_game:NumberGame") is NumberGame


def test_roles_take_turns_until_the_world_has_ended(tmp_path: Path) -> None:
    async def play() -> None:
        game = await NumberGame.open(opening(tmp_path))
        turns = []
        while not game.finished():
            role = game.turn()
            assert role is not None
            turns.append(role)
            assert not (await game.call(role, "add", {"amount": 2})).error
        assert turns == ["odd", "even", "odd"]
        assert game.turn() is None
        assert (await game.call("even", "add", {"amount": 1})).error
        state = await game.final_state()
        reader = await NumberGame.read_state(state, opening(tmp_path))
        assert (await reader.as_data())["winner"] == "odd"

    asyncio.run(play())


def test_a_role_out_of_turn_is_told_so_and_changes_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        game = await NumberGame.open(opening(tmp_path))
        before = await game.snapshot()
        assert (await game.call("even", "add", {"amount": 2})).error
        assert not (await game.call("even", "look", {})).error
        assert await game.snapshot() == before
        assert game.turn() == "odd"

    asyncio.run(play())
