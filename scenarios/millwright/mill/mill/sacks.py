"""How many sacks a load fills."""


def sacks_needed(pounds, sack=140):
    """Sacks for a load; a last sack that is not full counts."""
    if pounds < 0 or sack <= 0:
        raise ValueError("a load has no negative weight, and a sack holds something")
    return -(-pounds // sack)


def spread(pounds, sacks):
    """Pounds in each sack, as even as whole pounds go; the heavier ones first."""
    if sacks <= 0:
        raise ValueError("at least one sack")
    least, over = divmod(pounds, sacks)
    return [least + 1] * over + [least] * (sacks - over)
