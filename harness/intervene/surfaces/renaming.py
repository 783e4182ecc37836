"""Other names for tools: a fixed scheme, and where the names stand in texts.

The scheme keeps the words of a name and changes the identifier: `read_file` becomes `file_read`. A name of one word
gets `run_` before it (`query` becomes `run_query`), and so does one that reads the same both ways. Where the outcome is
taken already a number is put after it.

In texts (briefs, and descriptions of tools and of their arguments) a name is replaced where it stands as a whole word
and is meant as a name:

- it is distinctive: it has an underscore, a hyphen, a digit, or a capital after a small letter;
- or it stands in backticks;
- or right after `call`, `calls`, `calling`, `tool` or `tools`;
- or in a list with other names: `offer, accept and counter`.

`query` elsewhere in a sentence is a word of English and stays; the scheme's names of such tools hold the word, so that
they are found by it. Placeholders of templates are left alone, and so is what scaffolds say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import JsonValue

from harness.environments import Tool

SUBMITTED = "submit"
"""The one tool that keeps its name: scaffolds and protocols know it."""
FORM = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?")
"""What every provider and protocol takes as a name."""
_TEMPLATE = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_BEFORE, _AFTER = r"(?<![\w./\ue000-])", r"(?![\w/\ue001-]|\.\w)"
_MARKED = re.compile("\ue000([^\ue001]*)\ue001")
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
    single, listed = _written(tuple(names))
    parts = _TEMPLATE.split(text)

    def other(part: str) -> str:
        marked = listed.sub(lambda found: single_names.sub(lambda name: f"\ue000{name[0]}\ue001", found[0]), part)
        marked = single.sub(lambda found: f"\ue000{found[0]}\ue001", marked)
        return _MARKED.sub(lambda found: names[found[1]], marked)

    single_names = _whole(tuple(names))
    return "".join(part if place % 2 or "\ue000" in part else other(part) for place, part in enumerate(parts))


@lru_cache(maxsize=64)
def _written(names: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Where single names stand as identifiers, and where lists of them; the longer of two that begin alike first."""
    every = _either(names)
    pattern = rf"(?<=`)(?:{every})(?=[`(])|(?<=\b[Cc]all )(?:{every}){_AFTER}"
    for before in ("calls ", "calling ", "tool ", "tools "):
        pattern += rf"|(?<=\b{before})(?:{every}){_AFTER}"
    distinctive = [name for name in names if _DISTINCTIVE.search(name)]
    if distinctive:
        pattern += rf"|{_BEFORE}(?:{_either(distinctive)}){_AFTER}"
    return re.compile(pattern), re.compile(
        rf"{_BEFORE}(?:{every})(?:(?:, and |, or |, | and | or )(?:{every}){_AFTER})+"
    )


@lru_cache(maxsize=64)
def _whole(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"{_BEFORE}(?:{_either(names)}){_AFTER}")


def _either(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))


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
