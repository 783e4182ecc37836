"""The scaffolds that ship with the harness, each taken through a trial."""

from __future__ import annotations

import json

import pytest

from harness.scaffolds import compile_scaffold, draw_mermaid, draw_text
from harness.spec import library, load_scaffold

NAMES = sorted(path.stem for path in (library() / "scaffolds").glob("*.yaml"))


def flat(name):
    return load_scaffold(library() / "scaffolds" / f"{name}.yaml").flat


def in_protocol(lab, kind, name, **arguments):
    if kind == "native":
        return lab.calls((name, arguments))
    if kind == "text":
        return f"Thought: so.\nAction: {name} {json.dumps(arguments)}"
    return json.dumps({"thought": "so", "action": {"name": name, "arguments": arguments}})


def steady(lab, kind, actions):
    """A model that goes through `actions` and speaks in words when no tools are offered."""
    ahead = iter(actions)

    def answer(request):
        asked = str(request.messages[-1]["content"])
        if "plan" in asked and "Do not use a tool" in asked:
            return "Put it, then submit."
        if request.messages[0]["content"].startswith("You review"):
            return "OK"
        name, arguments = next(ahead)
        return in_protocol(lab, kind, name, **arguments)

    return answer


WORK = [("put", {"key": "a", "value": "1"}), ("get", {"key": "a"}), ("submit", {"answer": "1"})]


# `vote` has a test of its own below; `desk` is for two seats, and has one with whole sweeps.
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("vote", "desk")])
def test_a_steady_model_finishes_its_work(lab, name):
    scaffold = flat(name)
    played = lab.play(scaffold, steady(lab, scaffold.protocol.kind, WORK))
    assert (played.outcome.state, played.outcome.answer) == ("completed", "1"), played.outcome
    assert played.world.values == {"a": "1"}


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_modeline_a_drawing_and_compiles(lab, name):
    text = (library() / "scaffolds" / f"{name}.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../schemas/scaffold.schema.json\n")
    scaffold = flat(name)
    compile_scaffold(scaffold, lab.base)
    assert all(node in draw_text(scaffold) and node in draw_mermaid(scaffold) for node in scaffold.nodes)
    assert "never reached" not in draw_text(scaffold)


@pytest.mark.parametrize("name", ["react", "plan-then-act", "vote"])
def test_words_without_a_call_are_answered_with_a_nudge(lab, name):
    def refusing(request):
        return lab.reply({"content": None, "refusal": "I will not."})

    played = lab.play(flat(name), refusing, limits={"turns": 6})
    assert (played.outcome.state, played.outcome.limit) == ("limit", "turns")
    assert "Nothing was done" in [m["content"] for m in played.model.requests[-1].messages if m["role"] == "user"][-1]


def test_plan_then_act_keeps_the_plan_and_brings_it_to_mind(lab):
    work = [("count", {}), ("count", {}), ("count", {}), ("count", {}), ("submit", {"answer": "1"})]
    played = lab.play(flat("plan-then-act"), steady(lab, "json", work))
    assert played.model.requests[0].response_format is None
    said = [event["detail"]["text"] for event in played.kept.of("say") if event["node"] == "remind"]
    assert said == ["Your plan was: Put it, then submit."]


def test_reflect_shows_the_critic_failures_and_the_answer_before_it_is_submitted(lab):
    work = [
        ("get", {"key": "a"}),
        ("submit", {"answer": "0"}),
        ("put", {"key": "a", "value": "1"}),
        ("submit", {"answer": "1"}),
    ]
    ahead = iter(work)
    remarks = iter(["Put it first.", "The answer is wrong."])

    def agent(request):
        name, arguments = next(ahead)
        return in_protocol(lab, "json", name, **arguments)

    played = lab.play(flat("reflect"), {"agent": agent, "critic": lambda request: next(remarks)})
    assert (played.outcome.state, played.outcome.answer) == ("completed", "1")
    shown = [event["detail"]["text"] for event in played.kept.of("say") if event["role"] == "critic"]
    assert "The task: Do the work." in shown[0]
    assert 'get {"key": "a"}' in shown[0].replace('":"', '": "')
    assert "no a" in shown[0]
    assert '"0"' in shown[1]
    told = [m["content"] for m in played.models["agent"].requests[-1].messages if m["role"] == "user"]
    assert any("Put it first." in text for text in told)
    assert any("The answer is wrong." in text for text in told)
    assert [name for _, name, _ in played.world.calls] == ["get", "put"]


def test_vote_carries_out_what_most_lanes_drew(lab):
    def drawn(request):
        if request.key.visit == 2:
            return json.dumps({"thought": "", "action": {"name": "submit", "arguments": {"answer": "b"}}})
        key = {"sample.1": "a", "sample.2": "b", "sample.3": "b"}[request.key.lane]
        return json.dumps({"thought": "", "action": {"name": "put", "arguments": {"key": key, "value": "1"}}})

    played = lab.play(flat("vote"), drawn)
    assert played.outcome.answer == "b"
    assert played.world.values == {"b": "1"}
    assert [event["detail"]["winner"] for event in played.kept.of("join")] == ["sample.2", "sample.1"]
