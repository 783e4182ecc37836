"""What a trial has used so far, and the limits it must keep.

The trial's clock is wall time without what was spent waiting for providers (retries, queues). Parallel
lanes may wait at the same time, so waiting is kept per lane; the longest lane counts, which can never make
the clock run backwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from harness.models.protocol import ModelReply
from harness.scaffolds.faults import reached
from harness.spec.limits import TrialLimits


class Meter:
    """Counts turns, tokens, cost and seconds of one trial."""

    def __init__(self, limits: TrialLimits, now: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.turns = 0
        self.tokens = 0
        self.cost = 0.0
        self._now = now
        self._began = now()
        self._waited: dict[str, float] = {}

    @property
    def elapsed(self) -> float:
        """Wall seconds since the trial began, waiting included."""
        return self._now() - self._began

    @property
    def waited(self) -> float:
        """Seconds spent waiting; of parallel lanes, the longest."""
        return max((self._waited_in(lane) for lane in self._waited), default=0.0)

    @property
    def seconds(self) -> float:
        """On the trial's clock."""
        return max(0.0, self.elapsed - self.waited)

    @property
    def seconds_left(self) -> float | None:
        """Until the limit, never below zero; None without a limit."""
        return None if self.limits.seconds is None else max(0.0, self.limits.seconds - self.seconds)

    def check(self) -> None:
        """Raise `TrialEnd` when tokens, cost or seconds are used up."""
        limits = self.limits
        if limits.tokens is not None and self.tokens >= limits.tokens:
            raise reached("tokens", f"{self.tokens} tokens used, the limit is {limits.tokens}")
        if limits.cost is not None and self.cost >= limits.cost:
            raise reached("cost", f"${self.cost:.4g} spent, the limit is ${limits.cost:g}")
        if self.seconds_left == 0.0:
            raise self.out_of_time()

    def out_of_time(self) -> Exception:
        """The end for want of time."""
        limit = "" if self.limits.seconds is None else f", the limit is {self.limits.seconds:g}"
        return reached("seconds", f"{self.seconds:.1f} seconds used{limit}")

    def begin_turn(self) -> None:
        """Count one model call. Raises `TrialEnd` when no further call is allowed."""
        if self.limits.turns is not None and self.turns >= self.limits.turns:
            raise reached("turns", f"{self.turns} model calls made, the limit is {self.limits.turns}")
        self.check()
        self.turns += 1

    def replied(self, lane: str, reply: ModelReply) -> None:
        """Count what a reply used; what the provider did not say does not count."""
        self.tokens += (reply.usage.prompt or 0) + (reply.usage.completion or 0)
        self.cost += reply.cost or 0.0
        self.wait(lane, reply.waited)

    def wait(self, lane: str, seconds: float) -> None:
        """Take `seconds` of waiting in `lane` off the clock."""
        if seconds > 0:
            self._waited[lane] = self._waited.get(lane, 0.0) + seconds

    def join(self, parent: str, lanes: Sequence[str]) -> None:
        """The lanes are over: the longest wait among them becomes the parent's."""
        self.wait(parent, max((self._waited.pop(lane, 0.0) for lane in lanes), default=0.0))

    def _waited_in(self, lane: str) -> float:
        """Own waiting of a lane and that of the lanes it came from (`main`, then `a.1`, then `a.1/b.2`)."""
        parts = [] if lane == "main" else lane.split("/")
        path = ["main", *("/".join(parts[: i + 1]) for i in range(len(parts)))]
        return sum(self._waited.get(name, 0.0) for name in path)
