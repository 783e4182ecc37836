"""A surface: how a scenario looks, with nothing of what it is. Plain data that says all it takes to make it again.

`apply_surface` gives a cell another surface; `surfaced_world` is what its trials have to act in. Both need no more than
what the record keeps of a surface (`Lineage.detail`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from harness.environments import Environment, Tool
from harness.intervene.surfaces.renaming import FORM, SUBMITTED, in_text, renamed
from harness.intervene.surfaces.world import SurfacedWorld
from harness.record import Lineage
from harness.run.plan import Cell
from harness.run.trial import Wrap
from harness.spec import digest

PLAIN = "plain"


class Distractor(BaseModel):
    """A tool that changes nothing and has nothing, and says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("notice_board", pattern=f"^{FORM.pattern}$")
    description: str = "Show the notice board. There is nothing on it."
    answer: str = "The notice board is empty."
    """What every call of it is answered with."""

    def tool(self) -> Tool:
        """As models are offered it."""
        nothing: dict[str, JsonValue] = {"type": "object", "properties": {}, "additionalProperties": False}
        return Tool(self.name, self.description, nothing, changes_state=False)


class History(BaseModel):
    """How what is observed stands in a thread."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    style: Literal["fenced", "labelled", "numbered", "framed"] = "framed"
    """In a code fence; with `Observation:` before it; each line with its number; or between `before` and `after`."""
    before: str = ""
    after: str = ""

    def show(self, text: str) -> str:
        """An observation as it is shown; one without text stays without."""
        if not text:
            return text
        match self.style:
            case "fenced":
                fence = "```"
                while fence in text:
                    fence += "`"
                return f"{fence}\n{text}\n{fence}"
            case "labelled":
                return f"Observation:\n{text}"
            case "numbered":
                return "\n".join(f"{number}: {line}" for number, line in enumerate(text.split("\n"), start=1))
            case "framed":
                return f"{self.before}{text}{self.after}"


class Surface(BaseModel):
    """What of a scenario looks different; all of it is as it was where nothing is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    surface: str
    """Its name."""
    names: dict[str, str] = {}
    """Own name of a tool -> the one it is shown by."""
    order: dict[str, list[str]] = {}
    """Scenario role -> own names of its tools in the order they are shown in."""
    distractor: Distractor | None = None
    briefs: dict[str, str] = {}
    """Scenario role -> its brief."""
    openings: dict[str, str] = {}
    """Scenario role -> its opening, for those that have one of their own."""
    task: str | None = None
    """The task's brief."""
    history: History | None = None

    @property
    def detail(self) -> dict[str, JsonValue]:
        """Plain data for the record, from which it can be made again."""
        found: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        if self.distractor is not None:
            found["distractor"] = self.distractor.model_dump(mode="json")
        return found


def surface_of(line: Lineage | None) -> Surface | None:
    """The surface of a cell's trials, of their own or of the trial they set out from; None for the scenario's own."""
    if line is None:
        return None
    detail = line.detail if line.kind == "perturb" else line.detail.get("surface")
    return None if detail is None else Surface.model_validate(detail)


def surfaced_world(line: Lineage | None) -> Wrap:
    """What is put around the environment of a cell's trials."""
    surface = surface_of(line)
    if surface is None:
        return lambda environment: environment

    def wrap(environment: Environment) -> Environment:
        tool = surface.distractor
        return SurfacedWorld(
            environment,
            surface.surface,
            answers={} if tool is None else {tool.name: tool.answer},
            show=(lambda text: text) if surface.history is None else surface.history.show,
        )

    return wrap


def apply_surface(cell: Cell, detail: Mapping[str, JsonValue]) -> Cell:
    """The cell with this surface in place of its own: its texts and tools. Digest and lineage stay as they are.

    `detail` is `Surface.detail`. Hashes of scenario and task stay too: what is asked is the same, and is graded alike.
    """
    surface = Surface.model_validate(detail)
    tools = {role: _tools(role, offered, surface) for role, offered in cell.tools.items()}
    spec = cell.scenario.spec
    roles = {}
    for name, role in spec.roles.items():
        opening = surface.openings.get(name, role.opening)
        roles[name] = role.model_copy(
            update={
                "brief": in_text(surface.briefs.get(name, role.brief), surface.names),
                "opening": None if opening is None else in_text(opening, surface.names),
            }
        )
    tasks = [
        task.model_copy(update={"brief": in_text(task.brief if surface.task is None else surface.task, surface.names)})
        if task.id == cell.task
        else task
        for task in spec.tasks
    ]
    scenario = replace(cell.scenario, spec=spec.model_copy(update={"roles": roles, "tasks": tasks}))
    return replace(cell, scenario=scenario, tools=tools, tools_digest=tools_digest(tools))


def tools_digest(tools: Mapping[str, list[Tool]]) -> str:
    """Of the tools as models are offered them."""
    return digest({role: [tool.as_openai() for tool in tools[role]] for role in sorted(tools)})


def _tools(role: str, offered: list[Tool], surface: Surface) -> list[Tool]:
    tools = [renamed(tool, surface.names) for tool in offered] if surface.names else list(offered)
    if role in surface.order:
        place = {name: number for number, name in enumerate(surface.order[role])}
        tools = sorted(tools, key=lambda tool: place.get(tool.name, len(place)))
    if surface.distractor is not None and tools:
        last = 1 if tools[-1].name == SUBMITTED else 0
        tools.insert(len(tools) - last, surface.distractor.tool())
    return tools
