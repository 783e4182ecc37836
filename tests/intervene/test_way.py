"""The way back: who is asked what, until the trial is its own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from intervene.fickle import Fickle, FickleOptions, Ledger, calls

from harness.environments import Environment, EnvironmentFault, Observation
from harness.intervene.origin import open_origin
from harness.intervene.way import Rehearsal, Rehearsals, Way
from harness.models import CallKey, Message, ModelReply, ModelRequest, ProviderFault, Receipt, Usage
from harness.record import message_hash
from harness.run.metering import Meter, MeteredModel, PaidReply
from harness.scaffolds.faults import TrialEnd

HELLO: Message = {"role": "user", "content": "Hello."}


def key(node: str, visit: int = 1, lane: str = "main") -> CallKey:
    return CallKey(node=node, role="agent", lane=lane, visit=visit)


def reply(text: str) -> ModelReply:
    receipt = Receipt({}, {}, [], None, None, "scripted", None, None)
    return ModelReply({"role": "assistant", "content": text}, "stop", Usage(1, 1), 0.5, receipt, 0.0, 0.0)


def paid(text: str, *messages: Message) -> PaidReply:
    return PaidReply(tuple(message_hash(message) for message in messages), reply(text))


def request(where: CallKey, *messages: Message) -> ModelRequest:
    return ModelRequest(
        key=where, messages=list(messages), tools=None, response_format=None, parameters={}, seed=1, seconds_left=None
    )


class Speaker:
    """Says `live`, and remembers what it was asked."""

    name = "speaker"

    def __init__(self) -> None:
        self.asked: list[list[Message]] = []

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request.messages)
        return reply("live")

    async def close(self) -> None:
        pass


def ledger_world(folder: Path, most: int = 100, roles: tuple[str, ...] = ("ann", "ben")) -> Fickle:
    return Fickle(FickleOptions(folder=str(folder), turns=True, most=most), roles)


async def rehearsed(folder: Path, notes: int, most: int = 100) -> Rehearsal:
    """A way of so many notes, by turns, with what is heard before each."""
    made: list[Rehearsal] = []
    way = Way({key("x"): paid("recorded")}, rehearse=made.append)
    world = way.environment(ledger_world(folder, most))
    for number in range(notes):
        role = world.turn() or ""
        await world.news(role)
        await world.call(role, "note", {"text": str(number)})
    await way.arrive()
    return made[0]


def following(folder: Path, known: Rehearsal, most: int = 100) -> tuple[Way, Environment, Fickle]:
    way, own = Way({key("x"): paid("recorded")}, known=known), ledger_world(folder, most)
    return way, way.environment(own), own


def test_recorded_replies_are_given_for_the_call_they_answered_whatever_is_asked() -> None:
    async def script() -> None:
        model, way = Speaker(), Way({key("a"): paid("one", HELLO), key("a", 2): paid("two")})
        asked = way.model(model)
        second, first = await asked.complete(request(key("a", 2))), await asked.complete(request(key("a")))
        assert [first.message["content"], second.message["content"]] == ["one", "two"]
        assert first.replayed and second.replayed
        assert (model.asked, way.live) == ([], False)
        assert (await asked.complete(request(key("a", 3), HELLO))).message["content"] == "live"
        assert (model.asked, way.live) == ([[HELLO]], True)

    asyncio.run(script())


def test_on_a_strict_way_nobody_is_asked() -> None:
    async def script() -> None:
        model = Speaker()
        asked = Way({key("a"): paid("one")}, strict=True).model(model)
        with pytest.raises(ProviderFault, match="for node b, role agent, lane vote-2, visit 3"):
            await asked.complete(request(key("b", 3, "vote-2")))
        assert model.asked == []

    asyncio.run(script())


def test_a_call_that_was_cut_off_waits_to_be_cut_off_again() -> None:
    async def script() -> None:
        asked = Way({}, strict=True, unanswered=[key("a")]).model(Speaker())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asked.complete(request(key("a")))

    asyncio.run(script())


def test_no_more_is_carried_out_than_was(tmp_path: Path) -> None:
    async def script() -> None:
        own = ledger_world(tmp_path)
        world = Way({}, strict=True, deeds=1).environment(own)
        await world.call("ann", "note", {"text": "one"})
        with pytest.raises(EnvironmentFault, match="nothing is recorded of this call"):
            await world.call("ben", "note", {"text": "two"})
        assert own.notes == ["one"]

    asyncio.run(script())


class Slow(Fickle):
    """Takes its time to be put back."""

    async def restore(self, snapshot: bytes) -> None:
        await asyncio.sleep(0.05)
        await super().restore(snapshot)


def test_lanes_beside_the_first_to_arrive_never_see_a_world_that_is_not_there_yet(tmp_path: Path) -> None:
    async def script() -> None:
        known = await rehearsed(tmp_path, 3)
        way = Way({key("x"): paid("recorded")}, known=known)
        own = Slow(FickleOptions(folder=str(tmp_path), turns=True), ("ann", "ben"))
        world = way.environment(own)
        for number in range(3):
            await world.news(world.turn() or "")
            await world.call(world.turn() or "", "note", {"text": str(number)})

        async def lane(number: int) -> tuple[str | None, int]:
            turn = world.turn()
            await way.model(Speaker()).complete(request(key("y", lane=f"vote.{number}")))
            return turn, len(own.notes)

        assert await asyncio.gather(*(lane(number) for number in range(3))) == [("ben", 3)] * 3
        assert world.turn() == "ben"

    asyncio.run(script())


def test_one_who_takes_another_way_acts_out_what_it_was_told(tmp_path: Path) -> None:
    async def script() -> None:
        known = await rehearsed(tmp_path, 4, most=5)
        _, world, own = following(tmp_path, known, most=5)
        await world.news("ann")
        await world.call("ann", "note", {"text": "0"})
        assert (own.notes, world.turn(), world.finished()) == ([], "ben", False)
        await world.call("ben", "note", {"text": "another"})  # without listening first
        assert (own.notes, world.turn()) == (["0", "another"], "ann")
        assert await world.news("ann") == "0; another"
        for _ in range(3):
            await world.call(world.turn() or "", "note", {"text": "more"})
        assert world.finished()
        assert json.loads((await world.final_state()).data)["notes"] == ["0", "another", "more", "more", "more"]

    asyncio.run(script())


def test_lanes_that_leave_the_way_at_once_act_it_out_once(tmp_path: Path) -> None:
    class Pausing(Fickle):
        async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
            await asyncio.sleep(0.01)
            return await super().call(role, tool, arguments)

    async def script() -> None:
        known = await rehearsed(tmp_path, 4)
        own = Pausing(FickleOptions(folder=str(tmp_path), turns=True), ("ann", "ben"))
        world = Way({key("x"): paid("recorded")}, known=known).environment(own)
        for number, role in enumerate(("ann", "ben")):
            await world.news(role)
            await world.call(role, "note", {"text": str(number)})
        assert own.notes == []
        await asyncio.gather(*(world.call("ann", "note", {"text": text}) for text in ("left", "right")))
        assert own.notes == ["0", "1", "left", "right"]

    asyncio.run(script())


def test_one_who_ends_on_the_way_leaves_the_world_as_it_was_told(tmp_path: Path) -> None:
    async def script() -> None:
        known = await rehearsed(tmp_path, 4)
        for notes in (1, 4):  # in the middle of the way, and at its end
            _, world, own = following(tmp_path, known)
            for number in range(notes):
                await world.news(world.turn() or "")
                await world.call(world.turn() or "", "note", {"text": str(number)})
            assert own.notes == []
            assert json.loads((await world.final_state()).data)["notes"] == [str(n) for n in range(notes)]

    asyncio.run(script())


def test_a_world_that_answers_otherwise_when_it_is_acted_out_again_is_at_fault(tmp_path: Path) -> None:
    async def script() -> None:
        known = await rehearsed(tmp_path, 2)
        lost: list[bool] = []
        way = Way({key("x"): paid("recorded")}, known=known, forget=lambda: lost.append(True))
        world = way.environment(ledger_world(tmp_path))
        await world.news("ann")
        await world.call("ann", "note", {"text": "0"})
        (tmp_path / "mood.json").write_text('{"answers": {"1": "not today"}}')
        with pytest.raises(
            EnvironmentFault, match=r'drift while the way was acted out again: \["noted", false\] became'
        ):
            await world.call("ben", "look", {})
        assert lost == [True]

    asyncio.run(script())


def test_what_is_told_is_nobody_elses(tmp_path: Path) -> None:
    async def script() -> None:
        known = await rehearsed(tmp_path, 1)
        for _ in range(2):
            _, world, _ = following(tmp_path, known)
            await world.news("ann")
            told = await world.call("ann", "note", {"text": "0"})
            assert told == Observation("noted")
            told.data["mine"] = True

    asyncio.run(script())


def test_paid_replies_are_known_by_the_thread_as_it_is_recorded_not_as_it_is_translated() -> None:
    """A fork onto another provider that was cancelled: its record holds the thread as the scaffold has it."""

    def translate(asked: ModelRequest) -> tuple[ModelRequest, list[str]]:
        return replace(asked, messages=[{"role": "user", "content": "Translated."}]), ["1 message"]

    async def script() -> None:
        model = Speaker()
        metered = MeteredModel(model, Meter(), {key("b"): paid("paid for", HELLO), key("b", 2): paid("later", HELLO)})
        asked = Way({key("a"): paid("one")}).model(metered, translate)
        assert (await asked.complete(request(key("b"), HELLO))).message["content"] == "paid for"
        other: Message = {"role": "user", "content": "Other."}
        assert (await asked.complete(request(key("b", 2), other))).receipt.translated == ["1 message"]
        assert model.asked == [[{"role": "user", "content": "Translated."}]]

    asyncio.run(script())


def snapshot(size: int) -> Rehearsal:
    return Rehearsal(snapshot=b"." * size)


def test_rehearsals_used_longest_ago_are_let_go() -> None:
    kept = Rehearsals(most=250)
    for name in ("one", "two"):
        kept.keep(name, snapshot(100))
    assert kept.get("one") is not None
    kept.keep("three", snapshot(100))
    assert (kept.get("one") is not None, kept.get("two"), kept.get("three") is not None) == (True, None, True)
    kept.keep("huge", snapshot(300))
    assert kept.get("huge") is None
    assert kept.get("one") is not None


def test_siblings_wait_for_the_first_and_take_its_place_when_it_comes_to_nothing() -> None:
    async def script() -> None:
        kept = Rehearsals()
        assert await kept.begin("m") == (None, True)
        waiting = [asyncio.create_task(kept.begin("m")) for _ in range(3)]
        await asyncio.sleep(0)
        kept.end("m")  # cancelled, say
        await asyncio.sleep(0.01)
        assert [task.result() for task in waiting if task.done()] == [(None, True)]
        found = snapshot(1)
        kept.keep("m", found)
        kept.end("m")
        assert [result for result in await asyncio.gather(*waiting) if not result[1]] == [(found, False)] * 2

    asyncio.run(script())


def test_where_there_is_no_snapshot_nobody_waits_again() -> None:
    async def script() -> None:
        kept = Rehearsals()
        await kept.begin("m")
        kept.keep("m", Rehearsal())
        assert [await kept.begin("m") for _ in range(2)] == [(None, False)] * 2

    asyncio.run(script())


def test_the_world_fails_where_it_cannot_be_put_back(tmp_path: Path) -> None:
    async def script() -> None:
        known = await rehearsed(tmp_path, 1)
        (tmp_path / "mood.json").write_text('{"restore": "fails"}')
        way, world, _ = following(tmp_path, known)
        await world.news("ann")
        await world.call("ann", "note", {"text": "0"})
        with pytest.raises(TrialEnd) as end:
            await way.arrive()
        assert (end.value.fault, end.value.error) == (
            "environment", "the way back to the moment: the picture is torn",
        )  # fmt: skip

    asyncio.run(script())


RANDOM = """
import itertools, pathlib
def turn(state):
    count = pathlib.Path({path!r})
    seen = int(count.read_text()) if count.exists() else 0
    count.write_text(str(seen + 1))
    return {{"odd": seen % 5 == 1}}
"""


def test_siblings_in_a_scaffold_that_is_left_to_chance_end_where_they_went(ledger: Ledger) -> None:
    """A python node sends every other trial past a call: what was told to the others does not hold for it."""
    bench = ledger.bench
    bench.write("chance.py", RANDOM.format(path=str(bench.folder / "count")))
    bench.write("loop.yaml", {
        "kind": "scaffold", "name": "loop", "summary": "Left to chance.", "protocol": {"kind": "native"},
        "start": "think", "variables": {"odd": False},
        "nodes": {
            "think": {"kind": "generate", "next": "flip"},
            "flip": {"kind": "python", "function": "chance.py:turn", "next": "choose"},
            "choose": {"kind": "route", "cases": [{"when": "odd and visits.think == 2", "to": "think"}],
                       "otherwise": "act"},
            "act": {"kind": "act", "next": "think"},
        },
    })  # fmt: skip
    ledger.scripts(ann=calls("one", "two", "three"))
    row = ledger.recorded()
    (bench.folder / "count").write_text("0")
    outcome, _ = ledger.fork(row, 3, repeats=4, concurrency=1)
    assert outcome.results == 4
    found: list[Any] = []
    with open_origin(bench.results / "again") as origin:
        for one in origin.rows:
            record = origin.record(one.trial)
            events = record.document.events
            written = [e.action.arguments["text"] for e in events if e.type == "tool" and e.action.name == "note"]
            assert json.loads(record.final_state or b"")["notes"] == written
            found.append(bool(record.drift))
    assert True in found
