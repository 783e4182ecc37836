"""Other names for tools: a fixed scheme, and where the names stand in texts.

The scheme keeps the words of a name and changes the identifier: `read_file` becomes `file_read`. A name of one word
gets `run_` before it (`query` becomes `run_query`), and so does one that reads the same both ways. Where the outcome is
taken already a number is put after it.

In texts (briefs, and descriptions of tools and of their arguments) a name is replaced where it stands as a whole word
and is written as an identifier: either it is distinctive (it has an underscore, a hyphen, a digit, or a capital after
a small letter), or it stands in backticks. `query` in a sentence is a word of English and stays. Placeholders of
templates are left alone, and so is what scaffolds say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from harness.environments import Tool

SUBMITTED = "submit"
"""The one tool that keeps its name: scaffolds and protocols know it."""
FORM = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?")
"""What every provider and protocol takes as a name."""
_TEMPLATE = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_DISTINCTIVE = re.compile(r"[_0-9-]|[a-z][A-Z]")


def other_names(own: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Own name -> shown name of every tool but `submit`: as given, else by the scheme.

    No two are alike, and none is the own name of another.
    """
    names = [name for name in dict.fromkeys(own) if name != SUBMITTED]
    taken = {*names, SUBMITTED, *(given[name] for name in names if name in given)}
    found: dict[str, str] = {}
    for name in names:
        if name in given:
            found[name] = given[name]
            continue
        other, number = _turned(name), 1
        while other in taken:
            number += 1
            other = f"{_turned(name)[:60]}_{number}"
        taken.add(other)
        found[name] = other
    return found


def _turned(name: str) -> str:
    words = _WORDS.findall(name)
    turned = "_".join(reversed(words))
    made = turned if len(words) > 1 and turned != name else f"run_{name}"
    return re.sub(r"[^A-Za-z0-9_-]", "_", made)[:64].strip("-")


def in_text(text: str, names: Mapping[str, str]) -> str:
    """The text with tools called by their other names (see the module)."""
    if not names:
        return text
    pattern = _written(names)
    parts = _TEMPLATE.split(text)
    return "".join(
        part if place % 2 else pattern.sub(lambda found: names[found[0]], part) for place, part in enumerate(parts)
    )


def _written(names: Iterable[str]) -> re.Pattern[str]:
    """Where names stand as identifiers; the longer of two that begin alike first."""
    ordered = sorted(names, key=lambda name: (-len(name), name))
    every = "|".join(map(re.escape, ordered))
    pattern = rf"(?<=`)(?:{every})(?=[`(])"
    distinctive = "|".join(re.escape(name) for name in ordered if _DISTINCTIVE.search(name))
    if distinctive:
        pattern += rf"|(?<![\w./-])(?:{distinctive})(?![\w/-]|\.\w)"
    return re.compile(pattern)


def renamed(tool: Tool, names: Mapping[str, str]) -> Tool:
    """The tool under its other name, with the other names in its description and in those of its arguments."""
    parameters = _described(tool.parameters, names)
    return replace(
        tool,
        shown=names.get(tool.name, tool.shown),
        description=in_text(tool.description, names),
        parameters=parameters if isinstance(parameters, dict) else tool.parameters,
    )


def _described(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    """A schema with its descriptions renamed; a property that is called `description` is no description."""
    if isinstance(value, list):
        return [_described(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {}
    for key, item in value.items():
        if key in ("description", "title") and isinstance(item, str):
            made[key] = in_text(item, names)
        elif key in ("enum", "const", "default", "examples"):
            made[key] = item
        else:
            made[key] = _described(item, names)
    return made
