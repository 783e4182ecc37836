from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.record import DocumentBuilder, RecordError, TrialDocument, message_hash, requested_messages
from harness.spec.actions import Action


def call(builder, messages, *, role="agent", lane="main", reply=None, tools=None, step=1):
    return builder.call(
        step=step, node="think", role=role, lane=lane, visit=step, model="m", messages=messages, tools=tools,
        response_format=None, reply=reply, actions=[], started=0.0,
    )  # fmt: skip


def said(role, content):
    return {"role": role, "content": content}


def test_a_message_is_kept_once_and_every_request_comes_back():
    builder = DocumentBuilder()
    thread, sent = [said("system", "You are a clerk."), said("user", "Go.")], []
    for turn in range(50):
        sent.append(list(thread))
        reply = said("assistant", f"turn {turn}")
        event = call(builder, thread, reply=reply, step=turn)
        assert len(event.add) == 2
        thread = [*thread, reply, said("user", f"result {turn}")]
    document = builder.document()
    assert len(document.messages) == 2 + 2 * 50 - 1
    assert [requested_messages(document, index) for index in range(50)] == sent
    assert len(document.model_dump_json()) < 50 * 1000


def test_threads_of_roles_and_lanes_have_bases_of_their_own():
    builder = DocumentBuilder()
    thread, critic = [said("system", "a"), said("user", "b")], [said("system", "critic")]
    call(builder, thread)
    call(builder, critic, role="critic")
    first = call(builder, [*thread, said("user", "one")], lane="vote.1")
    second = call(builder, [*thread, said("user", "two")], lane="vote.2")
    again = call(builder, [*critic, said("user", "again")], role="critic")
    main = call(builder, [*thread, said("user", "on")])
    assert [(e.base, e.keep) for e in (first, second, again, main)] == [(0, 2), (2, 2), (1, 1), (0, 2)]
    document = builder.document()
    assert requested_messages(document, 3) == [*thread, said("user", "two")]
    assert requested_messages(document, 5) == [*thread, said("user", "on")]


def test_messages_that_are_rebuilt_for_every_call_are_still_kept_once():
    builder = DocumentBuilder()
    thread = [said("system", "a"), said("user", "b"), said("user", "c")]
    call(builder, thread[:2])
    event = call(builder, json.loads(json.dumps(thread)))
    assert (event.base, event.keep, len(event.add)) == (0, 2, 1)
    assert requested_messages(builder.document(), 1) == thread


def test_a_thread_that_is_cut_short_comes_back_too():
    builder = DocumentBuilder()
    thread = [said("user", str(n)) for n in range(6)]
    requests = [thread[:4], thread, thread[:2], [*thread[:1], thread[5]], []]
    for request in requests:
        call(builder, request)
    document = builder.document()
    assert [requested_messages(document, index) for index in range(5)] == requests


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["agent", "critic"]),
            st.sampled_from(["main", "v.1", "v.2"]),
            st.lists(st.integers(0, 4), max_size=6),
        ),
        max_size=12,
    )
)
def test_any_sequence_of_requests_comes_back(calls):
    shared = {n: said("user", str(n)) for n in range(5)}
    builder = DocumentBuilder()
    requests = []
    for role, lane, numbers in calls:
        requests.append([shared[n] if n % 2 else dict(shared[n]) for n in numbers])
        call(builder, requests[-1], role=role, lane=lane)
    document = TrialDocument.model_validate_json(builder.document().model_dump_json())
    assert [requested_messages(document, index) for index in range(len(requests))] == requests
    assert len(document.messages) <= 5


def test_schemas_are_kept_once():
    builder = DocumentBuilder()
    tools = [{"type": "function", "function": {"name": "read"}}]
    first = call(builder, [], tools=tools)
    second = call(builder, [], tools=json.loads(json.dumps(tools)))
    document = builder.document()
    assert first.tools == second.tools
    assert document.schemas == {first.tools: tools}


def test_hashes_do_not_depend_on_the_order_of_keys():
    assert message_hash({"role": "user", "content": "x"}) == message_hash({"content": "x", "role": "user"})
    assert message_hash({"role": "user", "content": "x"}) != message_hash({"role": "user", "content": "y"})
    assert len({message_hash({"n": 2**70}), message_hash({"n": "\ud800"}), message_hash({"n": 2**71})}) == 3


def test_a_document_that_was_tampered_with_is_refused():
    builder = DocumentBuilder()
    call(builder, [said("user", "a")])
    event = call(builder, [said("user", "a"), said("user", "b")])
    document = builder.document()
    for broken, reason in (
        (document.model_copy(update={"messages": {}}), "does not hold"),
        (document.model_copy(update={"events": [event.model_copy(update={"base": 0})]}), "not before it"),
    ):
        with pytest.raises(RecordError, match=reason):
            requested_messages(broken, len(broken.events) - 1)
    with pytest.raises(RecordError, match="not a model call"):
        requested_messages(document, 7)
    builder.tool(
        step=1, node="act", role="agent", lane="main", visit=1, action=Action(kind="tool", name="x"),
        observation="", error=False, changes_state=False, started=0, seconds=0,
    )  # fmt: skip
    with pytest.raises(RecordError, match="not a model call"):
        requested_messages(builder.document(), 2)
