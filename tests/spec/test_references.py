"""A scenario's references are followed without running anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.spec import SpecError, load_scenario


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        (
            "tool: query",
            "tool: exectue",
            "exectue",
            "unknown tool 'exectue'; this environment offers query, execute, submit (did you mean execute?)",
        ),
        ("{sql: select 1}", "{sq: select 1}", "sq:", "unknown argument 'sq'; there are sql, limit (did you mean sql?)"),
        ("{sql: select 1}", "{sql: 5}", "5", "should be text, not 5"),
        ("{sql: select 1}", "{sql: x, limit: 0}", "0", "should be at least 1, not 0"),
        ("{sql: select 1}", "{sql: x, limit: '1'}", "'1'", "should be a whole number, not '1'"),
        ('{answer: "3"}', "{}", "{", "argument 'answer' is missing"),
        ("tool: query,", "tool: query, role: clerk,", "clerk", "unknown role 'clerk'; there are agent"),
        (
            "{brief: You",
            "{tools: [query, exec], brief: You",
            "exec",
            "unknown tool 'exec'; this environment offers query",
        ),
        ("{brief: You", "{tools: [query, query], brief: You", "query", "tool 'query' is listed twice"),
        ("{brief: You", "{tools: [], brief: You", "[", "must not be empty: leave `tools` out to offer all"),
        ("You keep the shop.", "'{{ input.thong }}'", "'{{", "the task's input has no 'thong'; it has thing, worth"),
        ("You keep the shop.", "'{{ answer }}'", "'{{", "unknown name 'answer'; there are input, role, task"),
        (
            "{{ input.thing }}",
            "{{ input.thng }}",
            "Count",
            "the task's input has no 'thng'; it has thing, worth (did you mean thing?)",
        ),
        ("{{ input.thing }}", "{{ input['thng'] }}", "Count", "the task's input has no 'thng'"),
        (
            "{{ input.thing }}",
            "{{ inputs.thing }}",
            "Count",
            "unknown name 'inputs'; there are input, role, task (did you mean input?)",
        ),
        ("{{ input.thing }}", "{{ input.thing }", "Count", "this template cannot be read:"),
        (
            "{{ input.thing }}",
            "{{ input.thing|uper }}",
            "Count",
            "this template cannot be read: there is no filter 'uper'",
        ),
        ("{{ input.thing }}", "{% include 'x' %}", "Count", "this template cannot be read: 'include' is not offered"),
        ("kind: answer, number: 3", "kind: answer", "{kind:", "an answer check needs a condition"),
        ("number: 3", "matches: '('", "'('", "this is no regular expression: missing ), unterminated"),
        ("number: 3", "json_schema: {type: strin}", "strin", "this is no JSON schema: 'strin'"),
        ("number: 3", "equals: x, tolerance: 2", "2", "a tolerance goes with `number` only"),
        ("kind: answer, number: 3", "kind: called, tool: qury", "qury", "unknown tool 'qury'"),
        ("kind: answer, number: 3", "kind: called, tool: query, at_most: 0", "0", "at_most 0 is less than at_least 1"),
        (
            "kind: answer, number: 3",
            "kind: called, tool: query, where: sql == 1",
            "sql",
            "unknown name 'sql'; there are arguments",
        ),
        ("kind: answer, number: 3", "kind: state, expression: stat.x > 1", "stat.x", "unknown name 'stat'"),
        (
            "kind: answer, number: 3",
            "kind: state, expression: state.x = 1",
            "state.x",
            "this expression cannot be read: one expression",
        ),
        (
            "kind: answer, number: 3",
            "kind: file, path: x, exists: false, equals: y",
            "false",
            "a file that must not exist",
        ),
        (
            "kind: answer, number: 3",
            "kind: command, run: x, files: {../t: it.yaml}",
            "../t:",
            "'../t' must be a path below the workspace",
        ),
        ("kind: answer, number: 3", "kind: command, run: x, files: {t: hid.sh}", "hid.sh", "'hid.sh' does not exist"),
        ("kind: answer, number: 3", "kind: python, function: look.py:at", "look.py:at", "'look.py' does not exist"),
    ],
)
def test_what_leads_nowhere_is_told_at_its_place(
    desk, scenario: str, old: str, new: str, place: str, problem: str
) -> None:
    assert old in scenario
    told = desk.told(scenario.replace(old, new, 1))
    assert len(told) == 1, told
    assert told[0][0].startswith(place)
    assert told[0][1].startswith(problem)


def test_a_template_in_a_block_is_told_by_its_own_line(desk, scenario: str) -> None:
    text = scenario.replace("brief: Count the {{ input.thing }}.", "brief: |\n      Count.\n      {{ input.thng }}")
    assert desk.only(text).startswith("11:1: ")


def test_every_task_served_by_a_template_needs_its_input(desk, scenario: str) -> None:
    text = scenario.replace("You keep the shop.", "'{{ input.thing }}'") + "  - {id: other, brief: Nothing.}\n"
    assert desk.only(text) == "6:18: no 'thing' in the input of task other"
    assert not desk.problems(text.replace("input.thing }}'", "input.thing | default(0) }}'"))


def test_task_ids_are_unique(desk, scenario: str) -> None:
    assert (
        desk.only(scenario + "  - {id: count, brief: x}\n") == "16:10: task id 'count' is given twice (first on line 8)"
    )


def test_a_task_without_checks_is_allowed(desk, scenario: str) -> None:
    assert not desk.problems(scenario + "  - {id: other, brief: x}\n")


def test_with_several_roles_each_step_says_who_acts(desk, scenario: str) -> None:
    text = scenario.replace("  agent: {", "  clerk: {brief: You help.}\n  agent: {")
    said = desk.problems(text)
    assert [line.split(": ")[1] for line in said] == ["key 'role' is missing"] * 2
    text = text.replace("- {tool: query,", "- {role: clerk, tool: execute,").replace(
        "- {tool: submit,", "- {role: agent, tool: submit,"
    )
    assert "unknown tool 'execute'; this environment offers query, submit" in desk.only(text)


def test_measures_know_the_tools_and_their_names(desk, scenario: str) -> None:
    text = scenario + (
        "measures:\n"
        "  a: {kind: count, tool: qury}\n"
        "  b: {kind: before, first: query, then: exec}\n"
        "  c: {kind: expression, value: action|length}\n"
        "  d: {kind: count, tool: query, where: observation and error and arguments.sql and input.thing}\n"
        '  e: {kind: expression, value: "actions|map(attribute=0)|list|length + input.worth"}\n'
    )
    assert [line.split(":")[0] for line in desk.problems(text)] == ["17", "18", "19"]


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("../out.txt", "must lie in this file's folder or below it: no `..`"),
        ("/etc/passwd", "must be a path relative to this file"),
        ("stock/../../out.txt", "no `..`"),
        ("link.txt", "leads out of this file's folder through a link"),
        ("linked/out.txt", "leads out of this file's folder through a link"),
        ("broken.txt", "is a broken link"),
        ("stok.txt", "does not exist (did you mean stock.txt?)"),
        ("stock", "is a folder; a file is wanted here"),
        (".", "needs a name below this folder"),
    ],
)
def test_data_files_stay_in_the_folder_of_their_file(
    desk, scenario: str, tmp_path: Path, reference: str, problem: str
) -> None:
    (tmp_path / "out.txt").write_text("secret")
    desk.write("in/stock.txt", "pens")
    desk.write("in/stock/pens.txt", "pens")
    (tmp_path / "in/link.txt").symlink_to(tmp_path / "out.txt")
    (tmp_path / "in/linked").symlink_to(tmp_path)
    (tmp_path / "in/broken.txt").symlink_to(tmp_path / "nowhere")
    said = desk.only(scenario.replace("{kind: shop}", f"{{kind: shop, stock: '{reference}'}}"), "in/it.yaml")
    assert said.startswith("4:34: ")
    assert problem in said


def test_data_files_deep_in_the_options_and_in_the_setup_are_checked_too(desk, scenario: str) -> None:
    text = scenario.replace("{kind: shop}", "{kind: shop, shelves: [gone], pens: {red: {cover: away}}}")
    text = text.replace("    checks:", "    setup: {folder: missing}\n    checks:")
    assert [line.split(": ", 1)[1] for line in desk.problems(text)] == [
        "'gone' does not exist", "'away' does not exist", "'missing' does not exist",
    ]  # fmt: skip


def test_a_link_inside_a_data_folder_is_refused(desk, scenario: str, tmp_path: Path) -> None:
    desk.write("shelf/a.txt", "a")
    (tmp_path / "shelf/b").symlink_to("/etc")
    said = desk.only(scenario.replace("{kind: shop}", "{kind: shop, shelves: [shelf]}"))
    assert "holds a link, 'b'" in said


def test_loaded_data_paths_are_absolute(desk, scenario: str, tmp_path: Path) -> None:
    desk.write("stock.txt", "pens")
    desk.write("hidden/test.sh", "true")
    text = scenario.replace("{kind: shop}", "{kind: shop, stock: stock.txt}")
    text = text.replace("kind: answer, number: 3", "kind: command, run: sh t, files: {t: hidden/test.sh}")
    loaded = load_scenario(desk.write("it.yaml", text), desk.catalog)
    assert loaded.options.stock == str(tmp_path / "stock.txt")
    assert loaded.task("count").checks[0].files == {"t": str(tmp_path / "hidden/test.sh")}


def test_load_scenario_raises_every_problem_with_its_path(desk, scenario: str) -> None:
    path = desk.write("it.yaml", scenario.replace("tool: query", "tool: qury").replace("number: 3", "matches: '('"))
    with pytest.raises(SpecError) as caught:
        load_scenario(path, desk.catalog)
    assert [problem.line for problem in caught.value.problems] == [12, 15]
    assert str(caught.value).startswith("it.yaml:12:16: unknown tool 'qury'")


def test_another_kind_of_file_is_named(desk, react: str) -> None:
    path = desk.write("it.yaml", react)
    with pytest.raises(SpecError, match=r"it\.yaml:1:7: this is a scaffold file; a scenario is wanted here"):
        load_scenario(path, desk.catalog)


def test_jsonschema_is_imported_only_for_a_file_that_holds_a_schema(desk, scenario: str) -> None:
    desk.write("it.yaml", scenario)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from conftest import ShopCatalog; from harness.spec import check;"
        "assert not check(['it.yaml'], ShopCatalog()).problems; assert 'jsonschema' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(Path(__file__).parent)], check=True)
