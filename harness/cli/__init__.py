"""The `harness` command: one module per subcommand, no logic; nothing heavy is imported before it is needed."""

from harness.cli.main import main

__all__ = ["main"]
