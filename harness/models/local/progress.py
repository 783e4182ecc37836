"""Telling the user about a download (a bar on a terminal, plain lines elsewhere), and being told to stop one.

Everything goes to standard error, so that `--json` output stays clean.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

Advance = Callable[[int], None]
"""Called with the number of bytes done so far."""


class Interrupted(Exception):
    """A download or a start was told to stop; nothing of it is left."""


class Progress(Protocol):
    """Is told what a download does."""

    def note(self, text: str) -> None:
        """One line worth reading."""
        ...

    def bar(self, title: str, total: int) -> AbstractContextManager[Advance]:
        """Follow a piece of work of `total` bytes."""
        ...


class QuietProgress:
    """Says nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[Advance]:
        """Nothing to see."""
        yield lambda done: None


class PlainProgress:
    """A line at the start of a piece of work and every `every` seconds, for logs."""

    def __init__(self, every: float = 5.0) -> None:
        self._every = every

    def note(self, text: str) -> None:
        """Print it."""
        print(text, file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[Advance]:
        """A line every few seconds, and one at the end of work that took that long."""
        began = said = time.monotonic()

        def advance(done: int) -> None:
            nonlocal said
            now = time.monotonic()
            if now - said >= self._every:
                said = now
                self.note(f"  {title}: {_amount(min(done, total), total)} after {now - began:.0f} s")

        yield advance


class TerminalProgress(PlainProgress):
    """A bar with bytes, speed and time left."""

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[Advance]:
        """A live bar, gone when the work is done."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        console = Console(stderr=True)
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as live:
            task = live.add_task(title, total=total)
            yield lambda done: live.update(task, completed=min(done, total))


def shown_progress() -> Progress:
    """What suits standard error."""
    return TerminalProgress() if sys.stderr.isatty() else PlainProgress()


def _amount(done: int, total: int) -> str:
    return f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
