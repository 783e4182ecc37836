from __future__ import annotations

import pytest
from conftest import action


def scores(grade):
    assert grade.error is None, grade.error
    return [check.score for check in grade.checks]


def test_a_query_is_compared_by_value(graded):
    grade = graded("""
- {kind: sql, query: "select amount from balances where name = '{{ input.who }}'", equals: 6}
- {kind: sql, query: "select name from balances order by name desc", equals: [ada, bob]}
- {kind: sql, query: "select name from balances order by name desc", equals: [ada, bob], ordered: true}
- {kind: sql, query: "select name, amount from balances", equals: [[bob, 2.5], [ada, 6]]}
- {kind: sql, query: "select note from balances where name = 'ada'", equals: null}
- {kind: sql, query: "select note from balances where name = 'ada'", equals: ""}
- {kind: sql, query: "select name from balances where 0", equals: []}
- {kind: sql, query: "select '6'", equals: 6}
- {kind: sql, query: "select 0.1 + 0.2", equals: 0.3}
""")
    assert scores(grade) == [1, 1, 0, 1, 1, 0, 1, 0, 1]
    assert grade.checks[2].detail == "expected ['ada', 'bob'], found ['bob', 'ada']"


def test_a_query_that_the_final_database_refuses_is_a_failed_check_and_not_a_failed_grader(graded):
    grade = graded('- {kind: sql, query: "select x from dropped", equals: 1}')
    assert scores(grade) == [0]
    assert "no such table: dropped" in grade.checks[0].detail


def test_a_file_is_held_to_every_condition(graded):
    grade = graded("""
- {kind: file, path: note.txt}
- {kind: file, path: none.txt}
- {kind: file, path: none.txt, exists: false}
- {kind: file, path: note.txt, exists: false}
- {kind: file, path: note.txt, equals: "hello\\n\\n"}
- {kind: file, path: note.txt, contains: "{{ input.who }}"}
- {kind: file, path: note.txt, matches: "^h.*o$"}
- {kind: file, path: note.txt, contains: hell, matches: "^x"}
""")
    assert scores(grade) == [1, 0, 1, 0, 1, 0, 1, 0]


def test_a_command_passes_by_exit_and_output(graded, tmp_path):
    (tmp_path / "hidden.sh").write_text("grep -q hello note.txt && echo found {{ not a template }}")
    grade = graded("""
- {kind: command, run: sh test.sh, files: {test.sh: hidden.sh}}
- {kind: command, run: sh test.sh, files: {test.sh: hidden.sh}, output_matches: "^found"}
- {kind: command, run: sh test.sh, files: {test.sh: hidden.sh}, output_matches: "^lost"}
- {kind: command, run: exit 3, exit: 3}
- {kind: command, run: exit 3}
- {kind: command, run: sleep 5, seconds: 0.2}
""")
    assert scores(grade) == [1, 1, 0, 1, 0, 0]
    assert grade.checks[5].detail.startswith("not done after 0.2 s")


def test_an_answer_is_held_to_every_condition(graded):
    grade = graded("""
- {kind: answer, equals: " ADA {{ input.sum }} "}
- {kind: answer, number: 5}
- {kind: answer, number: "{{ input.sum + 1 }}", tolerance: 1}
- {kind: answer, number: 6}
- {kind: answer, matches: "^ada"}
- {kind: answer, matches: "^Ada", number: 6}
""", answer="Ada 5\n")  # fmt: skip
    assert scores(grade) == [1, 1, 1, 0, 0, 0]


def test_no_answer_holds_to_nothing(graded):
    grade = graded("- {kind: answer, matches: '.*'}\n- {kind: answer, equals: ''}")
    assert scores(grade) == [0, 0]
    assert grade.passed is False


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ('{"sum": 5}', 1), ('{"sum": "5"}', 0), ("sum is 5", 0), ('{"sum": NaN}', 0), ("[" * 100_000, 0),
        ('{"sum": 5, "id": "A-1"}', 1), ('{"sum": 5, "id": "1"}', 0),
    ],
)  # fmt: skip
def test_an_answer_may_be_json_held_to_a_schema(graded, answer, score):
    schema = (
        "{type: object, required: [sum], properties: {sum: {type: integer}, id: {type: string, pattern: '^[A-Z]-'}}}"
    )
    assert scores(graded(f"- {{kind: answer, json_schema: {schema}}}", answer=answer)) == [score]


def test_a_state_expression_over_what_is_not_there_does_not_hold(graded):
    grade = graded("""
- {kind: state, expression: "state.balances.ada == 1 + input.sum"}
- {kind: state, expression: "state.balances.eve > 3"}
- {kind: state, expression: "answer == '' and state.balances | length == 2"}
""")
    assert scores(grade) == [1, 0, 1]
    assert "not so" in grade.checks[1].detail


def test_calls_that_succeeded_are_counted(graded):
    actions = [
        action("read", arguments={"name": "ada"}),
        action("read", arguments={"name": "bob"}, error=True),
        action("read", kind="malformed", error=True),
        action("submit", kind="submit"),
    ]
    grade = graded("""
- {kind: called, tool: read}
- {kind: called, tool: read, at_least: 2}
- {kind: called, tool: read, where: "arguments.name == 'bob'"}
- {kind: called, tool: pay, at_least: 0, at_most: 0}
- {kind: called, tool: read, at_least: 0, at_most: 0}
- {kind: called, tool: submit}
- {kind: called, tool: read, where: "arguments.missing == 1", at_least: 0, at_most: 0}
""", actions=actions)  # fmt: skip
    assert scores(grade) == [1, 0, 0, 1, 0, 1, 1]


def test_a_python_check_is_the_authors_function(graded, tmp_path):
    (tmp_path / "own.py").write_text(
        "def half(state, answer, actions, input):\n    state.clear(); actions.clear()\n    return 0.5\n"
        "def sees(state, answer, actions, input):\n"
        "    return state['balances']['ada'] == 6 and answer == 'x' and len(actions) == 1 and input['sum'] == 5\n"
    )
    grade = graded(
        "- {kind: python, function: 'own.py:half'}\n- {kind: python, function: 'own.py:sees'}",
        answer="x", actions=[action("read")],
    )  # fmt: skip
    assert scores(grade) == [0.5, 1.0]


def test_what_the_grader_cannot_do_leaves_the_trial_without_a_score(graded, tmp_path):
    (tmp_path / "own.py").write_text(
        "def fails(state, answer, actions, input):\n    raise KeyError('x')\n"
        "def wrong(state, answer, actions, input):\n    return 3\n"
        "def nan(state, answer, actions, input):\n    return float('nan')\n"
        "def leaves(state, answer, actions, input):\n    raise SystemExit(0)\n"
    )
    grade = graded("""
- {kind: answer, equals: right, name: good}
- {kind: python, function: "own.py:fails", name: bad}
- {kind: python, function: "own.py:wrong"}
- {kind: python, function: "own.py:nan"}
- {kind: command, run: sandbox}
- {kind: sql, query: "select 1", equals: {a: 1}}
- {kind: python, function: "own.py:leaves"}
""", answer="right")  # fmt: skip
    assert [check.score for check in grade.checks] == [1.0, None, None, None, None, None, None]
    assert (grade.score, grade.passed) == (None, None)
    assert grade.error == "check bad: KeyError: 'x'"
    assert "from 0 to 1" in grade.checks[2].error
    assert "a ledger has no shell" in grade.checks[4].error
    assert "mapping" in grade.checks[5].error
    assert "SystemExit" in grade.checks[6].error


def test_a_pattern_that_backtracks_for_ever_is_stopped(graded, monkeypatch):
    monkeypatch.setattr("harness.scoring.patterns.SECONDS", 0.2)
    grade = graded("- {kind: answer, matches: '(a|aa)+$'}", answer="a" * 5000 + "!")
    assert grade.score is None
    assert "not done after 0.2 s" in grade.error


def test_the_score_is_the_weighted_mean(graded):
    checks = "- {kind: answer, equals: x, weight: 3}\n- {kind: file, path: none.txt}\n- {kind: file, path: note.txt}"
    grade = graded(checks, answer="x")
    assert grade.score == pytest.approx(0.8)
    assert grade.passed is False
    assert graded(checks, answer="x", extra="pass_score: 0.8").passed is True
    assert [check.name for check in grade.checks] == ["answer-1", "file-2", "file-3"]


def test_shared_checks_are_added(graded):
    grade = graded(
        "- {kind: answer, equals: x}", answer="x", extra="checks: [{kind: file, path: note.txt, name: note}]"
    )
    assert [check.name for check in grade.checks] == ["answer-1", "note"]


def test_a_task_without_checks_has_no_score(graded):
    grade = graded("", answer="x")
    assert (grade.score, grade.passed, grade.error, grade.checks) == (None, None, None, [])


def test_a_truncated_state_is_said_beside_what_failed(graded):
    grade = graded("- {kind: file, path: none.txt}\n- {kind: file, path: note.txt}", truncated=True)
    assert "too large to keep" in grade.checks[0].detail
    assert "too large to keep" not in grade.checks[1].detail


def test_a_final_state_that_cannot_be_read_fails_only_the_checks_that_need_it(graded):
    from harness.environments import EnvironmentFault

    grade = graded("- {kind: answer, equals: x}\n- {kind: file, path: a}", answer="x", state=3)
    assert [check.score for check in grade.checks] == [1.0, None]
    assert grade.error is not None
    assert EnvironmentFault is not None


def test_a_file_that_may_have_been_cut_off_is_not_taken_to_be_gone(graded):
    check = "- {kind: file, path: none.txt, exists: false}"
    assert graded(check).checks[0].score == 1.0
    found = graded(check, truncated=True).checks[0]
    assert found.score == 0.0 and "is not known" in found.detail
