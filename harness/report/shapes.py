"""The shapes of what `--json` prints: one object on standard output, unknown as null, never NaN.

- `harness results SWEEP --json`: `ResultsShape`
- `harness compare SWEEP... --json`: `ComparisonShape`
- `harness show TRIAL --json`: `TrialShape`
- `harness show SCAFFOLD --json`: `ScaffoldShape`

Rates, scores and differences of them are fractions; money is US dollars; times are seconds. `version` goes up when a
field changes its meaning or goes; fields may be added without it.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from harness.compare import Behaviour, Caution, Section, Summary
from harness.record import CheckResult, Event, TrialRecord, TrialRow


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1


def to_json(shape: BaseModel) -> str:
    """The JSON text, all ASCII: safe on any terminal and in any encoding."""
    return json.dumps(shape.model_dump(mode="json"), indent=2, allow_nan=False)


class ResultsShape(_Shape):
    """The result table."""

    sweep: str
    by: list[str]
    """Columns the rows are grouped by."""
    varying: list[str]
    """Columns that `--by` could name, because they vary."""
    rows: list[Summary]
    notes: list[str]


class ComparisonShape(_Shape):
    """A comparison of models."""

    sweeps: list[str]
    by: str
    models: list[str]
    sentences: list[str]
    """The findings in plain English."""
    overall: Section
    sections: list[Section]
    """Per scenario and per scaffold, where there are several."""
    behaviours: list[Behaviour]
    cautions: list[Caution]
    """What has to stand beside the numbers: unequal receipts, missing trials, incomplete pairs."""
    notes: list[str]


class TrialShape(_Shape):
    """One recorded trial; the final state of the environment is not in it."""

    sweep: str
    row: TrialRow
    checks: list[CheckResult]
    events: list[Event]
    messages: dict[str, dict[str, Any]]
    """Hash -> message."""
    schemas: dict[str, JsonValue]
    """Hash -> tool schemas or response format."""
    facts: dict[str, JsonValue]
    error_detail: str | None
    final_state_bytes: int | None
    final_state_truncated: bool


class ScaffoldShape(_Shape):
    """One scaffold, as it is run (every `use` inlined)."""

    name: str
    path: str
    digest: str
    text: str
    """The graph as text."""
    mermaid: str
    """The graph as Mermaid."""
    scaffold: dict[str, JsonValue]


def trial_shape(sweep: str, record: TrialRecord) -> TrialShape:
    """The shape of one recorded trial."""
    document = record.document
    return TrialShape(
        sweep=sweep,
        row=record.row,
        checks=record.checks,
        events=document.events,
        messages=document.messages,
        schemas=document.schemas,
        facts=document.facts,
        error_detail=document.error_detail,
        final_state_bytes=None if record.final_state is None else len(record.final_state),
        final_state_truncated=record.final_state_truncated,
    )
