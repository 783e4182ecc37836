from __future__ import annotations

from conftest import TASK, load, write_scenario

from harness.record import DocumentBuilder, TrialRecord, TrialRow
from harness.scoring import BUILT_IN_MEASURES, Grade, measure
from harness.spec.actions import Action

TOOLS = [{"type": "function", "function": {"name": name}} for name in ("read", "pay", "dice", "submit")]


def tool(tool, **arguments):
    return Action(kind="tool", name=tool, arguments=arguments)


def record_of(*turns, answer=None):
    """A turn is (action, error, changes_state) carried out, or an action alone."""
    builder = DocumentBuilder()
    thread = [{"role": "system", "content": "x"}]
    for number, turn in enumerate(turns):
        action, error, changes = turn if isinstance(turn, tuple) else (turn, None, False)
        builder.call(
            step=2 * number, node="think", role="agent", lane="main", visit=number + 1, model="m", messages=thread,
            tools=TOOLS, response_format=None, reply={"role": "assistant", "content": str(number)}, actions=[action],
            started=0.0, prompt_tokens=10 * (number + 1), completion_tokens=None, seconds=0.5, waited=9.0,
        )  # fmt: skip
        if error is not None:
            builder.tool(
                step=2 * number + 1, node="act", role="agent", lane="main", visit=number + 1, action=action,
                observation="seen", error=error, changes_state=changes, started=0.0, seconds=0.25,
            )  # fmt: skip
    row = TrialRow(
        trial="t", cell="c", scenario="desk", task="one", family=None, scaffold="s", models={"agent": "m"}, model="m",
        repeat=1, attempt=1, seed=1, scenario_hash="", scaffold_hash="", models_hash="", tools_hash="",
        measures_hash="", state="completed", limit=None, fault=None, error=None, answer=answer, steps=0, turns=0,
        prompt_tokens=None, completion_tokens=None, cost=None, seconds=0.0, waited=0.0, retries=0, started="",
        sandbox=None, harness="",
    )  # fmt: skip
    return TrialRecord(row=row, document=builder.document())


def measured(tmp_path, record, measures="{}", state=None):
    scenario = load(write_scenario(tmp_path, TASK + f"measures: {measures}\n"))
    return measure(scenario, scenario.task("one"), record, Grade(None, None, state=state))


def test_the_built_in_measures_of_an_eventful_trial(tmp_path):
    read = tool("read", name="ada")
    found = measured(
        tmp_path,
        record_of(
            (read, False, False),
            (read, False, False),
            (tool("pay", name="eve", amount=1), True, True),
            (Action(kind="malformed", name="pay", error="amount is missing"), True, False),
            (tool("pay", name="ada", amount=1), False, True),
            Action(kind="say", text="hm"),
            (Action(kind="submit", name="submit", arguments={"answer": "done"}), False, False),
            answer="done",
        ),
    )
    assert found == {
        "turns": 7, "tool_calls": 4, "first_tool": "read", "changes": 1, "calls_to_first_change": 4,
        "turns_to_first_change": 5, "repeated": 1,
        "longest_repetition": 2, "errors": 1, "recoveries": 1, "malformed": 1, "cut_off": 0,
        "refusals": 0, "says": 1, "submitted": True, "answer_chars": 4, "prompt_tokens_per_turn": 40.0,
        "completion_tokens_per_turn": None, "model_seconds": 3.5, "tool_seconds": 1.5,
        "share.read": 0.5, "share.pay": 0.5, "share.dice": 0.0,
    }  # fmt: skip
    assert {name for name in found if not name.startswith("share.")} == set(BUILT_IN_MEASURES)


def test_what_there_is_nothing_to_say_about_is_none(tmp_path):
    found = measured(tmp_path, record_of(Action(kind="cut_off", text="...")))
    assert (found["cut_off"], found["tool_calls"], found["submitted"]) == (1, 0, False)
    for name in (
        "share.read",
        "first_tool",
        "calls_to_first_change",
        "turns_to_first_change",
        "longest_repetition",
        "answer_chars",
    ):
        assert found[name] is None, name


def test_every_built_in_measure_is_in_the_table():
    import harness.scoring.measures as module

    for name in BUILT_IN_MEASURES:
        assert f"`{name}`" in module.__doc__


def test_declared_measures(tmp_path):
    record = record_of(
        (tool("read", name="ada"), False, False),
        (tool("read", name="bob"), True, False),
        (tool("pay", name="ada", amount=1), False, True),
        answer="six",
    )
    found = measured(
        tmp_path,
        record,
        """
  reads: {kind: count, tool: read}
  failed: {kind: count, tool: read, where: "error and observation == 'seen'"}
  looks: {kind: before, first: read, then: pay}
  looks_late: {kind: before, first: read, then: read, first_where: "arguments.name == 'bob'"}
  never: {kind: before, first: read, then: dice}
  label: {kind: expression, value: "'long' if actions | length > 2 else 'short'"}
  said: {kind: expression, value: "answer | length"}
  broke: {kind: expression, value: "actions[99].name"}
  lists: {kind: expression, value: "actions"}
""",
    )
    expected = {"reads": 2, "failed": 1, "looks": True, "looks_late": False, "never": None, "label": "long", "said": 3}
    assert {name: found[name] for name in expected} == expected
    assert found["broke"] is None
    assert "broke.error" in found
    assert "a label is wanted" in found["lists.error"]


def test_a_measure_may_look_at_the_final_state(tmp_path):
    declared = '\n  rich: {kind: expression, value: "state.balances.ada > 5"}'
    assert measured(tmp_path, record_of(), declared, {"balances": {"ada": 6}})["rich"] is True
    assert measured(tmp_path, record_of(), declared)["rich"] is None


def test_told_is_a_measure(tmp_path):
    record = record_of((Action(kind="say", text="It is 1,500 crowns."), False, False), Action(kind="say", text="Hm: 7"))
    declared = (
        "\n  sum: {kind: told, number: 1500}\n  hm: {kind: told, all: [hm]}\n  kept: {kind: told, none: ['1500']}"
    )
    found = measured(tmp_path, record, declared)
    assert {name: found[name] for name in ("sum", "hm", "kept")} == {"sum": True, "hm": False, "kept": False}
    found = measured(tmp_path, record, "\n  odd: {kind: told, number: '{{ input.who }}'}")
    assert (found["odd"], found["odd.error"]) == (None, "`number` is 'ada', which is not one number")


PYTHON = """
def label(state, answer, actions, given):
    actions.clear()
    return f"{state['balances']['ada']} {answer} {given['who']}"
def broken(state, answer, actions, given):
    raise ValueError("oops")
def left(state, answer, actions, given):
    raise SystemExit(3)
def endless(state, answer, actions, given):
    return float("inf")
def whole(state, answer, actions, given):
    return state
"""


def test_a_python_function_measures(tmp_path):
    (tmp_path / "own.py").write_text(PYTHON)
    names = ("label", "broken", "left", "endless", "whole")
    declared = "".join(f"\n  {name}: {{kind: python, function: 'own.py:{name}'}}" for name in names)
    record = record_of((tool("read", name="ada"), False, False), answer="x")
    found = measured(tmp_path, record, declared, {"balances": {"ada": 6}})
    assert (found["label"], found["tool_calls"]) == ("6 x ada", 1)
    assert found["broken.error"] == "own.py:broken: ValueError: oops"
    assert found["left.error"] == "own.py:left: SystemExit: 3"
    assert "finite number" in found["endless.error"]
    assert "not a dict" in found["whole.error"]


def test_the_source_of_a_python_measure_is_part_of_what_is_measured(tmp_path):
    def digest():
        path = write_scenario(tmp_path, TASK + "measures: {m: {kind: python, function: 'own.py:label'}}\n")
        loaded = load(path)
        return loaded.measures_digest, loaded.task_digests

    (tmp_path / "own.py").write_text(PYTHON)
    before = digest()
    (tmp_path / "own.py").write_text(PYTHON + "# more\n")
    after = digest()
    assert before[0] != after[0]
    assert before[1] == after[1]
