"""Templates and expressions checked against the names they will see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from harness.spec.library import did_you_mean, listed
from harness.spec.reading.source import Source
from harness.spec.templates import Reading, TemplateError, read_expression, read_template

LAST = frozenset({"kind", "name", "arguments", "text", "error"})
OBSERVATION = frozenset({"text", "error", "tool"})


@dataclass(frozen=True)
class Names:
    """What a template sees."""

    names: Set[str]
    fields: Mapping[str, Set[str]] = field(default_factory=dict)
    """Name -> its fields, where they are fixed."""
    inputs: Sequence[tuple[str, Set[str]]] = ()
    """(task id, keys of its `input`), for every task that the template serves."""


def check_template(source: Source, at: tuple[Any, ...], text: str, names: Names) -> None:
    """Note what a template takes that will not be there."""
    _check(source, at, text, names, read_template)


def check_expression(source: Source, at: tuple[Any, ...], text: str, names: Names) -> None:
    """Note what an expression takes that will not be there."""
    _check(source, at, text, names, read_expression)


def _check(
    source: Source, at: tuple[Any, ...], text: str, names: Names, read: Callable[[str], Reading]
) -> None:  # fmt: skip
    try:
        reading = read(text)
    except TemplateError as error:
        what = "template" if read is read_template else "expression"
        source.problem(at, f"this {what} cannot be read: {error}", line=error.line)
        return
    for name in sorted(reading.undeclared - names.names):
        hint = did_you_mean(name, sorted(names.names))
        line = next((use.line for use in reading.fields if use.name == name), _line_of(text, name))
        source.problem(at, f"unknown name {name!r}; there are {listed(sorted(names.names))}{hint}", line=line)
    for use in reading.fields:
        if use.guarded or use.name not in names.names:
            continue
        known = names.fields.get(use.name)
        if known is not None and use.field not in known:
            hint = did_you_mean(use.field, sorted(known))
            message = f"{use.name!r} has no field {use.field!r}; there are {listed(sorted(known))}{hint}"
            source.problem(at, message, line=use.line)
        if use.name == "input":
            _check_input(source, at, use.field, use.line, names)


def _check_input(source: Source, at: tuple[Any, ...], key: str, line: int, names: Names) -> None:
    without = [task for task, keys in names.inputs if key not in keys]
    if not without:
        return
    known = sorted({known for _, keys in names.inputs for known in keys})
    hint = did_you_mean(key, [name for name in known if name != key])
    if len(without) == len(names.inputs) == 1:
        there = f"; it has {listed(known)}" if known else ""
        source.problem(at, f"the task's input has no {key!r}{there}{hint}", line=line)
        return
    tasks = ", ".join(without[:3]) + (f" and {len(without) - 3} more" if len(without) > 3 else "")
    source.problem(at, f"no {key!r} in the input of task {tasks}{hint}", line=line)


def _line_of(text: str, name: str) -> int:
    return text.count("\n", 0, max(text.find(name), 0)) + 1
