"""What the analysis of traded seats finds: what was planted, no more, and nothing where there is nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from compare.interventions.seat_worlds import world

from harness.compare.comparison import compare
from harness.compare.interventions.seats import Seats, seats
from harness.compare.interventions.seats.effects import Effect
from harness.compare.tidy import tidy

ACTOR = {"a": 0.2, "b": 0.0, "c": -0.2, "d": 0.0}
PARTNER = {"a": 0.0, "b": -0.1, "c": 0.1, "d": 0.0}
NAMES = ("first", "second", "third", "fourth")


def planted(seated: dict[str, str], task: int, chance: np.random.Generator) -> dict[str, float]:
    """Own effects and those of everybody else, on tasks of different levels."""
    return {
        seat: 3.0 + task % 3 + ACTOR[model] + chance.normal(0, 0.05)
        + sum(PARTNER[other] for name, other in seated.items() if name != seat)
        for seat, model in seated.items()
    }  # fmt: skip


def nothing(seated: dict[str, str], task: int, chance: np.random.Generator) -> dict[str, float]:
    """Tasks and chance alone; what one seat gets, the other lacks."""
    gain = chance.normal(0, 0.2)
    return {"first": 0.5 + 0.2 * (task % 3) + gain, "second": 0.4 - gain + chance.normal(0, 0.1)}


def alike(seat: str, seated: dict[str, str], task: int, chance: np.random.Generator) -> list[str]:
    return ["look" if chance.random() < 0.2 + 0.1 * (task % 5) else "add" for _ in range(4)]


def effect(result: Seats, outcome: str, seat: str, first: str, second: str) -> Effect:
    (found,) = (e for e in result.effects if (e.outcome, e.seat, e.first, e.second) == (outcome, seat, first, second))
    return found


def test_planted_actor_and_partner_effects_are_recovered_and_no_interaction() -> None:
    result = seats(world(planted))
    for seat, other in (("first", "second"), ("second", "first")):
        own = effect(result, seat, seat, "a", "c").difference
        left = effect(result, seat, other, "b", "c").difference
        assert own.estimate == pytest.approx(0.4, abs=0.05)
        assert own.low is not None
        assert own.high is not None
        assert own.low < 0.4 < own.high
        assert own.shown
        assert left.estimate == pytest.approx(-0.2, abs=0.05)
        assert left.shown
        assert effect(result, seat, seat, "a", "c").role == "actor"
        assert effect(result, seat, other, "b", "c").role == "partner"
    assert not any(each.difference.shown for each in result.interactions)
    assert not any(each.difference.shown for each in result.effects if each.role == "self-play")
    told = " ".join(result.sentences())
    assert "As first, a gets more than c (0." in told
    assert "first gets more when c is second than when b is (0." in told
    assert "Who gets what is not shown to depend on who meets whom." in told


def test_means_are_those_of_the_seat_table() -> None:
    result = seats(world(planted))
    square = [m for m in result.meetings if (m.outcome, m.seat, m.other) == ("first", "first", "second")]
    for model in "abc":
        cells = [m.mean.estimate or 0.0 for m in square if m.model == model]
        (mean,) = (m for m in result.means if (m.outcome, m.seat, m.model) == ("first", "first", model))
        assert mean.mean.estimate == pytest.approx(np.mean(cells))
        assert {m.trials for m in square} == {16}


def test_a_planted_interaction_is_found_where_it_is() -> None:
    def together(seated: dict[str, str], task: int, chance: np.random.Generator) -> dict[str, float]:
        match = 0.5 if seated == {"first": "a", "second": "b"} else 0.0
        return {"first": task + match + chance.normal(0, 0.05), "second": task + chance.normal(0, 0.05)}

    result = seats(world(together))
    shown = [each for each in result.interactions if each.difference.shown]
    assert shown
    for each in shown:
        assert each.outcome == "first"
        assert "a" in (each.first, each.second)
        assert "b" in (each.third, each.fourth)
        assert abs(each.difference.estimate or 0) == pytest.approx(0.5, abs=0.06)
    assert any("In what first gets, a as first is further ahead of" in text for text in result.sentences())


def test_self_play_is_told_apart_from_meeting_others() -> None:
    def own(seated: dict[str, str], task: int, chance: np.random.Generator) -> dict[str, float]:
        bonus = 0.5 if seated["first"] == seated["second"] else 0.0
        return {seat: task + bonus + chance.normal(0, 0.05) for seat in seated}

    result = seats(world(own))
    found = [each for each in result.effects if each.role == "self-play"]
    assert [each.difference.shown for each in found] == [True, True]
    assert found[0].difference.estimate == pytest.approx(0.5, abs=0.05)
    assert any("first gets more with itself than with others" in text for text in result.sentences())


def test_lasting_social_relations_are_those_planted() -> None:
    result = seats(world(planted, models="abcd", tasks=12))
    found = {each.name: each for each in result.components}
    assert found["actor"].lasting.estimate == pytest.approx(np.var(list(ACTOR.values()), ddof=1), abs=0.005)
    assert found["partner"].lasting.estimate == pytest.approx(np.var(list(PARTNER.values()), ddof=1), abs=0.005)
    assert found["relationship"].lasting.estimate == pytest.approx(0, abs=0.002)
    assert found["actor_partner"].lasting.estimate == pytest.approx(
        np.cov(list(ACTOR.values()), list(PARTNER.values()))[0, 1], abs=0.005
    )
    assert found["actor"].share is not None
    assert found["actor"].share > 0.6


def test_three_models_are_too_few_for_social_relations_and_that_is_said() -> None:
    result = seats(world(planted))
    assert result.components == []
    assert any("it takes 4 models" in note for note in result.notes)


def test_who_gets_more_wins_and_a_seat_has_its_advantage() -> None:
    strength = {"a": 1.5, "b": 0.0, "c": -1.5}

    def contest(seated: dict[str, str], task: int, chance: np.random.Generator) -> dict[str, float]:
        logit = strength[seated["first"]] - strength[seated["second"]] + 0.8
        won = chance.random() < 1 / (1 + np.exp(-logit))
        return {"first": float(won), "second": float(not won)}

    result = seats(world(contest, tasks=10, repeats=4))
    assert [each.model for each in sorted(result.ratings, key=lambda r: -(r.rating.estimate or 0))] == ["a", "b", "c"]
    (gap,) = (each for each in result.rating_pairs if (each.first, each.second) == ("a", "c"))
    assert gap.difference.shown
    assert gap.difference.low is not None
    assert gap.difference.high is not None
    assert gap.difference.low < 3.0 < gap.difference.high
    assert gap.difference.won + gap.difference.lost == 80
    (first,) = (each for each in result.seat_advantages if each.seat == "first")
    assert first.advantage.low is not None
    assert first.advantage.high is not None
    assert first.advantage.low < 0.4 < first.advantage.high
    assert any("a wins against c" in text for text in result.sentences())


def test_a_shared_outcome_has_effects_of_each_seat_and_no_winner() -> None:
    def shared(seated: dict[str, str], task: int, chance: np.random.Generator) -> dict[str, float]:
        return {"all": min(1.0, 0.3 + (0.4 if seated["first"] == "a" else 0.0) + chance.uniform(0, 0.1))}

    result = seats(world(shared, joint=True))
    assert effect(result, "all", "first", "a", "b").role == "joint"
    assert effect(result, "all", "first", "a", "b").difference.shown
    assert not effect(result, "all", "second", "a", "b").difference.shown
    assert result.ratings == []
    assert result.components == []
    assert any("Scores are higher with a as first than with b (" in text for text in result.sentences())
    assert any("seats share the score" in note for note in result.notes)


def test_a_model_that_changes_another_is_found_and_only_there() -> None:
    def acts(seat: str, seated: dict[str, str], task: int, chance: np.random.Generator) -> list[str]:
        look = 0.9 if seat == "second" and seated == {"first": "a", "second": "b"} else 0.3
        return ["look" if chance.random() < look else "add" for _ in range(5)]

    result = seats(world(nothing, acts=acts, repeats=3))
    (moved,) = (each for each in result.moved if each.shown)
    assert (moved.model, moved.seat, moved.by, moved.partner) == ("b", "second", "first", "a")
    assert moved.distance > moved.floor + 0.1
    assert moved.with_partner != pytest.approx(moved.with_others, abs=0.3)
    (mover,) = (each for each in result.movers if each.shown)
    assert (mover.model, mover.by, mover.seat) == ("a", "first", "second")
    told = " ".join(result.sentences())
    assert "b as second acts differently for who is first: with a as first, " in told
    assert "a as first changes most what second does" in told


def test_of_three_seats_the_one_that_changes_another_is_named() -> None:
    def acts(seat: str, seated: dict[str, str], task: int, chance: np.random.Generator) -> list[str]:
        look = 0.9 if seat == "third" and seated["first"] == "a" else 0.3
        return ["look" if chance.random() < look else "add" for _ in range(5)]

    result = seats(world(planted, acts=acts, models="ab", seats=NAMES[:3], tasks=6))
    assert {(each.seat, each.by) for each in result.moved if each.shown} == {("third", "first")}
    assert {each.model for each in result.moved if each.shown} == {"a", "b"}


def test_three_and_four_seats_recover_what_was_planted() -> None:
    result = seats(world(planted, models="ab", seats=NAMES[:3]))
    assert effect(result, "second", "second", "a", "b").difference.estimate == pytest.approx(0.2, abs=0.05)
    assert effect(result, "second", "third", "a", "b").difference.estimate == pytest.approx(0.1, abs=0.05)


def test_an_orthogonal_array_recovers_the_effects_of_single_seats() -> None:
    latin = [(i, j, (i + j) % 3) for i in range(3) for j in range(3)]
    result = seats(world(planted, seats=NAMES[:3], seatings=latin, acts=alike))
    assert effect(result, "third", "third", "a", "c").difference.estimate == pytest.approx(0.4, abs=0.06)
    assert effect(result, "third", "first", "b", "c").difference.estimate == pytest.approx(-0.2, abs=0.06)
    assert result.interactions == []
    assert {each.by for each in result.moved} == {"all other seats"}
    assert not any(each.shown for each in result.moved)
    assert any("an orthogonal array of 9 of 27 seatings" in note for note in result.notes)


def test_a_seating_that_was_never_run_leaves_the_design_what_it_is_and_is_said() -> None:
    def never(seated: dict[str, str], task: int, repeat: int) -> bool:
        return seated["first"] == "a" and seated["second"] == "b"

    whole = seats(world(planted, lost=never))
    assert whole.scenarios[0].full
    assert effect(whole, "first", "first", "a", "c").difference.estimate == pytest.approx(0.4, abs=0.06)
    latin = [(i, j, (i + j) % 3) for i in range(3) for j in range(3)]
    array = seats(world(planted, seats=NAMES[:3], seatings=latin, lost=never))
    assert any("1 seating of the orthogonal array have no result" in text for text in array.cautions)


@pytest.mark.parametrize(
    ("runs", "most"), [(10, 3), pytest.param(200, 19, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_one_model_under_several_names_is_told_apart_no_more_often_than_stated(runs: int, most: int) -> None:
    """Families of tests are each held at .05: in 200 runs that gives up to 19 with 99.9%."""
    found: Counter[str] = Counter()
    for seed in range(runs):
        result = seats(world(nothing, acts=alike, seed=seed))
        for role in ("actor", "partner"):
            here = [e for e in result.effects if (e.role, e.outcome) == (role, "first")]
            found[role] += any(each.difference.shown for each in here)
        found["self-play"] += result.effects[-1].difference.shown
        found["interaction"] += any(each.difference.shown for each in result.interactions)
        found["rating"] += any(each.difference.shown for each in result.rating_pairs)
        found["moved"] += any(each.shown for each in result.moved)
        found["mover"] += any(each.shown for each in result.movers)
    assert max(found.values()) <= most


def test_lost_trials_leave_out_what_they_would_be_compared_with_and_are_said() -> None:
    def lost(seated: dict[str, str], task: int, repeat: int) -> bool:
        return task == 0 and seated == {"first": "a", "second": "b"}

    result = seats(world(planted, lost=lost))
    own = effect(result, "first", "first", "a", "c").difference
    assert own.estimate == pytest.approx(0.4, abs=0.05)
    assert own.clusters == 8
    assert any("2 missing" in text or "missing" in text for text in result.cautions)


def test_drifted_trials_are_left_out_and_counted() -> None:
    result = seats(world(planted, drifted=lambda seated, task, repeat: task == 1 and repeat == 1))
    assert result.scenarios[0].trials == 8 * 9 * 2 - 9
    assert any("9 trials drifted and are left out" in text for text in result.cautions)


def test_few_tasks_are_said_to_be_few_and_have_no_p() -> None:
    result = seats(world(planted, tasks=3))
    assert all(each.difference.p is None for each in result.effects)
    assert result.sentences()[0].startswith("Too few tasks to tell effects of seats from chance: 3 independent tasks")


def test_pairs_named_beforehand_are_declared() -> None:
    result = seats(world(planted, between=["a", "c"]))
    assert {(each.first, each.second) for each in result.effects if each.role != "self-play"} == {("a", "c")}
    assert all((e.difference.adjusted_by or "").startswith("Holm") for e in result.effects)
    assert result.scenarios[0].models == ["a", "c"]


def test_it_is_told_first_and_its_tables_are_tidy() -> None:
    made = compare(world(planted, acts=alike), ["seats", "outcomes"])
    assert next(iter(made.analyses)) == "seats"
    for rows in made.analyses["seats"].tables().values():
        if rows:
            assert len(tidy(rows)) == len(rows)
