"""Goes back to moments of recorded trials and changes one thing there: which model answers, or how things look.

Every intervention is a sweep of its own on disk. `harness.intervene.way` is the mechanism they stand on.
"""
