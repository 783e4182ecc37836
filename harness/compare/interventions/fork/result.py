"""What the analysis of forks comes back as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.compare.analysis import Analysis
from harness.compare.interventions.fork.rows import (
    Advantage,
    Apart,
    ByDepth,
    Choice,
    CoursePoint,
    Drop,
    Home,
    NextAction,
    Origins,
    Summary,
    Value,
)
from harness.compare.interventions.fork.sentences import told


@dataclass(frozen=True, kw_only=True)
class Fork(Analysis):
    """Recorded moments gone on with by each model."""

    name: ClassVar[str] = "fork"
    title: ClassVar[str] = "Forks: what recorded states are worth under each model"
    models: list[str]
    states: int = 0
    rollouts: int = 0
    tasks: int = 0
    """Independent ones: tasks, or families of tasks."""
    shares: bool = True
    """Whether outcomes lie in [0, 1], so that differences can be told in points."""
    values: list[Value] = field(default_factory=list)
    advantages: list[Advantage] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)
    pivotal: list[Advantage] = field(default_factory=list)
    """One row a state, its largest advantage; those told from chance first, then by what is believed of them."""
    depths: list[ByDepth] = field(default_factory=list)
    homes: list[Home] = field(default_factory=list)
    origins: list[Origins] = field(default_factory=list)
    courses: list[CoursePoint] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    """The largest fall first."""
    following: list[NextAction] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    checked: int = 0
    """Continuations that drew as the recorded trial did, with the model that had played."""
    checked_as_recorded: int = 0
    """Those of them that came out as recorded."""

    def sentences(self) -> list[str]:
        """Who goes on better, whether it matters where, the pivotal states, the course of trials, and why."""
        return told(self)

    def tables(self) -> Mapping[str, Sequence[Any]]:
        """One table for each kind of row."""
        return {
            "summaries": self.summaries, "apart": self.apart, "pivotal": self.pivotal, "values": self.values,
            "advantages": self.advantages, "depths": self.depths, "homes": self.homes, "origins": self.origins,
            "courses": self.courses, "drops": self.drops, "following": self.following, "choices": self.choices,
        }  # fmt: skip
