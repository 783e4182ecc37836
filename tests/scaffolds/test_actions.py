"""The canonical form of actions: equal where they mean the same, different where they do not."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.spec.actions import Action, call_action, canonical_json, normalise

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(JSON)
def test_normalising_twice_changes_nothing_more(value):
    once = normalise(value)
    assert json.dumps(normalise(once)) == json.dumps(once)
    assert canonical_json(once) == canonical_json(value)


@settings(deadline=None)
@given(JSON)
def test_the_canonical_text_reads_back_as_the_normal_form(value):
    assert canonical_json(json.loads(canonical_json(value))) == canonical_json(value)


@settings(deadline=None)
@given(st.dictionaries(TEXT, JSON, max_size=5), st.randoms())
def test_the_order_of_keys_never_counts(value, chance):
    keys = list(value)
    chance.shuffle(keys)
    assert canonical_json({key: value[key] for key in keys}) == canonical_json(value)
    assert list(normalise({key: value[key] for key in keys})) == list(normalise(value))


@settings(deadline=None)
@given(JSON, JSON)
def test_different_numbers_and_truth_values_stay_different(left, right):
    if isinstance(left, bool | int | float) and isinstance(right, bool | int | float):
        same = left == right and isinstance(left, bool) == isinstance(right, bool)
        assert (canonical_json(left) == canonical_json(right)) == same


@settings(deadline=None)
@given(TEXT)
def test_texts_are_equal_when_their_lines_are_but_for_form_and_trailing_space(text):
    assert canonical_json(unicodedata.normalize("NFD", text)) == canonical_json(unicodedata.normalize("NFC", text))
    assert canonical_json(text.replace("\r", "").replace("\n", "  \r\n") + " \n") == canonical_json(
        text.replace("\r", "")
    )


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True), (0, -0.0, True), (True, 1, False), (False, 0, False), (None, "null", False), ("1", 1, False),
        (2**62, float(2**62), True), (1e300, 10**300, False), (0.1, 0.1000000000000000055, True),
        (1e16 + 2, 10**16 + 2, True),
        ("a\r\nb", "a\nb", True), ("a\rb", "a\nb", True), ("a ", "a", True),
        (" a", "a", False), ("a\n\nb", "a\nb", False),
        ("A", "a", False), ("é", "e\u0301", True), ([1, 2], [2, 1], False),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}, True),
        ({"é": 1}, {"e\u0301": 1}, True), ({"é": 1, "e\u0301": 2}, {"é": 2, "e\u0301": 1}, False), ([], {}, False),
    ],
)  # fmt: skip
def test_what_is_the_same_and_what_is_not(left, right, same):
    assert (canonical_json(left) == canonical_json(right)) is same


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], {"a": float("nan")}])
def test_what_is_no_json_has_no_canonical_form(value):
    with pytest.raises(ValueError, match="no place in JSON"):
        canonical_json(value)


def test_keys_tell_kind_name_and_arguments_and_nothing_else():
    assert call_action("tool", "query", {"sql": "select 1 \n"}, text="why").key == 'tool query {"sql":"select 1"}'
    assert call_action("tool", "list", {}).key == "tool list"
    assert call_action("submit", "submit", {"answer": "4"}).key == 'submit {"answer":"4"}'
    assert Action(kind="say", text="hello").key == Action(kind="say", text="bye").key == "say"
    assert Action(kind="malformed", name="get", sent="{").key == "malformed get"


def test_arguments_as_sent_are_kept_only_where_they_differ():
    changed = call_action("tool", "write", {"b": 1, "a": "x \n"})
    assert changed.arguments == {"a": "x", "b": 1}
    assert changed.as_sent == changed.sent == {"b": 1, "a": "x \n"}
    plain = call_action("tool", "write", {"a": "x", "b": [1, {"c": None}]})
    assert plain.sent is None
    assert plain.as_sent == {"a": "x", "b": [1, {"c": None}]}


def test_an_action_survives_being_written_down():
    action = call_action("malformed", "get", {"key": 5}, call_id="id1", error="not a string")
    assert Action.model_validate_json(action.model_dump_json()) == action
