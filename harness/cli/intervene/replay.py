"""`harness replay`: recorded trials through their scaffold again, and what drifts on the way."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.intervene.origin import Origin
    from harness.intervene.replaying import Replayed
    from harness.record import Drift, TrialRow

SHOWN = 12
"""Lines shown of each version of what drifted."""
EVERY = 10.0
"""Seconds between two lines of progress, where there is no terminal."""


@click.command
@click.argument("thing", metavar="TRIAL|SWEEP")
@click.option(
    "--to", type=click.IntRange(min=0), default=None, help="Only so many calls; all of the trial when absent."
)
@click.option("--sweep", default=None, help="Look for TRIAL in this sweep only.")
@click.option("-j", "--at-once", type=click.IntRange(1, 64), default=None, help="Trials at once; as many as cores.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of trials.")
@click.option("--results-dir", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
def command(
    thing: str, to: int | None, sweep: str | None, at_once: int | None, as_json: bool, results_dir: Path
) -> None:  # fmt: skip
    """Take TRIAL (the beginning of its id, or SWEEP/ID), or every trial of SWEEP, through its scaffold again.

    The recorded replies are given again through the same scaffold and a fresh environment of the same seed; no model
    is asked, and nothing is written. What comes out different is drift: a tool's answer, what a role hears, what a
    call is asked with, where the scaffold goes, how the trial ends. The first difference is shown with both versions.
    Exit codes: 0 nothing drifts, 1 something does or a trial cannot be replayed, 2 wrong input, 130 interrupted.

    With --json, a list of {trial, scenario, task, scaffold, model, calls, of, same, drift: [{what, step, node, role,
    recorded, replayed}], not_compared, error}; not_compared says why the ending was not compared, else null.
    """
    from harness.intervene.origin import open_origin
    from harness.intervene.replaying import replay_all

    folder, trial = _found(thing, sweep, results_dir)
    counts = Counts()
    with open_origin(folder) as origin:
        rows = _rows(origin, trial)
        tell = _teller(len(rows)) if not as_json else lambda found: None

        def on_each(found: Replayed) -> None:
            counts.add(found)
            tell(found)

        workers = at_once or os.cpu_count() or 1
        kept = asyncio.run(replay_all(origin, rows, to=to, at_once=workers, on_each=on_each, keep=as_json))
    if as_json:
        click.echo(json.dumps([_data(found) for found in kept], indent=2))
    elif len(rows) > 1:
        _summary(counts)
    sys.exit(0 if counts.all.same else 1)


def _found(thing: str, sweep: str | None, results_dir: Path) -> tuple[Path, str | None]:
    """The folder of a record, and the trial in it that is named, if one is."""
    from harness.errors import UserError
    from harness.record import TrialRow
    from harness.report.finding import find_recorded, find_trial

    nowhere: UserError | None = None
    if sweep is None:
        try:
            return find_recorded(thing, results_dir), None
        except UserError as error:
            nowhere = error
        folder, _, identifier = thing.rpartition("/")
        if folder and not Path(thing).exists():
            sweep, thing = folder, identifier
    try:
        name, record = find_trial(thing, results_dir, sweep)
    except UserError as error:
        if nowhere is None or str(error).startswith("several"):
            raise
        raise UserError(f"{nowhere}; nor is there a trial whose id begins so") from None
    row = record.row
    return find_recorded(sweep or name, results_dir), row.trial if isinstance(row, TrialRow) else str(row["trial"])


def _rows(origin: Origin, trial: str | None) -> list[TrialRow]:
    from harness.errors import UserError

    if trial is not None:
        return [origin.record(trial).row]
    if {line.kind for line in origin.lineage.values()} == {"probe"}:
        raise UserError(f"{origin.name} is a probe: it asked once and did nothing, so there is no way to go again")
    if not origin.attempted:
        raise UserError(f"{origin.name}: no trial is recorded that could be replayed")
    return origin.attempted


@dataclass
class Count:
    """What came of some trials."""

    trials: int = 0
    calls: int = 0
    drifted: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why endings were not compared -> of how many trials."""

    @property
    def same(self) -> bool:
        """Whether every one came out as recorded."""
        return not self.drifted and not self.failed

    def add(self, found: Replayed) -> None:
        """Take in one."""
        self.trials += 1
        self.calls += found.calls
        self.drifted += bool(found.drift)
        self.failed += found.error is not None
        if found.not_compared is not None:
            self.reasons[found.not_compared] += 1

    def told(self) -> str:
        """In a line."""
        text = f"{self.trials} trials, {self.calls} calls: {self.drifted or 'none'} drifted"
        return text + (f", {self.failed} could not be replayed" if self.failed else "")


@dataclass
class Counts:
    """The same for each scenario and scaffold, and for all."""

    all: Count = field(default_factory=Count)
    each: dict[tuple[str, str], Count] = field(default_factory=dict)

    def add(self, found: Replayed) -> None:
        """Take in one."""
        self.all.add(found)
        self.each.setdefault((found.scenario, found.scaffold), Count()).add(found)


def _teller(trials: int) -> Callable[[Replayed], None]:
    """Tells of what drifts as it is found, and on a terminal how far it is."""
    from harness.report.plain import harmless

    done, said = 0, time.monotonic()
    live = sys.stderr.isatty()

    def tell(found: Replayed) -> None:
        nonlocal done, said
        done += 1
        if live:
            click.echo(f"\r{done}/{trials} trials", nl=done == trials, err=True)
        elif time.monotonic() - said >= EVERY:
            said = time.monotonic()
            click.echo(f"{done}/{trials} trials", err=True)
        if found.error is not None:
            click.echo(harmless(f"FAIL  {found.trial}  {found.scenario}/{found.task}: {found.error}"))
        elif found.drift:
            _tell_drift(found)
        elif trials == 1:
            calls = f"{found.calls} of {found.of} calls"
            ending = f"; how it ended was not compared: {found.not_compared}" if found.not_compared else ""
            click.echo(f"same  {found.trial}  {found.scenario}/{found.task}: {calls}, nothing drifts{ending}")

    return tell


def _tell_drift(found: Replayed) -> None:
    from harness.report.plain import harmless

    first, *others = found.drift
    click.echo(f"DRIFT {found.trial}  {found.scenario}/{found.task}, {found.scaffold}, {found.model}")
    role = f", role {first.role}" if first.role else ""
    click.echo(f"  first: {_named(first)} at step {first.step}, node {first.node}{role}")
    for word, text in (("recorded", first.recorded), ("now", first.replayed)):
        click.echo(f"    {word}:")
        lines = harmless("(nothing)" if text is None else text or "(empty)").splitlines() or ["(empty)"]
        for line in lines[:SHOWN]:
            click.echo(f"      {line[:300]}")
        if len(lines) > SHOWN:
            click.echo(f"      ... {len(lines) - SHOWN} more lines")
    if others:
        kinds = ", ".join(f"{_named(drift)} at step {drift.step}" for drift in others[:5])
        click.echo(f"  after it: {kinds}" + (f" and {len(others) - 5} more" if len(others) > 5 else ""))


def _named(drift: Drift) -> str:
    words = {
        "observation": "what was observed", "request": "what a call is asked with", "path": "where the scaffold goes",
        "end": "how it ends",
    }  # fmt: skip
    return words[drift.what]


def _summary(counts: Counts) -> None:
    """A line for each scenario and scaffold, and one for all."""
    names = {key: " / ".join(key) for key in counts.each}
    width = max(map(len, names.values()))
    for key in sorted(counts.each) if len(names) > 1 else ():
        click.echo(f"{names[key]:<{width}}  {counts.each[key].told()}")
    for reason, count in counts.all.reasons.items():
        click.echo(f"how {count} trial{'' if count == 1 else 's'} ended was not compared: {reason}")
    click.echo(f"replayed {counts.all.told()}")


def _data(found: Replayed) -> dict[str, object]:
    return {
        "trial": found.trial, "scenario": found.scenario, "task": found.task, "scaffold": found.scaffold,
        "model": found.model, "calls": found.calls, "of": found.of, "same": found.same,
        "drift": [drift.model_dump() for drift in found.drift], "not_compared": found.not_compared,
        "error": found.error,
    }  # fmt: skip
