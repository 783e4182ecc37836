"""The quick start of the README, as written, from a fresh clone with empty caches. Takes a quarter of an hour."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from test_readme import ROOT, blocks


@pytest.mark.quick_start
def test_the_quick_start_ends_in_a_table_and_a_comparison(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "COLUMNS": "110"}
    environment.pop("HARNESS_MODELS_DIR", None)
    set_up_and_run, look, *_ = [block.text for block in blocks("Quick start") if block.kind == "bash"]
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", set_up_and_run], cwd=clone, env=environment, text=True,
        stdout=subprocess.PIPE, timeout=3000,
    )  # fmt: skip
    print(run.stdout)
    assert run.returncode == 0
    for word in ("smollm2", "qwen-coder-0.5b", "react", "plan-then-act"):
        assert word in run.stdout
    again = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", look],
        cwd=clone,
        env=environment,
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert again.returncode == 0, again.stderr
    assert "to run 0" in again.stdout
    assert sorted(path.name for path in (clone / "results" / "first-light" / "tables").glob("trials.*")) == [
        "trials.csv",
        "trials.parquet",
    ]
