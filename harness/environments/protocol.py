"""What every environment is: a piece of the world, opened fresh for one trial, acted on through tools.

An environment class is found by kind (`harness.environments.load_kind`). What can be known without
opening it (options, set-up, tools) is on the class, so that files are checked and cells identified
without touching the world. An instance serves exactly one trial and is used by one task at a time.

The final state is taken once, when the acting is over, as a self-contained `FinalState`; checks run on
that, never on the live environment, so that a recorded trial can be graded again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, JsonValue

from harness.environments.services import Services

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedScenario


@dataclass(frozen=True)
class Tool:
    """A function a model may call, as JSON schema."""

    name: str
    description: str
    parameters: dict[str, JsonValue]
    """JSON schema of type object; `additionalProperties: false`, with bounds where a bound is known."""
    changes_state: bool
    """False promises that calling it twice, or not at all, leaves the world the same."""
    shown: str | None = None
    """What the model knows it by, where that is another name; everybody else goes by `name`."""

    @property
    def shown_name(self) -> str:
        """What the model calls it by."""
        return self.name if self.shown is None else self.shown

    def as_openai(self) -> dict[str, JsonValue]:
        """The tool as the OpenAI chat API takes it."""
        return {
            "type": "function",
            "function": {"name": self.shown_name, "description": self.description, "parameters": self.parameters},
        }


SUBMIT = Tool(
    name="submit",
    description="Finish the task. Call this once, when the work is done, with the final answer.",
    parameters={
        "type": "object",
        "properties": {
            "answer": {"type": "string", "description": "The final answer, or a short note of what was done."}
        },
        "required": ["answer"],
        "additionalProperties": False,
    },
    changes_state=False,
)
"""Offered by every environment; the scaffold carries it out, the environment never sees it."""


@dataclass(frozen=True)
class Observation:
    """What a tool call came back with."""

    text: str
    """What the model is shown."""
    error: bool = False
    """The tool said no (bad argument, failed query, non-zero exit); an ordinary result of acting."""
    data: dict[str, JsonValue] = field(default_factory=dict)
    """Facts for the record and for measures: exit code, rows, truncated, timed_out, ..."""


class EnvironmentFault(Exception):
    """The world broke, not the model: the trial ends on the environment's account and may be tried again."""


@dataclass(frozen=True)
class Opening:
    """All an environment needs to open for one trial."""

    options: BaseModel
    """The kind's `Options`, with data paths made absolute."""
    setup: BaseModel
    """The kind's `Setup`, likewise."""
    roles: Sequence[str]
    seed: int
    scratch: Path
    """An empty folder of this trial's own; removed by the caller after `close`."""
    unsafe: bool = False
    """Go on without a sandbox where none is to be had."""
    services: Services = field(default_factory=Services)
    """What the trials of a sweep share: a browser, a database server, a worker process. Whoever made it closes it."""

    @classmethod
    def of_task(
        cls, scenario: LoadedScenario, task: str, seed: int, scratch: Path, services: Services
    ) -> Opening:  # fmt: skip
        """How the environment of a scenario is opened for one of its tasks."""
        spec = scenario.spec
        return cls(scenario.options, scenario.setups[task], tuple(spec.roles), seed, scratch, spec.unsafe, services)


@dataclass(frozen=True)
class FinalState:
    """The world as the trial left it, self-contained."""

    kind: str
    data: bytes
    """For `read_state` of the same kind: a tar archive, a database file, ...; uncompressed."""
    truncated: bool = False
    """Part of the world was too large to keep."""


def _cannot(why: str) -> NotImplementedError:
    """What a kind cannot answer; a function, because a body that only raises would be taken for an abstract one."""
    return NotImplementedError(why)


class StateReader(Protocol):
    """A final state opened for checks. What a kind cannot answer raises `NotImplementedError` with the reason.

    Inherit from it to implement only what the kind can answer.
    """

    async def as_data(self) -> dict[str, JsonValue]:
        """Plain data for state expressions (bounded: large contents are left out)."""
        ...

    async def in_full(self) -> dict[str, JsonValue]:
        """The same with nothing left out: what two states are compared by."""
        return await self.as_data()

    async def read_file(self, path: str) -> str | None:
        """Content of a file, decoded with replacement; None when it is not there."""
        raise _cannot("this kind of environment has no files")

    async def query(self, sql: str) -> list[list[JsonValue]]:
        """Rows of a read-only query. Raises `ValueError` with the database's message."""
        raise _cannot("this kind of environment has no tables")

    async def run(self, command: str, files: Mapping[str, bytes], seconds: float) -> Observation:
        """Run a shell command over the final files, with `files` added, in a fresh sandbox.

        `data` holds `exit` (int) and `timed_out` (bool).
        """
        raise _cannot("this kind of environment runs no commands")

    async def reward(self, name: str, answer: str | None) -> float:
        """The environment's own score of that name, e.g. `utility`, `security`, or a role's reward in a game.

        Raises `LookupError` with the names there are.
        """
        raise _cannot("this kind of environment gives no rewards of its own")

    async def close(self) -> None:
        """Leave nothing behind."""
        return


class Environment(Protocol):
    """A piece of the world, open for one trial.

    Inherit from it to implement only what the kind needs: what has a body here is what most kinds do.
    """

    kind: ClassVar[str]
    Options: ClassVar[type[BaseModel]]
    """Options of the scenario's `environment` block; `DataPath` fields are checked and hashed."""
    Setup: ClassVar[type[BaseModel]]
    """Options of a task's `setup` block."""

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """The tools this kind offers a role, `submit` left out; must not touch the world."""
        ...

    @classmethod
    def own_tasks(cls, options: BaseModel) -> list[dict[str, Any]]:
        """The tasks this kind brings along, each as a `tasks` entry of a scenario file; the same on every call.

        A scenario takes them with `own_tasks`.
        """
        return []

    @classmethod
    async def open(cls, opening: Opening) -> Environment:
        """Open for one trial. Raises `EnvironmentFault`."""
        ...

    @property
    def facts(self) -> dict[str, JsonValue]:
        """What the record should know of this opening, e.g. `{"sandbox": "bubblewrap 0.8.0, uid of its own"}`."""
        return {}

    def turn(self) -> str | None:
        """The role whose turn it is; None where roles may act at any time."""
        return None

    def finished(self) -> bool:
        """The world has come to an end by its own rules (a game is over)."""
        return False

    async def news(self, role: str) -> str | None:
        """What has reached a role since it was last told: words said to it, what others did. Told once.

        A `hear` node of the scaffold asks for it and puts it into the role's thread; None where there is
        nothing new.
        """
        return None

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Call a tool. Arguments have been held to the tool's schema. Raises `EnvironmentFault`."""
        ...

    async def snapshot(self) -> bytes | None:
        """The world as it is now, or None where the kind cannot."""
        return None

    async def restore(self, snapshot: bytes) -> None:
        """Back to a snapshot of an environment opened from the same opening."""
        raise EnvironmentFault("this kind of environment takes no snapshots")

    async def final_state(self) -> FinalState:
        """Taken once, after the last action; what still runs in the world is stopped first."""
        ...

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> StateReader:
        """Open a recorded final state for checks, in a scratch folder of its own."""
        ...

    async def close(self) -> None:
        """Leave no process, socket or file behind; may be called twice and after a fault."""
        return
