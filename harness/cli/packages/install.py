"""`harness install`: the packages that adapters and MCP servers need, in environments of their own."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from harness.environments.packages import Packages


@click.command
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "listed", is_flag=True, help="Say what is installed, and where.")
@click.option("--json", "as_json", is_flag=True, help="A JSON list of {packages: [pin], path}.")
def command(names: tuple[str, ...], listed: bool, as_json: bool) -> None:
    """Install what adapters and MCP servers need, where it is not here yet.

    NAME is a scenario (a file, a folder of them, or the name of a shipped one), an environment kind such as agentdojo,
    or a package with its exact version, NAME==1.2.3 of PyPI or NAME@1.2.3 of npm; packages named together share one
    environment. Nothing is ever installed by a run. Exit codes: 0 all there, 2 wrong input, or it could not be
    installed.
    """
    from harness.environments.packages import all_installed, install, installed, place

    if listed or not names:
        sets = all_installed()
    else:
        needed = _needed(names)
        say = (lambda line: None) if as_json else click.echo
        for packages in filter(installed, needed):
            say(f"{packages} is installed in {place(packages)}")
        sets = [(packages, install(packages, say)) for packages in needed]
        if not needed and not as_json:
            click.echo("these need no packages of their own")
    if as_json:
        told = [{"packages": [*packages.pip, *packages.npm], "path": str(path)} for packages, path in sets]
        click.echo(json.dumps(told, indent=2))
    elif listed or not names:
        for packages, path in sets:
            click.echo(f"{packages}  {path}")
        if not sets:
            click.echo("nothing is installed yet; harness install NAME does it for a scenario or an environment kind")


def _needed(names: tuple[str, ...]) -> list[Packages]:
    """The sets of packages that scenarios, kinds and pins come to, each once."""
    from harness.environments.packages import Packages

    pins = [name for name in names if re.search(r"==|.@\d", name)]
    needed: dict[Packages, None] = {}
    if pins:
        pip = tuple(pin for pin in pins if "==" in pin)
        needed[Packages(pip, tuple(pin for pin in pins if "==" not in pin))] = None
    for name in names:
        if name not in pins:
            needed.update(dict.fromkeys(_of_kind(name) or _of_scenarios(name)))
    return list(needed)


def _of_kind(name: str) -> list[Packages]:
    """What a kind needs whatever its options; empty for what is no kind, or needs its options to say."""
    from harness.environments import CATALOG, load_kind

    if name not in CATALOG.kinds():
        return []
    kind = load_kind(name)
    packages = getattr(kind, "packages", None)
    if packages is None:
        return []
    try:  # options that a kind cannot do without are not needed to know an adapter's package
        found = packages(kind.Options.model_construct())
    except AttributeError:
        return []
    return [cast("Packages", found)] if found is not None else []


def _of_scenarios(name: str) -> list[Packages]:
    """What the environments of a scenario, or of all in a folder, need."""
    from harness.environments import CATALOG, load_kind
    from harness.scoring.session import scenario_files
    from harness.spec import load_environment
    from harness.spec.loading.kinds import asked

    found = []
    for path in scenario_files(name):
        kind, options = load_environment(path, CATALOG)
        packages = getattr(load_kind(kind), "packages", None)
        if packages is not None and (needed := asked(kind, "packages", partial(packages, options))) is not None:
            found.append(cast("Packages", needed))
    return found
