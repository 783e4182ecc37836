"""SQL of PostgreSQL taken apart as far as needed: single statements, what each begins with, and the words for now.

PostgreSQL itself decides what a role may do, by its privileges; here is only sorted out what no privilege covers:
settings of the session, and `CURRENT_DATE` and its kin, which are words of the grammar and no functions to replace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      | (?P<comment>/\*)
      | (?P<string>[eE]'(?:[^'\\]|''|\\.)*'? | (?:[bBxX]|[uU]&)?'(?:[^']|'')*'?)
      | (?P<dollar>\$(?P<tag>[^\W\d]\w*)?\$)
      | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*"?)
      | (?P<word>[^\W\d][\w$]*)
      | (?P<other>\d[\w.]*|::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_READING = frozenset({"select", "with", "values", "table", "explain", "show", "("})
_WRITING = _READING | {
    "insert", "update", "delete", "merge", "truncate", "call", "begin", "start", "commit", "end", "rollback", "abort",
    "savepoint", "release",
}  # fmt: skip
_BUILDING_REFUSED = frozenset({"copy", "set", "reset", "discard", "listen", "notify", "load", "vacuum", "cluster"})
_NOW_WORDS = frozenset({"current_timestamp", "current_date", "current_time", "localtimestamp", "localtime"})
_NOW_TYPES = frozenset({"date", "time", "timestamp", "timestamptz", "timetz"})
_NOW_STRINGS = {"'now'": 0, "'today'": 0, "'yesterday'": -1, "'tomorrow'": 1}


@dataclass(frozen=True)
class Token:
    """A piece of SQL; `kind` is space, string, quoted, word or other."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Statement:
    """One statement of a script."""

    tokens: tuple[Token, ...]

    @property
    def words(self) -> list[str]:
        """What counts in it, in lower case where it is a word; strings as written."""
        return [t.text.lower() if t.kind == "word" else t.text for t in self.tokens if t.kind != "space"]

    @property
    def line(self) -> int:
        """Where it begins in the script, counted from 1."""
        return next(token.line for token in self.tokens if token.kind != "space")


def tokens(sql: str) -> Iterator[Token]:
    """Yield all of the text, comments as space."""
    at, line = 0, 1
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        assert match is not None  # noqa: S101 - the last alternative takes anything
        kind, end = match.lastgroup or "other", match.end()
        if match["comment"]:
            kind, end = "space", _end_of_comment(sql, at)
        elif match["dollar"]:
            close = sql.find(match["dollar"], end)
            kind, end = "string", len(sql) if close < 0 else close + len(match["dollar"])
        elif kind == "tag":
            kind = "other"
        yield Token(kind, sql[at:end], line)
        line += sql.count("\n", at, end)
        at = end


def _end_of_comment(sql: str, start: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, start):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    return len(sql)


def split(sql: str) -> list[Statement]:
    """The statements of a script, in order; what stands between BEGIN ATOMIC and END of a function is one with it."""
    found: list[Statement] = []
    current: list[Token] = []
    depth = blocks = 0
    before = ""
    for token in tokens(sql):
        word = token.text.lower() if token.kind == "word" else token.text
        if word == ";" and depth <= 0 and blocks == 0 and token.kind == "other":
            _add(found, current)
            current, depth, before = [], 0, ""
            continue
        current.append(token)
        if token.kind == "space":
            continue
        depth += {"(": 1, ")": -1}.get(word, 0) if token.kind == "other" else 0
        if (word == "atomic" and before == "begin") or (blocks and word == "case"):
            blocks += 1
        elif blocks and word == "end":
            blocks -= 1
        before = word
    _add(found, current)
    return found


def _add(found: list[Statement], current: list[Token]) -> None:
    if any(token.kind != "space" for token in current):
        found.append(Statement(tuple(current)))


def refusal(statement: Statement, mode: str) -> str | None:
    """Why a statement is not carried out in this mode (`read`, `write` or `build`); None where it is."""
    words = statement.words
    first = words[0]
    shown = first.upper()[:40]
    if mode == "build":
        return f"{shown} is not possible in a script" if first in _BUILDING_REFUSED else None
    if first == "explain" and {"analyze", "analyse", "("} & {*words[1:2]}:
        return "EXPLAIN takes no options here"
    if first in _READING or (mode == "write" and first in _WRITING):
        return None
    return f"this only reads; {shown} is not allowed here" if mode == "read" else f"{shown} is not allowed here"


def held_still(statement: Statement, day: str, moment: str) -> str:
    """The text of a statement with the words for now put as calls of functions in the schema `moment`.

    `day` is today as `2026-01-05`, `moment` the time as `09:00:00`.
    """
    parts = list(statement.tokens)
    places = [index for index, token in enumerate(parts) if token.kind != "space"]
    texts = [token.text for token in parts]
    for at, index in enumerate(places):
        token = parts[index]
        before = [parts[place].text.lower() for place in places[max(0, at - 1) : at]]
        after = [parts[place].text.lower() for place in places[at + 1 : at + 3]]
        if token.kind == "word" and token.text.lower() in _NOW_WORDS and before not in (["as"], ["."]):
            call = "" if after[:1] == ["("] else "()"
            texts[index] = f'moment."{token.text.lower()}"{call}'
        elif token.kind == "string" and token.text.lower() in _NOW_STRINGS:
            typed = before and before[0] in _NOW_TYPES
            cast = len(after) == 2 and after[0] in ("::", "as") and after[1] in _NOW_TYPES
            if typed or cast:
                texts[index] = _moment(token.text.lower(), day, moment)
    return "".join(texts).strip()


def _moment(word: str, day: str, moment: str) -> str:
    from datetime import date, timedelta

    moved = date.fromisoformat(day) + timedelta(days=_NOW_STRINGS[word])
    return f"'{moved.isoformat()} {moment}'" if word == "'now'" else f"'{moved.isoformat()}'"
