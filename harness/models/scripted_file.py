"""The script file of a scripted model: rules, the first of which that fits says what the model does.

    kind: script
    rules:
      - visit: 1                                        # the first time a generate node is reached
        call: {tool: list_files}
      - when: "'Error' in last"                         # an expression over what the model sees
        choose:                                         # by chance, the same chance for the same seed
          - {weight: 3, call: {tool: read_file, arguments: {path: notes.txt}}}
          - {weight: 1, malformed: '{"path": '}
      - role: critic
        say: OK
      - call: {tool: submit, arguments: {answer: "{{ last | length }}"}}

A rule fits when all of `role`, `node`, `lane`, `visit` and `when` that it has do. It then does exactly one of

- `call`: one tool call; `calls`: several (the `json` and `text` protocols take the first);
- `say`: plain text; `refuse`: the provider's own refusal; `cut_off`: text that ends at the token limit;
- `malformed`: a call of `tool` (the first one offered when absent) whose arguments are this text;
- `raw`: the whole assistant message, or its content, as given;
- `fail`: no reply, but a failure of this kind;
- `skip: true`: nothing: the rules below decide;
- `choose`: one of these by weight.

Beside it: `text` (what is said or thought before a call), `delay` in seconds, `usage` in place of counted words,
`times` (the rule fits only so often in one run, over all its trials: for failures that pass).

Texts and string arguments are templates; a string argument that is one expression only, `"{{ visit + 1 }}"`, keeps the
expression's type. They and `when` see: `messages`, `last` and `first` (contents of the last message and of the first
user message), `system`, `tools` (names offered), `protocol`, `role`, `node`, `lane`, `visit`, and `turn` (from 1,
replies of this thread so far plus this one).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from harness.spec.base import Expression, ExpressionStr, Problem, Spec, SpecError, Template, TemplateStr
from harness.spec.loading.marked import marked
from harness.spec.loading.names import Names, check_expression, check_template
from harness.spec.reading.source import Source

FailureKind = Literal[
    "rate_limit",
    "overloaded",
    "server",
    "timeout",
    "connection",
    "truncated",
    "auth",
    "quota",
    "bad_request",
    "context",
]
SEEN = frozenset({"messages", "last", "first", "system", "tools", "protocol", "role", "node", "lane", "visit", "turn"})
"""What templates and expressions of a script see."""
ACTIONS = ("call", "calls", "say", "refuse", "cut_off", "malformed", "raw", "fail", "skip", "choose")


class ScriptedCall(Spec):
    """One tool call."""

    tool: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Strings at any depth are templates."""


class ScriptedUsage(Spec):
    """Tokens of a reply."""

    prompt: int | None = Field(None, ge=0)
    completion: int | None = Field(None, ge=0)
    cached: int | None = Field(None, ge=0)
    reasoning: int | None = Field(None, ge=0)


class _Deed(Spec):
    """One thing to do; exactly one of the actions."""

    call: ScriptedCall | None = None
    calls: list[ScriptedCall] | None = Field(None, min_length=1)
    say: TemplateStr | None = None
    refuse: TemplateStr | None = None
    cut_off: TemplateStr | None = None
    malformed: TemplateStr | None = None
    tool: str | None = None
    """Whose arguments are malformed."""
    raw: dict[str, JsonValue] | str | None = None
    fail: FailureKind | None = None
    skip: bool | None = None
    text: TemplateStr = ""
    """Said, or thought, before a call."""
    delay: float = Field(0.0, ge=0)
    """Seconds before the reply."""
    usage: ScriptedUsage | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        given = [name for name in ACTIONS if getattr(self, name, None) not in (None, False)]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none"
            raise ValueError(f"exactly one of {', '.join(ACTIONS)} is wanted; {found}")
        if self.tool is not None and self.malformed is None:
            raise ValueError("`tool` goes with `malformed` only; a sound call is `call: {tool: ..., arguments: ...}`")
        return self


class Choice(_Deed):
    """One of several things to do by chance."""

    weight: float = Field(1.0, ge=0)
    """Relative to the other choices."""


class Rule(_Deed):
    """When, and what."""

    role: str | None = None
    node: str | None = None
    lane: str | None = None
    visit: Annotated[int, Field(ge=1)] | list[int] | None = None
    """How often the lane has visited the node, from 1; one number or several."""
    when: ExpressionStr | None = None
    times: int | None = Field(None, ge=1)
    """Fits only so often in one run. Which trial comes first may depend on timing."""
    choose: list[Choice] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.choose is not None and not any(choice.weight for choice in self.choose):
            raise ValueError("all weights of `choose` are zero")
        return self


class Script(Spec):
    """A script file."""

    kind: Literal["script"]
    summary: str = ""
    rules: list[Rule] = Field(min_length=1)


def load_script(path: Path) -> Script:
    """The script in a file. Raises `SpecError` with all its problems."""
    problems: list[Problem] = []
    source = Source(path.absolute(), problems)
    script = source.best(Script) if source.read() and source.is_a("script") else None
    if script is not None:
        names = Names(SEEN)
        for item in marked(script):
            if isinstance(item.mark, Template):
                check_template(source, item.path, item.value, names)
            elif isinstance(item.mark, Expression):
                check_expression(source, item.path, item.value, names)
        for at, text in _argument_texts(script):
            check_template(source, at, text, names)
    if script is None or problems:
        raise SpecError(problems)
    return script


def _argument_texts(script: Script) -> list[tuple[tuple[str | int, ...], str]]:
    """Every template among arguments, with its place."""
    found: list[tuple[tuple[str | int, ...], str]] = []

    def walk(value: JsonValue, at: tuple[str | int, ...]) -> None:
        if isinstance(value, str):
            found.append((at, value))
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, (*at, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, (*at, index))

    def deed(given: _Deed, at: tuple[str | int, ...]) -> None:
        if given.call is not None:
            walk(given.call.arguments, (*at, "call", "arguments"))
        for index, call in enumerate(given.calls or ()):
            walk(call.arguments, (*at, "calls", index, "arguments"))

    for index, rule in enumerate(script.rules):
        deed(rule, ("rules", index))
        for place, choice in enumerate(rule.choose or ()):
            deed(choice, ("rules", index, "choose", place))
    return found
