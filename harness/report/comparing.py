"""From the sweeps that a user names to their comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.compare import Caution, Comparison, Evidence, compare, gather
from harness.compare.evidence import Reader
from harness.compare.sentences import several
from harness.record import open_record
from harness.report.sweeps import Recorded, open_recorded

if TYPE_CHECKING:
    import pandas as pd

    from harness.report.plots.graph import Graph

MOST_UNKNOWN = 8
READ = ("trial", "position", "kind", "action", "arguments", "text")
"""Columns of what `Evidence.read` reads."""


@dataclass(frozen=True)
class Compared:
    """Sweeps and what was found in them."""

    recorded: Recorded
    evidence: Evidence
    comparison: Comparison

    @cached_property
    def graphs(self) -> dict[str, Graph]:
        """The graphs of the scaffolds that the sweeps kept, by name."""
        from harness.report.plots.graph.scaffolds import recorded_graphs

        return recorded_graphs(self.recorded.folders)

    @property
    def title(self) -> str:
        """`first-light: 2 models, 48 results`."""
        count = len(self.comparison.models)
        word = self.comparison.by if count == 1 else several(self.comparison.by)
        return f"{self.recorded.title}: {count} {word}, {len(self.evidence.results):,} results"


def compare_sweeps(
    references: Sequence[str],
    results: Path = Path("results"),
    *,
    between: Sequence[str] = (),
    by: str = "model",
    only: Sequence[str] = (),
    tell: Callable[[str], None] | None = None,
) -> Compared:
    """Compare the models (or the values of another column) of recorded sweeps; see `harness.compare.compare`.

    Raises `UserError` for sweeps, models, columns and analyses that are not there.
    """
    if tell is not None:
        tell("reading the record")
    recorded = open_recorded(references, results, calls=True)
    evidence = _gathered(recorded, between, by)
    comparison = compare(evidence, only, tell)
    return Compared(recorded, evidence, replace(comparison, cautions=[*comparison.cautions, *_imported(recorded)]))


def _gathered(recorded: Recorded, between: Sequence[str], by: str) -> Evidence:
    import pandas as pd

    several = len(recorded.folders) > 1
    tables: dict[str, list[pd.DataFrame]] = {"actions": [], "visits": []}
    for name, folder in zip(recorded.names, recorded.folders, strict=True):
        record = open_record(folder)
        try:
            for kind, found in (("actions", record.actions()), ("visits", record.visits())):
                if several:
                    found = found.assign(trial=_qualified(found["trial"], name))
                tables[kind].append(found)
        finally:
            record.close()
    trials = recorded.trials
    calls, lineage = recorded.calls, recorded.lineage
    if several:
        # Two sweeps that hold the same cell number its trials alike.
        trials = trials.assign(trial=_qualified(trials["trial"], trials["sweep"]))
        if calls is not None:
            calls = calls.assign(trial=_qualified(calls["trial"], calls["sweep"]))
        if lineage is not None:
            lineage = lineage.assign(trial=_qualified(lineage["trial"], lineage["record"]))
    return gather(
        trials,
        actions=pd.concat(tables["actions"]),
        visits=pd.concat(tables["visits"]),
        asked=recorded.asked,
        calls=calls,
        between=between or None,
        by=by,
        contrasts=recorded.contrasts or None,
        lineage=lineage,
        read=_reader(recorded, several),
    )


def _qualified(trials: pd.Series, sweep: str | pd.Series) -> pd.Series:
    """`<sweep>/<trial>`."""
    return (sweep + "/" if isinstance(sweep, str) else sweep.astype(str) + "/") + trials.astype(str)


def _reader(recorded: Recorded, several: bool) -> Reader:
    def read(trials: Sequence[str]) -> pd.DataFrame:
        import pandas as pd

        found = []
        for name, folder in zip(recorded.names, recorded.folders, strict=True):
            prefix = f"{name}/" if several else ""
            here = [trial.removeprefix(prefix) for trial in trials if trial.startswith(prefix)]
            record = open_record(folder)
            try:
                table = record.actions(("arguments", "text"), here)[list(READ)]
            finally:
                record.close()
            found.append(table.assign(trial=_qualified(table["trial"], name)) if several else table)
        return pd.concat(found)

    return read


def _imported(recorded: Recorded) -> list[Caution]:
    """What the sources of imported sweeps do not say, and what was declared too late."""
    found = []
    if recorded.late_contrasts:
        pairs = ", ".join(f"{first} and {second}" for first, second in recorded.late_contrasts[:MOST_UNKNOWN])
        text = f"contrasts declared after the first trial are explored like any other pair: {pairs}"
        found.append(Caution("contrasts", [], text))
    for lock in recorded.imported:
        names = [name for columns in lock.unknown.values() for name in columns]
        if names:
            listed = ", ".join(names[:MOST_UNKNOWN])
            more = f" and {len(names) - MOST_UNKNOWN} more" if len(names) > MOST_UNKNOWN else ""
            text = f"{lock.name} was imported ({lock.format}); its source does not say {listed}{more}"
            found.append(Caution("imported", [], text))
        for name in lock.mixed:
            text = (
                f"{name} differs between repeats of one scenario, task, scaffold and model in {lock.name}: they are "
                f"averaged over it; import with --cross {name} if it is a condition"
            )
            found.append(Caution("imported", [], text))
    return found
