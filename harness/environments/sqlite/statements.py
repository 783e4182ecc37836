"""SQL text taken apart as far as safety needs: single statements, and how far a statement unfolds.

SQLite copies the definition of a common table expression or view at every place that names it, while it
prepares the statement, where neither limits nor interrupts reach. Thirty short definitions, each naming
the one before it twice, ask for 2**30 copies. `unfolding` counts the copies beforehand.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)            # comments
      | x?'(?:[^']|'')*'?                   # strings and blobs
      | (?P<quoted>"(?:[^"]|"")*"? | `(?:[^`]|``)*`? | \[[^\]]*\]?)
      | (?P<word>[^\W\d][\w$]*)
      | \d[\w.]*
      | (?P<mark>[()])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)

_BEFORE = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
"""White space and comments before a statement."""

Definitions = Mapping[str, list[str]]
"""Name in lower case -> tokens of what it stands for."""


@dataclass(frozen=True)
class Statement:
    """One statement of a script."""

    sql: str
    line: int
    """Where it begins in the script, counted from 1."""


def split(script: str) -> Iterator[Statement]:
    """Yield the statements of a script, in order; text after the last semicolon is one too, when there is any."""
    start, line = 0, 1
    for mark in re.finditer(";", script):
        part = script[start : mark.end()]
        if sqlite3.complete_statement(part):
            if part.strip(" \t\r\n;"):
                yield _statement(part, line)
            start, line = mark.end(), line + part.count("\n")
    if not _only_comments(script[start:]):
        yield _statement(script[start:], line)


def _statement(part: str, line: int) -> Statement:
    before = _BEFORE.match(part)
    return Statement(part.strip(), line + part.count("\n", 0, before.end() if before else 0))


def _only_comments(text: str) -> bool:
    return not re.sub(r"--[^\n]*|/\*.*?(?:\*/|\Z)", "", text, flags=re.DOTALL).strip()


def tokens(sql: str) -> list[str]:
    """Names in lower case without their quotes, key words and parentheses; strings, numbers and the rest left out."""
    found = []
    for match in _TOKEN.finditer(sql):
        if quoted := match["quoted"]:
            found.append(quoted[1:-1].lower())
        elif name := match["word"] or match["mark"]:
            found.append(name.lower())
    return found


def common_tables(words: list[str]) -> dict[str, list[str]]:
    """Every `name [(columns)] as [not] [materialized] ( body )` in a statement; equal names share their bodies."""
    found: dict[str, list[str]] = {}
    for index, word in enumerate(words):
        if word != "as":
            continue
        after = index + 1
        while after < len(words) and words[after] in ("not", "materialized"):
            after += 1
        name = _name_before(words, index)
        if name is not None and after < len(words) and words[after] == "(":
            found.setdefault(name, []).extend(words[after + 1 : _closing(words, after)])
    return found


def _name_before(words: list[str], index: int) -> str | None:
    at = index - 1
    if at >= 0 and words[at] == ")":
        depth = 0
        while at >= 0:
            depth += {")": 1, "(": -1}.get(words[at], 0)
            at -= 1
            if depth == 0:
                break
    return words[at] if at >= 0 and words[at] not in "()" else None


def _closing(words: list[str], opening: int) -> int:
    depth = 0
    for at in range(opening, len(words)):
        depth += {"(": 1, ")": -1}.get(words[at], 0)
        if depth == 0:
            return at
    return len(words)


def unfolding(sql: str, views: Definitions, limit: int) -> int:
    """How many copies of definitions `sql` asks for, never counted too low; `limit` at most.

    `views` are the definitions the database holds already.
    """
    words = tokens(sql)
    definitions = {**views, **common_tables(words)}
    known: dict[str, int] = {}
    for name in _inner_first(definitions):
        known[name] = min(limit, 1 + sum(known.get(word, 1) for word in definitions[name] if word in definitions))
    return min(limit, sum(known.get(word, 0) for word in words))


def _inner_first(definitions: Definitions) -> list[str]:
    """Names ordered so that what a definition names comes before it; a recursive one counts itself once."""
    order: list[str] = []
    seen: set[str] = set()
    for root in definitions:
        stack = [(root, False)]
        while stack:
            name, done = stack.pop()
            if done:
                order.append(name)
            elif name not in seen:
                seen.add(name)
                stack.append((name, True))
                stack += [(word, False) for word in set(definitions[name]) if word in definitions and word not in seen]
    return order
