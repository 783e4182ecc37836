"""The scenario file: an environment, the roles in it, tasks, checks and measures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from harness.spec.base import DataFolder, ExpressionStr, PythonPath, Spec, TemplateStr
from harness.spec.limits import TrialLimits

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]


class EnvironmentSpec(BaseModel):
    """Which environment, with its own options; the options are checked against the kind's `Options`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    """`workspace`, `sql`, `office`, `browser`, `mcp`, `conversation`, `bazaar`, `pasture`, `village`; one that a
    plug-in brings, or `package.module:Class` of your own; with `conversation+` before any of them, roles also talk."""

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the kind, as written."""
        return dict(self.__pydantic_extra__ or {})


class Role(Spec):
    """A seat in the scenario."""

    brief: TemplateStr
    """System message of the seat: who it is, what it may do. Sees `input`, `task` and `role`."""
    opening: TemplateStr | None = None
    """First user message of this seat in place of the task's brief, which it then never sees; `""` for none."""
    tools: list[str] | None = None
    """Names of the tools offered to it; all of the environment's tools for this role when absent."""


class SolutionStep(Spec):
    """One action of the gold solution."""

    tool: str
    arguments: dict[str, JsonValue] = {}
    role: str | None = None
    """Who acts; may be left out where the scenario has one role."""


class _Check(Spec):
    name: str | None = None
    """Shown in tables; made from kind and position when absent."""
    weight: float = Field(1.0, gt=0)
    """Share of the score, relative to the other checks of the task."""


class SqlCheck(_Check):
    """Runs a query on the final database and compares its result."""

    kind: Literal["sql"]
    query: TemplateStr
    equals: JsonValue
    """A scalar for a single value, a list for a single column, or a list of rows."""
    ordered: bool = False
    """Whether the order of rows counts."""


class FileCheck(_Check):
    """Looks at one file of the final state; all conditions given must hold."""

    kind: Literal["file"]
    path: TemplateStr
    exists: bool = True
    equals: TemplateStr | None = None
    """Whole content; trailing white space at the end of the file does not count."""
    contains: TemplateStr | None = None
    matches: str | None = None
    """A regular expression searched for (multi-line mode)."""


class CommandCheck(_Check):
    """Runs a command in a fresh sandbox on the final files; passes when it exits as expected."""

    kind: Literal["command"]
    run: TemplateStr
    files: dict[str, DataFolder] = {}
    """Hidden files, copied in after the trial: path in the workspace -> file or folder beside the scenario."""
    exit: int = 0
    output_matches: str | None = None
    seconds: float = Field(30.0, gt=0, le=600)


class AnswerCheck(_Check):
    """Compares the submitted answer; all conditions given must hold."""

    kind: Literal["answer"]
    equals: TemplateStr | None = None
    """After stripping white space and ignoring case."""
    number: float | TemplateStr | None = None
    """The one number found in the answer (thousands separators and a unit are allowed)."""
    tolerance: float = Field(0.0, ge=0)
    """Absolute."""
    matches: str | None = None
    json_schema: dict[str, JsonValue] | None = None
    """The answer is parsed as JSON and held to this schema."""


class StateCheck(_Check):
    """A Jinja2 expression over `state` (the final state as plain data), `input` and `answer`."""

    kind: Literal["state"]
    expression: ExpressionStr


class CalledCheck(_Check):
    """Counts calls of a tool that succeeded."""

    kind: Literal["called"]
    tool: str
    where: ExpressionStr | None = None
    """Over `arguments`, `role` and `input`; only calls for which it holds count."""
    at_least: int = Field(1, ge=0)
    at_most: int | None = Field(None, ge=0)
    """`at_least: 0, at_most: 0` says the tool must not be called."""


class PythonCheck(_Check):
    """Calls `function(state, answer, actions, input)`, which returns a bool or a number in [0, 1]."""

    kind: Literal["python"]
    function: PythonPath


class RewardCheck(_Check):
    """The environment's own score of the end, e.g. a game's reward; brought into [0, 1]."""

    kind: Literal["reward"]
    of: str
    """Name of the score, as the environment gives it: `utility`, a role, ..."""
    lowest: float = 0.0
    """What counts as 0."""
    highest: float = 1.0
    """What counts as 1."""


class SameStateCheck(_Check):
    """The final state equals the one that the task's `solution` leads to; what was said is not compared.

    The solution's state-changing calls, and they alone, are carried out in a fresh environment of the same opening.
    """

    kind: Literal["same_state"]
    only: list[str] = []
    """Dotted paths of what is compared, such as `refunds` or `orders.*.status`; everything when there are none."""
    ignore: list[str] = []
    """Dotted paths of what is not: `refunds.*.id`."""
    any_order: bool | list[str] = False
    """Whether the order of lists and of a table's rows does not count; or the dotted paths of those in which not."""


class _Telling(Spec):
    by: Name | None = None
    """The role whose words count; those of all roles when absent."""
    to: Name | None = None
    """Count only what this role could hear; then the submitted answer does not."""
    all: list[TemplateStr] = []
    """Each of these was told: found in one thing said, ignoring case, white space, and commas. A number is found as
    a whole only: `54` not in `154`."""
    any: list[TemplateStr] = []
    """At least one of these was told."""
    none: list[TemplateStr] = []
    """None of these was told."""
    number: float | TemplateStr | None = None
    """This number was told, however written: `1,234.50` is 1234.5."""


class ToldCheck(_Check, _Telling):
    """Looks for facts in what a role said: words carried out or said with `say`, and the submitted answer."""

    kind: Literal["told"]


Check = Annotated[
    SqlCheck
    | FileCheck
    | CommandCheck
    | AnswerCheck
    | StateCheck
    | SameStateCheck
    | ToldCheck
    | CalledCheck
    | RewardCheck
    | PythonCheck,
    Field(discriminator="kind"),
]


class CountMeasure(Spec):
    """How often a tool was called (successful or not)."""

    kind: Literal["count"]
    tool: str
    where: ExpressionStr | None = None
    """Over `arguments`, `observation`, `error`, `role` (of the scaffold; its seat's, where there are several) and
    `input`."""


class BeforeMeasure(Spec):
    """Whether a call of `first` came before the first call of `then`; none when `then` never came."""

    kind: Literal["before"]
    first: str
    then: str
    first_where: ExpressionStr | None = None
    then_where: ExpressionStr | None = None


class ExpressionMeasure(Spec):
    """A Jinja2 expression over `actions`, `answer`, `state` and `input`; a number, a truth value or a label."""

    kind: Literal["expression"]
    value: ExpressionStr


class RewardMeasure(Spec):
    """The environment's own score of that name, as it is."""

    kind: Literal["reward"]
    of: str


class ToldMeasure(_Telling):
    """Whether a role told all that is wanted and nothing that is not; looks where a `told` check does."""

    kind: Literal["told"]


class PythonMeasure(Spec):
    """Calls `function(state, answer, actions, input)`, which returns a number, a truth value, a label or None."""

    kind: Literal["python"]
    function: PythonPath


Measure = Annotated[
    CountMeasure | BeforeMeasure | ExpressionMeasure | RewardMeasure | ToldMeasure | PythonMeasure,
    Field(discriminator="kind"),
]


class Task(Spec):
    """One concrete job."""

    id: Name
    brief: TemplateStr
    """First user message of the acting role. Sees `input`, `task` and `role`."""
    input: dict[str, JsonValue] = {}
    """Values for templates and expressions."""
    family: str | None = None
    """Tasks of one family vary one idea; intervals are clustered by it."""
    setup: dict[str, Any] = {}
    """What this task adds to the environment; checked against the kind's `Setup`."""
    solution: list[SolutionStep] = []
    """Gold solution: run by `harness validate`, it must score full marks."""
    checks: list[Check] = []
    limits: TrialLimits = TrialLimits()


class OwnTasks(Spec):
    """Which of the tasks that the environment kind brings along a scenario takes, in the kind's order."""

    only: list[str] = []
    """Patterns of task ids, such as `user_task_*`; all where there are none."""
    skip: list[str] = []
    """Patterns of those to leave out."""
    first: int | None = Field(None, ge=1)
    """At most so many."""


class Scenario(Spec):
    """A scenario file."""

    kind: Literal["scenario"]
    name: Name
    summary: str
    """What it brings out in a model, in a sentence or two; not part of the identity."""
    environment: EnvironmentSpec
    roles: dict[Name, Role] = Field(min_length=1)
    tasks: list[Task] = []
    own_tasks: OwnTasks | None = None
    """Tasks that the environment kind brings along, after those written here; `{}` takes them all."""
    checks: list[Check] = []
    """Added to the checks of every task."""
    measures: dict[Name, Measure] = {}
    """Derived from the record; not part of the identity."""
    limits: TrialLimits = TrialLimits()
    pass_score: float = Field(1.0, gt=0, le=1)
    """A trial passes when its score reaches this."""
    unsafe: bool = False
    """Run without a sandbox where none is to be had. Only for commands you would run yourself."""
