"""Which moments are taken from a recorded sweep, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from intervene.forks import counting_bench, fork_all
from intervene.probes import probe, selected, stages, stages_bench
from run.workbench import Workbench, new_bench

from harness.errors import UserError
from harness.intervene.origin import open_origin
from harness.intervene.relaying import Wishes, relay_sweep
from harness.record import Results


def script(*queries: str) -> dict[str, Any]:
    rules = [{"visit": n, "call": {"tool": "query", "arguments": {"sql": sql}}} for n, sql in enumerate(queries, 1)]
    return {"kind": "script", "rules": [*rules, {"call": {"tool": "submit", "arguments": {"answer": "7"}}}]}


@pytest.fixture
def parting(tmp_path: Path) -> Workbench:
    """Three models: two part at their third call, the last at its second."""
    bench = new_bench(tmp_path)
    entries = {}
    for name, queries in {"ann": "abc", "ben": "abd", "cat": "axc"}.items():
        bench.write(f"{name}.yaml", script(*(f"select '{letter}'" for letter in queries)))
        entries[name] = {"model": f"scripted/{name}.yaml"}
    bench.write("models.yaml", {"kind": "models", "models": entries})
    bench.change("sweep.yaml", models=list(entries), repeats=2)
    bench.run()
    return bench


def test_the_first_call_that_differs_is_taken_once_where_it_has_one_content(parting: Workbench) -> None:
    found = selected(parting, "first-divergence")
    assert Counter(moment.at for _, moment in found.moments) == {1: 6, 2: 6}  # of three tasks, twice
    makers = {moment.at: set(found.makers[moment.name]) for _, moment in found.moments}
    assert makers == {1: {"ann", "ben", "cat"}, 2: {"ann", "ben"}}
    assert any("36 moments are 12 states" in note for note in found.notes)
    assert all(moment.key is not None and moment.key.node == "think" for _, moment in found.moments)


def test_every_third_call_of_every_trial(parting: Workbench) -> None:
    found = selected(parting, "every:3")
    assert {moment.at for _, moment in found.moments} == {2}
    made = {frozenset(found.makers[moment.name]) for _, moment in found.moments}
    assert made == {frozenset({"ann", "ben"}), frozenset({"cat"})}
    assert len(found.moments) == 2 * 3 * 2
    assert len(selected(parting, "every:1").moments) == 6 * (1 + 1 + 2 + 3)


def test_most_is_a_sample_that_leaves_no_task_and_no_maker_out(parting: Workbench) -> None:
    found = selected(parting, "every:1", most=12)
    assert len(found.moments) == 12
    assert Counter(row.task for row, _ in found.moments) == {"nail": 4, "hammer": 4, "anvil": 4}
    assert {row.model for row, _ in found.moments} == {"ann", "ben", "cat"}
    assert [note for note in found.notes if "12 of 42 states are drawn" in note]
    again, other = selected(parting, "every:1", most=12), selected(parting, "every:1", most=12, seed=1)
    assert [m.name for _, m in again.moments] == [m.name for _, m in found.moments]
    assert [m.name for _, m in other.moments] != [m.name for _, m in found.moments]


def test_moments_are_listed_in_csv_jsonl_or_by_name(parting: Workbench) -> None:
    trials = [row.trial for row in parting.rows()[:2]]
    csv, jsonl, plain = (parting.folder / name for name in ("list.csv", "list.jsonl", "list.txt"))
    csv.write_text(f"trial,note,at\n{trials[0]},first,1\n{trials[1][:14]},,0\n")
    jsonl.write_text(
        "\n".join(json.dumps({"trial": trial, "at": at}) for trial, at in zip(trials, (1, "0"), strict=True))
    )
    plain.write_text(f"{trials[0]}@1\n\n{trials[1]}@0\n")
    for path in (csv, jsonl, plain):
        assert {m.name for _, m in selected(parting, str(path)).moments} == {f"{trials[0]}@1", f"{trials[1]}@0"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "trial,step\nx,1\n", "a.csv:1: no column at"),
        ("a.csv", "trial,at\n{trial},1\nzzz,1\n", "a.csv:3: no result of bench begins with 'zzz'"),
        ("a.csv", "trial,at\n{trial},99\n", "a.csv:2: trial {trial} was asked at 0 to 3, not at 99"),
        ("a.csv", "trial,at\n{trial},-1\n", "a.csv:2: at is the number of calls behind the moment"),
        ("a.csv", "trial,at\n,1\n", "a.csv:2: no trial"),
        ("a.csv", "trial,at\n", "names no moment"),
        ("a.jsonl", '{{"trial": "{trial}", "at": 1}}\n[1]\n', "a.jsonl:2: not an object"),
        ("a.jsonl", '{{"trial": \n', "a.jsonl:1: not JSON"),
        ("a.jsonl", '{{"trial": "{trial}", "at": true}}\n', "a.jsonl:1: at is the number"),
        ("a.txt", "{trial}@1\n{trial}\n", "a.txt:2: not TRIAL@K"),
    ],
)
def test_a_wrong_list_is_told_by_its_line(parting: Workbench, name: str, text: str, said: str) -> None:
    trial = parting.rows()[0].trial
    path = parting.folder / name
    path.write_text(text.format(trial=trial))
    with pytest.raises(UserError) as raised:
        selected(parting, str(path))
    assert said.format(trial=trial) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("every:0", "N is a whole number from 1"),
        ("every:x", "N is a whole number from 1"),
        ("every:50", "no trial has so many calls"),
        ("firstdivergence", "no such file, and none of first-divergence"),
        ("pivotal", "harness fork bench"),
    ],
)
def test_states_that_are_not_there(parting: Workbench, states: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        selected(parting, states)
    assert "\n" not in str(raised.value)


def test_pivotal_states_are_those_whose_value_differs_most_between_models(tmp_path: Path) -> None:
    """What the forks say decides, whatever the recorded trials did."""
    from harness.intervene.carrying import Continued
    from harness.intervene.moments import digests_behind, moments
    from harness.intervene.planning import Asked, carry_out_asked, intervention_sweep, moment_cell
    from harness.run.progress import PlainProgress

    bench = new_bench(tmp_path)
    bench.write("right.yaml", script("select 1"))
    bench.write("wrong.yaml", script("select 1", "select 2"))
    bench.write(
        "models.yaml", {"kind": "models", "models": {n: {"model": f"scripted/{n}.yaml"} for n in ("right", "wrong")}}
    )
    bench.change("sweep.yaml", models=["right", "wrong"])
    bench.run()
    with open_origin(bench.results / "bench") as origin:
        models = {name: origin.model(name) for name in ("right", "wrong")}
        row = next(row for row in origin.rows if row.model == "right" and row.task == "hammer")
        document = origin.record(row.trial).document
        cells = [
            moment_cell(origin, row, behind, moment, model, kind="fork", factors={"moment": moment.name})
            for moment, behind in zip(moments(row.trial, document), digests_behind(document), strict=False)
            for model in models.values()
        ]
        sweep = intervention_sweep(origin, "bench-fork", models, repeats=1, budget=1.0)
        asked = Asked("fork", "bench-fork", sweep, cells, Continued(origin), {"of": "bench"})
        carry_out_asked(asked, bench.results, PlainProgress)
    with pytest.raises(UserError, match="at no moment does the value differ"):
        selected(bench, "pivotal")
    results = Results(bench.results / "bench-fork")
    at_one = results.lineage.query("at == 1 and suffix == 'wrong'")["trial"].iloc[0]
    results.close()
    from harness.record import Store

    with Store(bench.results / "bench-fork", write=True) as store:
        store.update_grade(at_one, score=0.0, passed=False, checks=[], measures={}, measures_hash="")
    found = selected(bench, "pivotal")
    assert [(r.trial, m.at) for r, m in found.moments] == [(row.trial, 1)]
    assert "1 of 2 forked moments differ" in found.notes[0]


def test_forks_that_only_check_the_way_give_no_pivotal_states(tmp_path: Path) -> None:
    bench = counting_bench(tmp_path)
    bench.run()
    fork_all(bench, same_chance=True)
    with pytest.raises(UserError, match="no fork of bench is recorded"):
        selected(bench, "pivotal")


def test_a_probe_has_no_moments_and_an_imported_sweep_none_to_go_back_to(tmp_path: Path) -> None:
    bench = stages_bench(tmp_path, tasks=1, ann=stages(), ben=stages())
    bench.run()
    probe(bench, repeats=1)
    with pytest.raises(UserError, match="is a probe"):
        selected(bench, "every:1", sweep="bench-probe")
    with open_origin(bench.results / "bench-probe") as origin, pytest.raises(UserError, match="is a probe"):
        relay_sweep(origin, Wishes())
    free = bench.harness("probe", "bench", "--budget", "0")
    assert (free.returncode, "is not in the range x>0" in free.stderr) == (2, True)
    bench.write("trials.csv", "scenario,task,scaffold,model,passed\ns,t,r,m,1\n")
    assert bench.harness("import", "trials.csv", "--name", "other").returncode == 0
    told = bench.harness("probe", "other")
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "imported" in told.stderr
