"""The kind `village`: farmers who sow, store and hide, a lord who taxes, guards and gives, bandits who raid or work.

    environment:
      kind: village
      rounds: 5
      seats:
        lord: {plays: lord, sacks: 4}
        ada: {plays: farmer, sacks: 6}
        ben: {plays: bandit, sacks: 2}

After Olson's roving and stationary bandits (1993): whoever takes all there is leaves nobody to take from, and one who
takes little and guards may leave all better off. Grain is the only good. What is harvested from a sack sown is drawn
from the seed, or given by the task. The order in which a season is settled is in `harness.environments.village.grain`.
"""

from harness.environments.village.accounts import best_welfare
from harness.environments.village.grain import Granary
from harness.environments.village.options import VillageOptions, Villager, VillageSetup
from harness.environments.village.village import Village

__all__ = ["Granary", "Village", "VillageOptions", "VillageSetup", "Villager", "best_welfare"]
