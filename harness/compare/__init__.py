"""What each model did with the same scaffold, and how sure that is. Reads the tables of a record, and nothing else.

`compare_models` and `summarise` work on the `trials` table of `harness.record.Results`, or any table with its columns;
`harness.compare.statistics` works on plain arrays.
"""

from harness.compare.accounting import Account
from harness.compare.behaviour import Behaviour, BehaviourPair
from harness.compare.comparison import Comparison, NoiseFloor, Pair, Section, compare_models
from harness.compare.receipts import Caution
from harness.compare.sentences import amount, p_value, points
from harness.compare.statistics import Difference, Estimate, Total
from harness.compare.summary import Summary, summarise, varying_columns

__all__ = [
    "Account",
    "Behaviour",
    "BehaviourPair",
    "Caution",
    "Comparison",
    "Difference",
    "Estimate",
    "NoiseFloor",
    "Pair",
    "Section",
    "Summary",
    "Total",
    "amount",
    "compare_models",
    "p_value",
    "points",
    "summarise",
    "varying_columns",
]
