"""A change of content is a new digest; a change of form is not."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.spec import (
    content,
    data_files,
    digest,
    load_models,
    load_scaffold,
    load_scenario,
    prefix_digests,
    trial_seed,
)
from harness.spec.scenario import Scenario

FULL = """\
kind: scenario
name: shop
summary: A shop.
environment: {kind: shop, rows: 3, stock: data/stock.txt, shelves: [data/shelf]}
roles: {agent: {brief: You keep the shop.}, clerk: {brief: You help.}}
limits: {turns: 9}
checks: [{kind: python, function: "look.py:check"}]
measures: {looks: {kind: count, tool: query}}
tasks:
  - id: count
    brief: Count.
    input: {thing: pens, worth: 3}
    setup: {extra: 1}
    solution: [{role: agent, tool: query, arguments: {sql: x}}]
    checks: [{kind: command, run: sh test, files: {test: data/hidden.sh}}, {kind: answer, number: 3}]
  - id: sell
    brief: Sell.
"""


@pytest.fixture
def full(desk):
    desk.write("data/stock.txt", "pens")
    desk.write("data/shelf/a.txt", "a")
    desk.write("data/shelf/b/c.txt", "c")
    desk.write("data/hidden.sh", "true")
    desk.write("look.py", "def check(state, answer, actions, input):\n    return True\n")

    def load(text: str = FULL, name: str = "it.yaml"):
        return load_scenario(desk.write(name, text), desk.catalog)

    return load


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, shuffled(item, chance)) for key, item in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(), flow=st.booleans(), width=st.integers(40, 200))
def test_neither_key_order_nor_comments_nor_style_nor_file_name_count(full, seed: int, flow: bool, width: int) -> None:
    plain = full()
    data = shuffled(yaml.safe_load(FULL), random.Random(seed))
    data["roles"] = {name: data["roles"][name] for name in yaml.safe_load(FULL)["roles"]}
    text = "# a comment\n" + yaml.safe_dump(data, sort_keys=False, default_flow_style=flow, width=width)
    other = full(text, f"other{seed % 7}.yaml")
    assert other.digest == plain.digest
    assert other.task_digests == plain.task_digests
    assert other.measures_digest == plain.measures_digest
    assert list(other.spec.roles) == list(plain.spec.roles)


def test_the_order_of_roles_counts_because_worlds_let_them_take_turns_in_it(full) -> None:
    data = yaml.safe_load(FULL)
    data["roles"] = dict(reversed(data["roles"].items()))
    plain, other = full(), full(yaml.safe_dump(data, sort_keys=False), "other.yaml")
    assert list(other.spec.roles) == list(reversed(plain.spec.roles))
    assert other.digest != plain.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("summary: A shop.", "summary: Another."),
        ("brief: Sell.", "brief: Sell.\n    family: null\n    checks: []\n    setup: {extra: 0}"),
        ("{turns: 9}", "{turns: 9, tokens: null}"),
        ("{kind: answer, number: 3}", "{kind: answer, number: 3.0, weight: 1, tolerance: 0}"),
        ("rows: 3, ", ""),
        ("arguments: {sql: x}", "arguments: {sql: y}"),
        ("{looks: {kind: count, tool: query}}", "{looks: {kind: count, tool: execute}}"),
    ],
)
def test_what_cannot_change_a_trial_does_not_count(full, old: str, new: str) -> None:
    assert old in FULL
    plain, other = full(), full(FULL.replace(old, new, 1), "other.yaml")
    assert other.digest == plain.digest
    assert other.task_digests == plain.task_digests
    assert (other.measures_digest == plain.measures_digest) == ("looks" not in old)


@pytest.mark.parametrize(
    ("old", "new", "tasks"),
    [
        ("brief: Count.", "brief: Count!", ["count"]),
        ("brief: Count.", 'brief: "Count. "', ["count"]),
        ("worth: 3", "worth: 4", ["count"]),
        ("worth: 3", 'worth: "3"', ["count"]),
        ("extra: 1", "extra: 2", ["count"]),
        ("id: count", "id: counted", ["count", "counted"]),
        ("number: 3", "number: 4", ["count"]),
        ("number: 3", "number: 3, weight: 2", ["count"]),
        ("You keep the shop.", "You keep a shop.", ["count", "sell"]),
        ("turns: 9", "turns: 8", ["count", "sell"]),
        ("rows: 3", "rows: 4", ["count", "sell"]),
        ("name: shop", "name: shop2", ["count", "sell"]),
    ],
)
def test_what_can_change_a_trial_counts(full, old: str, new: str, tasks: list[str]) -> None:
    assert old in FULL
    plain, other = full(), full(FULL.replace(old, new, 1))
    ids = plain.task_digests.keys() | other.task_digests.keys()
    assert sorted(i for i in ids if plain.task_digests.get(i) != other.task_digests.get(i)) == tasks


@pytest.mark.parametrize(
    ("name", "text", "tasks"),
    [
        ("data/stock.txt", "pencils", ["count", "sell"]),
        ("data/shelf/b/c.txt", "d", ["count", "sell"]),
        ("data/shelf/new.txt", "", ["count", "sell"]),
        ("data/hidden.sh", "false", ["count"]),
        ("look.py", "def check(state, answer, actions, input):\n    return False\n", ["count", "sell"]),
    ],
)
def test_the_content_of_data_and_code_counts(full, desk, name: str, text: str, tasks: list[str]) -> None:
    plain = full()
    desk.write(name, text)
    other = full()
    assert sorted(i for i in plain.task_digests if plain.task_digests[i] != other.task_digests[i]) == tasks


def test_the_executable_bit_and_the_names_in_a_data_folder_count(full, desk) -> None:
    digests = {full().digest}
    (desk.folder / "data/shelf/a.txt").chmod(0o755)
    digests.add(full().digest)
    (desk.folder / "data/shelf/a.txt").rename(desk.folder / "data/shelf/z.txt")
    digests.add(full().digest)
    assert len(digests) == 3


def test_the_name_of_a_data_file_and_byte_code_beside_it_do_not_count(full, desk) -> None:
    plain = full()
    (desk.folder / "data/stock.txt").rename(desk.folder / "data/goods.txt")
    desk.write("data/shelf/__pycache__/a.pyc", "x")
    assert full(FULL.replace("stock.txt", "goods.txt")).digest == plain.digest
    assert [relative for relative, _ in data_files(desk.folder / "data/shelf")] == ["a.txt", "b/c.txt"]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("name: react", "name: other", True),
        ("summary: Think and act.", "summary: x", True),
        ("next: act}", "next: act, role: agent, tools: true}", True),
        ("protocol: {kind: json}", "protocol: {kind: json, thought: false}", True),
        ("protocol: {kind: json}", "protocol: {kind: json, thought: true}", False),
        ("next: act}", "next: act, max_tokens: 5}", False),
        ("next: act}", "next: act, tools: [query]}", False),
    ],
)
def test_digests_of_scaffolds(desk, react: str, old: str, new: str, same: bool) -> None:
    plain = load_scaffold(desk.write("a.yaml", react))
    other = load_scaffold(desk.write("b.yaml", react.replace(old, new, 1)))
    assert (plain.digest == other.digest) is same


def test_a_used_scaffold_and_a_python_node_count(desk, react: str) -> None:
    outer = react.replace("  think: {kind: generate", "  use: {kind: use, scaffold: in.yaml, next: py}\n"
                          "  py: {kind: python, function: f.py:f, next: think}\n  think: {kind: generate")  # fmt: skip
    outer = outer.replace("start: think", "start: use")
    desk.write("in.yaml", react)
    desk.write("f.py", "def f(state):\n    return {}\n")
    first = load_scaffold(desk.write("out.yaml", outer)).digest
    desk.write("f.py", "def f(state):\n    return {'a': 1}\n")
    second = load_scaffold(desk.write("out.yaml", outer)).digest
    desk.write("in.yaml", react.replace("next: act}", "next: act, max_tokens: 5}"))
    third = load_scaffold(desk.write("out.yaml", outer)).digest
    assert len({first, second, third}) == 3


def test_digests_of_models(desk) -> None:
    desk.write("s.yaml", "one")
    text = """\
kind: models
models:
  a: {model: openai/x}
  key: {model: openai/x, api_key_env: KEY, concurrency: 3, timeout: 9, account: me, price: {prompt: 1, completion: 2}}
  hot: {model: openai/x, parameters: {temperature: 1}}
  base: {model: openai/x, api_base: "http://localhost:1"}
  dropped: {model: openai/x, drop: [seed]}
  twin: {model: openai/x, variant: b}
  s1: {model: scripted/s.yaml}
  s2: {model: scripted/any, script: s.yaml}
"""
    models = load_models(desk.write("models.yaml", text))
    assert models["a"].digest == models["key"].digest
    assert models["s1"].digest == models["s2"].digest
    assert len({model.digest for model in models.values()}) == 6
    assert models["s1"].entry.script == str(desk.folder / "s.yaml")
    desk.write("s.yaml", "two")
    assert load_models(desk.folder / "models.yaml")["s1"].digest != models["s1"].digest


def test_digest_is_exact_about_values() -> None:
    assert digest({"a": 1, "b": [1]}) == digest({"b": [1], "a": 1})
    values: list[Any] = [1, 1.5, "1", True, None, [], {}, "a", "a ", "a\r\n", "a\n", [1, 2], [2, 1]]
    assert len({digest(value) for value in values}) == len(values)
    with pytest.raises(ValueError, match="JSON"):
        digest(float("nan"))
    with pytest.raises(TypeError):
        digest(object())


def test_a_seed_stands_on_scenario_task_and_repeat_alone() -> None:
    seeds = {trial_seed(s, t, r) for s in ("a", "b") for t in ("x", "y") for r in range(1, 50)}
    assert len(seeds) == 196
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert trial_seed("shop", "count", 1) == 1981057025, "recorded trials stand on it: it must never change"


def test_content_names_no_path(full, desk) -> None:
    assert str(desk.folder) not in str(content(full().spec))
    assert isinstance(full().spec, Scenario)


def test_digests_of_what_is_behind_each_place_are_those_of_the_lists() -> None:
    values = [{"b": [1, None], "a": "\u00e9"}, "x", 3.5, []]
    assert prefix_digests(values) == [digest(values[:count]) for count in range(len(values) + 1)]
    assert prefix_digests([]) == [digest([])]
