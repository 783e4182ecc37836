"""The result table: groups, accounts, sums with unknown parts."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compare import summarise, varying_columns
from harness.compare.panel import prepare
from harness.errors import UserError


def test_one_row_for_each_model_and_varying_scaffold(trials):
    one = summarise(trials({"a": 0.5, "b": 0.5}))
    assert [row.key for row in one] == [{"model": "a"}, {"model": "b"}]
    two = summarise(trials({"a": 0.5, "b": 0.5}, scaffolds=("react", "reflect")))
    assert [tuple(row.key.values()) for row in two] == [
        ("a", "react"), ("a", "reflect"), ("b", "react"), ("b", "reflect"),
    ]  # fmt: skip


def test_rows_come_in_the_order_asked(trials, asked):
    table = trials({"b": 0.5, "a": 0.5})
    assert [row.key["model"] for row in summarise(table, asked(table))] == ["b", "a"]


def test_hundreds_of_moments_are_no_rows_unless_asked_for(trials):
    table = trials({"a": 0.5}, tasks=60)
    table["moment"], table["factors"] = table["task"] + "@1", '["moment"]'
    assert [row.key for row in summarise(table)] == [{"model": "a"}]
    assert len(summarise(table, by=["moment"])) == 60
    assert len(summarise(table[:20])) == 20


def test_varying_columns_are_found(trials):
    table = prepare(trials({"a": 0.5, "b": 0.5}, tasks=3, repeats=2, scenarios=("x", "y")))
    assert varying_columns(table, None) == ["model", "scenario", "task", "repeat"]


def test_what_was_not_run_is_missing(trials, asked):
    table = trials({"a": 1.0, "b": 1.0}, tasks=10)
    wanted = asked(table)
    done = table[(table["model"] == "a") | (table["task"] < "t4")]
    rows = {row.key["model"]: row for row in summarise(done, wanted)}
    account = rows["b"].account
    assert (account.asked, account.done, account.missing, dict(account.missing_why)) == (10, 4, 6, {"not run": 6})
    assert rows["b"].passed.estimate == 1.0
    assert rows["b"].passed_missing_zero == pytest.approx(0.4)


def test_without_a_plan_what_was_asked_is_unknown(trials):
    (row,) = summarise(trials({"a": 1.0}))
    assert row.account.asked is None
    assert row.account.missing == 0


def test_repeats_no_longer_asked_for_are_left_out(trials, asked):
    table = trials({"a": 1.0}, tasks=5, repeats=3)
    (row,) = summarise(table, asked(table[table["repeat"] == 1]))
    assert (row.account.asked, row.account.done) == (5, 5)


def test_unknown_costs_are_never_zero(trials):
    table = trials({"a": 1.0, "b": 1.0}, tasks=4)
    table["cost"] = np.where(table["model"] == "a", np.nan, 0.5)
    table.loc[table["trial"] == "desk-0-react-b-1", "cost"] = np.nan
    a, b = summarise(table)
    assert (a.account.cost.known, a.account.cost.unknown) == (None, 4)
    assert (b.account.cost.known, b.account.cost.unknown, b.account.cost.complete) == (1.5, 1, False)


def test_limits_and_faults_are_counted(trials):
    table = trials({"a": 1.0}, tasks=10)
    table.loc[0, ["state", "limit"]] = ["limit", "turns"]
    table.loc[1, ["state", "fault"]] = ["fault", "model"]
    table.loc[2, ["state", "fault"]] = ["fault", "environment"]
    table.loc[3, "state"] = "cancelled"
    (row,) = summarise(table)
    assert dict(row.account.limits) == {"turns": 1}
    assert row.account.model_faults == 1
    assert dict(row.account.missing_why) == {"cancelled": 1, "environment": 1}
    assert row.account.done == 8


def test_pass_k_uses_the_repeats_every_model_has(trials):
    table = trials({"a": 0.5, "b": 0.5}, tasks=20, repeats=4)
    rows = summarise(table[(table["model"] == "a") | (table["repeat"] < 3)])
    assert [row.k for row in rows] == [2, 2]
    assert rows[0].pass_hat_k.estimate <= rows[0].passed.estimate <= rows[0].pass_at_k.estimate
    assert summarise(trials({"a": 0.5}))[0].k is None


def test_any_column_can_group(trials):
    table = trials({"a": 0.5}, tasks=6).assign(sandbox=["x", "y"] * 3)
    assert [row.key for row in summarise(table, by=["sandbox"])] == [{"sandbox": "x"}, {"sandbox": "y"}]
    with pytest.raises(UserError, match=r"cannot group by 'colour'.*what varies here"):
        summarise(table, by=["colour"])
