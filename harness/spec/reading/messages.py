"""Pydantic's errors in plain words: what stands where, and what should stand there instead.

Pydantic reports a location through its own types (`checks.0.sql.query`, `tools.list[str].2`); `Shape`
walks the annotations beside it, so that the place in the file and the keys allowed there are known.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypeAliasType

from harness.spec.library import did_you_mean

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Complaint:
    """One error: the path into the data, what is wrong, and whether the key rather than the value is meant."""

    path: Path
    message: str
    on_key: bool = False


@dataclass(frozen=True)
class _Located:
    """A pydantic error with its path in the data and the plain unions passed on the way."""

    error: ErrorDetails
    path: Path
    shape: Any
    """Annotation of the value at `path`; of the mapping around it for unknown and missing keys."""
    union: tuple[Path, Any] | None
    """Path and annotation of the outermost plain union."""


def explain(error: ValidationError, model: type[BaseModel], data: object) -> list[Complaint]:
    """All errors of one validation, in plain words, one for each place."""
    located = [_locate(detail, model) for detail in error.errors(include_url=False)]
    complaints: list[Complaint] = []
    for union in dict.fromkeys(item.union[0] for item in located if item.union):
        group = [item for item in located if item.union and item.union[0] == union]
        complaints += _explain_union(group, data)
    complaints += [_explain_one(item) for item in located if item.union is None]
    misspelt = {
        (c.path[:-1], c.message.rpartition("(did you mean ")[2].removesuffix("?)")) for c in complaints if c.on_key
    }
    return [
        complaint
        for complaint in dict.fromkeys(complaints)
        if not any(complaint.message == f"key {key!r} is missing" and complaint.path == path for path, key in misspelt)
    ]


def _explain_union(group: Sequence[_Located], data: object) -> list[Complaint]:
    """The arm that got furthest speaks; when none got anywhere, all arms are named."""
    path, shape = group[0].union or ((), None)
    depth = max(len(item.path) for item in group)
    if depth > len(path):
        return [_explain_one(item) for item in group if len(item.path) == depth]
    value = _value(data, path)
    fitting = [item for item in group if _same_kind(item)]
    if len(fitting) == 1:
        return [_explain_one(fitting[0])]
    return [Complaint(path, f"should be {_words(shape)}, not {_said(value)}{_quote_hint(shape, value)}")]


def _same_kind(item: _Located) -> bool:
    """Whether the arm takes values of this type, only not this one (a bound, a pattern)."""
    return not item.error["type"].endswith("_type") and item.error["type"] not in ("literal_error", "bool_parsing")


def _explain_one(item: _Located) -> Complaint:
    error, path = item.error, item.path
    kind, context = error["type"], error.get("ctx", {})
    value = error.get("input")
    key = path[-1] if path else ""
    if kind == "extra_forbidden":
        known = _keys(item.shape)
        hint = did_you_mean(str(key), known)
        return Complaint(path, f"unknown key {key!r}{hint or _known(known)}", on_key=True)
    if kind == "missing":
        return Complaint(path[:-1], f"key {key!r} is missing")
    if kind == "union_tag_not_found":
        return Complaint(path, f"key 'kind' is missing: one of {', '.join(_kinds(item.shape))}")
    if kind == "union_tag_invalid":
        kinds = _kinds(item.shape)
        tag = str(context.get("tag", ""))
        message = f"unknown kind {tag!r}; there are {', '.join(kinds)}{did_you_mean(tag, kinds)}"
        return Complaint((*path, "kind"), message)
    on_key = "[key]" in error["loc"]
    return Complaint(path, _value_message(kind, context, value, item.shape, on_key=on_key), on_key=on_key)


def _value_message(kind: str, context: Mapping[str, Any], value: object, shape: Any, *, on_key: bool) -> str:
    said = _said(value)
    if kind == "literal_error":
        allowed = [str(v) for v in _literals(shape)]
        if not allowed:
            return f"should be {context.get('expected')}, not {said}"
        return f"should be {_either(allowed)}, not {said}{did_you_mean(str(value), allowed)}"
    if kind == "string_pattern_mismatch":
        what = f"name {value!r}" if isinstance(value, str) else said
        return f"{what} is not allowed here: {_pattern_words(str(context.get('pattern')))}"
    if kind in _BOUNDS:
        bound = next(iter(context.values()), "")
        return f"should be {_BOUNDS[kind]} {bound}, not {said}"
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        bound = context.get("min_length", context.get("max_length"))
        if kind == "too_short" and bound == 1:
            return "must not be empty"
        side = "at least" if kind.endswith("short") else "at most"
        unit = "characters" if kind.startswith("string") else "items"
        return f"should hold {side} {bound} {unit}"
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error") or "is not allowed")
    wanted = _WANTED.get(kind) or _words(shape)
    return f"{'a key ' if on_key else ''}should be {wanted}, not {said}{_quote_hint(shape, value)}"


_BOUNDS = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
    "multiple_of": "a multiple of",
}
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "none_required": "nothing",
    "finite_number": "a finite number",
    "date_parsing": "a date such as 2026-01-31",
    "date_from_datetime_parsing": "a date such as 2026-01-31",
    "datetime_parsing": "a date and time such as 2026-01-31T09:30:00",
    "datetime_from_date_parsing": "a date and time such as 2026-01-31T09:30:00",
    "time_parsing": "a time such as 09:30",
}


def _said(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else type(value).__name__


def _quote_hint(shape: Any, value: object) -> str:
    if isinstance(value, bool | int | float) and str in [_bare(arm) for arm in _arms(shape)]:
        return ": write it in quotes"
    return ""


def _words(shape: Any) -> str:
    """What a value of this annotation looks like."""
    words = []
    for arm in _arms(shape):
        bare = _bare(arm)
        origin = get_origin(bare)
        if origin is Literal:
            words += [str(v) for v in get_args(bare)]
        elif bare is type(None):
            continue
        elif isinstance(bare, type) and issubclass(bare, BaseModel):
            words.append("a mapping (key: value)")
        elif origin in (list, tuple, set, frozenset, Sequence):
            words.append("a list")
        elif origin in (dict, Mapping):
            words.append("a mapping (key: value)")
        else:
            words.append(_PLAIN.get(bare, "something else"))
    return _either(list(dict.fromkeys(words))) or "something else"


_PLAIN: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _either(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _known(keys: Sequence[str]) -> str:
    return f"; known keys: {', '.join(keys)}" if keys else ""


def _kinds(shape: Any) -> list[str]:
    return [str(tag) for model in _models(shape) for tag in _tags(model)]


def _pattern_words(pattern: str) -> str:
    if pattern.startswith("^[A-Za-z0-9]"):
        return "letters, digits, '.', '_' and '-', beginning with a letter or digit"
    if pattern.startswith("^[A-Za-z]["):
        return "letters, digits, '_' and '-', beginning with a letter"
    if pattern.startswith("^([A-Za-z]["):
        return "letters, digits and '_', beginning with a letter"
    return f"it must match the regular expression {pattern}"


def _value(data: object, path: Path) -> object:
    for step in path:
        try:
            data = data[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return data


# Walking annotations


def _bare(shape: Any) -> Any:
    while True:
        if isinstance(shape, TypeAliasType):
            shape = shape.__value__
        elif get_origin(shape) is Annotated:
            shape = get_args(shape)[0]
        else:
            return shape


def _arms(shape: Any) -> list[Any]:
    bare = _bare(shape)
    if get_origin(bare) in (Union, types.UnionType):
        return [inner for arm in get_args(bare) for inner in _arms(arm)]
    return [bare]


def _literals(shape: Any) -> list[Any]:
    return [value for arm in _arms(shape) if get_origin(arm) is Literal for value in get_args(arm)]


def _models(shape: Any) -> list[type[BaseModel]]:
    return [arm for arm in _arms(shape) if isinstance(arm, type) and issubclass(arm, BaseModel)]


def _tags(model: type[BaseModel]) -> list[Any]:
    info = model.model_fields.get("kind")
    return _literals(info.annotation) if info else []


def _keys(shape: Any) -> list[str]:
    hidden = {"scope"}
    return [
        info.alias or name
        for model in _models(shape)
        for name, info in model.model_fields.items()
        if name not in hidden
    ]


def _child(shape: Any, step: str | int) -> Any:
    """Annotation of the value under a key or index, None when unknown."""
    for arm in _arms(shape):
        if isinstance(arm, type) and issubclass(arm, BaseModel):
            for name, info in arm.model_fields.items():
                if step in (name, info.alias):
                    return info.annotation
        elif get_origin(arm) in (dict, Mapping) and isinstance(step, str):
            return get_args(arm)[1]
        elif get_origin(arm) in (list, tuple, set, frozenset, Sequence) and isinstance(step, int):
            return get_args(arm)[0]
    return None


def _locate(error: ErrorDetails, model: type[BaseModel]) -> _Located:
    """Follow a location through the annotations, leaving out tags and names of union arms."""
    shape: Any = model
    around: Any = model
    path: list[str | int] = []
    union: tuple[Path, Any] | None = None
    steps = list(error["loc"])
    for index, step in enumerate(steps):
        if step == "[key]":
            break
        tagged = [m for m in _models(shape) if step in _tags(m)]
        if len(_models(shape)) > 1 and tagged:
            shape = tagged[0]
            continue
        arms = _arms(shape)
        if len([arm for arm in arms if arm is not type(None)]) > 1 and not _models(shape):
            if union is None:
                union = (tuple(path), shape)
            label_only = index == len(steps) - 1 or _child(shape, step) is None
            if label_only or (isinstance(step, str) and "[" in step):
                chosen = [arm for arm in arms if _labels(arm, str(step))]
                around, shape = shape, chosen[0] if len(chosen) == 1 else shape
                continue
        path.append(step)
        around, shape = shape, _child(shape, step)
    ends_on_key = error["type"] in ("extra_forbidden", "missing")
    return _Located(error, tuple(path), around if ends_on_key else shape, union)


def _labels(arm: Any, step: str) -> bool:
    """Whether pydantic calls this arm of a union `step`."""
    name = step.split("[")[0].split("-")[-1]
    origin = get_origin(arm) or arm
    return getattr(origin, "__name__", str(origin)).lower() == name.lower()
