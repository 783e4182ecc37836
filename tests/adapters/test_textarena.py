"""TextArena through the adapter is TextArena: what its games tell and reward is the same, side by side or alone."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from adapters.parts import needs, run_bounded

from harness.adapters.catalog import program_of
from harness.adapters.textarena import TextArena
from harness.adapters.textarena.environment import PACKAGES, TextArenaOptions, TextArenaSetup
from harness.adapters.worker import Program, Worker, worker_of
from harness.conformance import examine
from harness.environments import CATALOG, EnvironmentFault, Opening, Services
from harness.errors import UserError
from harness.scoring import validate_scenario
from harness.spec import load_scenario

pytestmark = [pytest.mark.adapters, needs(PACKAGES, "textarena")]

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "adapters"
PLAYERS = {
    1: "2048 Bandit Blackjack Countdown Crosswords Cryptarithm FifteenPuzzle FrozenLake GuessTheNumber LightsOut "
    "LogicPuzzle Mastermind Minesweeper PegJump RushHour Secretary Set Slitherlink Sokoban Sudoku ThreeCardMonte "
    "TowerOfHanoi",
    2: "Alquerque Battleship Breakthrough Briscola Chopsticks ColonelBlotto ConnectFour Crusade GameOfPureStrategy "
    "GermanWhist Golf HighSociety IndianPoker IteratedMatchingPennies IteratedPrisonersDilemma "
    "IteratedRockPaperScissors IteratedTwoThirdsAverage IteratedUltimatumGame KuhnPoker LiarsDice LinesOfAction "
    "MemoryGame NewRecruit Nim Othello PigDice Poker QuantumTicTacToe SantoriniBaseFixed SimpleBlindAuction "
    "SimpleNegotiation SimpleTak Snake SpiteAndMalice Stratego Surround Tak TicTacToe TruthAndDeception TwoDollar "
    "UltimateTicTacToe WildTicTacToe",
    3: "CharacterConclave MarketEntryGame PublicGoodsGame ThreePlayerGOPS ThreePlayerIPD ThreePlayerTicTacToe",
    4: "SettlersOfCatan Taboo",
    6: "SecretMafia",
}
"""Number of players -> games that begin without a network, found by trying them all."""
GAMES = [(game, players) for players, names in PLAYERS.items() for game in names.split()]
WORDS = ("[0]", "[1]", "[4]", "[0 1]", "[2 3]", "[1 2 3]", "[up]", "[left]", "[check]", "[Cooperate]", "[Defect]",
         "[col 2]", "[pass]", "[roll]", "[A C]", "[5]", "Let us think about this.", "[Accept]", "[e2e4]")  # fmt: skip


def seats(players: int) -> list[str]:
    return [f"seat{number}" for number in range(players)]


async def begin(services: Services, game: str, players: int, seed: int) -> TextArena:
    options = TextArenaOptions(games=[game], seats=seats(players))
    opening = Opening(options, TextArenaSetup(game=game, seed=seed), tuple(seats(players)), 1, Path(), False, services)
    return await TextArena.open(opening)


async def finish(game: TextArena) -> dict[str, Any]:
    reader = await TextArena.read_state(await game.final_state(), None)
    return await reader.as_data()


async def directly(services: Services) -> Worker:
    python = program_of("textarena", PACKAGES, Path()).python
    return await worker_of(services, Program("directly", python, Path(__file__).with_name("textarena_directly.py")))


def same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Every message of the direct game was told to the same seat in the same order, and the rewards are equal."""
    told: dict[str, list[str]] = {}
    for player, text in theirs["told"]:
        told.setdefault(f"seat{player}", []).append(text.strip())
    for seat, texts in told.items():
        heard = [text.split("] ", 1)[1] if "] " in text else text for text in ours["told"][seat]]
        if heard[: len(texts)] != texts:
            return False
    rewards = {f"seat{player}": reward for player, reward in theirs["rewards"].items()}
    return ours["finished"] == theirs["done"] and all(ours["rewards"][s] == r for s, r in rewards.items())


async def compare(services: Services, game: str, players: int, seed: int) -> bool:
    """Random words as moves, until the game ends or twelve were made."""
    chance = random.Random(f"{game} {seed}")
    moves = [chance.choice(WORDS) for _ in range(12)]
    played = await begin(services, game, players, seed)
    try:
        for move in moves:
            if played.finished():
                break
            await played.call(played.turn() or "", "play", {"text": move})
        ours: dict[str, Any] | str = await finish(played)
    except EnvironmentFault as fault:  # a few games stumble over words they do not expect
        ours = str(fault).partition("failed: ")[2]
    finally:
        await played.close()
    try:
        worker = await directly(services)
        theirs = await worker.ask("play_through", game=game, players=players, seed=seed, moves=moves)
    except EnvironmentFault as fault:
        return ours == str(fault).partition("failed: ")[2]
    return isinstance(ours, dict) and same(ours, theirs)


def test_games_tell_and_reward_as_they_do_without_the_adapter(capsys: pytest.CaptureFixture[str]) -> None:
    async def all_games() -> dict[str, bool]:
        async with Services() as services:
            return {
                f"{game} {seed}": await compare(services, game, players, seed)
                for game, players in GAMES
                for seed in (1, 2)
            }

    agreed = run_bounded(all_games())
    count = Counter(agreed.values())
    with capsys.disabled():
        print(f"\nTextArena: {count[True]} of {len(agreed)} games ({len(GAMES)} kinds) tell and reward the same")
    assert [name for name, agrees in agreed.items() if not agrees] == []


def test_the_solutions_get_the_full_reward_and_an_idle_player_none(capsys: pytest.CaptureFixture[str]) -> None:
    async def validate() -> list[Any]:
        async with Services() as services:
            found = []
            for name in ("textarena-solo", "textarena-duel"):
                scenario = load_scenario(SCENARIOS / f"{name}.yaml", CATALOG)
                found += await validate_scenario(scenario, Path("/tmp"), services)
            return found

    found = run_bounded(validate())
    gold, null = sum(task.gold == 1.0 for task in found), sum(task.null_passes for task in found)
    with capsys.disabled():
        print(f"\nTextArena: solutions {gold}/{len(found)}, null agent passes {null}/{len(found)}")
    assert (gold, null) == (len(found), 0)
    assert [task.problems + task.notes for task in found if task.problems or task.notes] == []


@pytest.mark.parametrize("name", ["textarena-solo", "textarena-duel"])
def test_it_keeps_the_promises_of_every_environment(name: str) -> None:
    scenario = load_scenario(SCENARIOS / f"{name}.yaml", CATALOG)
    few = scenario.spec.model_copy(update={"tasks": scenario.spec.tasks[::7]})
    found = asyncio.run(examine(type(scenario)(**{**vars(scenario), "spec": few})))
    assert [finding for finding in found if finding.outcome == "broken"] == []


def test_games_side_by_side_draw_from_their_own_chance() -> None:
    async def play() -> tuple[dict[str, Any], dict[str, Any]]:
        async with Services() as services:
            first, second = [await begin(services, "Blackjack", 1, 3) for _ in range(2)]
            for _ in range(4):  # what one draws in between must not reach the other
                for game in (first, second):
                    if not game.finished():
                        await game.call("seat0", "play", {"text": "[Hit]"})
            ended = await finish(first), await finish(second)
            for game in (first, second):
                await game.close()
            return ended

    first, second = run_bounded(play())
    assert first == second


def test_seats_that_are_not_the_roles_are_told() -> None:
    async def wrong() -> None:
        async with Services() as services:
            options = TextArenaOptions(games=["Nim"], seats=["first", "second"])
            await TextArena.open(Opening(options, TextArenaSetup(), ("a", "b"), 1, Path(), False, services))

    with pytest.raises(UserError, match="seats are first, second, the roles a, b"):
        run_bounded(wrong())
