"""`harness replay`: recorded trials through their scaffold again, and what drifts on the way."""

from __future__ import annotations

import asyncio
import json
import os
import sys
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
    with open_origin(folder) as origin:
        rows = _rows(origin, trial)
        tell = _teller(len(rows)) if not as_json else lambda found: None
        results = asyncio.run(replay_all(origin, rows, to=to, at_once=at_once or os.cpu_count() or 1, on_each=tell))
    if as_json:
        click.echo(json.dumps([_data(found) for found in results], indent=2))
    else:
        _summary(results)
    sys.exit(0 if all(found.same for found in results) else 1)


def _found(thing: str, sweep: str | None, results_dir: Path) -> tuple[Path, str | None]:
    """The folder of a record, and the trial in it that is named, if one is."""
    from harness.errors import UserError
    from harness.record import TrialRow
    from harness.report.sweeps import find_recorded, find_trial

    if sweep is None and (results_dir / thing).is_dir():
        return find_recorded(thing, results_dir), None
    folder, _, identifier = thing.rpartition("/")
    if sweep is None and folder and not Path(thing).exists():
        sweep, thing = folder, identifier
    try:
        name, record = find_trial(thing, results_dir, sweep)
    except UserError:
        if sweep is not None:
            raise
        return find_recorded(thing, results_dir), None
    row = record.row
    return find_recorded(sweep or name, results_dir), row.trial if isinstance(row, TrialRow) else str(row["trial"])


def _rows(origin: Origin, trial: str | None) -> list[TrialRow]:
    from harness.errors import UserError

    if trial is not None:
        return [origin.record(trial).row]
    if {line.kind for line in origin.lineage.values()} == {"probe"}:
        raise UserError(f"{origin.name} is a probe: it asked once and did nothing, so there is no way to go again")
    if not origin.rows:
        raise UserError(f"{origin.name}: no trial is recorded that could be replayed")
    return origin.rows


def _teller(trials: int) -> Callable[[Replayed], None]:
    """Tells of what drifts as it is found, and on a terminal how far it is."""
    done = 0
    live = sys.stderr.isatty()

    def tell(found: Replayed) -> None:
        nonlocal done
        done += 1
        if live:
            click.echo(f"\r{done}/{trials} trials", nl=done == trials, err=True)
        if found.error is not None:
            click.echo(f"FAIL  {found.trial}  {found.scenario}/{found.task}: {found.error}")
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


def _summary(results: list[Replayed]) -> None:
    """A line for each scenario and scaffold, and one for all."""
    groups: dict[tuple[str, str], list[Replayed]] = {}
    for found in results:
        groups.setdefault((found.scenario, found.scaffold), []).append(found)
    if len(results) > 1:
        width = max(len(" / ".join(key)) for key in groups)
        for key, each in groups.items():
            click.echo(f"{' / '.join(key):<{width}}  {_counts(each)}")
    reasons: dict[str, int] = {}
    for found in results:
        if found.not_compared is not None and found.error is None and found.calls == found.of:
            reasons[found.not_compared] = reasons.get(found.not_compared, 0) + 1
    for reason, count in reasons.items() if len(results) > 1 else ():
        click.echo(f"how {count} trial{'' if count == 1 else 's'} ended was not compared: {reason}")
    if len(results) > 1:
        click.echo(f"replayed {_counts(results)}")


def _counts(results: list[Replayed]) -> str:
    drifted = sum(bool(found.drift) for found in results)
    failed = sum(found.error is not None for found in results)
    calls = sum(found.calls for found in results)
    text = f"{len(results)} trials, {calls} calls: {drifted or 'none'} drifted"
    return text + (f", {failed} could not be replayed" if failed else "")


def _data(found: Replayed) -> dict[str, object]:
    return {
        "trial": found.trial, "scenario": found.scenario, "task": found.task, "scaffold": found.scaffold,
        "model": found.model, "calls": found.calls, "of": found.of, "same": found.same,
        "drift": [drift.model_dump() for drift in found.drift], "not_compared": found.not_compared,
        "error": found.error,
    }  # fmt: skip
