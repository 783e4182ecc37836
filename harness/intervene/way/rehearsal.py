"""What the first trial on a way found there, for the siblings that follow it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from harness.environments import Observation

MOST_KEPT = 256 * 2**20
"""Bytes of rehearsals that are kept at one time."""


@dataclass(frozen=True)
class Standing:
    """What a world says of itself at one place of a way."""

    turn: str | None
    finished: bool


@dataclass
class Rehearsal:
    """What the first trial on a way found there."""

    heard: list[tuple[tuple[Any, ...], Any]] = field(default_factory=list)
    """(what the world was asked to do or to tell, what it said), in order."""
    standing: list[Standing | Exception] = field(default_factory=list)
    """At the beginning, and after each of `heard`."""
    snapshot: bytes | None = None
    """At the moment; None until it is taken, or where the world takes none."""

    @property
    def size(self) -> int:
        """Bytes, about."""
        told = sum(len(found.text) for _, found in self.heard if isinstance(found, Observation))
        return len(self.snapshot or b"") + told + 200 * len(self.heard)


class Rehearsals:
    """The rehearsals of one run, by moment; those used longest ago are let go when all take too much memory."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[str, Rehearsal] = OrderedDict()
        self._size = 0
        self._under_way: dict[str, asyncio.Event] = {}
        self._without: set[str] = set()

    def get(self, moment: str) -> Rehearsal | None:
        """What is known of the way to this moment."""
        if moment in self._kept:
            self._kept.move_to_end(moment)
        return self._kept.get(moment)

    def keep(self, moment: str, rehearsal: Rehearsal) -> None:
        """Keep one that has a snapshot; those who wait for it go on."""
        self.forget(moment)
        if rehearsal.snapshot is None or rehearsal.size > self._most:
            self._without.add(moment)
        else:
            self._kept[moment] = rehearsal
            self._size += rehearsal.size
            while self._size > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._size -= oldest.size
        self._let_go(moment)

    def forget(self, moment: str) -> None:
        """Let go of one that leads nowhere."""
        gone = self._kept.pop(moment, None)
        self._size -= gone.size if gone is not None else 0

    async def begin(self, moment: str) -> tuple[Rehearsal | None, bool]:
        """(rehearsal to follow if there is one, whether this trial is to make it); waits for one that is being made.

        Who is to make it calls `keep` at the moment, and `end` when it is over, whatever came of it.
        """
        while True:
            if (known := self.get(moment)) is not None or moment in self._without:
                return known, False
            if moment not in self._under_way:
                self._under_way[moment] = asyncio.Event()
                return None, True
            await self._under_way[moment].wait()

    def end(self, moment: str) -> None:
        """The trial that was to make the rehearsal is over; if it came to none, another makes it."""
        self._let_go(moment)

    def _let_go(self, moment: str) -> None:
        waited_for = self._under_way.pop(moment, None)
        if waited_for is not None:
            waited_for.set()
