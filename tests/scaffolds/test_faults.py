"""Whatever goes wrong is put on exactly one party's account, in one line."""

from __future__ import annotations

import pytest

from harness.models.protocol import Attempt, ModelSetupError, ProviderFault


def ended(played):
    assert played.outcome.state == "fault"
    assert "\n" not in played.outcome.error
    return played.outcome.fault, played.outcome.error


def test_a_provider_that_fails_for_good(lab):
    fault = ProviderFault("server", "500 again", [Attempt("server", 500, "x", 1.0, 2.0)])
    played = lab.play(lab.react(), [fault])
    assert ended(played) == ("provider", "server: 500 again")
    event = played.kept.of("call")[0]
    assert (event["fault"], event["reply"], event["error"]) == (fault, None, "server: 500 again")
    assert played.outcome.waited == 3.0
    assert played.outcome.seconds < 3.0


def test_a_model_that_cannot_be_used_at_all(lab):
    assert ended(lab.play(lab.react(), [ModelSetupError("no key: set OPENAI_API_KEY")])) == (
        "provider", "no key: set OPENAI_API_KEY",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("fault", "tool fail: broken"),
        ("bug", "tool fail: KeyError: 'broken'"),
        ("timeout", "tool fail: TimeoutError: broken"),
    ],
)
def test_whatever_an_environment_raises_is_its_own(lab, how, error):
    played = lab.play(lab.react(), [lab.json_call("fail", how=how)], limits={"seconds": 60})
    assert ended(played) == ("environment", error)


@pytest.mark.parametrize("method", ["turn", "finished"])
def test_so_is_what_it_raises_when_asked(lab, method):
    class Broken(lab.Shelf):
        pass

    def broken(self):
        raise RuntimeError("no idea")

    setattr(Broken, method, broken)
    nodes = {"think": {"kind": "generate", "role": "@turn", "next": "act"}, "act": {"kind": "act", "next": "think"}}
    fault, error = ended(lab.play(lab.scaffold(nodes), [lab.json_call("count")], world=Broken()))
    assert fault == "environment"
    assert error.endswith("RuntimeError: no idea")


def test_a_bug_of_the_harness_keeps_its_traceback(lab):
    played = lab.play(lab.react(), [ZeroDivisionError("oops")])
    assert ended(played) == ("harness", "ZeroDivisionError: oops")
    assert "Traceback" in played.outcome.error_detail


@pytest.mark.parametrize("bad", ['{"action": {"name": "none", "arguments": {}}}', "no JSON at all"])
def test_malformed_replies_are_fed_back_and_bounded(lab, bad):
    flat = lab.react({"kind": "json", "malformed_limit": 3})
    good = lab.json_call("count")
    played = lab.play(flat, [bad, bad, good, bad, bad, bad])
    fault, error = ended(played)
    assert fault == "model"
    assert error.startswith("3 malformed or cut-off replies of agent in a row; the last: ")
    told = [m["content"] for m in played.model.requests[1].messages if m["role"] == "user"][-1]
    assert told.startswith("Error")
    answered = [event for event in played.kept.of("tool") if event["action"].kind == "malformed"]
    assert len(answered) == 4, "the last one ends the trial before it is answered"
    assert all(event["observation"].error for event in answered)


def test_cut_offs_are_told_apart_from_malformed_calls_but_bounded_with_them(lab):
    flat = lab.react({"kind": "json", "malformed_limit": 2})
    played = lab.play(flat, [lab.reply('{"action', finish="length"), "nonsense"])
    assert ended(played)[0] == "model"
    assert played.kept.actions() == ["cut_off", "malformed"]
    assert (
        played.model.requests[1].messages[-1]["content"]
        == "The reply was cut off at the length limit. Answer more briefly."
    )


def test_native_malformed_calls_are_answered_under_their_id(lab):
    flat = lab.react("native")
    played = lab.play(flat, [lab.calls(("get", "{")), lab.calls(("submit", {"answer": "x"}))])
    last = played.model.requests[1].messages[-1]
    assert (last["role"], last["tool_call_id"]) == ("tool", "id0")
    assert last["content"].startswith("arguments: no valid JSON")
    assert played.outcome.state == "completed"


@pytest.mark.parametrize(
    ("node", "error"),
    [
        ({"kind": "say", "text": "{{ nothing }}", "next": "end"}, "node one: unknown name 'nothing'"),
        (
            {"kind": "route", "cases": [{"when": "last.kind / 2", "to": "end"}], "otherwise": "end"},
            "node one, case 1: ",
        ),
    ],
)
def test_templates_that_cannot_be_rendered_are_the_scaffolds(lab, node, error):
    fault, told = ended(lab.play(lab.scaffold({"one": node}), []))
    assert fault == "scaffold"
    assert told.startswith(error)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("return 1 / 0", "node one: ZeroDivisionError: division by zero (code.py:2)"),
        ("return 5", "node one: its function must return a dict, not int"),
        ("return {'other': 1}", "node one: its function returned 'other', which is no variable of the scaffold"),
        ("return {'note': {1}}", "node one: what its function returned is no JSON: a set is no JSON value"),
        ("return {'note': float('nan')}", "node one: what its function returned is no JSON: nan is no JSON number"),
        ("raise SystemExit(3)", "node one: RuntimeError: SystemExit(3)"),
    ],
)
def test_python_of_the_user_that_fails_is_the_scaffolds(lab, body, error):
    (lab.base / "code.py").write_text(f"def function(state):\n    {body}\n")
    nodes = {"one": {"kind": "python", "function": "code.py:function", "next": "end"}}
    played = lab.play(lab.scaffold(nodes, variables={"note": ""}), [])
    fault, told = ended(played)
    assert fault == "scaffold"
    assert told.startswith(error)


def test_a_scaffold_that_goes_in_circles_ends_as_its_own_fault(lab):
    nodes = {"a": {"kind": "say", "text": "x", "next": "b"}, "b": {"kind": "say", "text": "y", "next": "a"}}
    fault, error = ended(lab.play(lab.scaffold(nodes), []))
    assert fault == "scaffold"
    assert error.endswith("1000 steps without a model call, a loop that has no way out")


def test_so_does_one_whose_routes_lead_to_each_other(lab):
    nodes = {
        "a": {"kind": "route", "cases": [{"when": "false", "to": "end"}], "otherwise": "b"},
        "b": {"kind": "route", "cases": [{"when": "turns > 0", "to": "end"}], "otherwise": "a"},
    }
    fault, error = ended(lab.play(lab.scaffold(nodes), []))
    assert fault == "scaffold"
    assert "a loop that has no way out" in error


def test_so_does_one_that_never_ends_without_a_limit_of_turns(lab):
    flat = lab.scaffold({"think": {"kind": "generate", "tools": False, "next": "think"}})
    played = lab.play(flat, lambda request: "on and on", limits={"tokens": 15 * 200})
    assert (played.outcome.limit, len(played.kept.of("call"))) == ("tokens", 200)


def test_a_reply_with_half_a_surrogate_pair_can_be_written_down(lab):
    replies = ["\ud83d half", lab.json_call("submit", answer="x")]
    played = lab.play(lab.react(), replies)
    assert played.outcome.state == "completed"
    played.kept.of("call")[0]["reply"].message["content"].encode()
    played.kept.of("call")[0]["actions"][0].model_dump_json()
