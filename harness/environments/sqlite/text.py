"""Results as text: compact, one row a line, and never longer than a model can read."""

from __future__ import annotations

from collections.abc import Sequence

BLOB_SHOWN = 16
"""Bytes of a blob that are shown."""


def cell_text(value: object, limit: int = 1000) -> str:
    """One value on one line: NULL for nothing, blobs as the start of their hexadecimal form, line ends escaped."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        more = f"... ({len(value)} bytes)" if len(value) > BLOB_SHOWN else ""
        return f"x'{value[:BLOB_SHOWN].hex()}'{more}"
    if isinstance(value, float):
        return format(value, ".15g") if value % 1 else repr(value)
    text = str(value).replace("\\", "\\\\") if "\\n" in str(value) else str(value)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def table_text(columns: Sequence[str], rows: Sequence[Sequence[object]], more: bool, limit: int) -> tuple[str, int]:
    """`header | rows` in about `limit` characters at most, and how many rows are in it.

    `more` says that the rows given are not all there are.
    """
    lines = [shortened(" | ".join(cell_text(column) for column in columns), limit)]
    left = limit - len(lines[0])
    for row in rows:
        line = " | ".join(cell_text(value) for value in row)
        if len(line) + 1 > left:
            if len(lines) == 1:
                lines.append(shortened(line, max(left, 80)))
            more = True
            break
        lines.append(line)
        left -= len(line) + 1
    shown = len(lines) - 1
    if not rows:
        lines.append("(no rows)")
    elif more:
        lines.append(f"(only the first {shown} {'row' if shown == 1 else 'rows'} shown; ask for less at once)")
    return "\n".join(lines), shown


def shortened(text: str, limit: int) -> str:
    """`text`, cut at `limit` characters with a note of its length."""
    return text if len(text) <= limit else f"{text[:limit]}... (cut: {len(text)} characters in all)"
