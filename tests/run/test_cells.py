"""What makes a new cell, and what does not: a sweep runs again exactly what its content says."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from run.workbench import SCAFFOLD, SCENARIO, Workbench

from harness.run import plan_against_record, resolve
from harness.spec import UserError

SCRIPT = "kind: script\nrules:\n  - {call: {tool: submit, arguments: {answer: '7'}}}\n"
NOTE = dedent("""
    def note(state):
        return {"noted": 1}
    """)


@pytest.fixture
def done(bench: Workbench) -> Workbench:
    """A sweep that has run: three tasks, one scripted model, a Python node and a hidden file."""
    bench.write("script.yaml", SCRIPT)
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/script.yaml"}}})
    (bench.folder / "notes.py").write_text(NOTE)
    scaffold = {
        **SCAFFOLD,
        "start": "note",
        "variables": {"noted": 0},
        "nodes": {"note": {"kind": "python", "function": "notes.py:note", "next": "think"}, **SCAFFOLD["nodes"]},
    }
    bench.write("loop.yaml", scaffold)
    bench.run()
    return bench


def to_run(bench: Workbench) -> list[str]:
    plan = plan_against_record(resolve(str(bench.folder / "sweep.yaml")), bench.results)
    return [trial.cell.task for trial in plan.to_run]


def cells(bench: Workbench) -> set[str]:
    return {cell.digest for cell in plan_against_record(resolve(str(bench.folder / "sweep.yaml")), bench.results).cells}


def test_nothing_is_run_twice(done: Workbench) -> None:
    assert to_run(done) == []
    assert done.run().ran == 0
    assert len(done.rows(current=False)) == 3


def edit(bench: Workbench, name: str, old: str, new: str) -> None:
    path = bench.folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("stock.yaml", "You keep the stock.", "You keep the stock well."),
        ("shop.sql", "('anvil', 400, 1)", "('anvil', 401, 1)"),
        ("loop.yaml", "kind: native", "kind: text"),
        ("notes.py", '{"noted": 1}', '{"noted": 2}'),
        ("script.yaml", "answer: '7'", "answer: '8'"),
        (
            "models.yaml",
            "model: scripted/script.yaml",
            "model: scripted/script.yaml\n    parameters: {top_p: 0.1}",
        ),
        ("sweep.yaml", "turns: 6", "turns: 5"),
    ],
)
def test_a_change_of_content_makes_new_cells(done: Workbench, name: str, old: str, new: str) -> None:
    edit(done, name, old, new)
    assert sorted(to_run(done)) == ["anvil", "hammer", "nail"]


def test_a_change_of_one_task_makes_new_cells_of_that_task_alone(done: Workbench) -> None:
    tasks: list[dict[str, Any]] = [dict(task) for task in SCENARIO["tasks"]]
    tasks[1]["brief"] = "How many {{ input.good }}s are in stock? Submit the number."
    done.change("stock.yaml", tasks=tasks)
    assert to_run(done) == ["hammer"]


def test_a_changed_hidden_test_makes_new_cells(bench: Workbench) -> None:
    (bench.folder / "hidden").mkdir()
    (bench.folder / "hidden" / "test.sh").write_text("test -f done")
    bench.write("script.yaml", SCRIPT)
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/script.yaml"}}})
    check = {"kind": "command", "run": "sh test.sh", "files": {"test.sh": "hidden/test.sh"}}
    bench.write(
        "stock.yaml",
        {
            **SCENARIO,
            "environment": {"kind": "workspace"},
            "roles": {"smith": {"brief": "You work here."}},
            "tasks": [{"id": "make", "brief": "Make the file done.", "checks": [check]}],
        },
    )
    before = cells(bench)
    (bench.folder / "hidden" / "test.sh").write_text("test -s done")
    assert before.isdisjoint(cells(bench))


def test_comments_key_order_file_names_and_summaries_make_none(done: Workbench) -> None:
    edit(done, "stock.yaml", "kind: scenario", "# a comment\nkind: scenario  # and another")
    edit(done, "stock.yaml", "Counting goods.", "Counting all goods.")
    loop = done.written["loop.yaml"]
    done.write("loop.yaml", dict(reversed(loop.items())))
    (done.folder / "stock.yaml").rename(done.folder / "renamed.yaml")
    done.change("sweep.yaml", scenarios=["renamed.yaml"])
    (done.folder / "shop.sql").touch()
    assert to_run(done) == []


def test_more_repeats_run_only_the_new_ones(done: Workbench) -> None:
    done.change("sweep.yaml", repeats=2)
    assert sorted(to_run(done)) == ["anvil", "hammer", "nail"]
    done.run()
    assert sorted((row.task, row.repeat) for row in done.rows()) == [
        (task, repeat) for task in ("anvil", "hammer", "nail") for repeat in (1, 2)
    ]


def test_seeds_are_shared_by_models_and_scaffolds(done: Workbench) -> None:
    entry = {"model": "scripted/script.yaml"}
    done.write("models.yaml", {"kind": "models", "models": {"good": entry, "same": {**entry, "variant": "b"}}})
    done.change("sweep.yaml", models=["good", "same"], repeats=2)
    done.run()
    seeds: dict[tuple[str, int], set[int]] = {}
    for row in done.rows():
        seeds.setdefault((row.task, row.repeat), set()).add(row.seed)
    assert all(len(of) == 1 for of in seeds.values())
    assert len({next(iter(of)) for of in seeds.values()}) == 6


def test_a_renamed_model_keeps_its_trials_under_its_new_name(done: Workbench) -> None:
    edit(done, "models.yaml", "good:", "better:")
    done.change("sweep.yaml", models=["better"])
    assert to_run(done) == []
    done.run()
    assert set(done.record.trials["model"]) == {"better"}


def test_a_changed_measure_is_taken_again_from_the_record(done: Workbench) -> None:
    done.change("stock.yaml", measures={"looked": {"kind": "count", "tool": "query"}})
    assert to_run(done) == []
    assert done.run().ran == 0
    assert list(done.record.trials["measure.looked"]) == [0, 0, 0]


def test_results_of_two_sweeps_stay_apart(done: Workbench) -> None:
    done.change("sweep.yaml", name="other")
    assert sorted(to_run(done)) == ["anvil", "hammer", "nail"]


def test_a_model_with_nothing_left_to_run_needs_no_key(done: Workbench) -> None:
    hosted = {"model": "openai/gpt-5-mini", "api_key_env": "NO_SUCH_KEY"}
    entries = {**done.written["models.yaml"]["models"], "hosted": hosted}
    done.write("models.yaml", {"kind": "models", "models": entries})
    done.change("sweep.yaml", models=["good"])
    assert done.run().exit_code == 0
    done.change("sweep.yaml", models=["good", "hosted"])
    with pytest.raises(UserError, match="NO_SUCH_KEY"):
        done.run()
