"""The pages in docs/ are true: their files are written, their commands run, and what they promise is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from test_readme import BLOCK

DOCS = Path(__file__).resolve().parent.parent / "docs"


def environment(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "COLUMNS": "110", "PYTHONPATH": str(folder)}


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=300)


@pytest.fixture(params=sorted(path.name for path in DOCS.glob("*.md")))
def page(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """The text of a page, and a folder with the files that it shows."""
    text = (DOCS / request.param).read_text()
    for block in BLOCK.finditer(text):
        if block["title"]:
            path = tmp_path / block["title"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"])
    return text, tmp_path


@pytest.mark.documents
def test_the_commands_of_a_page_run(page: tuple[str, Path]) -> None:
    text, folder = page
    for block in BLOCK.finditer(text):
        if block["kind"] in ("bash", "python") and not block["title"] and not block["why"]:
            shell = ["bash", "-euo", "pipefail", "-c"] if block["kind"] == "bash" else [sys.executable, "-c"]
            done = run([*shell, block["text"]], folder)
            assert done.returncode == 0, f"{block['text']}\n{done.stdout}\n{done.stderr}"


def test_every_block_of_a_page_is_seen_by_these_tests(page: tuple[str, Path]) -> None:
    text, _ = page
    assert len(list(BLOCK.finditer(text))) == text.count("\n```") // 2


def installed(folder: Path) -> None:
    """What installing the package of the page's pyproject.toml comes to."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{re.sub('[^a-z0-9]+', '_', project['name'])}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "\n".join(f"{name} = {module}" for name, module in project["entry-points"]["harness"].items())
    (info / "entry_points.txt").write_text(f"[harness]\n{points}\n")


def test_an_environment_of_ones_own_is_short_and_a_plug_in_brings_it(tmp_path: Path) -> None:
    for block in BLOCK.finditer((DOCS / "own-environment.md").read_text()):
        if block["title"]:
            (tmp_path / block["title"]).write_text(block["text"])
    lines = [line for line in (tmp_path / "balance.py").read_text().splitlines() if line.strip()]
    assert len(lines) < 60
    scenario = (tmp_path / "balance.yaml").read_text()
    (tmp_path / "balance.yaml").write_text(scenario.replace('"balance:Balance"', "balance"))
    before = run(["harness", "check", "balance.yaml"], tmp_path)
    assert before.returncode == 2 and "unknown environment kind 'balance'" in before.stdout + before.stderr
    installed(tmp_path)
    after = run(["harness", "validate", "balance.yaml"], tmp_path)
    assert after.returncode == 0, after.stdout + after.stderr


def test_the_library_on_the_page_is_the_one_that_ships() -> None:
    from harness.environments import CATALOG
    from harness.spec import library, load_scenario

    page = (DOCS / "environments.md").read_text()
    listed = set(re.findall(r"^\| `([\w-]+)` \| `([\w+-]+)` \| (\d+) \|", page, re.M))
    shipped = [path for path in library().glob("*.yaml") if "\nkind: scenario\n" in path.read_text()]
    assert {name for name, _, _ in listed} == {path.stem for path in shipped}
    for path in shipped:
        spec = load_scenario(path, CATALOG).spec
        assert (spec.name, spec.environment.kind, str(len(spec.tasks))) in listed
