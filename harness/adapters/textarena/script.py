"""What the worker of the `textarena` adapter serves: games of TextArena, many at once in one process.

TextArena's games draw from the global random generators, so each game keeps their state between its own moves:
games that go on side by side do not disturb one another, and the same seed and moves always lead to the same end.
"""

import contextlib
import io
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy

with contextlib.redirect_stderr(io.StringIO()):  # it looks for word lists on the network, and says that there is none
    import textarena
    from textarena.envs.registration import ENV_REGISTRY
    from textarena.wrappers import ActionFormattingWrapper

sys.path.insert(0, str(Path(__file__).parent))

from solutions import SOLUTIONS

SERVED = ("games", "start", "play", "end", "drop", "solutions")
_RAW = "-v0-raw"
_open: dict[str, "Game"] = {}


class Game:
    """One game, and the state of chance between its moves."""

    def __init__(self, name: str, players: int, seed: int) -> None:
        random.seed(seed)
        numpy.random.seed(seed)
        self._chance = (random.getstate(), numpy.random.get_state())
        self.done = False
        self.told: list[list[Any]] = []
        with self.its_chance():
            made = textarena.make(name + _RAW)
            self.env = ActionFormattingWrapper(made)
            self.env.reset(num_players=players, seed=seed)
            self._look()

    @contextmanager
    def its_chance(self) -> Iterator[None]:
        random.setstate(self._chance[0])
        numpy.random.set_state(self._chance[1])
        try:
            yield
        finally:
            self._chance = (random.getstate(), numpy.random.get_state())

    def step(self, move: str) -> None:
        with self.its_chance():
            self.done, _ = self.env.step(move)
            if self.done:
                for player in sorted(self.env.state.observations):
                    self._note(player, self.env.state.observations[player])
            else:
                self._look()

    def _look(self) -> None:
        self.turn, seen = self.env.get_observation()
        self._note(self.turn, seen)

    def _note(self, player: int, seen: list[Any]) -> None:
        for sender, text, kind in seen:
            # A few games mix up the three: who is not a player is the game, and a kind is a name.
            whose = int(sender) if isinstance(sender, int) else -1
            self.told.append([player, whose, str(text), getattr(kind, "name", str(kind))])

    def take(self) -> dict[str, Any]:
        """Whose turn it is, and what players were told since the last time: [player, sender, text, kind]."""
        told, self.told = self.told, []
        return {"turn": None if self.done else self.turn, "done": self.done, "told": told}


def games() -> dict[str, list[str]]:
    """The names of all games, and of those with a known solution."""
    names = [name.removesuffix(_RAW) for name in sorted(ENV_REGISTRY) if name.endswith(_RAW)]
    return {"games": names, "solved": sorted(SOLUTIONS)}


def start(trial: str, game: str, players: int, seed: int) -> dict[str, Any]:
    """Begin a game."""
    _open[trial] = Game(game, players, seed)
    return _open[trial].take()


def play(trial: str, move: str) -> dict[str, Any]:
    """The move of the player whose turn it is."""
    _open[trial].step(move)
    return _open[trial].take()


def end(trial: str) -> dict[str, Any]:
    """TextArena's own rewards, by player; none while the game goes on."""
    game = _open[trial]
    if not game.done:
        return {"rewards": None, "reason": ""}
    rewards, info = game.env.close()
    reasons = {str(told.get("reason", "")) for told in info.values()}
    # A few games put the reason for an invalid move where its reward belongs: no reward, then.
    rewards = {str(p): float(r) if isinstance(r, int | float) else 0.0 for p, r in rewards.items()}
    return {"rewards": rewards, "reason": " ".join(sorted(reasons))}


def drop(trial: str) -> None:
    """Forget a game."""
    _open.pop(trial, None)


def solutions(games: list[str], players: int, seeds: int) -> list[dict[str, Any]]:
    """Every game with every deal: game, seed, and its solution, empty for a game without a known one."""
    deals = [(game, seed) for game in games for seed in range(1, seeds + 1)]
    return [{"game": game, "seed": seed, "moves": _solution(game, players, seed)} for game, seed in deals]


def _solution(game: str, players: int, seed: int) -> list[list[Any]]:
    """[player, move] of a way to the best reward of the first player."""
    if game not in SOLUTIONS:
        return []
    played = Game(game, players, seed)
    moves: list[list[Any]] = []
    ahead = SOLUTIONS[game](played.env.env)
    while not played.done and len(moves) < 500:
        move = next(ahead)
        moves.append([played.turn, move])
        played.step(move)
    return moves
