"""One YAML file on its way in: its places, its model, and the problems found so far."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import UserError
from harness.spec.base import Problem
from harness.spec.library import did_you_mean, shown
from harness.spec.reading.messages import Complaint, explain
from harness.spec.reading.yaml_source import MAX_BYTES, Place, read_yaml

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
KINDS = ("scenario", "scaffold", "sweep", "models")
_WRITTEN_ORDER = frozenset({"nodes", "measures", "models"})
"""Mappings of which only drawings and tables show the order."""


@dataclass
class Source:
    """A file being read; `problems` is shared by all files that are read together."""

    path: Path
    problems: list[Problem] = field(default_factory=list)
    root: Place = field(default_factory=lambda: Place(0, 0))
    written: dict[str, list[str]] = field(default_factory=dict)
    """Keys of the mappings right below the top."""

    @property
    def folder(self) -> Path:
        """Where references of this file start from."""
        return self.path.parent

    def problem(self, path: tuple[Any, ...], message: str, *, on_key: bool = False, line: int = 0) -> None:
        """Note a problem with the value at `path`, with its key, or with one line of its text."""
        place = self.root.at(path[:-1]) if on_key and path else self.root.at(path)
        at = (place.line, place.column)
        if on_key and path and path[-1] in place.keys:
            at = place.keys[path[-1]]
        elif line > 0 and place.block:
            at = (place.line + line, 1)
        found = Problem(shown(self.path), *at, message)
        if found not in self.problems:
            self.problems.append(found)

    def attempt(self, path: tuple[Any, ...], work: Callable[[], T]) -> T | None:
        """The result of `work`; None and a problem at `path` when it raises `UserError`."""
        try:
            return work()
        except UserError as error:
            self.problem(path, str(error))
            return None

    def read(self) -> bool:
        """Read the YAML. False when nothing can be made of it."""
        if self.path.is_fifo() or self.path.is_socket():
            self.problems.append(Problem(shown(self.path), 0, 0, "cannot be read: is no plain file"))
            return False
        try:
            with self.path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError as error:
            reason = "is a folder" if isinstance(error, IsADirectoryError) else (error.strerror or "").lower()
            self.problems.append(Problem(shown(self.path), 0, 0, f"cannot be read: {reason}"))
            return False
        root, faults = read_yaml(content)
        self.problems += [Problem(shown(self.path), f.line, f.column, f.message) for f in faults]
        if root is None:
            return False
        self.root = root
        data = root.data if isinstance(root.data, dict) else {}
        self.written = {key: list(value) for key, value in data.items() if isinstance(value, dict)}
        return True

    def kind(self) -> object:
        """The file's `kind`, whatever it is; None when there is none."""
        data = self.root.data
        return data.get("kind") if isinstance(data, dict) else None

    def is_a(self, wanted: str) -> bool:
        """Whether the file is of this kind; a problem when it is not."""
        if not isinstance(self.root.data, dict):
            self.problem((), f"a {wanted} file is a mapping that begins with `kind: {wanted}`")
            return False
        kind = self.kind()
        if kind == wanted:
            return True
        if not isinstance(kind, str):
            message = (
                f"`kind` should be {wanted}" if kind is not None else f"key 'kind' is missing: write `kind: {wanted}`"
            )
            self.problem(("kind",), message)
        elif kind in KINDS:
            self.problem(("kind",), f"this is a {kind} file; a {wanted} is wanted here")
        else:
            self.problem(
                ("kind",), f"unknown kind {kind!r}; there are {', '.join(KINDS)}{did_you_mean(str(kind), KINDS)}"
            )
        return False

    def keys(self, name: str) -> list[str]:
        """Keys of a mapping of the file as written, whatever was found wrong with its values."""
        return self.written.get(name, [])

    def best(self, model: type[M], at: tuple[Any, ...] = (), without: str | None = None) -> M | None:
        """The data at `at` as a model, without the parts that do not fit, which are noted as problems.

        So the rest of a file is checked although a part of it is wrong. `without` names a key that is not the
        model's. None when too little is left.
        """
        place = self.root.at(at)
        for round_ in range(MAX_ROUNDS):
            data = place.data if without is None else {k: v for k, v in place.data.items() if k != without}
            value = sorted_keys(data)
            try:
                return model.model_validate_json(json.dumps(value), strict=True)
            except ValidationError as error:
                complaints = explain(error, model, value)
                if round_ == 0:
                    self._complain(complaints, at)
                for complaint in sorted(complaints, key=_deepest_last_first):
                    if not _cut_out(place, complaint):
                        return None
        return None

    def is_cut(self, path: tuple[Any, ...]) -> bool:
        """Whether something that did not fit was left out of the mapping or list at `path`."""
        return self.root.at(path).cut

    def _complain(self, complaints: list[Complaint], at: tuple[Any, ...]) -> None:
        for complaint in complaints:
            self.problem((*at, *complaint.path), complaint.message, on_key=complaint.on_key)


MAX_ROUNDS = 20
_ASSUMED = {"name": "unknown", "summary": ""}
_MISSING_KEY = re.compile(r"key '(\w+)' is missing")


def _cut_out(root: Place, complaint: Complaint) -> bool:
    """Remove what is complained of from the data; False when that is all of it."""
    missing_at_top = _MISSING_KEY.match(complaint.message) if not complaint.path else None
    if missing_at_top or len(complaint.path) == 1:
        key = missing_at_top.group(1) if missing_at_top else str(complaint.path[0])
        if key in _ASSUMED and not complaint.message.startswith("unknown key"):
            root.data[key] = _ASSUMED[key]
            return True
    if not complaint.path:
        return False
    *parents, last = complaint.path
    place = root.at(tuple(parents))
    if last not in place.children:
        return True
    del place.children[last]
    del place.data[last]
    place.cut = place.cut or not complaint.message.startswith("unknown key")
    if isinstance(place.data, list):
        place.children = dict(enumerate(child for _, child in sorted(place.children.items())))
    return True


def _deepest_last_first(complaint: Complaint) -> tuple[int, list[tuple[int, str]]]:
    order = [(-step, "") if isinstance(step, int) else (0, step) for step in complaint.path]
    return -len(complaint.path), order


def sorted_keys(value: Any, *, keep: bool = False) -> Any:  # noqa: ANN401 - plain data in and out
    """Plain data with mappings in key order, so that the order in the file can have no effect."""
    if isinstance(value, dict):
        items = value.items() if keep else sorted(value.items())
        return {key: sorted_keys(item, keep=key in _WRITTEN_ORDER) for key, item in items}
    if isinstance(value, list):
        return [sorted_keys(item) for item in value]
    return value
