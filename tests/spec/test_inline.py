"""A used scaffold becomes part of one flat graph, under the name of the node that uses it."""

from __future__ import annotations

import pytest

from harness.spec import in_scope, load_scaffold, out_of_scope
from harness.spec.scaffold import GenerateNode, RouteNode, SayNode

INNER = """\
kind: scaffold
name: inner
summary: Critic.
protocol: {kind: json}
roles:
  agent: {}
  critic: {seat: false, brief: Judge., model_of: agent}
variables: {verdict: none yet}
start: ask
nodes:
  ask: {kind: say, role: critic, text: "{{ verdict }} {{ visits.judge }}", next: judge}
  judge: {kind: generate, role: critic, save: verdict, next: more}
  more: {kind: route, cases: [{when: verdict == "bad", to: ask}], otherwise: end}
"""
OUTER = """\
kind: scaffold
name: outer
summary: Act and be judged.
protocol: {kind: json}
roles: {agent: {}}
variables: {verdict: outer}
start: review
nodes:
  review: {kind: use, scaffold: inner.yaml, next: act}
  act: {kind: act, next: review}
"""


@pytest.fixture
def flat(desk):
    desk.write("inner.yaml", INNER)
    return load_scaffold(desk.write("outer.yaml", OUTER)).flat


def test_nodes_are_prefixed_and_edges_follow(flat) -> None:
    assert list(flat.nodes) == ["review.ask", "review.judge", "review.more", "act"]
    assert flat.start == "review.ask"
    assert flat.nodes["act"].next == "review.ask"
    route = flat.nodes["review.more"]
    assert isinstance(route, RouteNode)
    assert (route.cases[0].to, route.otherwise) == ("review.ask", "act")


def test_roles_of_the_same_name_are_one_and_others_are_new(flat) -> None:
    assert set(flat.roles) == {"agent", "review.critic"}
    assert flat.roles["review.critic"].model_of == "agent"
    judge = flat.nodes["review.judge"]
    assert isinstance(judge, GenerateNode)
    assert judge.role == "review.critic"


def test_variables_keep_apart_and_each_node_sees_its_own(flat) -> None:
    assert flat.variables == {"verdict": "outer", "review.verdict": "none yet"}
    judge, ask = flat.nodes["review.judge"], flat.nodes["review.ask"]
    assert isinstance(judge, GenerateNode)
    assert judge.save == "review.verdict"
    assert isinstance(ask, SayNode)
    assert ask.text == "{{ verdict }} {{ visits.judge }}"
    assert in_scope(ask.scope, flat.variables) == {"verdict": "none yet"}
    assert in_scope(ask.scope, {"review.judge": 2, "act": 1}) == {"judge": 2}
    assert out_of_scope(ask.scope, {"verdict": "good"}) == {"review.verdict": "good"}
    assert in_scope(flat.nodes["act"].scope, flat.variables)["verdict"] == "outer"


def test_roles_are_mapped_where_the_use_says_so(desk) -> None:
    desk.write("inner.yaml", INNER)
    text = OUTER.replace("roles: {agent: {}}", "roles: {solver: {}, judge: {seat: false, brief: J.}}")
    text = text.replace("inner.yaml,", "inner.yaml, roles: {agent: solver, critic: judge},").replace(
        "kind: act,", "kind: act, role: solver,"
    )
    flat = load_scaffold(desk.write("outer.yaml", text)).flat
    assert set(flat.roles) == {"solver", "judge"}
    assert flat.nodes["review.judge"].role == "judge"


def test_scaffolds_nest(desk) -> None:
    desk.write("inner.yaml", INNER)
    desk.write("outer.yaml", OUTER)
    text = OUTER.replace("name: outer", "name: third").replace("inner.yaml", "outer.yaml").replace("review", "deep")
    flat = load_scaffold(desk.write("third.yaml", text)).flat
    assert "deep.review.judge" in flat.nodes
    assert flat.nodes["deep.review.judge"].scope == "deep.review."
    assert flat.nodes["deep.review.more"].otherwise == "deep.act"
    assert flat.variables["deep.review.verdict"] == "none yet"
    assert flat.nodes["deep.review.judge"].role == "deep.review.critic"


def test_python_files_of_a_used_scaffold_are_found_where_it_lies(desk, tmp_path) -> None:
    desk.write("sub/count.py", "def count(state):\n    return {}\n")
    inner = INNER.replace("start: ask", "start: count").replace(
        "nodes:", "nodes:\n  count: {kind: python, function: count.py:count, next: ask}"
    )
    desk.write("sub/inner.yaml", inner)
    flat = load_scaffold(desk.write("outer.yaml", OUTER.replace("inner.yaml", "sub/inner.yaml"))).flat
    assert flat.nodes["review.count"].function == f"{tmp_path / 'sub/count.py'}:count"


@pytest.mark.parametrize(
    ("outer", "inner", "problem"),
    [
        (("inner.yaml", "iner.yaml"), ("", ""), "'iner.yaml': there is no such file (did you mean inner.yaml?)"),
        (("inner.yaml", "outer.yaml"), ("", ""), "scaffolds use each other in a circle: outer.yaml uses outer.yaml"),
        (
            ("", ""),
            (
                'ask: {kind: say, role: critic, text: "{{ verdict }} {{ visits.judge }}"',
                "ask: {kind: use, scaffold: outer.yaml",
            ),
            "scaffolds use each other in a circle: outer.yaml uses inner.yaml uses outer.yaml",
        ),
        (("{kind: json}", "{kind: native}"), ("", ""), "scaffold 'inner' speaks another protocol"),
        (
            ("inner.yaml,", "inner.yaml, roles: {critc: agent},"),
            ("", ""),
            "scaffold 'inner' has no role 'critc'; it has agent, critic (did you mean critic?)",
        ),
        (("inner.yaml,", "inner.yaml, roles: {critic: agnt},"), ("", ""), "unknown role 'agnt'"),
        (
            ("{agent: {}}", "{agent: {}, critic: {}}"),
            ("", ""),
            "role 'critic' is a seat here and an inner voice in 'inner': map it under `roles`",
        ),
        (("", ""), ("verdict ==", "verdct =="), "unknown name 'verdct'"),
    ],
)
def test_what_cannot_be_used_is_told(desk, outer, inner, problem: str) -> None:
    desk.write("inner.yaml", INNER.replace(*inner))
    assert any(problem in said for said in desk.problems(OUTER.replace(*outer), "outer.yaml"))


def test_an_act_in_a_lane_is_found_inside_a_used_scaffold(desk, react: str) -> None:
    desk.write("react.yaml", react)
    text = (
        "kind: scaffold\nname: x\nsummary: x\nprotocol: {kind: json}\nstart: b\nnodes:\n"
        "  b: {kind: branch, to: r, join: j}\n  r: {kind: use, scaffold: react.yaml, next: j}\n"
        "  j: {kind: join, next: end}\n"
    )
    assert desk.only(text).startswith("8:3: act node 'r.act' stands in a lane of branch 'b'")


def test_uses_of_uses_cannot_grow_without_bound(desk, react: str) -> None:
    desk.write("s0.yaml", react)
    head = "kind: scaffold\nname: x\nsummary: x\nprotocol: {kind: json}\nstart: n0\nnodes:\n"
    for level in range(1, 9):
        nodes = "".join(
            f"  n{i}: {{kind: use, scaffold: s{level - 1}.yaml, next: {f'n{i + 1}' if i < 9 else 'end'}}}\n"
            for i in range(10)
        )
        desk.write(f"s{level}.yaml", head + nodes)
    said = desk.problems((desk.folder / "s8.yaml").read_text(), "s8.yaml")
    assert any("nodes; 500 are the most" in line for line in said)
