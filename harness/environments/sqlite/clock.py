"""Local time as a database keeps it: `YYYY-MM-DD HH:MM:SS`."""

from __future__ import annotations

from datetime import datetime

DEFAULT_NOW = "2026-01-05 09:00:00"
"""A Monday morning; what `now` means to a database whose scenario names no time."""


def office_time(text: str) -> str:
    """`text` (ISO 8601, local time) as `YYYY-MM-DD HH:MM:SS`. Raises `ValueError` in plain words."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"'{text[:40]}' is no date and time; write 2026-01-05 09:30") from None
    if moment.tzinfo is not None:
        raise ValueError(f"'{text[:40]}' names a time zone; times here are local: write 2026-01-05 09:30")
    return moment.strftime("%Y-%m-%d %H:%M:%S")
