"""The check `told`, held to tau-bench's rule on the cases below where the two should agree, and apart where not."""

from __future__ import annotations

import pytest
from conftest import HEAD, TASK, action, load, write_scenario

from harness.scoring.told import check_told
from harness.spec import SpecError
from harness.spec.scenario import ToldCheck

TWO = HEAD.replace("roles: {clerk: {brief: You keep the ledger.}}", "roles: {clerk: {brief: a}, guest: {brief: b}}")


def spoken(text, role="agent", **changes):
    return action("", kind="say", text=text, role=role, **changes)


def said(text, role="agent", tool="say", **changes):
    return action(tool, role=role, arguments={"text": text, **changes.pop("arguments", {})}, **changes)


def verdict(graded, check, *actions, answer=None):
    result = graded(f"- {{kind: told, {check}}}", actions=list(actions), answer=answer).checks[0]
    assert result.error is None, result.error
    return result.score, result.detail


def tau_bench(fact, content):
    """How tau-bench looks for an output in what the agent said (`envs/base.py`, `calculate_reward`)."""
    return fact.lower() in content.lower().replace(",", "")


@pytest.mark.parametrize(
    ("fact", "content"),
    [
        ("54", "You get 54 crowns."),
        ("54", "You get 63 crowns."),
        ("1234.5", "It comes to 1,234.5 crowns."),
        ("20000", "20,000"),
        ("tuesday", "On TUESDAY, at noon."),
        ("Tuesday", "On Wednesday."),
        ("larch room", "Take the larch room, please."),
        ("ada lovell", "Ada, Lovell"),
        ("327", "327"),
        ("ref-77a", "Your number is REF-77A."),
        ("54.04", "54.04 in all"),
    ],
)
def test_it_finds_what_tau_bench_finds(graded, fact, content):
    score, _ = verdict(graded, f"all: ['{fact}']", spoken(content))
    assert bool(score) == tau_bench(fact, content)


@pytest.mark.parametrize(
    ("fact", "content", "found"),
    [  # tau-bench, too, finds 1999 and 54.00, but by taking them for parts of longer words
        ("54", "You get 154 crowns.", 0.0),  # part of another number
        ("54", "You get 54.5 crowns.", 0.0),
        ("54", "1,540 crowns", 0.0),
        ("5", "0.5", 0.0),
        ("1,234", "1,234 crowns", 1.0),  # tau-bench takes the commas out of one side only
        ("54", "You get 54.00 crowns.", 1.0),
        ("1234", "1'234 or so", 1.0),
        ("1999", "in 1998,1999", 1.0),
        ("larch room", "the larch\n  room", 1.0),
    ],
)
def test_where_it_differs_from_tau_bench(graded, fact, content, found):
    score, _ = verdict(graded, f'all: ["{fact}"]', spoken(content))
    assert score == found


def test_all_any_none_and_number(graded):
    words = [spoken("It is 54 crowns."), said("Come on Tuesday.")]
    assert verdict(graded, "all: ['54', tuesday]", *words)[0] == 1.0
    assert verdict(graded, "all: ['54', monday]", *words) == (0.0, "not told: 'monday'")
    assert verdict(graded, "any: [monday, tuesday]", *words)[0] == 1.0
    assert verdict(graded, "any: [monday, sunday]", *words) == (0.0, "none of these was told: 'monday', 'sunday'")
    assert verdict(graded, "none: ['55']", *words)[0] == 1.0
    assert verdict(graded, "none: ['54']", *words) == (0.0, "told, though it should not be: '54'")
    assert verdict(graded, "number: 54", *words)[0] == 1.0
    assert verdict(graded, "number: 55", *words) == (0.0, "the number 55 was not told")
    assert verdict(graded, "number: '{{ input.sum }}'", spoken("5.0 it is"))[0] == 1.0


def test_each_message_is_looked_through_alone(graded):
    assert verdict(graded, "all: [larch room]", spoken("the larch"), spoken("room"))[0] == 0.0


def test_only_what_reached_somebody_is_told(graded):
    assert verdict(graded, "all: [x]", spoken("x", observation=None))[0] == 0.0
    assert verdict(graded, "all: [x]", said("x", error=True))[0] == 0.0
    assert verdict(graded, "all: [x]", action("pay", arguments={"text": "x"}))[0] == 0.0
    assert verdict(graded, "all: [x]", said("x", tool="end_conversation"))[0] == 1.0


def test_the_answer_is_told(graded):
    submitted = action("submit", kind="submit", arguments={"answer": "it is x"})
    assert verdict(graded, "all: [x]", submitted, answer="it is x")[0] == 1.0
    assert verdict(graded, "all: [x]", answer="it is x")[0] == 1.0


def test_it_counts_whose_words_and_who_could_hear_them(tmp_path):
    def told(check, *actions):
        path = tmp_path / "two.yaml"
        path.write_text(TWO + TASK + f"  checks:\n  - {{kind: told, {check}}}\n")
        declared = load(path).task("one").checks[0]
        return check_told(declared, actions, None, {"input": {}}, alone=False)[0]

    assert told("by: clerk, all: [x]", spoken("x", "clerk")) == 1.0
    assert told("by: clerk, all: [x]", spoken("x", "guest")) == 0.0
    assert told("all: [x]", spoken("x", "guest")) == 1.0
    assert told("to: guest, all: [x]", said("x", "clerk")) == 1.0
    assert told("to: guest, all: [x]", said("x", "clerk", arguments={"to": "guest"})) == 1.0
    assert told("to: guest, all: [x]", said("x", "clerk", arguments={"to": "other"})) == 0.0
    assert told("to: guest, all: [x]", said("x", "guest")) == 0.0
    assert told("to: guest, all: [x]", action("submit", kind="submit", role="clerk", arguments={"answer": "x"})) == 0.0


def test_with_one_role_all_words_are_its_whatever_the_scaffold_calls_it(graded):
    assert verdict(graded, "by: clerk, all: [x]", spoken("x", "agent"))[0] == 1.0


def test_a_number_that_is_none_is_the_graders_failure(graded):
    result = graded("- {kind: told, number: '{{ input.who }}'}").checks[0]
    assert (result.score, result.error) == (None, "`number` is 'ada', which is not one number")


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ("by: clerk", "what is to be told? give all, any, none or number"),
        ("by: clrek, all: [x]", "unknown role 'clrek'; there are clerk"),
        ("to: cook, all: [x]", "unknown role 'cook'; there are clerk"),
        ("all: ['{{ input.nothing }}']", "nothing"),
    ],
)
def test_what_cannot_be_told_is_said_when_the_file_is_checked(tmp_path, check, problem):
    for part in (f"  checks: [{{kind: told, {check}}}]\n", f"measures: {{m: {{kind: told, {check}}}}}\n"):
        with pytest.raises(SpecError) as wrong:
            load(write_scenario(tmp_path, TASK + part))
        assert problem in str(wrong.value)


def test_a_name_written_otherwise_hides_no_words_from_the_check():
    for name in ("guest", "GUEST", " Guest "):
        words = [said("Take the key.", role="clerk", arguments={"to": name})]
        check = ToldCheck.model_validate({"kind": "told", "by": "clerk", "to": "guest", "none": ["the key"]})
        assert check_told(check, words, None, {}, alone=False)[0] == 0.0, name


@pytest.mark.parametrize(
    "text", ["se\u200bcret", "se\u00adcret", "\uff53\uff45\uff43\uff52\uff45\uff54", "SE\u2060CRET"]
)
def test_letters_that_are_not_seen_or_look_alike_hide_nothing(graded, text):
    assert verdict(graded, "none: [secret]", spoken(text))[0] == 0.0
    assert verdict(graded, "all: [secret]", spoken(text))[0] == 1.0
