"""Files as loaded: validated, cross-referenced, inlined and hashed, ready to plan with.

Everything here is made by `harness.spec.load_*`; nothing here was run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from harness.spec.scaffold import Scaffold
from harness.spec.scenario import Scenario, Task
from harness.spec.sweep import ModelEntry, Sweep


class ToolLike(Protocol):
    """What the checker needs to know of a tool."""

    @property
    def name(self) -> str:
        """What the model calls it by."""
        ...

    @property
    def parameters(self) -> Mapping[str, object]:
        """JSON schema of its arguments."""
        ...


class KindLike(Protocol):
    """What the checker needs to know of an environment kind (`harness.environments.protocol.Environment`)."""

    Options: type[BaseModel]
    Setup: type[BaseModel]

    def tools(self, options: BaseModel, role: str) -> list[ToolLike]:
        """The tools it offers a role, `submit` left out."""
        ...

    def own_tasks(self, options: BaseModel) -> list[dict[str, object]]:
        """The tasks it brings along, each as in a scenario file."""
        ...


class Catalog(Protocol):
    """Finds environment kinds; passed in, because `spec` imports no other room."""

    def kinds(self) -> list[str]:
        """Names of the built-in kinds."""
        ...

    def load(self, kind: str) -> KindLike:
        """The class of a kind or dotted path. Raises `LookupError` with one line."""
        ...

    def source_of(self, kind: str) -> str | None:
        """`package.module:Class` of a kind whose code belongs to the identity; None for the harness's own."""
        ...


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario with its environment's options validated and every data path absolute."""

    spec: Scenario
    path: Path
    options: BaseModel
    setups: Mapping[str, BaseModel]
    """Task id -> set-up."""
    digest: str
    """All that the tasks share and that can change what a trial does or how it is scored: environment, roles,
    limits, shared checks, data files."""
    task_digests: Mapping[str, str]
    """Task id -> digest of the task itself with its data files and the shared `digest`."""
    measures_digest: str

    def task(self, task: str) -> Task:
        """The task with this id. Raises `KeyError`."""
        return next(t for t in self.spec.tasks if t.id == task)


@dataclass(frozen=True)
class LoadedScaffold:
    """A scaffold with every `use` inlined."""

    spec: Scaffold
    """As written."""
    flat: Scaffold
    """No `use` nodes; names of inlined nodes, roles and variables prefixed `<use node>.` where they are not shared."""
    path: Path
    digest: str


@dataclass(frozen=True)
class LoadedModel:
    """A model entry under its short name."""

    name: str
    entry: ModelEntry
    """`script` made absolute."""
    path: Path
    """Of the models file, or of the sweep for a bare litellm string."""
    digest: str
    """Model string, parameters, drop, api_base, variant, script content: what can change a reply. Not its short
    name, and not keys, limits or prices."""


@dataclass(frozen=True)
class ResolvedSweep:
    """A sweep with everything it names."""

    spec: Sweep
    path: Path
    scenarios: list[LoadedScenario]
    scaffolds: list[LoadedScaffold]
    models: Mapping[str, LoadedModel]
    """Every model named anywhere in the sweep."""
    seats: Mapping[tuple[str, str], Mapping[str, str]]
    """(scenario name, scaffold name) -> scaffold role -> scenario role."""
