"""Prints the colour that steel takes at a temperature in degrees."""

import sys

COLOURS = [(220, "yellow"), (240, "straw"), (260, "brown"), (280, "purple"), (300, "blue")]


def colour(degrees):
    """The last colour whose temperature is reached, or "none"."""
    name = "none"
    for least, next_name in COLOURS:
        if degrees > least:
            name = next_name
            break
    return name


print(colour(int(sys.argv[1])))
