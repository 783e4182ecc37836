"""Tables of trials made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


def make_trials(rates, tasks=10, repeats=1, scenarios=("desk",), scaffolds=("react",), seed=1, **columns):
    """Trials of models with these pass rates (model -> rate); 0 and 1 are kept exactly."""
    chance = np.random.default_rng(seed)
    rows = []
    for scenario in scenarios:
        for task in range(tasks):
            hard = chance.normal(0, 0.15)
            for scaffold in scaffolds:
                for repeat in range(1, repeats + 1):
                    for model, rate in rates.items():
                        passed = bool(rate) if rate in (0, 1) else bool(chance.random() < np.clip(rate + hard, 0, 1))
                        rows.append({
                            "trial": f"{scenario}-{task}-{scaffold}-{model}-{repeat}",
                            "cell": f"{scenario}-{task}-{scaffold}-{model}", "scenario": scenario, "task": f"t{task}",
                            "family": None, "scaffold": scaffold, "model": model, "repeat": repeat, "attempt": 1,
                            "state": "completed", "limit": None, "fault": None, "score": float(passed),
                            "passed": passed, "turns": 3, "prompt_tokens": 10, "completion_tokens": 5, "cost": 0.01,
                            "seconds": 1.0, **columns,
                        })  # fmt: skip
    return pd.DataFrame(rows).astype({"passed": "boolean"})


@pytest.fixture
def trials():
    return make_trials


@pytest.fixture
def asked():
    """What was asked, from trials that would all have been there."""

    def of(table):
        return table[["cell", "repeat", "scenario", "task", "family", "scaffold", "model"]].copy()

    return of
