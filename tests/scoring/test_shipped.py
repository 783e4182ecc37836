"""Every shipped scenario that needs nobody else's packages is fair; CI says so too, with `harness validate`."""

from __future__ import annotations

import pytest

from harness.scoring.session import validate_all
from harness.spec import library

pytestmark = pytest.mark.slow
OTHERS = ("archive", "chronicler")
"""Public MCP servers; `.ci/run` installs and validates them."""


@pytest.fixture(scope="module")
def results():
    files = [path for path in sorted(library().glob("*.yaml")) if "\nkind: scenario\n" in path.read_text()]
    return validate_all([str(path) for path in files if path.stem not in OTHERS], at_once=2)


def test_every_gold_solution_scores_full_marks_without_an_error(results):
    assert len(results) > 0
    for result in results:
        assert result.ok, (result.scenario, result.task, result.problems)
        assert result.gold == 1.0


def test_no_task_is_passed_by_doing_nothing(results):
    assert not [f"{result.scenario}/{result.task}" for result in results if result.null_passes]
