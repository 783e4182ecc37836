"""Holds plain data to a JSON schema without importing a validator: the part of JSON Schema that tools use.

Used at check time, where start-up counts. What it does not know it lets pass; at run time the full validator rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.spec.library import did_you_mean

Path = tuple[str | int, ...]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def schema_faults(schema: Mapping[str, Any], value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """(path, message) for everything in `value` that does not hold to `schema`."""
    wrong = _wrong_type(schema.get("type"), value)
    if wrong:
        yield path, wrong
        return
    if "enum" in schema and value not in schema["enum"]:
        allowed = [str(item) for item in schema["enum"]]
        yield path, f"should be one of {', '.join(allowed)}, not {value!r}{did_you_mean(str(value), allowed)}"
    if "const" in schema and value != schema["const"]:
        yield path, f"should be {schema['const']!r}, not {value!r}"
    arms = schema.get("anyOf") or schema.get("oneOf")
    if arms and all(any(True for _ in schema_faults(arm, value, path)) for arm in arms):
        yield path, "fits none of the forms this argument may take"
    if isinstance(value, dict):
        yield from _object(schema, value, path)
    elif isinstance(value, list):
        yield from _array(schema, value, path)
    elif isinstance(value, str):
        yield from _string(schema, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(schema, value, path)


def _wrong_type(wanted: str | list[str] | None, value: object) -> str | None:
    names = [wanted] if isinstance(wanted, str) else wanted or []
    for name in names:
        if isinstance(value, bool) and name != "boolean":
            continue
        if isinstance(value, _TYPES.get(name, (object,))):
            return None
        if name == "integer" and isinstance(value, float) and value.is_integer():
            return None
    if not names:
        return None
    return f"should be {' or '.join(_NAMES.get(name, name) for name in names)}, not {value!r}"[:200]


def _object(schema: Mapping[str, Any], value: dict[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    known: Mapping[str, Any] = schema.get("properties", {})
    unknown = [did_you_mean(name, list(known)) for name in value if name not in known]
    for name in schema.get("required", []):
        if name not in value and f" (did you mean {name}?)" not in unknown:
            yield path, f"argument {name!r} is missing"
    extra = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            yield from schema_faults(known[name], item, (*path, name))
        elif extra is False:
            listed = f"; there are {', '.join(known)}" if known else "; there are none"
            yield (*path, name), f"unknown argument {name!r}{listed}{did_you_mean(name, list(known))}"
        elif isinstance(extra, Mapping):
            yield from schema_faults(extra, item, (*path, name))


def _array(schema: Mapping[str, Any], value: list[Any], path: Path) -> Iterator[tuple[Path, str]]:
    if len(value) < schema.get("minItems", 0):
        yield path, f"should hold at least {schema['minItems']} items"
    if len(value) > schema.get("maxItems", len(value)):
        yield path, f"should hold at most {schema['maxItems']} items"
    items = schema.get("items")
    if isinstance(items, Mapping):
        for index, item in enumerate(value):
            yield from schema_faults(items, item, (*path, index))


def _string(schema: Mapping[str, Any], value: str, path: Path) -> Iterator[tuple[Path, str]]:
    if len(value) < schema.get("minLength", 0):
        yield path, f"should hold at least {schema['minLength']} characters"
    if len(value) > schema.get("maxLength", len(value)):
        yield path, f"should hold at most {schema['maxLength']} characters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield path, f"should match {schema['pattern']}"


def _number(schema: Mapping[str, Any], value: float, path: Path) -> Iterator[tuple[Path, str]]:
    if value < schema.get("minimum", value):
        yield path, f"should be at least {schema['minimum']}, not {value}"
    if value > schema.get("maximum", value):
        yield path, f"should be at most {schema['maximum']}, not {value}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield path, f"should be more than {schema['exclusiveMinimum']}, not {value}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield path, f"should be less than {schema['exclusiveMaximum']}, not {value}"
