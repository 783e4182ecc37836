"""A reply held to a JSON schema, without white space a small model would fill with tokens.

Given a `response_format`, llama.cpp's server lets the model put blanks and newlines between all parts. The same schema
as a grammar of llguidance (built into the engine) allows none, which saves a good part of the tokens and of the ways to
ramble. The schema is the same, so the receipt carries the hash of the response format asked for, and says `grammar:
json schema, compact` among what was sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from pydantic import JsonValue

from harness.models.protocol import ModelRequest

_OPTIONS = {"whitespace_flexible": False, "lenient": True}
"""`lenient`: a keyword the grammar cannot hold to is left to the check of the reply, as everywhere."""
_SAID = "json schema, compact"


@dataclass(frozen=True)
class Compacted:
    """A request as the child gets it."""

    request: ModelRequest
    asked: dict[str, JsonValue]
    """The call's own parameters before the change."""
    response_format: str | None = None
    """Hash of the response format that became a grammar; None when there was none."""

    def described(self, sent: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Parameters for the receipt, the long grammar replaced by its name."""
        return sent if self.response_format is None or "grammar" not in sent else sent | {"grammar": _SAID}


def compact(request: ModelRequest, extra_body: JsonValue = None) -> Compacted:
    """The request with a JSON schema as response format turned into a grammar; any other as it is.

    `extra_body` is the one of entry and sweep, that the request's own is laid over.
    """
    schema = _schema(request.response_format)
    if schema is None:
        return Compacted(request, request.parameters)
    from harness.models.remote.receipts import hash_json

    grammar = "%llguidance {}\nstart: %json " + json.dumps(schema | {"x-guidance": _OPTIONS})
    bodies = (extra_body, request.parameters.get("extra_body"), {"grammar": grammar})
    merged: dict[str, JsonValue] = {}
    for body in bodies:
        merged |= body if isinstance(body, dict) else {}
    parameters = {**request.parameters, "extra_body": merged}
    changed = replace(request, parameters=parameters, response_format=None)
    return Compacted(changed, request.parameters, hash_json(request.response_format))


def _schema(response_format: dict[str, JsonValue] | None) -> dict[str, Any] | None:
    if response_format is None or response_format.get("type") != "json_schema":
        return None
    wrapped = response_format.get("json_schema")
    schema = wrapped.get("schema") if isinstance(wrapped, dict) else None
    return schema if isinstance(schema, dict) else None
