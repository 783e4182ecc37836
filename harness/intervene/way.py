"""The way back to a moment: recorded replies through the same scaffold, and a world that goes along.

`Way` holds what the models and the environment of one trial have in common: until the first call that has no recorded
reply, the trial is on its way back; from then on it is its own. Siblings that set out from one moment may share a
`Rehearsal`: the first writes down what the world said on the way and takes a snapshot at the moment, and the others are
told the same and put their world into that snapshot. Where the world takes no snapshots, each acts the way out again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from pydantic import BaseModel, JsonValue

from harness.environments import Environment, FinalState, Observation, Opening, StateReader, Tool
from harness.models import CallKey, Model, ModelReply, ModelRequest, ProviderFault
from harness.run.metering import PaidReply

MOST_KEPT = 256 * 2**20
"""Bytes of snapshots that are kept at one time."""


@dataclass
class Rehearsal:
    """What the first trial on a way found there."""

    heard: list[tuple[tuple[Any, ...], Any]] = field(default_factory=list)
    """(what the world was asked, what it said), in order."""
    snapshot: bytes | None = None
    """At the moment; None until it is taken, or where the world takes none."""


class Rehearsals:
    """The rehearsals of one run, by moment; the oldest are let go when their snapshots take too much memory."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[str, Rehearsal] = OrderedDict()

    def get(self, moment: str) -> Rehearsal | None:
        """What is known of the way to this moment."""
        return self._kept.get(moment)

    def keep(self, moment: str, rehearsal: Rehearsal) -> None:
        """Keep one that has a snapshot."""
        if rehearsal.snapshot is None or len(rehearsal.snapshot) > self._most:
            return
        self._kept[moment] = rehearsal
        while sum(len(kept.snapshot or b"") for kept in self._kept.values()) > self._most:
            self._kept.popitem(last=False)


class Way:
    """How far a trial is on its way back."""

    def __init__(
        self,
        replies: Mapping[CallKey, PaidReply],
        *,
        known: Rehearsal | None = None,
        rehearse: Callable[[Rehearsal], None] | None = None,
        strict: bool = False,
    ) -> None:
        """`known` is a rehearsal to follow, `rehearse` takes the one made on this way, where siblings will want it.

        With `strict` there is nothing beyond the recorded replies: any other call is a fault of kind `replay`.
        """
        self.replies = replies
        self.known = known
        self.live = not replies
        self.world: WorldOnTheWay | None = None
        self.strict = strict
        self._rehearse = rehearse

    def environment(self, environment: Environment) -> Environment:
        """What the scaffold is to act in."""
        if self.live:
            return environment
        self.world = WorldOnTheWay(environment, self)
        return self.world

    def model(
        self, model: Model, translate: Callable[[ModelRequest], tuple[ModelRequest, list[str]]] | None = None
    ) -> Model:
        """What the scaffold is to ask: the record while it has replies, then `model`."""
        return ModelOnTheWay(model, self, translate)

    async def arrive(self) -> None:
        """The first call of the trial's own: the world has to be where the moment left it."""
        if self.live:
            return
        self.live = True
        if self.world is not None:
            made = await self.world.arrive(snapshot=self._rehearse is not None)
            if made is not None and self._rehearse is not None:
                self._rehearse(made)


class ModelOnTheWay:
    """A model with the record before it."""

    def __init__(
        self,
        model: Model,
        way: Way,
        translate: Callable[[ModelRequest], tuple[ModelRequest, list[str]]] | None,
    ) -> None:
        self.name = model.name
        self._model = model
        self._way = way
        self._translate = translate

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The recorded reply, else what the model says to the thread, translated where another model wrote in it.

        Raises `ProviderFault` of kind `replay` for a call without a recorded reply on a strict way.
        """
        recorded = self._way.replies.get(request.key)
        if recorded is not None:
            return replace(recorded.reply, waited=0.0, replayed=True)
        if self._way.strict:
            key = request.key
            where = f"node {key.node}, role {key.role}, lane {key.lane}, visit {key.visit}"
            raise ProviderFault("replay", f"model '{self.name}': no reply was recorded for {where}", [])
        await self._way.arrive()
        if self._translate is None:
            return await self._model.complete(request)
        asked, changes = self._translate(request)
        reply = await self._model.complete(asked)
        return replace(reply, receipt=replace(reply.receipt, translated=changes)) if changes else reply

    async def close(self) -> None:
        """Nothing: the model belongs to the sweep."""


class WorldOnTheWay(Environment):
    """An opened environment on its way back to a moment."""

    kind: ClassVar[str] = "on the way"
    Options: ClassVar[type[BaseModel]] = BaseModel
    Setup: ClassVar[type[BaseModel]] = BaseModel

    def __init__(self, environment: Environment, way: Way) -> None:
        self._environment = environment
        self._way = way
        self._told: Rehearsal | None = way.known
        """What is followed; None where this is the rehearsal."""
        self._place = 0
        self._made = Rehearsal()

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
        found: str | None = self._at_once(("turn",), self._environment.turn)
        return found

    def finished(self) -> bool:
        """As on the way; else the environment's."""
        found: bool = self._at_once(("finished",), self._environment.finished)
        return found

    async def news(self, role: str) -> str | None:
        """As on the way; else the environment's."""
        found: str | None = await self._ask(("news", role), lambda: self._environment.news(role))
        return found

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """As on the way; else the environment's."""
        found: Observation = await self._ask(
            ("call", role, tool, arguments), lambda: self._environment.call(role, tool, arguments)
        )
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

    async def arrive(self, *, snapshot: bool) -> Rehearsal | None:
        """Bring the world to the moment; returns the rehearsal where one was made that siblings can follow."""
        if self._told is not None:
            await self._catch_up()
            return None
        if not snapshot:
            return None
        self._made.snapshot = await self._environment.snapshot()
        return self._made if self._made.snapshot is not None else None

    def _at_once(self, asked: tuple[Any, ...], ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - of several kinds
        """What the world says to what changes nothing."""
        if self._way.live:
            return ask()
        told = self._next(asked)
        if told is not None:
            return told[1]
        if self._told is not None:  # another way than the one rehearsed, and no time to act it out: nothing is known
            return ask()
        found = ask()
        self._made.heard.append((asked, found))
        return found

    async def _ask(self, asked: tuple[Any, ...], ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - as above
        if self._way.live:
            return await ask()
        told = self._next(asked)
        if told is not None:
            return told[1]
        await self._act_out()
        found = await ask()
        self._made.heard.append((asked, found))
        return found

    def _next(self, asked: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any] | None:
        """What was said to this at this place of the rehearsal; None where there is none, or another question."""
        if self._told is None or self._place >= len(self._told.heard):
            return None
        known = self._told.heard[self._place]
        if known[0] != asked:
            return None
        self._place += 1
        return known

    async def _catch_up(self) -> None:
        """Put the world where the rehearsal's end was, or act out what was only told."""
        told, self._told = self._told, None
        if told is None:
            return
        if told.snapshot is not None and self._place == len(told.heard):
            await self._environment.restore(told.snapshot)
            return
        self._told = told
        await self._act_out()

    async def _act_out(self) -> None:
        """Do in the world what so far was only told, and follow the rehearsal no further."""
        told, self._told = self._told, None
        for asked, _ in told.heard[: self._place] if told is not None else ():
            match asked:
                case ("call", role, tool, arguments):
                    await self._environment.call(role, tool, dict(arguments))
                case ("news", role):
                    await self._environment.news(role)
                case _:
                    pass
        if told is not None:
            self._made.heard = list(told.heard[: self._place])
