"""The rows that the analysis of forks comes back with: plain data, one kind for each table."""

from __future__ import annotations

from dataclasses import dataclass

from harness.compare.statistics import Difference, Estimate


@dataclass(frozen=True)
class Value:
    """What a state is worth under one model: the mean outcome of its continuations."""

    state: str
    scenario: str
    task: str
    scaffold: str
    trial: str
    at: int
    of: int
    depth: float
    prefix: str
    """The model that made the state."""
    node: str | None
    role: str | None
    model: str
    """The model that went on."""
    own: bool
    """Whether it went on from its own state."""
    rollouts: int
    score: Estimate
    passed: Estimate
    recorded_score: float | None
    """How the recorded trial ended."""
    recorded_passed: bool | None


@dataclass(frozen=True)
class Advantage:
    """How much better one model goes on from a state than another."""

    state: str
    scenario: str
    task: str
    scaffold: str
    trial: str
    at: int
    of: int
    prefix: str
    first: str
    second: str
    first_rollouts: int
    second_rollouts: int
    first_value: float
    second_value: float
    difference: float
    """First less second."""
    low: float | None
    high: float | None
    """95% interval of this state by itself."""
    believed: float
    """Drawn towards the mean of all states: what to believe of one picked because it is large."""
    believed_low: float
    believed_high: float
    p: float
    """By exchanging the two names among the continuations of this state."""
    p_adjusted: float | None
    """Benjamini and Hochberg over all states and pairs whose outcomes vary."""
    p_largest: float
    """Chance that any of the states comes out so far apart, times the pairs: what a pivotal state is held to."""
    next_action: str
    """What was done next in the recorded trial."""

    @property
    def pivotal(self) -> bool:
        """Whether the state can be told from the largest of as many that make no difference."""
        return self.p_largest < 0.05


@dataclass(frozen=True)
class Summary:
    """How much better one model goes on than another, over states."""

    first: str
    second: str
    part: str
    """`all`, or how much of the trial lay behind: `first third`, `middle third`, `last third`."""
    difference: Difference
    """Mean over states, clustered by task."""
    passed: Difference


@dataclass(frozen=True)
class Apart:
    """Whether it matters at all who goes on: how far apart the values of two models are at a state."""

    first: str
    second: str
    states: int
    apart: float
    """Mean absolute difference of the values."""
    floor: float
    """The same where it does not matter who goes on: labels exchanged within states."""
    p: float
    spread: float
    """Standard deviation of the true differences from state to state, as far as it can be told."""


@dataclass(frozen=True)
class Home:
    """Whether a model goes on from its own states better than from those of another, beside that other one."""

    first: str
    second: str
    on_first: Estimate
    """Value under the first less that under the second, on states that the first made."""
    on_second: Estimate
    """The same on states that the second made."""
    difference: Difference
    """On those of the first less on those of the second, on tasks with both: positive where each is better at home."""


@dataclass(frozen=True)
class Origins:
    """What the states of one model are worth under another, or itself."""

    model: str
    prefix: str
    states: int
    value: Estimate
    recorded: Estimate
    """What the recorded trials came to that the states are of."""
    difference: Difference
    """Value less recorded, state by state; about 0 where a model goes on from its own states."""


@dataclass(frozen=True)
class ByDepth:
    """What states are worth under a model, by how much of the trial lies behind."""

    model: str
    depth: float
    """Mean over the states of the part, of all models."""
    part: str
    value: Estimate


@dataclass(frozen=True)
class CoursePoint:
    """What a recorded trial was worth at one of its moments, under one model."""

    trial: str
    scenario: str
    task: str
    prefix: str
    model: str
    at: int
    value: float
    actions: tuple[str, ...]
    """What was done from there on, up to the next moment."""


@dataclass(frozen=True)
class Drop:
    """How the value of a trial changed from one of its moments to the next, under one model."""

    trial: str
    scenario: str
    task: str
    prefix: str
    model: str
    at: int
    until: int
    before: float
    after: float
    change: float
    low: float | None
    high: float | None
    p: float
    p_adjusted: float | None
    actions: tuple[str, ...]
    """What was done in between."""


@dataclass(frozen=True)
class NextAction:
    """What came of one next action at a state."""

    state: str
    task: str
    action: str
    models: str
    """How many continuations of each model took it."""
    rollouts: int
    value: float
    advantage: float | None
    """Over the other next actions of the same model there, mean over models; None where none took another too."""


@dataclass(frozen=True)
class Choice:
    """What of an advantage is due to the next action chosen, and what to how it was gone on with after that."""

    first: str
    second: str
    states: int
    different: float
    """Total variation between the two models' next actions, mean over states."""
    by_choice: Estimate
    by_rest: Estimate
