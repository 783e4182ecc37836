"""Branches: lanes that run at the same time, and the join that goes on with one of them."""

from __future__ import annotations

import asyncio
import random

import pytest

from harness.errors import UserError
from harness.scaffolds import compile_scaffold, run_scaffold


def voting(pick="vote", copies=3, lane=None, **more):
    """branch -> lane -> join -> act -> end."""
    return {
        "split": {"kind": "branch", "to": "draft", "copies": copies, "join": "join"},
        "draft": {"kind": "generate", "next": "join"},
        **(lane or {}),
        "join": {"kind": "join", "pick": pick, "next": "act"},
        "act": {"kind": "act", "next": "end"},
        **more,
    }


def by_lane(lab, keys):
    return lambda request: keys[request.key.lane] if request.key.lane in keys else lab.json_call("count")


def drawn(lab, *keys):
    return {f"split.{n}": lab.json_call("put", key=key, value="v") for n, key in enumerate(keys, start=1)}


@pytest.mark.parametrize(
    ("keys", "winner"),
    [("abb", "split.2"), ("aab", "split.1"), ("abc", "split.1"), ("abcbb", "split.2"), ("abba", "split.1")],
)
def test_the_most_frequent_action_wins_and_the_first_lane_breaks_ties(lab, keys, winner):
    played = lab.play(lab.scaffold(voting(copies=len(keys))), by_lane(lab, drawn(lab, *keys)))
    event = played.kept.of("join")[0]
    assert event["detail"]["winner"] == winner
    assert list(event["detail"]["votes"]) == [f"split.{n}" for n in range(1, len(keys) + 1)]
    assert list(played.world.values) == [keys[int(winner[-1]) - 1]]


def test_lanes_that_cannot_be_carried_out_do_not_vote_while_others_can(lab):
    replies = {**drawn(lab, "a", "b", "c"), "split.1": "nonsense", "split.2": "nonsense"}
    played = lab.play(lab.scaffold(voting()), by_lane(lab, replies))
    assert played.kept.of("join")[0]["detail"]["winner"] == "split.3"


def test_malformed_lanes_end_the_trial_only_through_the_join(lab):
    protocol = {"kind": "json", "malformed_limit": 1}
    one_bad = {**drawn(lab, "a", "b", "b"), "split.1": "nonsense"}
    assert lab.play(lab.scaffold(voting(), protocol), by_lane(lab, one_bad)).outcome.state == "completed"
    all_bad = dict.fromkeys(("split.1", "split.2", "split.3"), "nonsense")
    assert lab.play(lab.scaffold(voting(), protocol), by_lane(lab, all_bad)).outcome.fault == "model"


def test_the_first_lane_can_be_picked_and_a_function_can_pick(lab):
    assert list(lab.play(lab.scaffold(voting("first")), by_lane(lab, drawn(lab, "a", "b", "b"))).world.values) == ["a"]
    (lab.base / "pick.py").write_text(
        "def shortest(lanes):\n"
        "    return min(range(len(lanes)), key=lambda i: len(lanes[i]['last']['arguments']['key']))\n"
        "def wrong(lanes):\n    return 3\n"
    )
    picked = lab.play(lab.scaffold(voting("pick.py:shortest")), by_lane(lab, drawn(lab, "aaa", "bb", "ccc")))
    assert list(picked.world.values) == ["bb"]
    wrong = lab.play(lab.scaffold(voting("pick.py:wrong")), by_lane(lab, drawn(lab, "a", "b", "c")))
    assert (wrong.outcome.fault, wrong.outcome.error) == (
        "scaffold", "node join: its function must return an index from 0 to 2, not 3",
    )  # fmt: skip


def test_the_winners_thread_and_variables_become_main_and_the_losers_leave_nothing(lab):
    lane = {
        "draft": {"kind": "generate", "save": "draft", "tools": False, "next": "remark"},
        "remark": {"kind": "say", "text": "Noted: {{ draft }}", "next": "join"},
    }
    nodes = {**voting("first", lane=lane), "act": {"kind": "say", "text": "Kept: {{ draft }}", "next": "last"}}
    nodes["last"] = {"kind": "generate", "tools": False, "next": "end"}
    played = lab.play(
        lab.scaffold(nodes, variables={"draft": ""}),
        lambda request: {"split.1": "one", "split.2": "two", "split.3": "three"}.get(request.key.lane, "done"),
    )
    thread = [m["content"] for m in played.model.requests[-1].messages[2:]]
    assert thread == ["one", "Noted: one", "Kept: one"]
    assert played.outcome.answer == "done"


def looping(lab):
    """A lane that drafts until its lane's number is reached, so that lanes arrive one after the other."""
    lane = {
        "draft": {"kind": "generate", "next": "enough"},
        "enough": {
            "kind": "route",
            "cases": [{"when": "visits.draft >= (last.arguments.key | int)", "to": "join"}],
            "otherwise": "again",
        },
        "again": {"kind": "say", "text": "again", "next": "draft"},
    }
    return lab.scaffold(voting("first", lane=lane))


def test_loops_inside_lanes_end_on_their_own_and_the_join_waits_for_all(lab):
    played = lab.play(looping(lab), by_lane(lab, drawn(lab, "3", "1", "2")))
    assert played.outcome.state == "completed"
    calls = [(event["key"].lane, event["key"].visit) for event in played.kept.of("call")]
    assert sorted(calls) == [
        ("split.1", 1), ("split.1", 2), ("split.1", 3), ("split.2", 1), ("split.3", 1), ("split.3", 2),
    ]  # fmt: skip
    assert len(played.kept.of("join")) == 1
    assert list(played.world.values) == ["3"]


@pytest.mark.parametrize("seed", range(4))
def test_lanes_come_out_the_same_in_whatever_order_replies_arrive(lab, seed):
    chance = random.Random(seed)
    delays = lambda request: chance.random() * 0.02  # noqa: E731
    flat = looping(lab)
    plain = lab.play(flat, by_lane(lab, drawn(lab, "2", "3", "1")))
    shuffled = lab.play(flat, by_lane(lab, drawn(lab, "2", "3", "1")), delay=delays)

    def requests(played):
        return {request.key: request.messages for request in played.model.requests}

    def steps(played):
        return sorted((event["key"].lane, event["key"].visit, event["step"]) for event in played.kept.of("call"))

    assert requests(plain) == requests(shuffled)
    assert steps(plain) == steps(shuffled)
    assert plain.outcome.answer == shuffled.outcome.answer
    assert plain.world.values == shuffled.world.values


def test_a_branch_visited_again_gives_its_calls_new_keys_and_its_lanes_fresh_visits(lab):
    nodes = voting("first", lane={"draft": {"kind": "generate", "next": "look"}})
    nodes["look"] = {"kind": "say", "text": "{{ visits.draft }}", "next": "join"}
    nodes["act"] = {"kind": "act", "next": "split"}
    played = lab.play(lab.scaffold(nodes), lambda request: lab.json_call("count"), limits={"turns": 6})
    keys = [event["key"] for event in played.kept.of("call")]
    assert len(set(keys)) == 6
    assert {(key.lane, key.visit) for key in keys} == {(f"split.{n}", visit) for n in (1, 2, 3) for visit in (1, 2)}
    assert {event["detail"]["text"] for event in played.kept.of("say")} == {"1"}


def test_branches_may_be_nested(lab):
    inner = {
        "draft": {"kind": "branch", "to": "deep", "copies": 2, "join": "meet"},
        "deep": {"kind": "generate", "next": "meet"},
        "meet": {"kind": "join", "pick": "vote", "next": "join"},
    }
    played = lab.play(
        lab.scaffold(voting(copies=2, lane=inner)),
        lambda request: lab.json_call("put", key=request.key.lane, value="v"),
    )
    lanes = sorted(event["key"].lane for event in played.kept.of("call"))
    assert lanes == ["split.1/draft.1", "split.1/draft.2", "split.2/draft.1", "split.2/draft.2"]
    assert list(played.world.values) == ["split.1/draft.1"]


def test_native_lanes_leave_a_thread_the_api_takes(lab):
    replies = {f"split.{n}": lab.calls(("put", {"key": key, "value": "v"})) for n, key in enumerate("abb", start=1)}
    nodes = {**voting(), "act": {"kind": "act", "next": "last"}, "last": {"kind": "generate", "next": "end"}}
    played = lab.play(lab.scaffold(nodes, "native"), lambda request: replies.get(request.key.lane, lab.reply("done")))
    roles = [m["role"] for m in played.model.requests[-1].messages]
    assert roles == ["system", "user", "assistant", "tool"]


def test_a_lane_that_ends_the_trial_ends_the_others_with_it(lab):
    played = lab.play(lab.scaffold(voting()), by_lane(lab, drawn(lab, "a", "b", "c")), limits={"turns": 2})
    assert (played.outcome.state, played.outcome.limit) == ("limit", "turns")


@pytest.mark.parametrize(
    ("nodes", "error"),
    [
        (voting(lane={"draft": {"kind": "act", "next": "join"}}), "may not act or hear, as node draft does"),
        (voting(lane={"draft": {"kind": "generate", "next": "end"}}), "its lanes can reach `end` before 'join'"),
        (voting(lane={"draft": {"kind": "generate", "next": "draft"}}), "its lanes never reach 'join'"),
        (voting(lane={"draft": {"kind": "generate", "next": "split"}}), "its lanes lead back to it"),
        (voting(join={"kind": "act", "next": "end"}), "its join 'join' is no join node"),
        (voting(act={"kind": "act", "next": "nowhere"}), "no node 'nowhere' to go to"),
        (voting(more={"kind": "join", "next": "end"}), "no branch names this join"),
        (voting(copies=32, lane={"draft": {"kind": "branch", "to": "deep", "copies": 32, "join": "meet"},
                                 "deep": {"kind": "branch", "to": "low", "copies": 32, "join": "low_meet"},
                                 "low": {"kind": "generate", "next": "low_meet"},
                                 "low_meet": {"kind": "join", "next": "meet"},
                                 "meet": {"kind": "join", "next": "join"}}), "more than 2000"),
    ],
)  # fmt: skip
def test_shapes_that_cannot_be_run_are_refused(lab, nodes, error):
    with pytest.raises(UserError, match=error):
        compile_scaffold(lab.scaffold(nodes), lab.base)


def test_many_trials_share_one_compiled_scaffold(lab):
    async def all_at_once():
        compiled = compile_scaffold(looping(lab), lab.base)
        chance = random.Random(5)

        async def one(number):
            wanted = {f"split.{n}": str(1 + (number + n) % 3) for n in (1, 2, 3)}
            model = lab.Canned(
                "m",
                lambda r: lab.json_call("put", key=wanted[r.key.lane], value=str(number)),
                lambda r: chance.random() * 0.01,
            )
            world, kept = lab.Shelf(), lab.Kept()
            outcome = await run_scaffold(compiled, lab.context({"agent": model}, world, kept))
            return number, wanted, outcome, world, kept

        return await asyncio.gather(*(one(number) for number in range(40)))

    for number, wanted, outcome, world, kept in asyncio.run(all_at_once()):
        assert outcome.state == "completed"
        assert world.values == {wanted["split.1"]: str(number)}
        assert len(kept.of("call")) == sum(int(count) for count in wanted.values())
        assert outcome.steps == max(event["step"] for _, event in kept.events)
