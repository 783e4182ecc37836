"""Whether arguments hold to a tool's schema, with a reason a model can act on. Nothing is coerced."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.environments.protocol import Tool

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

REASON_LENGTH = 200


def validate_arguments(tool: Tool, arguments: dict[str, Any]) -> str | None:
    """Why `arguments` do not hold to the schema of `tool`, in one line; None when they hold.

    The first violation in the order of the argument's place, so that the same call always gets the same reason.
    """
    if not arguments and not tool.parameters.get("required"):
        return None
    errors = sorted(_validator(_key(tool)).iter_errors(arguments), key=lambda e: ([str(p) for p in e.path], e.message))
    if not errors:
        return None
    error = errors[0]
    place = ".".join(str(part) for part in error.path)
    message = " ".join(error.message.split())
    if len(message) > REASON_LENGTH:
        message = message[: REASON_LENGTH // 2] + " … " + message[-REASON_LENGTH // 2 :]
    return f"argument {place!r}: {message}" if place else message


def _key(tool: Tool) -> str:
    return json.dumps(tool.parameters, sort_keys=True)


@lru_cache(maxsize=1024)
def _validator(schema: str) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))
