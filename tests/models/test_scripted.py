"""The scripted model: what its file may say, and that every protocol understands it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from models.calling import KEY, TOOLS, loaded, request

from harness.environments.protocol import SUBMIT, Tool
from harness.models import (
    Accounts,
    ContextExceeded,
    ModelReply,
    ModelRequest,
    ModelSetupError,
    ProviderFault,
    TimeExceeded,
    build_model,
    check_parameters,
)
from harness.scaffolds.protocols.json_object import JsonProtocol
from harness.scaffolds.protocols.native import NativeProtocol
from harness.scaffolds.protocols.text import TextProtocol
from harness.spec import SpecError
from harness.spec.actions import Action
from harness.spec.scaffold import Protocol

LOOK = Tool("look", "Look at a thing.", TOOLS[0]["function"]["parameters"], changes_state=False)
OFFERED = [LOOK, SUBMIT]
PROTOCOLS: dict[str, Any] = {
    "native": NativeProtocol(Protocol(kind="native")),
    "json": JsonProtocol(Protocol(kind="json")),
    "json with thought": JsonProtocol(Protocol(kind="json", thought=True)),
    "json with reply": JsonProtocol(Protocol(kind="json", reply=True)),
    "text": TextProtocol(Protocol(kind="text")),
    "text with thought": TextProtocol(Protocol(kind="text", thought=True)),
}
Scripted = Callable[..., "Asking"]


class Asking:
    """A scripted model, asked from outside any event loop."""

    def __init__(self, path: Path, **entry: Any) -> None:
        self.loaded = loaded(f"scripted/{path.name}", script=str(path), **entry)
        self.model = build_model(self.loaded, parameters={}, accounts=Accounts())

    def reply(self, asked: ModelRequest | None = None, **changes: Any) -> ModelReply:
        return asyncio.run(self.model.complete(asked or request(**changes)))

    def says(self, **changes: Any) -> str:
        return str(self.reply(**changes).message["content"])


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    def make(rules: str, **entry: Any) -> Asking:
        path = tmp_path / "script.yaml"
        path.write_text("kind: script\nrules:\n" + dedent(rules))
        return Asking(path, **entry)

    return make


def under(protocol: Any, **changes: Any) -> ModelRequest:
    """A request as the protocol makes it."""
    messages = [
        {"role": "system", "content": f"You are a clerk.\n\n{protocol.system_text(OFFERED)}"},
        {"role": "user", "content": "Have a look."},
    ]
    offer = protocol.offer(OFFERED, OFFERED, messages)
    return request(messages=messages, tools=offer.request_tools, response_format=offer.response_format, **changes)


def acts(asking: Asking, protocol: Any) -> list[Action]:
    return list(protocol.parse(asking.reply(under(protocol)), OFFERED))


every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS.keys())


@every_protocol
def test_a_call_is_understood(scripted: Scripted, protocol: Any) -> None:
    (action,) = acts(scripted("- {call: {tool: look, arguments: {at: 'a \"b\"'}}, text: hm}"), protocol)
    assert (action.kind, action.name, action.arguments) == ("tool", "look", {"at": 'a "b"'})


@every_protocol
def test_submit_is_understood(scripted: Scripted, protocol: Any) -> None:
    (action,) = acts(scripted("- {call: {tool: submit, arguments: {answer: '42'}}}"), protocol)
    assert (action.kind, action.arguments) == ("submit", {"answer": "42"})


@every_protocol
def test_a_malformed_call_is_malformed(scripted: Scripted, protocol: Any) -> None:
    (action,) = acts(scripted("""- malformed: '{"at": '"""), protocol)
    assert action.kind == "malformed"
    (action,) = acts(scripted("- {call: {tool: nothing}}"), protocol)
    assert action.kind == "malformed"


@every_protocol
def test_refusals_and_cut_offs_are_what_they_are(scripted: Scripted, protocol: Any) -> None:
    (action,) = acts(scripted("- refuse: I would rather not."), protocol)
    assert (action.kind, action.text) == ("refuse", "I would rather not.")
    (action,) = acts(scripted('- cut_off: \'{"action": {"na\''), protocol)
    assert action.kind == "cut_off"


@pytest.mark.parametrize("name", ["native", "json with reply", "text"])
def test_words_are_words(scripted: Scripted, name: str) -> None:
    (action,) = acts(scripted("- say: Nothing to do."), PROTOCOLS[name])
    assert (action.kind, action.text) == ("say", "Nothing to do.")


def test_several_calls_where_the_protocol_has_them(scripted: Scripted) -> None:
    asking = scripted("- {calls: [{tool: look, arguments: {at: a}}, {tool: look, arguments: {at: b}}]}")
    assert [action.arguments for action in acts(asking, PROTOCOLS["native"])] == [{"at": "a"}, {"at": "b"}]
    ids = [call["id"] for call in asking.reply(under(PROTOCOLS["native"])).message["tool_calls"]]
    assert len(set(ids)) == 2
    assert [action.arguments for action in acts(asking, PROTOCOLS["json"])] == [{"at": "a"}]


def test_raw_is_the_message_itself(scripted: Scripted) -> None:
    assert scripted("- raw: '  as it is '").says() == "  as it is "
    assert scripted("- raw: {content: x, reasoning_content: y}").reply().message == {
        "role": "assistant", "content": "x", "reasoning_content": "y",
    }  # fmt: skip


def test_the_first_rule_that_fits_decides(scripted: Scripted) -> None:
    asking = scripted("""
        - {role: critic, say: criticism}
        - {node: other, say: elsewhere}
        - {lane: vote.1, say: in a lane}
        - {visit: [2, 3], say: again}
        - {when: "'hello' in last", say: "heard: {{ last }}"}
        - {when: "turn > 1 and first == 'hi'", say: later}
        - {say: otherwise}
    """)
    assert asking.says() == "otherwise"
    assert asking.says(key=replace(KEY, role="critic", visit=2)) == "criticism"
    assert asking.says(key=replace(KEY, node="other")) == "elsewhere"
    assert asking.says(key=replace(KEY, lane="vote.1")) == "in a lane"
    assert asking.says(key=replace(KEY, visit=3)) == "again"
    assert asking.says(messages=[{"role": "user", "content": "hello you"}]) == "heard: hello you"
    thread = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "y"},
    ]
    assert asking.says(messages=thread) == "later"


@every_protocol
def test_a_script_sees_the_tools_offered(scripted: Scripted, protocol: Any) -> None:
    asking = scripted("""- {say: "{{ tools | join(' ') }}"}""")
    assert "look submit" in str(asking.reply(under(protocol)).message["content"])
    assert asking.says() == ""


def test_arguments_are_templates_and_lone_expressions_keep_their_type(scripted: Scripted) -> None:
    asking = scripted("""
        - call:
            tool: look
            arguments: {at: "{{ visit + 1 }}", deep: [{n: "no. {{ visit }}"}], flag: true, text: "{{ '7' }}"}
    """)
    made = asking.reply(under(PROTOCOLS["native"])).message["tool_calls"][0]["function"]["arguments"]
    assert made == '{"at": 2, "deep": [{"n": "no. 1"}], "flag": true, "text": "7"}'


def test_chance_follows_the_seed_and_the_weights(scripted: Scripted) -> None:
    asking = scripted("- choose: [{weight: 3, say: often}, {weight: 1, say: seldom}, {weight: 0, say: never}]")
    drawn = [asking.says(seed=seed) for seed in range(400)]
    assert drawn == [asking.says(seed=seed) for seed in range(400)]
    counts = Counter(drawn)
    assert set(counts) == {"often", "seldom"}
    assert 250 < counts["often"] < 350
    assert len({asking.says(key=replace(KEY, visit=visit)) for visit in range(1, 30)}) == 2


def test_variants_are_equal_in_distribution_and_independent(scripted: Scripted) -> None:
    rules = "- choose: [{say: a}, {say: b}]"
    one, other = ([scripted(rules, variant=variant).says(seed=seed) for seed in range(200)] for variant in "xy")
    agreements = sum(a == b for a, b in zip(one, other, strict=True))
    assert 60 < agreements < 140


def test_skipping_leaves_it_to_the_rules_below(scripted: Scripted) -> None:
    asking = scripted("""
        - choose: [{weight: 1, skip: true}, {weight: 1, say: above}]
        - choose: [{say: left}, {say: right}]
    """)
    counts = Counter(asking.says(seed=seed) for seed in range(300))
    assert min(counts["above"], counts["left"] * 2, counts["right"] * 2) > 90


def test_failures_are_the_providers(scripted: Scripted) -> None:
    with pytest.raises(ProviderFault) as fault:
        scripted("- fail: rate_limit").reply()
    assert fault.value.kind == "rate_limit"
    assert fault.value.attempts[0].status == 429
    assert fault.value.receipt is not None
    with pytest.raises(ContextExceeded):
        scripted("- fail: context").reply()


def test_a_failure_can_pass(scripted: Scripted) -> None:
    asking = scripted("""
        - {times: 2, fail: server}
        - {say: well again}
    """)
    for _ in range(2):
        with pytest.raises(ProviderFault):
            asking.reply()
    assert asking.says() == "well again"


def test_a_delay_beyond_the_trials_time_ends_the_trial(scripted: Scripted) -> None:
    asking = scripted("- {say: late, delay: 30}")
    with pytest.raises(TimeExceeded):
        asking.reply(seconds_left=0.01)
    assert scripted("- {say: soon, delay: 0.01}").reply(seconds_left=5.0).seconds == 0.01


def test_tokens_are_words_and_cost_follows_the_entry(scripted: Scripted) -> None:
    reply = scripted("- say: three short words").reply()
    assert (reply.usage.prompt, reply.usage.completion, reply.cost) == (3, 3, 0.0)
    dear = scripted(
        "- {say: x, usage: {prompt: 1000000, completion: 500000}}", price={"prompt": 2.0, "completion": 4.0}
    )
    assert dear.reply().cost == 4.0


def test_the_receipt_knows_the_script_by_content(scripted: Scripted) -> None:
    first = scripted("- say: x", parameters={"temperature": 0.5, "top_k": 3}, drop=["top_k"]).reply(
        parameters={"max_tokens": 9}
    )
    receipt = first.receipt
    assert receipt.asked == {"temperature": 0.5, "top_k": 3, "max_tokens": 9}
    assert receipt.dropped == ["top_k"]
    assert receipt.sent.keys() == {"seed", "temperature", "max_tokens"}
    other = scripted("- say: y").reply().receipt
    assert str(receipt.resolved).startswith("script sha256:")
    assert other.resolved != receipt.resolved


def test_no_rule_that_fits_is_said_with_the_place(scripted: Scripted) -> None:
    asking = scripted("- {role: critic, say: x}")
    with pytest.raises(
        ModelSetupError,
        match=r"script\.yaml: no rule fits role 'agent', node 'ask', lane 'main', visit 1; end the rules",
    ):
        asking.reply()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("- {say: x, refuse: y}", "script.yaml:3:3: exactly one of call, calls, say"),
        ("- {visit: 1}", "found none"),
        ("- {call: {tol: look}}", "script.yaml:3:11: unknown key 'tol'"),
        ("- {say: '{{ lst }}'}", "unknown name 'lst'"),
        ("- {when: 'last ==', say: x}", "expression cannot be read"),
        ("- {call: {tool: look, arguments: {at: ['{{ foo }}']}}}", "unknown name 'foo'"),
        ("- {choose: [{weight: 0, say: x}]}", "all weights of `choose` are zero"),
        ("- {fail: sulking}", "sulking"),
        ("- {say: x, tool: look}", "`tool` goes with `malformed` only"),
    ],
)
def test_mistakes_in_a_script_have_a_line(tmp_path: Path, rules: str, said: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text("kind: script\nrules:\n" + rules)
    entry = loaded(f"scripted/{path.name}", script=str(path))
    problems = check_parameters(entry, {})
    assert any(said in problem for problem in problems), problems
    assert all("script.yaml:" in problem for problem in problems)
    with pytest.raises(SpecError):
        build_model(entry, parameters={}, accounts=Accounts())


def test_the_example_of_the_documentation_works(scripted: Scripted, tmp_path: Path) -> None:
    from harness.models import scripted_file

    example = str(scripted_file.__doc__).split("fits says what the model does.\n")[1].split("\nA rule fits")[0]
    path = tmp_path / "example.yaml"
    path.write_text(dedent(example))
    asking = Asking(path)
    assert asking.reply(under(PROTOCOLS["native"])).message["tool_calls"][0]["function"]["name"] == "list_files"
    asking.reply(under(PROTOCOLS["native"], key=replace(KEY, visit=2)))
