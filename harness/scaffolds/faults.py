"""How a trial ends before its graph does, and on whose account.

1. `TrialEnd` travels as an exception from wherever the end came about to `run_scaffold`, and says how it ended.
2. `boundary(party)` stands around everything that belongs to one party (the environment's own code, a user's
   python, the harness itself): whatever comes out of it unexpected ends the trial on that party's account.
3. The exceptions of `harness.models.protocol` have their meaning from there; `generate` reads them.
4. Cancellation belongs to nobody and passes through.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from harness.environments.protocol import EnvironmentFault
from harness.spec.base import UserError

Party = Literal["model", "scaffold", "environment", "provider", "harness"]
Limit = Literal["turns", "tokens", "seconds", "cost", "context"]

ERROR_LENGTH = 500
"""Longest one-line error, in characters."""


class TrialEnd(Exception):
    """The trial is over: a limit was reached, or a party is at fault."""

    def __init__(
        self, error: str, *, limit: Limit | None = None, fault: Party | None = None, detail: str | None = None
    ) -> None:
        self.error = one_line(error)
        self.limit = limit
        self.fault = fault
        self.detail = detail
        super().__init__(self.error)


def reached(limit: Limit, error: str) -> TrialEnd:
    """A limit of the trial was reached."""
    return TrialEnd(error, limit=limit)


def blame(party: Party, error: str, detail: str | None = None) -> TrialEnd:
    """A party failed."""
    return TrialEnd(error, fault=party, detail=detail)


@contextmanager
def boundary(party: Party, what: str = "") -> Iterator[None]:
    """Whatever goes wrong inside is `party`'s fault, `what` saying what it was doing. Raises `TrialEnd`."""
    prefix = f"{what}: " if what else ""
    try:
        yield
    except TrialEnd:
        raise
    except (UserError, EnvironmentFault) as error:
        raise blame(party, f"{prefix}{error}") from error
    except Exception as error:
        kind = type(error).__name__
        detail = "".join(traceback.format_exception(error))
        raise blame(party, f"{prefix}{kind}: {error}{_place(error, party)}", detail) from error


def one_line(text: str) -> str:
    """`text` on one line, bounded."""
    flat = " ".join(text.split())
    return flat if len(flat) <= ERROR_LENGTH else flat[: ERROR_LENGTH - 1] + "…"


def _place(error: Exception, party: Party) -> str:
    """Where a user's own python failed, as ` (file:line)`; the last frame is theirs or what they called."""
    frames = traceback.extract_tb(error.__traceback__)
    if party != "scaffold" or not frames:
        return ""
    here = Path(__file__).parent
    own = [frame for frame in frames if Path(frame.filename).parent not in (here, here / "nodes")]
    last = own[-1] if own else frames[-1]
    return f" ({Path(last.filename).name}:{last.lineno})"
