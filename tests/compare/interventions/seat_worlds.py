"""Made-up seat tables: the tables of a record, of trials whose outcomes and actions are drawn as a test says."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.compare.evidence import Evidence, gather

Outcome = Callable[[dict[str, str], int, np.random.Generator], dict[str, float]]
"""(seat -> model, task, chance) -> seat -> outcome."""
Acts = Callable[[str, dict[str, str], int, np.random.Generator], list[str]]
"""(seat, seat -> model, task, chance) -> the names of its actions."""


def world(
    outcome: Outcome,
    *,
    acts: Acts | None = None,
    models: Sequence[str] = ("a", "b", "c"),
    seats: Sequence[str] = ("first", "second"),
    seatings: Sequence[tuple[int, ...]] | None = None,
    tasks: int = 8,
    repeats: int = 2,
    seed: int = 0,
    joint: bool = False,
    between: Sequence[str] | None = None,
    lost: Callable[[dict[str, str], int, int], bool] = lambda seated, task, repeat: False,
    drifted: Callable[[dict[str, str], int, int], bool] = lambda seated, task, repeat: False,
) -> Evidence:
    """The evidence of a sweep of seats with these outcomes."""
    chance = np.random.default_rng(seed)
    chosen = seatings if seatings is not None else list(itertools.product(range(len(models)), repeat=len(seats)))
    trials: list[dict[str, Any]] = []
    actions: list[dict[str, Any]] = []
    lineage: list[dict[str, Any]] = []
    for task, repeat, seating in itertools.product(range(tasks), range(1, repeats + 1), chosen):
        seated = {seat: models[number] for seat, number in zip(seats, seating, strict=True)}
        name = f"t{len(trials)}"
        got = outcome(seated, task, chance)
        done = not lost(seated, task, repeat)
        row = {
            "trial": name, "cell": f"{task}-{seating}", "scenario": "game", "task": f"task{task}", "scaffold": "turns",
            "model": seated[seats[0]], "repeat": repeat, "attempt": 1, "seed": task,
            "state": "completed" if done else "fault", "fault": None if done else "provider",
            "score": got.get("all", 0.5) if done else None,
        } | {f"model.{seat}": model for seat, model in seated.items()}  # fmt: skip
        trials.append(row | {f"measure.{seat}": got.get(seat) if done else None for seat in seats})
        detail = {
            "seats": seated, "models": list(models), "roles": {seat: [seat] for seat in seats},
            "outcomes": {} if joint else {seat: f"measure.{seat}" for seat in seats},
            "design": "full" if seatings is None else "orthogonal array", "seatings": len(chosen),
        }  # fmt: skip
        lineage.append(
            {"trial": name, "kind": "seats", "drift": int(drifted(seated, task, repeat)), "detail": json.dumps(detail)}
        )
        if acts is not None:
            made = [(seat, action) for seat in seats for action in acts(seat, seated, task, chance)]
            actions += [
                {"trial": name, "position": position, "role": seat, "action": action, "kind": "tool"}
                for position, (seat, action) in enumerate(made)
            ]
    return gather(
        pd.DataFrame(trials),
        actions=pd.DataFrame(actions) if actions else None,
        lineage=pd.DataFrame(lineage),
        between=between,
    )
