"""Shows that a scenario is fair: its gold solutions score full marks, and what an agent that does nothing scores.

Each task's solution is carried out through the real environment, twice with the same seed. Any error on the way
(an observation that is an error, arguments outside the tool's schema, a role or tool that is not there, a step after
the end or out of turn) fails the task, naming the step: a reference that fails on the way is no reference. Before
each step the role is told what there is to hear, as a scaffold would tell it. Observations and news that differ between
the two runs are noted, because resuming and forking rest on their being the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from pydantic import JsonValue

from harness.environments import (
    SUBMIT,
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    Services,
    Tool,
    load_kind,
)
from harness.environments.packages import NotInstalledError
from harness.record import CheckResult, RecordedAction
from harness.scoring.grading import Grade, grade
from harness.scoring.measures import declared_measures
from harness.spec import trial_seed
from harness.spec.resolved import LoadedScenario
from harness.spec.scenario import SolutionStep, Task


@dataclass
class TaskValidation:
    """What was found about one task."""

    scenario: str
    task: str
    gold: float | None = None
    """Score of the gold solution; None without checks, or when it could not be run."""
    null: float | None = None
    """Score of an agent that does nothing and answers nothing."""
    null_passes: bool = False
    problems: list[str] = field(default_factory=list)
    """Any of them fails the task."""
    notes: list[str] = field(default_factory=list)
    """Worth knowing; do not fail the task."""
    checks: list[CheckResult] = field(default_factory=list)
    """Of the gold solution."""
    null_checks: list[CheckResult] = field(default_factory=list)

    def as_data(self) -> dict[str, object]:
        """All of it as plain data."""
        lists = {name: [check.model_dump() for check in getattr(self, name)] for name in ("checks", "null_checks")}
        return {"ok": self.ok, **{f.name: getattr(self, f.name) for f in fields(self)}, **lists}

    @property
    def ok(self) -> bool:
        """Whether the task may be used."""
        return not self.problems


@dataclass
class _Run:
    """One agent's way through a task."""

    grade: Grade
    actions: list[RecordedAction]
    answer: str | None
    problems: list[str]
    heard: list[str | None] = field(default_factory=list)
    """What the acting role was told before each action."""


async def validate_scenario(
    scenario: LoadedScenario,
    scratch: Path,
    services: Services,
    slots: asyncio.Semaphore | None = None,
    on_each: Callable[[TaskValidation], None] = lambda found: None,
) -> list[TaskValidation]:
    """Validate every task. `scratch` is an existing folder for the trials; `services` are what they share.

    `slots` bounds how many run at once. Where packages are missing there is one finding for all tasks. `on_each` is
    given each finding as soon as it is there.
    """
    bound = slots or asyncio.Semaphore(2)

    async def bounded(task: Task) -> TaskValidation:
        async with bound:
            found = await _validate_task(scenario, task, scratch, services)
        on_each(found)
        return found

    found = await asyncio.gather(*(bounded(task) for task in scenario.spec.tasks), return_exceptions=True)
    for one in found:
        if isinstance(one, NotInstalledError):  # said once: all tasks fail for it
            missing = TaskValidation(scenario.spec.name, "*", problems=[str(one)])
            on_each(missing)
            return [missing]
    raised = [one for one in found if isinstance(one, BaseException)]
    if raised:
        raise raised[0]
    return [one for one in found if isinstance(one, TaskValidation)]


async def _validate_task(
    scenario: LoadedScenario, task: Task, scratch: Path, services: Services
) -> TaskValidation:  # fmt: skip
    found = TaskValidation(scenario.spec.name, task.id)
    has_checks = bool(task.checks or scenario.spec.checks)
    if not has_checks:
        found.notes.append("no checks: trials of this task have no score")
    if task.solution:
        await _validate_gold(scenario, task, scratch, services, found)
    elif has_checks:
        found.problems.append("no `solution`: nothing shows that the checks can be passed")
    null = await _run(scenario, task, [], scratch, services)
    found.null, found.null_passes, found.null_checks = null.grade.score, bool(null.grade.passed), null.grade.checks
    found.problems += [f"null agent: {problem}" for problem in null.problems]
    if found.null_passes:
        found.notes.append("an agent that does nothing passes")
    return found


async def _validate_gold(
    scenario: LoadedScenario, task: Task, scratch: Path, services: Services, found: TaskValidation
) -> None:  # fmt: skip
    gold = await _run(scenario, task, task.solution, scratch, services)
    found.gold, found.checks = gold.grade.score, gold.grade.checks
    found.problems += gold.problems
    for check in gold.grade.checks:
        if check.score is not None and check.score < 1.0:
            found.problems.append(f"check {check.name} gives the solution {check.score:g}: {check.detail}")
    measures = declared_measures(scenario, task, gold.actions, gold.answer, gold.grade)
    found.problems += [f"measure {name.removesuffix('.error')}: {why}" for name, why in measures.items()
                       if name.endswith(".error")]  # fmt: skip
    again = await _run(scenario, task, task.solution, scratch, services)
    for number, (first, second) in enumerate(zip(gold.actions, again.actions, strict=False), start=1):
        if (first["observation"], first["error"]) != (second["observation"], second["error"]):
            found.notes.append(f"step {number} ({first['name']}) is not observed the same twice with one seed")
    for number, (told, told_again) in enumerate(zip(gold.heard, again.heard, strict=False), start=1):
        if told != told_again:
            found.notes.append(f"what is heard before step {number} is not the same twice with one seed")
    if again.grade.score != gold.grade.score:
        found.problems.append(f"the solution scores {_said(gold.grade.score)}, then {_said(again.grade.score)}")


async def _run(
    scenario: LoadedScenario, task: Task, steps: Sequence[SolutionStep], scratch: Path, services: Services
) -> _Run:  # fmt: skip
    """Open, act, grade, close; whatever goes wrong is among the problems."""
    run = _Run(Grade(None, None), [], None, [])
    seed = trial_seed(scenario.spec.name, task.id, 1)
    kind = load_kind(scenario.spec.environment.kind)
    with (
        tempfile.TemporaryDirectory(dir=scratch, prefix="world-", ignore_cleanup_errors=True) as world,
        tempfile.TemporaryDirectory(dir=scratch, prefix="grade-", ignore_cleanup_errors=True) as grading,
    ):
        opening = Opening.of_task(scenario, task.id, seed, Path(world), services)
        environment: Environment | None = None
        try:
            environment = await kind.open(opening)
            await _act(scenario, steps, environment, run)
            final = await environment.final_state()
            if not isinstance(final, FinalState):
                raise EnvironmentFault(f"its final state is {type(final).__name__}, no FinalState")
        except NotInstalledError:
            raise
        except (EnvironmentFault, OSError) as error:
            run.problems.append(f"the environment failed: {error or type(error).__name__}")
            return run
        except Exception as error:  # noqa: BLE001 - whatever a kind from elsewhere raises is on its account
            run.problems.append(f"the environment failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
            return run
        finally:
            if environment is not None:
                await _close(environment, run)
        run.grade = await grade(
            scenario, task, opening=replace(opening, scratch=Path(grading)), state=final, answer=run.answer,
            actions=run.actions,
        )  # fmt: skip
    if run.grade.error:
        run.problems.append(run.grade.error)
    return run


async def _close(environment: Environment, run: _Run) -> None:
    try:
        await environment.close()
    except Exception as error:  # noqa: BLE001 - as for the rest of a kind
        run.problems.append(f"the environment could not be closed: {type(error).__name__}: {error}")


async def _act(scenario: LoadedScenario, steps: Sequence[SolutionStep], environment: Environment, run: _Run) -> None:
    """Carry the steps out, up to the first that cannot be."""
    for number, step in enumerate(steps, start=1):
        at = f"solution step {number} ({step.tool})"
        role = step.role or next(iter(scenario.spec.roles))
        tool, problem = _usable(scenario, role, step, environment, ended=run.answer is not None)
        if tool is None:
            run.problems.append(f"{at}: {problem}")
            return
        run.heard.append(await _news(environment, role))
        if tool is SUBMIT:
            run.answer = str(step.arguments["answer"])
            run.actions.append(_action(number, role, step, "submit", None, error=False, data={}))
            continue
        seen = await environment.call(role, step.tool, dict(step.arguments))
        if not isinstance(seen, Observation):
            raise EnvironmentFault(f"{step.tool} gave {type(seen).__name__}, no Observation")
        action = _action(number, role, step, "tool", seen.text, error=seen.error, data=seen.data)
        action["changes_state"] = tool.changes_state
        run.actions.append(action)
        if seen.error:
            run.problems.append(f"{at}: {' '.join(seen.text.split())[:300]}")


async def _news(environment: Environment, role: str) -> str | None:
    tell = getattr(environment, "news", None)  # a kind of one's own need not inherit from the protocol
    told: str | None = None if tell is None else await tell(role)
    return told


def _usable(
    scenario: LoadedScenario, role: str, step: SolutionStep, environment: Environment, *, ended: bool
) -> tuple[Tool | None, str]:
    """The tool of a step, or why it cannot be called."""
    if ended:
        return None, "comes after `submit`, which ends the trial"
    if environment.finished():
        return None, "comes after the environment has come to an end"
    if role not in scenario.spec.roles:
        return None, f"there is no role {role!r}"
    turn = environment.turn()
    if turn is not None and turn != role:
        return None, f"it is {turn}'s turn, not {role}'s"
    offered = scenario.spec.roles[role].tools
    tools = [*type(environment).tools(scenario.options, role), SUBMIT]
    tool = next((t for t in tools if t.name == step.tool and (offered is None or t.name in offered)), None)
    if tool is None:
        return None, f"role {role} is not offered this tool"
    problem = _argument_problem(tool, step.arguments)
    return (None, problem) if problem else (tool, "")


def _argument_problem(tool: Tool, arguments: dict[str, JsonValue]) -> str:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    found = best_match(Draft202012Validator(tool.parameters).iter_errors(arguments))
    if found is None:
        return ""
    place = ".".join(str(part) for part in found.absolute_path)
    return f"arguments{'.' + place if place else ''}: {found.message}"


def _action(
    number: int, role: str, step: SolutionStep, kind: str, observation: str | None, *, error: bool,
    data: dict[str, JsonValue],
) -> RecordedAction:  # fmt: skip
    return RecordedAction(
        kind=kind, name=step.tool, arguments=dict(step.arguments), text="", role=role, node="solution", step=number,
        error=error, observation=observation, changes_state=False, data=data,
    )  # fmt: skip


def _said(score: float | None) -> str:
    return "nothing" if score is None else f"{score:g}"
