"""A trial from its first message to its outcome."""

from __future__ import annotations

import pytest


def test_a_trial_acts_observes_and_submits(lab):
    replies = [
        lab.json_call("put", key="a", value="1"),
        lab.json_call("get", key="a"),
        lab.json_call("submit", answer="done"),
    ]
    played = lab.play(lab.react(), replies)
    assert played.outcome.state == "completed"
    assert played.outcome.answer == "done"
    assert played.world.values == {"a": "1"}
    assert played.kept.actions() == [
        'tool put {"key":"a","value":"1"}',
        'tool get {"key":"a"}',
        'submit {"answer":"done"}',
    ]
    assert [event["observation"].text for event in played.kept.of("tool")] == ["1", "1", "Submitted."]
    assert [event["changes_state"] for event in played.kept.of("tool")] == [True, False, False]


def test_steps_count_node_visits_and_every_event_carries_its_own(lab):
    played = lab.play(lab.react(), [lab.json_call("get", key="a"), lab.json_call("submit", answer="x")])
    assert [(kind, event["step"]) for kind, event in played.kept.events] == [
        ("call", 1), ("route", 2), ("tool", 3), ("call", 4), ("route", 5), ("tool", 6),
    ]  # fmt: skip
    assert played.outcome.steps == 6


def test_a_thread_begins_with_a_system_message_and_the_opening(lab):
    played = lab.play(lab.react(), [lab.json_call("submit", answer="x")])
    system, opening = played.model.requests[0].messages
    assert system["role"] == "system"
    assert system["content"].startswith("You are the clerk.\n\nTools:\n")
    assert opening == {"role": "user", "content": "Do the work."}


def test_the_scaffolds_own_brief_comes_below_the_seats(lab):
    flat = lab.react("native", roles={"agent": {"brief": "Order {{ input.order }} for {{ role }} in {{ task }}."}})
    played = lab.play(flat, [lab.calls(("submit", {"answer": "x"}))])
    assert played.model.requests[0].messages[0]["content"] == "You are the clerk.\n\nOrder 7 for agent in t1."


def test_a_seat_without_an_opening_is_told_to_begin(lab):
    played = lab.play(lab.react(), [lab.json_call("submit", answer="x")], opening={})
    assert [m["content"] for m in played.model.requests[0].messages[1:]] == ["Begin."]


def test_the_answer_is_what_was_said_last_where_the_graph_ends(lab):
    flat = lab.scaffold({"think": {"kind": "generate", "tools": False, "next": "end"}})
    played = lab.play(flat, ["forty-two"])
    assert (played.outcome.state, played.outcome.answer) == ("completed", "forty-two")


def test_a_request_after_the_models_own_reply_ends_in_a_user_message(lab):
    flat = lab.scaffold(
        {
            "one": {"kind": "generate", "tools": False, "next": "two"},
            "two": {"kind": "generate", "tools": False, "next": "end"},
        }
    )
    played = lab.play(flat, ["first", "second"])
    assert [m["content"] for m in played.model.requests[1].messages[1:]] == ["Do the work.", "first", "Go on."]


def test_calls_after_submit_in_one_reply_are_not_run(lab):
    replies = [
        lab.calls(("put", {"key": "a", "value": "1"}), ("submit", {"answer": "x"}), ("put", {"key": "b", "value": "2"}))
    ]
    played = lab.play(lab.react("native"), replies)
    assert played.outcome.answer == "x"
    assert played.world.values == {"a": "1"}
    assert [event["action"].name for event in played.kept.of("tool")] == ["put", "submit"]
    assert len(played.kept.of("call")[0]["actions"]) == 3


def test_the_trial_ends_when_the_world_does_and_a_submit_beside_it_counts(lab):
    replies = [lab.calls(("finish", {}), ("get", {"key": "a"}), ("submit", {"answer": "over"}))]
    played = lab.play(lab.react("native"), replies)
    assert (played.outcome.state, played.outcome.answer) == ("completed", "over")
    assert [name for _, name, _ in played.world.calls] == ["finish"]
    assert lab.play(lab.react(), [lab.json_call("finish")]).outcome.state == "completed"


def test_tools_get_arguments_as_sent_and_comparison_their_normal_form(lab):
    replies = [lab.json_call("put", key="a", value="line  \r\nend\n"), lab.json_call("submit", answer="x")]
    played = lab.play(lab.react(), replies)
    assert played.world.values == {"a": "line  \r\nend\n"}
    assert played.kept.actions()[0] == 'tool put {"key":"a","value":"line\\nend"}'


@pytest.mark.parametrize("protocol", ["native", "json", "text"])
def test_parameters_and_token_limit_of_a_node_reach_the_request(lab, protocol):
    flat = lab.scaffold({"think": {"kind": "generate", "tools": False, "max_tokens": 50, "next": "end"}}, protocol)
    wide = lab.play(flat, ["x"], parameters={"temperature": 0.5, "max_tokens": 400}).model.requests[0]
    assert wide.parameters == {"temperature": 0.5, "max_tokens": 50}
    tight = lab.play(flat, ["x"], parameters={"max_tokens": 20}).model.requests[0]
    assert tight.parameters == {"max_tokens": 20}


def test_a_node_may_offer_some_tools_only(lab):
    nodes = {
        "think": {"kind": "generate", "tools": ["get", "submit"], "next": "act"},
        "act": {"kind": "act", "next": "think"},
    }
    played = lab.play(
        lab.scaffold(nodes, "native"),
        [lab.calls(("put", {"key": "a", "value": "1"})), lab.calls(("submit", {"answer": "x"}))],
    )
    offered = [tool["function"]["name"] for tool in played.model.requests[0].tools]
    assert offered == ["get", "submit"]
    assert played.kept.of("tool")[0]["observation"].text == "no tool 'put' here; there are: get, submit"
    assert played.world.calls == []


def test_native_sends_known_tools_with_choice_none_where_the_thread_holds_calls(lab):
    nodes = {
        "think": {"kind": "generate", "next": "act"},
        "act": {"kind": "act", "next": "sum"},
        "sum": {"kind": "generate", "tools": False, "next": "end"},
    }
    played = lab.play(lab.scaffold(nodes, "native"), [lab.calls(("get", {"key": "a"})), "nothing there"])
    last = played.model.requests[1]
    assert last.parameters == {"tool_choice": "none"}
    assert len(last.tools) == len(lab.tools)
    assert played.kept.of("call")[1]["tools"] is None
    assert played.outcome.answer == "nothing there"
