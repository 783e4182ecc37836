"""How many calls may be under way at once at each provider account, found by trying.

An *account* is what a provider's rate limit counts: all models that share a key at one address. Its limit starts
small and grows while calls succeed and the limit is what holds others back: by one per success (doubling per round)
until the first 429, then by one per round. A 429 halves it, once for all calls that were under way at that moment,
and a Retry-After pauses the whole account. Places are given in order of arrival; a call that tries again keeps its
turn.

`Accounts` belongs to one run and one event loop; nothing here is shared between runs.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from dataclasses import dataclass, field

START = 4
"""Calls at once before anything is known of an account."""


@dataclass(frozen=True)
class Place:
    """Leave to have one call under way."""

    ticket: int
    """Order of arrival; a second try of the same call asks with it again."""
    epoch: int
    """How often the limit had been cut when the place was given."""


@dataclass(order=True)
class _Waiting:
    ticket: int
    ready: asyncio.Future[Place] = field(compare=False)


class Account:
    """The places of one account."""

    def __init__(self, name: str, cap: int | None = None) -> None:
        self.name = name
        self.cap = cap
        """Most calls at once ever, by the models file."""
        self.limit: float = START if cap is None else cap
        self.running = 0
        self.throttles = 0
        """How often the limit was cut."""
        self._paused_until = 0.0
        self._tickets = itertools.count()
        self._queue: list[_Waiting] = []
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def pause_left(self) -> float:
        """Seconds until the provider wants to hear of this account again."""
        return max(0.0, self._paused_until - time.monotonic())

    def ticket(self) -> int:
        """A place in the order of arrival."""
        return next(self._tickets)

    async def enter(self, ticket: int) -> Place:
        """Waits for a place. A waiter that is cancelled takes none."""
        if not self._queue and self._free():
            return self._take(ticket)
        waiting = _Waiting(ticket, asyncio.get_running_loop().create_future())
        heapq.heappush(self._queue, waiting)
        self._wake()
        try:
            return await waiting.ready
        except asyncio.CancelledError:
            if waiting.ready.done() and not waiting.ready.cancelled():
                self.running -= 1
            waiting.ready.cancel()
            self._wake()
            raise

    def leave(self, place: Place, *, succeeded: bool = False) -> None:
        """Gives a place back; after a success the limit may grow."""
        held_back = bool(self._queue) or self.running >= int(self.limit)
        self.running -= 1
        if succeeded and held_back and place.epoch == self.throttles:
            self.limit += 1.0 if self.throttles == 0 else 1.0 / self.limit
            if self.cap is not None:
                self.limit = min(self.limit, float(self.cap))
        self._wake()

    def throttle(self, place: Place, pause: float | None) -> None:
        """After a 429: halves the limit, once per round of calls; `pause` (seconds) holds for all of the account."""
        if place.epoch == self.throttles:
            self.throttles += 1
            self.limit = max(1.0, self.limit / 2)
        if pause:
            self._paused_until = max(self._paused_until, time.monotonic() + pause)

    def lower_cap(self, cap: int | None) -> None:
        """Of several caps that models name for one account, the smallest holds."""
        if cap is not None and (self.cap is None or cap < self.cap):
            self.cap = cap
            self.limit = float(cap)

    def _free(self) -> bool:
        return self.running < int(self.limit) and not self.pause_left

    def _take(self, ticket: int) -> Place:
        self.running += 1
        return Place(ticket, self.throttles)

    def _wake(self) -> None:
        while self._queue and (self._queue[0].ready.done() or self._free()):
            waiting = heapq.heappop(self._queue)
            if not waiting.ready.done():
                waiting.ready.set_result(self._take(waiting.ticket))
        if self._queue and self._alarm is None and (left := self.pause_left):
            self._alarm = asyncio.get_running_loop().call_later(left, self._alarmed)

    def _alarmed(self) -> None:
        self._alarm = None
        self._wake()


class Accounts:
    """The accounts of one run, by name."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self.open_models = 0
        """Models built on these accounts and not closed yet; the last one out closes shared connections."""

    def get(self, name: str, cap: int | None = None) -> Account:
        """The account of this name, made on first use."""
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = Account(name, cap)
        account.lower_cap(cap)
        return account

    def all(self) -> list[Account]:
        """Every account so far, in order of first use."""
        return list(self._accounts.values())
