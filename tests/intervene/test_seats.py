"""`harness seats` end to end: real sweeps on disk, scripted models, a killed process, local models."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from run.workbench import Workbench, new_bench

from harness.cli.main import main
from harness.compare.interventions.seats import Seats
from harness.errors import UserError
from harness.intervene.origin import open_origin
from harness.intervene.perturbing import Ground
from harness.intervene.planning import Asked, carry_out_asked
from harness.intervene.seats.seating import trade_seats
from harness.models.local import catalogue, found
from harness.record import Results
from harness.report.comparing import compare_sweeps
from harness.run import resolve, run_session
from harness.run.plan import sweep_cells
from harness.run.progress import PlainProgress
from harness.scoring.session import regrade_sweep

TASKS = [f"game{n}" for n in range(6)]


def total_of(role: str) -> dict[str, Any]:
    """What a role added in all, less what the others did: what it is that it wants."""
    own = f"state.moves | selectattr('role', 'equalto', '{role}') | sum(attribute='amount')"
    return {"kind": "expression", "value": f"({own}) / (state.moves | sum(attribute='amount'))"}


GAME: dict[str, Any] = {
    "kind": "scenario",
    "name": "total",
    "summary": "Who adds most?",
    "environment": {"kind": "environments.number_game:NumberGame", "target": 12},
    "roles": {
        "odd": {"brief": "You play first.", "tools": ["look", "add"]},
        "even": {"brief": "You play second.", "tools": ["look", "add"]},
    },
    "tasks": [{"id": task, "brief": "Reach 12.", "setup": {"start": 0}} for task in TASKS],
    "checks": [{"kind": "state", "expression": "state.winner == 'odd'"}],
    "measures": {"part_of_odd": total_of("odd"), "part_of_even": total_of("even"),
                 "lead": {"kind": "expression", "value": "state.moves[0].amount"}},
}  # fmt: skip
OUTCOMES = ["odd=measure.part_of_odd", "even=measure.part_of_even"]


def adds(*amounts: int, delay: float = 0.0) -> str:
    """One of these amounts, by chance."""
    chosen = [{"call": {"tool": "add", "arguments": {"amount": amount}}, "delay": delay} for amount in amounts]
    return json.dumps({"kind": "script", "rules": [{"choose": chosen}]})


SHY = """
kind: script
rules:
  - {role: even, turn: 1, when: "turn == 1", call: {tool: look}}
  - {role: even, when: "turn == 2 and 'is 3' in last", call: {tool: look}}
  - {call: {tool: add, arguments: {amount: 1}}}
""".replace("turn: 1, ", "")
"""Looks before its first move as `even`, and twice where the other began with 3."""


@pytest.fixture
def table(tmp_path: Path) -> Workbench:
    bench = new_bench(tmp_path)
    bench.write("bold.yaml", adds(3, 3, 2))
    bench.write("meek.yaml", adds(1, 1, 2))
    bench.write("three.yaml", adds(3))
    bench.write("one.yaml", adds(1))
    bench.write("shy.yaml", SHY)
    models = {name: {"model": f"scripted/{name}.yaml"} for name in ("bold", "meek", "three", "one", "shy")}
    models |= {f"bold{n}": {"model": "scripted/bold.yaml", "variant": str(n)} for n in (1, 2, 3)}
    bench.write("models.yaml", {"kind": "models", "models": models})
    bench.write("total.yaml", GAME)
    bench.change("sweep.yaml", scenarios=["total.yaml"], scaffolds=["turns"], models=["bold"], limits={"turns": 40})
    return bench


def ground(bench: Workbench) -> Ground:
    sweep = resolve(str(bench.folder / "sweep.yaml"))
    return Ground(sweep.spec.name, sweep)


def asked(bench: Workbench, models: list[str], **options: Any) -> Asked:
    given: dict[str, Any] = {"name": None, "repeats": 1, "budget": None, "outcomes": OUTCOMES, **options}
    return trade_seats(ground(bench), models=models, **given)


def played(bench: Workbench, made: Asked) -> Results:
    outcome = carry_out_asked(made, bench.results, PlainProgress)
    assert outcome.exit_code == 0
    return Results(bench.results / made.name)


def analysed(bench: Workbench, name: str = "bench-seats") -> Seats:
    found = compare_sweeps([str(bench.results / name)], bench.results, only=["seats"]).comparison.intervention
    assert isinstance(found, Seats)
    return found


def test_every_seat_is_played_by_every_model_against_each_on_shared_seeds(table: Workbench) -> None:
    record = played(table, asked(table, ["bold", "meek"], tasks=TASKS[:2], repeats=2))
    trials = record.trials
    assert len(trials) == 4 * 2 * 2
    met = Counter(zip(trials["model.odd"], trials["model.even"], strict=True))
    assert met == dict.fromkeys(itertools.product(["bold", "meek"], repeat=2), 4)
    assert (trials.groupby(["task", "repeat"])["seed"].nunique() == 1).all()
    assert list(trials["model"]) == list(trials["model.odd"])
    assert set(record.lineage["kind"]) == {"seats"}
    assert record.lineage["origin"].isna().all()


def test_a_seating_is_the_trial_that_an_ordinary_sweep_would_run(table: Workbench) -> None:
    """Its digest is the same, so that it can be gone back to, probed and forked."""
    table.change("sweep.yaml", models=["bold", "meek"], roles={"even": ["bold", "meek"]})
    ordinary = {cell.digest for cell in sweep_cells(resolve(str(table.folder / "sweep.yaml")))}
    made = asked(table, ["bold", "meek"])
    assert {cell.digest for cell in made.cells} == ordinary
    played(table, asked(table, ["bold", "meek"], tasks=TASKS[:1]))
    with open_origin(table.results / "bench-seats") as origin:
        assert {tuple(m.name for m in origin.cell(row).models.values()) for row in origin.rows} == set(
            itertools.product(["bold", "meek"], repeat=2)
        )


def test_planted_actor_and_partner_effects_are_recovered_from_real_trials(table: Workbench) -> None:
    played(table, asked(table, ["bold", "meek"], repeats=3))
    result = analysed(table)
    assert [(s.seats, s.joint, s.full, s.tasks) for s in result.scenarios] == [(["odd", "even"], False, True, 6)]
    for each in result.effects:
        if each.role == "actor":
            assert each.difference.shown
            assert (each.difference.estimate or 0) > 0.1
        if each.role == "partner":
            assert each.difference.shown
            assert (each.difference.estimate or 0) < -0.1
    assert all(pair.difference.shown for pair in result.rating_pairs)
    assert not any(each.shown for each in result.moved)
    told = " ".join(result.sentences())
    assert "As odd, bold gets more than meek" in told
    assert "even gets more when meek is odd than when bold is" in told
    assert "bold wins against meek" in told


def test_one_model_under_three_names_is_told_apart_no_more_often_than_stated(table: Workbench) -> None:
    """Each family of tests may be wrong once in 20 times; the rates are simulated in tests/compare."""
    played(table, asked(table, ["bold1", "bold2", "bold3"], repeats=2))
    result = analysed(table)
    # What even gets is 1 less what odd gets, so that its effects are the same again.
    here = [each for each in result.effects if each.outcome == "odd"]
    wrong = [
        *(
            any(each.difference.shown for each in here if each.role == role)
            for role in ("actor", "partner", "self-play")
        ),
        any(each.difference.shown for each in result.interactions),
        any(each.difference.shown for each in result.rating_pairs),
        any(each.shown for each in [*result.moved, *result.movers]),
    ]
    assert sum(wrong) <= 1
    assert max(abs(each.difference.estimate or 0) for each in here) < 0.03


def test_a_model_that_acts_otherwise_for_its_partner_is_found_and_only_there(table: Workbench) -> None:
    played(table, asked(table, ["three", "one", "shy"], repeats=2))
    result = analysed(table)
    (moved,) = (each for each in result.moved if each.shown)
    assert (moved.model, moved.seat, moved.by, moved.partner, moved.action) == ("shy", "even", "odd", "three", "look")
    assert moved.with_partner > moved.with_others
    assert {(each.model, each.seat) for each in result.movers if each.shown} >= {("three", "even")}
    assert {each.seat for each in result.movers if each.shown} == {"even"}


def test_the_shipped_fair_has_a_seat_table_without_a_word_on_outcomes(table: Workbench) -> None:
    """Who is not seated in a task is not crossed; what each seat gained is known of a bazaar."""

    def trader(ask: int, bid: int) -> str:
        def offer(side: str, price: int) -> dict[str, Any]:
            return {"call": {"tool": "offer", "arguments": {"side": side, "good": "loaf", "price": price}}}

        return json.dumps({"kind": "script", "rules": [{"role": "dan"} | offer("sell", ask), offer("buy", bid)]})

    table.write("bold.yaml", trader(4, 4))
    table.write("meek.yaml", trader(2, 7))
    table.change("sweep.yaml", scenarios=["fair"], tasks=["loaf"])
    record = played(table, asked(table, ["bold", "meek"], outcomes=[]))
    trials = record.trials
    assert len(trials) == 4
    assert trials["measure.reward.amy"].notna().all()
    result = analysed(table)
    square = {(m.model, m.opposite): m.mean.estimate for m in result.meetings if m.outcome == "amy"}
    # A loaf is worth 8 to amy and 2 to dan; offers that meet are carried out halfway.
    assert square == pytest.approx(
        {("bold", "bold"): 4 / 6, ("bold", "meek"): 5 / 6, ("meek", "bold"): 2.5 / 6, ("meek", "meek"): 3.5 / 6},
        abs=0.1,
    )
    assert result.scenarios[0].outcomes == {"amy": "measure.reward.amy", "dan": "measure.reward.dan"}
    # Measures that the scenario's file does not know survive its being graded again.
    assert not any(one.error or one.skipped for one in regrade_sweep(table.results / "bench-seats", []))
    again = Results(table.results / "bench-seats").trials.set_index("trial")
    earned = trials.set_index("trial")["measure.reward.amy"]
    assert again.loc[earned.index, "measure.reward.amy"].tolist() == earned.tolist()


def test_tasks_that_seat_others_are_told_apart(table: Workbench) -> None:
    """In the shipped fair two trade for a loaf, and four for pots."""
    table.change("sweep.yaml", scenarios=["fair"], tasks=["loaf", "pots"], limits={"turns": 2})
    made = asked(table, ["bold", "meek"], outcomes=[])
    assert len(made.cells) == 4 + 16
    played(table, made)
    result = analysed(table)
    assert [(s.scenario, s.of) for s in result.scenarios] == [
        ("fair (amy, dan)", "fair"), ("fair (amy, bert, dan, edda)", "fair"),
    ]  # fmt: skip
    assert {m.scenario for m in result.meetings} == {s.scenario for s in result.scenarios}


def test_results_and_compare_and_regrade_work_on_it(table: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    played(table, asked(table, ["bold", "meek"]))
    page, tables = table.folder / "page.html", table.folder / "tables"
    for command in (
        ["results", "bench-seats"],
        ["compare", "bench-seats"],
        ["compare", "bench-seats", "--only", "seats", "--html", str(page), "--tables", str(tables)],
        ["compare", "bench-seats", "--by", "model.even", "--only", "outcomes"],
        ["regrade", "bench-seats"],
    ):
        with pytest.raises(SystemExit) as left:
            main([*command, "--results-dir", str(table.results)])
        assert left.value.code == 0
    assert "Traded seats" in capsys.readouterr().out
    for title in ("Traded seats", "Effects of who sits where", "Who wins against whom"):
        assert title in page.read_text(), title
    assert (tables / "seats-seat_effects.csv").is_file()


def test_the_command_says_what_it_would_do_does_it_and_does_nothing_twice(
    table: Workbench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.folder)
    arguments = ["seats", "sweep.yaml", "--models", "bold,meek", "-n", "1", "--tasks", "game0", "--plain"]
    arguments += [part for outcome in OUTCOMES for part in ("--outcome", outcome)]

    def run(*more: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main([*arguments, *more])
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out + said.err

    code, said = run("--plan")
    assert code == 0
    assert "4 cells x 1 repeats = 4 trials; recorded 0, to run 4" in said
    code, said = run()
    assert code == 0
    assert "What odd gets by who is odd (rows) and even" in said
    code, said = run()
    assert "this run: 0 trials" in said
    code, said = run("--plan", "--json")
    assert json.loads(said)["recorded"] == 4


def test_another_outcome_tells_the_same_trials_anew(table: Workbench) -> None:
    played(table, asked(table, ["bold", "meek"]))
    again = asked(table, ["bold", "meek"], outcomes=["odd=score", "even=1-score"])
    assert carry_out_asked(again, table.results, PlainProgress).ran == 0
    result = analysed(table)
    assert result.scenarios[0].outcomes == {"odd": "score", "even": "1-score"}
    both = {(m.model, m.opposite): m.mean.estimate for m in result.meetings if m.outcome == "odd"}
    other = {(m.opposite, m.model): m.mean.estimate for m in result.meetings if m.outcome == "even"}
    assert all((both[pair] or 0) + (other[pair] or 0) == pytest.approx(1) for pair in both)


def test_without_outcomes_the_score_is_shared(table: Workbench) -> None:
    played(table, asked(table, ["bold", "meek"], outcomes=[]))
    assert analysed(table).scenarios[0].joint


def test_a_recorded_sweep_serves_as_well_as_its_file(table: Workbench) -> None:
    run_session(resolve(str(table.folder / "sweep.yaml")), table.results, PlainProgress)
    with open_origin(table.results / "bench") as origin:
        of_record = trade_seats(
            Ground(origin.name, origin.sweep, origin.rows, origin), name=None, models=["bold", "meek"], repeats=1,
            budget=None, outcomes=OUTCOMES,
        )  # fmt: skip
        assert [cell.digest for cell in of_record.cells] == [
            cell.digest for cell in asked(table, ["bold", "meek"]).cells
        ]


def test_many_seats_take_an_orthogonal_array_and_say_so(table: Workbench) -> None:
    seats = {name: {"brief": "Play.", "tools": ["look", "add"]} for name in ("n", "e", "s", "w")}
    table.change("total.yaml", roles=seats, measures={}, checks=[])
    made = asked(table, ["bold", "meek", "one"], outcomes=[], tasks=["game0"])
    assert len(made.cells) == 9
    assert any("3^4 = 81 seatings of 4 seats are more than 64; 9 of an orthogonal array" in note for note in made.notes)
    assert len(asked(table, ["bold", "meek", "one"], outcomes=[], tasks=["game0"], design="full").cells) == 81
    some = asked(table, ["bold", "meek"], outcomes=[], tasks=["game0"], seats=["n", "s"])
    assert len(some.cells) == 4
    assert {cell.models["e"].name for cell in some.cells} == {"bold"}
    assert any("seat e is not crossed and is played by bold" in note for note in some.notes)


def test_a_role_held_fixed_stays_as_it_is(table: Workbench) -> None:
    seats = {name: {"brief": "Play.", "tools": ["look", "add"]} for name in ("odd", "even", "third")}
    table.change("total.yaml", roles=seats)
    table.change("sweep.yaml", roles={"third": "one"})
    made = asked(table, ["bold", "meek"], tasks=["game0"])
    assert len(made.cells) == 4
    assert {cell.models["third"].name for cell in made.cells} == {"one"}
    with pytest.raises(UserError, match=r"seat third is held fixed by the sweep"):
        asked(table, ["bold", "meek"], seats=["odd", "third"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"models": ["bold"]}, "between two models or more"),
        ({"models": ["bold", "bold"]}, "model 'bold' is named twice"),
        ({"models": ["bold", "bald"]}, r"unknown model 'bald'.*did you mean bold"),
        ({"seats": ["ood", "even"]}, r"no seat 'ood'; the scenarios have odd, even .did you mean odd"),
        ({"seats": ["odd"]}, "1 of its seats .odd, even. is to be crossed; it takes two"),
        ({"tasks": ["game9"]}, "the sweep has no task 'game9'"),
        ({"outcomes": ["odd"]}, "write ROLE=score, ROLE=measure.NAME"),
        ({"outcomes": ["odd=measure.part"]}, "scenario total has no measure 'part'"),
        ({"outcomes": ["odd=score"]}, "seat even has no outcome"),
        ({"outcomes": ["third=score"]}, "no seat 'third'"),
        ({"outcomes": ["odd=score", "odd=-score"]}, "seat odd is given two outcomes"),
        ({"name": "bench"}, "--name cannot be 'bench'"),
        ({"name": "a/b"}, "cannot be the name of a folder"),
    ],
)
def test_what_cannot_be_asked_is_one_line(table: Workbench, options: dict[str, Any], said: str) -> None:
    given = {"models": ["bold", "meek"], **options}
    with pytest.raises(UserError, match=said) as error:
        asked(table, **given)
    assert "\n" not in str(error.value)


def test_the_same_model_under_two_names_takes_a_variant(table: Workbench) -> None:
    entries = {"x": {"model": "scripted/bold.yaml"}, "y": {"model": "scripted/bold.yaml"}}
    table.write("models.yaml", {"kind": "models", "models": {**entries, "bold": {"model": "scripted/bold.yaml"}}})
    with pytest.raises(UserError, match="models x and y are the same; to seat one twice, give one of them a `variant`"):
        asked(table, ["x", "y"])


def test_a_scenario_of_one_role_has_no_seats_to_trade(table: Workbench) -> None:
    table.change("sweep.yaml", scenarios=["stock.yaml"], scaffolds=["loop.yaml"])
    with pytest.raises(UserError, match=r"scenario stock has one role .clerk.; seats are traded where there are two"):
        asked(table, ["bold", "meek"], outcomes=[])


def test_killed_it_goes_on_and_does_nothing_twice(table: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    table.write("bold.yaml", adds(3, 3, 2, delay=0.05))
    arguments = ["seats", "sweep.yaml", "--models", "bold,meek", "-n", "2", "--plain", "--concurrency", "2"]
    process = table.start(*arguments)
    folder = table.results / "bench-seats"
    table.wait_for_rows(process, 6, "bench-seats")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = {row.trial for row in Results(folder).store.rows()}
    assert 6 <= len(kept) < 48
    made = asked(table, ["bold", "meek"], repeats=2, outcomes=[])
    outcome = carry_out_asked(made, table.results, PlainProgress)
    assert outcome.exit_code == 0
    rows = Results(folder, attempts=True).store.rows(current=False)
    assert {row.trial for row in rows} >= kept
    assert len(rows) == len({row.trial for row in rows}) == 48
    assert outcome.ran <= 48 - len(kept)


NAME = "smollm2-135m"
ABSENT = find_spec("xllamacpp") is None or found(catalogue()[NAME]) is None


@pytest.mark.local_model
@pytest.mark.slow
@pytest.mark.skipif(ABSENT, reason=f"needs the [local] extra and the weights: harness models pull {NAME}")
def test_local_models_trade_seats_in_a_shipped_talk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Workbench(tmp_path)
    entry = {"model": f"local/{NAME}", "parameters": {"temperature": 0.7, "max_tokens": 24}}
    warm = {**entry, "parameters": {**entry["parameters"], "temperature": 1.3}}
    bench.write("models.yaml", {"kind": "models", "models": {"cool": entry, "warm": warm}})
    bench.write("sweep.yaml", {
        "kind": "sweep", "name": "talk", "scenarios": ["parley"], "scaffolds": ["turns"], "models": ["cool"],
        "limits": {"turns": 4}, "tasks": ["gift", "apart"],
    })  # fmt: skip
    made = asked(bench, ["cool", "warm"], outcomes=[])
    record = played(bench, made)
    assert len(record.trials) == 8
    assert record.trials["score"].notna().all()
    result = analysed(bench, "talk-seats")
    assert {(m.model, m.opposite) for m in result.meetings} == set(itertools.product(["cool", "warm"], repeat=2))
    assert all(m.mean.estimate is not None for m in result.meetings)
    assert result.sentences()
