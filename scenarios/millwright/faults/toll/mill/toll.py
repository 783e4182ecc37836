"""What the miller keeps; the rules are in docs/toll.md."""

LEAST = 8
SHARE = 16


def toll(weight):
    """Whole pounds kept of a weight, which is given as decimal text."""
    exact = float(weight)
    if exact < LEAST:
        return 0
    return int(exact / SHARE + 0.5)


def kept(weights):
    """Toll of several loads, each reckoned by itself."""
    return sum(toll(weight) for weight in weights)
