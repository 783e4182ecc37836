"""What a run reports while it goes on. Who listens is called with one event at a time; it must not raise or wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.models import ModelReply
from harness.record import TrialRow
from harness.run.plan import Plan, PlannedTrial


@dataclass
class SweepOutcome:
    """How one `harness run` ended."""

    asked: int
    results: int = 0
    """Trials now recorded as results, earlier runs included."""
    ran: int = 0
    """Trials run to an end by this run, attempts that failed included."""
    missing: Counter[str] = field(default_factory=Counter)
    """Why trials are missing: `provider`, `environment`, ..., `not run`."""
    stopped: str | None = None
    """Why it stopped early: `interrupted`, `budget: cost`, `budget: seconds`."""
    cost: float = 0.0
    """Spent by this run, US dollars; calls of unknown price left out."""
    unpriced_calls: int = 0
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 all completed, 1 some trials missing, 130 interrupted."""
        if self.stopped == "interrupted":
            return 130
        return 0 if self.results == self.asked else 1


@dataclass(frozen=True)
class Started:
    """The run begins."""

    plan: Plan


@dataclass(frozen=True)
class TrialStarted:
    """A trial begins."""

    trial: PlannedTrial


@dataclass(frozen=True)
class TrialEnded:
    """A trial is recorded, and graded where it is a result."""

    trial: PlannedTrial
    row: TrialRow
    again: bool
    """It will be begun again in this run."""


@dataclass(frozen=True)
class Graded:
    """A trial recorded earlier is graded."""

    row: TrialRow


@dataclass(frozen=True)
class Called:
    """A model has replied."""

    model: str
    reply: ModelReply


@dataclass(frozen=True)
class Noted:
    """Something a person should know."""

    text: str


@dataclass(frozen=True)
class Ended:
    """The run is over."""

    outcome: SweepOutcome


RunEvent = Started | TrialStarted | TrialEnded | Graded | Called | Noted | Ended
Listener = Callable[[RunEvent], None]
