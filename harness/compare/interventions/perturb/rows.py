"""The rows that the analysis of surfaces comes back with."""

from __future__ import annotations

from dataclasses import dataclass

from harness.compare.statistics import Difference, Estimate

PLAIN, AGAIN = "plain", "plain-again"
EVERY = "(all)"
"""The mean over all surfaces but `plain` and `plain-again`."""
SEQUENCE, ACTIONS = "sequence", "actions"
"""Distances: edits that turn one sequence of action names into the other, as a share of the longer one; total variation
of the shares of actions."""
WHATS = (SEQUENCE, ACTIONS)


@dataclass(frozen=True)
class Change:
    """How much further the trials of a surface are from plain ones than trials of one surface are from each other."""

    model: str
    surface: str
    what: str
    """`sequence` or `actions`."""
    change: Difference
    """Energy distance, 0 without a change; p by exchanging labels within seeds."""
    apart: Estimate
    """Mean distance between a plain trial and one of the surface."""
    floor: Estimate
    """Mean distance between two plain trials: the model against itself."""
    pairs: int
    """Trials of the surface that have a plain one of the same seed."""


@dataclass(frozen=True)
class Score:
    """How the score changes with a surface: the surface minus plain."""

    model: str
    surface: str
    plain: float | None
    """Mean score of the plain trials."""
    change: Difference


@dataclass(frozen=True)
class Moved:
    """Whether a surface moves one model more than another: the first minus the second."""

    first: str
    second: str
    surface: str
    what: str
    """`sequence`, `actions` or `score`."""
    difference: Difference


@dataclass(frozen=True)
class Yardstick:
    """The change that a surface makes beside the one that another task makes."""

    model: str
    surface: str
    what: str
    surface_change: float | None
    """Mean energy distance to plain trials of the same task."""
    task_change: float | None
    """Mean energy distance between plain trials of two tasks of one scenario."""
    task_low: float | None
    task_high: float | None
    ratio: float | None
    """The first over the second: 0 surface does not matter, 1 as much as another task."""
    low: float | None
    """None, with a ratio, where all tasks are alike in it: then their spread says nothing."""
    high: float | None
    clusters: int
    unknown: str | None = None
    """Why there is no ratio."""


@dataclass(frozen=True)
class Use:
    """Whether a model used the distractor, or called a renamed tool by its old name."""

    model: str
    surface: str
    what: str
    """`distractor` or `old name`."""
    trials: int
    share: Estimate
    """Of trials in which it did."""
    calls: int
    """In all of them."""
