"""Takes recorded trials through their scaffold again, asking nobody, and says what comes out different.

The recorded replies go back through the same scaffold and a fresh environment of the same seed. What tools answer, what
roles hear, what each call is asked with, and where the scaffold goes are held against the record (`drift_before`); of
a whole trial also how it ends: its state, its answer, and the world it leaves. Nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.environments import FinalState, Opening, Services, load_kind
from harness.errors import UserError
from harness.intervene.drift import drift_before, drift_of_ending
from harness.intervene.moments import answered_calls, moment, replies_behind, unanswered_calls
from harness.intervene.origin import Origin
from harness.intervene.surfaces import surfaced_world
from harness.intervene.way import Way
from harness.models import ModelReply, ModelRequest, ModelSetupError
from harness.record import Drift, TrialRecord, TrialRow
from harness.run import Cell, PlannedTrial
from harness.run.trial import run_trial, scratch_folder
from harness.scaffolds import CompiledScaffold, compile_scaffold
from harness.scoring.same_state import whole_state

NOT_AGAIN = {"seconds": "it ended by its clock", "context": "its last call did not fit the model's context"}
"""Limits that nothing recorded brings about again."""
OTHERS = {
    "provider": "it ended by a failure of the provider",
    "environment": "it ended by a failure of the environment",
    "harness": "it ended by a failure of the harness",
    "grader": "its grader failed",
}
"""Faults likewise."""


@dataclass(frozen=True)
class Replayed:
    """What came of one trial."""

    trial: str
    scenario: str
    task: str
    scaffold: str
    model: str
    calls: int
    """Recorded replies that were given again."""
    of: int
    """Answered calls of the trial."""
    drift: Sequence[Drift]
    """What came out different, the first difference first; empty where nothing did."""
    not_compared: str | None = None
    """Why the way it ended was not compared; None where it was."""
    error: str | None = None
    """Why it could not be replayed at all."""

    @property
    def same(self) -> bool:
        """Whether everything came out as recorded."""
        return not self.drift and self.error is None


class Nobody:
    """Stands where a model would; a strict way never comes to it."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Never asked."""
        raise ModelSetupError(f"model '{self.name}': a replay asks nobody")

    async def close(self) -> None:
        """Nothing is open."""


class Replaying:
    """Replays trials of one record; scaffolds are compiled once."""

    def __init__(self, origin: Origin, services: Services) -> None:
        """What the trials share in `services` is closed by whoever made it."""
        self._origin = origin
        self._services = services
        self._compiled: dict[str, CompiledScaffold] = {}

    async def replay(self, row: TrialRow, to: int | None = None) -> Replayed:
        """Replay a trial, or its first `to` calls.

        Raises `UserError` for a moment that the trial has not.
        """
        recorded = self._origin.record(row.trial)
        calls = len(answered_calls(recorded.document))
        there = moment(row.trial, recorded.document, calls if to is None else to)
        told = Replayed(row.trial, row.scenario, row.task, row.scaffold, row.model, there.at, calls, [])
        line = self._origin.lineage.get(row.cell)
        if line is not None and line.kind == "probe":
            return replace(told, error="a probe asks once and does nothing: there is no way to go again")
        try:
            cell = self._origin.cell(row)
        except UserError as error:
            return replace(told, error=str(error))
        again = await self._run(cell, row, recorded, there.at)
        found = drift_before(recorded.document, again.document, there.step)
        whole = there.at == calls and to is None
        reason = _not_again(row) if whole else "it was replayed in part"
        if reason is None:
            same_world = await self._same_world(cell, row, recorded, again)
            found += drift_of_ending(recorded, again.model_copy(update=same_world))
        elif whole:
            found = [drift for drift in found if drift.step <= _last_step(recorded)]
        return replace(told, drift=found, not_compared=reason)

    async def _run(self, cell: Cell, row: TrialRow, recorded: TrialRecord, at: int) -> TrialRecord:
        scaffold = cell.scaffold
        if scaffold.digest not in self._compiled:
            self._compiled[scaffold.digest] = compile_scaffold(scaffold.flat, scaffold.path.parent)
        endless = replace(
            cell, limits=cell.limits.model_copy(update={"seconds": None}), seed=row.seed, same_chance=True, lineage=None
        )
        document = recorded.document
        way = Way(replies_behind(document, at), strict=True, unanswered=unanswered_calls(document))
        surface = surfaced_world(cell.lineage)
        run = await run_trial(
            PlannedTrial(endless, row.repeat, row.attempt),
            self._compiled[scaffold.digest],
            {role: way.model(Nobody(row.models.get(role, role))) for role in cell.models},
            self._origin.sweep.spec.parameters,
            self._services,
            lambda world: way.environment(surface(world)),
        )
        return run.record

    async def _same_world(
        self, cell: Cell, row: TrialRow, recorded: TrialRecord, again: TrialRecord
    ) -> dict[str, bytes | None]:  # fmt: skip
        """The recorded final state in place of the new one, where both hold the same though their bytes differ.

        Files of some environments carry the time of day; what a reader makes of them does not.
        """
        states = (recorded.final_state, again.final_state)
        if states[0] == states[1] or None in states:
            return {}
        kind = load_kind(cell.scenario.spec.environment.kind)
        found = []
        for data in states:
            async with scratch_folder() as scratch:
                opening = Opening.of_task(cell.scenario, cell.task, row.seed, scratch, self._services)
                reader = await kind.read_state(FinalState(kind.kind, data or b""), opening)
                try:
                    found.append(await whole_state(reader))
                finally:
                    await reader.close()
        return {"final_state": recorded.final_state} if found[0] == found[1] else {}


async def replay_all(
    origin: Origin,
    rows: Sequence[TrialRow],
    *,
    to: int | None = None,
    at_once: int = 4,
    on_each: Callable[[Replayed], None] = lambda found: None,
) -> list[Replayed]:
    """Replay these trials, telling of each as it is done; the results are in the order of the rows.

    With `to`, of each trial only so many calls (all of it where it has fewer). Raises what `Replaying.replay` raises.
    """
    slots = asyncio.Semaphore(at_once)
    async with Services() as services:
        replaying = Replaying(origin, services)

        async def one(row: TrialRow) -> Replayed:
            async with slots:
                found = await replaying.replay(row, None if to is None else min(to, row.turns))
            on_each(found)
            return found

        return list(await asyncio.gather(*(one(row) for row in rows)))


def _not_again(row: TrialRow) -> str | None:
    """Why the ending of a trial cannot be had again from its replies."""
    if row.state == "cancelled":
        return "it was cancelled"
    if row.limit in NOT_AGAIN:
        return NOT_AGAIN[row.limit]
    return OTHERS.get(row.fault or "")


def _last_step(record: TrialRecord) -> int:
    return max((event.step for event in record.document.events), default=0)
