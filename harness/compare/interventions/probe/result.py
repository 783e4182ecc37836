"""What a probe comes back as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.compare.analysis import Analysis
from harness.compare.statistics import Difference, Estimate


@dataclass(frozen=True)
class Apart:
    """How far apart two models are in the same states: over all of them, or those at one node, role, maker or depth."""

    first: str
    second: str
    level: str
    """`names`, `arguments` (canonical actions) or `words` (what was said too)."""
    by: str | None
    """`node`, `role`, `maker`, `depth`; None for all states."""
    value: str | None
    """Which one."""
    states: int
    """With replies of both."""
    tasks: int
    clusters: int
    disagree: float
    """How often a reply of the one differs from one of the other in the same state."""
    own: float | None
    """How often two replies of one model differ there, the mean of the two; None with single replies."""
    excess: Estimate
    """What the models disagree beyond their own: without bias, with its interval over tasks. Below 0 only by chance."""
    divergence: float | None
    """Jensen-Shannon, bits, of halves of the replies."""
    divergence_floor: float | None
    """Of two halves of one model's replies."""
    variation: float | None
    """Total variation, of halves of the replies."""
    variation_floor: float | None
    whole: float
    """Jensen-Shannon of all replies, bits: what is tested."""
    by_chance: float
    """What it comes to on average with replies exchanged between the two models."""
    would_show: float | None
    """Smallest excess over `by_chance` that would have shown with 80% power; None where nothing can show."""
    telling: int
    """States where the replies differ at all, so that exchange can change something."""
    p: float
    """One-sided, replies exchanged between the two models within each state."""
    p_adjusted: float | None = None
    adjusted_by: str | None = None

    @property
    def shown(self) -> bool:
        """Whether the models act differently there, the family of tests considered."""
        return (self.p if self.p_adjusted is None else self.p_adjusted) < 0.05


@dataclass(frozen=True)
class StateApart:
    """Two models in one state, on the main level."""

    state: str
    """`<trial>@<k>`."""
    scenario: str
    task: str
    scaffold: str
    at: int
    node: str
    role: str
    made_by: list[str]
    first: str
    second: str
    first_replies: int
    second_replies: int
    disagree: float
    own: float | None
    divergence: float
    """Jensen-Shannon of all replies, bits."""
    by_chance: float
    divergence_floor: float | None
    """Self against self: halves of one model's replies, the mean of the two."""
    divergence_halves: float | None
    """Of halves of the two models' replies: what the floor is for."""
    variation: float
    """Total variation of all replies."""
    p: float
    """Exact, of the Jensen-Shannon divergence."""
    p_variation: float
    p_names: float
    """Of names alone."""
    p_adjusted: float
    """Benjamini-Hochberg over all pairs and states that can tell anything."""
    telling: bool
    """Whether exchange of replies changes anything: not where all are the same, nor where no two are."""

    @property
    def shown(self) -> bool:
        """Whether the two act differently there, all states considered."""
        return self.p_adjusted < 0.05


@dataclass(frozen=True)
class Deed:
    """What a model would do in a state, and how often."""

    state: str
    task: str
    node: str
    model: str
    does: str
    count: int
    replies: int
    trials: list[str]
    """Some of them."""

    @property
    def share(self) -> float:
        """Of the model's replies in the state."""
        return self.count / self.replies


@dataclass(frozen=True)
class Spread:
    """How spread out a model's choices are in a state."""

    state: str
    model: str
    own: bool
    """Whether it made the state."""
    replies: int
    entropy: float
    """Bits; at most log2 of the replies."""


@dataclass(frozen=True)
class Conduct:
    """How a model replies in its own states, or in those that others made."""

    model: str
    where: str
    """`own` or `foreign`."""
    states: int
    replies: int
    entropy: Estimate
    malformed: Estimate
    """Share of its replies, calls cut off included."""
    refused: Estimate
    nothing: Estimate
    """Share that a limit ended before anything was done."""


@dataclass(frozen=True)
class OwnForeign:
    """What two models do otherwise in a state of their own than in the other's, states and models held equal."""

    first: str
    second: str
    measure: str
    pairs: int
    """Of states: one made by each, of one world, at the same call."""
    own: float | None
    """Mean of each model in its own state."""
    foreign: float | None
    difference: Difference


@dataclass(frozen=True, kw_only=True)
class Probe(Analysis):
    """What every model would do at recorded moments."""

    name: ClassVar[str] = "probe"
    title: ClassVar[str] = "Probe: what each model would do in the same states"
    by: str
    models: list[str]
    states: int = 0
    replies: int = 0
    tasks: int = 0
    levels: list[str] = field(default_factory=list)
    pairs: list[Apart] = field(default_factory=list)
    nodes: list[Apart] = field(default_factory=list)
    roles: list[Apart] = field(default_factory=list)
    makers: list[Apart] = field(default_factory=list)
    """In states that one model made alone, and in those that several came to."""
    depths: list[Apart] = field(default_factory=list)
    in_states: list[StateApart] = field(default_factory=list)
    """Where the models differ most first."""
    deeds: list[Deed] = field(default_factory=list)
    spreads: list[Spread] = field(default_factory=list)
    conduct: list[Conduct] = field(default_factory=list)
    own_foreign: list[OwnForeign] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """What differs, where, and what own and foreign states say."""
        return [self.too_few] if self.too_few is not None else list(self.told)

    def tables(self) -> Mapping[str, Sequence[Any]]:
        """Pairs, states, deeds, nodes, roles, makers, depths, spreads, conduct, own_foreign."""
        return {
            "pairs": self.pairs, "states": self.in_states, "deeds": self.deeds, "nodes": self.nodes,
            "roles": self.roles, "makers": self.makers, "depths": self.depths, "spreads": self.spreads,
            "conduct": self.conduct, "own_foreign": self.own_foreign,
        }  # fmt: skip

    def main(self, rows: Sequence[Apart]) -> list[Apart]:
        """Those on the level of canonical actions."""
        return [row for row in rows if row.level == "arguments"]
