"""Where trials set out from that do not begin at the beginning, and what they did not find again on the way back.

A *moment* of a recorded trial is named by the trial and a number k: its first k answered model calls, in the order of
their steps, are behind it. An intervention goes back to a moment by feeding those k replies through the same scaffold
and a fresh environment of the same seed. What differs from the record on the way is *drift*.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

Intervention = Literal["replay", "probe", "fork", "relay", "seats", "perturb"]


class Lineage(BaseModel):
    """What sets the trials of a cell apart from those of an ordinary sweep; one for each cell of an intervention."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Intervention
    sweep: str
    """Name of the sweep it was made from."""
    base: str
    """Digest of the cell there that gave scenario, task, scaffold, limits and parameters."""
    origin: str | None = None
    """Id of the trial that the moment is of; None where trials begin at the beginning."""
    at: int = 0
    """k: recorded replies behind the moment."""
    of: int | None = None
    """Answered calls of the origin in all."""
    node: str | None = None
    """Of the call that follows the moment; None where none does."""
    role: str | None = None
    prefix: str | None = None
    """Short name of the model that made the moment."""
    suffix: str | None = None
    """Short name of the model that was asked, or went on."""
    factors: dict[str, JsonValue] = {}
    """What is crossed beside the model, as columns of the `trials` table: `moment`, `prefix`, `at`, `surface`."""
    detail: dict[str, JsonValue] = {}
    """What else the analysis of this kind needs."""


class Drift(BaseModel):
    """One thing that came out different on the way back to a moment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Literal["observation", "request", "path", "end"]
    """What a tool answered or a role heard; the messages or tools of a call; the node gone to; how the trial ended."""
    step: int
    """Of the trial on its way back, from 1."""
    node: str
    role: str | None
    recorded: str | None
    """As it was; None where there was nothing."""
    replayed: str | None
    """As it came out now; None where nothing did."""
