"""`harness validate`: gold solutions and a null agent through the real environments."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.scoring import TaskValidation


@click.command
@click.argument("scenarios", nargs=-1, required=True)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON list of tasks: scenario, task, ok, gold, null, problems."
)
@click.option("-j", "--at-once", type=click.IntRange(1, 64), default=None, help="Tasks at once; as many as cores.")
@click.option("-v", "--verbose", is_flag=True, help="Also print every check of the gold solution and the null agent.")
def command(scenarios: tuple[str, ...], as_json: bool, at_once: int | None, verbose: bool) -> None:
    """Show that each of SCENARIOS (files, folders, or names of shipped ones) is fair.

    Runs every task's gold solution through the real environment, twice: it must score full marks without an error on
    the way. Also runs an agent that does nothing and prints its score. Exit codes: 0 all well, 1 a task fails, 2
    wrong input.

    With --json, a list of {ok, scenario, task, gold, null, problems: [text], notes: [text], checks: [{name, kind,
    weight, score, detail, error}], null_checks}; gold and null are scores in [0, 1], null where nothing was scored.
    """
    from harness.scoring.session import validate_all

    results = validate_all(scenarios, at_once or os.cpu_count() or 1)
    if as_json:
        click.echo(json.dumps([result.as_data() for result in results], indent=2))
    else:
        _print(results, verbose)
    sys.exit(0 if all(result.ok for result in results) else 1)


def _print(results: list[TaskValidation], verbose: bool) -> None:
    width = max(len(f"{result.scenario}/{result.task}") for result in results)
    for result in results:
        name = f"{result.scenario}/{result.task}"
        gold, null = ("none" if score is None else f"{score:.2f}" for score in (result.gold, result.null))
        click.echo(f"{'ok  ' if result.ok else 'FAIL'} {name:<{width}}  solution {gold}  null agent {null}")
        for problem in result.problems:
            click.echo(f"       {problem}")
        for note in result.notes:
            click.echo(f"       note: {note}")
        for who, checks in (("solution", result.checks), ("null agent", result.null_checks)) if verbose else ():
            for check in checks:
                score = "none" if check.score is None else f"{check.score:.2f}"
                click.echo(f"       {who}: {check.name} {score} {check.error or check.detail}")
    failed = sum(not result.ok for result in results)
    click.echo(f"{len(results)} tasks, {failed} failed" if failed else f"{len(results)} tasks, all well")
