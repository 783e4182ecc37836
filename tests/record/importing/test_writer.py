"""The sink of imports: a whole record comes out, or nothing; what is there is not overwritten by accident."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.record import RecordError, Store
from harness.record.imported import read_imported
from harness.record.imported.results import ImportedResults
from harness.record.importing import ImportedAction, ImportedCheck, ImportedTrial, ImportWriter


def write(folder, *trials, actions=None, checks=(), **options):
    with ImportWriter(folder, "x", format="test", **options) as writer:
        for trial in trials:
            writer.trial(trial, actions, checks)
        return writer.commit()


def trial(**changes):
    return ImportedTrial(**{"model": "a", "task": "t", "place": "runs:1"} | changes)


def test_a_record_comes_out(tmp_path):
    source = tmp_path / "runs.json"
    source.write_text("{}")
    with ImportWriter(tmp_path / "results", "x", format="test") as writer:
        writer.source(source)
        writer.note("The source says little.")
        actions = [
            ImportedAction(action="q", arguments={"n": 1.0}, step=1),
            ImportedAction(kind="say", text="hi", step=1),
        ]
        writer.trial(trial(score=0.5), actions, [ImportedCheck(name="c", score=1.0)])
        writer.trial(trial(model="b"))
        writer.trial(trial(model="c"), [])
        imported = writer.commit()
    results = ImportedResults(tmp_path / "results" / "x")
    assert read_imported(results.folder) == imported
    assert dict(imported.counts) == {"trials": 3, "trials_with_actions": 2, "actions": 2, "checks": 1}
    assert (imported.sources[0].bytes, len(imported.sources[0].sha256)) == (2, 64)
    assert imported.notes[0] == "The source says little."
    assert results.trials["steps"].tolist()[0] == 1
    assert results.trials["steps"].isna().tolist() == [False, True, False]
    assert results.checks[["trial", "name", "score"]].iloc[0].tolist() == [results.trials["trial"][0], "c", 1.0]
    assert results.actions()["step"].tolist() == [1, 1]
    assert results.steps["kind"].tolist() == ["tool", "call"]


def test_nothing_is_left_of_what_fails(tmp_path):
    with pytest.raises(RecordError, match="runs:2: score 3 is not between"):
        write(tmp_path, trial(), trial(model="b", score=3.0, place="runs:2"))
    with pytest.raises(RecordError, match="no trial is in there"):
        write(tmp_path)
    with pytest.raises(KeyboardInterrupt), ImportWriter(tmp_path, "x", format="test") as writer:
        writer.trial(trial(), [ImportedAction(action="q")] * 20_000)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_replaced_only_when_asked(tmp_path):
    write(tmp_path, trial())
    with pytest.raises(RecordError, match=r"imported already.*--replace"):
        write(tmp_path, trial())
    (tmp_path / "x" / "tables").mkdir()
    write(tmp_path, trial(model="b"), replace=True)
    assert ImportedResults(tmp_path / "x").trials["model"].tolist() == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert not (tmp_path / "x" / "tables").exists()


def test_our_own_sweeps_and_strange_folders_are_never_replaced(tmp_path, record):
    with Store(tmp_path / "x", create=True) as store:
        store.write(record(1))
    with pytest.raises(RecordError, match="run here is never replaced"):
        write(tmp_path, trial(), replace=True)
    with Store(tmp_path / "x") as store:
        assert len(store.rows()) == 1
    (tmp_path / "photos").mkdir()
    with (
        pytest.raises(RecordError, match="no imported sweep"),
        ImportWriter(tmp_path, "photos", format="t", replace=True),
    ):
        pass


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b", "x" * 81, "a b", "-x"])
def test_names_that_are_no_folder_names(tmp_path, name):
    with pytest.raises(RecordError, match="no name for a sweep"):
        ImportWriter(tmp_path, name, format="test")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"repeat": 0}, "repeat 0 is not between 1 and"),
        ({"repeat": 10**9}, "repeat 1000000000 is not between"),
        ({"cost": -1.0}, "cost is -1.0; it cannot be below 0"),
        ({"seconds": float("nan")}, "seconds is nan, which is no number"),
        ({"turns": -3}, "turns is -3"),
        ({"prompt_tokens": 2**70}, "whole number of 64 bits"),
        ({"passed": 1}, "passed is to be true or false"),
        ({"state": "done"}, "state 'done' is none of"),
        ({"factors": {"cost": 1}}, "cannot be called 'cost'"),
        ({"factors": {"x": float("inf")}}, "column x is inf"),
        ({"factors": {"x": ["a"]}}, "column x is to hold text, numbers or truth values"),
        ({"model": ""}, "model is empty"),
        ({"task": "x" * 5000}, "has 5000 characters"),
    ],
)  # fmt: skip
def test_values_that_cannot_be(tmp_path, changes, said):
    with pytest.raises(RecordError, match=f"^runs:1: .*{said}"):
        write(tmp_path, trial(**changes))


def test_actions_have_to_be_in_order_and_within_bounds(tmp_path):
    with pytest.raises(RecordError, match="runs:1, action 2: step 1 comes after step 2"):
        write(tmp_path, trial(), actions=[ImportedAction(action="q", step=2), ImportedAction(action="q", step=1)])
    with pytest.raises(RecordError, match="runs:1, action 1: arguments are no JSON"):
        write(tmp_path, trial(), actions=[ImportedAction(action="q", arguments={"x": float("nan")})])


def test_broken_unicode_is_kept_readable(tmp_path):
    write(
        tmp_path,
        trial(answer="a\ud800b"),
        actions=[ImportedAction(action="q", observation="\udfff", arguments="\ud800")],
    )
    results = ImportedResults(tmp_path / "x")
    assert results.trials["answer"][0] == "a\ufffdb"
    assert results.actions(("observation",))["observation"][0] == "\ufffd"


_KILLED = """
import sys, time
from harness.record.importing import ImportedAction, ImportedTrial, ImportWriter
with ImportWriter(sys.argv[1], "x", format="test", replace=True) as writer:
    for number in range(10**9):
        action = ImportedAction(action="q", observation="o" * 1000)
        writer.trial(ImportedTrial(model="a", task=str(number)), [action] * 20)
        if number == 2000:
            print("writing", flush=True)
"""


def kill_in_the_middle(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", _KILLED, str(folder)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"writing\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()


def test_a_killed_import_is_as_if_it_had_not_been(tmp_path):
    from harness.report.finding import recorded_sweeps

    kill_in_the_middle(tmp_path)
    assert recorded_sweeps(tmp_path) == []
    write(tmp_path, trial())
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    kill_in_the_middle(tmp_path)
    assert ImportedResults(tmp_path / "x").trials["model"].tolist() == ["a"]
    write(tmp_path, trial(model="b"), replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_a_killed_replacement_had_moved_aside_comes_back(tmp_path):
    write(tmp_path, trial())
    (tmp_path / "x").rename(tmp_path / ".replaced-x")
    with pytest.raises(RecordError, match="imported already"):
        write(tmp_path, trial(model="b"))
    assert ImportedResults(tmp_path / "x").trials["model"].tolist() == ["a"]


def test_an_import_at_work_is_not_cleared_away_by_another(tmp_path):
    with ImportWriter(tmp_path, "one", format="test") as first:
        first.trial(trial())
        write(tmp_path, trial())
        first.commit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "x"]


def test_a_damaged_record_says_how_to_mend_it(tmp_path):
    write(tmp_path, trial(), actions=[ImportedAction(action="q")])
    for name in ("trials.parquet", "actions.parquet"):
        path = tmp_path / "x" / name
        path.write_bytes(path.read_bytes()[:-9])
    results = ImportedResults(tmp_path / "x")
    with pytest.raises(RecordError, match=r"trials\.parquet: missing or damaged; import the sweep again"):
        _ = results.trials
    with pytest.raises(RecordError, match=r"actions\.parquet: missing or damaged"):
        results.actions()
    (tmp_path / "x" / "imported.yaml").write_text("version: 9\n")
    with pytest.raises(RecordError, match="newer harness"):
        ImportedResults(tmp_path / "x")
    (tmp_path / "x" / "imported.yaml").write_text("- a\n")
    with pytest.raises(RecordError, match="damaged"):
        ImportedResults(tmp_path / "x")


def test_a_full_disk_leaves_nothing(tmp_path):
    """A file may be no larger than 200 kB in the child: what a full disk looks like."""
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n" + _KILLED.replace(
        "import sys, time", "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    )
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "RecordError" in done.stderr
    assert "was not written" in done.stderr
    assert list(tmp_path.iterdir()) == []
    assert time.monotonic() - begun < 100
