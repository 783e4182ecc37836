"""The commands: `price POUNDS`, `label POUNDS CUSTOMER`, `sacks POUNDS`, `toll WEIGHT...`."""

import sys

from mill import measures
from mill.sacks import sacks_needed
from mill.toll import kept


def main(words):
    match words:
        case ["price", pounds]:
            print(measures.price(lbs=int(pounds)), "pence")
        case ["label", pounds, customer]:
            print(measures.label(lbs=int(pounds), customer=customer))
        case ["sacks", pounds]:
            print(sacks_needed(int(pounds)))
        case ["toll", *weights]:
            print(kept(weights))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
