"""The ground all spec models stand on: strictness, data files, and problems with their place.

A *problem* is what a compiler would print: file, line, column, what is wrong, how to mend it.
`SpecError` carries all problems of a run of checking, never only the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from harness.errors import UserError

__all__ = [
    "DataFile", "DataFolder", "DataPath", "Expression", "ExpressionStr", "Problem", "PythonPath", "PythonSource",
    "Spec", "SpecError", "Template", "TemplateStr", "UserError",
]  # fmt: skip


class Spec(BaseModel):
    """A part of a YAML file: immutable, and a key nobody declared is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class DataFile:
    """Marks a string field as a path, relative to the YAML file, whose content belongs to the identity."""

    folder: bool = False
    """The path may name a folder; then every file below it counts."""


DataPath = Annotated[str, DataFile()]
"""A file beside the YAML file; checked to exist, hashed by content."""
DataFolder = Annotated[str, DataFile(folder=True)]
"""A file or folder beside the YAML file; checked to exist, hashed by content."""


@dataclass(frozen=True)
class Template:
    """Marks a string field as a Jinja2 template, so that it is parsed at check time."""


@dataclass(frozen=True)
class Expression:
    """Marks a string field as a Jinja2 expression, so that it is parsed at check time."""


TemplateStr = Annotated[str, Template()]
ExpressionStr = Annotated[str, Expression()]


@dataclass(frozen=True)
class PythonSource:
    """Marks a string field as `file.py:name` or `package.module:name`; its source belongs to the identity."""


PythonPath = Annotated[str, PythonSource()]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with one file; line and column count from 1, 0 when no place is known."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {self.message}"


class SpecError(UserError):
    """Files that cannot be used; `problems` lists every one found, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
