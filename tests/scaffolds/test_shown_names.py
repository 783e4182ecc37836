"""A tool shown under another name: the model knows only that one, everybody else only the tool's own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.environments.protocol import SUBMIT, Observation
from harness.scaffolds.protocols import protocol_for
from harness.spec.scaffold import Protocol

SETTINGS = {
    "native": {"kind": "native"},
    "json": {"kind": "json"},
    "json with thoughts and replies": {"kind": "json", "thought": True, "reply": True},
    "text": {"kind": "text"},
}


@pytest.fixture(params=SETTINGS)
def protocol(request):
    return protocol_for(Protocol.model_validate(SETTINGS[request.param]))


@pytest.fixture
def tools(lab):
    shown = {"put": "store", "get": "fetch"}
    return [*(replace(tool, shown=shown.get(tool.name)) for tool in lab.tools if tool.name != "submit"), SUBMIT]


def call_of(lab, protocol, name, arguments):
    raw = json.dumps(arguments)
    if protocol.settings.kind == "native":
        return lab.calls((name, raw))
    if protocol.settings.kind == "text":
        return lab.reply(f"Action: {name} {raw}")
    return lab.reply(f'{{"action": {{"name": "{name}", "arguments": {raw}}}}}')


def test_what_is_sent_holds_shown_names_only(protocol, tools):
    offer = protocol.offer(tools, tools, [])
    sent = json.dumps([protocol.system_text(tools), offer.request_tools, offer.response_format])
    assert '\\"store\\"' in sent or '"store"' in sent
    for own in ("put", "get"):
        assert (
            f'"name": "{own}"' not in sent and f'\\"name\\":\\"{own}\\"' not in sent and f'"const": "{own}"' not in sent
        )
    names = [schema["function"]["name"] for schema in offer.schemas]
    assert names[:2] == ["fetch", "store"] and names[-1] == "submit"


def test_a_call_by_the_shown_name_is_an_action_of_the_tool(lab, protocol, tools):
    reply = call_of(lab, protocol, "store", {"key": "a", "value": "b"})
    (action,) = protocol.parse(reply, tools)
    assert (action.kind, action.key) == ("tool", 'tool put {"key":"a","value":"b"}')
    (submitted,) = protocol.parse(call_of(lab, protocol, "submit", {"answer": "4"}), tools)
    assert submitted.kind == "submit"


def test_the_thread_keeps_the_reply_as_it_was_said(lab, protocol, tools):
    reply = call_of(lab, protocol, "store", {"key": "a", "value": "b"})
    message = json.dumps(protocol.thread_message(reply, protocol.parse(reply, tools)))
    assert "store" in message and "put" not in message


def test_the_old_name_is_malformed_like_any_other_unknown_one(lab, protocol, tools):
    (action,) = protocol.parse(call_of(lab, protocol, "put", {"key": "a", "value": "b"}), tools)
    assert (action.kind, action.name) == ("malformed", "put")
    assert action.error.startswith("no tool 'put' here; there are: fetch, store")


def test_bad_arguments_are_answered_under_the_name_the_model_said(lab, protocol, tools):
    (action,) = protocol.parse(call_of(lab, protocol, "store", {"key": 5}), tools)
    assert (action.kind, action.name) == ("malformed", "store")
    told = json.dumps(protocol.answers([(action, Observation(action.error, error=True))]))
    assert "put" not in told


@pytest.mark.parametrize("name", SETTINGS)
def test_a_whole_trial_is_the_same_but_for_what_was_shown(lab, name):
    """In a graph with a node that offers some tools only, and a route by the name of what was done last."""
    nodes = {
        "think": {"kind": "generate", "tools": ["put", "submit"], "next": "act"},
        "act": {"kind": "act", "next": "where"},
        "where": {"kind": "route", "cases": [{"when": "last.name == 'put'", "to": "think"}], "otherwise": "act"},
    }
    protocol = protocol_for(Protocol.model_validate(SETTINGS[name]))
    played = {}
    for shown in (None, "store"):
        replies = [
            call_of(lab, protocol, shown or "put", {"key": "a", "value": "b"}),
            call_of(lab, protocol, "submit", {"answer": "x"}),
        ]
        tools = [replace(tool, shown=shown) if tool.name == "put" else tool for tool in lab.tools]
        played[shown] = lab.play(lab.scaffold(nodes, SETTINGS[name]), replies, tools={"clerk": tools})
    plain, renamed = played[None], played["store"]
    assert plain.outcome.answer == renamed.outcome.answer == "x"
    assert plain.kept.actions() == renamed.kept.actions()
    assert plain.kept.actions() == ['tool put {"key":"a","value":"b"}', 'submit {"answer":"x"}']
    assert renamed.world.calls == [("clerk", "put", {"key": "a", "value": "b"})]
    before, after = sent(plain), sent(renamed)
    assert "store" in after and "Result of put" not in after
    assert after.replace("store", "put") == before


def sent(played):
    """All that the model was sent, but for what the tools are for."""
    asked = [[one.messages, one.tools, one.response_format] for one in played.model.requests]
    return json.dumps([asked, [event["tools"] for event in played.kept.of("call")]])
