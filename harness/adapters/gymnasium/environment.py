"""The kind `gymnasium`: one episode of a Gymnasium environment, its frames as text and its actions by name.

    environment: {kind: gymnasium, id: FrozenLake-v1, settings: {is_slippery: false}}
    roles: {walker: {brief: You cross a lake.}}
    own_tasks: {}

Tools: `look` (the rules and the scene) and `act` (one action). The environments of Gymnasium that draw themselves as
text are told by their drawing; another with numbered actions is told by its observation as Python prints it. The
outcome is Gymnasium's own return; `share` is the part of the best return from this deal that was reached.
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
from harness.spec.base import Spec

_KIND = "gymnasium"
_SCRIPT = Path(__file__).with_name("script.py")
VERSION = "1.4.0"
PACKAGES = Packages(pip=(f"gymnasium=={VERSION}",))

_numbers = itertools.count(1)


class GymnasiumOptions(Spec):
    """The `environment` block of a scenario."""

    id: str
    """As it is registered: `FrozenLake-v1`, `FrozenLake8x8-v1`, `Taxi-v4`, `CliffWalking-v1`, `Blackjack-v1`, ..."""
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """What `gymnasium.make` is given, such as `is_slippery: false`."""
    deals: int = Field(5, ge=1, le=1000)
    """Tasks: the first seeds whose episode can be brought to a good end."""
    characters: int = Field(4000, ge=500, le=100_000)
    """Length of one observation."""


class GymnasiumSetup(Spec):
    """The `setup` block of a task."""

    seed: int | None = Field(None, ge=0)
    """Of the episode; the seed of the trial when left out."""
    best: float | None = None
    """The best return from this seed, which `share` is a part of."""


LOOK = Tool(
    "look",
    "See the rules and the scene as it is.",
    {"type": "object", "properties": {}, "additionalProperties": False},
    changes_state=False,
)


class Gymnasium(Environment):
    """One episode."""

    kind: ClassVar[str] = _KIND
    Options: ClassVar[type[BaseModel]] = GymnasiumOptions
    Setup: ClassVar[type[BaseModel]] = GymnasiumSetup

    def __init__(self, worker: Worker, walls: str, opening: Opening) -> None:
        """`_begin` starts the episode."""
        self._options = cast(GymnasiumOptions, opening.options)
        setup = cast(GymnasiumSetup, opening.setup)
        self._seed = opening.seed if setup.seed is None else setup.seed
        self._best = setup.best
        self._worker, self._walls, self._roles = worker, walls, tuple(opening.roles)
        self._trial = ""
        self._scene: dict[str, Any] = {}
        self._actions: list[str] = []
        self._closed = False

    @classmethod
    def packages(cls, options: BaseModel) -> Packages:
        """What `harness install gymnasium` installs."""
        return PACKAGES

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return `look`, and `act` with the names of this environment's actions. Raises `NotInstalledError`."""
        given = cast(GymnasiumOptions, options)
        named = known(_KIND, PACKAGES, _SCRIPT, "actions", id=given.id, settings=dict(given.settings))
        act = Tool(
            "act",
            "Do one thing and see what comes of it.",
            {
                "type": "object",
                "properties": {"action": {"type": "string", "enum": named}},
                "required": ["action"],
                "additionalProperties": False,
            },
            changes_state=True,
        )
        return [LOOK, act]

    @classmethod
    def own_tasks(cls, options: BaseModel) -> list[dict[str, Any]]:
        """Deals with the best way through each. Raises `NotInstalledError`."""
        given = cast(GymnasiumOptions, options)
        listed = known(
            _KIND, PACKAGES, _SCRIPT, "deals", id=given.id, settings=dict(given.settings), wanted=given.deals
        )  # fmt: skip
        return [_task(given.id, deal) for deal in cast(list[dict[str, Any]], listed)]

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Begin an episode. Raises `EnvironmentFault`."""
        started = program_of(_KIND, PACKAGES, _SCRIPT)
        episode = cls(await worker_of(opening.services, started), started.walls, opening)
        await episode._begin()
        return episode

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the environment's id, the seed, Gymnasium's version, and what stands around the worker."""
        return {"id": self._options.id, "seed": self._seed, "gymnasium": VERSION, "worker": self._walls}

    def finished(self) -> bool:
        """Return whether the episode is over."""
        return bool(self._scene["over"])

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Look or act. Raises `EnvironmentFault` when the environment breaks."""
        if self._closed:
            raise EnvironmentFault("the episode is closed")
        if role not in self._roles:
            return Observation(f"There is no role '{role}' here.", error=True)
        if tool == LOOK.name:
            return Observation(self._cut(f"{self._scene['rules']}\n{self._scene['text']}".strip()))
        if tool != "act":
            return Observation(f"There is no tool '{tool}'; there are look and act.", error=True)
        action = str(arguments.get("action"))
        if action not in self._scene["actions"]:
            return Observation(f"'{action}' is none of {', '.join(self._scene['actions'])}.", error=True)
        if self.finished():
            return Observation("The episode is over.", error=True)
        await self._act(action)
        ending = {"ended": "\nThe episode has ended.", "cut": "\nThe episode was cut off at its longest.", "": ""}
        return Observation(self._cut(self._scene["text"] + ending[self._scene["over"]]))

    async def snapshot(self) -> bytes:
        """Return the actions so far: with the seed they are the episode."""
        return json.dumps(self._actions).encode()

    async def restore(self, snapshot: bytes) -> None:
        """Act out a snapshot from the same seed."""
        await self._worker.ask("drop", trial=self._trial)
        self._actions = []
        await self._begin()
        for action in json.loads(snapshot):
            await self._act(action)

    async def final_state(self) -> FinalState:
        """Return the seed, the actions, and Gymnasium's return."""
        ended = cast(dict[str, Any], await self._worker.ask("end", trial=self._trial))
        data = {
            "id": self._options.id, "seed": self._seed, "actions": self._actions, "steps": ended["steps"],
            "over": ended["over"], "return": ended["return"], "best": self._best,
        }  # fmt: skip
        return FinalState(self.kind, json.dumps(data).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> GymnasiumReader:
        """Open a recorded episode for checks; needs no worker."""
        return GymnasiumReader(json.loads(state.data))

    async def close(self) -> None:
        """Forget the episode; may be called twice."""
        self._closed = True
        if self._trial and self._worker.alive:
            trial, self._trial = self._trial, ""
            await self._worker.ask("drop", trial=trial)

    async def _begin(self) -> None:
        self._trial = str(next(_numbers))
        options = self._options
        self._scene = cast(dict[str, Any], await self._worker.ask(
            "start", trial=self._trial, id=options.id, settings=dict(options.settings), seed=self._seed
        ))  # fmt: skip

    async def _act(self, action: str) -> None:
        self._actions.append(action)
        self._scene = cast(dict[str, Any], await self._worker.ask("act", trial=self._trial, action=action))

    def _cut(self, text: str) -> str:
        left_out = len(text) - self._options.characters
        return text if left_out <= 0 else f"{text[: self._options.characters]}\n[{left_out} characters left out]"


class GymnasiumReader(StateReader):
    """An episode that was played."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    async def as_data(self) -> dict[str, JsonValue]:
        """Return `id`, `seed`, `actions`, `steps`, `over` (`ended`, `cut` or empty), `return`, `best`."""
        return self._data

    async def reward(self, name: str, answer: str | None) -> float:
        """Return `return`, Gymnasium's own; `ended`, 0 or 1; or `share`.

        `share` is 0 unless the episode has ended; then 1 at the best return, less in proportion below it, and 0 where
        the return falls short by as much as the best one is worth (at least by 1).
        """
        data = self._data
        if name == "return":
            return float(data["return"])
        if name == "ended":
            return float(data["over"] == "ended")
        if name != "share":
            raise LookupError(f"no reward '{name}'; there are return, ended, share")
        if data["best"] is None:
            raise LookupError("`share` needs the best return in the task's setup, as own tasks have it")
        short = (data["best"] - data["return"]) / max(1.0, abs(data["best"]))
        return max(0.0, 1.0 - short) if data["over"] == "ended" else 0.0


def _task(name: str, deal: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{name}-{deal['seed']}",
        "family": name,
        "brief": "Look around first. Then act, one action at a time, until the episode has ended; gather as great a "
        "return as you can.",
        "setup": {"seed": deal["seed"], "best": deal["best"]},
        "solution": [{"tool": "look"}, *({"tool": "act", "arguments": {"action": act}} for act in deal["actions"])],
        "checks": [{"kind": "reward", "name": "share of the best return", "of": "share"}],
    }
