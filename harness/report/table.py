"""A table of ready-made text, drawn to fit any width.

A table too wide for the screen is not squeezed: its columns are told in several blocks, each beginning with the
columns that name the row. No cell is broken over lines; what names rows, and a text that stands last, is shortened to
fit, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness.report.plain import columns as columns_of
from harness.report.plain import one_line, shortened
from harness.report.screen import is_ascii

if TYPE_CHECKING:
    from rich.console import Console

GAP = 2
NARROWEST_KEY = 12
NARROWEST_TEXT = 30


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    align: Literal["left", "right"] = "right"
    key: bool = False
    """Names the row; repeated in every block."""


class Cell(str):
    """The text of a cell that leads to the trials behind its number (`harness.report.links`)."""

    __slots__ = ("link",)
    link: str

    def __new__(cls, text: str, link: str) -> Cell:
        """A cell with this text and this link."""
        made = super().__new__(cls, text)
        made.link = link
        return made


@dataclass(frozen=True)
class Table:
    """Rows of cells, plain text or `Cell`. What others wrote is made harmless here."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    strong: frozenset[int] = field(default_factory=frozenset)
    """Rows drawn bold on a terminal."""

    def filled(self) -> Table:
        """The table without columns whose every cell is empty, and cells made harmless."""
        rows = [[_harmless(cell) for cell in row] for row in self.rows]
        kept = [n for n, column in enumerate(self.columns) if column.key or any(row[n] for row in rows)]
        return Table(self.title, [self.columns[n] for n in kept], [[row[n] for n in kept] for row in rows], self.strong)


def _harmless(cell: str) -> str:
    return Cell(one_line(cell), cell.link) if isinstance(cell, Cell) else one_line(cell)


def draw_table(console: Console, table: Table) -> None:
    """Draw in as many blocks as the width of the console asks for."""
    from rich.text import Text

    table = table.filled()
    if table.title:
        console.print(Text(table.title, style="bold"))
    if not table.rows:
        console.print(Text("  nothing yet", style="dim"))
        return
    cells = _fitted([[column.name for column in table.columns], *table.rows], table.columns, console.width)
    cells = _ended(cells, table.columns, console.width)
    widths = [max(columns_of(row[n]) for row in cells) for n in range(len(table.columns))]
    for position, block in enumerate(_blocks(table.columns, widths, console.width)):
        if position:
            console.print()
        _draw_block(console, table, cells, widths, block)


def markdown(table: Table) -> str:
    """The table in GitHub's Markdown."""
    table = table.filled()
    lines = [f"## {_escaped(table.title)}", ""] if table.title else []
    lines.append("| " + " | ".join(_escaped(column.name) for column in table.columns) + " |")
    lines.append("|" + "|".join("---" if column.align == "left" else "---:" for column in table.columns) + "|")
    lines += ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in table.rows]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    for character in "\\|`*_<>[]":
        text = text.replace(character, "\\" + character)
    return text


def _fitted(cells: list[Sequence[str]], columns: Sequence[Column], width: int) -> list[list[str]]:
    """Key cells shortened so that together they take at most half of the width."""
    keys = [n for n, column in enumerate(columns) if column.key]
    widths = {n: max(columns_of(row[n]) for row in cells) for n in keys}
    room = max(NARROWEST_KEY * len(keys), width // 2 - GAP * len(keys))
    while sum(widths.values()) > room and max(widths.values()) > NARROWEST_KEY:
        widest = max(keys, key=lambda n: widths[n])
        widths[widest] -= 1
    return [[shortened(cell, widths[n]) if n in widths else cell for n, cell in enumerate(row)] for row in cells]


def _ended(cells: list[list[str]], columns: Sequence[Column], width: int) -> list[list[str]]:
    """Cells of text in a last column shortened so that it ends with the line, where that leaves it room to be read."""
    *others, last = [max(columns_of(row[n]) for row in cells) for n in range(len(columns))]
    room = width - GAP - sum(each + GAP for each in others)
    if columns[-1].align != "left" or columns[-1].key or last <= room:
        return cells
    keys = width - GAP - sum(each + GAP for each, column in zip(others, columns, strict=False) if column.key)
    most = room if room >= NARROWEST_TEXT else keys
    return [[*row[:-1], shortened(row[-1], max(most, NARROWEST_TEXT))] for row in cells]


def _blocks(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[list[int]]:
    """Column numbers of each block; every block holds the keys and at least one other column."""
    keys = [n for n, column in enumerate(columns) if column.key]
    base = GAP + sum(widths[n] + GAP for n in keys)
    blocks: list[list[int]] = []
    used = width + 1
    for n in range(len(columns)):
        if n in keys:
            continue
        if used + widths[n] > width:
            blocks.append(list(keys))
            used = base
        blocks[-1].append(n)
        used += widths[n] + GAP
    return blocks or [keys]


def _draw_block(
    console: Console, table: Table, cells: list[list[str]], widths: Sequence[int], block: Sequence[int]
) -> None:
    from rich.text import Text

    line = ("-" if is_ascii(console) else "\u2500") * min(
        console.width - GAP, sum(widths[n] + GAP for n in block) - GAP
    )
    for number, row in enumerate(cells):
        parts = [_padded(row[n], widths[n], table.columns[n].align) for n in block]
        style = "bold" if number == 0 or number - 1 in table.strong else ""
        console.print(
            Text((" " * GAP + (" " * GAP).join(parts)).rstrip(), style=style),
            no_wrap=True,
            crop=False,
            overflow="ignore",
        )
        if number == 0:
            console.print(Text(" " * GAP + line, style="dim"), no_wrap=True, crop=False, overflow="ignore")


def _padded(text: str, width: int, align: str) -> str:
    space = " " * (width - columns_of(text))
    return text + space if align == "left" else space + text
