"""Siblings from one moment: the first acts the way out, the others are told of it and put their world where it led."""

from __future__ import annotations

import pytest
from intervene.fickle import LOOK, Ledger, calls

from harness.record import Results, TrialRecord

WAY = ["note", "look", "note"]
REST = ["look"]


def ends(results: Results) -> list[TrialRecord]:
    return [results.store.record(row.trial) for row in results.store.rows() if row.is_result]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_way_is_acted_out_once(ledger: Ledger, concurrency: int) -> None:
    row = ledger.recorded()
    outcome, results = ledger.fork(row, 3, repeats=4, concurrency=concurrency)
    assert outcome.results == 4
    assert ledger.log() == [*WAY, "(snapshot)", *REST * 4]
    (original, *_), found = ends(ledger.bench.record), ends(results)
    assert {record.final_state for record in found} == {original.final_state}
    assert [record.drift for record in found] == [[]] * 4


def test_without_snapshots_each_acts_it_out_and_ends_the_same(ledger: Ledger) -> None:
    row = ledger.recorded()
    _, followed = ledger.fork(row, 3, repeats=3)
    ledger.log()
    _, acted = ledger.fork(row, 3, repeats=3, snapshots=False, name="acted")
    assert ledger.log().count("note") == 2 * 3
    pairs = list(zip(ends(followed), ends(acted), strict=True))
    for one, other in pairs:
        assert one.final_state == other.final_state
        seen = [[getattr(event, "observation", None) for event in record.document.events] for record in (one, other)]
        assert seen[0] == seen[1]


@pytest.mark.parametrize("mood", ["none", "fails"])
def test_where_there_is_none_to_be_had_each_acts_the_way_out(ledger: Ledger, mood: str) -> None:
    row = ledger.recorded()
    ledger.mood(snapshot=mood)
    outcome, results = ledger.fork(row, 3, repeats=3)
    assert outcome.results == 3
    assert sorted(ledger.log()) == sorted([*WAY, *REST] * 3)
    assert results.drift.empty


def test_one_that_does_not_lead_there_is_followed_no_more(ledger: Ledger) -> None:
    """The world fails where it is put into a snapshot: the next attempt acts the way out again."""
    row = ledger.recorded()
    ledger.mood(restore="fails")
    outcome, results = ledger.fork(row, 3, repeats=2, concurrency=1)
    assert outcome.results == 2
    faults = [row.error for row in results.store.rows(current=False) if row.fault == "environment"]
    assert faults == ["the way back to the moment: the picture is torn"]
    assert len({record.final_state for record in ends(results)}) == 1
    assert ledger.log().count("(snapshot)") == 2


def test_what_drifted_in_the_rehearsal_has_drifted_for_all_who_follow(ledger: Ledger) -> None:
    row = ledger.recorded()
    ledger.mood(answers={"2": "something else"})
    _, results = ledger.fork(row, 3, repeats=3)
    assert ledger.log() == [*WAY, "(snapshot)", *REST * 3]
    assert [(d.what, d.step, d.recorded, d.replayed) for record in ends(results) for d in record.drift] == [
        ("observation", 4, "one", "something else")
    ] * 3


def test_a_world_that_changes_what_it_is_given_is_told_of_all_the_same(ledger: Ledger) -> None:
    tagged = {"tool": "note", "arguments": {"text": "one", "tags": ["red", "blue"]}}
    ledger.scripts(ann=calls(tagged, LOOK, "two"))
    row = ledger.recorded()
    _, results = ledger.fork(row, 2, repeats=3)
    assert ledger.log() == ["note", "look", "(snapshot)", *["note"] * 3]
    (original,) = ends(ledger.bench.record)
    assert {record.final_state for record in ends(results)} == {original.final_state}
    assert b"one red blue" in (original.final_state or b"")


def test_a_moment_that_no_call_follows_is_acted_out_by_each(ledger: Ledger) -> None:
    row = ledger.recorded()
    outcome, results = ledger.fork(row, 5, repeats=2)
    assert outcome.results == 2
    assert ledger.log().count("note") == 4
    (original,) = ends(ledger.bench.record)
    assert {record.final_state for record in ends(results)} == {original.final_state}
    assert results.drift.empty


def test_the_end_and_whose_turn_it_is_are_told_as_well(ledger: Ledger) -> None:
    """Two seats in turns, the second of which goes on; the world ends by its own rules."""
    world = {"kind": "intervene.fickle:Fickle", "folder": str(ledger.bench.folder), "turns": True, "most": 5}
    ledger.bench.change("stock.yaml", environment=world, roles={"ann": {"brief": "A."}, "ben": {"brief": "B."}})
    ledger.scripts(ann=[{"call": {"tool": "note", "arguments": {"text": "{{ role }} {{ visit }}"}}}])
    ledger.bench.change("sweep.yaml", scaffolds=["turns"])
    row = ledger.recorded()
    (original,) = ends(ledger.bench.record)
    assert row.turns == 5
    for at in (1, 2, 4):
        outcome, results = ledger.fork(row, at, repeats=3, name=f"again-{at}")
        assert outcome.results == 3
        assert results.drift.empty
        assert {record.final_state for record in ends(results)} == {original.final_state}
        assert ledger.log().count("note") == at + 3 * (5 - at)
