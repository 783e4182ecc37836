"""How replies become actions, and results become messages, under each protocol."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.environments.protocol import SUBMIT, Observation
from harness.scaffolds.protocols import protocol_for
from harness.scaffolds.protocols.strict_json import read_json
from harness.spec.scaffold import Protocol

KINDS = ("native", "json", "text")


def protocol(kind, **settings):
    return protocol_for(Protocol(kind=kind, **settings))


def written(lab, kind, name, arguments):
    """A reply that calls a tool; `arguments` may be raw text."""
    raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
    if kind == "native":
        return lab.calls((name, raw))
    return lab.reply(
        f"Action: {name} {raw}" if kind == "text" else f'{{"action": {{"name": "{name}", "arguments": {raw}}}}}'
    )


def parsed(lab, kind, given_reply, **settings):
    actions = protocol(kind, **settings).parse(given_reply, lab.tools)
    assert len(actions) == 1
    return actions[0]


@pytest.mark.parametrize("kind", KINDS)
class TestEveryProtocol:
    def test_a_call_of_an_offered_tool(self, lab, kind):
        action = parsed(lab, kind, written(lab, kind, "put", {"value": "é", "key": "a"}))
        assert (action.kind, action.name, action.key) == ("tool", "put", 'tool put {"key":"a","value":"é"}')

    def test_submit_is_an_action_of_its_own_kind(self, lab, kind):
        assert parsed(lab, kind, written(lab, kind, "submit", {"answer": "4"})).key == 'submit {"answer":"4"}'

    def test_an_unknown_tool_is_malformed_with_its_name(self, lab, kind):
        action = parsed(lab, kind, written(lab, kind, "exectue", {"a": 1}))
        assert (action.kind, action.name) == ("malformed", "exectue")
        assert action.error.startswith("no tool 'exectue' here; there are: get, put")

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ({}, "'key' is a required property"),
            ({"key": 5}, "argument 'key': 5 is not of type 'string'"),
            ({"key": "a", "x": 1}, "Additional properties are not allowed ('x' was unexpected)"),
        ],
    )
    def test_arguments_that_do_not_hold_are_malformed_with_the_reason(self, lab, kind, arguments, reason):
        action = parsed(lab, kind, written(lab, kind, "get", arguments))
        assert (action.kind, action.name, action.error) == ("malformed", "get", reason)

    def test_nothing_is_coerced(self, lab, kind):
        assert parsed(lab, kind, written(lab, kind, "count", {"number": "3"})).kind == "malformed"
        assert parsed(lab, kind, written(lab, kind, "count", {"number": True})).kind == "malformed"
        assert parsed(lab, kind, written(lab, kind, "count", '{"number": 3.0}')).as_sent == {"number": 3}

    @pytest.mark.parametrize(
        "raw",
        ['{"key": NaN}', '{"key": "a", "key": "b"}', '{"key": 1e999}', '{"key": 99999999999999999999}',
         '{"key": "\\ud800"}',
         '{"key": ' + "[" * 300 + "]" * 300 + "}", '{"key": ' + "[" * 100_000 + "}", "{'key': 'a'}", '{"key": "a",}'],
    )  # fmt: skip
    def test_what_json_does_not_have_is_malformed(self, lab, kind, raw):
        action = parsed(lab, kind, written(lab, kind, "get", raw))
        assert action.kind == "malformed"
        assert action.error

    def test_what_the_provider_marks_as_refused_is_a_refusal(self, lab, kind):
        action = parsed(lab, kind, lab.reply({"content": None, "refusal": "No."}))
        assert (action.kind, action.text) == ("refuse", "No.")
        assert parsed(lab, kind, lab.reply("half", finish="content_filter")).kind == "refuse"

    def test_a_reply_cut_at_the_limit_is_cut_off_and_not_malformed(self, lab, kind):
        action = parsed(lab, kind, lab.reply('{"action": {"name": "ge', finish="length"))
        assert action.kind == "cut_off"

    def test_a_complete_call_counts_although_the_limit_was_reached(self, lab, kind):
        reply = written(lab, kind, "get", {"key": "a"})
        whole = lab.reply(dict(reply.message), finish="length")
        assert parsed(lab, kind, whole).kind == "tool"

    def test_without_tools_everything_is_said(self, lab, kind):
        actions = protocol(kind).parse(lab.reply('Action: get {"key": "a"}'), [])
        assert [action.kind for action in actions] == ["say"]

    def test_the_same_reply_gives_the_same_actions(self, lab, kind):
        reply = written(lab, kind, "put", {"key": "a", "value": "b"})
        assert protocol(kind).parse(reply, lab.tools) == protocol(kind).parse(reply, lab.tools)

    def test_an_empty_reply_goes_back_with_some_text(self, lab, kind):
        reply = lab.reply({"content": None})
        actions = protocol(kind).parse(reply, lab.tools)
        assert protocol(kind).thread_message(reply, actions) == {"role": "assistant", "content": "(no text)"}


class TestNative:
    def test_several_calls_are_several_actions_each_answered_under_its_id(self, lab):
        native = protocol("native")
        reply = lab.calls(("get", {"key": "a"}), ("gone", {}), ("get", "{oops"), content="Let me see.")
        actions = native.parse(reply, lab.tools)
        assert [action.kind for action in actions] == ["tool", "malformed", "malformed"]
        assert [action.text for action in actions] == ["Let me see.", "", ""]
        assert actions[2].sent == "{oops"
        answers = native.answers([(action, Observation(str(n))) for n, action in enumerate(actions)])
        assert [(m["role"], m["tool_call_id"], m["content"]) for m in answers] == [
            ("tool", "id0", "0"), ("tool", "id1", "1"), ("tool", "id2", "2"),
        ]  # fmt: skip

    def test_the_thread_never_holds_arguments_that_do_not_parse(self, lab):
        native = protocol("native")
        reply = lab.calls(("get", "{oops"), ("get", '{"key": "a"}'))
        message = native.thread_message(reply, native.parse(reply, lab.tools))
        assert [call["function"]["arguments"] for call in message["tool_calls"]] == ["{}", '{"key": "a"}']

    def test_calls_without_an_id_or_with_one_twice_get_one(self, lab):
        native = protocol("native")
        calls = [{"id": given, "function": {"name": "count", "arguments": ""}} for given in ("x", "x", None)]
        reply = lab.reply({"content": None, "tool_calls": calls})
        actions = native.parse(reply, lab.tools)
        ids = [action.call_id for action in actions]
        assert len(set(ids)) == 3
        assert [call["id"] for call in native.thread_message(reply, actions)["tool_calls"]] == ids
        assert [action.kind for action in actions] == ["tool", "tool", "tool"]

    def test_a_call_cut_in_its_arguments_is_cut_off_beside_whole_ones(self, lab):
        reply = lab.calls(("get", {"key": "a"}), ("get", '{"key": "b'), finish="length")
        actions = protocol("native").parse(reply, lab.tools)
        assert [(action.kind, action.call_id) for action in actions] == [("tool", "id0"), ("cut_off", "id1")]

    def test_reasoning_that_came_with_calls_goes_back_with_them(self, lab):
        native = protocol("native")
        reply = lab.calls(("count", {}))
        reply.message["thinking_blocks"] = [{"type": "thinking", "thinking": "hm"}]
        assert "thinking_blocks" in native.thread_message(reply, native.parse(reply, lab.tools))
        said = lab.reply({"content": "hello", "reasoning_content": "hm"})
        assert native.thread_message(said, native.parse(said, lab.tools)) == {"role": "assistant", "content": "hello"}

    def test_arguments_that_are_no_object_are_malformed(self, lab):
        assert parsed(lab, "native", lab.calls(("get", "[1]"))).error == "arguments must be a JSON object"


class TestJson:
    def schema(self, lab, **settings):
        offer = protocol("json", **settings).offer(lab.tools, lab.tools, [])
        assert offer.request_tools is None
        return offer.response_format["json_schema"]["schema"]

    def test_the_schema_takes_what_the_parser_takes(self, lab):
        schema = self.schema(lab, thought=True)
        value = {"thought": "so", "action": {"name": "get", "arguments": {"key": "a"}}}
        jsonschema.validate(value, schema)
        for wrong in (
            {"action": value["action"]},
            {**value, "action": {"name": "get", "arguments": {}}},
            {**value, "action": {"name": "none", "arguments": {}}},
            {**value, "action": {"reply": "hi"}},
            {**value, "more": 1},
        ):
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(wrong, schema)
        jsonschema.validate({"action": {"reply": "hi"}}, self.schema(lab, reply=True))

    def test_thought_comes_first(self, lab):
        assert list(self.schema(lab, thought=True)["properties"]) == ["thought", "action"]

    def test_strings_integers_and_arrays_are_bounded_unless_tighter_already(self, lab):
        wide = lab.tool(
            "wide",
            {
                "free": {"type": "string"},
                "short": {"type": "string", "maxLength": 5},
                "long": {"type": "string", "maxLength": 5000},
                "choice": {"type": "string", "enum": ["a"]},
                "number": {"type": "integer"},
                "small": {"type": "integer", "minimum": 1, "maximum": 3},
                "list": {"type": "array", "items": {"type": ["string", "null"]}},
                "inner": {"type": "object", "properties": {"deep": {"type": "string", "description": "d"}}},
            },
        )
        offer = protocol("json", max_string=100).offer([wide, SUBMIT], [wide, SUBMIT], [])
        first = offer.response_format["json_schema"]["schema"]["properties"]["action"]["anyOf"][0]
        bounds = first["properties"]["arguments"]["properties"]
        assert bounds["free"]["maxLength"] == 100
        assert bounds["short"]["maxLength"] == 5
        assert bounds["long"]["maxLength"] == 100
        assert bounds["choice"] == {"type": "string", "enum": ["a"]}
        assert bounds["number"] == {"type": "integer", "minimum": -(10**9), "maximum": 10**9}
        assert bounds["small"] == {"type": "integer", "minimum": 1, "maximum": 3}
        assert bounds["list"] == {
            "type": "array",
            "items": {"type": ["string", "null"], "maxLength": 100},
            "maxItems": 20,
        }
        assert bounds["inner"]["properties"]["deep"] == {"type": "string", "maxLength": 100}

    def test_a_fence_or_an_action_at_the_root_is_taken(self, lab):
        for text in (
            '```json\n{"action": {"name": "get", "arguments": {"key": "a"}}}\n```',
            '{"name": "get", "arguments": {"key": "a"}}',
            '<think>Which one?\n</think>\n{"thought": "x", "name": "get", "arguments": {"key": "a"}}',
            '  {"action": {"name": "get", "arguments": {"key": "a"}}}\n',
        ):
            assert parsed(lab, "json", lab.reply(text)).key == 'tool get {"key":"a"}'

    @pytest.mark.parametrize(
        "text",
        ["Sure!", 'Sure! {"action": {"name": "get", "arguments": {"key": "a"}}}', "[]", '{"action": 3}',
         '{"action": {"name": 3}}',
         '{"action": {"name": "get", "arguments": [1]}}', '{"reply": "hi"}', ""],
    )  # fmt: skip
    def test_anything_else_is_malformed_with_the_text_kept(self, lab, text):
        action = parsed(lab, "json", lab.reply(text))
        assert (action.kind, action.text) == ("malformed", text)

    def test_a_reply_instead_of_a_call_is_said_where_it_is_allowed(self, lab):
        action = parsed(lab, "json", lab.reply('{"action": {"reply": "hello"}}'), reply=True)
        assert (action.kind, action.text) == ("say", "hello")

    def test_the_thought_is_kept_beside_the_call(self, lab):
        text = '{"thought": "look", "action": {"name": "get", "arguments": {"key": "a"}}}'
        assert parsed(lab, "json", lab.reply(text), thought=True).text == "look"

    def test_the_system_text_shows_every_tool_and_the_form(self, lab):
        text = protocol("json", thought=True, reply=True).system_text(lab.tools)
        lines = text.splitlines()
        assert json.loads(lines[1]) == {"name": "get", "about": "The tool get.", "arguments": {"key": "string"}}
        assert json.loads(lines[3])["arguments"] == {"number": "integer, optional, how many"}
        assert lines[-2].endswith('{"thought":"<why, in a few words>","action":{"name":"<tool>","arguments":{...}}}')
        assert '{"action":{"reply":"<text>"}}' in lines[-1]
        assert protocol("json").system_text([]) == ""

    def test_results_are_plain_user_messages(self, lab):
        action = parsed(lab, "json", lab.reply(lab.json_call("get", key="a")))
        answers = protocol("json").answers([(action, Observation("1")), (action, Observation("none", error=True))])
        assert answers == [
            {"role": "user", "content": "Result of get:\n1"},
            {"role": "user", "content": "Error from get:\nnone"},
        ]


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            'Action: get {"key": "a"}',
            'Thought: look first.\nAction: get {"key": "a"}\nObservation: made up\nAction: put {"key": "b"}',
            '**Action:** `get` {"key": "a"}',
            '  - action : get\n{\n  "key": "a"\n}',
            'Action: get\n```json\n{"key": "a"}\n```',
            'Action: get({"key": "a"})',
            'Action: get\nAction Input: {"key": "a"}',
            '<think>Action: put {}</think>Action: get {"key": "a"} and then more',
        ],
    )
    def test_the_first_action_line_counts_however_it_is_dressed(self, lab, text):
        assert parsed(lab, "text", lab.reply(text)).key == 'tool get {"key":"a"}'

    def test_a_name_alone_has_no_arguments(self, lab):
        assert parsed(lab, "text", lab.reply("Action: count")).key == "tool count"
        assert parsed(lab, "text", lab.reply("Action: count.\n\nI will wait.")).key == "tool count"

    def test_words_after_the_name_are_malformed(self, lab):
        action = parsed(lab, "text", lab.reply("Action: get the value of a"))
        assert (action.kind, action.name) == ("malformed", "get")
        assert "JSON object must follow" in action.error

    def test_prose_is_said(self, lab):
        action = parsed(lab, "text", lab.reply("The action is clear: I wait."))
        assert (action.kind, action.text) == ("say", "The action is clear: I wait.")

    @pytest.mark.parametrize("text", ["Action: coun", 'Action: get {"key": "a', "Thought: I wond"])
    def test_what_the_limit_cut_is_cut_off(self, lab, text):
        assert parsed(lab, "text", lab.reply(text, finish="length")).kind == "cut_off"

    def test_the_words_before_the_call_are_kept(self, lab):
        assert parsed(lab, "text", lab.reply('Thought: look.\nAction: get {"key": "a"}')).text == "Thought: look."


ANYTHING = st.one_of(
    st.text(max_size=200),
    st.text('{}[]":,\\ naction:get`*\n012.eE+-ulrstf', max_size=80),
)


@pytest.mark.parametrize("kind", KINDS)
def test_any_text_whatever_gives_exactly_one_recordable_action(lab, kind):
    @settings(max_examples=60, deadline=None)
    @given(ANYTHING)
    def check(text):
        replies = [
            lab.reply(text),
            lab.reply(text, finish="length"),
            lab.reply(f"Action: {text}"),
            lab.calls(("get", text)),
        ]
        for reply in replies:
            actions = protocol(kind).parse(reply, lab.tools)
            assert len(actions) == 1
            actions[0].model_dump_json()
            json.dumps(protocol(kind).thread_message(reply, actions))

    check()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSON, st.booleans())
def test_strict_json_reads_back_whatever_is_written(value, ascii_only):
    assert read_json(json.dumps(value, ensure_ascii=ascii_only)) == value
