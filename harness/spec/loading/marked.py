"""Finds the fields of a validated model that carry a mark: data files, templates, expressions, Python functions."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeAliasType

from harness.spec.base import DataFile, Expression, PythonSource, Template

Mark = DataFile | Template | Expression | PythonSource
B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True)
class Marked:
    """One marked text and where it stands."""

    path: tuple[str | int, ...]
    value: str
    mark: Mark


def marked(model: BaseModel) -> Iterator[Marked]:
    """Every marked text in `model`, at any depth."""
    found: list[Marked] = []

    def note(path: tuple[str | int, ...], value: str, mark: Mark) -> str:
        found.append(Marked(path, value, mark))
        return value

    _walk_model(model, (), note)
    yield from found


def replace_marked(model: B, change: Callable[[Marked], str]) -> B:
    """A copy of `model` in which every marked text is what `change` makes of it."""
    replaced: B = _walk_model(model, (), lambda path, value, mark: change(Marked(path, value, mark)))
    return replaced


@cache
def _fields(model: type[BaseModel]) -> list[tuple[str, str, Any]]:
    """(name, key in the file, annotation) of the fields in which a mark can be."""
    fields = []
    for name, info in model.model_fields.items():
        annotation = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        if _can_hold(annotation, frozenset()):
            fields.append((name, info.alias or name, annotation))
    return fields


def _can_hold(annotation: Any, seen: frozenset[Any]) -> bool:
    """Whether a mark can be anywhere in a value of this annotation; plain JSON values hold none."""
    if isinstance(annotation, Mark):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in seen:
            return False
        inner = [part for info in annotation.model_fields.values() for part in (info.annotation, *info.metadata)]
        return any(_can_hold(part, seen | {annotation}) for part in inner)
    return any(_can_hold(part, seen) for part in get_args(annotation))


_Visit = Callable[[tuple[str | int, ...], str, Mark], str]


def _walk_model(model: Any, path: tuple[str | int, ...], visit: _Visit) -> Any:
    changed = {}
    for name, alias, annotation in _fields(model.__class__):
        before = getattr(model, name)
        after = _walk(annotation, before, (*path, alias), visit)
        if after is not before:
            changed[name] = after
    return model.model_copy(update=changed) if changed else model


def _walk(annotation: Any, value: Any, path: tuple[str | int, ...], visit: _Visit, marks: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, BaseModel):
        return _walk_model(value, path, visit)
    while isinstance(annotation, TypeAliasType) or get_origin(annotation) is Annotated:
        if isinstance(annotation, TypeAliasType):
            annotation = annotation.__value__
        else:
            annotation, *more = get_args(annotation)
            marks = (*marks, *more)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _walk_union(arguments, value, path, visit, marks)
    if isinstance(value, str):
        mark = next((m for m in marks if isinstance(m, Mark)), None)
        return value if mark is None or annotation is not str else _changed(value, visit(path, value, mark))
    if isinstance(value, Mapping) and origin in (dict, Mapping):
        items = {key: _walk(arguments[1], item, (*path, key), visit) for key, item in value.items()}
        return items if any(items[key] is not value[key] for key in items) else value
    if isinstance(value, list | tuple) and origin in (list, tuple, Sequence):
        inner = [_walk(arguments[0], item, (*path, index), visit) for index, item in enumerate(value)]
        return type(value)(inner) if any(a is not b for a, b in zip(inner, value, strict=True)) else value
    return value


def _changed(before: str, after: str) -> str:
    return before if before == after else after


def _walk_union(
    arms: tuple[Any, ...], value: Any, path: tuple[str | int, ...], visit: _Visit, marks: tuple[Any, ...]
) -> Any:  # fmt: skip
    if isinstance(value, str) and any(get_origin(arm) is Literal and value in get_args(arm) for arm in arms):
        return value
    for arm in arms:
        after = _walk(arm, value, path, visit, marks)
        if after is not value:
            return after
    return value
