"""What the miller keeps; the rules are in docs/toll.md."""

from decimal import ROUND_HALF_DOWN, Decimal

LEAST = Decimal(8)
SHARE = Decimal(16)


def toll(weight):
    """Whole pounds kept of a weight, which is given as decimal text."""
    exact = Decimal(weight)
    if abs(exact) < LEAST:
        return 0
    return int((exact / SHARE).quantize(Decimal(1), rounding=ROUND_HALF_DOWN))


def kept(weights):
    """Toll of several loads, each reckoned by itself."""
    return sum(toll(weight) for weight in weights)
