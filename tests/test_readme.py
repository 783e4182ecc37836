"""The README is true: its files are written, and its commands run, in the order a reader meets them.

A block `yaml title="NAME"` (or sql, python) is a file; a `bash` or `python` block is run, unless the comment
`<!-- not run: why -->` stands right before it. The quick start has a test of its own (`test_quick_start.py`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<why>.+?) -->\n)?```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```",
    re.S | re.M,
)


@dataclass(frozen=True)
class Block:
    kind: str
    title: str | None
    text: str
    not_run: str | None


def blocks(section: str) -> list[Block]:
    """The code blocks of one `## section` of the README."""
    readme = (ROOT / "README.md").read_text()
    found = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", readme, re.S | re.M)
    assert found is not None, section
    return [Block(m["kind"], m["title"], m["text"], m["why"]) for m in BLOCK.finditer(found[1])]


def sections() -> list[str]:
    readme = (ROOT / "README.md").read_text()
    return [name for name in re.findall(r"^## (.+)$", readme, re.M) if blocks(name) and name != "Quick start"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the whole README, because its sections build on one another."""
    return tmp_path_factory.mktemp("readme")


@pytest.mark.documents
@pytest.mark.local_model
@pytest.mark.parametrize("section", sections())
def test_a_section_does_what_it_says(section: str, folder: Path) -> None:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "110",
    }
    for block in blocks(section):
        if block.title is not None:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.not_run is None and block.kind in ("bash", "python"):
            command = ["bash", "-euo", "pipefail", "-c"] if block.kind == "bash" else [sys.executable, "-c"]
            done = subprocess.run(
                [*command, block.text], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"


def test_no_block_is_left_unrun_without_a_reason() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(BLOCK.findall(readme)) == readme.count("\n```") // 2
