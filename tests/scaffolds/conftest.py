"""A small world, models with canned replies, and a recorder that keeps everything: what the tests here play with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from harness.environments.protocol import SUBMIT, EnvironmentFault, Observation, Tool
from harness.models.protocol import ModelReply, ModelRequest, Receipt, Usage
from harness.scaffolds import Outcome, TrialContext, compile_scaffold, run_scaffold
from harness.spec.limits import TrialLimits
from harness.spec.scaffold import Scaffold


def tool(name: str, properties: dict[str, Any], changes_state: bool = False, required: list[str] | None = None) -> Tool:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }
    return Tool(name, f"The tool {name}.", schema, changes_state)


TEXT = {"type": "string"}
TOOLS = [
    tool("get", {"key": TEXT}),
    tool("put", {"key": TEXT, "value": TEXT}, changes_state=True),
    tool("count", {"number": {"type": "integer", "description": "how many"}}, required=[]),
    tool("sleep", {"seconds": {"type": "number"}}),
    tool("fail", {"how": {"type": "string", "enum": ["fault", "bug", "timeout"]}}),
    tool("finish", {}, changes_state=True),
    tool("say", {"text": TEXT}, changes_state=True),
]


class Shelf:
    """An environment of keys and values."""

    kind: ClassVar[str] = "shelf"
    Options: ClassVar[type[BaseModel]] = BaseModel
    Setup: ClassVar[type[BaseModel]] = BaseModel

    def __init__(self, turns: list[str] | None = None) -> None:
        self.values: dict[str, str] = {}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.ended = False
        self.turns = turns
        self.said: list[tuple[str, str]] = []
        self.told: dict[str, int] = {}

    def turn(self) -> str | None:
        return None if self.turns is None else self.turns[len(self.calls) % len(self.turns)]

    def finished(self) -> bool:
        return self.ended

    async def news(self, role: str) -> str | None:
        told, self.told[role] = self.told.get(role, 0), len(self.said)
        return "\n".join(f"{who}: {words}" for who, words in self.said[told:] if who != role) or None

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        self.calls.append((role, tool, arguments))
        if tool == "put":
            self.values[arguments["key"]] = arguments["value"]
        elif tool == "sleep":
            await asyncio.sleep(arguments["seconds"])
        elif tool == "say" and arguments["text"] == "hush":
            return Observation("Nobody says that here.", error=True)
        elif tool == "say":
            self.said.append((role, arguments["text"]))
        elif tool == "finish":
            self.ended = True
        elif tool == "fail":
            raise {"fault": EnvironmentFault, "bug": KeyError, "timeout": TimeoutError}[arguments["how"]]("broken")
        elif tool == "get" and arguments["key"] not in self.values:
            return Observation(f"no {arguments['key']}", error=True)
        return Observation(self.values.get(arguments.get("key", ""), "ok"))


class Canned:
    """A model that answers from a list, or by a function of the request; keeps every request."""

    def __init__(self, name: str, replies: Any, delay: Callable[[ModelRequest], float] | None = None) -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        self._replies = replies if callable(replies) else iter(replies)
        self._delay = delay

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        if self._delay is not None:
            await asyncio.sleep(self._delay(request))
        answer = self._replies(request) if callable(self._replies) else next(self._replies)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, ModelReply) else make_reply(answer)

    async def close(self) -> None:
        pass


def make_reply(content: Any = None, finish: str = "stop", **more: Any) -> ModelReply:
    """A reply with this content (or this whole message)."""
    message = dict(content) if isinstance(content, dict) else {"content": content}
    usage = more.pop("usage", Usage(prompt=10, completion=5))
    cost, waited = more.pop("cost", None), more.pop("waited", 0.0)
    receipt = Receipt({}, {}, [], None, None, "canned", None, None)
    return ModelReply({"role": "assistant", **message, **more}, finish, usage, cost, receipt, 0.01, waited)


def make_calls(*calls: tuple[str, Any], content: str | None = None, finish: str = "tool_calls") -> ModelReply:
    """A reply with native tool calls; arguments that are text go as they are."""
    made = [
        {
            "id": f"id{number}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for number, (name, given) in enumerate(calls)
    ]
    return make_reply({"content": content, "tool_calls": made}, finish)


def json_call(name: str, **arguments: Any) -> str:
    """What a model writes under the json protocol."""
    return json.dumps({"action": {"name": name, "arguments": arguments}})


@dataclass
class Kept:
    """A recorder; one list of all that was told, in order."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def call(self, **event: Any) -> None:
        self.events.append(("call", event))

    def tool(self, **event: Any) -> None:
        self.events.append(("tool", event))

    def node(self, **event: Any) -> None:
        self.events.append((event["kind"], event))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for told, event in self.events if told == kind]

    def actions(self) -> list[str]:
        """Canonical strings of every action, in the order of the calls."""
        return [action.key for event in self.of("call") for action in event["actions"]]


@dataclass
class Played:
    outcome: Outcome
    kept: Kept
    world: Shelf
    models: Mapping[str, Canned]

    @property
    def model(self) -> Canned:
        return next(iter(self.models.values()))


@dataclass
class Lab:
    """What tests build with."""

    base: Path
    reply = staticmethod(make_reply)
    calls = staticmethod(make_calls)
    json_call = staticmethod(json_call)
    tool = staticmethod(tool)
    Shelf = Shelf
    Canned = Canned
    Kept = Kept
    tools: tuple[Tool, ...] = (*TOOLS, SUBMIT)

    def scaffold(self, nodes: dict[str, Any], protocol: str | dict[str, Any] = "json", **more: Any) -> Scaffold:
        settings = {"kind": protocol} if isinstance(protocol, str) else protocol
        written = {"kind": "scaffold", "name": "test", "summary": "s", "protocol": settings, "nodes": nodes}
        return Scaffold.model_validate({"start": next(iter(nodes)), **written, **more})

    def react(self, protocol: str | dict[str, Any] = "json", **more: Any) -> Scaffold:
        nodes = {
            "think": {"kind": "generate", "next": "choose"},
            "choose": {
                "kind": "route",
                "cases": [{"when": "last.kind in ['say', 'refuse']", "to": "nudge"}],
                "otherwise": "act",
            },
            "act": {"kind": "act", "next": "think"},
            "nudge": {"kind": "say", "text": "Use a tool.", "next": "think"},
        }
        return self.scaffold(nodes, protocol, **more)

    def context(self, models: Mapping[str, Any], world: Shelf, kept: Kept, **more: Any) -> TrialContext:
        limits = TrialLimits.model_validate(more.pop("limits", {"turns": 30}))
        seats = more.pop("seats", {"agent": "clerk"})
        given: dict[str, Any] = {
            "environment": world,
            "models": models,
            "seats": seats,
            "tools": {seat: list(self.tools) for seat in seats.values()},
            "briefs": {seat: f"You are the {seat}." for seat in seats.values()},
            "opening": dict.fromkeys(seats.values(), "Do the work."),
            "input": {"order": 7},
            "task": "t1",
            "limits": limits,
            "parameters": {},
            "seed": 1,
            "recorder": kept,
        }
        return TrialContext(**{**given, **more})

    def play(self, flat: Scaffold, replies: Any, **more: Any) -> Played:
        """Run one trial; `replies` are the agent's, or those of each role by name."""
        by_role = replies if isinstance(replies, dict) else {"agent": replies}
        delay = more.pop("delay", None)
        models = {role: Canned(f"model-{role}", given, delay) for role, given in by_role.items()}
        for role, spec in flat.roles.items():
            if role not in models:
                models[role] = models[spec.model_of or "agent"]
        world, kept = more.pop("world", None) or Shelf(), Kept()
        context = self.context(models, world, kept, **more)
        outcome = asyncio.run(run_scaffold(compile_scaffold(flat, self.base), context))
        return Played(outcome, kept, world, models)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)
