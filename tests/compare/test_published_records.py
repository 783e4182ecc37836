"""Published trajectories of InterCode (Yang et al., 2023), compared again.

Needs the result files, which are not part of this project: HARNESS_EXTERNAL_RECORDS names the folder that holds
`intercode-bash/*.json.gz`.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pandas as pd
import pytest

from harness.compare import compare_models, summarise

FOLDER = os.environ.get("HARNESS_EXTERNAL_RECORDS")
NAME = re.compile(r"ic_bash_(?:multiturn_(?P<model>.+)|react)_10_turns_fs_(?P<split>\d)\.json\.gz")
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="HARNESS_EXTERNAL_RECORDS does not name the folder of the published InterCode records"
)


@pytest.fixture(scope="module")
def trials():
    rows = []
    for path in sorted(Path(FOLDER, "intercode-bash").glob("*.json.gz")):
        found = NAME.fullmatch(path.name)
        with gzip.open(path) as file:
            for index, task in json.load(file).items():
                score = task["summary"]["max_reward"]
                rows.append({
                    "scenario": "bash", "task": f"{found['split']}-{index}", "repeat": 1, "score": score,
                    "model": found["model"] or "gpt-3.5", "scaffold": "try-again" if found["model"] else "react",
                    "passed": score == 1.0, "turns": task["summary"]["turns_taken"],
                })  # fmt: skip
    return pd.DataFrame(rows)


def test_a_model_swap_that_cannot_be_told_from_chance(trials):
    comparison = compare_models(trials[trials["scaffold"] == "try-again"], between=["gpt-4", "gpt-3.5"])
    found = comparison.overall.pairs[0].passed
    assert 100 * found.estimate == pytest.approx(3.4, abs=0.05)
    assert 50 * (found.high - found.low) == pytest.approx(7.9, abs=0.15)
    assert (found.n, found.won, found.lost) == (147, 20, 15)
    assert not found.shown


def test_a_scaffold_swap_that_can(trials):
    found = compare_models(trials[trials["model"] == "gpt-3.5"], by="scaffold").overall.pairs[0]
    assert (found.first, found.second) == ("react", "try-again")
    assert 100 * found.passed.estimate == pytest.approx(-19.7, abs=0.05)
    assert 50 * (found.passed.high - found.passed.low) == pytest.approx(7.9, abs=0.15)
    assert (found.passed.won, found.passed.lost) == (6, 35)
    assert found.passed.shown


@pytest.mark.parametrize(
    ("model", "scaffold", "tasks", "percent"),
    [
        ("gpt-4", "try-again", 147, 49.0),
        ("gpt-3.5", "try-again", 147, 45.6),
        ("gpt-3.5", "react", 147, 25.9),
        ("text-davinci-003", "try-again", 146, 33.6),
        ("chat-bison-001", "try-again", 145, 17.2),
    ],
)
def test_pass_rates(trials, model, scaffold, tasks, percent):
    row = next(r for r in summarise(trials) if dict(r.key) == {"model": model, "scaffold": scaffold})
    assert row.passed.n == tasks
    assert 100 * row.passed.estimate == pytest.approx(percent, abs=0.05)
