"""Gills of oil a lamp burns: python3 lamp.py LIT OUT, two times of day such as 21:30 05:10.

A lamp burns a gill in every half hour, and a half hour that was begun counts as a whole one. A lamp that is put out
at an earlier time of day than it was lit burned past midnight; one put out at the same time burned a whole day.
"""

import sys


def minutes(time):
    hours, rest = time.split(":")
    return int(hours) * 60 + int(rest)


def gills(lit, out):
    burned = minutes(out) - minutes(lit)
    return round(burned / 30)


if __name__ == "__main__":
    print(gills(*sys.argv[1:]))
