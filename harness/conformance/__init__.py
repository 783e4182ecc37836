"""What every environment keeps to, whoever wrote it: the promises of the protocol, each with a check that looks.

`examine` takes a scenario's tasks through all promises, with the gold solution as the actions; `Case` is one small
world to take through them otherwise. `harness validate --conformance` and this project's own tests both run this.
"""

from harness.conformance.case import Bench, Case, Deed, case_of_task
from harness.conformance.examine import Finding, examine, examine_all, look
from harness.conformance.promises import PROMISES, BrokenPromiseError, NotOfferedError, Promise

__all__ = [
    "PROMISES",
    "Bench",
    "BrokenPromiseError",
    "Case",
    "Deed",
    "Finding",
    "NotOfferedError",
    "Promise",
    "case_of_task",
    "examine",
    "examine_all",
    "look",
]
