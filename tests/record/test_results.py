from __future__ import annotations

import csv
import time

import pandas as pd
import pytest

from harness import open_results
from harness.record import AskedRow, RecordError, Results, Store
from harness.record.frames import CALLS, CHECKS, STEPS, TRIALS


def asked(row, **changes):
    values = {
        name: getattr(row, name) for name in ("cell", "repeat", "scenario", "task", "family", "scaffold", "model")
    }
    return AskedRow(**(values | {"models": row.models} | changes))


def test_unknown_is_missing_and_types_hold_whatever_the_data(tmp_path, record):
    with Store(tmp_path / "s", create=True) as store:
        empty = Results(tmp_path / "s")
        for table in (empty.trials, empty.steps, empty.checks, empty.calls):
            assert len(table) == 0
        store.write(record(1, cost=None, score=None, passed=None, prompt_tokens=None))
        store.write(record(2, cost=0.5, score=1.0, passed=True))
        trials = open_results(str(tmp_path / "s")).trials
        assert trials["cost"].isna().tolist() == [True, False]
        assert trials["prompt_tokens"].isna().tolist() == [True, False]
        assert trials["passed"].isna().tolist() == [True, False]
        for table, columns in ((trials, TRIALS), (empty.trials, TRIALS), (empty.steps, STEPS), (empty.calls, CALLS),
                               (empty.checks, CHECKS)):  # fmt: skip
            for name, kind in columns.items():
                if name not in ("models", "measures"):
                    assert str(table[name].dtype) == kind, name


def test_measures_and_models_are_columns(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        store.write(record(1, measures={"reads": 3, "looks": True, "style": "calm", "mixed": 1, "gone": None}))
        store.write(record(2, models={"agent": "small", "critic": "large"}, measures={"reads": None, "mixed": "x"}))
    trials = Results(tmp_path).trials
    assert trials["measure.reads"].tolist() == [3.0, pd.NA]
    assert str(trials["measure.looks"].dtype) == "boolean"
    assert trials["measure.style"].tolist() == ["calm", pd.NA]
    assert trials["measure.mixed"].tolist() == ["1", "x"]
    assert trials["measure.gone"].isna().all()
    assert trials["model.critic"].tolist() == [pd.NA, "large"]
    with Store(tmp_path / "single", create=True) as store:
        store.write(record(1))
    assert not [name for name in Results(tmp_path / "single").trials if name.startswith("model.")]


def test_steps_calls_and_checks(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        store.write(record(1))
    results = Results(tmp_path)
    steps = results.steps
    assert steps["kind"].tolist() == ["call", "tool", "route"]
    assert steps["action"].tolist() == ["query", "query", pd.NA]
    assert steps["arguments"][1] == '{"sql":"select 1"}'
    assert steps["error"].tolist() == [False, False, pd.NA]
    (call,) = results.calls.to_dict("records")
    assert (call["requested"], call["resolved"], call["failed_attempts"]) == ("openai/small", "small-2", 1)
    assert (call["dropped"], call["attempt_errors"]) == ('["k"]', '["rate_limit"]')
    assert results.checks["name"].tolist() == ["answer"]


def test_what_is_no_longer_asked_is_left_out(tmp_path, record):
    first, second, third = record(1), record(2), record(1, 2)
    with Store(tmp_path, create=True) as store:
        for trial in (first, second, third, record(1, 2, 2)):
            store.write(trial)
        assert len(Results(tmp_path).trials) == 3
        assert len(Results(tmp_path).asked) == 0
        store.write_asked([asked(first.row), asked(third.row), asked(record(9).row)])
        assert Results(tmp_path).trials["trial"].tolist() == [first.row.trial, "000000000001-2-2"]
        assert set(Results(tmp_path).steps["trial"]) == {first.row.trial, "000000000001-2-2"}
        assert set(Results(tmp_path).checks["trial"]) == {first.row.trial, "000000000001-2-2"}
        assert len(Results(tmp_path, superseded=True, attempts=True).trials) == 4
        assert len(Results(tmp_path).asked) == 3


def test_names_are_those_of_now(tmp_path, record):
    trial = record(1)
    with Store(tmp_path, create=True) as store:
        store.write(trial)
        store.write_asked([asked(trial.row, model="tiny", models={"agent": "tiny"}, scaffold="loop")])
        assert store.rows()[0].models == {"agent": "tiny"}
    results = Results(tmp_path)
    assert (results.trials["model"][0], results.trials["scaffold"][0]) == ("tiny", "loop")
    assert set(results.steps["model"].dropna()) == {"tiny"}
    assert set(results.calls["model"]) == {"tiny"}


def test_tables_are_written_for_people_and_for_pandas(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        store.write(record(1, answer='=HYPERLINK("http://x")', error="-1+1"))
        store.write(record(2, answer="@sum, \n+2", seconds=-0.0))
        files = Results(tmp_path).write_tables()
        assert sorted(path.name for path in files) == sorted(path.name for path in (tmp_path / "tables").iterdir())
    assert len(files) == 8
    with (tmp_path / "tables" / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["answer"] for row in rows] == ['\'=HYPERLINK("http://x")', "'@sum, \n+2"]
    assert rows[0]["error"] == "'-1+1"
    assert rows[0]["cost"] == ""
    parquet = pd.read_parquet(tmp_path / "tables" / "trials.parquet")
    assert parquet["answer"][0] == '=HYPERLINK("http://x")'
    assert str(parquet["prompt_tokens"].dtype) == "Int64"


def test_a_sweep_is_found_by_folder_or_name(tmp_path, record, monkeypatch):
    with Store(tmp_path / "results" / "study", create=True) as store:
        store.write(record(1))
    monkeypatch.chdir(tmp_path)
    for reference in ("study", "results/study", tmp_path / "results" / "study"):
        assert len(Results(reference).trials) == 1
    with pytest.raises(RecordError, match="no sweep is recorded there"):
        Results("nothing")


def test_reading_ten_thousand_trials_takes_no_transcript(tmp_path, record):
    from harness.record import codec

    with Store(tmp_path, create=True) as store:
        store.write(record(1, measures={"turns": 3, "share.query": 0.5}))
        values = codec.row_values(record(1, measures={"turns": 3, "share.query": 0.5}).row)
        database = store._database
        database.execute("BEGIN")
        for number in range(2, 10_001):
            values[0], values[1] = f"t{number}", f"c{number}"
            database.execute(
                f"INSERT INTO recorded_trials ({codec.column_list()}) VALUES ({codec.marks(values)})", values
            )
        database.execute("COMMIT")
        began = time.process_time()
        trials = Results(tmp_path).trials
        assert len(trials) == 10_000
        assert time.process_time() - began < 5.0
