"""What the analysis of relays comes back as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from harness.compare.analysis import Analysis
from harness.compare.interventions.relay.sentences import told
from harness.compare.statistics import CONFIDENCE, Difference, Estimate

Term = Literal["sets up", "finishes", "own course"]


@dataclass(frozen=True)
class Effect:
    """One term of outcome ~ prefix + suffix + prefix:suffix, for two models, between the ends of trials."""

    first: str
    second: str
    term: Term
    """`sets up`: the first less the second as the one who began, whoever went on; `finishes`: as the one who went on,
    whoever began; `own course`: going on from one's own course less going on from the other's."""
    difference: Difference
    """Over tasks."""


@dataclass(frozen=True)
class Course:
    """A model going on from its own course, less going on from another's: the two halves of `own course`.

    Their interval is of this difference alone; only `own course` is tested.
    """

    model: str
    other: str
    difference: Difference


@dataclass(frozen=True)
class Cell:
    """One model going on from what one began, shares between 0 and 1 together."""

    prefix: str
    suffix: str
    trials: int
    value: Estimate


@dataclass(frozen=True)
class Point:
    """One share of the course of an ordered pair; the ends are one model alone."""

    prefix: str
    suffix: str
    at: float
    trials: int
    value: Estimate


@dataclass(frozen=True)
class Sham:
    """A model swapped for itself, against itself undisturbed: what the swap as such does."""

    model: str
    against: Literal["alone", "from the beginning", "as recorded"]
    """The mean of both ends, or one of them where the other was not run."""
    difference: Difference


@dataclass(frozen=True)
class Handover:
    """The best relay against the best single model, that they were chosen considered."""

    relay: str
    """Best over all tasks: `A, then B from 0.25`."""
    single: str
    apparent: float
    """The best relay less the best single model on the tasks that both were chosen on: too good."""
    gain: float
    """The same where both are chosen on the other tasks; of that no interval holds."""
    n: int
    """Units: tasks, or task x scaffold."""
    clusters: int
    p: float
    """That the relay is no better than every single model, the other relays considered."""
    p_method: str
    relays: Mapping[str, int]
    """How often which relay was chosen on the other tasks."""
    singles: Mapping[str, int]
    """Likewise of single models."""

    @property
    def shown(self) -> bool:
        """Whether a relay can be told to beat every single model."""
        return self.p < 1 - CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class Relay(Analysis):
    """Models swapped in mid-course."""

    name: ClassVar[str] = "relay"
    title: ClassVar[str] = "Relay: who sets a task up well, who finishes well"
    models: list[str]
    outcome: str = "score"
    """What the numbers are of: the score, whether it passed, or another column of the trials."""
    trials: int = 0
    tasks: int = 0
    """Independent ones."""
    shares: bool = True
    """Whether outcomes lie in [0, 1], so that differences can be told in points."""
    effects: list[Effect] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    shams: list[Sham] = field(default_factory=list)
    handover: Handover | None = None

    def sentences(self) -> list[str]:
        """Who sets up, who finishes, whether one's own course matters, what the swap does, what a relay gains."""
        return told(self)

    def tables(self) -> Mapping[str, Sequence[Any]]:
        """One table for each kind of row."""
        return {
            "effects": self.effects, "courses": self.courses, "cells": self.cells, "points": self.points,
            "shams": self.shams, "handover": [] if self.handover is None else [self.handover],
        }  # fmt: skip
