"""The kind `textarena`: a game of TextArena, played by the roles of the scenario in the order they are written.

    environment: {kind: textarena, games: [TicTacToe], seats: [first, second]}
    roles:
      first: {brief: You play for your life., tools: [play, look]}
      second: {brief: So do you., tools: [play, look]}
    own_tasks: {}

Tools: `play` (a move, or words, as the game wants them) and `look` (all the game has told this seat). A seat hears
what the game tells it as news. A game's outcome is TextArena's own reward, by role; a game that was not played to its
end gives nobody any.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, Field, JsonValue

from harness.adapters.catalog import known, program_of
from harness.adapters.worker import Worker, worker_of
from harness.environments.packages import Packages
from harness.environments.protocol import (
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    StateReader,
    Tool,
)
from harness.errors import UserError
from harness.spec.base import Spec

_KIND = "textarena"
_SCRIPT = Path(__file__).with_name("script.py")
VERSION = "0.7.4"
PACKAGES = Packages(pip=(f"textarena=={VERSION}", "numpy==2.4.6"))
"""Several games use numpy, which TextArena does not ask for."""
GAMES = ["GuessTheNumber", "TowerOfHanoi", "FrozenLake", "ThreeCardMonte", "Mastermind", "LightsOut", "Sudoku",
         "PegJump", "LogicPuzzle", "Minesweeper", "Secretary", "Crosswords"]  # fmt: skip
"""Games for one player with a known solution, from easy to hard."""

_numbers = itertools.count(1)


class TextArenaOptions(Spec):
    """The `environment` block of a scenario."""

    games: list[str] = Field(default=GAMES, min_length=1)
    """Names without version, such as `TicTacToe`; a game must be for as many players as there are seats."""
    seats: list[str] = Field(default=["player"], min_length=1)
    """The roles of the scenario, in the order in which the game counts its players."""
    seeds: int = Field(3, ge=1, le=1000)
    """Tasks of each game: the deals with seeds 1, 2, ..."""
    characters: int = Field(6000, ge=500, le=100_000)
    """Length of one observation; of what is longer the beginning is left out."""


class TextArenaSetup(Spec):
    """The `setup` block of a task."""

    game: str | None = None
    """The first of `games` when left out."""
    seed: int | None = Field(None, ge=0)
    """The deal; the seed of the trial when left out."""


PLAY = Tool(
    "play",
    "Make your move, in the game's own notation such as [4], or say something where the game lets players talk.",
    {
        "type": "object",
        "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 4000}},
        "required": ["text"],
        "additionalProperties": False,
    },
    changes_state=True,
)
LOOK = Tool(
    "look",
    "See what the game has told you so far: its rules first, then what has happened.",
    {"type": "object", "properties": {}, "additionalProperties": False},
    changes_state=False,
)


class TextArena(Environment):
    """One game."""

    kind: ClassVar[str] = _KIND
    Options: ClassVar[type[BaseModel]] = TextArenaOptions
    Setup: ClassVar[type[BaseModel]] = TextArenaSetup

    def __init__(self, worker: Worker, walls: str, seats: list[str], deal: tuple[str, int], characters: int) -> None:
        self._worker, self._walls = worker, walls
        self._seats, self._deal, self._characters = seats, deal, characters
        self._trial = ""
        self._turn: str | None = None
        self._done = False
        self._moves: list[str] = []
        self._told: dict[str, list[str]] = {}
        self._heard: dict[str, int] = {}
        self._invalid = False
        self._closed = False

    @classmethod
    def packages(cls, options: BaseModel) -> Packages:
        """What `harness install textarena` installs."""
        return PACKAGES

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return `play` and `look`."""
        return [PLAY, LOOK]

    @classmethod
    def own_tasks(cls, options: BaseModel) -> list[dict[str, Any]]:
        """Every game with its deals; with a solution where one is known. Raises `NotInstalledError`."""
        told = cast(TextArenaOptions, options)
        listed = known(
            _KIND, PACKAGES, _SCRIPT, "solutions", games=list(told.games), players=len(told.seats), seeds=told.seeds
        )  # fmt: skip
        return [_task(told, deal) for deal in cast(list[dict[str, Any]], listed)]

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Begin a game. Raises `UserError` when the roles are not the seats, and `EnvironmentFault`."""
        options, setup = cast(TextArenaOptions, opening.options), cast(TextArenaSetup, opening.setup)
        if sorted(options.seats) != sorted(opening.roles):
            raise UserError(
                f"textarena: seats are {', '.join(options.seats)}, the roles {', '.join(opening.roles)}; write under "
                "`seats` the roles in the order in which they play"
            )
        started = program_of(_KIND, PACKAGES, _SCRIPT)
        worker = await worker_of(opening.services, started)
        deal = (setup.game or options.games[0], opening.seed if setup.seed is None else setup.seed)
        game = cls(worker, started.walls, list(options.seats), deal, options.characters)
        await game._begin()
        return game

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the game, its deal, TextArena's version, and what stands around the worker."""
        return {"game": self._deal[0], "deal": self._deal[1], "textarena": VERSION, "worker": self._walls}

    def turn(self) -> str | None:
        """Return whose turn it is in the game."""
        return self._turn

    def finished(self) -> bool:
        """Return whether the game is over."""
        return self._done

    async def news(self, role: str) -> str | None:
        """Return what the game told the seat since it last heard or played."""
        told = self._told.get(role, [])
        new, self._heard[role] = told[self._heard.get(role, 0) :], len(told)
        return self._cut("\n\n".join(new)) if new else None

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Make a move or look. Raises `EnvironmentFault` when the game breaks."""
        if self._closed:
            raise EnvironmentFault("the game is closed")
        if role not in self._seats:
            return Observation(f"There is no seat '{role}' at this game.", error=True)
        if tool == LOOK.name:
            return Observation(
                self._cut("\n\n".join(self._told.get(role, []))) or "The game has not told you anything."
            )
        if tool != PLAY.name:
            return Observation(f"There is no tool '{tool}'; there are play and look.", error=True)
        if self._done:
            return Observation("The game is over.", error=True)
        if role != self._turn:
            return Observation(f"It is not your turn; it is {self._turn}'s.", error=True)
        await self._play(str(arguments.get("text", "")))
        told = await self.news(role)
        ending = "The game is over." if self._done else "" if role == self._turn else f"Now it is {self._turn}'s turn."
        text = "\n\n".join(part for part in (told, ending) if part) or "Played."
        return Observation(text, error=self._invalid, data={"over": self._done, "invalid": self._invalid})

    async def snapshot(self) -> bytes:
        """Return the moves so far: with the deal they are the game."""
        return json.dumps({"moves": self._moves, "heard": self._heard}, sort_keys=True).encode()

    async def restore(self, snapshot: bytes) -> None:
        """Play the moves of a snapshot again, from the same deal."""
        kept = json.loads(snapshot)
        await self._worker.ask("drop", trial=self._trial)
        self._done, self._moves, self._told, self._heard = False, [], {}, {}
        await self._begin()
        for move in kept["moves"]:
            await self._play(move)
        self._heard = dict(kept["heard"])

    async def final_state(self) -> FinalState:
        """Return the deal, the moves, what was told, and TextArena's rewards."""
        ended = cast(dict[str, Any], await self._worker.ask("end", trial=self._trial))
        rewards = ended["rewards"] or {}
        data = {
            "game": self._deal[0], "deal": self._deal[1], "finished": self._done, "moves": self._moves,
            "reason": ended["reason"],
            "rewards": {seat: rewards.get(str(number), 0.0) for number, seat in enumerate(self._seats)},
            "told": self._told,
        }  # fmt: skip
        return FinalState(self.kind, json.dumps(data, sort_keys=True).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> TextArenaReader:
        """Open a recorded game for checks; needs no worker."""
        return TextArenaReader(json.loads(state.data))

    async def close(self) -> None:
        """Forget the game; may be called twice."""
        self._closed = True
        if self._trial and self._worker.alive:
            trial, self._trial = self._trial, ""
            await self._worker.ask("drop", trial=trial)

    async def _begin(self) -> None:
        self._trial = str(next(_numbers))
        name, seed = self._deal
        self._take(
            await self._worker.ask("start", trial=self._trial, game=name, players=len(self._seats), seed=seed)
        )  # fmt: skip

    async def _play(self, text: str) -> None:
        self._moves.append(text)
        self._take(await self._worker.ask("play", trial=self._trial, move=text))

    def _take(self, given: JsonValue) -> None:
        news = cast(dict[str, Any], given)
        self._turn = None if news["turn"] is None else self._seats[news["turn"]]
        self._done = news["done"]
        self._invalid = False
        for player, sender, text, kind in news["told"]:
            who = "[GAME]" if sender == -1 else f"[{self._seats[sender]}]"
            self._told.setdefault(self._seats[player], []).append(f"{who} {text.strip()}")
            self._invalid = self._invalid or kind == "GAME_ADMIN"

    def _cut(self, text: str) -> str:
        if len(text) <= self._characters:
            return text
        return f"[{len(text) - self._characters} characters left out]\n{text[-self._characters :]}"


class TextArenaReader(StateReader):
    """A game that was played."""

    def __init__(self, data: dict[str, JsonValue]) -> None:
        self._data = data

    async def as_data(self) -> dict[str, JsonValue]:
        """Return `game`, `deal`, `finished`, `moves`, `reason`, `rewards` by role, and `told` by role."""
        return self._data

    async def reward(self, name: str, answer: str | None) -> float:
        """Return a role's reward, 0 while the game is not over; or `finished`, 0 or 1."""
        rewards = cast(dict[str, float], self._data["rewards"])
        if name == "finished":
            return float(bool(self._data["finished"]))
        if name not in rewards:
            raise LookupError(f"no reward '{name}'; there are {', '.join(rewards)}, finished")
        return rewards[name]


def _task(options: TextArenaOptions, deal: dict[str, Any]) -> dict[str, Any]:
    game, seed, moves, first = deal["game"], deal["seed"], deal["moves"], options.seats[0]
    return {
        "id": f"{game}-{seed}",
        "family": game,
        "brief": f"Play {game}. What the game tells you comes with `look`; make each move with `play`, until the game "
        "is over.",
        "setup": {"game": game, "seed": seed},
        "solution": [
            {"tool": "play", "role": options.seats[player], "arguments": {"text": move}} for player, move in moves
        ],
        "checks": [{"kind": "reward", "name": f"reward of {first}", "of": first}],
    }
