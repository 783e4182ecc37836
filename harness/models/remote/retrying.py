"""How often and how long one call is tried again: the bounds of `Retry` around tenacity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.models.protocol import Attempt
from harness.models.remote.failures import Failure

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, RetryCallState

    from harness.spec.sweep import Retry

LONGEST_PAUSE = 60.0
"""Seconds, of a pause nobody asked for."""


class Tries:
    """The failed attempts of one call, and the rules for another.

    A call is tried again after a failure worth it, until `attempts` are used, the failed attempts and the pauses after
    them would take more than `seconds`, or the same error came `same_error` times in a row (a 429 does not count).
    The pause is what the provider asks for, else it doubles from `backoff` seconds, with jitter.
    """

    def __init__(self, retry: Retry, backoff: float, redact: Callable[[str], str]) -> None:
        self.attempts: list[Attempt] = []
        self.last_seconds = 0.0
        """Of the latest attempt, set by whoever makes it."""
        self._retry = retry
        self._backoff = backoff
        self._redact = redact

    def retrying(self, sleep: Callable[[float], Any]) -> AsyncRetrying:
        """Tenacity's loop for one call; it raises the last `Failure` as it is."""
        from tenacity import AsyncRetrying, retry_if_exception

        return AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, Failure) and error.worth_retrying),
            wait=self._pause,
            stop=self._enough,
            before_sleep=lambda state: self.note(_failure(state), state.upcoming_sleep),
            sleep=sleep,
            reraise=True,
        )

    def note(self, failure: Failure, pause: float) -> None:
        """Takes down a failed attempt and the seconds waited after it."""
        message = self._redact(failure.message)
        self.attempts.append(Attempt(failure.kind, failure.status, message, self.last_seconds, pause))

    @property
    def lost(self) -> float:
        """Seconds in failed attempts and the pauses after them."""
        return sum(attempt.seconds + attempt.waited for attempt in self.attempts)

    @property
    def left(self) -> float:
        """Seconds that may still be lost."""
        return self._retry.seconds - self.lost

    def _pause(self, state: RetryCallState) -> float:
        from tenacity import wait_exponential, wait_random

        failure = _failure(state)
        if failure.retry_after:
            return failure.retry_after
        grown = wait_exponential(multiplier=self._backoff, max=LONGEST_PAUSE) + wait_random(0, self._backoff)
        return float(grown(state))

    def _enough(self, state: RetryCallState) -> bool:
        failure = _failure(state)
        if state.attempt_number >= self._retry.attempts:
            return True
        if self.last_seconds + state.upcoming_sleep > self.left:
            return True
        return failure.kind != "rate_limit" and self._in_a_row(failure) >= self._retry.same_error

    def _in_a_row(self, failure: Failure) -> int:
        count = 1
        for attempt in reversed(self.attempts):
            if (attempt.error, attempt.status) != (failure.kind, failure.status):
                break
            count += 1
        return count


def _failure(state: RetryCallState) -> Failure:
    error = state.outcome.exception() if state.outcome is not None else None
    if not isinstance(error, Failure):
        raise TypeError("tenacity asked about an attempt that did not fail")
    return error
