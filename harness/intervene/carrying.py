"""Carries out the trials of an intervention that go on from a recorded moment: fork and relay, and the check of a way.

Every such trial is a whole trial in its record: the way back to the moment, then what the model did from there. The
replies on the way are marked as replayed, and what came out different is kept beside the trial as drift.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from pydantic import JsonValue

from harness.environments import Services
from harness.intervene.drift import drift_on_the_way, marked
from harness.intervene.makers import written_by_others
from harness.intervene.moments import Moment, moment, replies_behind
from harness.intervene.origin import Origin
from harness.intervene.surfaces import surfaced_world
from harness.intervene.way import Rehearsals, Way
from harness.models import CallKey, Model
from harness.run import PlannedTrial, WholeTrials
from harness.run.metering import PaidReply
from harness.run.trial import TrialRun, run_trial
from harness.scaffolds import CompiledScaffold


class Continued(WholeTrials):
    """Trials that set out from moments of recorded ones; those without an origin begin at the beginning."""

    def __init__(self, origin: Origin, *, snapshots: bool = True) -> None:
        """Without `snapshots` every sibling acts the way out again."""
        self._origin = origin
        self._rehearsals = Rehearsals() if snapshots else None

    async def run(
        self,
        trial: PlannedTrial,
        compiled: CompiledScaffold,
        models: Mapping[str, Model],
        parameters: Mapping[str, JsonValue],
        services: Services,
    ) -> TrialRun:
        """Go back to the moment, and on from there."""
        line = trial.cell.lineage
        if line is None or line.origin is None:
            return await run_trial(trial, compiled, models, parameters, services)
        row, recorded = self._origin.recorded(line.origin)
        base = self._origin.cell(row)
        replies = replies_behind(recorded, line.at)
        there = moment(line.origin, recorded, line.at)
        async with self._way(replies, there) as way:
            asked: dict[str, Model] = {}
            for role, model in models.items():
                towards = trial.cell.models[role]
                others = written_by_others(self._origin, row, recorded, line.at, towards)
                asked[role] = way.model(model, None if others is None else others.towards(towards))
            surface = surfaced_world(base.lineage)
            run = await run_trial(
                trial, compiled, asked, parameters, services, lambda world: way.environment(surface(world))
            )
        found = drift_on_the_way(recorded, run.record, there)
        document = marked(run.record.document, found)
        return replace(run, record=run.record.model_copy(update={"drift": found, "document": document}))

    @asynccontextmanager
    async def _way(self, replies: Mapping[CallKey, PaidReply], there: Moment) -> AsyncIterator[Way]:
        """The way to a moment: the first of its trials rehearses it, the others wait for that and follow."""
        rehearsals = self._rehearsals
        if rehearsals is None or there.following is None or not replies:
            yield Way(replies)
            return
        known, first = await rehearsals.begin(there.name)
        if not first:
            yield Way(replies, known=known, forget=lambda: rehearsals.forget(there.name))
            return
        way = Way(replies, rehearse=lambda made: rehearsals.keep(there.name, made))
        try:
            yield way
        finally:
            rehearsals.end(there.name)
