"""Rendering templates, evaluating expressions, and reading both without running them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import UserError

if TYPE_CHECKING:
    from jinja2 import nodes

MAX_SOURCE = 200_000
"""Characters of a template as written."""

T = TypeVar("T")


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
    """Where a missing field is no error: before `is defined`, `default(...)`, or as a method."""


@dataclass(frozen=True)
class Reading:
    """What can be known of a template without rendering it."""

    undeclared: Set[str]
    """Names it takes from outside."""
    fields: tuple[FieldUse, ...]


def render(template: str, context: Mapping[str, Any]) -> str:
    """`template` with the values of `context`. Raises `TemplateError` with one line."""
    from harness.spec.templates import sandbox

    return _explained(template, lambda: sandbox.render(template, context))


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """The value of `expression` over `context`. Raises `TemplateError` with one line."""
    from harness.spec.templates import sandbox

    return _explained(expression, lambda: sandbox.evaluate(expression, context))


@lru_cache(maxsize=4096)
def read_template(template: str) -> Reading:
    """Parse a template. Raises `TemplateError`."""
    from harness.spec.templates import sandbox

    return _explained(template, lambda: _read(sandbox.parse_template(template)))


@lru_cache(maxsize=4096)
def read_expression(expression: str) -> Reading:
    """Parse an expression. Raises `TemplateError`."""
    from harness.spec.templates import sandbox

    return _explained(expression, lambda: _read(sandbox.parse_expression(expression)))


def _read(tree: nodes.Template) -> Reading:
    from jinja2 import meta

    from harness.spec.templates import sandbox

    undeclared = frozenset(meta.find_undeclared_variables(tree)) - sandbox.GLOBALS.keys() - {"_result"}
    uses = [use for use in sandbox.field_uses(tree) if use.name in undeclared]
    return Reading(undeclared, tuple(dict.fromkeys(uses)))


def _explained(source: str, work: Callable[[], T]) -> T:
    """The result of `work`, with everything a template can do wrong turned into `TemplateError`."""
    import jinja2

    if len(source) > MAX_SOURCE:
        raise TemplateError(f"the template holds {len(source)} characters; {MAX_SOURCE} are the most")
    try:
        return work()
    except jinja2.TemplateError as error:
        raise TemplateError(_line(error), getattr(error, "lineno", 0) or 0) from None
    except (RecursionError, MemoryError, SyntaxError):
        raise TemplateError("the template is nested too deeply") from None
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise TemplateError(f"{_line(error)} ({type(error).__name__})") from None


def _line(error: BaseException) -> str:
    """The first line of an error's message, without Jinja's full stop."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text.removesuffix(".")
