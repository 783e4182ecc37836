"""The kind `pasture`: herders graze their animals on common land that grows back, unless too much of it is eaten.

    environment:
      kind: pasture
      order: at_once
      rounds: 6
      seats: {ada: {most: 8}, ben: {most: 8}, cid: {most: 8}, dora: {most: 20}}
      sanctions: {cost: 1, fine: 4}

The commons of Hardin (1968) as a game of several seasons, after the common-pool experiments of Ostrom, Walker and
Gardner (1992): each herder gains by every animal more, all lose what the land then does not grow; talk, and
punishing at a cost, may be allowed or not. The rule of growth is in `harness.environments.pasture.land`.
"""

from harness.environments.pasture.land import best_total, grown
from harness.environments.pasture.options import Herder, PastureOptions, PastureSetup, Sanctions
from harness.environments.pasture.pasture import Meadow, Pasture

__all__ = [
    "Herder", "Meadow", "Pasture", "PastureOptions", "PastureSetup", "Sanctions", "best_total", "grown",
]  # fmt: skip
