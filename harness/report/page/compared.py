"""A comparison as a report page: every analysis a section, every number a way to the trials behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from harness import __version__
from harness.compare import Analysis
from harness.compare.sentences import several
from harness.report.comparing import Compared
from harness.report.comparison import plots_of, tables_of
from harness.report.page import Page, PageSection, page_trials, write_page

MOST_NAMED = 12


def write_report(compared: Compared, path: str | Path) -> int:
    """Write the comparison as one HTML file; returns its size in bytes. Raises `RecordError`."""
    return write_page(path, report_page(compared))


def report_page(compared: Compared) -> Page:
    """The page of a comparison."""
    comparison, evidence = compared.comparison, compared.evidence
    common = {caution.text for caution in comparison.cautions}
    sections = [_section(compared, analysis, common) for analysis in comparison.analyses.values()]
    return Page(
        title=compared.title,
        facts=_facts(compared),
        sentences=comparison.headlines,
        cautions=[caution.text for caution in comparison.cautions],
        sections=sections,
        trials=page_trials(evidence, sections),
        trials_in_all=len(evidence.trials),
    )


def _section(compared: Compared, analysis: Analysis, common: set[str]) -> PageSection:
    return PageSection(
        name=analysis.name,
        title=analysis.title,
        sentences=analysis.sentences(),
        tables=tables_of(analysis),
        plots=plots_of(analysis, compared.graphs),
        notes=analysis.notes,
        cautions=[text for text in analysis.cautions if text not in common],
        too_few=analysis.too_few,
    )


def _facts(compared: Compared) -> list[tuple[str, str]]:
    evidence, comparison = compared.evidence, compared.comparison
    table = evidence.trials
    facts = [("sweeps", _named(compared.recorded.names)), (several(comparison.by), _named(comparison.models))]
    held = [name for name in ("scenario", "scaffold", "model") if name != comparison.by]
    facts += [(f"{name}s", _named(sorted(table[name].dropna().astype(str).unique()))) for name in held]
    tasks = len(table[["scenario", "task"]].drop_duplicates())
    facts.append(("tasks", f"{tasks:,}"))
    facts.append(("trials", f"{len(table):,} recorded, {len(evidence.results):,} of them results"))
    if evidence.paths is not None:
        facts.append(("actions", f"{len(evidence.paths.kind):,}"))
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return [*facts, ("written", f"{written} by harness {__version__}")]


def _named(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
