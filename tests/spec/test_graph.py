"""A scaffold's graph, roles, variables and texts are checked before anything is compiled."""

from __future__ import annotations

import pytest

SCAFFOLD = """\
kind: scaffold
name: big
summary: All kinds of nodes.
protocol: {kind: json}
roles:
  agent: {}
  critic: {seat: false, brief: Judge., model_of: agent}
variables: {plan: "", tries: 0}
start: hint
nodes:
  hint: {kind: say, text: "Plan {{ task }} {{ plan }} {{ last.kind }} {{ visits.think }}", next: sample}
  sample: {kind: branch, to: think, join: pick}
  think: {kind: generate, save: plan, next: judge}
  judge: {kind: generate, role: critic, tools: false, next: pick}
  pick: {kind: join, next: act}
  act: {kind: act, next: more}
  more:
    kind: route
    cases:
      - {when: observation.error and turns < 9, to: hint}
    otherwise: end
"""


def test_a_sound_scaffold_has_no_problem(desk) -> None:
    assert desk.problems(SCAFFOLD) == []


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ("start: hint", "start: hnt", "hnt", "unknown node 'hnt'; there are hint, sample"),
        ("start: hint", "start: end", "end", "a scaffold cannot start at its end"),
        (
            "join, next: act",
            "join, next: atc",
            "atc",
            "unknown node 'atc'; there are hint, sample, think, judge, pick, act, more, end (did you mean act?)",
        ),
        ("otherwise: end", "otherwise: ned", "ned", "unknown node 'ned'"),
        ("to: hint}", "to: hnt}", "hnt", "unknown node 'hnt'"),
        ("to: think", "to: end", "end", "a branch cannot lead to `end`"),
        ("join: pick", "join: act", "act", "node 'act' is of kind act; a join is wanted here"),
        (
            "role: critic",
            "role: crtic",
            "crtic",
            "unknown role 'crtic'; this scaffold has agent, critic (did you mean critic?)",
        ),
        ("model_of: agent", "model_of: agnt", "agnt", "unknown role 'agnt'"),
        ("model_of: agent", "model_of: critic", "critic", "role 'critic' speaks through itself in the end"),
        ("brief: Judge., ", "", "critic:", "role 'critic' is an inner voice and needs a brief"),
        ("save: plan", "save: pln", "pln", "unknown variable 'pln'; there are plan, tries (did you mean plan?)"),
        (
            "save: plan",
            "save: other",
            "other",
            "unknown variable 'other'; there are plan, tries: declare it under `variables`",
        ),
        ("tries: 0", "last: 0", "last:", "'last' is taken: choose another name for this variable"),
        ("tries: 0", "not: 0", "not:", "'not' is taken"),
        ("tries: 0", "my-try: 0", "my-try:", "name 'my-try' is not allowed here: letters, digits and '_'"),
        ("{{ plan }}", "{{ pln }}", '"Plan', "unknown name 'pln'"),
        (
            "last.kind",
            "last.kid",
            '"Plan',
            "'last' has no field 'kid'; there are arguments, error, kind, name, text (did you mean kind?)",
        ),
        ("visits.think", "visits.thnk", '"Plan', "'visits' has no field 'thnk'"),
        ("observation.error", "observation.eror", "observation.eror", "'observation' has no field 'eror'"),
        ("turns < 9", "turns <", "observation.error", "this expression cannot be read:"),
        ("tools: false", "tools: []", "[", "must not be empty: write false to offer none"),
        ("{kind: json}", "{kind: native, thought: true}", "true", "`thought` does not go with the native protocol"),
        ("{kind: json}", "{kind: text, reply: true}", "true", "`reply` goes with the json protocol only"),
        ("  act: {", "  end: {kind: act, next: act}\n  act: {", "end:", "`end` names the end of the trial"),
        ("  act: {", "  a.b: {kind: act, next: act}\n  act: {", "a.b:", "a dot in the name of node 'a.b'"),
        ("agent: {}", "agent: {}\n  x.y: {seat: false, brief: x}", "x.y:", "a dot in the name of role 'x.y'"),
        ("  act: {", "  lost: {kind: act, next: act}\n  act: {", "lost:", "node 'lost' is never reached"),
        (
            "role: critic, tools: false, next: pick",
            "role: critic, tools: false, next: act",
            "act:",
            "act node 'act' stands in a lane of branch 'sample'",
        ),
        (
            "role: critic, tools: false, next: pick",
            "role: critic, tools: false, next: end",
            "sample:",
            "a lane of branch 'sample' can reach `end`",
        ),
        (
            "hint: {kind: say",
            "hint: {kind: python, function: gone.py:f, next: x}\n  x: {kind: say",
            "gone.py:f",
            "'gone.py' does not exist",
        ),
        (
            "kind: join,",
            "kind: join, pick: most,",
            "most",
            "should be vote, first or a function (`file.py:name`), not 'most'",
        ),
        ("kind: join,", "kind: join, role: '@turn',", "'@turn'", "unknown role '@turn'"),
        (
            "to: hint}",
            "to: think}",
            "more:",
            "node 'more' leads to 'think' inside the lanes of branch 'sample', past the branch",
        ),
    ],
)
def test_what_is_wrong_with_a_graph_is_told_at_its_place(desk, old: str, new: str, place: str, problem: str) -> None:
    assert old in SCAFFOLD
    told = desk.told(SCAFFOLD.replace(old, new, 1))
    assert len(told) == 1, told
    assert told[0][0].startswith(place)
    assert told[0][1].startswith(problem)


HEAD = "kind: scaffold\nname: x\nsummary: x\nprotocol: {kind: json}\nstart: a\nnodes:\n"


@pytest.mark.parametrize(
    ("nodes", "problem"),
    [
        (
            "  a: {kind: generate, next: a}\n",
            "7:3: from node 'a' the trial can never end: no way leads to `end` or to an act node",
        ),
        (
            "  a: {kind: route, cases: [{when: turns, to: end}], otherwise: b}\n  b: {kind: say, text: x, next: c}\n"
            "  c: {kind: act, next: b}\n",
            "8:3: nodes b, c form a loop without a model call that nothing leaves",
        ),
        ("  a: {kind: generate, next: j}\n  j: {kind: join, next: end}\n", "8:3: no branch leads to join 'j'"),
        (
            "  a: {kind: branch, to: b, join: j}\n  b: {kind: branch, to: c, join: k}\n  c: {kind: generate, next: k}\n"
            "  k: {kind: join, next: j}\n  j: {kind: join, next: end}\n",
            "8:3: branch 'b' stands in a lane of branch 'a': lanes do not branch again",
        ),
    ],
)
def test_flow_that_cannot_work_is_told(desk, nodes: str, problem: str) -> None:
    said = desk.problems(HEAD + nodes)
    assert [line for line in said if line.startswith(problem)], said


def test_act_ends_trials_so_a_loop_through_it_is_sound(desk, react: str) -> None:
    assert desk.problems(react) == []


def test_somebody_must_have_a_seat(desk, react: str) -> None:
    text = react.replace("start:", "roles: {agent: {seat: false, brief: x}}\nstart:")
    assert desk.only(text) == "5:1: no role has a seat: somebody must act in the scenario"


def test_the_turn_may_speak(desk, react: str) -> None:
    assert desk.problems(react.replace("kind: generate,", "kind: generate, role: '@turn',")) == []
