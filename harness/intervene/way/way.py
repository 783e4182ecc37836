"""How far a trial is on its way back, and its models: the record while it has replies, then whoever goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from harness.environments import Environment
from harness.intervene.way.rehearsal import Rehearsal
from harness.intervene.way.world import WorldOnTheWay
from harness.models import CallKey, Model, ModelReply, ModelRequest, ProviderFault
from harness.run.metering import MeteredModel, PaidReply
from harness.scaffolds.faults import boundary

UNANSWERED_SECONDS = 5.0
"""How long a call that never had a reply waits to be cut off again."""
ASIDE_SECONDS = 0.01
"""How long any other waits for what has a reply."""


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
