"""Runs what a plan has to do: many trials at once, in an order that keeps models comparable.

Hosted models are interleaved, so that the time of day falls on all alike. Local models share one machine;
their trials go one model after another beside the hosted ones, so that none slows another down.
A trial that failed on the provider's or the environment's account is begun again at the end of its track,
as often as the sweep says; every attempt stays in the record. After `GIVE_UP_AFTER` trials of one model in a row
have failed at the provider, the model's remaining trials are left for a later run.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace

from harness.environments import Services, allow_open_files
from harness.models import Accounts, CallKey, Model, build_model, is_local
from harness.record import Store, TrialRow
from harness.run.conduct import Conduct, WholeTrials
from harness.run.events import (
    Called,
    Ended,
    Graded,
    Listener,
    Noted,
    Started,
    SweepOutcome,
    TrialEnded,
    TrialStarted,
)
from harness.run.grading import grade_trial
from harness.run.metering import Meter, MeteredModel, PaidReply, paid_replies
from harness.run.plan import Plan, PlannedTrial, trial_name
from harness.run.trial import TrialRun
from harness.scaffolds import CompiledScaffold, compile_scaffold

GIVE_UP_AFTER = 5
LASTING = frozenset({"auth", "quota", "not_found", "bad_request", "setup"})
"""Kinds of provider failures that another attempt in the same run would only meet again."""


class SweepRun:
    """One run of a plan; `interrupt` may be called at any time from the same event loop."""

    def __init__(self, plan: Plan, store: Store, listener: Listener, conduct: Conduct | None = None) -> None:
        self._plan = plan
        self._spec = plan.sweep.spec
        self._store = store
        self._tell = listener
        self._conduct: Conduct = conduct or WholeTrials()
        self._meter = Meter(on_call=lambda model, reply: listener(Called(model, reply)))
        self._slots = asyncio.Semaphore(self._spec.concurrency)
        self._running: set[asyncio.Task[None]] = set()
        self._in_a_row: Counter[str] = Counter()
        self._given_up: set[str] = set()
        self._tries: Counter[tuple[str, int]] = Counter()
        self._models: dict[str, Model] = {}
        self._compiled: dict[str, CompiledScaffold] = {}
        self._outcome = SweepOutcome(asked=plan.asked)
        self._services = Services()

    def interrupt(self) -> None:
        """Stop at once: running trials are cancelled and recorded as far as they got."""
        self._outcome.stopped = "interrupted"
        for task in self._running:
            task.cancel()

    async def run(self) -> SweepOutcome:
        """Run everything there is to do."""
        began = time.monotonic()
        self._tell(Started(self._plan))
        timer = self._start_timer()
        try:
            self._prepare()
            await self._open_once()
            await self._grade_again()
            await self._run_tracks()
        except BaseException:
            self._tell(Ended(self._outcome))  # a live display lets go of the terminal before the error is printed
            raise
        finally:
            if timer is not None:
                timer.cancel()
            closing = (self._services.close(), *(model.close() for model in self._models.values()))
            await asyncio.gather(*closing, return_exceptions=True)
        self._finish(time.monotonic() - began)
        return self._outcome

    def _start_timer(self) -> asyncio.TimerHandle | None:
        seconds = self._spec.budget.seconds
        if seconds is None:
            return None
        return asyncio.get_running_loop().call_later(seconds, self._stop, "budget: seconds")

    def _stop(self, why: str) -> None:
        """Begin no more trials; those under way go on to their end."""
        if self._outcome.stopped is None:
            self._outcome.stopped = why
            self._tell(Noted(f"{why} reached: trials under way go on to their end, the rest is left for later"))

    def _prepare(self) -> None:
        allow_open_files()
        accounts = Accounts()
        needed = {loaded.name: loaded for trial in self._plan.to_run for loaded in trial.cell.models.values()}
        for name, loaded in needed.items():
            self._models[name] = build_model(loaded, parameters=dict(self._spec.parameters), accounts=accounts)
        for scaffold in self._plan.sweep.scaffolds:
            self._compiled[scaffold.digest] = compile_scaffold(scaffold.flat, scaffold.path.parent)

    async def _open_once(self) -> None:
        """Open each scenario's environment once before anything is spent: what the user can mend ends the run here."""
        first = {trial.cell.scenario.spec.name: trial for trial in reversed(self._plan.to_run)}
        for trial in first.values():
            await self._conduct.check(trial, self._services, lambda text: self._tell(Noted(text)))

    async def _grade_again(self) -> None:
        """Trials that were recorded, but not graded or not measured as the files now say."""
        cells = {cell.digest: cell for cell in self._plan.cells}
        for trial in self._plan.ungraded:
            if self._outcome.stopped:
                return
            record = self._store.record(trial)
            self._tell(Graded(await grade_trial(self._store, cells[record.row.cell], record, self._services)))

    async def _run_tracks(self) -> None:
        local, hosted = _tracks(self._plan.to_run)
        tracks = [asyncio.create_task(self._run_track(groups)) for groups in ([hosted], local)]
        try:
            await asyncio.gather(*tracks)
        except BaseException:  # a record that cannot be written, say: what runs must not outlive the run
            unfinished = [*tracks, *self._running]
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
            raise

    async def _run_track(self, groups: list[list[PlannedTrial]]) -> None:
        """The groups of a track one after another, the trials of a group together."""
        for group in groups:
            queue = deque(group)
            active: set[asyncio.Task[None]] = set()
            while queue or active:
                while queue and not self._outcome.stopped:
                    await self._slots.acquire()
                    if self._outcome.stopped or (trial := self._next(queue)) is None:
                        self._slots.release()
                        break
                    task = asyncio.create_task(self._run_one(trial, queue))
                    active.add(task)
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
                if not active:
                    break
                finished, active = await asyncio.wait(active, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    if not task.cancelled():  # interrupted while its trial, recorded already, was being graded
                        task.result()

    def _next(self, queue: deque[PlannedTrial]) -> PlannedTrial | None:
        while queue:
            trial = queue.popleft()
            if self._given_up.isdisjoint(loaded.name for loaded in trial.cell.models.values()):
                return trial
        return None

    async def _run_one(self, trial: PlannedTrial, queue: deque[PlannedTrial]) -> None:
        try:
            self._tell(TrialStarted(trial))
            paid = self._paid_for(trial)
            models = {
                role: MeteredModel(self._models[loaded.name], self._meter, paid)
                for role, loaded in trial.cell.models.items()
            }
            compiled = self._compiled[trial.cell.scaffold.digest]
            run = await self._conduct.run(trial, compiled, models, self._spec.parameters, self._services)
            row = run.record.row
            self._store.write(run.record)
            again = self._take_in(trial, run, queue)
            if row.is_result and self._conduct.graded:
                row = await grade_trial(self._store, trial.cell, run.record, self._services)
            self._tell(TrialEnded(trial, row, again))
        finally:
            self._slots.release()

    def _paid_for(self, trial: PlannedTrial) -> dict[CallKey, PaidReply]:
        """Replies of the cancelled attempt before this one."""
        if trial.attempt == 1:
            return {}
        record = self._store.record(trial_name(trial.cell.digest, trial.repeat, trial.attempt - 1))
        return paid_replies(record.document) if record.row.state == "cancelled" else {}

    def _take_in(self, trial: PlannedTrial, run: TrialRun, queue: deque[PlannedTrial]) -> bool:
        """What a finished trial means for the rest; says whether it will be begun again."""
        row = run.record.row
        self._outcome.ran += 1
        cost_limit = self._spec.budget.cost
        if cost_limit is not None and self._meter.cost >= cost_limit:
            self._stop("budget: cost")
        if row.fault != "provider":
            for loaded in trial.cell.models.values():
                self._in_a_row[loaded.name] = 0
        else:
            self._count_against(trial, row)
        self._tries[trial.cell.digest, trial.repeat] += 1
        passing = row.fault == "environment" or (row.fault == "provider" and run.provider_fault not in LASTING)
        again = passing and self._tries[trial.cell.digest, trial.repeat] < self._spec.attempts
        if again:
            queue.append(replace(trial, attempt=trial.attempt + 1))
        return again

    def _count_against(self, trial: PlannedTrial, row: TrialRow) -> None:
        for name in {loaded.name for loaded in trial.cell.models.values()} - self._given_up:
            self._in_a_row[name] += 1
            if self._in_a_row[name] >= GIVE_UP_AFTER:
                self._given_up.add(name)
                why = f"{GIVE_UP_AFTER} trials in a row failed at the provider ({row.error})"
                self._tell(Noted(f"model {name}: {why}; its remaining trials are left for a later run"))

    def _finish(self, seconds: float) -> None:
        outcome = self._outcome
        rows = {(row.cell, row.repeat): row for row in self._store.rows()}
        asked = itertools.product(self._plan.cells, range(1, self._spec.repeats + 1))
        for cell, repeat in asked:
            row = rows.get((cell.digest, repeat))
            if row is not None and row.is_result:
                outcome.results += 1
            else:
                outcome.missing["not run" if row is None else row.fault or row.state] += 1
        outcome.cost = self._meter.cost
        outcome.unpriced_calls = self._meter.unpriced_calls
        outcome.seconds = seconds
        self._tell(Ended(outcome))


def _tracks(to_run: Iterable[PlannedTrial]) -> tuple[list[list[PlannedTrial]], list[PlannedTrial]]:
    """The local trials in groups that load the same models, and the hosted ones in their planned order."""
    groups: dict[tuple[str, ...], list[PlannedTrial]] = {}
    hosted: list[PlannedTrial] = []
    for trial in to_run:
        local = tuple(sorted({loaded.name for loaded in trial.cell.models.values() if is_local(loaded)}))
        if local:
            groups.setdefault(local, []).append(trial)
        else:
            hosted.append(trial)
    return list(groups.values()), hosted
