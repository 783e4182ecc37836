"""Where reports are printed: colour only on a terminal, ASCII where the encoding is not UTF-8, markup never read.

Everything is drawn into memory first, so that a character which the stream cannot write becomes its escape instead
of a traceback.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 100
"""Columns when the output is no terminal and COLUMNS says nothing."""
WIDEST = 160
NARROWEST = 60


def print_drawn(draw: Callable[[Console], None], stream: TextIO | None = None, width: int | None = None) -> None:
    """Draw on a console of the stream's width, colours and encoding, and print it there (standard output when None)."""
    from rich.console import Console

    target = stream or sys.stdout
    encoding = (getattr(target, "encoding", None) or "utf-8").lower()
    terminal = bool(getattr(target, "isatty", lambda: False)())
    buffer = _Buffer(encoding)
    console = Console(
        file=buffer, width=width or _width(terminal), force_terminal=terminal, force_jupyter=False,
        no_color=None if terminal else True, markup=False, emoji=False, highlight=False, legacy_windows=False,
    )  # fmt: skip
    draw(console)
    print_text("\n".join(line.rstrip(" ") for line in buffer.getvalue().split("\n")), target)


def print_text(text: str, stream: TextIO) -> None:
    """Print as it is, with what the stream's encoding has not as its escape."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def is_ascii(console: Console) -> bool:
    """Whether only ASCII can be drawn."""
    return not console.encoding.replace("-", "").startswith("utf")


def _width(terminal: bool) -> int:
    if not terminal and not os.environ.get("COLUMNS", "").isdigit():
        return PIPED_WIDTH
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size((PIPED_WIDTH, 24)).columns))


class _Buffer(io.StringIO):
    """Says the encoding of the stream it stands for, which rich asks for."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding
