"""One small world to hold to the promises: how it is opened, and a few things to do in it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, JsonValue

from harness.environments import SUBMIT, Environment, FinalState, Observation, Opening, Services, load_kind
from harness.spec import trial_seed
from harness.spec.resolved import LoadedScenario


@dataclass(frozen=True)
class Deed:
    """One call of a tool."""

    role: str
    tool: str
    arguments: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A world of one kind, and what is done in it: reading and changing; what fails is part of it."""

    name: str
    kind: str
    options: BaseModel
    setup: BaseModel
    roles: Sequence[str]
    deeds: Sequence[Deed]
    seed: int = 7
    unsafe: bool = False

    @property
    def environment(self) -> type[Environment]:
        """The class of the kind."""
        return load_kind(self.kind)


def case_of_task(scenario: LoadedScenario, task: str) -> Case:
    """A task of a scenario with its gold solution as the deeds; `submit` is the scaffold's and not among them."""
    spec = scenario.spec
    roles = tuple(spec.roles)
    deeds = [
        Deed(step.role or roles[0], step.tool, dict(step.arguments))
        for step in scenario.task(task).solution
        if step.tool != SUBMIT.name
    ]
    seed = trial_seed(spec.name, task, 1)
    kind = spec.environment.kind
    return Case(f"{spec.name}/{task}", kind, scenario.options, scenario.setups[task], roles, deeds, seed, spec.unsafe)


@dataclass(frozen=True)
class Heard:
    """What one deed showed: the news the role was told before it, and the observation."""

    news: str | None
    seen: Observation


class Bench:
    """Opens worlds of a case, each in an empty folder of its own."""

    def __init__(self, case: Case, folder: Path, services: Services) -> None:
        """`folder` exists and is empty."""
        self.case, self.folder, self.services = case, folder, services
        self._numbers = itertools.count(1)

    def opening(self) -> Opening:
        """How the next world is opened."""
        case = self.case
        scratch = self.folder / f"world-{next(self._numbers)}"
        scratch.mkdir()
        return Opening(case.options, case.setup, tuple(case.roles), case.seed, scratch, case.unsafe, self.services)

    @asynccontextmanager
    async def world(self) -> AsyncIterator[Environment]:
        """A world, closed at the end whatever happens."""
        world = await self.open()
        try:
            yield world
        finally:
            await world.close()

    async def open(self) -> Environment:
        """A world that the caller closes."""
        return await self.case.environment.open(self.opening())

    async def act(self, world: Environment, deeds: Sequence[Deed] | None = None) -> list[Heard]:
        """Do the deeds as a scaffold would: hear, act, and stop when the world has come to its end."""
        heard = []
        for deed in self.case.deeds if deeds is None else deeds:
            if world.finished():
                break
            news = await world.news(deed.role)
            heard.append(Heard(news, await world.call(deed.role, deed.tool, dict(deed.arguments))))
        return heard

    async def data(self, state: FinalState) -> dict[str, JsonValue]:
        """A final state as plain data, nothing left out that might be where a promise is broken."""
        reader = await self.case.environment.read_state(state, self.opening())
        try:
            in_full = getattr(reader, "in_full", reader.as_data)  # a reader of one's own need not have it
            data: dict[str, JsonValue] = {**await reader.as_data(), **await in_full()}
            return data
        finally:
            await reader.close()

    async def left(self, world: Environment) -> dict[str, JsonValue]:
        """The world as it stands, as plain data; it is over after that."""
        return await self.data(await world.final_state())

    async def untouched(self) -> dict[str, JsonValue]:
        """What a world in which nothing is done comes to."""
        async with self.world() as world:
            return await self.left(world)
