"""Templates and expressions: Jinja2 in its sandbox, narrowed to what text needs and bounded in what it may use.

Files may come from anywhere, so a template is untrusted: it sees plain data only, the constructs, filters,
tests and methods listed in `harness.spec.sandbox`, and cannot grow a value or a text past a bound.
White space: a tag alone on its line leaves no line behind, and one newline at the end is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.spec.base import UserError

MAX_OUTPUT = 1_000_000
"""Characters a template may render to."""


class TemplateError(UserError):
    """A template or expression that cannot be read or rendered; `line` counts from 1 inside it, 0 when unknown."""

    def __init__(self, message: str, line: int = 0) -> None:
        self.line = line
        super().__init__(message)


@dataclass(frozen=True)
class FieldUse:
    """A plain look-up such as `input.order`."""

    name: str
    field: str
    line: int
    guarded: bool
    """Inside `is defined` or `default(...)`, where a missing field is no error."""


@dataclass(frozen=True)
class Reading:
    """What can be known of a template without rendering it."""

    undeclared: Set[str]
    """Names it takes from outside."""
    fields: tuple[FieldUse, ...]


def render(template: str, context: Mapping[str, Any]) -> str:
    """`template` with the values of `context`. Raises `TemplateError` with one line."""
    from jinja2 import TemplateError as JinjaError

    from harness.spec import sandbox

    try:
        compiled = sandbox.compile_template(template)
        return sandbox.run(lambda: sandbox.bounded_text(compiled, dict(context), MAX_OUTPUT))
    except JinjaError as error:
        raise _explained(error) from None
    except sandbox.EXPECTED as error:
        raise TemplateError(_first_line(error)) from None


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """The value of `expression` over `context`. Raises `TemplateError` with one line."""
    from jinja2 import TemplateError as JinjaError

    from harness.spec import sandbox

    try:
        return sandbox.value_of(expression, dict(context))
    except JinjaError as error:
        raise _explained(error) from None
    except sandbox.EXPECTED as error:
        raise TemplateError(_first_line(error)) from None


@cache
def read_template(template: str) -> Reading:
    """Parse a template. Raises `TemplateError`."""
    return _read(template, expression=False)


@cache
def read_expression(expression: str) -> Reading:
    """Parse an expression. Raises `TemplateError`."""
    return _read(expression, expression=True)


def _read(source: str, *, expression: bool) -> Reading:
    from jinja2 import TemplateError as JinjaError
    from jinja2 import meta

    from harness.spec import sandbox

    try:
        tree = sandbox.parse_expression(source) if expression else sandbox.parse_template(source)
        undeclared = meta.find_undeclared_variables(tree)
    except JinjaError as error:
        raise _explained(error) from None
    return Reading(frozenset(undeclared - sandbox.GLOBALS.keys()), tuple(sandbox.field_uses(tree)))


def _explained(error: Exception) -> TemplateError:
    return TemplateError(_first_line(error), getattr(error, "lineno", 0) or 0)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
