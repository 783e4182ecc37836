"""The shapes of what `--json` prints: one object on standard output, unknown as null, never NaN.

- `harness results SWEEP --json`: `ResultsShape`
- `harness compare SWEEP... --json`: `ComparisonShape`
- `harness show TRIAL --json`: `TrialShape`; of an imported one `ImportedTrialShape`
- `harness show SCAFFOLD --json`: `ScaffoldShape`

Rates, scores and differences of them are fractions; money is US dollars; times are seconds. `version` goes up when a
field changes its meaning or goes; fields may be added without it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from harness.compare import ANALYSES, Analysis, Caution, Summary
from harness.compare.divergence import Divergence
from harness.compare.failures import Failures
from harness.compare.fingerprints import Fingerprints
from harness.compare.identification import Identification
from harness.compare.outcomes import Outcomes
from harness.compare.pairs import Pairs
from harness.compare.power import Power
from harness.compare.sequences import Sequences
from harness.compare.variance import Variance
from harness.record import CheckResult, Event, TrialRecord, TrialRow
from harness.record.imported.trial import ImportedRecord

if TYPE_CHECKING:
    from harness.report.comparing import Compared


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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
    """A comparison: what each analysis found; null for those that were not asked for."""

    version: Literal[2] = 2  # type: ignore[assignment]
    sweeps: list[str]
    by: str
    """What is compared: `model`, or another column."""
    models: list[str]
    """The values of `by`, in plan order."""
    headlines: list[str]
    """The findings across analyses, in a line for each pair."""
    sentences: dict[str, list[str]]
    """Analysis -> its findings in plain English."""
    cautions: list[Caution]
    """What touches all numbers: unequal receipts and budgets, missing trials, incomplete pairs."""
    outcomes: Outcomes | None
    pairs: Pairs | None
    power: Power | None
    variance: Variance | None
    fingerprints: Fingerprints | None
    sequences: Sequences | None
    divergence: Divergence | None
    identification: Identification | None
    failures: Failures | None
    intervention: dict[str, JsonValue] | None = None
    """Of a probe, fork, relay, seats or perturb: `name`, and the fields of its analysis; null for other trials."""


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


class ImportedTrialShape(_Shape):
    """One imported trial; null is unknown."""

    sweep: str
    imported: str
    """The format it was imported from."""
    row: dict[str, bool | int | float | str | None]
    """Columns of `trials`."""
    actions: list[dict[str, bool | int | float | str | None]]
    """Rows of `actions`, with arguments, text and observation."""
    checks: list[dict[str, bool | int | float | str | None]]


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


def output_schemas() -> dict[str, dict[str, Any]]:
    """Name -> JSON Schema of what `--json` prints; descriptions are the docstrings of the fields."""
    shapes: dict[str, type[BaseModel]] = {
        "comparison": ComparisonShape, "results": ResultsShape, "trial": TrialShape, "scaffold-drawing": ScaffoldShape,
    }  # fmt: skip
    return {name: shape.model_json_schema(mode="serialization") for name, shape in shapes.items()}


def comparison_shape(compared: Compared) -> ComparisonShape:
    """The shape of a comparison."""
    comparison = compared.comparison
    return ComparisonShape(
        sweeps=compared.recorded.names,
        by=comparison.by,
        models=comparison.models,
        headlines=comparison.headlines,
        sentences={name: result.sentences() for name, result in comparison.analyses.items()},
        cautions=comparison.cautions,
        intervention=None if comparison.intervention is None else _plain(comparison.intervention),
        **{name: getattr(comparison, name) for name in ANALYSES},
    )


def _plain(analysis: Analysis) -> dict[str, JsonValue]:
    """An analysis as JSON data; what is no number is null."""
    data: dict[str, JsonValue] = TypeAdapter(type(analysis)).dump_python(analysis, mode="json")
    return {"name": analysis.name, **data}


def trial_shape(sweep: str, record: TrialRecord | ImportedRecord) -> TrialShape | ImportedTrialShape:
    """The shape of one recorded trial, run here or imported."""
    if isinstance(record, ImportedRecord):
        return ImportedTrialShape(
            sweep=sweep,
            imported=record.format,
            row=dict(record.row),
            actions=[dict(action) for action in record.actions],
            checks=[dict(check) for check in record.checks],
        )
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
