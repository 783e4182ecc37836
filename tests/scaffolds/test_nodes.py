"""Each kind of node: what it sees, what it leaves behind, what it tells the recorder."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.scaffolds import compile_scaffold
from harness.spec import load_scaffold


class TestSay:
    def test_it_sees_variables_and_all_the_contract_names(self, lab):
        text = (
            "{{ note }}|{{ input.order }}|{{ task }}|{{ opening }}|{{ role }}|{{ last.name }}:{{ last.arguments.key }}|"
            "{{ observation.text }}:{{ observation.error }}:{{ observation.tool }}|{{ turns }}|"
            "{{ visits.act }}{{ visits.never }}"
        )
        nodes = {
            "think": {"kind": "generate", "next": "act"},
            "act": {"kind": "act", "next": "tell"},
            "tell": {"kind": "say", "text": text, "next": "end"},
            "never": {"kind": "say", "text": "", "next": "end"},
        }
        played = lab.play(lab.scaffold(nodes, variables={"note": "n"}), [lab.json_call("get", key="a")])
        event = played.kept.of("say")[0]
        assert event["detail"]["text"] == "n|7|t1|Do the work.|agent|get:a|no a:True:get|1|10"
        assert (event["node"], event["lane"], event["visit"], event["role"]) == ("tell", "main", 1, "agent")

    def test_before_any_action_last_is_empty(self, lab):
        nodes = {
            "one": {"kind": "say", "text": "[{{ last.kind }}{{ last.name }}{{ observation.text }}]", "next": "end"}
        }
        assert lab.play(lab.scaffold(nodes), []).kept.of("say")[0]["detail"]["text"] == "[]"

    @pytest.mark.parametrize("voice", ["user", "system", "assistant"])
    def test_it_speaks_as_the_role_given(self, lab, voice):
        nodes = {
            "one": {"kind": "say", "text": "Well:", "as": voice, "next": "two"},
            "two": {"kind": "generate", "tools": False, "next": "end"},
        }
        played = lab.play(lab.scaffold(nodes), ["x"])
        assert played.model.requests[0].messages[-1] == {"role": voice, "content": "Well:"}

    def test_calls_still_pending_are_withdrawn(self, lab):
        nodes = {
            "one": {"kind": "generate", "next": "hold"},
            "hold": {"kind": "say", "text": "Wait.", "next": "act"},
            "act": {"kind": "act", "next": "two"},
            "two": {"kind": "generate", "next": "act2"},
            "act2": {"kind": "act", "next": "end"},
        }
        replies = [
            lab.calls(("put", {"key": "a", "value": "1"}), ("count", {})),
            lab.calls(("submit", {"answer": "x"})),
        ]
        played = lab.play(lab.scaffold(nodes, "native"), replies)
        assert played.world.calls == []
        thread = played.model.requests[1].messages[2:]
        assert [(m["role"], m["content"]) for m in thread] == [
            ("assistant", None), ("tool", "Not run."), ("tool", "Not run."), ("user", "Wait."),
        ]  # fmt: skip
        in_json = lab.play(lab.scaffold(nodes), [lab.json_call("count"), lab.json_call("submit", answer="x")])
        assert in_json.world.calls == []

    def test_so_are_calls_that_were_never_acted_on_before_the_next_reply(self, lab):
        nodes = {"one": {"kind": "generate", "next": "two"}, "two": {"kind": "generate", "next": "end"}}
        played = lab.play(lab.scaffold(nodes, "native"), [lab.calls(("count", {})), lab.calls(("count", {}))])
        assert [m["role"] for m in played.model.requests[1].messages] == ["system", "user", "assistant", "tool"]


CRITIC = {"agent": {}, "critic": {"seat": False, "model_of": "agent", "brief": "You are {{ role }}."}}
SEATS = {"seats": {"a": "buyer", "b": "seller"}}
LOOP = {
    "think": {"kind": "generate", "role": "@turn", "next": "act"},
    "act": {"kind": "act", "role": "@turn", "next": "think"},
}


class TestRoles:
    def test_an_inner_voice_has_its_brief_no_tools_and_a_thread_of_its_own(self, lab):
        nodes = {
            "ask": {"kind": "say", "role": "critic", "text": "The task: {{ opening }}", "next": "judge"},
            "judge": {"kind": "generate", "role": "critic", "save": "verdict", "next": "think"},
            "think": {"kind": "generate", "next": "act"},
            "act": {"kind": "act", "next": "end"},
        }
        flat = lab.scaffold(nodes, "native", roles=CRITIC, variables={"verdict": ""})
        played = lab.play(flat, {"agent": [lab.calls(("count", {}))], "critic": ["Looks fine."]})
        critic = played.models["critic"].requests[0]
        assert critic.messages == [
            {"role": "system", "content": "You are critic."},
            {"role": "user", "content": "The task: Do the work."},
        ]
        assert (critic.tools, critic.key.role) == (None, "critic")
        assert [m["role"] for m in played.models["agent"].requests[0].messages] == ["system", "user"]

    def test_what_an_inner_voice_said_last_is_no_answer(self, lab):
        nodes = {
            "say": {"kind": "generate", "tools": False, "next": "judge"},
            "judge": {"kind": "generate", "role": "critic", "next": "end"},
        }
        played = lab.play(lab.scaffold(nodes, roles=CRITIC), {"agent": ["mine"], "critic": ["hm"]})
        assert played.outcome.answer == "mine"

    def test_turns_go_to_the_seat_whose_turn_it_is(self, lab):
        flat = lab.scaffold(LOOP, roles={"a": {}, "b": {}})
        replies = {
            "a": [lab.json_call("put", key="p", value="1"), lab.json_call("submit", answer="deal")],
            "b": [lab.json_call("get", key="p")],
        }
        played = lab.play(flat, replies, world=lab.Shelf(turns=["buyer", "seller"]), **SEATS)
        assert [(role, name) for role, name, _ in played.world.calls] == [("buyer", "put"), ("seller", "get")]
        assert [event["key"].role for event in played.kept.of("call")] == ["a", "b", "a"]
        assert played.outcome.answer == "deal"
        assert played.models["b"].requests[0].messages[0]["content"].startswith("You are the seller.")

    def test_turn_needs_an_environment_that_knows_it_or_a_single_seat(self, lab):
        flat = lab.scaffold(LOOP, roles={"a": {}, "b": {}})
        played = lab.play(flat, {"a": [], "b": []}, **SEATS)
        assert (played.outcome.fault, played.outcome.error) == (
            "scaffold", "@turn: this environment does not say whose turn it is; name a role",
        )  # fmt: skip
        stranger = lab.play(flat, {"a": [], "b": []}, world=lab.Shelf(turns=["judge"]), **SEATS)
        assert stranger.outcome.error.startswith("@turn: it is the turn of 'judge', which no role")
        single = lab.play(lab.scaffold(LOOP), [lab.json_call("submit", answer="x")])
        assert single.outcome.answer == "x"


class TestRoute:
    def test_the_first_case_that_holds_is_taken_and_recorded(self, lab):
        nodes = {
            "go": {
                "kind": "route",
                "cases": [
                    {"when": "turns > 0", "to": "a"},
                    {"when": "input.order == 7", "to": "b"},
                    {"when": "true", "to": "a"},
                ],
                "otherwise": "a",
            },
            "a": {"kind": "say", "text": "a", "next": "end"},
            "b": {"kind": "say", "text": "b", "next": "end"},
        }
        played = lab.play(lab.scaffold(nodes), [])
        assert played.kept.of("route")[0]["detail"] == {"to": "b"}
        assert [event["node"] for event in played.kept.of("say")] == ["b"]


class TestPython:
    def test_it_sees_plain_data_and_sets_variables(self, lab):
        (lab.base / "count.py").write_text(
            "def words(state):\n"
            "    state['threads']['agent'].clear()\n"
            "    state['variables']['seen'] = 'gone'\n"
            "    return {'seen': [state['last']['name'], state['observation']['text'], state['visits']['act'],"
            " len(state['threads']), state['input']['order'], state['variables']['note']]}\n"
        )
        nodes = {
            "think": {"kind": "generate", "next": "act"},
            "act": {"kind": "act", "next": "count"},
            "count": {"kind": "python", "function": "count.py:words", "next": "tell"},
            "tell": {"kind": "say", "text": "{{ seen | join(' ') }}", "next": "last"},
            "last": {"kind": "generate", "tools": False, "next": "end"},
        }
        flat = lab.scaffold(nodes, variables={"seen": None, "note": "n"})
        played = lab.play(flat, [lab.json_call("count"), "done"])
        assert played.kept.of("python")[0]["detail"] == {"changed": {"seen": ["count", "ok", 1, 1, 7, "n"]}}
        assert played.kept.of("say")[0]["detail"]["text"] == "count ok 1 1 7 n"
        assert len(played.model.requests[1].messages) == 5

    def test_a_function_that_cannot_be_loaded_is_an_error_before_any_trial(self, lab):
        nodes = {"one": {"kind": "python", "function": "nowhere.py:f", "next": "end"}}
        with pytest.raises(UserError, match=r"'nowhere\.py' does not exist"):
            compile_scaffold(lab.scaffold(nodes), lab.base)


class TestUse:
    def test_an_inlined_scaffold_sees_its_own_variables_and_visits(self, lab):
        (lab.base / "part.py").write_text("def mark(state):\n    return {'note': state['variables']['note'] + '!'}\n")
        (lab.base / "inner.yaml").write_text(
            "kind: scaffold\nname: inner\nsummary: s\nprotocol: {kind: json}\nvariables: {note: inner}\nstart: ask\n"
            "nodes:\n"
            "  ask: {kind: generate, tools: false, save: note, next: mark}\n"
            "  mark: {kind: python, function: 'part.py:mark', next: tell}\n"
            "  tell: {kind: say, text: '{{ note }} {{ visits.ask }}', next: end}\n"
        )
        (lab.base / "outer.yaml").write_text(
            "kind: scaffold\nname: outer\nsummary: s\nprotocol: {kind: json}\nvariables: {note: outer}\nstart: first\n"
            "nodes:\n"
            "  first: {kind: use, scaffold: inner.yaml, next: second}\n"
            "  second: {kind: use, scaffold: inner.yaml, next: tell}\n"
            "  tell: {kind: say, text: '{{ note }}', next: end}\n"
        )
        played = lab.play(load_scaffold(lab.base / "outer.yaml").flat, ["one", "two"])
        assert played.outcome.error is None
        assert [event["detail"]["text"] for event in played.kept.of("say")] == ["one! 1", "two! 1", "outer"]
        assert [event["key"].node for event in played.kept.of("call")] == ["first.ask", "second.ask"]


class TestDrawing:
    def test_the_text_lists_nodes_in_the_order_of_the_walk_with_conditions(self, lab):
        from harness.scaffolds import draw_text

        text = draw_text(lab.react())
        order = [
            line.split()[0 if not line.startswith(">") else 1]
            for line in text.splitlines()
            if "  generate" in line or "  act:" in line
        ]
        assert order == ["think", "act"]
        assert "-> nudge  if last.kind in ['say', 'refuse']" in text
        assert "-> think  unless submitted" in text

    def test_mermaid_labels_cannot_break_out_of_their_quotes(self, lab):
        from harness.scaffolds import draw_mermaid

        nodes = {"one": {"kind": "say", "text": '"]; click x "javascript:#quot;', "next": "end"}}
        drawing = draw_mermaid(lab.scaffold(nodes))
        assert drawing.splitlines()[0] == "flowchart TD"
        assert drawing.splitlines()[2].count('"') == 2
