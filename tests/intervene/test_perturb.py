"""`harness perturb` end to end: real sweeps on disk, scripted models that react to surface and some that do not."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run.workbench import SCENARIO, Workbench, new_bench

from harness.cli.main import main
from harness.compare.interventions.perturb import Perturb
from harness.intervene.carrying import Continued
from harness.intervene.moments import digests_behind, moment
from harness.intervene.origin import open_origin
from harness.intervene.planning import Asked, carry_out_asked, intervention_sweep, moment_cell
from harness.record import CallEvent, Results, ToolEvent, requested_messages
from harness.report.comparing import compare_sweeps
from harness.run.progress import PlainProgress

Perturbed = Callable[..., Results]
GOODS = {"nail": 500, "hammer": 7, "anvil": 1, "saw": 12, "rope": 30, "lamp": 4}
SHOP = "create table goods (name text primary key, price integer, stock integer);\n" + "".join(
    f"insert into goods values ('{name}', 2, {count});\n" for name, count in GOODS.items()
)


def call(shown: int, **arguments: Any) -> list[dict[str, Any]]:
    """Rules that call `query` by whatever name stands first among two possible ones."""
    names = ("query", "run_query") if shown == 0 else ("execute", "run_execute")
    return [{"when": f"'{name}' in tools", "call": {"tool": name, "arguments": arguments}} for name in names]


def script(*steps: Any) -> dict[str, Any]:
    """One step a visit of the node, each a list of rules; the last goes on for ever."""
    rules = [
        {**({"visit": visit} if visit < len(steps) else {}), **rule}
        for visit, step in enumerate(steps, start=1)
        for rule in step
    ]
    return {"kind": "script", "rules": rules}


ASK = call(0, sql="select * from goods")
WORK = call(1, sql="update goods set price = 3 where name = 'nail'")
COUNTS = ", ".join(f"'{name}': '{count}'" for name, count in GOODS.items())
NUMBER = f"{{{{ {{{COUNTS}}}[first.split('How many of ')[1].split(' ')[0]] }}}}"
DONE = [{"call": {"tool": "submit", "arguments": {"answer": NUMBER}}}]
STEADY = script(ASK, ASK, DONE)
"""By whatever names; never looks at anything else."""
BY_ORDER = script([{**ASK[0], "when": "tools[0] == 'query'"}, *WORK], ASK, DONE)
"""Takes the tool that stands first."""
NOISY = script(
    [{"when": "'Many thanks' in first", "choose": [{"skip": True}, {"skip": True}]},
     {"choose": [{"call": {"tool": "query", "arguments": {"sql": f"select {n}"}}} for n in range(1)]
      + [{"call": {"tool": "execute", "arguments": {"sql": "update goods set price = 1 where price = 0"}}}]}],
    DONE,
)  # fmt: skip
"""By chance, drawn anew where the brief is courteous: equal in distribution under both."""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    made = new_bench(tmp_path)
    made.write("shop.sql", SHOP)
    tasks = [
        {
            "id": name,
            "brief": "How many of {{ input.good }} are there? Submit the number.",
            "input": {"good": name},
            "solution": [{"tool": "submit", "arguments": {"answer": str(count)}}],
            "checks": [{"kind": "answer", "number": count}],
        }
        for name, count in GOODS.items()
    ]
    made.write("stock.yaml", {**SCENARIO, "tasks": tasks})
    for name, content in (("steady", STEADY), ("by-order", BY_ORDER), ("noisy", NOISY)):
        made.write(f"{name}.yaml", content)
    made.write("models.yaml", {"kind": "models", "models": {
        "steady": {"model": "scripted/steady.yaml"}, "by-order": {"model": "scripted/by-order.yaml"},
        "noisy": {"model": "scripted/noisy.yaml"}, "noisy-twin": {"model": "scripted/noisy.yaml", "variant": "b"},
    }})  # fmt: skip
    made.change("sweep.yaml", models=["steady"])
    return made


@pytest.fixture
def perturbed(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Results]:
    """Runs the command in this process and gives what it recorded."""
    monkeypatch.chdir(bench.folder)

    def run(*options: str) -> Results:
        with pytest.raises(SystemExit) as left:
            main(["perturb", "sweep.yaml", "--plain", *options])
        assert left.value.code == 0
        return Results(bench.results / "bench-perturb")

    return run


def analysed(bench: Workbench) -> Perturb:
    found = compare_sweeps(["bench-perturb"], bench.results, only=["perturb"]).comparison.intervention
    assert isinstance(found, Perturb)
    return found


PROTOCOLS = ({"kind": "native"}, {"kind": "json"}, {"kind": "json", "thought": True, "reply": True}, {"kind": "text"})


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=["native", "json", "json with more", "text"])
def test_renamed_tools_are_the_same_tools(bench: Workbench, perturbed: Perturbed, protocol: dict[str, Any]) -> None:
    """Same score, same actions in own names; what was sent holds the shown names only."""
    bench.change("loop.yaml", protocol=protocol)
    record = perturbed("--surfaces", "tools-renamed", "--tasks", "nail", "-n", "1")
    rows = {record.lineage.set_index("cell")["detail"].to_dict()[row.cell]: row for row in record.store.rows()}
    plain, renamed = (next(row for text, row in rows.items() if json.loads(text)["surface"] == name)
                      for name in ("plain", "tools-renamed"))  # fmt: skip
    assert plain.score == renamed.score == 1.0
    assert plain.seed == renamed.seed and plain.tools_hash != renamed.tools_hash and plain.cell != renamed.cell
    documents = [record.store.record(row.trial).document for row in (plain, renamed)]
    actions = [[e.action.key for e in document.events if isinstance(e, ToolEvent)] for document in documents]
    assert actions[0] == actions[1] and actions[0][0].startswith("tool query")
    assert documents[1].facts["surface"] == "tools-renamed"
    asked = documents[1].model_dump_json(include={"schemas", "messages"}).replace('\\"', '"')
    assert "run_query" in asked and "run_execute" in asked
    assert '"query"' not in asked and "of query" not in asked and '"execute"' not in asked


def test_a_model_that_calls_by_old_names_is_answered_as_ever(bench: Workbench, perturbed: Perturbed) -> None:
    bench.write("old.yaml", script([{"call": {"tool": "query", "arguments": {"sql": "select 1"}}}], DONE))
    bench.write("models.yaml", {"kind": "models", "models": {"old": {"model": "scripted/old.yaml"}}})
    bench.change("sweep.yaml", models=["old"])
    record = perturbed("--surfaces", "tools-renamed", "-n", "2")
    told = [
        event
        for row in record.store.rows()
        for event in record.store.record(row.trial).document.events
        if isinstance(event, ToolEvent) and event.action.kind == "malformed"
    ]
    assert len(told) == 12
    assert {event.observation for event in told} == {"no tool 'query' here; there are: run_query, run_execute, submit"}
    uses = [row for row in analysed(bench).uses if row.what == "old name"]
    assert [(row.calls, row.share.estimate) for row in uses] == [(12, 1.0)]


def test_surfaces_are_seen_and_nothing_else_changes(bench: Workbench, perturbed: Perturbed) -> None:
    names = "tools-reordered,distractor,brief,history"
    record = perturbed("--surfaces", names, "--tasks", "nail", "-n", "1")
    asked, seen = {}, {}
    for row in record.store.rows():
        document = record.store.record(row.trial).document
        place = next(place for place, event in enumerate(document.events) if isinstance(event, CallEvent))
        surface = str(document.facts["surface"])
        schemas: Any = document.schemas[str(document.events[place].tools)]  # type: ignore[union-attr]
        offered = [schema["function"]["name"] for schema in schemas]
        asked[surface] = (offered, [message["content"] for message in requested_messages(document, place)])
        seen[surface] = next(e.observation for e in document.events if isinstance(e, ToolEvent))
        assert row.score == 1.0
    assert len(asked) == 1 + 1 + 1 + 4 + 3  # no apostrophe or dash to set in type: brief:typographic is left out
    plain = asked["plain"]
    assert plain[0] == ["query", "execute", "submit"]
    assert sorted(asked["tools-reordered"][0]) == sorted(plain[0]) and asked["tools-reordered"][0] != plain[0]
    assert asked["distractor"][0] == ["query", "execute", "notice_board", "submit"]
    assert asked["brief:courteous"][1][1].startswith(
        "Hello, and thank you for your help.\n\nHow many of nail are there?"
    )
    assert asked["brief:bulleted"][1][1] == "- How many of nail are there?\n- Submit the number."
    assert asked["brief:headed"][1][0].startswith("# Instructions\n\nYou keep the stock.")
    assert seen["history:fenced"] == f"```\n{seen['plain']}\n```"
    assert seen["history:labelled"] == f"Observation:\n{seen['plain']}"
    assert seen["history:numbered"].startswith("1: ")
    assert all(asked[surface] == plain for surface in asked if surface.startswith("history"))


def test_a_model_that_reacts_to_order_is_found_and_one_that_does_not_is_not(
    bench: Workbench, perturbed: Perturbed
) -> None:
    bench.change("sweep.yaml", models=["steady", "by-order"])
    perturbed("--surfaces", "tools-reordered:4,brief:courteous", "-n", "3", "--concurrency", "8")
    result = analysed(bench)
    shown = {(row.model, row.surface) for row in result.changes if row.change.shown}
    assert shown == {("by-order", "tools-reordered:4")}
    apart = {(row.surface, row.what) for row in result.interactions if row.difference.shown and row.what != "score"}
    assert ("tools-reordered:4", "sequence") in apart and not any(name == "brief:courteous" for name, _ in apart)
    assert any("acts otherwise under another surface: tools-reordered:4" in text for text in result.sentences())


def test_one_model_under_two_names_is_not_told_apart_and_chance_is_no_change(
    bench: Workbench, perturbed: Perturbed
) -> None:
    """A model that draws anew under the surface, from the same distribution; and its twin."""
    bench.change("sweep.yaml", models=["noisy", "noisy-twin"])
    perturbed("--surfaces", "brief:courteous,plain-again", "-n", "6", "--concurrency", "8")
    result = analysed(bench)
    drawn = [row for row in result.changes if row.surface == "brief:courteous"]
    assert all(row.floor.estimate > 0.1 and row.apart.estimate > 0.1 for row in drawn)
    assert not any(row.change.shown for row in result.changes)
    assert not any(row.difference.shown for row in result.interactions)
    assert "The check finds nothing, as it has to: plain-again does not differ from plain." in result.sentences()


def test_variants_of_ones_own(bench: Workbench, perturbed: Perturbed) -> None:
    bench.write("variants.yaml", {
        "kind": "variants",
        "tools": {"query": "ask_database"},
        "distractor": {"name": "almanac", "description": "No entries.", "answer": "None."},
        "brief": {"formal": {"stock": {"roles": {"clerk": "You are entrusted with the stock."}}}},
        "history": {"boxed": {"before": "<result>", "after": "</result>"}},
    })  # fmt: skip
    bench.write("models.yaml", {"kind": "models", "models": {"lured": {"model": "scripted/lured.yaml"}}})
    bench.write("lured.yaml", script(
        [{"when": "'almanac' in tools", "call": {"tool": "almanac"}},
         {"when": "'ask_database' in tools", "call": {"tool": "ask_database", "arguments": {"sql": "select 1"}}},
         {"call": {"tool": "query", "arguments": {"sql": "select 1"}}}],
        DONE))  # fmt: skip
    bench.change("sweep.yaml", models=["lured"])
    record = perturbed("--variants", "variants.yaml", "--tasks", "nail", "-n", "1")
    documents = {
        d.facts["surface"]: d for d in (record.store.record(row.trial).document for row in record.store.rows())
    }
    assert set(documents) == {"plain", "tools-renamed", "tools-reordered", "distractor", "brief:courteous",
                              "history:fenced", "brief:formal", "history:boxed"}  # fmt: skip

    def first(name: str) -> ToolEvent:
        return next(event for event in documents[name].events if isinstance(event, ToolEvent))

    assert (first("distractor").action.name, first("distractor").observation) == ("almanac", "None.")
    assert not first("distractor").changes_state
    assert first("tools-renamed").action.key == first("plain").action.key
    assert first("history:boxed").observation.startswith("<result>")
    assert any(
        m.get("content") == "You are entrusted with the stock." for m in documents["brief:formal"].messages.values()
    )
    use = next(row for row in analysed(bench).uses if row.what == "distractor")
    assert (use.calls, use.trials) == (1, 1)


def test_a_killed_run_goes_on_where_it_was(bench: Workbench, perturbed: Perturbed) -> None:
    bench.write("slow.yaml", script([{**rule, "delay": 0.4} for rule in ASK], DONE))
    bench.write("models.yaml", {"kind": "models", "models": {"slow": {"model": "scripted/slow.yaml"}}})
    bench.change("sweep.yaml", models=["slow"])
    command = ("perturb", "sweep.yaml", "--plain", "--surfaces", "tools-renamed", "-n", "2", "--concurrency", "2")
    process = bench.start(*command)
    folder = bench.results / "bench-perturb"
    bench.wait_for_rows(process, 4, "bench-perturb")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {row.trial for row in Results(folder).store.rows() if row.is_result}
    assert 4 <= len(before) < 24
    record = perturbed(*command[2:])
    rows = record.store.rows()
    assert len(rows) == 24 and all(row.is_result and row.score == 1.0 for row in rows)
    assert before <= {row.trial for row in rows}


def test_the_record_alone_says_how_to_make_a_trial_again(bench: Workbench, perturbed: Perturbed) -> None:
    """A recorded trial's cell comes out of the record with the tools and texts it was run with."""
    record = perturbed("--surfaces", "tools-renamed,tools-reordered,distractor,brief:headed", "-n", "1",
                       "--tasks", "nail")  # fmt: skip
    with open_origin(bench.results / "bench-perturb") as origin:
        assert len(origin.rows) == 5
        for row in origin.rows:
            cell = origin.cell(row)
            assert cell.digest == row.cell and cell.tools_digest == row.tools_hash
            surface = cell.lineage.factors["surface"]  # type: ignore[union-attr]
            assert ("# Instructions" in cell.scenario.spec.roles["clerk"].brief) == (surface == "brief:headed")
    assert len(record.store.rows()) == 5


def test_a_recorded_sweep_and_other_models(bench: Workbench) -> None:
    """Named by its record: costs are told from it. A model that the sweep has not stands on its cells."""
    bench.run()
    done = bench.harness("perturb", "bench", "--models", "steady,by-order", "--tasks", "nail", "-n", "1", "--plain",
                         "--surfaces", "distractor", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "guessed" not in done.stderr
    record = Results(bench.results / "bench-perturb")
    assert sorted(record.trials["model"]) == ["by-order", "by-order", "steady", "steady"]
    assert len(set(record.lineage["base"])) == 1
    with open_origin(bench.results / "bench-perturb") as origin:
        assert {origin.cell(row).model for row in origin.rows} == {"steady", "by-order"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["sweep.yaml", "--surfaces", "tools-renamd"], "no surface 'tools-renamd'"),
        (["nowhere"], "no sweep 'nowhere' is recorded"),
        (["sweep.yaml", "--tasks", "nial"], "the sweep has no task 'nial'"),
        (["sweep.yaml", "--models", "stedy"], "stedy"),
        (["sweep.yaml", "--models", "steady,steady"], "model 'steady' is named twice"),
        (["sweep.yaml", "--name", "bench"], "--name cannot be 'bench'"),
        (["sweep.yaml", "--variants", "wrong.yaml"], "wrong.yaml:3:"),
        (["sweep.yaml", "--variants", "lost.yaml"], "lacks {{ input.good }}: it would not say the same"),
        (["sweep.yaml", "--variants", "taken.yaml"], "query cannot be called 'execute'"),
        (["sweep.yaml", "--variants", "stock.yaml"], "a variants file is a mapping that begins with `kind: variants`"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_a_line(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    monkeypatch.chdir(bench.folder)
    bench.write("wrong.yaml", "kind: variants\ntools:\n  submit: finish\n")
    texts = {"stock": {"tasks": {"nail": "Count."}}}
    bench.write("lost.yaml", {"kind": "variants", "brief": {"short": texts}})
    bench.write("taken.yaml", {"kind": "variants", "tools": {"query": "execute"}})
    with pytest.raises(SystemExit) as left:
        main(["perturb", *options, "--plan"])
    told = capsys.readouterr().err.strip()
    assert left.value.code == 2 and said in told and len(told.splitlines()) == 1


def test_a_perturbation_is_not_perturbed(bench: Workbench, perturbed: Perturbed) -> None:
    perturbed("--surfaces", "distractor", "-n", "1", "--tasks", "nail")
    done = bench.harness("perturb", "bench-perturb", "--plan")
    assert done.returncode == 2 and "is itself the record of a perturb" in done.stderr


def test_every_other_command_works_on_the_record(bench: Workbench, perturbed: Perturbed) -> None:
    perturbed("-n", "2", "--tasks", "nail,saw")
    for command in (
        ["results", "bench-perturb"],
        ["compare", "bench-perturb", "--only", "perturb", "--html", "page.html"],
        ["regrade", "bench-perturb"],
        ["compare", "bench-perturb", "--by", "surface", "--only", "perturb"],
    ):
        with pytest.raises(SystemExit) as left:
            main(command)
        assert left.value.code == 0
    assert "Sameness under a change of surface" in (bench.folder / "page.html").read_text()


def test_a_moment_under_a_surface_is_found_again_without_drift(bench: Workbench, perturbed: Perturbed) -> None:
    """A fork onto the same model, from the middle of trials with every sort of surface."""
    record = perturbed("--surfaces", "tools-renamed,distractor,brief:bulleted,history:numbered", "-n", "1",
                       "--tasks", "saw")  # fmt: skip
    with open_origin(bench.results / "bench-perturb") as origin:
        cells = []
        for row in origin.rows:
            document = origin.record(row.trial).document
            behind, there = digests_behind(document)[2], moment(row.trial, document, 2)
            cells.append(moment_cell(origin, row, behind, there, origin.model("steady"),
                                     kind="fork", factors={"moment": row.trial}, same_chance=True))  # fmt: skip
        sweep = intervention_sweep(origin, "again", {"steady": origin.model("steady")}, repeats=1, budget=None)
        carry_out_asked(Asked("fork", "again", sweep, cells, Continued(origin), {}), bench.results, PlainProgress)
        again = Results(bench.results / "again")
        assert len(again.drift) == 0 and len(again.store.rows()) == 5
        for row in again.store.rows():
            document = again.store.record(row.trial).document
            before = record.store.record(str(again.store.lineage()[row.cell].origin))
            assert row.score == 1.0 and document.facts == before.document.facts
            assert document.messages == before.document.messages


@pytest.mark.local_model
@pytest.mark.slow
def test_a_local_model(bench: Workbench, perturbed: Perturbed) -> None:
    entry = {"model": "local/smollm2-135m", "parameters": {"max_tokens": 60}}
    bench.write("models.yaml", {"kind": "models", "models": {"smollm2": entry}})
    bench.change("loop.yaml", protocol={"kind": "json"})
    bench.change("sweep.yaml", models=["smollm2"], limits={"turns": 3})
    record = perturbed("--surfaces", "tools-renamed,history:labelled", "--tasks", "nail", "-n", "2")
    rows = record.store.rows()
    assert len(rows) == 6 and all(row.is_result for row in rows)
    assert analysed(bench).changes
