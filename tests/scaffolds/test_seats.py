"""Several seats at one table: hearing, words as a tool, one role for every seat."""

from __future__ import annotations

import json

import pytest

from harness.spec import SpecError, library, load_scaffold
from harness.spec.loading.seating import roles_known, seated

NODES = {
    "hear": {"kind": "hear", "role": "@turn", "next": "think"},
    "think": {"kind": "generate", "role": "@turn", "next": "act"},
    "act": {"kind": "act", "role": "@turn", "words": "say", "next": "hear"},
}
EVERY = {"seat": {"every": True}}
TALK = {"kind": "json", "reply": True}
SEATS = {"seats": {"buyer": "buyer", "seller": "seller"}}


def reply(words):
    return json.dumps({"reply": words})


def users(model, request=-1):
    return [m["content"] for m in model.requests[request].messages if m["role"] == "user"]


def play_two(lab, buyer, seller):
    import asyncio

    from harness.scaffolds import compile_scaffold, run_scaffold

    models = {"buyer": lab.Canned("b", buyer), "seller": lab.Canned("s", seller)}
    world, kept = lab.Shelf(turns=["buyer", "seller"]), lab.Kept()
    context = lab.context(models, world, kept, **SEATS)
    flat = lab.scaffold(NODES, TALK, roles=EVERY)
    outcome = asyncio.run(run_scaffold(compile_scaffold(flat, lab.base), context))
    return outcome, kept, world, models


def test_every_seat_hears_the_others_and_speaks_in_its_turn(lab):
    outcome, kept, world, models = play_two(
        lab, [reply("Five?"), reply("Six."), lab.json_call("finish")], [reply("Seven."), lab.json_call("count")]
    )
    assert outcome.state == "completed"
    assert world.said == [("buyer", "Five?"), ("seller", "Seven."), ("buyer", "Six.")]
    assert users(models["seller"], 0) == ["Do the work.", "buyer: Five?"]
    assert users(models["buyer"], 1)[-1] == "seller: Seven."
    assert [event["detail"]["text"] for event in kept.of("hear")] == [
        None, "buyer: Five?", "seller: Seven.", "buyer: Six.", None,
    ]  # fmt: skip
    assert [event["role"] for event in kept.of("hear")] == ["buyer", "seller", "buyer", "seller", "buyer"]


def test_words_are_recorded_as_said_with_what_came_of_them(lab):
    _, kept, world, models = play_two(lab, [reply("hush"), lab.json_call("finish")], [lab.json_call("count")])
    said = kept.of("tool")[0]
    assert (said["action"].kind, said["action"].text, said["changes_state"]) == ("say", "hush", True)
    assert said["observation"].error
    assert world.calls[0] == ("buyer", "say", {"text": "hush"})
    assert "Nobody says that here." in users(models["buyer"], 1)[-1]


def test_words_go_nowhere_where_the_role_has_no_such_tool(lab):
    mute = [tool for tool in lab.tools if tool.name != "say"]
    flat = lab.scaffold({**NODES, "act": {**NODES["act"], "next": "end"}}, TALK)
    played = lab.play(flat, [reply("Hello.")], tools={"clerk": mute})
    assert (played.world.calls, played.kept.of("tool"), played.outcome.answer) == ([], [], "Hello.")


def test_native_words_need_no_answer_and_calls_still_pending_are_withdrawn(lab):
    nodes = {
        "hear": {"kind": "hear", "next": "think"},
        "think": {"kind": "generate", "next": "act"},
        "act": {"kind": "act", "words": "say", "next": "hear"},
    }
    played = lab.play(lab.scaffold(nodes, "native"), ["Good day.", lab.calls(("submit", {"answer": "x"}))])
    assert played.world.said == [("clerk", "Good day.")]
    assert [m["role"] for m in played.model.requests[1].messages] == ["system", "user", "assistant", "user"]


def test_a_hear_node_of_an_inner_voice_hears_nothing(lab):
    nodes = {"hear": {"kind": "hear", "role": "critic", "next": "think"}, "think": {"kind": "generate", "next": "end"}}
    roles = {"agent": {}, "critic": {"seat": False, "brief": "Hm."}}
    played = lab.play(lab.scaffold(nodes, TALK, roles=roles), {"agent": [reply("So.")], "critic": []})
    assert played.kept.of("hear")[0]["detail"] == {"text": None}


def test_what_breaks_while_hearing_is_the_environments_fault(lab):
    class Deaf(lab.Shelf):
        async def news(self, role):
            raise RuntimeError("no ears")

    played = lab.play(lab.scaffold({**NODES}, TALK), [reply("x")], world=Deaf())
    assert (played.outcome.fault, "no ears" in played.outcome.error) == ("environment", True)


def test_the_role_for_every_seat_becomes_one_a_seat():
    flat = load_scaffold(library() / "scaffolds" / "turns.yaml").flat
    both = seated(flat, ["ada", "ben"])
    assert list(both.roles) == ["ada", "ben"]
    assert not any(role.every for role in both.roles.values())
    assert roles_known(flat, {"ada": 1, "ben": 2}) == ["ada", "ben"]
    react = load_scaffold(library() / "scaffolds" / "react.yaml").flat
    assert seated(react, ["agent"]) is react


WRONG = """\
kind: scaffold
name: wrong
summary: s
protocol: {{kind: json}}
roles: {roles}
start: think
nodes:
  think: {{kind: generate, role: {role}, next: act}}
  act: {{kind: act, role: {role}, next: think}}
"""


@pytest.mark.parametrize(
    ("roles", "role", "error"),
    [
        ("{seat: {every: true}}", "seat", "role 'seat' stands for every seat: write '@turn'"),
        ("{seat: {every: true}, more: {every: true}}", '"@turn"', "only one role may stand for every seat"),
        ("{seat: {every: true, seat: false, brief: x}}", '"@turn"', "stands for seats: no `seat: false`"),
    ],
)
def test_a_role_for_every_seat_that_cannot_be_is_told(tmp_path, roles, role, error):
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG.format(roles=roles, role=role))
    with pytest.raises(SpecError) as wrong:
        load_scaffold(path)
    assert error in str(wrong.value)


LANES = """\
kind: scaffold
name: lanes
summary: s
protocol: {kind: json}
start: split
nodes:
  split: {kind: branch, to: listen, copies: 2, join: joined}
  listen: {kind: hear, next: think}
  think: {kind: generate, next: joined}
  joined: {kind: join, next: act}
  act: {kind: act, next: split}
"""


def test_lanes_may_not_hear_because_news_is_told_once(tmp_path):
    path = tmp_path / "lanes.yaml"
    path.write_text(LANES)
    with pytest.raises(SpecError, match="what there is to hear is told once"):
        load_scaffold(path)
