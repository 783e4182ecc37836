r"""The file of variants: surfaces of one's own, beside the fixed ones.

    kind: variants
    tools:                        # of `tools-renamed`, in place of the scheme's names
      query: ask_database
    distractor:                   # of `distractor`, in place of the notice board
      name: almanac
      description: Read the almanac. It has no entries.
      answer: The almanac has no entries.
    brief:
      formal:                     # the surface brief:formal
        stock:                    # name of the scenario
          roles: {clerk: You are entrusted with the stock.}
          tasks: {nail: "Kindly say how many of {{ input.good }} there are, and submit that number."}
    history:
      framed:                     # the surface history:framed
        before: "<result>\n"
        after: "\n</result>"

A text that is given has to hold the placeholders of the one it stands for; one that is not given stays as it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.environments import Tool
from harness.errors import UserError
from harness.intervene.surfaces.renaming import FORM, SUBMITTED
from harness.intervene.surfaces.rewriting import REWRITES
from harness.intervene.surfaces.surface import Distractor
from harness.spec import SpecError
from harness.spec.base import Problem
from harness.spec.reading.source import Source
from harness.spec.resolved import LoadedScenario

HISTORIES = ("fenced", "labelled", "numbered")
"""Those that need no file."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}|\{%-?\s*(.*?)\s*-?%\}", re.DOTALL)


class Framed(BaseModel):
    """What stands around an observation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: str = ""
    after: str = ""


class Texts(BaseModel):
    """The texts of one scenario, said otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: dict[str, str] = {}
    """Scenario role -> brief."""
    openings: dict[str, str] = {}
    """Scenario role -> opening, where it has one of its own."""
    tasks: dict[str, str] = {}
    """Task -> brief."""


class Variants(BaseModel):
    """What a file of variants says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["variants"] = "variants"
    tools: dict[str, str] = {}
    distractor: Distractor = Field(default_factory=Distractor)
    brief: dict[str, dict[str, Texts]] = {}
    """Variant -> scenario -> texts."""
    history: dict[str, Framed] = {}


def read_variants(path: Path) -> Variants:
    """The file's variants. Raises `SpecError` with all that is wrong with it, each with its place."""
    problems: list[Problem] = []
    source = Source(path.absolute(), problems)
    found: Variants | None = None
    if source.read():
        if isinstance(source.root.data, dict) and source.kind() == "variants":
            found = source.best(Variants)
        else:
            source.problem((), "a variants file is a mapping that begins with `kind: variants`")
    if found is not None:
        _look(source, found)
    if problems or found is None:
        raise SpecError(problems)
    return found


def _look(source: Source, found: Variants) -> None:
    for own, shown in found.tools.items():
        if own == SUBMITTED:
            source.problem(("tools", own), "submit keeps its name", on_key=True)
        elif not FORM.fullmatch(shown):
            source.problem(("tools", own), f"{shown!r} is no name of a tool: letters, digits, _ and -, at most 64")
        elif shown == SUBMITTED or list(found.tools.values()).count(shown) > 1:
            source.problem(("tools", own), f"the name {shown!r} is taken")
    for field, fixed in (("brief", tuple(REWRITES)), ("history", HISTORIES)):
        for name in getattr(found, field):
            if name in fixed:
                source.problem((field, name), f"{field}:{name} is a fixed one; give yours another name", on_key=True)
            elif not _NAME.fullmatch(name):
                source.problem((field, name), "a variant's name is of letters, digits, `.`, `_` and `-`", on_key=True)


def check_texts(variant: str, scenario: LoadedScenario, texts: Texts) -> None:
    """Raises `UserError` for texts of what the scenario has not, and for those that lose a placeholder."""
    spec, where = scenario.spec, f"brief:{variant}: scenario {scenario.spec.name}"
    tasks = {task.id: task.brief for task in spec.tasks}
    openings = {name: role.opening for name, role in spec.roles.items() if role.opening}
    known = (
        ("role", texts.roles, {name: role.brief for name, role in spec.roles.items()}),
        ("opening of a role", texts.openings, openings),
        ("task", texts.tasks, tasks),
    )
    for what, given, own in known:
        for name, text in given.items():
            if name not in own:
                listed = ", ".join(own) or "none"
                raise UserError(f"{where} has no {what} {name!r}; there are: {listed}")
            lost = sorted(placeholders(str(own[name])) - placeholders(text))
            added = sorted(placeholders(text) - placeholders(str(own[name])))
            if lost or added:
                why = f"lacks {lost[0]}" if lost else f"has {added[0]}, which the scenario's own has not"
                raise UserError(f"{where}: the text of {what} {name} {why}: it would not say the same")


def placeholders(text: str) -> set[str]:
    """What a template puts in: `{{ input.good }}`."""
    return {"{{ " + " ".join((one or other).split()) + " }}" for one, other in _PLACEHOLDER.findall(text)}


def check_names(variants: Variants, scenario: str, tools: list[Tool]) -> None:
    """Raises `UserError` for names given that tools of the scenario have themselves."""
    own = {tool.name for tool in tools}
    for name, shown in variants.tools.items():
        if name in own and shown in own:
            raise UserError(
                f"tools-renamed: {name} cannot be called {shown!r}: scenario {scenario} has a tool of that name"
            )
