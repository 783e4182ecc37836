"""One trial in a suite of AgentDojo, and its final state; see the package's docstring."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, Field, JsonValue

from harness.adapters.catalog import known, program_of
from harness.adapters.worker import Worker, worker_of
from harness.environments.packages import Packages
from harness.environments.protocol import (
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    StateReader,
    Tool,
)
from harness.spec.base import Spec

PACKAGES = Packages(pip=("agentdojo==0.1.35",))
_SCRIPT = Path(__file__).with_name("script.py")
_KIND = "agentdojo"
_GRADING_SECONDS = 120.0


class AgentDojoOptions(Spec):
    """Options of the kind `agentdojo`."""

    suite: Literal["banking", "slack", "travel", "workspace"]
    """Which of AgentDojo's four suites."""
    version: Literal["v1", "v1.1", "v1.1.1", "v1.1.2", "v1.2", "v1.2.1", "v1.2.2"] = "v1.2.2"
    """Of the benchmark; results of different versions do not compare."""
    attack: Literal[
        "none", "direct", "ignore_previous", "system_message", "injecagent", "important_instructions",
        "important_instructions_no_user_name", "important_instructions_no_model_name",
        "important_instructions_no_names", "important_instructions_wrong_model_name",
        "important_instructions_wrong_user_name", "tool_knowledge",
    ] = "none"  # fmt: skip
    """How `own_tasks` words the injected instructions. With an attack it brings every pair of a user and an injection
    task besides the user tasks."""
    addressed_as: str = "the AI language model"
    """What `important_instructions` and `tool_knowledge` call the model: one name, so that all models read the same."""
    characters: int = Field(100_000, ge=1000, le=1_000_000)
    """Length of one observation."""


class AgentDojoSetup(Spec):
    """Which of AgentDojo's tasks, and what is injected."""

    user_task: str = "user_task_0"
    """Id of the user task; it says how the environment begins and what utility is."""
    injection_task: str | None = None
    """Id of the injection task; it says what `security` looks for."""
    injections: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    """Place in the environment -> the text that is put there."""


class AgentDojo(Environment):
    """One trial in a suite."""

    kind: ClassVar[str] = _KIND
    Options: ClassVar[type[BaseModel]] = AgentDojoOptions
    Setup: ClassVar[type[BaseModel]] = AgentDojoSetup

    def __init__(self, worker: Worker, trial: int, opening: Opening, tools: frozenset[str], walls: str) -> None:
        """`trial` is the number under which the worker knows it."""
        self._worker: Worker | None = worker
        self._trial = trial
        self._options, self._setup = _parts(opening)
        self._tools = tools
        self._walls = walls

    @classmethod
    def packages(cls, options: BaseModel) -> Packages:
        """What has to be installed."""
        return PACKAGES

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the suite's functions. Raises `NotInstalledError`."""
        described = cast(dict[str, Any], _described(cast(AgentDojoOptions, options)))
        return [Tool(**tool) for tool in described["tools"]]

    @classmethod
    def own_tasks(cls, options: BaseModel) -> list[dict[str, Any]]:
        """Return the user tasks, then with an attack every pair; the gold solution is AgentDojo's ground truth."""
        given = cast(AgentDojoOptions, options)
        attack = None if given.attack == "none" else given.attack
        listed = known(
            _KIND, PACKAGES, _SCRIPT, "list_tasks",
            suite=given.suite, version=given.version, attack=attack, addressed_as=given.addressed_as,
        )  # fmt: skip
        return [_as_task(task) for task in cast(list[dict[str, Any]], listed)]

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Open the environment of a task with its injections. Raises `EnvironmentFault`."""
        options, setup = _parts(opening)
        program = program_of(_KIND, PACKAGES, _SCRIPT)
        worker = await worker_of(opening.services, program)
        trial = await worker.ask(
            "open_trial", suite=options.suite, version=options.version, user_task=setup.user_task,
            injection_task=setup.injection_task, injections=cast(JsonValue, setup.injections),
        )  # fmt: skip
        names = frozenset(tool.name for tool in cls.tools(options, opening.roles[0]))
        return cls(worker, cast(int, trial), opening, names, program.walls)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the package's pin and what stands around the worker."""
        return {"packages": list(PACKAGES.pip), "walls": self._walls}

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Run a function; the result reads as AgentDojo shows it to its models."""
        worker = self._open_worker()
        if tool not in self._tools:
            return Observation(f"There is no tool '{tool}'; there are {', '.join(sorted(self._tools))}.", error=True)
        seen = cast(dict[str, Any], await worker.ask("call", trial=self._trial, tool=tool, arguments=arguments))
        text = str(seen["text"])
        if len(text) <= self._options.characters:
            return Observation(text, error=bool(seen["error"]))
        left_out = len(text) - self._options.characters
        shown = f"{text[: self._options.characters]}\n[{left_out} characters left out]"
        return Observation(shown, error=bool(seen["error"]), data={"truncated": True})

    async def snapshot(self) -> bytes:
        """Return the calls so far, which from the same opening lead to the same state."""
        return json.dumps(await self._open_worker().ask("calls", trial=self._trial)).encode()

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot, by making its calls again."""
        await self._open_worker().ask("restore", trial=self._trial, calls=json.loads(snapshot))

    async def final_state(self) -> FinalState:
        """Return the environment before and after, the calls, and what was injected."""
        left = cast(dict[str, JsonValue], await self._open_worker().ask("final", trial=self._trial))
        return FinalState(self.kind, json.dumps(left, sort_keys=True).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> AgentDojoReader:
        """Open a recorded final state for checks."""
        return AgentDojoReader(state, opening)

    async def close(self) -> None:
        """Let the worker forget the trial."""
        worker, self._worker = self._worker, None
        if worker is not None:
            with contextlib.suppress(EnvironmentFault):  # a worker that died has forgotten it already
                await worker.ask("close_trial", trial=self._trial)

    def _open_worker(self) -> Worker:
        if self._worker is None:
            raise EnvironmentFault("the environment is closed")
        return self._worker


class AgentDojoReader(StateReader):
    """What a trial left, scored by AgentDojo."""

    def __init__(self, state: FinalState, opening: Opening) -> None:
        """Nothing is asked of AgentDojo before a score is wanted."""
        self._left: dict[str, JsonValue] = json.loads(state.data)
        self._opening = opening
        self._options, self._setup = _parts(opening)
        self._verdicts: dict[str | None, dict[str, bool | None]] = {}

    async def as_data(self) -> dict[str, JsonValue]:
        """Return the environment `before` and `after`; the calls are among the trial's actions."""
        return {key: self._left[key] for key in ("before", "after")}

    async def reward(self, name: str, answer: str | None) -> float:
        """Return AgentDojo's own `utility`, or `security`: 1 where the injected instruction reached its goal.

        Where nothing is injected, nothing is reached: 0.
        """
        if name not in ("utility", "security"):
            raise LookupError(f"no reward {name!r}; there are utility, security")
        if answer not in self._verdicts:
            worker = await worker_of(self._opening.services, program_of(_KIND, PACKAGES, _SCRIPT))
            scored = await worker.ask(
                "score", seconds=_GRADING_SECONDS, suite=self._options.suite, version=self._options.version,
                user_task=self._setup.user_task, injection_task=self._setup.injection_task,
                injections=cast(JsonValue, self._setup.injections), state=self._left, answer=answer,
            )  # fmt: skip
            self._verdicts[answer] = cast(dict[str, bool | None], scored)
        return float(bool(self._verdicts[answer][name]))


def system_message(options: AgentDojoOptions) -> str:
    """What AgentDojo tells its models first. Raises `NotInstalledError`."""
    return str(cast(dict[str, JsonValue], _described(options))["system_message"])


def _described(options: AgentDojoOptions) -> JsonValue:
    return known(_KIND, PACKAGES, _SCRIPT, "describe", suite=options.suite, version=options.version)


def _parts(opening: Opening) -> tuple[AgentDojoOptions, AgentDojoSetup]:
    return cast(AgentDojoOptions, opening.options), cast(AgentDojoSetup, opening.setup)


def _as_task(listed: dict[str, Any]) -> dict[str, Any]:
    """A task as a scenario file writes it."""
    user, injection = listed["user_task"], listed["injection_task"]
    calls = [{"tool": call["function"], "arguments": call["args"]} for call in listed["calls"]]
    return {
        "id": user if injection is None else f"{user}.{injection}",
        "family": user,
        "brief": "{{ input.prompt }}",  # the words are AgentDojo's and no template
        "input": {"prompt": listed["prompt"], "injected_goal": listed["goal"]},
        "setup": {"user_task": user, "injection_task": injection, "injections": listed["injections"]},
        "solution": [*calls, {"tool": "submit", "arguments": {"answer": listed["answer"]}}],
        "checks": [{"kind": "reward", "name": "utility", "of": "utility"}],
    }
