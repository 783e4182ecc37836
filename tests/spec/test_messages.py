"""What is said of a file that does not fit: all of it at once, in plain words, at the place."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JARGON = re.compile(
    r"pydantic|Input should|valid (string|integer|dictionary)|type=|https?://|Extra inputs|Field required"
)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("summary: A shop.", "summry: A shop.", "3:1: unknown key 'summry' (did you mean summary?)"),
        ("summary: A shop.\n", "", "1:1: key 'summary' is missing"),
        ("name: shop", "name: 5", "2:7: should be text, not the number 5: write it in quotes"),
        ("name: shop", "name: true", "2:7: should be text, not the truth value true: write it in quotes"),
        ("name: shop", "name: a b", "2:7: name 'a b' is not allowed here: letters, digits"),
        ("name: shop", "name:", "2:6: should be text, not nothing"),
        ("name: shop", "name: [a]", "2:7: should be text, not a list"),
        ("kind: answer,", "kind: anser,", "15:16: unknown kind 'anser'; there are sql, file, command, answer, state"),
        ("kind: answer, ", "", "15:9: key 'kind' is missing: one of sql, file"),
        ("number: 3}\n", "number: 3, wieght: 2}\n", "15:35: unknown key 'wieght' (did you mean weight?)"),
        ("number: 3}\n", "number: 3, weight: 0}\n", "15:43: should be more than 0.0, not the number 0"),
        ("number: 3}\n", "number: [3]}\n", "15:32: should be a number or text, not a list"),
        ("number: 3}\n", "number: 3, weight: much}\n", "15:43: should be a number, not 'much'"),
        ("    brief: Count the {{ input.thing }}.\n", "", "8:5: key 'brief' is missing"),
        ("tasks:", "tasks: {}\ntusks:", "7:8: should be a list, not a mapping"),
        ("{kind: shop}", "{kind: shop, rows: many}", "4:33: should be a whole number, not 'many'"),
        ("{kind: shop}", "{kind: shop, rows: '4'}", "4:33: should be a whole number, not '4'"),
        ("{kind: shop}", "{kind: shop, row: 3}", "4:27: unknown key 'row' (did you mean rows?)"),
        ("{kind: shop}", "{kind: shpo}", "4:21: unknown environment kind 'shpo'; there are shop (did you mean shop?)"),
        ("{kind: shop}", "{}", "4:14: key 'kind' is missing"),
        ("    checks:", "    setup: {xtra: 1}\n    checks:", "14:13: unknown key 'xtra' (did you mean extra?)"),
        ("    checks:", "    limits: {turns: 0}\n    checks:", "14:21: should be at least 1, not the number 0"),
        ("    checks:", "    limits: {turns: 1.5}\n    checks:", "14:21: should be a whole number, not the number 1.5"),
        ("agent: {", "the agent: {", "6:3: name 'the agent' is not allowed here"),
        ("roles:\n  agent: {brief: You keep the shop.}", "roles: {}", "5:8: must not be empty"),
    ],
)
def test_each_misfit_has_its_message(desk, scenario: str, old: str, new: str, problem: str) -> None:
    assert old in scenario
    said = desk.problems(scenario.replace(old, new, 1))
    assert [line for line in said if line.startswith(problem)], said
    assert not any(JARGON.search(line) for line in said)


def test_one_mistake_gives_one_problem(desk, scenario: str) -> None:
    assert len(desk.problems(scenario.replace("summary", "sumary"))) == 1
    assert len(desk.problems(scenario.replace("number: 3}\n", "number: [3]}\n"))) == 1


def test_all_mistakes_of_a_file_come_at_once_in_file_order(desk, scenario: str) -> None:
    text = (
        scenario.replace("name: shop", "name: 5")
        .replace("{kind: shop}", "{kind: shop, rows: many}")
        .replace("input.thing", "input.thng")
        .replace("tool: query", "tool: qury")
        .replace("kind: answer, number: 3", "kind: called, tool: exectue, wher: x")
    )
    said = desk.problems(text)
    assert [int(line.split(":")[0]) for line in said] == sorted(int(line.split(":")[0]) for line in said)
    for part in ("should be text", "a whole number", "'thng'", "'qury'", "'wher'"):
        assert any(part in line for line in said), (part, said)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "kind: scenaro\n",
            "1:7: unknown kind 'scenaro'; there are scenario, scaffold, sweep, models (did you mean scenario?)",
        ),
        ("name: x\n", "1:1: key 'kind' is missing: one of scenario, scaffold, sweep, models"),
        ("- a\n", "1:1: a file of the harness is a mapping with a `kind`: one of scenario, scaffold, sweep, models"),
        ("kind: [scenario]\n", "1:7: `kind` should be one of scenario, scaffold, sweep, models"),
    ],
)
def test_a_file_of_no_known_kind_is_refused(desk, text: str, problem: str) -> None:
    assert desk.only(text) == problem


_PIECES = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "  ",
    "'",
    '"',
    "&a ",
    "*a",
    "null",
    "1e9",
    "{{",
    "%}",
    "|",
    "\t",
    "#",
    "kind",
    "\0",
    "~",
]
_VALUES = ["5", "[]", "{}", "x", "null", "true", "[1, 2]", "{a: 1}", "-1", "'{{ x }}'", "''"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False), times=st.integers(1, 4))
def test_whatever_is_broken_every_problem_is_one_plain_line(desk, scenario, react, chance, times: int) -> None:
    text = chance.choice([scenario, react])
    for _ in range(times):
        at = chance.randrange(len(text) + 1)
        if chance.random() < 0.5:
            text = text[:at] + chance.choice(_PIECES) + text[at + chance.choice([0, 0, 5]) :]
        else:
            places = list(re.finditer(r"(?<=: )[^\n,}]+", text))
            if places:
                place = chance.choice(places)
                text = text[: place.start()] + chance.choice(_VALUES) + text[place.end() :]
    for line in desk.problems(text):
        assert "\n" not in line
        assert not JARGON.search(line)


def test_paths_are_printed_relative_to_the_working_directory(desk, scenario: str, tmp_path, monkeypatch) -> None:
    from harness.spec import check

    path = desk.write("deep/er/it.yaml", scenario.replace("name: shop", "name: 5"))
    assert str(check([path], desk.catalog).problems[0]).startswith("deep/er/it.yaml:2:7: ")
    monkeypatch.chdir(tmp_path / "deep/er")
    assert str(check([path], desk.catalog).problems[0]).startswith("it.yaml:2:7: ")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert str(check([path], desk.catalog).problems[0]).startswith(f"{path}:2:7: ")
