"""The world of a trial on its way back: told of by a rehearsal, acted out again, or put where a snapshot has it."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, JsonValue

from harness.environments import Environment, EnvironmentFault, FinalState, Observation, Opening, StateReader, Tool
from harness.intervene.way.rehearsal import Rehearsal, Standing

if TYPE_CHECKING:
    from harness.intervene.way.way import Way


class WorldOnTheWay(Environment):
    """An opened environment on its way back to a moment."""

    kind: ClassVar[str] = "on the way"
    Options: ClassVar[type[BaseModel]] = BaseModel
    Setup: ClassVar[type[BaseModel]] = BaseModel

    def __init__(self, environment: Environment, way: Way) -> None:
        self._environment = environment
        self._way = way
        self._told: Rehearsal | None = way.known
        """What is followed, until the world is where it leads; None where this is the rehearsal."""
        self._place = 0
        """How much of it was told."""
        self._done = 0
        """How much of that the world was really asked."""
        self._deeds = 0
        self._leaving = asyncio.Lock()
        """Lanes may come to the end of what was told at once."""
        self._made = Rehearsal()
        if way.rehearsing:
            self._made.standing.append(self._standing())

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Nobody asks an open environment."""
        return []

    @classmethod
    async def open(cls, opening: Opening) -> Environment:
        """Never: it is put around one that is open."""
        raise NotImplementedError("a world on its way back is put around an open one")

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> StateReader:
        """Never: final states are those of the environment itself."""
        raise NotImplementedError("final states are read by the environment itself")

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Of the environment."""
        return self._environment.facts

    def turn(self) -> str | None:
        """As on the way; else the environment's."""
        standing = self._told_standing()
        return self._environment.turn() if standing is None else standing.turn

    def finished(self) -> bool:
        """As on the way; else the environment's."""
        standing = self._told_standing()
        return self._environment.finished() if standing is None else standing.finished

    async def news(self, role: str) -> str | None:
        """As on the way; else the environment's."""
        found: str | None = await self._ask(("news", role), lambda: self._environment.news(role))
        return found

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """As on the way; else the environment's. Raises `EnvironmentFault` beyond what a strict way is to carry out."""
        self._deeds += 1
        if self._way.deeds is not None and self._deeds > self._way.deeds:
            raise EnvironmentFault("nothing is recorded of this call")
        asked = ("call", role, tool, copy.deepcopy(arguments))
        found: Observation = await self._ask(asked, lambda: self._environment.call(role, tool, arguments))
        return found

    async def snapshot(self) -> bytes | None:
        """Of the environment."""
        return await self._environment.snapshot()

    async def restore(self, snapshot: bytes) -> None:
        """Of the environment."""
        await self._environment.restore(snapshot)

    async def final_state(self) -> FinalState:
        """Of the environment; a way that was only told is acted out first."""
        await self._catch_up()
        return await self._environment.final_state()

    async def close(self) -> None:
        """Of the environment."""
        await self._environment.close()

    async def arrive(self) -> Rehearsal | None:
        """Bring the world to the moment; returns the rehearsal where one was to be made."""
        if self._told is not None:
            await self._catch_up()
            return None
        if not self._way.rehearsing:
            return None
        try:
            self._made.snapshot = await self._environment.snapshot()
        except Exception:  # noqa: BLE001 - it would only have saved time: siblings act the way out, and this goes on
            self._made.snapshot = None
        return self._made

    def _standing(self) -> Standing | Exception:
        """What the world says of itself, or how it fails to."""
        try:
            return Standing(self._environment.turn(), self._environment.finished())
        except Exception as error:  # noqa: BLE001 - raised again where a scaffold asks for it
            return error

    def _told_standing(self) -> Standing | None:
        """What was said at this place of a rehearsal; None where the world itself is there."""
        if self._told is None:
            return None
        known = self._told.standing[self._place]
        if isinstance(known, Exception):
            raise known
        return known

    async def _ask(self, asked: tuple[Any, ...], ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - of several kinds
        if self._told is not None:
            known = self._told.heard[self._place] if self._place < len(self._told.heard) else None
            if known is not None and known[0] == asked:
                self._place += 1
                return copy.deepcopy(known[1])
            async with self._leaving:
                await self._act_out()  # another way than the one rehearsed
        found = await ask()
        if self._way.rehearsing:
            self._made.heard.append((asked, copy.deepcopy(found)))
            self._made.standing.append(self._standing())
        return found

    async def _catch_up(self) -> None:
        """Put the world where the rehearsal's end was, or act out what was only told."""
        async with self._leaving:
            told = self._told
            if told is None:
                return
            if told.snapshot is not None and self._place == len(told.heard):
                try:
                    await self._environment.restore(told.snapshot)
                except Exception:
                    self._way.lost()
                    raise
                self._told = None
            else:
                await self._act_out()

    async def _act_out(self) -> None:
        """Do in the world what so far was only told, once, and follow the rehearsal no further.

        Raises `EnvironmentFault` where the world then says something else than was told: the trial has acted on it.
        """
        told = self._told
        if told is None:
            return
        while self._done < self._place:
            asked, said = told.heard[self._done]
            found = await self._again(asked)
            self._done += 1
            if _told(found) != _told(said):
                self._way.lost()
                what = (json.dumps(_told(each), ensure_ascii=False)[:200] for each in (said, found))
                raise EnvironmentFault(f"drift while the way was acted out again: {' became '.join(what)}")
        self._told = None

    async def _again(self, asked: tuple[Any, ...]) -> Observation | str | None:
        if asked[0] == "news":
            return await self._environment.news(asked[1])
        _, role, tool, arguments = asked
        return await self._environment.call(role, tool, copy.deepcopy(arguments))


def _told(said: Observation | str | None) -> list[JsonValue]:
    """What a scaffold takes from it."""
    return [said.text, said.error] if isinstance(said, Observation) else [said]
