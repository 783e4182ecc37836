"""Measures of weight."""

POUNDS = {"pound": 1, "stone": 14, "bushel": 60, "quarter": 480}


def to_pounds(amount, measure="pound"):
    """Pounds in so many of a measure."""
    if measure not in POUNDS:
        raise KeyError(measure)
    return amount * POUNDS[measure]


def price(lbs, rate=3):
    """Pence for grinding so many pounds, at a rate for every started bushel."""
    return -(-lbs // POUNDS["bushel"]) * rate


def label(lbs, *, customer=""):
    """What is written on a sack."""
    quarters, rest = divmod(lbs, POUNDS["quarter"])
    weight = f"{quarters} qr {rest} lb" if quarters else f"{rest} lb"
    return f"{customer}: {weight}" if customer else weight


def loads(lbs, cart=1200):
    """Pounds on each cart, full carts first."""
    full, rest = divmod(lbs, cart)
    return [cart] * full + ([rest] if rest else [])
