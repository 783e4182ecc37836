"""What traded seats come back as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.compare.analysis import Analysis
from harness.compare.interventions.seats.effects import Effect, Interaction, Meeting, SeatMean
from harness.compare.interventions.seats.others import Moved, Mover
from harness.compare.interventions.seats.relations import Component, Rating, RatingPair, SeatAdvantage


@dataclass(frozen=True)
class SeatedScenario:
    """What was seated in one scenario."""

    scenario: str
    """Its name; with the seats, where tasks of one scenario seat different ones."""
    of: str
    """Its name."""
    seats: list[str]
    models: list[str]
    outcomes: dict[str, str]
    """Seat -> where its outcome stands; `all` -> the score, where seats share it."""
    roles: dict[str, list[str]]
    """Seat -> roles of the scaffold in it."""
    seatings: int
    full: bool
    """Whether every seating was run; else an orthogonal array of them."""
    shares: bool
    """Whether all outcomes lie in [0, 1]."""
    trials: int
    tasks: int
    """Independent ones."""

    @property
    def joint(self) -> bool:
        """Whether seats share their outcome."""
        return list(self.outcomes) == ["all"]


@dataclass(frozen=True, kw_only=True)
class Seats(Analysis):
    """Every seat crossed with every model."""

    name: ClassVar[str] = "seats"
    title: ClassVar[str] = "Traded seats"
    scenarios: list[SeatedScenario] = field(default_factory=list)
    means: list[SeatMean] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    interactions: list[Interaction] = field(default_factory=list)
    meetings: list[Meeting] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    seat_advantages: list[SeatAdvantage] = field(default_factory=list)
    rating_pairs: list[RatingPair] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    movers: list[Mover] = field(default_factory=list)

    def scenario(self, name: str) -> SeatedScenario:
        """What was seated in this scenario."""
        return next(found for found in self.scenarios if found.scenario == name)

    def sentences(self) -> list[str]:
        """Who does better where, what others get of it, ratings, and who changes what others do."""
        from harness.compare.interventions.seats.sentences import told

        return [self.too_few] if self.too_few is not None else told(self)

    def tables(self) -> Mapping[str, Sequence[Any]]:
        """`seat_means` and all others, by the names of the fields."""
        return {
            "seat_means": self.means, "seat_effects": self.effects, "seat_interactions": self.interactions,
            "meetings": self.meetings, "social_relations": self.components, "ratings": self.ratings,
            "seat_advantages": self.seat_advantages, "rating_pairs": self.rating_pairs,
            "moved": self.moved, "movers": self.movers,
        }  # fmt: skip
