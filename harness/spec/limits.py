"""Limits on one trial and on one sweep; the tighter of scenario and sweep holds."""

from __future__ import annotations

from pydantic import Field

from harness.spec.base import Spec


class TrialLimits(Spec):
    """What one trial may use. Reaching one ends the trial in state `limit`, which is a result."""

    turns: int | None = Field(None, ge=1)
    """Model calls of all roles together."""
    tokens: int | None = Field(None, ge=1)
    """Prompt and completion tokens of all calls together."""
    seconds: float | None = Field(None, gt=0)
    """Wall time, the time spent waiting between provider retries not counted."""
    cost: float | None = Field(None, gt=0)
    """US dollars; calls of unknown price do not count."""

    def tighter(self, other: TrialLimits) -> TrialLimits:
        """The smaller of each pair of limits; a limit that only one side names holds."""
        merged = {}
        for field in TrialLimits.model_fields:
            values = [v for v in (getattr(self, field), getattr(other, field)) if v is not None]
            merged[field] = min(values) if values else None
        return TrialLimits(**merged)


class SweepLimits(Spec):
    """What a whole sweep may use; reaching one stops it cleanly, to be resumed."""

    cost: float | None = Field(None, gt=0)
    """US dollars over all trials, retried calls included."""
    seconds: float | None = Field(None, gt=0)
    """Wall time of one `harness run`."""
