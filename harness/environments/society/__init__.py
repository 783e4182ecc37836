"""What worlds of several seats have in common: rounds, turns or all at once, words, news, and a ledger of all of it.

The kinds `bazaar`, `pasture` and `village` stand on this. Each brings its own state, its own moves and the rule by
which a round is settled; whose turn it is, what is hidden until the round is over, who was told what, and how the
whole is kept and brought back, is here.
"""

from harness.environments.society.course import AgainstTheRulesError, Course, Event
from harness.environments.society.figures import counted, gini, stated_numbers
from harness.environments.society.options import SocietyGame, SocietyOptions, Talk, settled
from harness.environments.society.reader import SocietyReader
from harness.environments.society.society import Done, Society, SocietyError, common_tools, ledger
from harness.environments.society.tools import COUNT, LOOK, PASS, RULES, move, say_tool

__all__ = [
    "COUNT",
    "LOOK",
    "PASS",
    "RULES",
    "AgainstTheRulesError",
    "Course",
    "Done",
    "Event",
    "Society",
    "SocietyError",
    "SocietyGame",
    "SocietyOptions",
    "SocietyReader",
    "Talk",
    "common_tools",
    "counted",
    "gini",
    "ledger",
    "move",
    "say_tool",
    "settled",
    "stated_numbers",
]
