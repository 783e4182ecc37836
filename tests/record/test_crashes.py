"""Real kills, real full disks, real locks."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import harness
from harness.record import RecordError, Results, Store, read_lock

WRITER = """
import sys
sys.path.insert(0, {tests!r})
from conftest import make_record
from harness.record import Store
store = Store({folder!r}, create=True)
begin = 1 + max((int(row.cell[:12], 16) for row in store.rows()), default=0)
for number in range(begin, begin + {count}):
    trial = make_record(number, final_state=bytes(range(256)) * 2000 + str(number).encode())
    store.write(trial)
    store.update_grade(trial.row.trial, score=1.0, passed=True, checks=trial.checks, measures={{}}, measures_hash="m")
    print(number, flush=True)
{then}
"""


def writer(folder: Path, count: int = 10**6, then: str = "store.close()", **options) -> subprocess.Popen[str]:
    code = WRITER.format(tests=str(Path(__file__).parent), folder=str(folder), count=count, then=then)
    environment = os.environ | {"PYTHONPATH": str(Path(harness.__file__).parent.parent)}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def finish(process: subprocess.Popen[str]) -> list[int]:
    out, _ = process.communicate(timeout=60)
    return [int(line) for line in out.split("\n")[:-1]]


def whole(folder: Path) -> list[int]:
    """Numbers of the trials in the record, each read whole."""
    with Store(folder) as store:
        rows = store.rows(current=False)
        for row in rows:
            record = store.record(row.trial)
            assert len(record.document.events) == 3
            assert record.final_state is not None
        return [int(row.cell[:12], 16) for row in rows]


def test_what_was_reported_done_survives_kill_9(tmp_path):
    rng = random.Random(5)
    reported: list[int] = []
    for _ in range(6):
        process = writer(tmp_path)
        reported.append(int(process.stdout.readline()))
        time.sleep(rng.random() * 0.08)
        os.kill(process.pid, signal.SIGKILL)
        reported += finish(process)
        recorded = whole(tmp_path)
        assert len(recorded) == len(set(recorded))
        assert set(reported) <= set(recorded)
        assert len(recorded) - len(reported) <= 6  # at most the one in the air at each kill
    database = sqlite3.connect(tmp_path / "trials.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for table in ("documents", "checks", "recorded_trials"):
        assert database.execute(f"SELECT count(DISTINCT trial) FROM {table}").fetchone()[0] == len(recorded)
    database.close()


def test_readers_see_whole_trials_while_another_process_writes(tmp_path):
    process = writer(tmp_path)
    process.stdout.readline()
    seen = 0
    try:
        for _ in range(15):
            recorded = whole(tmp_path)
            assert len(recorded) >= seen
            seen = len(recorded)
            with contextlib.closing(Results(tmp_path)) as results:
                assert len(results.steps) >= 3 * seen
        Results(tmp_path).write_tables()
    finally:
        process.kill()
        finish(process)
    assert seen > 0


def test_a_second_writer_is_told_who_the_first_is(tmp_path):
    process = writer(tmp_path, count=1, then="import time; time.sleep(60)")
    try:
        process.stdout.readline()
        with pytest.raises(RecordError, match=rf"process {process.pid} is writing here") as caught:
            Store(tmp_path, create=True)
        assert "\n" not in str(caught.value)
    finally:
        process.kill()
        process.communicate()
    with Store(tmp_path, create=True) as store:  # the lock died with its holder
        assert len(store.rows()) == 1


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system needs the right to mount one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def incompressible(number: int) -> bytes:
    return random.Random(number).randbytes(200_000)


def test_a_full_disk_loses_nothing_that_was_reported(small_disk, record):
    folder = small_disk / "sweep"
    written = 0
    with Store(folder, create=True) as store:
        with pytest.raises(RecordError, match=r"trial \S+ was not recorded: the disk is full") as caught:
            for number in range(1, 100):
                store.write(record(number, final_state=incompressible(number)))
                written = number
        assert "\n" not in str(caught.value)
        assert 3 < written < 50
        assert whole(folder) == list(range(1, written + 1))
        subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
        store.write(record(written + 1, final_state=incompressible(written + 1)))
    assert whole(folder) == list(range(1, written + 2))


def test_a_disk_that_is_full_from_the_start(small_disk):
    filler = os.open(small_disk / "filler", os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(filler, b"x" * 4096):
            pass
    os.close(filler)
    with pytest.raises(RecordError, match="the disk is full"):
        Store(small_disk / "sweep", create=True)


def test_a_limit_on_the_size_of_files_is_a_full_disk_too(tmp_path):
    limit = (3_000_000, 3_000_000)
    process = writer(tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    out, error = process.communicate(timeout=60)
    reported = [int(line) for line in out.split()]
    assert "RecordError" in error
    assert process.returncode == 1
    assert set(reported) <= set(whole(tmp_path))


def test_a_read_only_folder_is_read_and_not_written(tmp_path, record):
    folder = tmp_path / "disk"
    with Store(folder, create=True) as store:
        store.write(record(1))
    if os.geteuid() == 0:
        if subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False).returncode:
            pytest.skip("root is held back by a read-only mount alone")
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    else:
        folder.chmod(0o555)
    try:
        assert len(whole(folder)) == 1
        assert len(Results(folder).trials) == 1
        with pytest.raises(RecordError, match=r"(Read-only|Permission)"):
            Store(folder, write=True)
        with pytest.raises(RecordError, match=r"tables.*(Read-only|Permission)"):
            Results(folder).write_tables()
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "-l", folder], check=True)
        else:
            folder.chmod(0o755)


def test_a_damaged_file_is_said_to_be_damaged(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        for number in range(50):
            store.write(record(number, final_state=incompressible(number)))
    path = tmp_path / "trials.sqlite"
    good = path.read_bytes()
    path.write_bytes(good[:8192] + random.Random(1).randbytes(len(good) - 8192))
    with pytest.raises(RecordError, match="damaged") as caught, Store(tmp_path) as store:
        store.rows()
    assert "\n" not in str(caught.value)
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(RecordError, match="not a record of this harness"):
        Store(tmp_path)
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(RecordError), Store(tmp_path) as store:
        for row in store.rows():
            store.record(row.trial)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("PRAGMA user_version = 99", r"newer harness \(record format 99"),
        ("PRAGMA application_id = 7", "not a record of this harness"),
    ],
)
def test_a_record_of_another_kind_is_refused(tmp_path, record, change, reason):
    with Store(tmp_path, create=True) as store:
        store.write(record(1))
    database = sqlite3.connect(tmp_path / "trials.sqlite")
    database.execute(change)
    database.close()
    for options in ({}, {"write": True}):
        with pytest.raises(RecordError, match=reason):
            Store(tmp_path, **options)


def test_a_row_or_document_that_cannot_be_read_names_its_trial(tmp_path, record):
    with Store(tmp_path, create=True) as store:
        store.write(record(1))
        store._database.execute("UPDATE documents SET data = x'00'")
        with pytest.raises(RecordError, match="trial 000000000001-1-1"):
            store.record("000000000001")
        store._database.execute("UPDATE recorded_trials SET state = 'odd'")
        with pytest.raises(RecordError, match="trial 000000000001-1-1"):
            store.rows()


def test_where_there_is_no_record(tmp_path):
    with pytest.raises(RecordError, match="no sweep is recorded here"):
        Store(tmp_path / "none")
    with pytest.raises(RecordError, match="no sweep is recorded here"):
        Store(tmp_path / "none", write=True)
    assert not (tmp_path / "none").exists()
    (tmp_path / "trials.sqlite").touch()  # killed before the tables were made
    with pytest.raises(RecordError, match="no trial is recorded here yet"):
        Store(tmp_path)
    Store(tmp_path, create=True).close()
    assert read_lock(tmp_path) == []
    assert Store.exists(tmp_path)
