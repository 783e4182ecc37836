"""Every shipped scenario is fair."""

from __future__ import annotations

import pytest

from harness.scoring.session import validate_all
from harness.spec import library


@pytest.fixture(scope="module")
def results():
    return validate_all([str(library())], at_once=2)


def test_every_gold_solution_scores_full_marks_without_an_error(results):
    assert len(results) > 0
    for result in results:
        assert result.ok, (result.scenario, result.task, result.problems)
        assert result.gold == 1.0


def test_no_task_is_passed_by_doing_nothing(results):
    assert not [f"{result.scenario}/{result.task}" for result in results if result.null_passes]
