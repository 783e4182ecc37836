"""Cross-references of a scenario: roles, tools, solutions, checks, measures, templates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from harness.spec.base import Expression, Template
from harness.spec.library import did_you_mean, listed
from harness.spec.loading.marked import marked
from harness.spec.loading.names import Names, check_expression, check_template
from harness.spec.reading.source import Source
from harness.spec.resolved import KindLike
from harness.spec.scenario import (
    AnswerCheck,
    BeforeMeasure,
    CalledCheck,
    Check,
    CommandCheck,
    CountMeasure,
    FileCheck,
    PythonMeasure,
    SameStateCheck,
    Scenario,
    Task,
    ToldCheck,
    ToldMeasure,
)
from harness.spec.schema_check import schema_faults

SUBMIT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
"""Of `harness.environments.SUBMIT`, which this room may not import."""
CONDITION = ("arguments", "observation", "error", "role", "input")
"""What conditions over calls see."""
Place = tuple[Any, ...]


def check_scenario(source: Source, spec: Scenario, kind: KindLike | None, options: BaseModel | None) -> None:
    """Note every reference that leads nowhere. Tools are looked at only where `kind` and `options` are known."""
    checking = _Checking(source, spec, _offered(spec, kind, options))
    checking.roles()
    for index, task in enumerate(spec.tasks):
        checking.task(index, task)
    for index, check in enumerate(spec.checks):
        checking.check(("checks", index), check, spec.tasks)
    checking.measures()


def _offered(
    spec: Scenario, kind: KindLike | None, options: BaseModel | None
) -> dict[str, dict[str, Mapping[str, Any]]] | None:
    """Role -> the environment's tools for it, with their schemas; `submit` included. None when not known."""
    if kind is None or options is None:
        return None
    return {
        role: {tool.name: tool.parameters for tool in kind.tools(options, role)} | {"submit": SUBMIT_SCHEMA}
        for role in spec.roles
    }


class _Checking:
    """One scenario under check; problems go to its source."""

    def __init__(self, source: Source, spec: Scenario, offered: dict[str, dict[str, Mapping[str, Any]]] | None) -> None:
        self.source, self.spec, self.offered = source, spec, offered
        self.ids: dict[str, int] = {}
        self.all_tools = sorted({tool for tools in offered.values() for tool in tools}) if offered is not None else None

    def roles(self) -> None:
        names = self.names("input", "task", "role", tasks=self.spec.tasks)
        for name, role in self.spec.roles.items():
            check_template(self.source, ("roles", name, "brief"), role.brief, names)
            if role.opening is not None:
                check_template(self.source, ("roles", name, "opening"), role.opening, names)
            if role.tools is None or self.offered is None:
                continue
            known = self.offered[name]
            for index, tool in enumerate(role.tools):
                self.known_tool(("roles", name, "tools", index), tool, list(known))
                if tool in role.tools[:index]:
                    self.source.problem(("roles", name, "tools", index), f"tool {tool!r} is listed twice")
            if role.tools == []:
                self.source.problem(("roles", name, "tools"), "must not be empty: leave `tools` out to offer all")

    def task(self, index: int, task: Task) -> None:
        at = ("tasks", index)
        if task.id in self.ids:
            line = self.source.root.at(("tasks", self.ids[task.id], "id")).line
            self.source.problem((*at, "id"), f"task id {task.id!r} is given twice (first on line {line})")
        self.ids.setdefault(task.id, index)
        check_template(self.source, (*at, "brief"), task.brief, self.names("input", "task", "role", tasks=[task]))
        for number, step in enumerate(task.solution):
            self.solution_step((*at, "solution", number), step.tool, step.arguments, step.role)
        for number, check in enumerate(task.checks):
            self.check((*at, "checks", number), check, [task])

    def solution_step(self, at: Place, tool: str, arguments: Mapping[str, Any], role: str | None) -> None:
        roles = self.source.keys("roles")
        if role is None and len(roles) > 1:
            self.source.problem(at, f"key 'role' is missing: who acts here? The roles are {', '.join(roles)}")
            return
        role = role or roles[0]
        if role not in roles:
            message = f"unknown role {role!r}; there are {', '.join(roles)}{did_you_mean(role, roles)}"
            self.source.problem((*at, "role"), message)
            return
        if self.offered is None or role not in self.offered:
            return
        own = self.spec.roles[role].tools
        whole = not own or not set(own) <= self.offered[role].keys()
        known = [name for name in self.offered[role] if whole or name in (own or ()) or name == "submit"]
        if not self.known_tool((*at, "tool"), tool, known):
            return
        for path, message in schema_faults(self.offered[role][tool], dict(arguments)):
            self.source.problem((*at, "arguments", *path), message, on_key=message.startswith("unknown"))

    def known_tool(self, at: Place, tool: str, known: Sequence[str] | None) -> bool:
        if known is None or tool in known:
            return True
        what = "this environment offers" if known else "this environment offers no tools"
        self.source.problem(
            at, f"unknown tool {tool!r}; {what} {listed(known, 30) if known else ''}{did_you_mean(tool, list(known))}"
        )
        return False

    def names(self, *names: str, tasks: Sequence[Task]) -> Names:
        inputs = tuple((task.id, frozenset(task.input)) for task in tasks) if "input" in names else ()
        return Names(frozenset(names), {}, inputs)

    def check(self, at: Place, check: Check, tasks: Sequence[Task]) -> None:
        names = {
            "called": CONDITION,
            "state": ("state", "input", "task", "answer"),
        }.get(check.kind, ("input", "task", "answer"))
        self.templates(at, check, self.names(*names, tasks=tasks))
        if isinstance(check, CalledCheck):
            self.known_tool((*at, "tool"), check.tool, self.all_tools)
            if check.at_most is not None and check.at_most < check.at_least:
                here = (*at, "at_most")
                self.source.problem(here, f"at_most {check.at_most} is less than at_least {check.at_least}")
        elif isinstance(check, FileCheck):
            self.expression((*at, "matches"), check.matches)
            conditions = [check.equals, check.contains, check.matches]
            if not check.exists and any(condition is not None for condition in conditions):
                self.source.problem((*at, "exists"), "a file that must not exist can have no content to check")
        elif isinstance(check, CommandCheck):
            self.expression((*at, "output_matches"), check.output_matches)
            for name in check.files:
                if name.startswith("/") or ".." in name.split("/"):
                    message = f"{name!r} must be a path below the workspace"
                    self.source.problem((*at, "files", name), message, on_key=True)
        elif isinstance(check, AnswerCheck):
            self.answer(at, check)
        elif isinstance(check, ToldCheck):
            self.told(at, check)
        elif isinstance(check, SameStateCheck):
            for task in tasks:
                if not task.solution:
                    message = f"task {task.id!r} has no `solution`: there is no state to compare its final state with"
                    self.source.problem(at, message)

    def answer(self, at: Place, check: AnswerCheck) -> None:
        conditions = (check.equals, check.number, check.matches, check.json_schema)
        if all(condition is None for condition in conditions) and not self.source.is_cut(at):
            self.source.problem(at, "an answer check needs a condition: equals, number, matches or json_schema")
        if check.tolerance and check.number is None and not self.source.is_cut(at):
            self.source.problem((*at, "tolerance"), "a tolerance goes with `number` only")
        self.expression((*at, "matches"), check.matches)
        if check.json_schema is not None:
            self.json_schema((*at, "json_schema"), check.json_schema)

    def told(self, at: Place, told: ToldCheck | ToldMeasure) -> None:
        """Something is looked for, in the words of roles that there are."""
        wanted = (told.all, told.any, told.none)
        if not any(wanted) and told.number is None and not self.source.is_cut(at):
            self.source.problem(at, "what is to be told? give all, any, none or number")
        for key, role in (("by", told.by), ("to", told.to)):
            if role is not None and role not in self.spec.roles:
                roles = list(self.spec.roles)
                message = f"unknown role {role!r}; there are {', '.join(roles)}{did_you_mean(role, roles)}"
                self.source.problem((*at, key), message)

    def expression(self, at: Place, pattern: str | None) -> None:
        """A regular expression compiles."""
        try:
            re.compile(pattern or "")
        except (re.error, OverflowError, RecursionError) as error:
            self.source.problem(at, f"this is no regular expression: {error}")

    def json_schema(self, at: Place, schema: Mapping[str, Any]) -> None:
        """A JSON schema is one; the validator is imported only where a file holds a schema."""
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError

        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            self.source.problem((*at, *error.absolute_path), f"this is no JSON schema: {error.message}"[:300])

    def measures(self) -> None:
        tasks = self.spec.tasks
        for name, measure in self.spec.measures.items():
            at = ("measures", name)
            if measure.kind == "expression":
                self.templates(at, measure, self.names("actions", "answer", "state", "input", tasks=tasks))
                continue
            if isinstance(measure, PythonMeasure):
                continue
            if isinstance(measure, ToldMeasure):
                self.templates(at, measure, self.names("input", "task", "answer", tasks=tasks))
                self.told(at, measure)
                continue
            self.templates(at, measure, self.names(*CONDITION, tasks=tasks))
            if isinstance(measure, CountMeasure):
                self.known_tool((*at, "tool"), measure.tool, self.all_tools)
            elif isinstance(measure, BeforeMeasure):
                self.known_tool((*at, "first"), measure.first, self.all_tools)
                self.known_tool((*at, "then"), measure.then, self.all_tools)

    def templates(self, at: Place, part: BaseModel, names: Names) -> None:
        for item in marked(part):
            if isinstance(item.mark, Template):
                check_template(self.source, (*at, *item.path), item.value, names)
            elif isinstance(item.mark, Expression):
                check_expression(self.source, (*at, *item.path), item.value, names)
