"""`harness check`: find what is wrong with the files that people write without running anything."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(paths: tuple[Path, ...], as_json: bool) -> int:
    """Check files, or all scenario, scaffold, sweep, models, script and variants files in folders.

    Exit code 0 when nothing is wrong, else 2.

    The JSON object: {"ok": bool, "checked": int, "files": [{"path", "kind", "name", "digest"}],
    "problems": [{"path", "line", "column", "message"}]}; line and column count from 1, 0 when unknown.
    """
    from harness.environments import CATALOG
    from harness.spec import check

    report = check(paths, CATALOG, {"script": _script, "variants": _variants})
    if as_json:
        shape = {
            "ok": not report.problems,
            "checked": report.checked,
            "files": [vars(file) for file in report.files],
            "problems": [vars(problem) for problem in report.problems],
        }
        click.echo(json.dumps(shape, indent=2))
        return 2 if report.problems else 0
    for problem in report.problems:
        click.echo(str(problem), err=True)
    click.echo(_summary(report.checked, len(report.problems)), err=bool(report.problems))
    return 2 if report.problems else 0


def _summary(checked: int, problems: int) -> str:
    files = "1 file" if checked == 1 else f"{checked} files"
    if not problems:
        return f"{files} checked: nothing wrong" if checked else "no files of the harness there"
    return f"{files} checked: {problems} problem{'s' if problems > 1 else ''}"


def _script(path: Path) -> object:
    from harness.models.scripted_file import load_script

    return load_script(path)


def _variants(path: Path) -> object:
    from harness.intervene.surfaces import read_variants

    return read_variants(path)
