"""`harness validate`: gold solutions and a null agent through the real environments."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.conformance import Finding
    from harness.scoring import TaskValidation


@click.command
@click.argument("scenarios", nargs=-1, required=True)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON list of tasks: scenario, task, ok, gold, null, problems."
)
@click.option("-j", "--at-once", type=click.IntRange(1, 64), default=None, help="Tasks at once; as many as cores.")
@click.option(
    "--conformance", is_flag=True, help="Also hold the environment to what every environment promises; takes longer."
)
@click.option(
    "--many",
    type=click.IntRange(2, 1000),
    default=20,
    show_default=True,
    help="With --conformance: worlds opened at once.",
)
@click.option("-v", "--verbose", is_flag=True, help="Also print every check of the gold solution and the null agent.")
def command(
    scenarios: tuple[str, ...], as_json: bool, at_once: int | None, conformance: bool, many: int, verbose: bool
) -> None:  # fmt: skip
    """Show that each of SCENARIOS (files, folders, or names of shipped ones) is fair.

    Runs every task's gold solution through the real environment, twice: it must score full marks without an error on
    the way. Also runs an agent that does nothing and prints its score. Exit codes: 0 all well, 1 a task fails or a
    promise is broken, 2 wrong input.

    With --conformance the solutions are also the actions by which the environment is held to its promises: the same
    observations for the same seed, trials that stand apart, nothing left behind, snapshots that restore, and others.
    This is how a new environment of one's own is tested.

    With --json, a list of {ok, scenario, task, gold, null, problems: [text], notes: [text], checks: [{name, kind,
    weight, score, detail, error}], null_checks}; gold and null are scores in [0, 1], null where nothing was scored.
    With --conformance each also has {conformance: [{case, promise, outcome, detail, seconds}]}, outcome one of kept,
    broken, not offered.
    """
    from harness.scoring.session import validate_all

    def tell(result: TaskValidation) -> None:
        if not as_json:
            _tell(result, verbose)

    results = validate_all(scenarios, at_once or os.cpu_count() or 1, tell)
    if not as_json:
        failed = sum(not result.ok for result in results)
        click.echo(f"{len(results)} tasks, {failed} failed" if failed else f"{len(results)} tasks, all well")
    findings = _conformance(scenarios, many, quiet=as_json, verbose=verbose) if conformance else []
    if as_json:
        told = [result.as_data() for result in results]
        for data in told if conformance else ():
            case = f"{data['scenario']}/{data['task']}"
            data["conformance"] = [finding.as_data() for finding in findings if finding.case == case]
        click.echo(json.dumps(told, indent=2))
    well = all(result.ok for result in results) and all(finding.outcome != "broken" for finding in findings)
    sys.exit(0 if well else 1)


def _conformance(references: tuple[str, ...], many: int, *, quiet: bool, verbose: bool) -> list[Finding]:
    """Look at every promise, telling what is broken as it is found."""
    from harness.conformance import examine_all
    from harness.scoring.session import load_all

    def tell(finding: Finding) -> None:
        if quiet or (finding.outcome == "kept" and not verbose):
            return
        if finding.outcome == "broken" or verbose:
            word = {"kept": "ok  ", "broken": "FAIL", "not offered": "-   "}[finding.outcome]
            click.echo(f"{word} {finding.case}: {finding.promise} ({finding.seconds:.1f} s) {finding.detail}".rstrip())

    if not quiet:
        click.echo("\nConformance:")
    findings = examine_all(load_all(references), many=many, on_each=tell)
    if not quiet:
        for line in _promises_kept(findings):
            click.echo(line)
    return findings


def _promises_kept(findings: list[Finding]) -> list[str]:
    """One line a promise: for how many tasks it is kept, broken, or does not apply, and why not."""
    if not findings:
        return ["no task has a solution, so there is nothing to act with: nothing was looked at"]
    lines = []
    width = max(len(finding.promise) for finding in findings)
    for promise in dict.fromkeys(finding.promise for finding in findings):
        of_it = [finding for finding in findings if finding.promise == promise]
        counts = {word: sum(finding.outcome == word for finding in of_it) for word in ("kept", "not offered", "broken")}
        told = ", ".join(f"{word} {count}" for word, count in counts.items() if count)
        reasons = dict.fromkeys(finding.detail for finding in of_it if finding.outcome == "not offered")
        why = f" ({'; '.join(list(reasons)[:2])})" if reasons else ""
        lines.append(f"  {promise:<{width}}  {told}{why}")
    broken = sum(finding.outcome == "broken" for finding in findings)
    return [*lines, f"{len(findings)} looks, {broken} broken" if broken else f"{len(findings)} looks, nothing broken"]


def _tell(result: TaskValidation, verbose: bool) -> None:
    """What was found about a task, with its scores first: names are of any length."""
    gold, null = ("none" if score is None else f"{score:.2f}" for score in (result.gold, result.null))
    word = "ok  " if result.ok else "FAIL"
    click.echo(f"{word} solution {gold}  null agent {null}  {result.scenario}/{result.task}")
    for problem in result.problems:
        click.echo(f"       {problem}")
    for note in result.notes:
        click.echo(f"       note: {note}")
    for who, checks in (("solution", result.checks), ("null agent", result.null_checks)) if verbose else ():
        for check in checks:
            score = "none" if check.score is None else f"{check.score:.2f}"
            click.echo(f"       {who}: {check.name} {score} {check.error or check.detail}")
