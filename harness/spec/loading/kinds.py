"""What is asked of an environment kind while a file is read: a kind from elsewhere may raise anything.

What it gets wrong is a problem in one line that names the kind, as any other mistake of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from harness.errors import UserError
from harness.spec.resolved import KindLike, ToolLike

T = TypeVar("T")


def asked(name: str, what: str, work: Callable[[], T]) -> T:
    """The result of `work`, which asks the kind called `name` for `what`. Raises `UserError`."""
    try:
        return work()
    except UserError:
        raise
    except (Exception, SystemExit) as error:  # whatever a kind raises is its own fault, and is said in a line
        text = " ".join(str(error).split())[:300]
        raise UserError(f"environment kind {name!r} is broken: {what}: {type(error).__name__}: {text}") from error


def sound(name: str, kind: KindLike) -> KindLike:
    """The kind. Raises `UserError` for one whose options or set-up are no models."""
    for part in ("Options", "Setup"):
        model = getattr(kind, part)
        if not isinstance(model, type) or not issubclass(model, BaseModel):
            raise UserError(f"environment kind {name!r} is broken: `{part}` is {model!r}, no pydantic model")
    return kind


def tools_of(name: str, kind: KindLike, options: BaseModel, roles: Sequence[str]) -> list[list[ToolLike]]:
    """The tools that a kind offers each role. Raises `UserError` for what are none."""
    return [asked(name, f"tools of {role}", lambda role=role: _tools(kind, options, role)) for role in roles]  # type: ignore[misc]


def _tools(kind: KindLike, options: BaseModel, role: str) -> list[ToolLike]:
    """Whether the parameters are a schema throughout is for `harness validate --conformance`; that takes a while."""
    tools = list(kind.tools(options, role))
    for tool in tools:
        if not isinstance(tool.name, str) or not isinstance(tool.parameters, dict):
            raise TypeError(f"{tool!r} has no name or no parameters"[:200])
        if tool.parameters.get("type") != "object":
            raise ValueError(f"the parameters of {tool.name} are no JSON schema of type object")
    return tools
