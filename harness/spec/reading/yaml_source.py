"""YAML read with care: every key and value keeps its line and column, and nothing in it can surprise.

Built on libyaml's events, not on PyYAML's constructors, so that untrusted files are bounded (size, depth,
what aliases expand to) and words that YAML 1.1 and 1.2 readers take differently (`no`, `0644`, `1:30`,
`1_000`) are refused where they stand instead of guessed at. Dates are text, as written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
MAX_NODES = 200_000
"""Values in a file, each alias counted as all it stands for."""

_BOOLEANS = {"true": True, "false": False}
_NULLS = ("", "~", "null", "Null", "NULL")
_OLD_BOOLEAN = re.compile(r"(?i:yes|no|on|off)\Z")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_HEX = re.compile(r"[-+]?0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")
_OLD_NUMBER = re.compile(
    r"[-+]?(0[0-9_]+|0o[0-7]+|0b[01_]+|0x[0-9a-fA-F_]+|[1-9][0-9]*_[0-9_]*(\.[0-9_]*)?|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)\Z"
)


@dataclass
class Place:
    """One value of a file, with where it stands; lines and columns count from 1."""

    line: int
    column: int
    data: Any = field(default=None, repr=False)
    written: str | None = None
    """A plain scalar as it stands in the file."""
    block: bool = False
    """A `|` text: its first line is the one after `line`."""
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    children: dict[Any, Place] = field(default_factory=dict, repr=False)
    """Key or index -> value."""
    size: int = 1
    cut: bool = False
    """Something that did not fit was left out (`harness.spec.reading.source`)."""

    def at(self, path: tuple[Any, ...]) -> Place:
        """The value at `path`, or the deepest there is on the way."""
        place = self
        for step in path:
            if step not in place.children:
                return place
            place = place.children[step]
        return place


@dataclass(frozen=True, order=True)
class Fault:
    """Something wrong with the YAML itself."""

    line: int
    column: int
    message: str


class UnreadableError(Exception):
    """YAML that cannot be read at all, or not past this place."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


def read_yaml(content: bytes) -> tuple[Place | None, list[Fault]]:
    """The one document of a file and all that is wrong with it; None when nothing can be made of it."""
    try:
        reader = _Reader(_decode(content))
        place = reader.document()
        return place, sorted(reader.faults)
    except UnreadableError as error:
        return None, [error.fault]


def _decode(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        message = f"the file holds {len(content) / MAX_BYTES:.1f} MiB; 1 MiB is the most: move data to files of its own"
        raise UnreadableError(Fault(0, 0, message))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise UnreadableError(Fault(line, column, "the file is not UTF-8 text: save it as UTF-8")) from None
    if not text.strip():
        raise UnreadableError(Fault(1, 1, "the file is empty"))
    return text


class _Reader:
    """Turns events into places; keeps going after what it can get over."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.faults: list[Fault] = []
        self.anchors: dict[str, Place | None] = {}
        self.nodes = 0
        self.events = self._events()

    def _events(self) -> Iterator[Event]:
        try:
            yield from yaml.parse(self.text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            raise UnreadableError(self._syntax(error)) from None
        except yaml.reader.ReaderError as error:
            line = self.text.count("\n", 0, error.position) + 1
            raise UnreadableError(
                Fault(line, 1, "the file holds a control character that YAML does not allow")
            ) from None

    def document(self) -> Place:
        place = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if place is not None:
                    mark = _mark(event)
                    self.fault(mark, "a second document begins here: one file holds one document")
                    break
                place = self.value(next(self.events), 1)
        if place is None or place.data is None:
            raise UnreadableError(Fault(1, 1, "the file is empty"))
        return place

    def value(self, event: Event, depth: int) -> Place:
        mark = _mark(event)
        if isinstance(event, AliasEvent):
            return self.alias(event)
        if not isinstance(event, NodeEvent):
            raise UnreadableError(Fault(mark.line + 1, mark.column + 1, "not valid YAML"))
        place = Place(mark.line + 1, mark.column + 1)
        if depth > MAX_DEPTH:
            raise UnreadableError(Fault(place.line, place.column, f"nested more than {MAX_DEPTH} levels deep"))
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.fault(
                mark,
                f"tags ({tag.replace('tag:yaml.org,2002:', '!!')}) are not used here; quotes make text of anything",
            )
        if isinstance(event, ScalarEvent):
            self.scalar(event, place)
        elif isinstance(event, SequenceStartEvent):
            self.sequence(place, depth)
        elif isinstance(event, MappingStartEvent):
            self.mapping(place, depth)
        self.count(1, place)
        if event.anchor is not None:
            self.anchors[event.anchor] = place
        return place

    def count(self, size: int, place: Place) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            raise UnreadableError(Fault(place.line, place.column, f"the file expands to more than {MAX_NODES} values"))

    def alias(self, event: AliasEvent) -> Place:
        mark = _mark(event)
        target = self.anchors.get(str(event.anchor))
        if target is None:
            why = "stands inside its own anchor" if event.anchor in self.anchors else "names no anchor above it"
            raise UnreadableError(Fault(mark.line + 1, mark.column + 1, f"alias *{event.anchor} {why}"))
        here = Place(mark.line + 1, mark.column + 1)
        self.count(target.size, here)
        return Place(
            here.line, here.column, target.data, target.written, False, target.keys, target.children, target.size
        )

    def sequence(self, place: Place, depth: int) -> None:
        place.data = []
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                return
            child = self.value(event, depth + 1)
            place.children[len(place.data)] = child
            place.data.append(child.data)
            place.size += child.size

    def mapping(self, place: Place, depth: int) -> None:
        place.data = {}
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                return
            mark = _mark(event)
            key = self.key(event, depth)
            child = self.value(next(self.events), depth + 1)
            if key is None:
                continue
            if key in place.keys:
                self.fault(mark, f"key {key!r} is given twice (first on line {place.keys[key][0]})")
                continue
            place.keys[key] = (mark.line + 1, mark.column + 1)
            place.children[key] = child
            place.data[key] = child.data
            place.size += child.size

    def key(self, event: Event, depth: int) -> str | None:
        mark = _mark(event)
        if isinstance(event, ScalarEvent) and event.value == "<<" and not event.style:
            self.fault(mark, "merge keys (<<) are not used here; write the keys out")
            return None
        place = self.value(event, depth + 1)
        if isinstance(place.data, str):
            return place.data
        if isinstance(place.data, dict | list):
            self.fault(mark, "a key must be a word; `{{ ... }}` at the beginning of a value must stand in quotes")
        elif not any((f.line, f.column) == (place.line, place.column) for f in self.faults):
            self.fault(mark, f"key {place.written} is not text: write it in quotes")
        return None

    def scalar(self, event: ScalarEvent, place: Place) -> None:
        place.block = event.style == "|"
        if event.style or event.tag is not None:
            place.data = event.value
            return
        place.written = event.value
        try:
            place.data = plain_value(event.value)
        except ValueError as error:
            place.data = event.value
            self.fault(_mark(event), str(error))

    def fault(self, mark: yaml.Mark, message: str) -> None:
        self.faults.append(Fault(mark.line + 1, mark.column + 1, message))

    def _syntax(self, error: yaml.MarkedYAMLError) -> Fault:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            return Fault(0, 0, f"not valid YAML: {error.problem}")
        lines = self.text.split("\n")
        line = lines[mark.line] if mark.line < len(lines) else ""
        if "\t" in line[: mark.column + 1] and not line[: mark.column].strip():
            return Fault(mark.line + 1, line.index("\t") + 1, "a tab stands in the indentation: YAML wants spaces")
        what = error.problem or "it cannot be read"
        return Fault(mark.line + 1, mark.column + 1, f"not valid YAML: {_PLAINER.get(what, what)}")


_PLAINER = {
    "could not find expected ':'": "a ':' is missing",
    "did not find expected ',' or ']'": "a ',' or ']' is missing",
    "did not find expected ',' or '}'": "a ',' or '}' is missing",
    "did not find expected key": "a key is missing here, or the indentation is off",
    "did not find expected '-' indicator": "a '- ' is missing here, or the indentation is off",
    "mapping values are not allowed in this context": "a ': ' stands inside a value: write the value in quotes",
    "found character that cannot start any token": "a value cannot begin with this character: write it in quotes",
    "found unexpected end of stream": "a quote that was opened is never closed",
}


def _mark(event: Event) -> yaml.Mark:
    """Where an event begins; every event of a parsed text has a mark."""
    return cast(yaml.Mark, event.start_mark)


def plain_value(text: str) -> str | int | float | bool | None:
    """What an unquoted word stands for. Raises `ValueError` where readers of YAML disagree about it."""
    if text in _NULLS:
        return None
    if text.lower() in _BOOLEANS and text in (text.lower(), text.upper(), text.capitalize()):
        return _BOOLEANS[text.lower()]
    if _OLD_BOOLEAN.match(text):
        meaning = "true" if text.lower() in ("yes", "on") else "false"
        raise ValueError(
            f'{text} means {meaning} to some readers of YAML and text to others: write {meaning}, or "{text}" in quotes'
        )
    if _INTEGER.match(text) or _HEX.match(text):
        value = int(text, 16) if "x" in text else int(text) if len(text) < 25 else 2**64
        if not -(2**63) <= value < 2**63:
            raise ValueError("the number does not fit 64 bits: write it in quotes if it is text")
        return value
    if _FLOAT.match(text):
        number = float(text)
        if not math.isfinite(number):
            raise ValueError("the number is too large: write it in quotes if it is text")
        return number
    if _INFINITE.match(text):
        raise ValueError(f"{text} is not a number JSON can say: write it in quotes if it is text")
    if _OLD_NUMBER.match(text):
        raise ValueError(
            f"readers of YAML disagree about {text}: write it in quotes if it is text, or as a plain number"
        )
    return text
