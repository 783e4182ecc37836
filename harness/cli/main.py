"""Entry point: finds the subcommand's module by name, and turns errors a user can cause into one line.

Exit codes: 0 all well, 1 something is missing or failed, 2 wrong input, 130 interrupted.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any

import click

from harness import __version__
from harness.errors import UserError

UNUSABLE = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ELOOP, errno.ENOTDIR)
"""What the system says of a path that the user should change, or of a disk to be cleared."""
COMMANDS = {
    "check": "Check scenario, scaffold, sweep and models files.",
    "schema": "Write JSON Schemas for editors.",
    "show": "Draw a scaffold, or print one recorded trial.",
    "plan": "Say what a sweep would run, and what it would cost.",
    "run": "Run a sweep, or what is missing of it.",
    "validate": "Run gold solutions and a null agent through the real environments.",
    "regrade": "Score a recorded sweep again, without any model.",
    "results": "Print and write the result tables of a sweep.",
    "import": "Read other tools' trajectories, and plain tables, as a sweep.",
    "compare": "Compare the models of a sweep.",
    "replay": "Take recorded trials through their scaffold again, and say what drifts.",
    "probe": "Ask every model what it would do at recorded moments.",
    "fork": "Go on from recorded moments with each model.",
    "relay": "Swap models in mid-course, both ways.",
    "seats": "Cross every seat of a scenario with every model.",
    "perturb": "Run the same scenario with another surface.",
    "models": "List local models, and download their weights.",
    "install": "Install what adapters and MCP servers need.",
    "tools": "Ask a scenario's MCP server for its tools, and pin them.",
}

MODULES = {
    "import": "import_",
    "install": "packages.install",
    "tools": "packages.tools",
    **{name: f"intervene.{name}" for name in ("replay", "probe", "fork", "relay", "seats", "perturb")},
}
"""Modules that are not called like their command: a word of Python, or in a room of their own."""


class _LazyGroup(click.Group):
    """A group whose subcommands live in `harness.cli.<name>`, each as a click command called `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"harness.cli.{MODULES.get(name, name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="harness")
def group() -> None:
    """Run one scaffold with many models in real environments, and compare what each did."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        code: Any = group.main(arguments, standalone_mode=False)
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except UserError as error:
        click.echo(str(error), err=True)
        code = 2
    except OSError as error:
        if error.errno not in UNUSABLE:
            raise
        click.echo(f"{str(error.filename)[:200]!r}: {os.strerror(error.errno).lower()}", err=True)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)
