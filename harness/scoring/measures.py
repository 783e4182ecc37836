"""Measures: how a trial went about its task. They never enter the score.

Built in, for every trial (counts are over all roles; None where there is nothing to count over):

| name | what |
|---|---|
| `turns` | model calls that were answered |
| `tool_calls` | tool calls carried out, `submit` left out |
| `share.<tool>` | share of the tool calls that went to this tool, for every tool offered; None without a call |
| `first_tool` | name of the first tool called; None without a call |
| `changes` | tool calls carried out without an error that may change the state |
| `calls_to_first_change` | tool calls up to and with the first of those; None when there was none |
| `turns_to_first_change` | model calls made before that call was carried out; None when there was none |
| `repeated` | tool calls that the same role had made before, with the same arguments in canonical form |
| `longest_repetition` | most equal tool calls of one role in a row (1: none was repeated at once) |
| `errors` | tool calls that came back with an error |
| `recoveries` | errors after which the same role's next tool call came back without one |
| `malformed` | attempts at a call that could not be carried out |
| `cut_off` | replies that ended at the token limit |
| `refusals` | the provider's own refusals and content filter |
| `says` | replies of text without a call |
| `submitted` | whether `submit` was called |
| `answer_chars` | characters of the answer; None without one |
| `prompt_tokens_per_turn`, `completion_tokens_per_turn` | means over calls whose tokens are known |
| `model_seconds`, `tool_seconds` | time in answered model calls (waiting left out) and in tool calls |

Declared measures of the scenario come under their own names. One that cannot be worked out is None, and
`<name>.error` says why.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from harness.errors import UserError
from harness.record import CallEvent, RecordedAction, ToolEvent, TrialDocument, TrialRecord, recorded_actions
from harness.scoring.checks import condition_holds, is_call
from harness.scoring.grading import Grade
from harness.scoring.told import was_told
from harness.spec import TemplateError, digest, evaluate, load_python
from harness.spec.actions import canonical_json
from harness.spec.resolved import LoadedScenario
from harness.spec.scenario import (
    BeforeMeasure,
    CountMeasure,
    ExpressionMeasure,
    PythonMeasure,
    RewardMeasure,
    Task,
    ToldMeasure,
)

REWARD = "reward."
"""What measures of rewards are called that trading seats adds, before the role."""
BUILT_IN_MEASURES = (
    "turns", "tool_calls", "first_tool", "changes", "calls_to_first_change", "turns_to_first_change", "repeated",
    "longest_repetition", "errors", "recoveries", "malformed", "cut_off", "refusals", "says", "submitted",
    "answer_chars", "prompt_tokens_per_turn", "completion_tokens_per_turn", "model_seconds", "tool_seconds",
)  # fmt: skip
"""Names of the built-in measures, `share.<tool>` left out."""


def with_rewards(scenario: LoadedScenario, roles: Sequence[str]) -> LoadedScenario:
    """The scenario with a measure `reward.<role>` for each of these roles: what its environment says it has earned.

    Measures are derived from the record and no part of what a trial is.
    """
    if not roles:
        return scenario
    added = {f"{REWARD}{role}": RewardMeasure(kind="reward", of=role) for role in roles}
    return replace(
        scenario,
        spec=scenario.spec.model_copy(update={"measures": {**scenario.spec.measures, **added}}),
        measures_digest=digest([scenario.measures_digest, "rewards of", list(roles)]),
    )


def measure(
    scenario: LoadedScenario, task: Task, record: TrialRecord, grade: Grade | None = None
) -> dict[str, JsonValue]:
    """Work out all measures of a recorded trial. `grade` is what the grader gave. Never raises for what a trial did."""
    actions = recorded_actions(record.document)
    measures = built_in(record.document, actions, record.row.answer)
    return measures | declared_measures(scenario, task, actions, record.row.answer, grade)


def declared_measures(
    scenario: LoadedScenario,
    task: Task,
    actions: Sequence[RecordedAction],
    answer: str | None,
    grade: Grade | None,
) -> dict[str, JsonValue]:
    """Work out the measures that the scenario declares."""
    measures: dict[str, JsonValue] = {}
    names: dict[str, Any] = {"actions": actions, "answer": answer or "", "input": task.input}
    if grade is not None and grade.state is not None:
        names["state"] = dict(grade.state)
    rewards = {} if grade is None else grade.rewards
    for name, declared in scenario.spec.measures.items():
        try:
            if isinstance(declared, RewardMeasure):
                measures[name] = _rewarded(declared, rewards)
            elif isinstance(declared, ToldMeasure):
                seen = {**names, "task": task.id}
                measures[name] = was_told(declared, actions, answer, seen, alone=len(scenario.spec.roles) == 1)
            elif isinstance(declared, PythonMeasure):
                measures[name] = _python(declared, names, scenario.path.parent)
            else:
                measures[name] = _declared(declared, actions, task, names)
        except (TemplateError, UserError) as error:
            measures |= {name: None, f"{name}.error": str(error)[:300]}
    return measures


def built_in(document: TrialDocument, actions: Sequence[RecordedAction], answer: str | None) -> dict[str, JsonValue]:
    """Work out the built-in measures."""
    calls = [event for event in document.events if isinstance(event, CallEvent) and event.reply is not None]
    tools = [a for a in actions if a["kind"] == "tool" and a["observation"] is not None]
    kinds = Counter(action["kind"] for action in actions)
    changes = [n for n, tool in enumerate(tools, start=1) if tool["changes_state"] and not tool["error"]]
    measures: dict[str, JsonValue] = {
        "turns": len(calls),
        "tool_calls": len(tools),
        "first_tool": tools[0]["name"] if tools else None,
        "changes": len(changes),
        "calls_to_first_change": changes[0] if changes else None,
        "turns_to_first_change": _turns_to_first_change(document),
        "repeated": _repeated(tools),
        "longest_repetition": _longest_repetition(tools),
        "errors": sum(tool["error"] for tool in tools),
        "recoveries": _recoveries(tools),
        "malformed": kinds["malformed"],
        "cut_off": kinds["cut_off"],
        "refusals": kinds["refuse"],
        "says": kinds["say"],
        "submitted": kinds["submit"] > 0,
        "answer_chars": None if answer is None else len(answer),
        "prompt_tokens_per_turn": _mean(call.prompt_tokens for call in calls),
        "completion_tokens_per_turn": _mean(call.completion_tokens for call in calls),
        "model_seconds": round(sum(call.seconds for call in calls), 6),
        "tool_seconds": round(sum(e.seconds for e in document.events if isinstance(e, ToolEvent)), 6),
    }
    for tool in _offered(document, calls):
        used = sum(action["name"] == tool for action in tools)
        measures[f"share.{tool}"] = used / len(tools) if tools else None
    return measures


def _turns_to_first_change(document: TrialDocument) -> int | None:
    turns = 0
    for event in document.events:
        if isinstance(event, CallEvent) and event.reply is not None:
            turns += 1
        elif isinstance(event, ToolEvent) and event.changes_state and event.action.kind == "tool" and not event.error:
            return turns
    return None


def _key(action: RecordedAction) -> tuple[str, str, str]:
    return action["role"], action["name"], canonical_json(action["arguments"])


def _repeated(tools: Sequence[RecordedAction]) -> int:
    return len(tools) - len({_key(tool) for tool in tools})


def _longest_repetition(tools: Sequence[RecordedAction]) -> int | None:
    longest = 0
    last: dict[str, tuple[tuple[str, str, str], int]] = {}
    for tool in tools:
        key = _key(tool)
        before, length = last.get(tool["role"], (None, 0))
        last[tool["role"]] = (key, length + 1 if before == key else 1)
        longest = max(longest, last[tool["role"]][1])
    return longest or None


def _recoveries(tools: Sequence[RecordedAction]) -> int:
    count = 0
    failed: dict[str, bool] = {}
    for tool in tools:
        count += failed.get(tool["role"], False) and not tool["error"]
        failed[tool["role"]] = tool["error"]
    return count


def _offered(document: TrialDocument, calls: Sequence[CallEvent]) -> list[str]:
    """Tools offered to any role, in the order first seen, `submit` left out."""
    names: dict[str, None] = {}
    for offered in dict.fromkeys(call.tools for call in calls if call.tools is not None):
        schemas: Any = document.schemas.get(offered)
        for schema in schemas if isinstance(schemas, list) else []:
            name = schema.get("function", schema).get("name")
            if isinstance(name, str) and name != "submit":
                names[name] = None
    return list(names)


def _mean(values: Iterable[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _rewarded(declared: RewardMeasure, rewards: Mapping[str, float | str]) -> float:
    given = rewards.get(declared.of, f"reward {declared.of}: the trial was not graded")
    if isinstance(given, str):
        raise TemplateError(given)
    return given


def _declared(
    declared: CountMeasure | BeforeMeasure | ExpressionMeasure,
    actions: Sequence[RecordedAction],
    task: Task,
    names: Mapping[str, Any],
) -> JsonValue:
    if isinstance(declared, CountMeasure):
        return len(_calls(actions, declared.tool, declared.where, task))
    if isinstance(declared, BeforeMeasure):
        first = _calls(actions, declared.first, declared.first_where, task)
        then = _calls(actions, declared.then, declared.then_where, task)
        return None if not then else bool(first) and first[0] < then[0]
    return _label(evaluate(declared.value, names))


def _python(declared: PythonMeasure, names: Mapping[str, Any], base: Path) -> JsonValue:
    """What a user's function says; it gets copies, and whatever it raises is its own account."""
    function = load_python(declared.function, base)
    given = copy.deepcopy([names.get("state", {}), names["answer"], list(names["actions"]), dict(names["input"])])
    try:
        return _label(function(*given))
    except (Exception, SystemExit) as error:
        what = " ".join(str(error).split())
        raise UserError(f"{Path(declared.function).name}: {type(error).__name__}: {what}") from error


def _label(value: object) -> JsonValue:
    if isinstance(value, float) and not math.isfinite(value):
        raise TemplateError(f"a measure must be a finite number, not {value}")
    if value is None or isinstance(value, bool | int | float | str):
        return value if not isinstance(value, str) else value[:300]
    raise TemplateError(f"a number, a truth value or a label is wanted, not a {type(value).__name__}")


def _calls(actions: Sequence[RecordedAction], tool: str, where: str | None, task: Task) -> list[int]:
    """Positions of the calls of a tool, successful or not, for which `where` holds."""
    return [
        position
        for position, action in enumerate(actions)
        if is_call(action, tool) and (where is None or condition_holds(where, action, task))
    ]
