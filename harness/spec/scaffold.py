"""The scaffold file: a graph of steps, roles, and the action protocol models speak.

Edges are written on the node they leave: `next` on most nodes, `cases` on `route`, `to` on `branch`.
`end` names the end of the trial. After an `act` node in which `submit` was called the trial ends,
wherever `next` leads.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from harness.spec.base import ExpressionStr, PythonPath, Spec, TemplateStr
from harness.spec.scenario import Name

NodeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*$", max_length=200)]
"""Dots are kept for the nodes of inlined scaffolds: `review.critic`; nobody writes them."""
VariableName = Annotated[str, Field(pattern=r"^([A-Za-z][A-Za-z0-9_-]*\.)*[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
"""What templates can name; dots as in `NodeName`."""
Target = str
"""A node name, or `end`."""
END = "end"
"""The target that ends the trial."""
TURN = "@turn"
"""In place of a role: the seat whose turn it is in the environment."""


class Protocol(Spec):
    """How a model says what it does: the same for every model of a sweep."""

    kind: Literal["native", "json", "text"]
    """`native`: tool calls of the API. `json`: tools as text, one JSON object held to a schema.
    `text`: tools as text, the call parsed from prose."""
    thought: bool = False
    """`json` and `text`: ask for a thought before the call."""
    reply: bool = False
    """`json`: also allow `{"reply": "..."}` instead of a call."""
    max_string: int = Field(600, ge=20)
    """`json`: longest string argument, in characters; unbounded ones ramble on small models."""
    malformed_limit: int = Field(3, ge=1)
    """Consecutive malformed or cut-off replies of a role after which the trial ends as the model's fault."""


class ScaffoldRole(Spec):
    """A voice of the scaffold: a seat of the scenario, or an inner voice such as a critic."""

    seat: bool = True
    """Bound to a seat of the scenario (by name; a single seat binds to a single seat whatever the names)."""
    brief: TemplateStr | None = None
    """System message of an inner voice; added below the seat's own brief where `seat` is true."""
    model_of: str | None = None
    """Speaks through this role's model unless the sweep gives it one of its own."""
    every: bool = False
    """Stands for every seat of the scenario that no other role is named after, each under the seat's own name.
    Nodes reach these by `@turn` only."""


class _Scoped(Spec):
    scope: str = ""
    """Only in flat form: the prefix of the scaffold this node was inlined from, e.g. `review.`, else empty.
    The node's templates, expressions and functions see the variables and visits whose names begin with it,
    without it (`harness.spec.in_scope`)."""


class _Node(_Scoped):
    next: Target
    """Where to go after this node."""


class GenerateNode(_Node):
    """One model call of a role; the reply joins its thread and becomes its pending actions."""

    kind: Literal["generate"]
    role: str = "agent"
    """A role of this scaffold, or `@turn`: the seat whose turn it is in the environment."""
    tools: bool | list[str] = True
    """Whether tools are offered, or which."""
    save: str | None = None
    """Variable that takes the text of the reply."""
    max_tokens: int | None = Field(None, ge=1)
    """Tighter than the model's own limit, for this node."""


class ActNode(_Node):
    """Runs the pending tool calls of a role; malformed and cut-off replies are answered with the reason."""

    kind: Literal["act"]
    role: str = "agent"
    words: str | None = None
    """A tool with one argument `text`, such as `say`: a reply in plain words is carried out as a call of it, where
    the role is offered that tool."""


class HearNode(_Node):
    """Tells a role what has reached it since it was last told: words said to it, what others did."""

    kind: Literal["hear"]
    role: str = "agent"


class SayNode(_Node):
    """Puts a templated message into a role's thread; calls of that role still pending are withdrawn, not run."""

    kind: Literal["say"]
    role: str = "agent"
    text: TemplateStr
    """Sees the scaffold's variables, `input`, `task`, `opening` (the first user message of the role's seat, of the
    first seat for an inner voice), `role`, `last`, `observation`, `turns`, `visits`."""
    as_: Literal["user", "system", "assistant"] = Field("user", alias="as")


class Case(Spec):
    """One conditional edge."""

    when: ExpressionStr
    """Sees what `say` templates see."""
    to: Target


class RouteNode(_Scoped):
    """Edges with conditions; the first that holds is taken."""

    kind: Literal["route"]
    cases: list[Case] = Field(min_length=1)
    otherwise: Target


class BranchNode(_Scoped):
    """Runs `copies` parallel lanes from `to` until each reaches `join`. Lanes may not `act`."""

    kind: Literal["branch"]
    to: NodeName
    copies: int = Field(3, ge=2, le=32)
    join: NodeName


class JoinNode(_Node):
    """Waits for the lanes of its branch and goes on with one of them."""

    kind: Literal["join"]
    role: str = "agent"
    pick: Literal["vote", "first"] | PythonPath = "vote"
    """`vote`: the lane whose last action most lanes chose (ties: the first of them; malformed and cut-off replies
    vote only where no lane has another). `first`: lane 1.
    A function gets the lanes as a list of plain dicts and returns the index of one."""


class PythonNode(_Node):
    """Calls `function(state) -> dict` with the lane's variables, threads and last action as plain data.

    What it returns is merged into the scaffold variables.
    """

    kind: Literal["python"]
    function: PythonPath


class UseNode(_Node):
    """Inlines another scaffold; its nodes are prefixed with this node's name, its `end` is `next`."""

    kind: Literal["use"]
    scaffold: str
    roles: dict[str, str] = {}
    """Role of the used scaffold -> role of this one; names that agree need not be listed."""


Node = Annotated[
    GenerateNode | ActNode | HearNode | SayNode | RouteNode | BranchNode | JoinNode | PythonNode | UseNode,
    Field(discriminator="kind"),
]


class Scaffold(Spec):
    """A scaffold file."""

    kind: Literal["scaffold"]
    name: Name
    summary: str
    """Not part of the identity."""
    protocol: Protocol
    roles: dict[NodeName, ScaffoldRole] = {"agent": ScaffoldRole()}
    variables: dict[VariableName, JsonValue] = {}
    """Name -> value at the start of a trial. What `save` and python nodes write must be declared here."""
    start: NodeName
    nodes: dict[NodeName, Node] = Field(min_length=1)
