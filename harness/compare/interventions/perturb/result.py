"""What the analysis of surfaces comes back as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.compare.analysis import Analysis
from harness.compare.interventions.perturb.rows import Change, Moved, Score, Use, Yardstick


@dataclass(frozen=True, kw_only=True)
class Perturb(Analysis):
    """Sameness under a change of surface."""

    name: ClassVar[str] = "perturb"
    title: ClassVar[str] = "Sameness under a change of surface"
    models: list[str] = field(default_factory=list)
    surfaces: list[str] = field(default_factory=list)
    """But `plain`."""
    changes: list[Change] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    interactions: list[Moved] = field(default_factory=list)
    yardsticks: list[Yardstick] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    shares: bool = True
    """Whether scores lie in [0, 1]."""
    few: list[str] = field(default_factory=list)
    """What has to be said where there are few tasks."""

    def sentences(self) -> list[str]:
        """What moves which model, whether one more than another, what that does to scores, and beside what."""
        from harness.compare.interventions.perturb.sentences import told

        return [self.too_few] if self.too_few is not None else told(self)

    def tables(self) -> Mapping[str, Sequence[Any]]:
        """`changes`, `scores`, `interactions`, `yardsticks`, `uses`."""
        return {
            "changes": self.changes, "scores": self.scores, "interactions": self.interactions,
            "yardsticks": self.yardsticks, "uses": self.uses,
        }  # fmt: skip
