"""What a run keeps of the files it stands on, and what it writes beside the record."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from run.workbench import SCAFFOLD, SCENARIO, Workbench

from harness.record import read_lock
from harness.report.shapes import ComparisonShape
from harness.run import resolve
from harness.run.sources import source_files

SCRIPT = "kind: script\nrules:\n  - {call: {tool: submit, arguments: {answer: '7'}}}\n"
EVERY = {"sweep.yaml", "stock.yaml", "outer.yaml", "loop.yaml", "models.yaml", "script.yaml", "shop.sql", "notes.py",
         "judge.py"}  # fmt: skip


@pytest.fixture
def full(bench: Workbench) -> Workbench:
    """A sweep that points at everything a sweep can point at."""
    bench.write("script.yaml", SCRIPT)
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/script.yaml"}}})
    (bench.folder / "notes.py").write_text("def note(state):\n    return {}\n")
    (bench.folder / "judge.py").write_text("def judge(*about):\n    return 1.0\n")
    nodes = {"note": {"kind": "python", "function": "notes.py:note", "next": "inner"},
             "inner": {"kind": "use", "scaffold": "loop.yaml", "next": "end"}}  # fmt: skip
    bench.write("outer.yaml", {**SCAFFOLD, "name": "outer", "start": "note", "nodes": nodes})
    checks = [{"kind": "python", "function": "judge.py:judge"}]
    bench.change("stock.yaml", tasks=[{**task, "checks": checks} for task in SCENARIO["tasks"][:1]])
    bench.change("sweep.yaml", scaffolds=["outer.yaml"])
    return bench


def test_every_file_is_kept(full: Workbench) -> None:
    full.run()
    store = full.record.store
    kept = {path.rpartition("/")[2]: store.file(digest) for path, digest in store.files()}
    assert set(kept) == EVERY
    assert all(content == (full.folder / name).read_bytes() for name, content in kept.items())


def test_hidden_tests_in_folders_are_kept(bench: Workbench) -> None:
    (bench.folder / "given" / "deep").mkdir(parents=True)
    (bench.folder / "given" / "deep" / "a.txt").write_text("a")
    (bench.folder / "test.sh").write_text("true")
    check = {"kind": "command", "run": "sh test.sh", "files": {"test.sh": "test.sh"}}
    bench.change(
        "stock.yaml",
        environment={"kind": "workspace", "files": "given"},
        roles={"clerk": {"brief": "Look."}},
        tasks=[{"id": "look", "brief": "Look.", "checks": [check], "solution": []}],
    )
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "openai/any"}}})
    kept = source_files(resolve(str(bench.folder / "sweep.yaml"))).kept
    assert {"a.txt", "test.sh"} <= {path.name for path in kept}


def test_what_is_too_large_is_left_out_and_said(full: Workbench) -> None:
    sweep = resolve(str(full.folder / "sweep.yaml"))
    (full.folder / "shop.sql").write_text((full.folder / "shop.sql").read_text() + "-" * 4000)
    files = source_files(sweep, largest_file=2000)
    assert {path.name for path in files.left_out} == {"shop.sql"}
    assert {path.name for path in files.kept} == EVERY - {"shop.sql"}
    assert files.note is not None
    assert "shop.sql" in files.note
    assert source_files(sweep).note is None
    assert source_files(sweep, largest_total=0).kept == {}


def test_a_run_ends_with_tables_and_its_lock_says_the_limits(full: Workbench) -> None:
    done = full.harness("run", "sweep.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["started", "trial", "ended"]
    tables = full.results / "bench" / "tables"
    assert len(pd.read_csv(tables / "trials.csv")) == len(pd.read_parquet(tables / "results.parquet")) == 1
    limits = read_lock(full.results / "bench")[-1].resolved["limits"]
    assert limits == {"stock": {"nail": {"turns": 6, "seconds": 1800.0}}}


def test_what_is_missing_is_said_to_machines_too(full: Workbench) -> None:
    (full.folder / "judge.py").write_text("def judge(*about):\n    raise ValueError('no idea')\n")
    done = full.harness("run", "sweep.yaml", "--json")
    assert done.returncode == 1
    ended = json.loads(done.stdout.splitlines()[-1])
    assert (ended["event"], ended["exit_code"], ended["results"], ended["missing"]) == ("ended", 1, 0, {"grader": 1})


def test_unequal_budgets_are_told_beside_the_numbers(full: Workbench) -> None:
    full.run()
    models = {name: {"model": "scripted/script.yaml", "variant": name} for name in ("good", "other")}
    full.write("models.yaml", {"kind": "models", "models": models})
    full.change("sweep.yaml", name="second", models=["other"], limits={"turns": 9})
    full.run()
    said = full.harness("compare", "bench", "second", "--json")
    cautions = {caution.kind: caution.text for caution in ComparisonShape.model_validate_json(said.stdout).cautions}
    assert cautions["limits"] == "unequal budgets in stock/nail: turns good 6, other 9"


def test_a_sweep_elsewhere_is_graded_again(full: Workbench) -> None:
    full.run()
    (full.folder / "results").rename(full.folder / "elsewhere")
    given = ["regrade", "sweep.yaml", "--results-dir", "elsewhere", "--json"]
    done = full.harness(*given)
    assert done.returncode == 0, done.stderr
    assert [trial["changed"] for trial in json.loads(done.stdout)] == [False]
