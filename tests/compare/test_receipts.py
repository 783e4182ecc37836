"""Unequal receipts are told; equal ones are silent."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from harness.compare import compare_models


def calls_of(table, **different):
    """One call a trial; `different` gives columns of model `b`."""
    rows = []
    for row in table.itertuples():
        receipt = {"sent": json.dumps({"temperature": 0}), "dropped": "[]", "tools": "t", "response_format": None}
        receipt |= {"resolved": f"{row.model}-1", "fingerprint": None}
        if row.model == "b":
            receipt |= different
        rows.append({"trial": row.trial, "node": "think", "role": "clerk", "model": row.model, **receipt})
    return pd.DataFrame(rows)


def cautions(table, calls=None):
    """What is told of a record that is whole but for what the test changes."""
    calls = calls_of(table) if calls is None else calls
    asked = table[["cell", "repeat", "scenario", "task", "family", "scaffold", "model"]]
    found = compare_models(table, calls=calls, asked=asked, only=["outcomes"]).cautions
    return [(caution.kind, caution.text) for caution in found]


@pytest.fixture
def table(trials):
    return trials({"a": 0.5, "b": 0.5}, tasks=8, scaffolds=("react", "reflect"))


def test_equal_receipts_are_silent(table):
    assert cautions(table, calls_of(table)) == []


@pytest.mark.parametrize(
    ("different", "kind", "text"),
    [
        ({"dropped": '["temperature"]', "sent": "{}"}, "parameters", "temperature was dropped for b, not for a"),
        ({"sent": '{"temperature": 1}'}, "parameters", "parameter temperature differs: a 0, b 1"),
        ({"tools": "u"}, "tools", "the tool schemas as sent are not the same for a, b"),
        (
            {"response_format": "r"},
            "response_format",
            "the response format as sent is not the same for a, b (none for a)",
        ),
    ],
)
def test_unequal_receipts_are_told_once(table, different, kind, text):
    assert cautions(table, calls_of(table, **different)) == [(kind, text)]


def test_a_version_that_changes_midway_is_told(table):
    calls = calls_of(table)
    calls.loc[(calls["model"] == "b") & (calls.index > 10), "resolved"] = "b-2"
    assert cautions(table, calls) == [("version", "b was answered by several versions: b-1, b-2")]


def test_unequal_content_is_told(table):
    hashes = table.assign(scaffold_hash=table["scaffold"], tools_hash="t")
    assert cautions(hashes) == []
    hashes.loc[hashes["trial"] == "desk-0-react-a-1", "scaffold_hash"] = "older"
    assert cautions(hashes) == [("identity", "not every trial of desk/t0 ran with the same scaffold")]


def test_other_checks_than_those_of_the_run_are_told(table):
    same = table.assign(scenario_hash="s", graded_with="s")
    assert cautions(same) == []
    every = table.assign(scenario_hash="s", graded_with="newer")
    assert cautions(every) == [
        ("graded", "32 of 32 trials were graded again with other checks than they were run under (16 of a, 16 of b)")
    ]
    same.loc[same["trial"] == "desk-0-react-a-1", "graded_with"] = "newer"
    assert cautions(same) == [
        ("identity", "not every trial of desk/t0 was graded with the same checks"),
        ("graded", "1 of 32 trials were graded again with other checks than they were run under (1 of a)"),
    ]


def test_unequal_limits_are_told(table):
    equal = table.assign(limits='{"turns": 6, "seconds": 60.0}')
    assert cautions(equal) == []
    unequal = equal.assign(limits=equal["limits"].where(equal["model"] == "a", '{"turns": 9}'))
    unequal.loc[unequal["task"] != "t3", "limits"] = None
    assert cautions(unequal) == [
        ("limits", "unequal budgets in desk/t3: seconds a 60, b none; turns a 6, b 9"),
    ]


def test_versions_are_told_whatever_is_compared(table):
    calls = calls_of(table)
    calls.loc[(calls["model"] == "b") & (calls.index > 10), "resolved"] = "b-2"
    found = compare_models(table, calls=calls, by="scaffold", only=["outcomes"]).cautions
    assert "b was answered by several versions: b-1, b-2" in [caution.text for caution in found]


def test_what_a_crossed_factor_is_meant_to_change_is_no_inequality(table):
    """Tools that are shown otherwise under each surface, alike for both models; unlike ones are still told."""
    crossed = pd.concat([table.assign(surface=name) for name in ("plain", "renamed")], ignore_index=True)
    crossed = crossed.assign(factors='["surface"]', cell=crossed["cell"] + crossed["surface"])
    crossed["trial"] = crossed["trial"] + crossed["surface"]
    crossed["tools_hash"] = crossed["surface"].map({"plain": "t1", "renamed": "t2"})
    calls = calls_of(crossed).assign(tools=list(crossed["tools_hash"]))
    assert not [text for _, text in cautions(crossed, calls) if "tool schemas" in text]
    calls.loc[calls["model"] == "b", "tools"] = "t3"
    assert ("tools", "the tool schemas as sent are not the same for a, b") in cautions(crossed, calls)
