"""The kind `bazaar`: seats with goods, coins and private values who bargain until the rounds are over.

    environment:
      kind: bazaar
      rounds: 6
      seats:
        ada: {plays: buyer, cash: 30, values: {lamp: 22}}
        ben: {plays: seller, goods: {lamp: 1}, values: {lamp: 12}}

Nobody sells what he has not or pays what he has not; coins and goods are neither made nor lost. What is known to one
seat alone (its values, a defect, that a thing is only lent to it) is told to that seat alone. A task's `setup` takes
the same keys and puts its own in place of the scenario's. How bargains are judged is in
`harness.environments.bazaar.accounts`.
"""

from harness.environments.bazaar.accounts import best_gain
from harness.environments.bazaar.bazaar import Bazaar
from harness.environments.bazaar.market import Market, Offer
from harness.environments.bazaar.options import BazaarOptions, BazaarSetup, Fact, Trader

__all__ = ["Bazaar", "BazaarOptions", "BazaarSetup", "Fact", "Market", "Offer", "Trader", "best_gain"]
