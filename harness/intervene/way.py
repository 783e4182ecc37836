"""The way back to a moment: recorded replies through the same scaffold, and a world that goes along.

`Way` holds what the models and the environment of one trial have in common: until the first call that has no recorded
reply, the trial is on its way back; from then on it is its own. Siblings that set out from one moment may share a
`Rehearsal`: the first writes down what the world said on the way and takes a snapshot at the moment, and the others are
told the same and put their world into that snapshot. Where the world takes no snapshots, each acts the way out again.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from pydantic import BaseModel, JsonValue

from harness.environments import Environment, EnvironmentFault, FinalState, Observation, Opening, StateReader, Tool
from harness.models import CallKey, Model, ModelReply, ModelRequest, ProviderFault
from harness.run.metering import MeteredModel, PaidReply
from harness.scaffolds.faults import boundary

MOST_KEPT = 256 * 2**20
"""Bytes of rehearsals that are kept at one time."""
UNANSWERED_SECONDS = 5.0
"""How long a call that never had a reply waits to be cut off again."""
ASIDE_SECONDS = 0.01
"""How long any other waits for what has a reply."""


@dataclass(frozen=True)
class Standing:
    """What a world says of itself at one place of a way."""

    turn: str | None
    finished: bool


@dataclass
class Rehearsal:
    """What the first trial on a way found there."""

    heard: list[tuple[tuple[Any, ...], Any]] = field(default_factory=list)
    """(what the world was asked to do or to tell, what it said), in order."""
    standing: list[Standing | Exception] = field(default_factory=list)
    """At the beginning, and after each of `heard`."""
    snapshot: bytes | None = None
    """At the moment; None until it is taken, or where the world takes none."""

    @property
    def size(self) -> int:
        """Bytes, about."""
        told = sum(len(found.text) for _, found in self.heard if isinstance(found, Observation))
        return len(self.snapshot or b"") + told + 200 * len(self.heard)


class Rehearsals:
    """The rehearsals of one run, by moment; those used longest ago are let go when all take too much memory."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[str, Rehearsal] = OrderedDict()
        self._size = 0
        self._under_way: dict[str, asyncio.Event] = {}
        self._without: set[str] = set()

    def get(self, moment: str) -> Rehearsal | None:
        """What is known of the way to this moment."""
        if moment in self._kept:
            self._kept.move_to_end(moment)
        return self._kept.get(moment)

    def keep(self, moment: str, rehearsal: Rehearsal) -> None:
        """Keep one that has a snapshot; those who wait for it go on."""
        self.forget(moment)
        if rehearsal.snapshot is None or rehearsal.size > self._most:
            self._without.add(moment)
        else:
            self._kept[moment] = rehearsal
            self._size += rehearsal.size
            while self._size > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._size -= oldest.size
        self._let_go(moment)

    def forget(self, moment: str) -> None:
        """Let go of one that leads nowhere."""
        gone = self._kept.pop(moment, None)
        self._size -= gone.size if gone is not None else 0

    async def begin(self, moment: str) -> tuple[Rehearsal | None, bool]:
        """(rehearsal to follow if there is one, whether this trial is to make it); waits for one that is being made.

        Who is to make it calls `keep` at the moment, and `end` when it is over, whatever came of it.
        """
        while True:
            if (known := self.get(moment)) is not None or moment in self._without:
                return known, False
            if moment not in self._under_way:
                self._under_way[moment] = asyncio.Event()
                return None, True
            await self._under_way[moment].wait()

    def end(self, moment: str) -> None:
        """The trial that was to make the rehearsal is over; if it came to none, another makes it."""
        self._let_go(moment)

    def _let_go(self, moment: str) -> None:
        waited_for = self._under_way.pop(moment, None)
        if waited_for is not None:
            waited_for.set()


class Way:
    """How far a trial is on its way back."""

    def __init__(
        self,
        replies: Mapping[CallKey, PaidReply],
        *,
        known: Rehearsal | None = None,
        rehearse: Callable[[Rehearsal], None] | None = None,
        strict: bool = False,
        unanswered: Collection[CallKey] = (),
        deeds: int | None = None,
        forget: Callable[[], None] | None = None,
    ) -> None:
        """`known` is a rehearsal to follow, which `forget` lets go of where it leads nowhere; `rehearse` takes the one
        made on this way, where siblings will want it, without a snapshot where the world takes none.

        With `strict` there is nothing beyond the recorded replies: any other call is a fault of kind `replay`, but for
        those of `unanswered`, which were under way when the trial ended and wait for that. `deeds` is how many calls of
        tools the world carries out at most; None for all.
        """
        self.replies = replies
        self.known = known
        self.live = not replies
        self.world: WorldOnTheWay | None = None
        self.strict = strict
        self.unanswered = frozenset(unanswered)
        self.deeds = deeds
        self._rehearse = rehearse
        self._forget = forget
        self._arriving = asyncio.Lock()

    @property
    def rehearsing(self) -> bool:
        """Whether siblings will want to know what this way is like."""
        return self._rehearse is not None and not self.live

    def lost(self) -> None:
        """What was followed did not lead to the moment: nobody else is to follow it."""
        if self._forget is not None:
            self._forget()

    def environment(self, environment: Environment) -> Environment:
        """What the scaffold is to act in."""
        if self.live and not self.strict:
            return environment
        self.world = WorldOnTheWay(environment, self)
        return self.world

    def model(
        self, model: Model, translate: Callable[[ModelRequest], tuple[ModelRequest, list[str]]] | None = None
    ) -> Model:
        """What the scaffold is to ask: the record while it has replies, then `model`."""
        return ModelOnTheWay(model, self, translate)

    async def arrive(self) -> None:
        """The first call of the trial's own: the world has to be where the moment left it.

        Other lanes that arrive meanwhile wait. Raises `TrialEnd` where the world cannot be brought there.
        """
        if self.live:
            return
        async with self._arriving:
            if self.live:
                return
            if self.world is not None:
                with boundary("environment", "the way back to the moment"):
                    made = await self.world.arrive()
                if self._rehearse is not None and made is not None:
                    self._rehearse(made)
            self.live = True


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
            await self._no_reply(request.key)
        await self._way.arrive()
        if self._translate is None:
            return await self._model.complete(request)
        if isinstance(self._model, MeteredModel) and (paid := self._model.paid(request)) is not None:
            return paid  # to the thread as the scaffold has it, and as it is recorded
        asked, changes = self._translate(request)
        reply = await self._model.complete(asked)
        return replace(reply, receipt=replace(reply.receipt, translated=changes)) if changes else reply

    async def _no_reply(self, key: CallKey) -> None:
        """The end of a strict way, once everything else that runs beside it has had its turn."""
        await asyncio.sleep(UNANSWERED_SECONDS if key in self._way.unanswered else ASIDE_SECONDS)
        where = f"node {key.node}, role {key.role}, lane {key.lane}, visit {key.visit}"
        raise ProviderFault("replay", f"model '{self.name}': no reply was recorded for {where}", [])

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
        """What is followed, until the world is where it leads; None where this is the rehearsal."""
        self._place = 0
        """How much of it was told."""
        self._done = 0
        """How much of that the world was really asked."""
        self._deeds = 0
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
            await self._act_out()  # another way than the one rehearsed
        found = await ask()
        if self._way.rehearsing:
            self._made.heard.append((asked, copy.deepcopy(found)))
            self._made.standing.append(self._standing())
        return found

    async def _catch_up(self) -> None:
        """Put the world where the rehearsal's end was, or act out what was only told."""
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
        """Do in the world what so far was only told, and follow the rehearsal no further.

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
