"""Functions that files point at are found and hashed without being imported."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.spec import UserError, load_python
from harness.spec.python_source import python_digest, source_file


def test_a_file_is_loaded_fresh_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text("def f(x):\n    return x + 1\n")
    assert load_python("f.py:f", tmp_path)(1) == 2
    before = python_digest("f.py:f", tmp_path)
    (tmp_path / "f.py").write_text("def f(x):\n    return x + 2\n")
    assert load_python("f.py:f", tmp_path)(1) == 3
    assert python_digest("f.py:f", tmp_path) != before
    assert not (tmp_path / "__pycache__").exists()


def test_threads_that_load_a_file_at_once_all_get_the_whole_of_it(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(0.2)\nLOADED = object()\ndef f(): return LOADED\n")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: load_python("slow.py:f", tmp_path), range(8)))
    assert len({id(function()) for function in found}) == 1


def test_the_source_of_a_module_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_pkg_x"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "inner.py").write_text("raise RuntimeError('imported')\ndef f(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    path, name = source_file("some_pkg_x.inner:f", tmp_path)
    assert (path, name) == (package / "inner.py", "f")
    assert "some_pkg_x" not in sys.modules
    with pytest.raises(UserError, match="importing it failed: RuntimeError: imported"):
        load_python("some_pkg_x.inner:f", tmp_path)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("f.py", "names no function: write `file.py:name`"),
        ("f.py:no-name", "names no function"),
        ("gone.py:f", "does not exist"),
        ("f.py:g", "f.py defines no 'g'"),
        ("f.py:chek", r"did you mean check\?"),
        ("bad.py:f", "bad.py line 1 is not valid Python"),
        ("no_such_module_x:f", "there is no installed module 'no_such_module_x'"),
        ("json.no_such:f", "there is no installed module 'json.no_such'"),
        ("json.decoder.deep:f", "'json.decoder' is a module, not a package"),
        ("sys:f", "has no Python source"),
        ("../f.py:f", "no `..`"),
        ("f.py:value", "'value' is not a function"),
    ],
)
def test_what_is_wrong_with_a_reference_is_one_line(tmp_path: Path, reference: str, reason: str) -> None:
    (tmp_path / "f.py").write_text("def f(): ...\ndef check(): ...\nvalue = 1\n")
    (tmp_path / "bad.py").write_text("def f(:\n")
    with pytest.raises(UserError, match=reason) as caught:
        load_python(reference, tmp_path)
    assert "\n" not in str(caught.value)
