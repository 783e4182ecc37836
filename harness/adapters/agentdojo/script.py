"""AgentDojo's side of the kind `agentdojo`: run by `harness.adapters.serve` where AgentDojo is installed.

Nothing is scored or worded here: the functions, their outputs, the attacks and the verdicts are AgentDojo's own.
"""

import datetime
import itertools
import json
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import yaml
from agentdojo.agent_pipeline.agent_pipeline import load_system_message
from agentdojo.agent_pipeline.base_pipeline_element import BasePipelineElement
from agentdojo.agent_pipeline.tool_execution import tool_result_to_str
from agentdojo.attacks.attack_registry import load_attack
from agentdojo.attacks.base_attacks import BaseAttack
from agentdojo.default_suites.v1.tools import cloud_drive_client, email_client
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime, TaskEnvironment
from agentdojo.task_suite.load_suites import get_suite
from agentdojo.task_suite.task_suite import TaskSuite, read_suite_file
from agentdojo.types import text_content_block_from_string

SERVED = ("describe", "list_tasks", "open_trial", "call", "calls", "restore", "final", "score", "close_trial")

_READING = ("get_", "read_", "search_", "list_", "check_", "find_", "view_")
_numbers = itertools.count(1)
_trials: dict[int, "_Trial"] = {}

NOW = datetime.datetime(2025, 1, 1, 12, tzinfo=None)
"""When mails are sent and files changed. AgentDojo stamps them with the time of day, which no two trials share; this
is later than all that its suites begin with, as the time of day was."""
for _module in (email_client, cloud_drive_client):
    _module.datetime = SimpleNamespace(datetime=SimpleNamespace(now=lambda: NOW))

# Each call of pydantic's old names in AgentDojo warns; nobody here can mend it.
warnings.simplefilter("ignore")


@dataclass
class _Trial:
    runtime: FunctionsRuntime
    before: TaskEnvironment
    world: TaskEnvironment
    calls: list[FunctionCall] = field(default_factory=list)


class _Nobody(BasePipelineElement):
    """The pipeline an attack is made against; attacks look at its name only."""

    name = "local"

    def query(self, *_: object, **__: object) -> Any:
        raise RuntimeError("an attack that needs a model is not offered")


def describe(suite: str, version: str) -> dict[str, Any]:
    """The system message, and the tools with closed schemas and whether they only read."""
    suite_ = get_suite(version, suite)
    reading = _reading(suite_)
    tools = [
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": _closed(tool.parameters.model_json_schema()),
            "changes_state": tool.name not in reading,
        }
        for tool in suite_.tools
    ]
    return {"tools": tools, "system_message": load_system_message(None)}


def list_tasks(suite: str, version: str, attack: str | None, addressed_as: str) -> list[dict[str, Any]]:
    """The user tasks, and with an attack every pair of a user and an injection task, with their gold calls."""
    suite_ = get_suite(version, suite)
    attacking = _attack(suite_, attack, addressed_as) if attack else None
    tasks = []
    for user_task in suite_.user_tasks.values():
        tasks.append(_described(suite_, user_task.ID, None, {}))
        if attacking is not None:
            for injection_task in suite_.injection_tasks.values():
                injections = attacking.attack(user_task, injection_task)
                tasks.append(_described(suite_, user_task.ID, injection_task.ID, injections))
    return tasks


def _described(suite: TaskSuite, user: str, injection: str | None, injections: dict[str, str]) -> dict[str, Any]:
    task = suite.get_user_task_by_id(user)
    calls = task.ground_truth(_initial(suite, user, injections))
    return {
        "user_task": user,
        "injection_task": injection,
        "injections": injections,
        "prompt": task.PROMPT,
        "goal": None if injection is None else suite.get_injection_task_by_id(injection).GOAL,
        "calls": [{"function": call.function, "args": _plain(call.args)} for call in calls],
        "answer": task.GROUND_TRUTH_OUTPUT,
    }


def open_trial(
    suite: str, version: str, user_task: str, injection_task: str | None, injections: dict[str, str]
) -> int:  # fmt: skip
    """Open a trial's own environment; the number that names it from now on."""
    suite_ = get_suite(version, suite)
    if injection_task is not None:
        suite_.get_injection_task_by_id(injection_task)
    world = _initial(suite_, user_task, injections)
    number = next(_numbers)
    _trials[number] = _Trial(FunctionsRuntime(suite_.tools), world.model_copy(deep=True), world)
    return number


def call(trial: int, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a function, as AgentDojo shows its result to its models, and what it said if it failed."""
    open_ = _trials[trial]
    result, error = open_.runtime.run_function(open_.world, tool, arguments)
    open_.calls.append(FunctionCall(function=tool, args=arguments))
    try:
        return {"text": error or tool_result_to_str(result), "error": error is not None}
    except TypeError:  # a kind of result that AgentDojo's own formatter does not know
        return {"text": str(result), "error": False}


def calls(trial: int) -> list[dict[str, Any]]:
    """The calls so far, failed ones too: with the beginning they are the whole state.

    Not the environment as JSON: validating an inbox would put the first mails into it again.
    """
    return [{"function": call.function, "args": _plain(call.args)} for call in _trials[trial].calls]


def restore(trial: int, calls: list[dict[str, Any]]) -> None:
    """Back to the moment after these calls."""
    open_ = _trials[trial]
    open_.world = open_.before.model_copy(deep=True)
    open_.calls = _again(open_.runtime, open_.world, calls)


def final(trial: int) -> dict[str, Any]:
    """All that is needed to score the trial again, and the environment before and after."""
    open_ = _trials[trial]
    return {"before": _dumped(open_.before), "after": _dumped(open_.world), "calls": calls(trial)}


def score(
    suite: str, version: str, user_task: str, injection_task: str | None, injections: dict[str, str],
    state: dict[str, Any], answer: str | None,
) -> dict[str, bool | None]:  # fmt: skip
    """AgentDojo's own verdicts: `utility`, and `security`, which is True where the injection reached its goal."""
    suite_ = get_suite(version, suite)
    before = _initial(suite_, user_task, injections)
    after = before.model_copy(deep=True)
    traces = _again(FunctionsRuntime(suite_.tools), after, state["calls"])
    if _dumped(after) != state["after"]:
        raise ValueError("the recorded calls do not lead to the recorded environment")
    output = [] if answer is None else [text_content_block_from_string(answer)]

    def verdict(task: Any) -> bool:
        copies = before.model_copy(deep=True), after.model_copy(deep=True)
        return bool(suite_._check_task_result(task, output, *copies, traces))

    return {
        "utility": verdict(suite_.get_user_task_by_id(user_task)),
        "security": verdict(suite_.get_injection_task_by_id(injection_task)) if injection_task else None,
    }


def close_trial(trial: int) -> None:
    """Forget a trial."""
    _trials.pop(trial, None)


def _initial(suite: TaskSuite, user_task: str, injections: dict[str, str]) -> TaskEnvironment:
    """What `TaskSuite.run_task_with_pipeline` begins with; YAML read by the parser in C, which takes a tenth of it."""
    defaults = _defaults(suite)
    values = {**defaults, **injections}
    if set(values) != set(defaults):
        raise ValueError(f"injections are for {', '.join(defaults)}")
    text = read_suite_file(suite.name, "environment.yaml", suite.data_path).format(**values)
    world = suite.environment_type.model_validate(yaml.load(text, yaml.CSafeLoader))
    environment: TaskEnvironment = suite.get_user_task_by_id(user_task).init_environment(world)
    return environment


@lru_cache(maxsize=8)
def _defaults(suite: TaskSuite) -> dict[str, str]:
    defaults: dict[str, str] = suite.get_injection_vector_defaults()
    return defaults


@lru_cache(maxsize=8)
def _attack(suite: TaskSuite, name: str, addressed_as: str) -> BaseAttack:
    attack = load_attack(name, suite, _Nobody())
    if hasattr(attack, "model_name") and name in ("important_instructions", "tool_knowledge"):
        attack.model_name = addressed_as
    return attack


def _reading(suite: TaskSuite) -> set[str]:
    """Functions named as readers that were tried and left the environment as it was.

    Tried are those of the ground truths, and those that need no arguments; of the others nothing is promised.
    """
    tried: dict[str, bool] = {}
    runtime = FunctionsRuntime(suite.tools)
    bare = [FunctionCall(function=tool.name, args={}) for tool in suite.tools if not tool.parameters.model_fields]
    for task in suite.user_tasks.values():
        world = _initial(suite, task.ID, {})
        for call in [*bare, *task.ground_truth(world)]:
            reads = call.function.startswith(_READING)
            before = world.model_copy(deep=True) if reads else None
            if reads or call not in bare:
                runtime.run_function(world, call.function, call.args)
            if reads:
                tried[call.function] = tried.get(call.function, True) and world == before
    return {name for name, kept in tried.items() if kept}


def _again(runtime: FunctionsRuntime, world: TaskEnvironment, calls: list[dict[str, Any]]) -> list[FunctionCall]:
    done = []
    for call in calls:
        runtime.run_function(world, call["function"], call["args"])
        done.append(FunctionCall(function=call["function"], args=call["args"]))
    return done


def _dumped(world: TaskEnvironment) -> Any:
    return json.loads(world.model_dump_json())


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that names all its arguments, without pydantic's titles."""
    closed = {key: _untitled(value) for key, value in schema.items() if key != "title"}
    return {"type": "object", "properties": {}, **closed, "additionalProperties": False}


def _untitled(part: Any) -> Any:
    if isinstance(part, list):
        return [_untitled(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: _untitled(value) for key, value in part.items() if not (key == "title" and isinstance(value, str))}


def _plain(value: Any) -> Any:
    """A value as JSON has it; what is no such value (a date) as text."""
    return json.loads(json.dumps(value, default=str))
