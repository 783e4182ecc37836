"""A recorded sweep is put together again from its files, from the record's copies of them, or not at all."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from run.workbench import SCAFFOLD, SCENARIO, Workbench, new_bench

from harness.errors import UserError
from harness.intervene.carrying import Continued
from harness.intervene.moments import digests_behind, moment
from harness.intervene.origin import open_origin
from harness.intervene.planning import Asked, carry_out_asked, intervention_sweep, moment_cell
from harness.intervene.replaying import replay_all
from harness.record import Results, Store
from harness.run import resolve, run_session
from harness.run.progress import PlainProgress

SCRIPT: dict[str, Any] = {
    "kind": "script",
    "rules": [
        {"visit": 1, "call": {"tool": "query", "arguments": {"sql": "select * from goods"}}},
        {"call": {"tool": "submit", "arguments": {"answer": "500"}}},
    ],
}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """Its files are in a folder of their own, beside the results."""
    made = new_bench(tmp_path / "files")
    made.write("good.yaml", SCRIPT)
    made.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/good.yaml"}}})
    return made


def results(bench: Workbench) -> Path:
    return bench.folder.parent / "results"


def run(bench: Workbench) -> None:
    run_session(resolve(str(bench.folder / "sweep.yaml")), results(bench), PlainProgress)


def replayed(folder: Path) -> list[str | bool]:
    """Of each trial whether it replays without drift, or why it cannot be replayed."""
    with open_origin(folder) as origin:
        found = asyncio.run(replay_all(origin, origin.rows))
        scratch = origin.scratch
    assert scratch is None or not scratch.exists()
    return [one.error or one.same for one in found]


def forked(
    bench: Workbench, of: str, name: str, at: int = 1, models_file: Path | None = None, model: str = "good"
) -> None:
    with open_origin(results(bench) / of) as origin:
        row = origin.rows[0]
        document = origin.record(row.trial).document
        there = moment(row.trial, document, at)
        chosen = origin.model(model, models_file)
        cell = moment_cell(
            origin, row, digests_behind(document)[at], there, chosen, kind="fork", factors={"moment": there.name}
        )
        sweep = intervention_sweep(origin, name, {model: chosen}, repeats=1, budget=None)
        asked = Asked("fork", name, sweep, [cell], Continued(origin), {"of": of})
        assert carry_out_asked(asked, results(bench), PlainProgress).results == 1


def test_from_its_files(bench: Workbench) -> None:
    run(bench)
    assert replayed(results(bench) / "bench") == [True] * 3
    with open_origin(results(bench) / "bench") as origin:
        assert origin.scratch is None


def test_from_the_record_where_they_are_gone(bench: Workbench) -> None:
    """As on another machine, where none of the paths is there."""
    run(bench)
    shutil.rmtree(bench.folder)
    assert replayed(results(bench) / "bench") == [True] * 3


@pytest.mark.parametrize("file", ["stock.yaml", "loop.yaml", "models.yaml", "good.yaml", "sweep.yaml", "shop.sql"])
def test_from_the_record_where_one_has_changed(bench: Workbench, file: str) -> None:
    run(bench)
    changes: dict[str, Any] = {
        "stock.yaml": {**SCENARIO, "roles": {"clerk": {"brief": "You lost the stock."}}},
        "loop.yaml": {**SCAFFOLD, "protocol": {"kind": "json"}},
        "models.yaml": {"kind": "models", "models": {"other": {"model": "scripted/good.yaml"}}},
        "good.yaml": {**SCRIPT, "rules": SCRIPT["rules"][1:]},
        "sweep.yaml": {**bench.written["sweep.yaml"], "limits": {"turns": 2}},
        "shop.sql": "create table goods (name text primary key, price integer, stock integer);",
    }
    bench.write(file, changes[file])
    assert replayed(results(bench) / "bench") == [True] * 3


def test_from_the_record_where_a_file_was_changed_and_changed_back(bench: Workbench) -> None:
    """What was kept last is not what the trials asked for were run with."""
    run(bench)
    first = bench.written["stock.yaml"]
    bench.change("stock.yaml", roles={"clerk": {"brief": "You lost the stock."}})
    run(bench)
    bench.write("stock.yaml", first)
    run(bench)
    shutil.rmtree(bench.folder)
    assert replayed(results(bench) / "bench") == [True] * 3


def test_shipped_scenarios_and_scaffolds_by_name(bench: Workbench) -> None:
    rules = [{"call": {"tool": "submit", "arguments": {"answer": "x"}}}]
    bench.write("good.yaml", {"kind": "script", "rules": rules})
    bench.change("sweep.yaml", scenarios=["steward", "smithy"], scaffolds=["react", "vote"], tasks=["place", "word"])
    run(bench)
    shutil.rmtree(bench.folder)
    assert replayed(results(bench) / "bench") == [True] * 4


def test_files_named_by_their_whole_path(bench: Workbench) -> None:
    elsewhere = bench.folder.parent / "elsewhere"
    elsewhere.mkdir()
    for name in ("stock.yaml", "shop.sql", "loop.yaml", "models.yaml", "good.yaml"):
        (bench.folder / name).rename(elsewhere / name)
    bench.change(
        "sweep.yaml", scenarios=[str(elsewhere / "stock.yaml")], scaffolds=["../elsewhere/loop.yaml"],
        models_file=str(elsewhere / "models.yaml"),
    )  # fmt: skip
    run(bench)
    (elsewhere / "stock.yaml").write_text("kind: scenario")
    (elsewhere / "models.yaml").unlink()
    assert replayed(results(bench) / "bench") == [True] * 3


def test_data_folders_and_python_checks(bench: Workbench) -> None:
    bench.write("post/letters/one.txt", "Dear Ann")
    bench.write("judge.py", "def fits(state, answer, actions, given):\n    return 1.0\n")
    bench.change(
        "stock.yaml", environment={"kind": "workspace", "files": "post"}, roles={"clerk": {"brief": "Read."}},
        tasks=[{"id": "read", "brief": "Read it.", "checks": [{"kind": "python", "function": "judge.py:fits"}]}],
    )  # fmt: skip
    rules = [
        {"visit": 1, "call": {"tool": "read_file", "arguments": {"path": "letters/one.txt"}}},
        {"call": {"tool": "submit", "arguments": {"answer": "x"}}},
    ]
    bench.write("good.yaml", {"kind": "script", "rules": rules})
    run(bench)
    with Store(results(bench) / "bench") as store:
        (row,) = store.rows()
        assert (row.score, row.turns) == (1.0, 2)
        assert "Dear Ann" in str(store.record(row.trial).document)
    shutil.rmtree(bench.folder)
    assert replayed(results(bench) / "bench") == [True]


def test_a_sweep_file_under_another_name(bench: Workbench) -> None:
    run(bench)
    (bench.folder / "sweep.yaml").rename(bench.folder / "renamed.yaml")
    assert replayed(results(bench) / "bench") == [True] * 3


def test_a_folder_of_results_under_another_name(bench: Workbench) -> None:
    run(bench)
    (results(bench) / "bench").rename(results(bench) / "old")
    assert replayed(results(bench) / "old") == [True] * 3
    forked(bench, "old", "again")
    assert replayed(results(bench) / "again") == [True]


def test_a_fork_of_a_fork_where_no_file_is_left(bench: Workbench) -> None:
    run(bench)
    forked(bench, "bench", "first")
    shutil.rmtree(bench.folder)
    forked(bench, "first", "second", at=0)
    assert replayed(results(bench) / "first") == [True]
    assert replayed(results(bench) / "second") == [True]
    forked(bench, "second", "third")
    assert replayed(results(bench) / "third") == [True]
    lines = Results(results(bench) / "third").lineage
    assert list(lines["sweep"]) == ["second"]


def test_a_fork_onto_a_model_of_another_file(bench: Workbench) -> None:
    run(bench)
    bench.write("late.yaml", {**SCRIPT, "rules": [{"call": {"tool": "submit", "arguments": {"answer": "late"}}}]})
    bench.write("others.yaml", {"kind": "models", "models": {"late": {"model": "scripted/late.yaml"}}})
    forked(bench, "bench", "onto", models_file=bench.folder / "others.yaml", model="late")
    assert replayed(results(bench) / "onto") == [True]
    bench.write("late.yaml", SCRIPT)
    (why,) = replayed(results(bench) / "onto")
    assert "model late is no longer what it was run with" in str(why)


def test_a_model_added_since_is_known_whatever_else_was_changed(bench: Workbench) -> None:
    run(bench)
    bench.change("loop.yaml", summary="Another.", start="act")  # so that the record's copies are laid out
    models = bench.written["models.yaml"]["models"]
    bench.write("models.yaml", {"kind": "models", "models": {**models, "late": {**models["good"], "variant": "late"}}})
    with open_origin(results(bench) / "bench") as origin:
        assert origin.scratch is not None
        assert origin.model("late").name == "late"
        with pytest.raises(UserError, match=r"unknown model 'never'; .*files/models.yaml has good, late"):
            origin.model("never")
    (bench.folder / "models.yaml").unlink()
    with open_origin(results(bench) / "bench") as origin, pytest.raises(UserError, match="unknown model 'late'"):
        origin.model("late")


def test_models_that_a_file_no_longer_has_are_taken_from_the_record(bench: Workbench) -> None:
    run(bench)
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "openai/other"}}})
    with open_origin(results(bench) / "bench") as origin:
        assert origin.model("good").entry.model == "scripted/good.yaml"


def test_models_that_no_trial_was_run_with_need_no_script(bench: Workbench) -> None:
    bench.write("idle.yaml", SCRIPT)
    entries = {"good": {"model": "scripted/good.yaml"}, "idle": {"model": "scripted/idle.yaml"}}
    bench.write("models.yaml", {"kind": "models", "models": entries})
    run(bench)
    shutil.rmtree(bench.folder)
    assert replayed(results(bench) / "bench") == [True] * 3


def test_what_neither_has_is_said_in_a_line(bench: Workbench) -> None:
    run(bench)
    _edit(results(bench) / "bench", "DELETE FROM files WHERE path LIKE '%shop.sql'")
    bench.write("shop.sql", "create table goods (name text);")
    (why, *_) = replayed(results(bench) / "bench")
    assert "is no longer what it was run with" in str(why)
    shutil.rmtree(bench.folder)
    with pytest.raises(UserError) as refused:
        open_origin(results(bench) / "bench")
    assert "the sweep's files are gone" in str(refused.value)
    assert "shop.sql" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    _edit(results(bench) / "bench", "DELETE FROM files")
    with pytest.raises(UserError, match="does not hold the files it was run with"):
        open_origin(results(bench) / "bench")


def test_nothing_is_laid_out_outside_its_folder(bench: Workbench) -> None:
    """A record from elsewhere may say anything of its paths."""
    run(bench)
    there = f"{bench.folder}/../../../../../../../../../../..{bench.folder.parent}/planted/shop.sql"
    copied = f"INSERT INTO files SELECT digest, '{there}', data FROM files WHERE path LIKE '%shop.sql'"
    _edit(results(bench) / "bench", copied)
    shutil.rmtree(bench.folder)
    assert replayed(results(bench) / "bench") == [True] * 3
    assert not (bench.folder.parent / "planted").exists()


def test_imported_sweeps_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "imported"
    folder.mkdir()
    (folder / "imported.json").write_text(json.dumps({}))
    from harness.record.imported import IMPORTED_FILE

    (folder / "imported.json").rename(folder / IMPORTED_FILE)
    with pytest.raises(UserError, match="only moments of sweeps run here can be gone back to"):
        open_origin(folder)


def _edit(folder: Path, statement: str) -> None:
    import sqlite3

    with sqlite3.connect(next(folder.glob("*.sqlite"))) as database:
        database.execute(statement)
    database.close()
