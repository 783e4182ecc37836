from __future__ import annotations

import pytest
import yaml

from harness.record import RecordError, read_lock, write_lock


def test_a_run_that_resolves_to_the_same_adds_nothing(tmp_path):
    asked, resolved = {"kind": "sweep", "models": ["small"]}, {"models": {"small": {"digest": "a"}}, "trials": 3}
    assert write_lock(tmp_path, asked, resolved)
    content = (tmp_path / "sweep.lock.yaml").read_text()
    assert not write_lock(tmp_path, asked, dict(reversed(resolved.items())))
    assert (tmp_path / "sweep.lock.yaml").read_text() == content


def test_what_it_resolved_to_before_is_kept(tmp_path):
    for digest in "aba":
        assert write_lock(tmp_path, {"name": "s"}, {"digest": digest})
    assert [entry.resolved["digest"] for entry in read_lock(tmp_path)] == ["a", "b", "a"]
    assert {entry.asked["name"] for entry in read_lock(tmp_path)} == {"s"}
    assert len(yaml.safe_load((tmp_path / "sweep.lock.yaml").read_text())) == 3


def test_plain_data_comes_back(tmp_path):
    data = {"numbers": [1, 2.5, None, True], "text": "two\nlines: ü", "path": tmp_path, 3: (1, 2), "no": "no"}
    write_lock(tmp_path, data, {})
    (entry,) = read_lock(tmp_path)
    assert entry.asked == {
        "numbers": [1, 2.5, None, True], "text": "two\nlines: ü", "path": str(tmp_path), "3": [1, 2], "no": "no",
    }  # fmt: skip


@pytest.mark.parametrize("content", ["{", "- just text", "- {asked: {}, resolved: {}}", "\x00", "3"])
def test_a_damaged_lock_is_said_to_be_damaged(tmp_path, content):
    (tmp_path / "sweep.lock.yaml").write_text(content)
    with pytest.raises(RecordError, match="damaged"):
        write_lock(tmp_path, {}, {})
