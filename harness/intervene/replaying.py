"""Takes recorded trials through their scaffold again, asking nobody, and says what comes out different.

The recorded replies go back through the same scaffold and a fresh environment of the same seed. What tools answer, what
roles hear, what each call is asked with, and where the scaffold goes are held against the record (`drift_before`); of
a whole trial also how it ends: its state, its answer, the world it leaves, and its score. Nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from pydantic import JsonValue

from harness.environments import EnvironmentFault, FinalState, Opening, Services, load_kind
from harness.errors import UserError
from harness.intervene.drift import drift_before, drift_of_ending
from harness.intervene.moments import answered_calls, moment, replies_behind, unanswered_calls
from harness.intervene.origin import Origin
from harness.intervene.surfaces import surfaced_world
from harness.intervene.way import Way
from harness.models import ModelReply, ModelRequest, ModelSetupError
from harness.record import CallEvent, Drift, ToolEvent, TrialDocument, TrialRecord, TrialRow
from harness.run import Cell, PlannedTrial
from harness.run.trial import run_trial, scratch_folder
from harness.scaffolds import CompiledScaffold, compile_scaffold
from harness.scoring import grade_record
from harness.scoring.same_state import SHOWN, differences

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

    @staticmethod
    def failed(row: TrialRow, why: str) -> Replayed:
        """One that could not be replayed."""
        return Replayed(row.trial, row.scenario, row.task, row.scaffold, row.model, 0, row.turns, [], error=why)

    @property
    def same(self) -> bool:
        """Whether everything came out as recorded."""
        return not self.drift and self.error is None


class Ended(TypedDict):
    """What `drift_of_ending` is told."""

    state: str | None
    score: float | None


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
        reason = "it was replayed in part" if there.at < calls else _not_again(row)
        again = await self._run(cell, row, recorded, there.at, reason)
        if again.row.fault == "environment" and not again.document.events:
            return replace(told, error=f"the environment: {again.row.error}")
        if reason is None:
            found = drift_before(recorded.document, again.document, None)
            found += drift_of_ending(recorded, again, **await self._ended(cell, row, recorded, again))
        else:
            until = there.step if there.at < calls else _first_unanswered(recorded.document)
            found = drift_before(recorded.document, again.document, until, beyond=True)
        return replace(told, drift=_with_reason(found, again.row), not_compared=reason)

    async def _run(self, cell: Cell, row: TrialRow, recorded: TrialRecord, at: int, reason: str | None) -> TrialRecord:
        """The trial again up to `at` calls; where its ending is not compared (`reason`), no further than the record."""
        scaffold, document = cell.scaffold, recorded.document
        if scaffold.digest not in self._compiled:
            self._compiled[scaffold.digest] = compile_scaffold(scaffold.flat, scaffold.path.parent)
        endless = replace(
            cell, limits=cell.limits.model_copy(update={"seconds": None}), seed=row.seed, chance=row.seed, lineage=None
        )
        way = Way(
            replies_behind(document, at), strict=True,
            unanswered=unanswered_calls(document) if reason is None else (),
            deeds=None if reason is None else _deeds(document),
        )  # fmt: skip
        surface = surfaced_world(cell.lineage)
        run = await run_trial(
            PlannedTrial(endless, row.repeat, row.attempt),
            self._compiled[scaffold.digest],
            {role: way.model(Nobody(row.models.get(role, role))) for role in cell.models},
            self._origin.sweep.spec.parameters,
            self._services,
            lambda world: way.environment(surface(world)),
        )
        if run.record.row.state == "cancelled":  # a trial takes that in: it has its record to write
            raise asyncio.CancelledError
        return run.record

    async def _ended(self, cell: Cell, row: TrialRow, recorded: TrialRecord, again: TrialRecord) -> Ended:
        """How the replayed trial ended where that takes a look: its world beside the recorded one, and its score."""
        score: float | None = None
        if row.score is not None:
            score = row.score if row.graded_with not in (None, row.scenario_hash) else await self._score(cell, again)
        return {"state": await self._state_differs(cell, row, recorded, again), "score": score}

    async def _score(self, cell: Cell, again: TrialRecord) -> float | None:
        async with scratch_folder() as scratch:
            try:
                return (await grade_record(cell.scenario, again, scratch, self._services)).score
            except Exception:  # noqa: BLE001 - a grader that fails gives no score, as when the trial was recorded
                return None

    async def _state_differs(
        self, cell: Cell, row: TrialRow, recorded: TrialRecord, again: TrialRecord
    ) -> str | None:  # fmt: skip
        """How the worlds left differ; None where they hold the same, though their bytes may differ.

        Files of some environments carry the time of day; what a reader makes of them does not.
        """
        if recorded.final_state == again.final_state:
            return None
        if recorded.final_state is None or again.final_state is None:
            return "none" if again.final_state is None else f"{len(again.final_state)} bytes"
        old, new = [await self._read(cell, row, record) for record in (recorded, again)]
        if old == new:
            return None
        return "; ".join(list(differences(old, new, False))[:SHOWN]) or "other content"

    async def _read(self, cell: Cell, row: TrialRow, record: TrialRecord) -> dict[str, JsonValue]:
        """A final state as plain data, nothing left out. Raises `EnvironmentFault`."""
        kind = load_kind(cell.scenario.spec.environment.kind)
        state = FinalState(kind.kind, record.final_state or b"", record.final_state_truncated)
        async with scratch_folder() as scratch:
            reader = await kind.read_state(
                state, Opening.of_task(cell.scenario, cell.task, row.seed, scratch, self._services)
            )
            try:
                in_full = getattr(reader, "in_full", reader.as_data)  # a kind of one's own need not have it
                return {**await reader.as_data(), **await in_full()}
            finally:
                await reader.close()


async def replay_all(
    origin: Origin,
    rows: Sequence[TrialRow],
    *,
    to: int | None = None,
    at_once: int = 4,
    on_each: Callable[[Replayed], None] = lambda found: None,
    keep: bool = True,
) -> list[Replayed]:
    """Replay these trials, telling of each as it is done; the results are in the order of the rows, none if not kept.

    With `to`, of each trial only so many calls (all of it where it has fewer).
    """
    kept: dict[int, Replayed] = {}
    todo = iter(enumerate(rows))
    async with Services() as services:
        replaying = Replaying(origin, services)

        async def work() -> None:
            for place, row in todo:
                try:
                    found = await replaying.replay(row, None if to is None else min(to, row.turns))
                except EnvironmentFault as fault:
                    found = Replayed.failed(row, f"its final state cannot be read: {fault}")
                on_each(found)
                if keep:
                    kept[place] = found

        workers = [asyncio.create_task(work()) for _ in range(min(at_once, len(rows)))]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            raise
    return [kept[place] for place in sorted(kept)]


def _not_again(row: TrialRow) -> str | None:
    """Why the ending of a trial cannot be had again from its replies."""
    if row.state == "cancelled":
        return "it was cancelled"
    if row.limit in NOT_AGAIN:
        return NOT_AGAIN[row.limit]
    return OTHERS.get(row.fault or "")


def _first_unanswered(document: TrialDocument) -> int | None:
    """Step of the first call without a reply: what ran beside it may have come to its end or not."""
    return min((e.step for e in document.events if isinstance(e, CallEvent) and e.reply is None), default=None)


def _deeds(document: TrialDocument) -> int:
    """Calls of tools that the world carried out to their end."""
    return sum(
        isinstance(event, ToolEvent)
        and event.action.kind in ("tool", "say")
        and event.data.get("out_of_time") is not True
        for event in document.events
    )


def _with_reason(found: list[Drift], row: TrialRow) -> list[Drift]:
    """What did not come at all, with the failure that kept it from coming."""
    return [
        drift.model_copy(update={"replayed": f"the trial ended: {row.error}"})
        if drift.what == "path" and drift.replayed is None and row.error
        else drift
        for drift in found
    ]
