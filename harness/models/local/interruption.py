"""The one exception of work that was told to stop."""

from __future__ import annotations


class Interrupted(Exception):
    """A download or a start was told to stop; nothing of it is left."""
