"""tau2's side of the kind `tau2`: run by `harness.adapters.serve` where tau2 is installed.

Nothing is scored or worded here: the tools, what they answer, the policies, the guidelines for who plays the user and
the verdicts are tau2's own.
"""

import itertools
import json
import os
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

# Read when tau2 imports litellm, which would look on the web for prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from loguru import logger
from tau2.agent.llm_agent import AGENT_INSTRUCTION
from tau2.agent.llm_agent import SYSTEM_PROMPT as AGENT_PROMPT
from tau2.data_model.message import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from tau2.data_model.simulation import SimulationRun, TerminationReason
from tau2.data_model.tasks import Task
from tau2.environment.environment import Environment
from tau2.environment.toolkit import ToolKitBase, ToolType
from tau2.evaluator.evaluator import EvaluationType, evaluate_simulation
from tau2.orchestrator.orchestrator import DEFAULT_FIRST_AGENT_MESSAGE
from tau2.registry import registry
from tau2.user.user_simulator import SYSTEM_PROMPT as USER_PROMPT
from tau2.user.user_simulator import UserSimulator, get_global_user_sim_guidelines

SERVED = ("describe", "list_tasks", "open_trial", "call", "say", "messages", "restore", "final", "score", "close_trial")

MOST_LIVE = 24
"""Databases held at once, of up to 35 MB each; that of a trial left out is made again from its messages."""

logger.remove()
_numbers = itertools.count(1)
_trials: dict[int, "_Trial"] = {}
_live: "OrderedDict[int, Environment]" = OrderedDict()


@dataclass
class _Trial:
    domain: str
    task: Task
    messages: list[Message] = field(default_factory=list)


def describe(domain: str) -> dict[str, Any]:
    """The tools of the agent and of the user, with closed schemas."""
    world = _constructed(domain)
    users = [] if world.user_tools is None else _tools(world.user_tools)
    return {"agent": _tools(world.tools), "user": users}


def list_tasks(domain: str) -> list[dict[str, Any]]:
    """The tasks of the split `base`: who is told what, the gold actions, and which of these raise."""
    world = _constructed(domain)
    policy = AGENT_PROMPT.format(agent_instruction=AGENT_INSTRUCTION, domain_policy=world.get_policy())
    guidelines = get_global_user_sim_guidelines(use_tools=world.user_tools is not None)
    tasks = []
    for task in _tasks(domain).values():
        criteria = task.evaluation_criteria
        instructions = task.user_scenario.instructions
        tasks.append(
            {
                "id": task.id,
                "greeting": DEFAULT_FIRST_AGENT_MESSAGE.content,
                "agent_brief": policy,
                "user_brief": USER_PROMPT.format(
                    global_user_sim_guidelines=guidelines, instructions=task.user_scenario
                ),
                "reason": instructions if isinstance(instructions, str) else instructions.reason_for_call,
                "actions": _gold(domain, task),
                "communicate": list(criteria.communicate_info or []),
                "basis": [basis.value for basis in criteria.reward_basis],
            }
        )
    return tasks


def _gold(domain: str, task: Task) -> list[dict[str, Any]]:
    world = _begun(domain, task, [])
    actions = []
    for action in task.evaluation_criteria.actions or []:
        seen = world.get_response(
            ToolCall(id="", name=action.name, arguments=action.arguments, requestor=action.requestor)
        )
        kit = world.tools if action.requestor == "assistant" else world.user_tools
        writes = action.name in kit.tools and kit.tool_type(action.name) == ToolType.WRITE
        actions.append(
            {
                "requestor": action.requestor, "name": action.name, "arguments": action.arguments, "writes": writes,
                "raises": seen.content if seen.error else None,
            }
        )  # fmt: skip
    return actions


def open_trial(domain: str, task: str) -> int:
    """Begin a conversation: the agent has greeted the user. The number that names it from now on."""
    found = _tasks(domain)[task]
    number = next(_numbers)
    _trials[number] = _Trial(
        domain, found, [AssistantMessage(role="assistant", content=DEFAULT_FIRST_AGENT_MESSAGE.content)]
    )
    _environment(number)
    return number


def call(trial: int, requestor: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a tool of the agent (`assistant`) or the `user`; what tau2 shows of its result."""
    messages = _trials[trial].messages
    asked = ToolCall(id=f"call_{len(messages)}", name=tool, arguments=arguments, requestor=requestor)
    speaker = AssistantMessage if requestor == "assistant" else UserMessage
    seen = _environment(trial).get_response(asked)
    messages += [speaker(role=requestor, content=None, tool_calls=[asked]), seen]
    return {"text": seen.content, "error": seen.error}


def say(trial: int, requestor: str, text: str) -> bool:
    """Say something to the other; whether that ends the conversation, by tau2's own rule."""
    speaker = AssistantMessage if requestor == "assistant" else UserMessage
    message = speaker(role=requestor, content=text)
    _trials[trial].messages.append(message)
    return requestor == "user" and bool(UserSimulator.is_stop(message))


def messages(trial: int) -> list[dict[str, Any]]:
    """All that was said and called, which with the task is the whole state."""
    return [_dumped(message) for message in _trials[trial].messages]


def restore(trial: int, messages: list[dict[str, Any]]) -> None:
    """Back to the moment after these messages; tau2 makes their calls again and holds the answers to be the same."""
    _trials[trial].messages = [_read(message) for message in messages]
    _live.pop(trial, None)
    _environment(trial)


def final(trial: int) -> dict[str, Any]:
    """All that is needed to score the trial again, and the records of the databases that are not as at first."""
    open_ = _trials[trial]
    first, last = _begun(open_.domain, open_.task, []), _environment(trial)
    changed = {"agent": _changes(first.tools.db.model_dump(mode="json"), last.tools.db.model_dump(mode="json"))}
    if last.user_tools is not None:
        kits = first.user_tools, last.user_tools
        changed["user"] = _changes(*(kit.db.model_dump(mode="json") for kit in kits))
    return {"messages": messages(trial), "changed": changed}


def score(domain: str, task: str, messages: list[dict[str, Any]], ended: bool) -> dict[str, float]:
    """tau2's own scores: `reward`, and its parts as far as the task's reward rests on them."""
    reason = TerminationReason.USER_STOP if ended else TerminationReason.MAX_STEPS
    run = SimulationRun(
        id="", task_id=task, start_time="", end_time="", duration=0.0, termination_reason=reason,
        messages=[_read(message) for message in messages],
    )  # fmt: skip
    given = evaluate_simulation(run, _tasks(domain)[task], EvaluationType.ALL, solo_mode=False, domain=domain)
    parts = given.reward_breakdown or {}
    return {"reward": given.reward, **{basis.value.lower(): value for basis, value in parts.items()}}


def close_trial(trial: int) -> None:
    """Forget a trial."""
    _trials.pop(trial, None)
    _live.pop(trial, None)


def _environment(trial: int) -> Environment:
    """The world of a trial, made again from its messages where it is not held."""
    world = _live.pop(trial, None)
    if world is None:
        open_ = _trials[trial]
        world = _begun(open_.domain, open_.task, open_.messages)
    _live[trial] = world
    while len(_live) > MOST_LIVE:
        _live.popitem(last=False)
    return world


def _begun(domain: str, task: Task, messages: list[Message]) -> Environment:
    """A world as tau2's evaluator sets it up: the task's beginning, and the calls of these messages."""
    world, initial = _constructed(domain), task.initial_state
    data, actions = (None, None) if initial is None else (initial.initialization_data, initial.initialization_actions)
    world.set_state(initialization_data=data, initialization_actions=actions, message_history=messages)
    return world


def _constructed(domain: str) -> Environment:
    """tau2's environment over a database read by pydantic's own parser, which takes a tenth of the time."""
    construct = registry.get_env_constructor(domain)
    if domain == "telecom":  # small, and with a database of the user besides
        return construct()
    kind, text = _database(domain)
    return construct(db=kind.model_validate_json(text))


@lru_cache(maxsize=4)
def _database(domain: str) -> tuple[Any, str]:
    database = registry.get_env_constructor(domain)().tools.db
    return type(database), database.model_dump_json()


@lru_cache(maxsize=4)
def _tasks(domain: str) -> dict[str, Task]:
    return {task.id: task for task in registry.get_tasks_loader(domain)("base")}


def _tools(kit: ToolKitBase) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "description": tool.openai_schema["function"]["description"],
            "parameters": _closed(tool.openai_schema["function"]["parameters"]),
            "changes_state": kit.tool_type(name) == ToolType.WRITE,
        }
        for name, tool in kit.get_tools().items()
    ]


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that names all its arguments, without pydantic's titles."""
    return {"type": "object", "properties": {}, **_untitled(schema), "additionalProperties": False}


def _untitled(part: Any) -> Any:
    if isinstance(part, list):
        return [_untitled(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {key: _untitled(value) for key, value in part.items() if not (key == "title" and isinstance(value, str))}


def _changes(first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """Table -> key -> the record as it is now (None where it is gone), of those that changed."""
    changed: dict[str, Any] = {}
    for table in {**first, **last}:
        before, after = first.get(table), last.get(table)
        if isinstance(before, dict) and isinstance(after, dict):
            records = {key: after.get(key) for key in {**before, **after} if before.get(key) != after.get(key)}
            if records:
                changed[table] = records
        elif before != after:
            changed[table] = after
    return changed


def _dumped(message: Message) -> dict[str, Any]:
    """A message as it was, without the time of day."""
    return json.loads(message.model_dump_json(exclude={"timestamp"}, exclude_none=True))


def _read(message: dict[str, Any]) -> Message:
    kind = {"assistant": AssistantMessage, "user": UserMessage, "tool": ToolMessage}[message["role"]]
    return kind.model_validate(message)
