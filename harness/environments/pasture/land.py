"""How the land grows, and the most that could ever be had of it. Whole units only.

Growth is logistic (Verhulst 1838; for harvested stocks Schaefer 1954): with g left after grazing, capacity K and rate
r, g r (1 - g/K) grows, rounded down, and no more than K stands. An animal eats one unit and brings one coin. Where
fewer units stand than animals graze, they are shared in proportion, what is left over by lot.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache

from harness.environments.pasture.options import PastureGame


def grown(left: int, game: PastureGame, season: int) -> int:
    """Units that grow in a season when so many are left after grazing."""
    percent = game.dry.get(season, 100)
    return _grown(left, game.capacity, game.growth, game.dies_below, percent)


def _grown(left: int, capacity: int, growth: int, dies_below: int, percent: int) -> int:
    if left < dies_below:
        return 0
    return min(left * growth * (capacity - left) * percent // (10_000 * capacity), capacity - left)


def lasting(game: PastureGame) -> int:
    """Animals that the land can feed in every season for ever: its greatest growth in a common year."""
    return max(_grown(left, game.capacity, game.growth, game.dies_below, 100) for left in range(game.capacity + 1))


def shared(animals: Mapping[str, int], grass: int, lot: random.Random) -> dict[str, int]:
    """Units each herder's animals eat."""
    wanted = sum(animals.values())
    if wanted <= grass:
        return dict(animals)
    eaten = {seat: grass * count // wanted for seat, count in animals.items()}
    hungry = [seat for seat, count in animals.items() if eaten[seat] < count]
    lot.shuffle(hungry)
    for seat in hungry[: grass - sum(eaten.values())]:
        eaten[seat] += 1
    return eaten


def hay(grass: int, game: PastureGame) -> int:
    """Coins each herder gets at the end for what stands; what cannot be shared out evenly stays."""
    return grass // len(game.seats) if grass >= game.dies_below else 0


def best_total(game: PastureGame) -> int:
    """The most coins all herders together can come to, beyond what they begin with: by dynamic programming."""
    seasons = tuple(game.dry.get(season, 100) for season in range(1, game.rounds + 1))
    most = sum(herder.most for herder in game.seats.values())
    return _best(game.grass, game.capacity, game.growth, game.dies_below, seasons, most, len(game.seats))


@lru_cache(maxsize=256)
def _best(
    grass: int, capacity: int, growth: int, dies_below: int, seasons: tuple[int, ...], most: int, herders: int
) -> int:
    """Worth of every amount of grass, from the last season back to the first."""
    worth = [stands // herders * herders if stands >= dies_below else 0 for stands in range(capacity + 1)]
    for percent in reversed(seasons):
        after = [
            worth[left + _grown(left, capacity, growth, dies_below, percent)] if left >= dies_below else 0
            for left in range(capacity + 1)
        ]
        worth = [
            max(eaten + after[stands - eaten] for eaten in range(min(most, stands) + 1))
            for stands in range(capacity + 1)
        ]
    return worth[grass]
