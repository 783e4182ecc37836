"""The tools of a server as models are offered them: names that providers take, closed schemas, and no surprises.

What a server says of its tools is pinned in the scenario, and compared with what it says when a trial opens.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue, ValidationError

from harness.environments.mcp.options import McpOptions, PinnedTool
from harness.environments.protocol import EnvironmentFault, Tool
from harness.errors import UserError

if TYPE_CHECKING:
    import mcp_types

_LONGEST_NAME = 64
_TAKEN = frozenset({"submit", "say", "end_conversation"})
"""Tools of the harness itself."""
_OF_NAMES = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONE_SCHEMA = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")


class ToolsChangedError(EnvironmentFault, UserError):
    """The server's tools are not those that the scenario has pinned."""


def pinned(options: McpOptions) -> dict[str, PinnedTool]:
    """The server's own name -> tool, of those that are offered. Raises `UserError` when the file cannot be used."""
    known = all_pinned(options)
    if not isinstance(options.tools, list):
        return known
    unknown = [name for name in options.tools if name not in known]
    if unknown:
        raise UserError(f"no tool {', '.join(unknown)} is pinned; write the file anew: harness tools SCENARIO --write")
    return {name: known[name] for name in options.tools}


def all_pinned(options: McpOptions, *, lenient: bool = False) -> dict[str, PinnedTool]:
    """The same of all that are pinned, offered or not; none where the file is none and `lenient`."""
    if isinstance(options.tools, dict):
        return dict(options.tools)
    path = Path(options.tools_file or "")
    try:
        status = path.stat()
        return dict(_read(path, status.st_mtime_ns, status.st_size))
    except OSError as error:
        raise UserError(f"{path.name} cannot be read: {error.strerror}") from error
    except UserError:
        if not lenient:
            raise
        return {}


def offered(tools: Mapping[str, PinnedTool]) -> dict[str, tuple[str, Tool]]:
    """Name that a model calls it by -> the server's own name, and the tool."""
    names = offered_names(tools)
    return {
        names[name]: (name, Tool(names[name], tool.description, tool.parameters, tool.changes_state))
        for name, tool in tools.items()
    }


def offered_names(names: Iterable[str]) -> dict[str, str]:
    """The server's name -> one that providers take: letters, digits, `_` and `-`, at most 64, each its own."""
    mapped: dict[str, str] = {}
    names = list(names)
    used = {name for name in names if _fits(name)}
    for name in names:
        if _fits(name):
            mapped[name] = name
            continue
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_") or "tool"
        mark = hashlib.sha256(name.encode()).hexdigest()[:8]
        if plain in used or not _fits(plain):
            plain = f"{plain[: _LONGEST_NAME - 9]}_{mark}"
        used.add(plain)
        mapped[name] = plain
    return mapped


def as_pinned(tool: mcp_types.Tool) -> PinnedTool:
    """A tool as the server describes it, made ready to be pinned. Raises `UserError` for a schema that is none."""
    annotations = tool.annotations
    reading = annotations is not None and annotations.read_only_hint is True
    description = (tool.description or tool.title or tool.name).strip() or tool.name
    return PinnedTool(
        description=description, parameters=closed(tool.name, tool.input_schema), changes_state=not reading
    )  # fmt: skip


def compare(wanted: Mapping[str, PinnedTool], found: Mapping[str, mcp_types.Tool]) -> None:
    """Hold what the server says now to what is pinned. Raises `ToolsChangedError` naming the first difference."""
    for name, pin in wanted.items():
        if name not in found:
            there = ", ".join(sorted(found)[:20]) or "none"
            raise ToolsChangedError(f"the server has no tool {name!r} any more; it has {there}")
        now = as_pinned(found[name])
        for what, pinned_value, now_value in (
            ("description", pin.description.strip(), now.description),
            ("parameters", pin.parameters, now.parameters),
        ):
            if pinned_value != now_value:
                raise ToolsChangedError(
                    f"the server now gives other {what} for the tool {name!r} than are pinned; "
                    "look at the change, and take it with: harness tools SCENARIO --write"
                )


def closed(name: str, schema: Mapping[str, object]) -> dict[str, JsonValue]:
    """A server's schema as a closed object that the harness and providers can hold arguments to.

    Left out: references to elsewhere, patterns that are none, titles. Raises `UserError` when no schema is left.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    cleaned = cast("dict[str, JsonValue]", _clean(dict(schema), schema, closing=True))
    cleaned |= {"type": "object", "additionalProperties": False}
    properties = cleaned.setdefault("properties", {})
    if isinstance(properties, dict) and isinstance(required := cleaned.get("required"), list):
        cleaned["required"] = [one for one in required if one in properties]
    try:
        Draft202012Validator.check_schema(cleaned)
    except SchemaError as error:
        raise UserError(
            f"the server's tool {name!r} has parameters that are no JSON schema: {error.message[:200]}"
        ) from error
    return cleaned


def _clean(schema: object, root: Mapping[str, object], *, closing: bool) -> JsonValue:
    if not isinstance(schema, dict):
        return schema if isinstance(schema, bool) else {}
    out: dict[str, JsonValue] = {}
    for key, value in schema.items():
        if key in ("$schema", "$id", "$comment", "title") or not isinstance(key, str):
            continue
        if key in _OF_NAMES and isinstance(value, dict):
            out[key] = {name: _clean(one, root, closing=closing) for name, one in value.items()}
        elif key == "items" and isinstance(value, list):  # as schemas of old wrote it
            out["prefixItems"] = [_clean(one, root, closing=closing) for one in value]
        elif key in _OF_SCHEMAS and isinstance(value, list):
            out[key] = [_clean(one, root, closing=closing and key != "allOf") for one in value]
        elif key in _ONE_SCHEMA and not isinstance(value, bool):
            out[key] = _clean(value, root, closing=closing)
        elif _can_be_kept(key, value, root):
            out[key] = value
    if closing and "properties" in out and not out.keys() & {"additionalProperties", "patternProperties", "allOf"}:
        out["additionalProperties"] = False
    return out


def _can_be_kept(key: str, value: object, root: Mapping[str, object]) -> bool:
    if key == "pattern":
        try:
            re.compile(str(value))
        except (re.error, OverflowError, RecursionError):
            return False
    if key in ("exclusiveMinimum", "exclusiveMaximum"):
        return not isinstance(value, bool)
    if key in ("$ref", "$dynamicRef", "$recursiveRef"):
        return _leads_somewhere(str(value), root)
    return True


def _leads_somewhere(reference: str, root: Mapping[str, object]) -> bool:
    if not reference.startswith("#/"):
        return False
    at: object = root
    for part in reference[2:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(at, dict) or part not in at:
            return False
        at = at[part]
    return True


def _fits(name: str) -> bool:
    return re.fullmatch(rf"[A-Za-z0-9_-]{{1,{_LONGEST_NAME}}}", name) is not None and name not in _TAKEN


@functools.lru_cache(maxsize=32)
def _read(path: Path, _changed: int, _size: int) -> dict[str, PinnedTool]:
    """The tools of a file as it is at this moment."""
    import yaml

    how = "write it with: harness tools SCENARIO --write"
    try:
        data = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        tools = data["tools"]
        if not isinstance(tools, dict) or not tools:
            raise TypeError("it holds no tools")
        return {str(name): PinnedTool.model_validate(tool) for name, tool in tools.items()}
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path.name}: {place}: {first['msg'].lower()}; {how}") from error
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path.name} lists no tools; {how}") from error
