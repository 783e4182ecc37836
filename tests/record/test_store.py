from __future__ import annotations

import sqlite3
import threading

import pytest

from harness.record import AskedRow, CheckResult, RecordError, Store
from harness.record.database import COLUMNS
from harness.record.schema import TrialRow


def test_columns_are_the_fields_of_a_row():
    assert tuple(COLUMNS) == tuple(TrialRow.model_fields)


def test_a_trial_comes_back_as_it_was_written(tmp_path, record):
    written = record(score=0.5, passed=False, measures={"turns": 3, "label": "slow", "share": 0.5, "none": None})
    with Store(tmp_path / "sweep", create=True) as store:
        store.write(written)
        assert store.record(written.row.trial) == written
    with Store(tmp_path / "sweep") as store:
        assert store.record(written.row.trial) == written
        assert store.rows() == [written.row]


def test_the_highest_attempt_counts_and_all_are_kept(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        failed = record(1, 1, 1, state="fault", fault="provider", error="429")
        for trial in (failed, record(2, 1, 1), record(1, 1, 2), record(1, 2, 1)):
            store.write(trial)
        assert [r.trial for r in store.rows()] == ["000000000002-1-1", "000000000001-1-2", "000000000001-2-1"]
        assert len(store.rows(current=False)) == 4
        assert store.done() == {(r.cell, r.repeat) for r in store.rows()}


def test_writing_a_trial_twice_is_refused_and_changes_nothing(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        store.write(record(answer="first"))
        with pytest.raises(RecordError, match="000000000001-1-1 is recorded already"):
            store.write(record(answer="second"))
        assert [r.answer for r in store.rows()] == ["first"]


def test_a_trial_is_found_by_the_beginning_of_its_name(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        store.write(record(1, 1, 1))
        store.write(record(1, 10, 1))
        store.write(record(0xABC, 1, 1))
        assert store.record("000000000abc").row.trial == "000000000abc-1-1"
        assert store.record("000000000001-1-1").row.repeat == 1
        with pytest.raises(RecordError, match=r"several trials begin with '000000000001': .*-1-1, .*-10-1"):
            store.record("000000000001")
        with pytest.raises(RecordError, match="no trial 'fff'"):
            store.record("fff")
        with pytest.raises(RecordError, match="no trial '%'"):
            store.record("%")


def test_a_grade_is_replaced(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        store.write(record())
        check = CheckResult(name="sql", kind="sql", weight=2.0, score=0.0, detail="expected 1, found 2")
        row = store.update_grade(
            "000000000001-1-1", score=0.0, passed=False, checks=[check], measures={"turns": 1}, measures_hash="new"
        )
        assert (row.score, row.passed, row.measures, row.measures_hash) == (0.0, False, {"turns": 1}, "new")
        assert row.graded is not None
        assert row.graded_with == row.scenario_hash
        assert store.record("000000000001-1-1").checks == [check]
        with pytest.raises(RecordError, match="no trial nothing"):
            store.update_grade("nothing", score=None, passed=None, checks=[], measures={}, measures_hash="")


def test_a_failed_grader_is_on_its_own_account_until_the_trial_is_graded(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        store.write(record(state="limit", limit="turns"))
        name = "000000000001-1-1"
        row = store.update_grade(
            name, score=None, passed=None, checks=[], measures={}, measures_hash="m", error="check sql: no such table"
        )
        assert (row.state, row.fault, row.limit, row.is_result) == ("fault", "grader", None, False)
        assert row.error == "check sql: no such table"
        assert store.done() == set()
        row = store.update_grade(name, score=1.0, passed=True, checks=[], measures={}, measures_hash="m")
        assert (row.state, row.fault, row.limit, row.is_result) == ("limit", None, "turns", True)


def test_one_writer_at_a_time_and_readers_beside_it(tmp_path, record):
    with Store(tmp_path, create=True) as writer:
        with pytest.raises(RecordError, match="this process is writing here"):
            Store(tmp_path, write=True)
        writer.write(record())
        with Store(tmp_path) as reader:
            assert len(reader.rows()) == 1
            writer.write(record(2))
            assert len(reader.rows()) == 2
            with pytest.raises(RecordError, match="reading only"):
                reader.write(record(3))
    with Store(tmp_path, write=True) as writer:
        writer.write(record(3))


def test_equal_final_states_are_kept_once(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        for number in range(3):
            store.write(record(number, final_state=b"x" * 1000))
        store.write(record(9, final_state=None))
        assert store.record("000000000002").final_state == b"x" * 1000
        assert store.record("000000000009").final_state is None
    database = sqlite3.connect(tmp_path / "trials.sqlite")
    assert database.execute("SELECT count(*) FROM final_states").fetchone() == (1,)
    database.close()


def test_documents_come_in_the_order_asked(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        names = []
        for number in range(150):
            written = record(number)
            store.write(written)
            names.append(written.row.trial)
        asked = [*reversed(names), "unknown"]
        assert [name for name, _ in store.documents(asked)] == names[::-1]


def test_several_threads_may_write(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        threads = [
            threading.Thread(target=lambda n=n: [store.write(record(n, repeat)) for repeat in range(1, 11)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.rows()) == 40


def test_what_is_asked_replaces_what_was_asked(tmp_path, row):
    def asked(number: int, repeat: int) -> AskedRow:
        r = row(number, repeat)
        return AskedRow(r.cell, repeat, r.scenario, r.task, r.family, r.scaffold, r.model, r.models)

    with Store(tmp_path, create=True) as store:
        assert store.asked() == []
        store.write_asked([asked(1, 1), asked(1, 2)])
        store.write_asked([asked(2, 1), asked(1, 1)])
        assert store.asked() == [asked(2, 1), asked(1, 1)]


def test_what_is_asked_can_stay_beside_what_is_asked_now(tmp_path, row):
    def asked(cell, repeat=1, model="tiny"):
        return AskedRow(cell, repeat, "shop", "t1", None, "loop", model, {"agent": model})

    with Store(tmp_path, create=True) as store:
        store.write_asked([asked("a"), asked("a", 2)])
        store.write_asked([asked("a", model="small"), asked("b")], keep=True)
        assert store.asked() == [asked("a", 2), asked("a", model="small"), asked("b")]
        store.write_asked([asked("b")])
        assert store.asked() == [asked("b")]


def test_files_are_kept_by_content(tmp_path):
    path = tmp_path / "desk.yaml"
    with Store(tmp_path, create=True) as store:
        first = store.write_files({path: "kind: scenario"})
        assert store.write_files({path: "kind: scenario"}) == first
        second = store.write_files({path: "kind: scenario # changed"})
        assert store.files() == [(str(path), first[path]), (str(path), second[path])]
        assert store.file(first[path]) == b"kind: scenario"
        with pytest.raises(RecordError, match="no file"):
            store.file("0" * 64)


def test_text_that_is_not_unicode_does_not_stop_a_trial_from_being_written(tmp_path, record):
    written = record()
    broken = {"role": "assistant", "content": "half \ud83d of a pair", "n": 2**70}
    document = written.document.model_copy(update={"messages": {**written.document.messages, "x": broken}})
    with Store(tmp_path, create=True) as store:
        store.write(written.model_copy(update={"document": document}))
        assert store.record(written.row.trial).document.messages["x"]["content"] == "half \ufffd of a pair"
