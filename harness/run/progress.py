"""Shows a run under way: a live table on a terminal, plain lines elsewhere, JSON lines for machines.

All stand on `Tally`, which only counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, TextIO

from harness.record import TrialRow
from harness.run.events import Called, Ended, Graded, Noted, RunEvent, Started, TrialEnded, TrialStarted
from harness.run.plan import Plan

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

PLAIN_EVERY = 10.0
"""Seconds between two lines of plain progress."""


@dataclass
class ModelTally:
    """How one model is doing."""

    to_run: int = 0
    done: int = 0
    running: int = 0
    passed: int = 0
    graded: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    """Completion tokens received."""
    spent: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0
    """Wall seconds of finished trials together."""
    busy_since: float | None = None
    busy: float = 0.0
    """Wall seconds in which at least one of its trials ran."""

    def begin(self, now: float) -> None:
        """One more trial runs."""
        self.running += 1
        if self.busy_since is None:
            self.busy_since = now

    def end(self, now: float) -> None:
        """One trial less runs."""
        self.running -= 1
        if self.running == 0 and self.busy_since is not None:
            self.busy += now - self.busy_since
            self.busy_since = None

    def tokens_per_second(self, now: float) -> float | None:
        """Completion tokens of all its calls together, for each second in which it had a trial running."""
        busy = self.busy + (now - self.busy_since if self.busy_since is not None else 0.0)
        return self.tokens / busy if busy > 0 and self.tokens else None

    def seconds_left(self) -> float | None:
        """A guess from what its trials have taken so far, as many at once as now; None before the first has ended."""
        if self.done == 0:
            return None
        return (self.to_run - self.done) * self.seconds / self.done / max(1, self.running)


class Tally:
    """Counts what a run reports, by the model that is crossed with everything."""

    def __init__(self) -> None:
        self.models: dict[str, ModelTally] = {}
        self.began = time.monotonic()
        self.done_before = 0
        self.concurrency = 1
        self._started: dict[str, float] = {}

    def take(self, event: RunEvent) -> None:
        """Count one event."""
        now = time.monotonic()
        match event:
            case Started(plan):
                self._take_plan(plan)
            case TrialStarted(trial):
                self._model(trial.cell.model).begin(now)
                self._started[trial.name] = now
            case TrialEnded(trial, row, again):
                tally = self._model(trial.cell.model)
                tally.end(now)
                tally.seconds += now - self._started.pop(trial.name)
                tally.done += not again
                if row.fault is not None:
                    tally.faults[row.fault] += 1
                self._take_grade(row)
            case Graded(row):
                self._take_grade(row)
            case Called(model, reply):
                tally = self._model(model)
                tally.tokens += reply.usage.completion or 0
                tally.unpriced += reply.cost is None
                tally.spent += reply.cost or 0.0

    def _model(self, name: str) -> ModelTally:
        return self.models.setdefault(name, ModelTally())

    def _take_plan(self, plan: Plan) -> None:
        self.done_before = plan.done
        self.concurrency = plan.sweep.spec.concurrency
        for name in plan.sweep.spec.models:
            self._model(name)
        for trial in plan.to_run:
            self._model(trial.cell.model).to_run += 1

    def _take_grade(self, row: TrialRow) -> None:
        if row.passed is not None:
            self._model(row.model).graded += 1
            self._model(row.model).passed += row.passed

    @property
    def done(self) -> int:
        """Trials this run has finished with."""
        return sum(tally.done for tally in self.models.values())

    @property
    def to_run(self) -> int:
        """Trials this run set out to do."""
        return sum(tally.to_run for tally in self.models.values())

    def seconds_left(self) -> float | None:
        """A guess from what each model's trials have taken so far; None before the first of each has ended."""
        left = 0.0
        for tally in self.models.values():
            rest = tally.to_run - tally.done
            if rest > 0 and tally.done == 0:
                return None
            left += rest * tally.seconds / max(1, tally.done)
        running = sum(tally.running for tally in self.models.values())
        return left / max(1, min(running, self.concurrency))


class PlainProgress:
    """A line now and then, and one for everything that went wrong."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._tally = Tally()
        self._out = out or sys.stderr
        self._said = time.monotonic()

    def __call__(self, event: RunEvent) -> None:
        """Take one event."""
        self._tally.take(event)
        match event:
            case Started(plan):
                self._say(f"{plan.asked} trials asked, {plan.done} already recorded, {len(plan.to_run)} to run")
            case TrialEnded(_, row, again):
                if row.fault is not None and row.fault != "model":
                    self._say(trouble(row, again))
                if time.monotonic() - self._said >= PLAIN_EVERY or self._tally.done == self._tally.to_run:
                    self._said = time.monotonic()
                    self._say(self._summary())
            case Noted(text):
                self._say(text)

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def _summary(self) -> str:
        parts = []
        for name, tally in self._tally.models.items():
            speed = tally.tokens_per_second(time.monotonic())
            said = [f"{name} {tally.done}/{tally.to_run}" if tally.to_run else f"{name} in another seat"]
            said += [f"{tally.running} running"] if tally.running else []
            said += [f"{count} {party} faults" for party, count in tally.faults.items()]
            said += [f"{speed:.0f} tokens/s"] if speed else []
            said += [f"spent {money(tally.spent, tally.unpriced)}"] if tally.spent or tally.unpriced else []
            parts.append(", ".join(said))
        left = self._tally.seconds_left()
        end = f", about {clock(left)} left" if left and self._tally.done < self._tally.to_run else ""
        return f"{self._tally.done}/{self._tally.to_run} trials ({'; '.join(parts)}){end}"


class JsonProgress:
    """One JSON object a line: `event` is started, trial, graded, note or ended; other keys as the row or outcome.

    All ASCII, so that it can be written in any encoding.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def __call__(self, event: RunEvent) -> None:
        """Take one event."""
        match event:
            case Started(plan):
                self._write(event="started", asked=plan.asked, recorded=plan.done, to_run=len(plan.to_run))
            case TrialEnded(_, row, again):
                self._write(event="trial", again=again, **row.model_dump(mode="json"))
            case Graded(row):
                self._write(event="graded", **row.model_dump(mode="json"))
            case Noted(text):
                self._write(event="note", text=text)
            case Ended(outcome):
                fields = {item.name: getattr(outcome, item.name) for item in dataclass_fields(outcome)}
                self._write(event="ended", exit_code=outcome.exit_code, **fields)

    def _write(self, **fields: object) -> None:
        print(json.dumps(fields), file=self._out, flush=True)


class LiveProgress:
    """A table that redraws itself on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._tally = Tally()
        self._live: Live = Live(console=Console(stderr=True), refresh_per_second=4, get_renderable=self._draw)

    def __call__(self, event: RunEvent) -> None:
        """Take one event."""
        from rich.text import Text

        self._tally.take(event)
        match event:
            case Started():
                self._live.start()
            case TrialEnded(_, row, again) if row.fault is not None and row.fault != "model":
                self._live.console.print(Text(trouble(row, again)))
            case Noted(text):
                self._live.console.print(Text(text))
            case Ended():
                self._live.stop()

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        tally, now = self._tally, time.monotonic()
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("model", no_wrap=True)
        for name in ("done", "running", "passed", "faults", "tokens/s", "spent", "left"):
            table.add_column(name, justify="right", no_wrap=True)
        for name, model in tally.models.items():
            speed = model.tokens_per_second(now)
            faults = ", ".join(f"{count} {party}" for party, count in model.faults.items())
            table.add_row(
                Text(name), f"{model.done}/{model.to_run}" if model.to_run else "-", str(model.running),
                f"{model.passed}/{model.graded}" if model.graded else "-", faults or "-",
                f"{speed:.0f}" if speed else "-", money(model.spent, model.unpriced), _left(model),
            )  # fmt: skip
        parts = [f"{tally.done}/{tally.to_run} trials", clock(now - tally.began)]
        left = tally.seconds_left()
        if left is not None and tally.done < tally.to_run:
            parts.append(f"about {clock(left)} left")
        if tally.done_before:
            parts.append(f"{tally.done_before} recorded before")
        bar = ProgressBar(total=max(1, tally.to_run), completed=tally.done, width=40)
        return Group(bar, Text(" · ".join(parts)), table)


def _left(model: ModelTally) -> str:
    left = model.seconds_left() if model.running else None
    return "-" if left is None else clock(left)


def trouble(row: TrialRow, again: bool) -> str:
    """One line on a trial that failed on another account than the model's."""
    then = "it will be begun again" if again else "left for a later run"
    error = " ".join((row.error or "").split())[:300]
    return f"{row.trial} {row.model} {row.scenario}/{row.task}: {row.fault} fault: {error}; {then}"


def clock(seconds: float) -> str:
    """`75` as `1:15`, `3675` as `1:01:15`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def money(spent: float, unpriced: int) -> str:
    """US dollars; calls of unknown price are said, never counted as free."""
    if unpriced:
        return f"at least ${spent:.4f}" if spent else "unknown"
    return f"${spent:.4f}" if spent else "$0"
