"""`harness show`: one scaffold as a drawing, or one recorded trial from beginning to end."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

_TRIAL = re.compile(r"[0-9a-f]{2,12}(-\d+){0,2}", re.ASCII)


@click.command
@click.argument("thing")
@click.option("--full", is_flag=True, help="Do not cut long texts of a trial.")
@click.option("--mermaid", is_flag=True, help="Draw a scaffold as Mermaid instead of text.")
@click.option("--sweep", help="Look for the trial in this sweep only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (harness.report.shapes).")
@click.option("--results-dir", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
def command(thing: str, full: bool, mermaid: bool, sweep: str | None, as_json: bool, results_dir: Path) -> None:
    """Draw THING, a scaffold (a file or a shipped name), or print the trial whose id begins with THING.

    A trial may also be named SWEEP/ID.

    With --json, of a trial: {version, sweep, row, checks, events, messages, schemas, facts, error_detail,
    final_state_bytes, final_state_truncated}; of an imported one: {version, sweep, imported, row, actions, checks}; of
    a scaffold: {version, name, path, digest, text, mermaid, scaffold}.
    """
    from harness.spec.library import shipped

    folder, _, identifier = thing.rpartition("/")
    if sweep is None and folder and _TRIAL.fullmatch(identifier) and not Path(thing).exists():
        sweep, thing = folder, identifier  # as comparisons of several sweeps name trials
    shipped_name = thing in shipped("scaffold")
    is_trial = sweep is not None or (
        _TRIAL.fullmatch(thing) is not None and not Path(thing).exists() and not shipped_name
    )
    if is_trial:
        _show_trial(thing, full, sweep, as_json, results_dir)
    else:
        _show_scaffold(thing, mermaid, as_json)


def _show_trial(prefix: str, full: bool, sweep: str | None, as_json: bool, results_dir: Path) -> None:
    from harness.report import print_trajectory
    from harness.report.finding import find_trial

    name, record = find_trial(prefix, results_dir, sweep)
    if not as_json:
        print_trajectory(record, name, full, sys.stdout)
        return
    from harness.report.shapes import to_json, trial_shape

    click.echo(to_json(trial_shape(name, record)))


def _show_scaffold(reference: str, mermaid: bool, as_json: bool) -> None:
    from harness.errors import UserError
    from harness.report.plain import harmless
    from harness.report.screen import print_text
    from harness.scaffolds.draw import draw_mermaid, draw_text
    from harness.spec import find_file, load_scaffold

    try:
        path = find_file(reference, "scaffold", Path.cwd())
    except UserError as error:
        raise UserError(
            f"{error}; a trial is named by the beginning of its id, two hexadecimal digits or more"
        ) from error
    loaded = load_scaffold(path)
    if not as_json:
        print_text(harmless(draw_mermaid(loaded.flat) if mermaid else draw_text(loaded.flat)), sys.stdout)
        return
    from harness.report.shapes import ScaffoldShape, to_json

    shape = ScaffoldShape(
        name=loaded.spec.name, path=str(path), digest=loaded.digest, text=draw_text(loaded.flat),
        mermaid=draw_mermaid(loaded.flat), scaffold=loaded.flat.model_dump(mode="json", exclude_defaults=True),
    )  # fmt: skip
    click.echo(to_json(shape))
