"""The way back to a moment: recorded replies through the same scaffold, and a world that goes along.

`Way` holds what the models and the environment of one trial have in common: until the first call that has no recorded
reply, the trial is on its way back; from then on it is its own. Siblings that set out from one moment may share a
`Rehearsal`: the first writes down what the world said on the way and takes a snapshot at the moment, and the others are
told the same and put their world into that snapshot. Where the world takes no snapshots, each acts the way out again.
"""

from harness.intervene.way.rehearsal import Rehearsal, Rehearsals
from harness.intervene.way.way import Way

__all__ = ["Rehearsal", "Rehearsals", "Way"]
