"""Which models to seat together: every seating, or an orthogonal array of them where that would be too many.

An orthogonal array of strength 2 is a list of seatings in which every ordered pair of models meets in every pair of
seats equally often: a Latin square for three seats, mutually orthogonal ones for more.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

Seating = tuple[int, ...]
"""The number of the model in each seat."""


@dataclass(frozen=True)
class Design:
    """Seatings of one task."""

    kind: str
    """`full`, or `orthogonal array`."""
    seatings: list[Seating]
    note: str = ""
    """What a person should know of it; empty where it is what was asked for."""


def full_design(models: int, seats: int) -> Design:
    """Every seating, models^seats of them, self-play included."""
    return Design("full", list(itertools.product(range(models), repeat=seats)))


def square_design(models: int, seats: int) -> Design:
    """The smallest orthogonal array of strength 2 that is known how to build; the full design where that is no larger.

    Over a field of q models it has q^r seatings for up to (q^r - 1) / (q - 1) seats: every seat is a line of GF(q)^r,
    and a seating the values of all lines at one point (Rao 1947, Hamming 1950; with r = 2 these are the q - 1 squares
    of Bose, Sankhya 3, 1938). Where the number of models is no prime power, the arrays of its prime powers are crossed
    (Bush, Annals of Mathematical Statistics 23, 1952); Latin squares for three seats there are of any order.
    """
    if seats <= 2 or models == 1:
        return full_design(models, seats)
    if seats == 3:
        latin: list[Seating] = [(a, b, (a + b) % models) for a in range(models) for b in range(models)]
        return Design("orthogonal array", latin)
    rows: list[Seating] = [(0,) * seats]
    for prime, power in prime_powers(models):
        order = prime**power
        part = _lines(prime, power, seats)
        rows = [
            tuple(x * order + y for x, y in zip(row, other, strict=True))
            for row, other in itertools.product(rows, part)
        ]
    if len(rows) >= models**seats:
        return Design("full", full_design(models, seats).seatings, "no orthogonal array is smaller than every seating")
    note = ""
    if len(rows) > models**2:
        note = (
            f"there is no orthogonal array of {models**2} seatings for {seats} seats and {models} models that can be "
            f"built here; one of {len(rows)} is used"
        )
    return Design("orthogonal array", rows, note)


def prime_powers(number: int) -> list[tuple[int, int]]:
    """The factors of a number as (prime, exponent); 12 gives [(2, 2), (3, 1)]."""
    found, left, prime = [], number, 2
    while left > 1:
        power = 0
        while left % prime == 0:
            left, power = left // prime, power + 1
        if power:
            found.append((prime, power))
        prime += 1
    return found


def meetings(seatings: Sequence[Seating], models: int) -> set[int]:
    """How often ordered pairs of models meet in pairs of seats: one number for strength 2."""
    counts: dict[tuple[int, int, tuple[int, ...]], int] = {}
    for first, second in itertools.combinations(range(len(seatings[0])), 2):
        for pair in itertools.product(range(models), repeat=2):
            counts[first, second, pair] = 0
        for row in seatings:
            counts[first, second, (row[first], row[second])] += 1
    return set(counts.values())


def _lines(prime: int, power: int, seats: int) -> list[Seating]:
    """The values that `seats` lines through 0 of GF(q)^r take at all points, r as small as may be."""
    field = Field(prime, power)
    q, dimensions = field.order, 2
    while (q**dimensions - 1) // (q - 1) < seats:
        dimensions += 1
    points = list(itertools.product(range(q), repeat=dimensions))
    lines = [point for point in points if next((value for value in point if value), 0) == 1]
    chosen = sorted(lines, key=lambda line: (sum(value > 0 for value in line), line))[:seats]
    return [tuple(field.product(line, point) for line in chosen) for point in points]


class Field:
    """GF(p^k): numbers below p^k whose digits to the base p are the coefficients of polynomials."""

    def __init__(self, prime: int, power: int) -> None:
        self.order = prime**power
        self._prime, self._power = prime, power
        self._modulus = next(
            low for low in itertools.product(range(prime), repeat=power) if power == 1 or _irreducible((*low, 1), prime)
        )
        self._digits = [self._as_digits(number) for number in range(self.order)]

    def add(self, first: int, second: int) -> int:
        """The sum."""
        pairs = zip(self._digits[first], self._digits[second], strict=True)
        return self._as_number([(a + b) % self._prime for a, b in pairs])

    def multiply(self, first: int, second: int) -> int:
        """The product, modulo an irreducible polynomial."""
        if self._power == 1:
            return first * second % self._prime
        raw = [0] * (2 * self._power - 1)
        for i, a in enumerate(self._digits[first]):
            for j, b in enumerate(self._digits[second]):
                raw[i + j] = (raw[i + j] + a * b) % self._prime
        for place in range(len(raw) - 1, self._power - 1, -1):
            for low, coefficient in enumerate(self._modulus):
                at = place - self._power + low
                raw[at] = (raw[at] - raw[place] * coefficient) % self._prime
        return self._as_number(raw[: self._power])

    def product(self, first: Sequence[int], second: Sequence[int]) -> int:
        """The inner product of two vectors."""
        total = 0
        for a, b in zip(first, second, strict=True):
            total = self.add(total, self.multiply(a, b))
        return total

    def _as_digits(self, number: int) -> list[int]:
        return [number // self._prime**place % self._prime for place in range(self._power)]

    def _as_number(self, digits: Sequence[int]) -> int:
        return sum(digit * self._prime**place for place, digit in enumerate(digits))


def _irreducible(polynomial: Sequence[int], prime: int) -> bool:
    """Whether no monic polynomial of at most half its degree divides it; coefficients from the lowest."""
    degree = len(polynomial) - 1
    for size in range(1, degree // 2 + 1):
        for low in itertools.product(range(prime), repeat=size):
            rest = list(polynomial)
            for place in range(degree, size - 1, -1):
                factor = rest[place]
                for at, coefficient in enumerate((*low, 1)):
                    rest[place - size + at] = (rest[place - size + at] - factor * coefficient) % prime
            if not any(rest):
                return False
    return True
