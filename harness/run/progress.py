"""Shows a run under way: a live table on a terminal, plain lines elsewhere, JSON lines for machines.

All three stand on `Tally`, which only counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TextIO

from harness.models import ModelReply
from harness.record import TrialRow
from harness.run.plan import Plan, PlannedTrial
from harness.run.sweep import Progress, SweepOutcome

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

PLAIN_EVERY = 10.0
"""Seconds between two lines of plain progress."""


@dataclass
class ModelTally:
    """How one model is doing."""

    todo: int = 0
    done: int = 0
    running: int = 0
    passed: int = 0
    graded: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    """Completion tokens received."""
    generating: float = 0.0
    """Seconds spent in the calls that gave them."""
    spent: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0
    """Wall seconds of finished trials together."""

    @property
    def tokens_per_second(self) -> float | None:
        """Completion tokens a second of one call."""
        return self.tokens / self.generating if self.generating > 0 else None


class Tally:
    """Counts what a run reports, by the model that is crossed with everything."""

    def __init__(self) -> None:
        self.models: dict[str, ModelTally] = {}
        self.began = time.monotonic()
        self.notes: list[str] = []
        self.asked = self.done_before = self.concurrency = 0
        self._started: dict[str, float] = {}

    def started(self, plan: Plan) -> None:
        self.asked, self.done_before = plan.asked, plan.done
        self.concurrency = plan.sweep.spec.concurrency
        for name in plan.sweep.spec.models:
            self.models[name] = ModelTally()
        for trial in plan.todo:
            self.models[trial.cell.model].todo += 1

    def trial_started(self, trial: PlannedTrial) -> None:
        self.models[trial.cell.model].running += 1
        self._started[trial.name] = time.monotonic()

    def trial_ended(self, trial: PlannedTrial, row: TrialRow, again: bool) -> None:
        tally = self.models[trial.cell.model]
        tally.running -= 1
        tally.seconds += time.monotonic() - self._started.pop(trial.name)
        if row.fault is not None:
            tally.faults[row.fault] += 1
        if not again:
            tally.done += 1
        self.graded(row)

    def graded(self, row: TrialRow) -> None:
        if row.passed is not None:
            tally = self.models.setdefault(row.model, ModelTally())
            tally.graded += 1
            tally.passed += row.passed

    def call(self, model: str, reply: ModelReply) -> None:
        tally = self.models.setdefault(model, ModelTally())
        tally.tokens += reply.usage.completion or 0
        tally.generating += reply.seconds
        if reply.cost is None:
            tally.unpriced += 1
        else:
            tally.spent += reply.cost

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def done(self) -> int:
        """Trials this run has finished with."""
        return sum(tally.done for tally in self.models.values())

    @property
    def todo(self) -> int:
        """Trials this run set out to do."""
        return sum(tally.todo for tally in self.models.values())

    def seconds_left(self) -> float | None:
        """A guess from what each model's trials have taken so far; None before the first has ended."""
        left = 0.0
        for tally in self.models.values():
            rest = tally.todo - tally.done
            if rest <= 0:
                continue
            if tally.done == 0:
                return None
            left += rest * tally.seconds / tally.done
        running = sum(tally.running for tally in self.models.values())
        return left / max(1, min(running or 1, self.concurrency))


class PlainProgress(Progress):
    """A line now and then, and one for everything that went wrong."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.tally = Tally()
        self._out = out or sys.stderr
        self._said = 0.0

    def started(self, plan: Plan) -> None:
        self.tally.started(plan)
        self._say(f"{plan.asked} trials asked, {plan.done} already recorded, {len(plan.todo)} to run")

    def trial_started(self, trial: PlannedTrial) -> None:
        self.tally.trial_started(trial)

    def trial_ended(self, trial: PlannedTrial, row: TrialRow, again: bool) -> None:
        self.tally.trial_ended(trial, row, again)
        if row.fault is not None and row.fault != "model":
            then = "it will be begun again" if again else "given up for this run"
            self._say(f"{row.trial} {row.model} {row.scenario}/{row.task}: {row.fault} fault: {row.error}; {then}")
        now = time.monotonic()
        if now - self._said >= PLAIN_EVERY or self.tally.done == self.tally.todo:
            self._said = now
            self._say(self._summary())

    def graded(self, row: TrialRow) -> None:
        self.tally.graded(row)

    def call(self, model: str, reply: ModelReply) -> None:
        self.tally.call(model, reply)

    def note(self, text: str) -> None:
        self.tally.note(text)
        self._say(text)

    def ended(self, outcome: SweepOutcome) -> None:
        pass

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def _summary(self) -> str:
        parts = []
        for name, tally in self.tally.models.items():
            speed = tally.tokens_per_second
            rate = f", {speed:.0f} tokens/s" if speed else ""
            parts.append(f"{name} {tally.done}/{tally.todo}{rate}")
        left = self.tally.seconds_left()
        end = f", about {clock(left)} left" if left and self.tally.done < self.tally.todo else ""
        return f"{self.tally.done}/{self.tally.todo} trials ({'; '.join(parts)}){end}"


class JsonProgress(Progress):
    """One JSON object a line: `event` is started, trial, graded, note or ended; other keys as the row or outcome."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def started(self, plan: Plan) -> None:
        self._write(event="started", asked=plan.asked, recorded=plan.done, todo=len(plan.todo))

    def trial_started(self, trial: PlannedTrial) -> None:
        pass

    def trial_ended(self, trial: PlannedTrial, row: TrialRow, again: bool) -> None:
        self._write(event="trial", again=again, **row.model_dump(mode="json"))

    def graded(self, row: TrialRow) -> None:
        self._write(event="graded", **row.model_dump(mode="json"))

    def call(self, model: str, reply: ModelReply) -> None:
        pass

    def note(self, text: str) -> None:
        self._write(event="note", text=text)

    def ended(self, outcome: SweepOutcome) -> None:
        self._write(event="ended", exit_code=outcome.exit_code, **asdict(outcome))

    def _write(self, **fields: object) -> None:
        print(json.dumps(fields, ensure_ascii=False), file=self._out, flush=True)


class LiveProgress(Progress):
    """A table that redraws itself on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self.tally = Tally()
        self._live: Live = Live(
            console=Console(stderr=True), refresh_per_second=4, get_renderable=self._draw, transient=False
        )

    def started(self, plan: Plan) -> None:
        self.tally.started(plan)
        self._live.start()

    def trial_started(self, trial: PlannedTrial) -> None:
        self.tally.trial_started(trial)

    def trial_ended(self, trial: PlannedTrial, row: TrialRow, again: bool) -> None:
        self.tally.trial_ended(trial, row, again)

    def graded(self, row: TrialRow) -> None:
        self.tally.graded(row)

    def call(self, model: str, reply: ModelReply) -> None:
        self.tally.call(model, reply)

    def note(self, text: str) -> None:
        from rich.text import Text

        self.tally.note(text)
        self._live.console.print(Text(text))

    def ended(self, outcome: SweepOutcome) -> None:
        self._live.stop()

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("model", no_wrap=True)
        for name in ("done", "running", "passed", "faults", "tokens/s", "spent"):
            table.add_column(name, justify="right", no_wrap=True)
        for name, tally in self.tally.models.items():
            speed = tally.tokens_per_second
            faults = ", ".join(f"{count} {party}" for party, count in tally.faults.items())
            table.add_row(
                Text(name), f"{tally.done}/{tally.todo}", str(tally.running),
                f"{tally.passed}/{tally.graded}" if tally.graded else "-", faults or "-",
                f"{speed:.0f}" if speed else "-", money(tally.spent, tally.unpriced),
            )  # fmt: skip
        left = self.tally.seconds_left()
        parts = [f"{self.tally.done}/{self.tally.todo} trials", clock(time.monotonic() - self.tally.began)]
        if left is not None and self.tally.done < self.tally.todo:
            parts.append(f"about {clock(left)} left")
        if self.tally.done_before:
            parts.append(f"{self.tally.done_before} recorded before")
        bar = ProgressBar(total=max(1, self.tally.todo), completed=self.tally.done, width=40)
        return Group(bar, Text(" · ".join(parts)), table)


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
